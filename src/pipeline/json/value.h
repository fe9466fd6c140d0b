/* value.h: the value of a member in the usual form, read along its stops (stops.h) into a row:
 * strings, numbers without exponent, true, false, null.
 *
 * Readable bytes must follow, as stops.h makes them, and the record must end in a byte that is part
 * of no value. What is in another form is left as it was, to be read by column.h; where these say
 * yes, column.h would have set the same value and stopped after the same byte.
 *
 * Inlined where members are read, so that the reading position is in registers, and compiled for
 * each instruction set. */
#ifndef PIPELINE_JSON_VALUE_H
#define PIPELINE_JSON_VALUE_H

#include "base/digits.h"
#include "core/schema.h"
#include "core/timestamp.h"
#include "core/vector.h"
#include "pipeline/json/words.h"

/* Whether a byte may follow a number or a word. */
extern const bool json_behind_value[256];

static inline bool json_is_behind_value(char byte) {
    return json_behind_value[(unsigned char)byte];
}

/* These return the byte behind the value, or NULL: another form, and *value is as it was. */

/* Any size up to 18 digits. */
const char *json_common_long(const char *at, int64_t *value);

/* Most integers have a few digits and no sign: at most eight bytes, read at once. */
static inline const char *json_common_int64(const char *at, int64_t *value) {
    uint64_t digits = digits_load(at);
    unsigned count = digits_count(digits);
    bool has_leading_zero = (digits & 0xFF) == 0 && count > 1;
    if (count == 0 || count == WORD_SIZE || has_leading_zero || !json_is_behind_value(at[count]))
        return json_common_long(at, value);
    *value = digits_number(digits, count);
    return at + count;
}

static inline const char *json_common_int32(const char *at, int32_t *value) {
    int64_t wide;
    const char *behind = json_common_int64(at, &wide);
    if (behind == NULL || wide != (int32_t)wide)
        return NULL;
    *value = (int32_t)wide;
    return behind;
}

const char *json_common_double(const char *at, double *value);
const char *json_common_bool(const char *at, uint8_t *value);
const char *json_common_null(const char *at);

/* The text of the string whose opening quote is the stop **stop of `bytes` (stops.h), to `*to`,
 * where the string's size and JSON_STOPS_SLACK more bytes have room. Then *stop is the one of the
 * closing quote, and *to is after the text. False: not a string, or one in which a character
 * has to be replaced; *stop and *to are as they were. */
bool json_read_marked(const char *bytes, const uint16_t **stop, char **to);

#define HOT static inline __attribute__((always_inline))

/* Where reading stands. Bytes are those of the copy. */
struct json_cursor {
    const char *at;
    const uint16_t *stop; // the first at or behind `at`
};

/* A record on its way into a row. */
struct json_row {
    const char *bytes; // of the record
    const struct timestamp_context *context;
    const struct column *declared; // of the columns
    struct vector *columns;
    size_t index; // of the row
    char *texts;  // where the next text goes
};

/* A value of a type that is not in read_present(), because it is rarer: its code is not inlined,
 * and takes no pointer to what is in registers here. Returns where reading continues after it; `at`
 * NULL: in another form. */
struct json_cursor json_read_other(const char *bytes, struct json_cursor cursor,
                                   const struct column *declared, const struct vector *vector,
                                   size_t index);

/* What has a version for each instruction set. */
struct kernel {
    bool (*has_prefix)(const char *at, const struct json_prefix *prefix);
    void (*copy)(char *to, const char *from, size_t size);
};

static const struct kernel kernel_baseline = {json_has_prefix, json_copy_loosely};
#ifdef JSON_HAS_X86
static const struct kernel kernel_avx2 = {json_has_prefix_avx2, json_copy_loosely_avx2};
#endif

HOT bool read_text(struct json_row *row, struct json_cursor *cursor, struct text *text,
                   struct kernel kernel) {
    if (*cursor->at != '"')
        return false;
    const char *start = cursor->at + 1, *end = row->bytes + cursor->stop[1];
    char *to = row->texts;
    if (*end == '"') {
        kernel.copy(to, start, (size_t)(end - start));
        *text = (struct text){to, (uint32_t)(end - start)};
        row->texts = to + (end - start);
        *cursor = (struct json_cursor){end + 1, cursor->stop + 2};
        return true;
    }
    const uint16_t *stop = cursor->stop;
    char *behind = to;
    if (!json_read_marked(row->bytes, &stop, &behind))
        return false;
    *text = (struct text){to, (uint32_t)(behind - to)};
    row->texts = behind;
    *cursor = (struct json_cursor){row->bytes + *stop + 1, stop + 1};
    return true;
}

HOT bool read_timestamp(const struct json_row *row, struct json_cursor *cursor, int64_t *micros) {
    const char *start = cursor->at + 1, *end = row->bytes + cursor->stop[1];
    int64_t parsed;
    if (*cursor->at != '"' || *end != '"' ||
        !timestamp_parse((struct text){start, (uint32_t)(end - start)}, row->context, &parsed))
        return false;
    *micros = parsed;
    *cursor = (struct json_cursor){end + 1, cursor->stop + 2};
    return true;
}

/* Moves behind a value without stops; `behind` is NULL if it could not be read. */
HOT bool pass(struct json_cursor *cursor, const char *behind) {
    if (behind == NULL)
        return false;
    cursor->at = behind;
    return true;
}

HOT bool read_present(struct json_row *row, struct json_cursor *cursor, struct vector *vector,
                      struct kernel kernel) {
    size_t index = row->index;
    switch (vector->type) {
    case TYPE_STRING:
        return read_text(row, cursor, &vector->texts[index], kernel);
    case TYPE_INT32:
        return pass(cursor, json_common_int32(cursor->at, &vector->int32s[index]));
    case TYPE_INT64:
        return pass(cursor, json_common_int64(cursor->at, &vector->int64s[index]));
    case TYPE_DOUBLE:
        return pass(cursor, json_common_double(cursor->at, &vector->doubles[index]));
    case TYPE_BOOL:
        return pass(cursor, json_common_bool(cursor->at, &vector->booleans[index]));
    case TYPE_TIMESTAMP:
        return read_timestamp(row, cursor, &vector->int64s[index]);
    default:
        break;
    }
    struct json_cursor behind =
        json_read_other(row->bytes, *cursor, &row->declared[vector - row->columns], vector, index);
    if (behind.at == NULL)
        return false;
    *cursor = behind;
    return true;
}

/* The value at cursor->at, null too; *is_null says which. False: not in the usual form. */
HOT bool read_value(struct json_row *row, struct json_cursor *cursor, struct vector *vector,
                    struct kernel kernel, bool *is_null) {
    const char *value = cursor->at;
    *is_null = false;
    if (!read_present(row, cursor, vector, kernel)) {
        if (!pass(cursor, json_common_null(value)))
            return false;
        *is_null = true;
    }
    vector->valid[row->index] = *is_null ? 0 : 1;
    return true;
}

#endif
