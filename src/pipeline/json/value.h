/* value.h: the value of a member, read along its stops into a row: the part that members.h and
 * scattered.h share. Inlined into both, so that where reading stands is in registers, and for each
 * instruction set anew. */
#ifndef PIPELINE_JSON_VALUE_H
#define PIPELINE_JSON_VALUE_H

#include "pipeline/json/common.h"
#include "pipeline/json/marked.h"
#include "pipeline/json/members.h"

#define HOT static inline __attribute__((always_inline))

/* Where reading stands. Bytes are those of the copy. */
struct place {
    const char *at;
    const uint16_t *stop; // the first at or behind `at`
};

/* A record on its way into a row. */
struct reading {
    const char *bytes; // of the record
    const struct timestamp_context *context;
    struct vector *columns;
    size_t row;
    char *texts; // where the next text goes
};

/* What has an edition for each instruction set. */
struct kernel {
    bool (*has_prefix)(const char *at, const struct json_prefix *prefix);
    void (*copy)(char *to, const char *from, size_t size);
};

static const struct kernel kernel_baseline = {json_has_prefix, json_copy_loosely};
#ifdef JSON_HAS_X86
static const struct kernel kernel_avx2 = {json_has_prefix_avx2, json_copy_loosely_avx2};
#endif

HOT bool read_text(struct reading *reading, struct place *place, struct text *text,
                   struct kernel kernel) {
    if (*place->at != '"')
        return false;
    const char *start = place->at + 1, *end = reading->bytes + place->stop[1];
    char *to = reading->texts;
    if (*end == '"') {
        kernel.copy(to, start, (size_t)(end - start));
        *text = (struct text){to, (uint32_t)(end - start)};
        reading->texts = to + (end - start);
        *place = (struct place){end + 1, place->stop + 2};
        return true;
    }
    const uint16_t *stop = place->stop;
    char *behind = to;
    if (!json_read_marked(reading->bytes, &stop, &behind))
        return false;
    *text = (struct text){to, (uint32_t)(behind - to)};
    reading->texts = behind;
    *place = (struct place){reading->bytes + *stop + 1, stop + 1};
    return true;
}

HOT bool read_timestamp(const struct reading *reading, struct place *place, int64_t *micros) {
    const char *start = place->at + 1, *end = reading->bytes + place->stop[1];
    int64_t parsed;
    if (*place->at != '"' || *end != '"' ||
        !timestamp_parse((struct text){start, (uint32_t)(end - start)}, reading->context, &parsed))
        return false;
    *micros = parsed;
    *place = (struct place){end + 1, place->stop + 2};
    return true;
}

/* Moves behind a value without stops; `behind` is NULL if it could not be read. */
HOT bool pass(struct place *place, const char *behind) {
    if (behind == NULL)
        return false;
    place->at = behind;
    return true;
}

HOT bool read_present(struct reading *reading, struct place *place, struct vector *vector,
                      struct kernel kernel) {
    size_t row = reading->row;
    switch (vector->type) {
    case TYPE_STRING:
        return read_text(reading, place, &vector->texts[row], kernel);
    case TYPE_INT32:
        return pass(place, json_common_int32(place->at, &vector->int32s[row]));
    case TYPE_INT64:
        return pass(place, json_common_int64(place->at, &vector->int64s[row]));
    case TYPE_DOUBLE:
        return pass(place, json_common_double(place->at, &vector->doubles[row]));
    case TYPE_BOOL:
        return pass(place, json_common_bool(place->at, &vector->booleans[row]));
    case TYPE_TIMESTAMP:
        return read_timestamp(reading, place, &vector->int64s[row]);
    default:
        return false;
    }
}

/* The value at place->at, null too; *is_null says which. False: not in the usual form. */
HOT bool read_value(struct reading *reading, struct place *place, struct vector *vector,
                    struct kernel kernel, bool *is_null) {
    const char *value = place->at;
    *is_null = false;
    if (!read_present(reading, place, vector, kernel)) {
        if (!pass(place, json_common_null(value)))
            return false;
        *is_null = true;
    }
    vector->valid[reading->row] = *is_null ? 0 : 1;
    return true;
}

#endif
