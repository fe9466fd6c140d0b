/* What records become in tables with WHERE and LATERAL VIEW: query files, records as JSON, and rows
 * as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sql/syntax/parse.h"
#include "streaming/declare/stream.h"
#include "streaming/tasks/row_maker.h"

enum { RECORDS_MAX = 16, PLENTY = 1 << 30 };

struct scene {
    struct stream stream;
    struct worker_query query;
    struct row_maker maker;
    struct range_outcome outcome;
    FILE *out;
};

#define TOPIC                                                                                      \
    "CREATE TABLE r (id STRING, n INT, tags ARRAY<STRING>, m MAP<STRING, INT>, "                   \
    "ps ARRAY<STRUCT<k: INT, name: STRING, inner: ARRAY<INT>>>) "                                  \
    "USING kafka OPTIONS (subscribe '${X:-x}');\n"

static void open_scene(struct scene *scene, const char *table, size_t capacity) {
    struct sql_file file;
    struct query_plan plan;
    struct error err;
    char *text = text_format(TOPIC "%s", table);
    if (!sql_parse("q.sql", text, strlen(text), &file, &err) || !plan_make(&file, 0, &plan, &err))
        fail_msg("%s", err.message);
    sql_file_deinit(&file);
    free(text);
    if (!stream_make(&plan, &scene->stream, &err))
        fail_msg("%s", err.message);
    scene->query =
        (struct worker_query){.name = "t",
                              .topic = "x",
                              .schema = &scene->stream.schema,
                              .record = scene->stream.record,
                              .plan = &scene->stream.plan,
                              .partition_columns = scene->stream.plan.partition_columns,
                              .partition_column_count = scene->stream.plan.partition_column_count,
                              .parse_mode = PARSE_REJECT,
                              .time_zone = "UTC"};
    if (!row_maker_init(&scene->maker, &scene->query, capacity, &err))
        fail_msg("%s", err.message);
    scene->maker.batch_time_ms = 1700000000000;
}

static void close_scene(struct scene *scene) {
    row_maker_deinit(&scene->maker);
    stream_deinit(&scene->stream);
}

static void print_value(FILE *out, const struct vector *vector, size_t row) {
    if (!vector->valid[row]) {
        (void)fputs("null", out);
        return;
    }
    switch (vector->type) {
    case TYPE_STRING:
    case TYPE_BINARY:
        (void)fprintf(out, "%.*s", (int)vector->texts[row].length, vector->texts[row].bytes);
        return;
    case TYPE_INT32:
        (void)fprintf(out, "%" PRId32, vector->int32s[row]);
        return;
    case TYPE_INT64:
        (void)fprintf(out, "%" PRId64, vector->int64s[row]);
        return;
    default:
        fail_msg("no text for this type");
    }
}

/* All columns but Kafka's four. */
static bool print_rows(void *context, struct rows *rows, struct error *err) {
    struct scene *scene = context;
    const struct schema *schema = &scene->stream.schema;
    (void)err;
    for (size_t row = 0; row < rows->count; row++) {
        const char *before = "";
        for (size_t i = 0; i < schema->count; i++) {
            if (i == schema->kafka_timestamp || i == schema->partition || i == schema->offset ||
                i == schema->processing_timestamp)
                continue;
            (void)fputs(before, scene->out);
            print_value(scene->out, &rows->columns[i], row);
            before = "|";
        }
        (void)fputc('\n', scene->out);
    }
    return true;
}

static void flush(struct scene *scene) {
    struct error err;
    if (scene->maker.rows.count > 0 &&
        !row_maker_flush(&scene->maker, PLENTY, &scene->outcome, print_rows, scene, &err))
        fail_msg("%s", err.message);
    row_maker_reset(&scene->maker);
}

/* Two headers, of records with an even offset. */
static bool header_of(const struct record *record, size_t index, struct record_header *header) {
    static const struct record_header headers[] = {{"first\xff", "1", 1}, {"second", NULL, 0}};
    if (record->offset % 2 != 0 || index == 2)
        return false;
    *header = headers[index];
    return true;
}

static void take(struct scene *scene, const char *value, int64_t offset) {
    struct reject reject;
    struct error err;
    struct stage_clock clock;
    struct record record = {.offset = offset,
                            .timestamp_ms = 1700000000000,
                            .value = value,
                            .value_size = strlen(value),
                            .key = "k",
                            .key_size = 1,
                            .header = header_of};
    stage_clock_start(&clock);
    enum decode_result result;
    while ((result = row_maker_make(&scene->maker, &record, &clock, &reject)) == DECODE_FULL) {
        if (scene->maker.rows.count > 0)
            flush(scene);
        else
            assert_true(row_maker_grow(&scene->maker, &record, PLENTY, &err));
    }
    if (result == DECODE_REJECT) {
        scene->outcome.rejects++;
        (void)fprintf(scene->out, "reject: %s\n", reject.detail);
    } else if (++scene->maker.rows.count == scene->maker.rows.capacity) {
        flush(scene);
    }
}

/* The rows of the records, in slices of `capacity`. Owned by the caller. */
static char *rows_of(const char *table, const char *const *records, size_t capacity) {
    struct scene scene = {0};
    char *text;
    size_t size;
    scene.out = open_memstream(&text, &size);
    open_scene(&scene, table, capacity);
    for (int64_t i = 0; records[i] != NULL; i++)
        take(&scene, records[i], i);
    flush(&scene);
    const struct range_outcome *sum = &scene.outcome;
    (void)fprintf(scene.out,
                  "records %" PRId64 ", rejects %" PRId64 ", empty %" PRId64 ", filtered %" PRId64
                  "; rows %" PRId64 ", exploded %" PRId64 ", filtered %" PRId64 "\n",
                  sum->records, sum->rejects, sum->empty, sum->filtered, sum->rows, sum->exploded,
                  sum->filtered_rows);
    (void)fclose(scene.out);
    close_scene(&scene);
    return text;
}

static const struct {
    const char *table;
    const char *records[RECORDS_MAX];
    const char *rows;
} cases[] = {
    // any bytes: nothing is decoded
    {"CREATE STREAMING TABLE t AS SELECT value, key, topic, timestampType AS type, "
     "size(headers) AS size, h.key AS name, h.value AS content "
     "FROM STREAM kafka('x') LATERAL VIEW OUTER explode(headers) hs AS h",
     {"{", "2"},
     "{|k|x|0|2|first\uFFFD|1|0\n"
     "{|k|x|0|2|second|null|1\n"
     "2|k|x|0|-1|null|null|null\n"
     "records 2, rejects 0, empty 0, filtered 0; rows 3, exploded 3, filtered 0\n"},
    {"CREATE STREAMING TABLE t AS SELECT key, value FROM STREAM kafka('x')",
     {"{", ""},
     "k|{\nk|\n"
     "records 0, rejects 0, empty 0, filtered 0; rows 0, exploded 0, filtered 0\n"},
    {"CREATE STREAMING TABLE t (id STRING NOT NULL, double INT) AS SELECT id, n * 2 AS double "
     "FROM STREAM r WHERE n > 1",
     {"{\"id\": \"a\", \"n\": 1}", "{\"id\": \"b\", \"n\": 2}", "{\"id\": \"c\"}", "{\"n\": 3}",
      "{\"id\": \"d\", \"n\": 4}"},
     "reject: the object has no key 'id'\n"
     "b|4\n"
     "d|8\n"
     "records 2, rejects 1, empty 0, filtered 2; rows 2, exploded 4, filtered 2\n"},
    // NOT NULL of a computed column, and of a field that is not the first
    {"CREATE STREAMING TABLE t (name STRING NOT NULL, n INT NOT NULL) AS SELECT upper(id) AS name, "
     "n FROM STREAM r WHERE id <> 'x'",
     {"{\"id\": \"a\", \"n\": 1}", "{\"id\": \"a\"}", "{\"n\": 1}", "{\"id\": \"x\", \"n\": 1}"},
     "reject: 'n', which must not be null, is null\n"
     "reject: 'name', which must not be null, is null\n"
     "A|1\n"
     "records 1, rejects 2, empty 0, filtered 1; rows 1, exploded 2, filtered 1\n"},
    // an element each; none, null and missing are empty
    {"CREATE STREAMING TABLE t AS SELECT id, pos, p.k, p.name, n FROM STREAM r "
     "LATERAL VIEW posexplode(ps) x AS pos, p",
     {"{\"id\": \"a\", \"n\": 1, \"ps\": [{\"k\": 1, \"name\": \"x\"}, {\"k\": 2}, null]}",
      "{\"id\": \"b\", \"ps\": []}", "{\"id\": \"c\", \"ps\": null}", "{\"id\": \"d\"}",
      "{\"id\": \"e\", \"n\": 5, \"ps\": [{\"name\": \"y\"}]}",
      "{\"id\": \"f\", \"ps\": [{\"k\": 1}, 7]}"},
     "reject: ps[1] is 7, not an object\n"
     "a|0|1|x|1\n"
     "a|1|2|null|1\n"
     "a|2|null|null|1\n"
     "e|0|null|y|5\n"
     "records 2, rejects 1, empty 3, filtered 0; rows 4, exploded 4, filtered 0\n"},
    // OUTER, and a position that is appended
    {"CREATE STREAMING TABLE t AS SELECT id, p.k + n AS s FROM STREAM r "
     "LATERAL VIEW OUTER explode(ps) x AS p WHERE id <> 'c'",
     {"{\"id\": \"a\", \"n\": 1, \"ps\": [{\"k\": 1}, {\"k\": 2}]}", "{\"id\": \"b\", \"n\": 2}",
      "{\"id\": \"c\", \"ps\": [{}, {}]}"},
     "a|2|0\n"
     "a|3|1\n"
     "b|null|null\n"
     "records 2, rejects 0, empty 0, filtered 1; rows 3, exploded 5, filtered 2\n"},
    // a view of a view; WHERE sees both
    {"CREATE STREAMING TABLE t AS SELECT id, pos, p.k, i FROM STREAM r LATERAL VIEW posexplode(ps) "
     "x "
     "AS pos, p LATERAL VIEW explode(p.inner) y AS i WHERE i > 1 OR pos = 1",
     {"{\"id\": \"a\", \"ps\": [{\"k\": 1, \"inner\": [1, 2, 3]}, {\"k\": 2, \"inner\": [0]}, "
      "{\"inner\": []}]}",
      "{\"id\": \"b\", \"ps\": [{\"k\": 3}]}", "{\"id\": \"c\", \"ps\": [{\"inner\": [1]}]}"},
     "a|0|1|2|1\n"
     "a|0|1|3|2\n"
     "a|1|2|0|0\n"
     "records 1, rejects 0, empty 1, filtered 1; rows 3, exploded 5, filtered 2\n"},
    // a map; what is computed is exploded, too
    {"CREATE STREAMING TABLE t AS SELECT id, key, value, upper(tag) AS t FROM STREAM r LATERAL "
     "VIEW "
     "explode(m) x AS key, value LATERAL VIEW explode(filter(tags, t -> t <> 'no')) y AS tag",
     {"{\"id\": \"a\", \"m\": {\"k\": 1, \"l\": null, \"k\": 2}, \"tags\": [\"x\", \"no\", \"y\"]}",
      "{\"id\": \"b\", \"m\": {\"k\": 1}, \"tags\": [\"no\"]}"},
     "a|k|1|X|0|0\n"
     "a|k|1|Y|0|1\n"
     "a|l|null|X|1|0\n"
     "a|l|null|Y|1|1\n"
     "a|k|2|X|2|0\n"
     "a|k|2|Y|2|1\n"
     "records 1, rejects 0, empty 1, filtered 0; rows 6, exploded 6, filtered 0\n"},
};

static void records_become_these_rows(void **state) {
    (void)state;
    static const size_t capacities[] = {1, 2, 1024};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t k = 0; k < sizeof capacities / sizeof capacities[0]; k++) {
            char *rows = rows_of(cases[i].table, cases[i].records, capacities[k]);
            // Rejects come before the rows of their slice: only their number depends on nothing.
            if (capacities[k] == 1024)
                assert_string_equal(rows, cases[i].rows);
            else
                assert_string_equal(strstr(rows, "records "), strstr(cases[i].rows, "records "));
            free(rows);
        }
}

static void an_abandoned_batch_ends_within_a_record(void **state) {
    (void)state;
    struct scene scene = {.out = stderr};
    const atomic_bool abandon = true;
    struct reject reject;
    struct error err = {0};
    struct stage_clock clock;
    static const char value[] = "{\"tags\": [\"a\", \"b\"]}";
    struct record record = {.value = value, .value_size = sizeof value - 1};
    open_scene(&scene,
               "CREATE STREAMING TABLE t AS SELECT tag FROM STREAM r "
               "LATERAL VIEW explode(tags) x AS tag",
               1);
    scene.maker.abandon = &abandon;
    stage_clock_start(&clock);
    assert_int_equal(row_maker_make(&scene.maker, &record, &clock, &reject), DECODE_ROW);
    scene.maker.rows.count++;
    assert_false(row_maker_flush(&scene.maker, PLENTY, &scene.outcome, print_rows, &scene, &err));
    assert_int_equal(err.kind, ERROR_STOPPED);
    row_maker_reset(&scene.maker);
    close_scene(&scene);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_become_these_rows),
        cmocka_unit_test(an_abandoned_batch_ends_within_a_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
