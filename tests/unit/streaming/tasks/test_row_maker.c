#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "streaming/declare/stream.h"
#include "streaming/tasks/row_maker.h"

enum { ROWS = 4, PLENTY = 1 << 20 };

/* A row maker of the players' query, partitioned by the derived column `status`. */
struct scene {
    struct schema schema;
    size_t partition_column;
    struct worker_query query;
    struct row_maker maker;
    struct stage_clock clock;
    int64_t offset;
};

static int set_up(void **state) {
    static struct scene scene;
    struct error err;
    scene = (struct scene){0};
    stream_schema(stream_of("players"), &scene.schema);
    scene.partition_column = (size_t)schema_find(&scene.schema, TEXT("status"));
    scene.query = (struct worker_query){.name = "player_stream",
                                        .topic = "t",
                                        .schema = &scene.schema,
                                        .record = stream_of("players")->record,
                                        .plan = &stream_of("players")->plan,
                                        .partition_columns = &scene.partition_column,
                                        .partition_column_count = 1,
                                        .parse_mode = PARSE_REJECT,
                                        .time_zone = "UTC"};
    assert_true(row_maker_init(&scene.maker, &scene.query, ROWS, &err));
    scene.maker.batch_time_ms = 1700000000000;
    stage_clock_start(&scene.clock);
    *state = &scene;
    return 0;
}

static int tear_down(void **state) {
    struct scene *scene = *state;
    row_maker_deinit(&scene->maker);
    return 0;
}

/* The row is counted. `planned_ms`: of a replayed reject; 0: of none. */
static enum decode_result make(struct scene *scene, const char *value, int64_t planned_ms) {
    struct reject reject;
    struct record record = {.offset = scene->offset,
                            .timestamp_ms = 1700000000000,
                            .value = value,
                            .value_size = strlen(value),
                            .planned_ms = planned_ms};
    enum decode_result result = row_maker_make(&scene->maker, &record, &scene->clock, &reject);
    if (result == DECODE_ROW) {
        scene->maker.rows.count++;
        scene->offset++;
    }
    return result;
}

static const struct vector *column(const struct scene *scene, const char *name) {
    int index = schema_find(&scene->schema, text_borrow(name));
    assert_true(index >= 0);
    return &scene->maker.rows.columns[index];
}

/* The rows stay where they are: the players' query has one for each record. */
static bool keep(void *context, struct rows *rows, struct error *err) {
    (void)err;
    *(const struct rows **)context = rows;
    return true;
}

static bool flush(struct scene *scene, size_t memory_max, struct error *err) {
    struct range_outcome outcome = {0};
    const struct rows *rows = NULL;
    bool flushed = row_maker_flush(&scene->maker, memory_max, &outcome, keep, &rows, err);
    assert_true(!flushed || rows == &scene->maker.rows);
    return flushed;
}

static void
partition_columns_are_there_at_once_and_the_others_when_the_rows_are_complete(void **state) {
    struct scene *scene = *state;
    struct error err;
    memset(column(scene, "has_activity")->valid, 7, ROWS);
    assert_int_equal(make(scene, "{\"player_id\": \"a\", \"active\": true, \"total_games\": 3}", 0),
                     DECODE_ROW);
    assert_int_equal(make(scene, "{\"player_id\": \"b\", \"total_games\": 0}", 0), DECODE_ROW);
    assert_true(text_equals(column(scene, "status")->texts[0], TEXT("active")));
    assert_true(text_equals(column(scene, "status")->texts[1], TEXT("unknown")));
    assert_int_equal(column(scene, "has_activity")->valid[0], 7);

    assert_true(flush(scene, PLENTY, &err));
    assert_int_equal(column(scene, "has_activity")->valid[0], 1);
    assert_int_equal(column(scene, "has_activity")->booleans[0], 1);
    assert_int_equal(column(scene, "has_activity")->booleans[1], 0);
    assert_int_equal(column(scene, "has_activity")->valid[2], 7);
}

/* Two names that fill what a slice has for texts. */
static const char *large_record(const struct scene *scene) {
    static char text[2 * ROWS * 1024];
    size_t half = scene->maker.rows.strings.capacity / 2 - 10;
    char *end = stpcpy(text, "{\"player_id\": \"a\", \"first_name\": \"");
    end = (char *)memset(end, 'x', half) + half;
    end = stpcpy(end, "\", \"last_name\": \"");
    end = (char *)memset(end, 'y', half) + half;
    (void)stpcpy(end, "\"}");
    return text;
}

static void texts_for_which_a_slice_has_no_room_get_their_own(void **state) {
    struct scene *scene = *state;
    struct error err;
    size_t capacity = scene->maker.rows.strings.capacity;
    assert_int_equal(make(scene, large_record(scene), 0), DECODE_ROW);
    assert_true(flush(scene, PLENTY, &err));
    struct text name = column(scene, "full_name")->texts[0];
    assert_int_equal(name.length, 2 * (capacity / 2 - 10) + 1);
    assert_int_equal(name.bytes[0], 'x');
    assert_int_equal(name.bytes[name.length - 1], 'y');

    row_maker_reset(&scene->maker);
    assert_null(scene->maker.strings.base);
    assert_int_equal(make(scene, "{\"player_id\": \"b\", \"first_name\": \"c\"}", 0), DECODE_ROW);
    assert_true(flush(scene, PLENTY, &err));
    assert_true(text_equals(column(scene, "full_name")->texts[0], TEXT("c")));
}

static void they_do_not_get_more_than_a_worker_has(void **state) {
    struct scene *scene = *state;
    struct error err;
    assert_int_equal(make(scene, large_record(scene), 0), DECODE_ROW);
    size_t capacity = scene->maker.rows.strings.capacity;
    assert_false(flush(scene, 2 * capacity - 1, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_non_null(strstr(err.message, "raise SPARK_DRIVER_MEMORY"));
}

static void all_rows_of_a_slice_have_the_same_batch_time(void **state) {
    struct scene *scene = *state;
    assert_int_equal(make(scene, "{\"player_id\": \"a\"}", 1600000000000), DECODE_ROW);
    assert_int_equal(make(scene, "{\"player_id\": \"b\"}", 1600000000000), DECODE_ROW);
    assert_int_equal(scene->maker.later.context.now_ms, 1600000000000);
    assert_int_equal(make(scene, "{\"player_id\": \"c\"}", 1600000000001), DECODE_FULL);
    assert_int_equal(make(scene, "{\"player_id\": \"c\"}", 0), DECODE_FULL);
    assert_int_equal(scene->maker.later.context.now_ms, 1600000000000);
    row_maker_reset(&scene->maker);
    assert_int_equal(make(scene, "{\"player_id\": \"c\"}", 1600000000001), DECODE_ROW);
    assert_int_equal(scene->maker.later.context.now_ms, 1600000000001);
}

static enum decode_result make_at(struct scene *scene, int64_t timestamp_ms,
                                  struct reject *reject) {
    static const char value[] = "{\"player_id\": \"a\"}";
    const struct record record = {
        .timestamp_ms = timestamp_ms, .value = value, .value_size = sizeof value - 1};
    return row_maker_make(&scene->maker, &record, &scene->clock, reject);
}

/* The limits are a day inside the years 1 to 9999, so that they are the same in every time zone. */
static void a_date_of_five_digits_is_a_reject_if_the_table_is_partitioned_by_it(void **state) {
    struct scene *scene = *state;
    struct reject reject;
    struct error err;
    static const char *const names[] = {PLAN_DATE};
    const int64_t micros_by_mistake = 1700000000000000;
    assert_int_equal(make_at(scene, micros_by_mistake, &reject), DECODE_ROW);
    row_maker_deinit(&scene->maker);
    streams_partition_by(stream_of("players"), names, 1);
    stream_schema(stream_of("players"), &scene->schema);
    scene->partition_column = stream_of("players")->plan.date;
    assert_true(row_maker_init(&scene->maker, &scene->query, ROWS, &err));
    static const struct {
        int64_t ms;
        enum decode_result result;
    } cases[] = {
        {-1, DECODE_ROW},
        {253402214399999, DECODE_ROW},
        {253402214400000, DECODE_REJECT},
        {-62135683200000, DECODE_ROW}, // two days later in Spark, as all of the Julian ones
        {-62135683200001, DECODE_REJECT},
        {1700000000000000, DECODE_REJECT}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(make_at(scene, cases[i].ms, &reject), cases[i].result);
        if (cases[i].result == DECODE_REJECT)
            assert_int_equal(reject.reason, REJECT_PARTITION_VALUE);
    }
    assert_non_null(strstr(reject.detail, "'ingest_date': its year must be in 1 to 9999"));
    streams_partition_by(stream_of("players"), NULL, 0);
}

int main(void) {
    streams_load();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            partition_columns_are_there_at_once_and_the_others_when_the_rows_are_complete, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(texts_for_which_a_slice_has_no_room_get_their_own, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(they_do_not_get_more_than_a_worker_has, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_date_of_five_digits_is_a_reject_if_the_table_is_partitioned_by_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_rows_of_a_slice_have_the_same_batch_time, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
