#include "pipeline/json/members.h"

#include "base/check.h"
#include "pipeline/json/common.h"
#include "pipeline/json/marked.h"

/* Inlined, so that where reading stands is in registers, and for each instruction set anew. */
#define HOT static inline __attribute__((always_inline))

/* How many misses a prediction outlives: once it has been right, and when it is new. Where keys
 * come in no order, learning at every miss would be for nothing. */
enum { CONFIDENCE_MAX = 8, CONFIDENCE_NEW = 4 };

/* Where reading stands. Bytes are those of the copy. */
struct place {
    const char *at;
    const uint16_t *stop; // the first at or behind `at`
};

/* One call of json_members_read(). */
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

void json_members_init(struct json_members *members, const struct json_keys *keys) {
    members->keys = keys;
    // Nothing is known yet: a pattern of no size, before a byte that no value starts with.
    for (size_t i = 0; i <= SCHEMA_COLUMNS_MAX; i++)
        members->predictions[i].pattern = (struct json_prefix){.bytes = "}", .needed = 1};
    json_stops_init(&members->stops);
#ifdef JSON_HAS_X86
    members->has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
                        __builtin_cpu_supports("popcnt");
#endif
}

void json_members_open(struct json_members *members, const char *bytes, size_t size) {
    members->has_record = size <= JSON_STOPS_RECORD_MAX;
    if (members->has_record)
        json_stops_read(&members->stops, bytes, size);
    members->stop = members->stops.at;
}

HOT const char *skip_blanks(const char *at) {
    while (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')
        at++;
    return at;
}

/* Moves over stops before `at`. */
HOT const uint16_t *skip_stops(const char *bytes, const uint16_t *stop, const char *at) {
    while (bytes + *stop < at)
        stop++;
    return stop;
}

/* What stood between two values, for the next time. */
static void learn(struct json_members *members, struct json_prediction *prediction,
                  struct place from, struct place value, int column) {
    // White space that is a stop as well would need counting at each match: it is rare enough.
    size_t size = (size_t)(value.at - from.at);
    if (size > JSON_PREFIX_MAX || value.stop - from.stop != 2)
        return;
    json_prefix_set(&prediction->pattern, from.at, size);
    prediction->size = (uint8_t)size;
    prediction->column = (uint8_t)column;
    prediction->confidence = CONFIDENCE_NEW;
    prediction->next = &members->predictions[column + 1];
}

/* Reads the next key and moves to its value. The column, or -1: no key of a column, or not in the
 * usual form. */
HOT int find_member(struct json_members *members, const char *bytes,
                    struct json_prediction *prediction, struct place *place) {
    const char *at = skip_blanks(place->at);
    if (prediction != members->predictions) {
        if (*at != ',')
            return -1;
        at = skip_blanks(at + 1);
    }
    const uint16_t *quote = skip_stops(bytes, place->stop, at);
    const char *end = bytes + quote[1];
    if (*at != '"' || *end != '"')
        return -1;
    int column = json_keys_find_plain(members->keys, at + 1, (size_t)(end - at - 1));
    const char *colon = skip_blanks(end + 1);
    if (column < 0 || *colon != ':')
        return -1;

    struct place value = {.at = skip_blanks(colon + 1)};
    value.stop = skip_stops(bytes, quote + 2, value.at);
    if (prediction->confidence > 0)
        prediction->confidence--;
    else
        learn(members, prediction, *place, value, column);
    *place = value;
    return column;
}

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

HOT bool read_value(struct reading *reading, struct place *place, struct vector *vector,
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

static void note_null_identifier(struct json_members_run *run, size_t at) {
    run->identifier_is_null = true;
    run->identifier_at = at;
}

HOT struct place read_members(struct json_members *members, struct reading *shared,
                              struct json_members_run *run, struct place place,
                              struct kernel kernel) {
    struct reading local = *shared, *reading = &local;
    struct json_prediction *prediction = &members->predictions[run->previous + 1];
    for (struct place member = place;; place = member) {
        struct json_prediction *next;
        struct vector *vector;
        if (kernel.has_prefix(member.at, &prediction->pattern)) {
            prediction->confidence = CONFIDENCE_MAX;
            vector = &reading->columns[prediction->column];
            next = prediction->next;
            member = (struct place){member.at + prediction->size, member.stop + 2};
        } else {
            int column = find_member(members, reading->bytes, prediction, &member);
            if (column < 0)
                break;
            vector = &reading->columns[column];
            next = &members->predictions[column + 1];
        }
        const char *value = member.at;
        if (read_value(reading, &member, vector, kernel)) {
            vector->valid[reading->row] = 1;
        } else {
            if (!pass(&member, json_common_null(value)))
                break;
            vector->valid[reading->row] = 0;
            if (vector == reading->columns)
                note_null_identifier(run, (size_t)(value - reading->bytes));
        }
        prediction = next;
    }
    shared->texts = local.texts;
    run->previous = (int)(prediction - members->predictions) - 1;
    return place;
}

static struct place read_members_baseline(struct json_members *members, struct reading *reading,
                                          struct json_members_run *run, struct place place) {
    struct kernel kernel = {json_has_prefix, json_copy_loosely};
    return read_members(members, reading, run, place, kernel);
}

#ifdef JSON_HAS_X86
JSON_AVX2 static struct place read_members_avx2(struct json_members *members,
                                                struct reading *reading,
                                                struct json_members_run *run, struct place place) {
    struct kernel kernel = {json_has_prefix_avx2, json_copy_loosely_avx2};
    return read_members(members, reading, run, place, kernel);
}
#else
#define read_members_avx2 read_members_baseline
#endif

void json_members_read(struct json_members *members, const struct timestamp_context *context,
                       struct rows *rows, struct json_members_run *run) {
    const struct json_stops *stops = &members->stops;
    if (!members->has_record)
        return;
    // No text is longer than in the record, so this is room for all that are left.
    char *texts = arena_alloc_bytes(&rows->strings, stops->size - run->at + JSON_STOPS_SLACK);
    if (texts == NULL)
        return;
    struct reading reading = {.bytes = json_stops_bytes(stops),
                              .context = context,
                              .columns = rows->columns,
                              .row = rows->count,
                              .texts = texts};
    struct place place = {.at = reading.bytes + run->at};
    place.stop = skip_stops(reading.bytes, members->stop, place.at);
    place = members->has_avx2 ? read_members_avx2(members, &reading, run, place)
                              : read_members_baseline(members, &reading, run, place);
    arena_rewind(&rows->strings, (size_t)(reading.texts - (char *)rows->strings.base));
    members->stop = place.stop;
    run->at = (size_t)(place.at - reading.bytes);
}
