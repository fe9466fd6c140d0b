#include "pipeline/json/members.h"

#include "base/check.h"
#include "pipeline/json/scattered.h"
#include "pipeline/json/value.h"

/* How many misses a prediction outlives: once it has been right, and when it is new. Where keys
 * come in no order, learning at every miss would be for nothing. */
enum { CONFIDENCE_MAX = 8, CONFIDENCE_NEW = 4 };

/* With more misses than that in one record, keys come in no order; so many records are then read
 * without expecting one. */
enum { MISSES_MAX = 6, RECORDS_SCATTERED = 64 };

void json_members_init(struct json_members *members, const struct json_keys *keys, bool fastest) {
    memset(members, 0, sizeof *members);
    members->keys = keys;
    // Nothing is known yet: a pattern of no size, before a byte that no value starts with.
    for (size_t i = 0; i <= SCHEMA_COLUMNS_MAX; i++)
        members->predictions[i].pattern = (struct json_prefix){.bytes = "}", .needed = 1};
    json_stops_init(&members->stops, fastest);
#ifdef JSON_HAS_X86
    members->has_avx2 = fastest && __builtin_cpu_supports("avx2") &&
                        __builtin_cpu_supports("bmi") && __builtin_cpu_supports("popcnt");
#endif
}

void json_members_open(struct json_members *members, const char *bytes, size_t size) {
    members->has_record = !members->is_off && size <= JSON_STOPS_RECORD_MAX;
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
                    struct json_prediction *prediction, struct place *place, struct kernel kernel) {
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
    int column =
        json_keys_find_plain(members->keys, at + 1, (size_t)(end - at - 1), kernel.has_prefix);
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

static void note_null_identifier(struct json_members_run *run, size_t at) {
    run->identifier_is_null = true;
    run->identifier_at = at;
}

HOT struct place read_members(struct json_members *members, struct reading *shared,
                              struct json_members_run *run, struct place place,
                              struct kernel kernel) {
    struct reading local = *shared, *reading = &local;
    struct json_prediction *prediction = &members->predictions[run->previous + 1];
    unsigned misses = 0;
    for (struct place member = place;; place = member) {
        struct json_prediction *next;
        struct vector *vector;
        if (kernel.has_prefix(member.at, &prediction->pattern)) {
            prediction->confidence = CONFIDENCE_MAX;
            vector = &reading->columns[prediction->column];
            next = prediction->next;
            member = (struct place){member.at + prediction->size, member.stop + 2};
        } else {
            int column = find_member(members, reading->bytes, prediction, &member, kernel);
            if (column < 0)
                break;
            misses++;
            vector = &reading->columns[column];
            next = &members->predictions[column + 1];
        }
        const char *value = member.at;
        bool is_null;
        if (!read_value(reading, &member, vector, kernel, &is_null))
            break;
        if (is_null && vector == reading->columns)
            note_null_identifier(run, (size_t)(value - reading->bytes));
        prediction = next;
    }
    shared->texts = local.texts;
    if (misses > MISSES_MAX)
        members->scattered = RECORDS_SCATTERED;
    run->previous = (int)(prediction - members->predictions) - 1;
    return place;
}

static struct place read_members_baseline(struct json_members *members, struct reading *reading,
                                          struct json_members_run *run, struct place place) {
    return read_members(members, reading, run, place, kernel_baseline);
}

#ifdef JSON_HAS_X86
JSON_AVX2 static struct place read_members_avx2(struct json_members *members,
                                                struct reading *reading,
                                                struct json_members_run *run, struct place place) {
    return read_members(members, reading, run, place, kernel_avx2);
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
    if (run->previous < 0 && members->scattered > 0)
        members->scattered--;
    if (run->previous >= 0 || members->scattered == 0 ||
        !json_scattered_read(members, &reading, run, &place))
        place = members->has_avx2 ? read_members_avx2(members, &reading, run, place)
                                  : read_members_baseline(members, &reading, run, place);
    arena_rewind(&rows->strings, (size_t)(reading.texts - (char *)rows->strings.base));
    members->stop = place.stop;
    run->at = (size_t)(place.at - reading.bytes);
}
