/* All ways to decode a record (enum decode_path) return the same, no matter which records came
 * before: here with many records that differ from the usual form in a few bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "pipeline/json/decode_json.h"

enum { ROUNDS = 40000, RECORD_MAX = 1024, STRING_BYTES = 16 * RECORD_MAX, PATH_COUNT = 3 };

static const struct column columns[] = {
    {"id", TYPE_STRING},
    {"name", TYPE_STRING},
    {"a_rather_long_name", TYPE_STRING},
    {"count", TYPE_INT32},
    {"total", TYPE_INT64},
    {"share", TYPE_DOUBLE},
    {"flag", TYPE_BOOL},
    {"at", TYPE_TIMESTAMP},
    {"until", TYPE_TIMESTAMP},
    {"x", TYPE_INT32},
    {"a_name_that_is_longer_than_one_comparison", TYPE_INT32},
};
static const struct record_schema record_schema = {
    "thing", columns, sizeof columns / sizeof columns[0], .has_identifier = true};

static const char *const samples[] = {
    "{\"id\": \"a-1\", \"name\": \"T1\", \"a_rather_long_name\": \"Hanwha Life Esports\", "
    "\"count\": 12, "
    "\"total\": 1717200000000, \"share\": 0.25, \"flag\": true, \"at\": \"2024-06-01T12:30:00Z\", "
    "\"until\": \"2024-06-01T13:00:00.125Z\", \"x\": 0, "
    "\"a_name_that_is_longer_than_one_comparison\": 7}",
    "{\"id\": \"a-2\", \"name\": \"L\\u00e9viatan \\ud83d\\udd25\", \"count\": -5, \"total\": "
    "99999999, "
    "\"share\": 12.5, \"flag\": false, \"at\": null, \"until\": \"2024-02-29T23:59:59+00:00\", "
    "\"x\": 3}",
    "{\"id\":\"a-3\",\"name\":\"京东 JDG\",\"a_rather_long_name\":\"say "
    "\\\"hi\\\"\",\"count\":2147483647,"
    "\"total\":-1,\"share\":-0.5,\"flag\":null,\"at\":\"2024-06-30 12:30:00\",\"x\":8,"
    "\"a_name_that_is_longer_than_one_comparison\":1}",
    "{\"x\":1,\"until\":\"2024-06-01T12:30:00Z\",\"at\":\"2024-06-01T12:30:00Z\",\"flag\":true,"
    "\"share\":1.5,\"total\":3,\"count\":2,\"a_rather_long_name\":\"b\",\"name\":\"c\",\"id\":\"a-"
    "4\"}",
    "{\"total\": 3, \"until\": null, \"share\": 1e3, \"x\": 1, \"id\": \"a-5\", \"flag\": true, "
    "\"name\": \"Beşiktaş\", \"count\": 12345678, \"at\": \"2024-06-01\", \"a_rather_long_name\": "
    "\"\"}",
    "{\n  \"id\": \"a-6\",\n  \"name\": \"x\",\n  \"count\": 1,\n  \"other\": {\"id\": [1, "
    "\"]\"]},\n"
    "  \"total\": 5\n}",
    "{\"id\":\"a-7\",\"id\":\"a-8\",\"count\":1,\"count\":\"no\",\"x\":null}",
};

#define PATH(...)                                                                                  \
    .path = (const char *const[]){__VA_ARGS__},                                                    \
    .path_length = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)

static const struct column nested_columns[] = {
    {"id", TYPE_STRING, PATH("head", "id")},
    {"v", TYPE_INT32, PATH("v")},
    {"n", TYPE_INT64, PATH("head", "n")},
    {"x", TYPE_STRING, PATH("head", "more", "x")},
    {"share", TYPE_DOUBLE, PATH("head", "more", "deep", "share")},
    {"flag", TYPE_BOOL, PATH("head", "more", "deep", "flag")},
    {"at", TYPE_TIMESTAMP, PATH("times", "at")},
    {"until", TYPE_TIMESTAMP, PATH("until")},
    {"byte", TYPE_INT8},
    {"small", TYPE_INT16},
    {"cost", TYPE_DECIMAL, .precision = 6, .scale = 2},
    {"born", TYPE_DATE},
    {"rate", TYPE_FLOAT},
    {"price", TYPE_DECIMAL, .precision = 10, .scale = 2, PATH("times", "price")},
    {"day", TYPE_DATE, PATH("times", "day")},
    {"local", TYPE_TIMESTAMP_NTZ},
    {"raw", TYPE_BINARY},
    {"ratio", TYPE_FLOAT, PATH("times", "ratio")},
};
static const struct record_schema nested_schema = {"nested", nested_columns,
                                                   sizeof nested_columns / sizeof nested_columns[0],
                                                   .has_identifier = true};

static const char *const nested_samples[] = {
    "{\"v\":1,\"head\":{\"id\":\"a\",\"n\":12,\"more\":{\"x\":\"X\",\"deep\":{\"share\":1.5,"
    "\"flag\":true}"
    "}},\"times\":{\"at\":\"2024-06-01T12:30:00Z\"},\"until\":null}",
    "{\"q\":{\"a\":[1,2,{\"b\":\"c\",\"d\":[]}],\"e\":\"\\u00e9\"},\"head\":{\"q\":[{\"x\":1.25e3},"
    "null,-7,"
    "true],\"id\":\"b\",\"more\":{\"deep\":{\"flag\":false},\"q\":{}}},\"v\":2}",
    "{ \"head\" : { \"id\" : \"c\" , \"more\" : { \"x\" : \"\\\"Y\\\"\" } } ,\n \"until\" : "
    "\"2024-06-01\" , "
    "\"q\" : [ [ ] , \"é\" , [ [ 0.5 ] ] ] , \"v\" : 3 }",
    "{\"head\":{\"id\":\"d\",\"more\":{\"x\":\"1\",\"deep\":{\"share\":2}}},\"head\":{\"id\":\"e\","
    "\"n\":1,"
    "\"more\":null},\"v\":4}",
    "{\"small\":-7,\"rate\":1.25,\"raw\":\"YWJj\",\"cost\":12.345,\"born\":\"1999-02-03\",\"byte\":"
    "200,\"times\":{\"price\":\"1,234.5\",\"day\":\"2024-06-01\","
    "\"ratio\":0.25},\"local\":\"2024-06-01 12:00:00\",\"head\":{\"id\":\"g\"}}",
    "{\"head\":{\"id\":\"f\",\"more\":{\"x\":\"1\"},\"more\":{\"x\":{\"y\":[1]}}},\"times\":[],"
    "\"v\":5}",
};

/* What is decoded, and from what. */
struct kind {
    const struct record_schema *schema;
    const char *const *samples;
    size_t sample_count;
};

static const struct kind flat = {&record_schema, samples, sizeof samples / sizeof samples[0]};
static const struct kind nested = {&nested_schema, nested_samples,
                                   sizeof nested_samples / sizeof nested_samples[0]};

/* What a mutation draws from: what has a meaning somewhere in JSON, and what has none. */
static const char drawn_bytes[] =
    "\"\"\"\\\\{}[],::  09-.eEuntrf'\n\t\x01\x80\xc3\xa9\xed\xa0\xff/+TZ";

struct state {
    struct schema schema;
    struct decoder *decoders[PATH_COUNT];
    struct rows rows[PATH_COUNT];
    struct reject rejects[PATH_COUNT];
    enum decode_result results[PATH_COUNT];
    uint64_t random;
};

static size_t draw(struct state *state, size_t below) {
    check(below > 0);
    state->random = state->random * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (size_t)(state->random >> 33) % below;
}

/* Replaces, leaves out, doubles or puts in a byte. */
static size_t mutate(struct state *state, char *bytes, size_t size) {
    size_t at = draw(state, size);
    char byte = drawn_bytes[draw(state, sizeof drawn_bytes)]; // its NUL, too
    switch (draw(state, 4)) {
    case 0:
        bytes[at] = byte;
        return size;
    case 1:
        memmove(bytes + at, bytes + at + 1, size - at - 1);
        return size - 1;
    case 2:
        memmove(bytes + at + 1, bytes + at, size - at);
        return size + 1;
    default:
        memmove(bytes + at + 1, bytes + at, size - at);
        bytes[at] = byte;
        return size + 1;
    }
}

static void assert_same_value(const struct vector *a, const struct vector *b) {
    assert_int_equal(a->valid[0], b->valid[0]);
    if (!a->valid[0])
        return;
    if (type_is_text(a->type))
        assert_true(text_equals(a->texts[0], b->texts[0]));
    else
        assert_memory_equal(a->values, b->values, type_width(a->type));
}

static void assert_same(struct state *state, int path) {
    assert_int_equal(state->results[path], state->results[DECODE_GENERAL]);
    const struct reject *reject = &state->rejects[path],
                        *expected = &state->rejects[DECODE_GENERAL];
    if (state->results[path] == DECODE_REJECT) {
        assert_int_equal(reject->reason, expected->reason);
        assert_int_equal(reject->position, expected->position);
        assert_string_equal(reject->detail, expected->detail);
        return;
    }
    for (size_t i = 0; i < state->schema.record_count; i++)
        assert_same_value(&state->rows[path].inputs[i], &state->rows[DECODE_GENERAL].inputs[i]);
    assert_memory_equal(&state->decoders[path]->counts, &state->decoders[DECODE_GENERAL]->counts,
                        sizeof(struct decode_counts));
}

static void decode_all(struct state *state, const char *bytes, size_t size) {
    // Allocated to the byte, so that the sanitizer sees every read beyond it.
    char *exact = malloc(size == 0 ? 1 : size);
    assert_non_null(exact);
    memcpy(exact, bytes, size);
    struct record record = {.value = exact, .value_size = size};
    for (int path = 0; path < PATH_COUNT; path++) {
        rows_reset(&state->rows[path]);
        state->results[path] = decode_record(state->decoders[path], &record, &state->rows[path],
                                             &state->rejects[path]);
    }
    for (int path = 1; path < PATH_COUNT; path++)
        assert_same(state, path);
    free(exact);
}

static void run(const struct kind *kind, enum parse_mode mode, uint64_t seed) {
    static struct state state;
    state = (struct state){.random = seed};
    schema_init_record(&state.schema, kind->schema);
    for (int path = 0; path < PATH_COUNT; path++) {
        struct error err;
        assert_true(decode_json_open(&state.decoders[path], kind->schema, mode, "UTC", &err));
        state.decoders[path]->batch_time_ms = 1717243200000;
        decode_json_set_path(state.decoders[path], (enum decode_path)path);
        rows_init(&state.rows[path], &state.schema, 1, STRING_BYTES);
    }
    const char *sample = kind->samples[0];
    for (int round = 0; round < ROUNDS; round++) {
        char bytes[RECORD_MAX];
        // Mostly as the one before, so that the order of its keys is expected.
        if (draw(&state, 16) == 0)
            sample = kind->samples[draw(&state, kind->sample_count)];
        size_t size = strlen(sample);
        for (size_t i = 0; i < size; i++)
            bytes[i] = sample[i];
        for (size_t left = draw(&state, 4); left > 0; left--)
            size = mutate(&state, bytes, size);
        decode_all(&state, bytes, size);
    }
    for (int path = 0; path < PATH_COUNT; path++) {
        decoder_close(state.decoders[path]);
        rows_deinit(&state.rows[path]);
    }
}

static void all_ways_make_the_same_rows_of_nearly_usual_records(void **state) {
    (void)state;
    run(&flat, PARSE_REJECT, 1);
}

static void all_ways_make_the_same_rows_of_nulls(void **state) {
    (void)state;
    run(&flat, PARSE_PERMISSIVE, 2);
}

static void all_ways_make_the_same_rows_of_records_with_objects(void **state) {
    (void)state;
    run(&nested, PARSE_REJECT, 3);
    run(&nested, PARSE_PERMISSIVE, 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_ways_make_the_same_rows_of_nearly_usual_records),
        cmocka_unit_test(all_ways_make_the_same_rows_of_nulls),
        cmocka_unit_test(all_ways_make_the_same_rows_of_records_with_objects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
