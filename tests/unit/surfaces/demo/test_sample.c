#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/json.h"
#include "base/text.h"
#include "core/record.h"
#include "pipeline/json/decode_json.h"
#include "sql/syntax/parse.h"
#include "streaming/declare/stream.h"
#include "surfaces/demo/sample.h"
#include "surfaces/demo/sample_record.h"

enum { RECORDS = 2000 };

static const struct record_schema *schemas[2];
static const char *const partition_by[] = {"status", "role"}; // a player's record has no status

static struct sample samples[2];

static int set_up(void **state) {
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        samples[i].values.schema = schemas[i];
        samples[i].partition_by = partition_by;
        samples[i].partition_by_count = i + 1;
    }
    return 0;
}

static bool type_fits(enum type type, const json_t *value) {
    switch (type) {
    case TYPE_BOOL:
        return json_is_boolean(value);
    case TYPE_INT32:
    case TYPE_INT64:
        return json_is_integer(value);
    case TYPE_DOUBLE:
        return json_is_number(value);
    default:
        return json_is_string(value);
    }
}

static void a_good_record_is_an_object_with_every_value_of_its_type(void **state) {
    (void)state;
    for (size_t topic = 0; topic < 2; topic++) {
        struct sample *sample = &samples[topic];
        for (uint64_t number = 0; number < RECORDS; number++) {
            if (sample_fault_of(number) != SAMPLE_GOOD)
                continue;
            sample_make(sample, number);
            json_t *root = json_loadb(sample->value, sample->size, 0, NULL);
            assert_true(json_is_object(root));
            for (size_t i = 0; i < sample->values.schema->count; i++) {
                const struct column *column = &sample->values.schema->columns[i];
                const json_t *value = json_object_get(root, column->name);
                assert_true(value == NULL || json_is_null(value) || type_fits(column->type, value));
                assert_true(i > 0 || json_is_string(value));
            }
            json_decref(root);
        }
    }
}

static void the_same_number_gives_the_same_record(void **state) {
    (void)state;
    static struct sample other;
    other = samples[0];
    sample_make(&samples[0], 17);
    sample_make(&other, 4);
    sample_make(&other, 17);
    assert_int_equal(samples[0].size, other.size);
    assert_memory_equal(samples[0].value, other.value, other.size);
    sample_make(&other, 18);
    assert_memory_not_equal(samples[0].value, other.value, 60);
}

static const char *drawn(const struct sample *sample, const char *column) {
    for (size_t i = 0; i < sample->values.schema->count; i++) {
        if (strcmp(sample->values.schema->columns[i].name, column) == 0)
            return sample->values.present[i] ? sample->values.drawn[i] : "null";
    }
    fail_msg("no column %s", column);
    return NULL;
}

static void alternatives_come_as_often_as_they_are_named(void **state) {
    (void)state;
    struct {
        size_t topic;
        const char *column, *value;
        size_t least, most; // of 2000
        size_t count;
    } cases[] = {
        {0, "status", "finished", 1125, 1275}, {0, "status", "live", 350, 450},
        {0, "status", "scheduled", 350, 450},  {1, "role", "ADC", 350, 450},
        {1, "active", "null", 125, 200},       {1, "total_games", "0", 350, 450},
        {0, "winner_id", "null", 725, 875},    {1, "win_rate", "null", 540, 660},
    };
    enum { CASE_COUNT = sizeof cases / sizeof cases[0] };
    for (uint64_t number = 0; number < RECORDS; number++) {
        sample_make(&samples[0], number);
        sample_make(&samples[1], number);
        for (size_t i = 0; i < CASE_COUNT; i++)
            cases[i].count +=
                strcmp(drawn(&samples[cases[i].topic], cases[i].column), cases[i].value) == 0;
    }
    for (size_t i = 0; i < CASE_COUNT; i++) {
        if (cases[i].count < cases[i].least || cases[i].count > cases[i].most)
            fail_msg("%s = %s came %zu times", cases[i].column, cases[i].value, cases[i].count);
    }
}

static long number_in(const struct sample *sample, const char *column) {
    return strtol(drawn(sample, column), NULL, 10);
}

static void columns_that_belong_together_fit(void **state) {
    (void)state;
    for (uint64_t number = 0; number < RECORDS; number++) {
        struct sample *match = &samples[0], *player = &samples[1];
        sample_make(match, number);
        bool finished = strcmp(drawn(match, "status"), "finished") == 0;
        bool first = strcmp(drawn(match, "winner_name"), drawn(match, "team_1_name")) == 0;
        const char *winner = finished ? drawn(match, first ? "team_1_id" : "team_2_id") : "null";
        assert_string_equal(drawn(match, "winner_id"), winner);

        sample_make(player, number);
        assert_int_equal(number_in(player, "total_wins") + number_in(player, "total_losses"),
                         number_in(player, "total_games"));
        assert_string_equal(drawn(player, "nickname"), drawn(player, "game_name"));
    }
}

static void a_bad_partition_value_is_in_a_partition_column(void **state) {
    (void)state;
    uint64_t number = 0;
    while (sample_fault_of(number) != SAMPLE_BAD_PARTITION)
        number++;
    for (size_t i = 0; i < 2; i++) {
        char expected[64];
        snprintf(expected, sizeof expected, "\"%s\": \"no\\u0000directory\"", partition_by[i]);
        sample_make(&samples[i], number);
        assert_non_null(memmem(samples[i].value, samples[i].size, expected, strlen(expected)));
    }
}

static const int reason_of[SAMPLE_FAULT_COUNT] = {
    [SAMPLE_GOOD] = -1,
    [SAMPLE_NULL_VALUE] = REJECT_NULL_VALUE,
    [SAMPLE_BLANK] = REJECT_BLANK_VALUE,
    [SAMPLE_CUT] = REJECT_MALFORMED,
    [SAMPLE_ARRAY] = REJECT_NOT_AN_OBJECT,
    [SAMPLE_NO_IDENTIFIER] = REJECT_MISSING_IDENTIFIER,
    [SAMPLE_NULL_IDENTIFIER] = REJECT_NULL_IDENTIFIER,
    [SAMPLE_BAD_PARTITION] = -1, // found by the code that knows the partition columns
    [SAMPLE_WRONG_TYPE] = -1,
    [SAMPLE_OUT_OF_RANGE] = -1,
    [SAMPLE_UNKNOWN_KEY] = -1,
};

/* So that what people have from `sample --seed` stays; recorded. */
static void the_records_of_a_seed_stay_the_same(void **state) {
    (void)state;
    static const uint64_t recorded[] = {0x6050235d7e112b78, 0x32b6a1f1e536a789};
    for (size_t topic = 0; topic < 2; topic++) {
        struct sample *sample = &samples[topic];
        uint64_t hash = 0xcbf29ce484222325; // FNV-1a
        for (uint64_t number = 0; number < RECORDS; number++) {
            sample_make(sample, number);
            for (size_t i = 0; i < sample->size; i++)
                hash = (hash ^ (unsigned char)sample->value[i]) * 0x100000001b3;
        }
        assert_int_equal(hash, recorded[topic]);
    }
}

static void every_fault_is_taken_for_what_it_is(void **state) {
    (void)state;
    for (size_t topic = 0; topic < 2; topic++) {
        struct schema schema;
        struct rows rows;
        struct decoder *decoder;
        struct error err;
        schema_init_record(&schema, schemas[topic]);
        rows_init(&rows, &schema, 16, 1 << 16);
        assert_true(decode_json_open(&decoder, schemas[topic], PARSE_REJECT, "UTC", &err));
        for (uint64_t number = 0; number < RECORDS; number++) {
            struct sample *sample = &samples[topic];
            struct reject reject = {.reason = REJECT_REASON_COUNT};
            sample_make(sample, number);
            struct record record = {.value = sample->is_null ? NULL : sample->value,
                                    .value_size = sample->size};
            int expected = reason_of[sample_fault_of(number)];
            enum decode_result result = decode_record(decoder, &record, &rows, &reject);
            assert_int_equal(result, expected < 0 ? DECODE_ROW : DECODE_REJECT);
            if (expected >= 0)
                assert_int_equal(reject.reason, expected);
            rows_reset(&rows);
        }
        size_t faulty_columns = 0;
        for (size_t i = 0; i < schema.record_count; i++)
            faulty_columns += decoder->counts.field_faults[i] > 0;
        assert_true(faulty_columns >= 8);
        assert_int_equal(decoder->counts.unknown_keys,
                         RECORDS / SAMPLE_FAULT_EVERY / (SAMPLE_FAULT_COUNT - 1));
        decoder_close(decoder);
        rows_deinit(&rows);
    }
}

/* ---- records of a query file ---- */

#define NESTED                                                                                     \
    "CREATE TABLE r (n INT, m STRUCT<id: STRING, d: DATE, x: STRUCT<b: BINARY, c: "                \
    "DECIMAL(4,2)>>, "                                                                             \
    "a ARRAY<STRUCT<k: STRING, v: ARRAY<INT>>>, t MAP<STRING, BOOLEAN>, z TIMESTAMP_NTZ, "         \
    "`odd |{n}` STRING) USING kafka OPTIONS (subscribe 'x', sample.n '%s');"                       \
    "CREATE STREAMING TABLE t (id STRING NOT NULL, n INT) AS SELECT m.id, n FROM STREAM r"

/* A sample for the table of the file; both are freed with free_nested(). */
static struct sample *make_nested(const char *option, struct stream *stream,
                                  struct sample_record *record) {
    struct sql_file file;
    struct query_plan plan;
    struct error err = {0};
    char *text = text_format(NESTED, option);
    if (!sql_parse("q.sql", text, strlen(text), &file, &err) || !plan_make(&file, 0, &plan, &err) ||
        !stream_make(&plan, stream, &err))
        fail_msg("%s", err.message);
    sql_file_deinit(&file);
    free(text);
    sample_record_init(record, stream);
    struct sample *sample = calloc(1, sizeof *sample);
    assert_non_null(sample);
    sample->values.schema = &record->schema;
    sample->type = record->type;
    sample->identifier = record->identifier;
    return sample;
}

static void free_nested(struct sample *sample, struct stream *stream,
                        struct sample_record *record) {
    free(sample);
    sample_record_deinit(record);
    stream_deinit(stream);
}

static void a_nested_record_is_made_from_its_types(void **state) {
    (void)state;
    struct stream stream;
    struct sample_record record;
    struct error err = {0};
    struct sample *sample = make_nested("5..7", &stream, &record);
    assert_int_equal(record.identifier, 1);
    assert_string_equal(record.schema.columns[record.identifier].name, "m.id");
    int parsed = 0, with_elements = 0;
    for (uint64_t number = 0; number < 1000; number++) {
        assert_true(sample_try(sample, number, &err));
        enum sample_fault fault = sample_fault_of(number);
        if (sample->is_null || fault == SAMPLE_BLANK || fault == SAMPLE_CUT)
            continue;
        struct json *json = json_parse(sample->value, sample->size, &err);
        if (json == NULL)
            fail_msg("%.*s: %s", (int)sample->size, sample->value, err.message);
        const struct json *inner = json_member(json, "m");
        if (fault == SAMPLE_GOOD) {
            assert_string_equal(json_member_text(inner, "id"), sample->key);
            assert_non_null(json_member(json_member(inner, "x"), "c"));
            with_elements += json_count(json_member(json, "a")) > 1;
        } else if (fault == SAMPLE_NO_IDENTIFIER) {
            assert_null(json_member(inner, "id"));
        }
        json_free(json);
        parsed++;
    }
    assert_true(parsed > 900 && with_elements > 300);
    free_nested(sample, &stream, &record);
}

static void an_option_that_says_nothing_is_an_error(void **state) {
    (void)state;
    static const char *const wrong[] = {"7..5",
                                        "x..y",
                                        "{1..",
                                        "text",
                                        "=none",
                                        "{1-2}",
                                        "1..2 ?x",
                                        "",
                                        "1 @none=5",
                                        "1..none",
                                        "1.5.5x",
                                        "{}",
                                        "2..99999999999999999999",
                                        "1}2{",
                                        "0.123456789012345678901..1"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct stream stream;
        struct sample_record record;
        struct error err = {0};
        bool ok = true;
        struct sample *sample = make_nested(wrong[i], &stream, &record);
        for (uint64_t number = 0; ok && number < 50; number++)
            ok = sample_try(sample, number, &err);
        if (ok)
            fail_msg("'%s' is accepted", wrong[i]);
        if (!ok) {
            assert_int_equal(err.kind, ERROR_CONFIG);
            assert_non_null(strstr(err.message, "the option sample.n '"));
        }
        free_nested(sample, &stream, &record);
    }
}

int main(void) {
    streams_load();
    schemas[0] = stream_of("matches")->record;
    schemas[1] = stream_of("players")->record;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_record_is_an_object_with_every_value_of_its_type),
        cmocka_unit_test(the_same_number_gives_the_same_record),
        cmocka_unit_test(alternatives_come_as_often_as_they_are_named),
        cmocka_unit_test(columns_that_belong_together_fit),
        cmocka_unit_test(a_bad_partition_value_is_in_a_partition_column),
        cmocka_unit_test(the_records_of_a_seed_stay_the_same),
        cmocka_unit_test(every_fault_is_taken_for_what_it_is),
        cmocka_unit_test(a_nested_record_is_made_from_its_types),
        cmocka_unit_test(an_option_that_says_nothing_is_an_error),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
