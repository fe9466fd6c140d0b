#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <string.h>

#include "content.h"
#include "core/calendar.h"
#include "streaming/declare/stream.h"
#include "streaming/tasks/row_maker.h"

enum { RECORDS = 20000, PLENTY = 1 << 22, MALFORMED = 300 };

/* The program's own decoder, for one record after the other. */
struct scene {
    struct schema schema;
    size_t partition_column;
    struct worker_query query;
    struct row_maker maker;
    struct stage_clock clock;
    struct content content;
    int kinds[CONTENT_KINDS], nulls;
};

static int set_up(void **state) {
    static struct scene scene;
    struct error err;
    scene = (struct scene){0};
    stream_schema(stream_of("matches"), &scene.schema);
    scene.partition_column = (size_t)schema_find(&scene.schema, TEXT("status"));
    scene.query = (struct worker_query){.name = "match_stream",
                                        .topic = "t",
                                        .schema = &scene.schema,
                                        .record = stream_of("matches")->record,
                                        .plan = &stream_of("matches")->plan,
                                        .partition_columns = &scene.partition_column,
                                        .partition_column_count = 1,
                                        .parse_mode = PARSE_REJECT,
                                        .time_zone = "UTC"};
    assert_true(row_maker_init(&scene.maker, &scene.query, 4, &err));
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

static bool keep(void *context, struct rows *rows, struct error *err) {
    (void)context, (void)rows, (void)err;
    return true;
}

static enum decode_result make(struct scene *scene, struct reject *reject) {
    const struct content *content = &scene->content;
    struct record record = {
        .timestamp_ms = content_timestamp_ms(content, 1700000000000),
        .value = content->has_value ? content->value.bytes : NULL,
        .value_size = content->has_value ? content->value.length : 0,
    };
    struct error err;
    enum decode_result result = row_maker_make(&scene->maker, &record, &scene->clock, reject);
    while (result == DECODE_FULL) {
        assert_true(row_maker_grow(&scene->maker, &record, PLENTY, &err));
        result = row_maker_make(&scene->maker, &record, &scene->clock, reject);
    }
    if (result == DECODE_ROW) {
        struct range_outcome outcome = {0};
        scene->maker.rows.count++;
        assert_true(row_maker_flush(&scene->maker, PLENTY, &outcome, keep, NULL, &err));
    }
    return result;
}

static const struct vector *column(const struct scene *scene, const char *name) {
    int index = schema_find(&scene->schema, text_borrow(name));
    assert_true(index >= 0);
    return &scene->maker.rows.columns[index];
}

static void fail_at(const struct scene *scene, const char *what) {
    fail_msg("%s of: %.*s", what, (int)scene->content.value.length, scene->content.value.bytes);
}

static void must_have_text(const struct scene *scene, const char *name, struct text expected) {
    const struct vector *vector = column(scene, name);
    if (vector->valid[0] != (expected.bytes != NULL) ||
        (expected.bytes != NULL && !text_equals(vector->texts[0], expected)))
        fail_at(scene, name);
}

static void must_be_row(const struct scene *scene) {
    const struct content *content = &scene->content;
    must_have_text(scene, "match_id", content->match_id);
    must_have_text(scene, "status", content->status);
    must_have_text(scene, "tournament_name", content->tournament_name);
    must_have_text(scene, "winner_id", content->winner_id);
    const struct vector *duration = column(scene, "match_duration");
    if (duration->valid[0] != content->has_duration ||
        (content->has_duration && duration->int32s[0] != content->duration))
        fail_at(scene, "match_duration");
    const struct vector *ingestion = column(scene, "ingestion_timestamp");
    if (!ingestion->valid[0] || ingestion->int64s[0] != content->ingestion)
        fail_at(scene, "ingestion_timestamp");
}

static void check_record(struct scene *scene, struct content_place place) {
    struct content *content = &scene->content;
    content_make(content, 7, MALFORMED, place);
    scene->kinds[content->kind]++;
    scene->nulls += content->status.bytes == NULL;
    struct reject reject = {0};
    enum decode_result result = make(scene, &reject);
    if (content->kind == CONTENT_ROW) {
        if (result != DECODE_ROW)
            fail_at(scene, reject_reason_name(reject.reason));
        must_be_row(scene);
    } else {
        if (result != DECODE_REJECT)
            fail_at(scene, "no reject");
        if (strcmp(reject_reason_name(reject.reason), content_reason(content->kind)) != 0)
            fail_at(scene, reject_reason_name(reject.reason));
    }
    row_maker_reset(&scene->maker);
}

static void each_record_becomes_what_is_expected(void **state) {
    struct scene *scene = *state;
    for (int64_t i = 0; i < RECORDS; i++)
        check_record(scene, (struct content_place){(int)(i % 3), (int32_t)(i % 5), i / 15});
    for (int kind = 0; kind < CONTENT_KINDS; kind++)
        assert_true(scene->kinds[kind] > 100);
    assert_true(scene->nulls > 100);
}

static void a_place_always_gives_the_same_bytes_and_another_place_others(void **state) {
    static struct content one, two;
    (void)state;
    struct content_place place = {1, 2, 3};
    for (; place.offset < 1000; place.offset++) {
        content_make(&one, 7, 0, place);
        memset(&two, 0xee, sizeof two);
        content_make(&two, 7, 0, place);
        assert_true(text_equals(one.value, two.value) && one.has_key == two.has_key);
        content_make(&two, 7, 0,
                     (struct content_place){place.incarnation + 1, place.partition, place.offset});
        assert_false(text_equals(one.value, two.value));
    }
}

static void a_reject_differs_from_all_others_in_its_key_or_value(void **state) {
    static struct content one, two;
    (void)state;
    for (int64_t offset = 0; offset < 5000; offset++) {
        content_make(&one, 7, 1000, (struct content_place){0, 1, offset});
        content_make(&two, 7, 1000, (struct content_place){1, 1, offset});
        bool same_value =
            one.has_value == two.has_value && (!one.has_value || text_equals(one.value, two.value));
        bool same_key =
            one.has_key == two.has_key && (!one.has_key || text_equals(one.key, two.key));
        assert_false(same_value && same_key);
    }
}

static void a_row_tells_its_place(void **state) {
    static struct content content;
    (void)state;
    struct content_place place = {12, 5, 987654321}, told;
    content_make(&content, 1, 0, place);
    assert_true(content_place_of(content.ingestion, &told));
    assert_int_equal(told.incarnation, 12);
    assert_int_equal(told.partition, 5);
    assert_int_equal(told.offset, 987654321);
    assert_false(content_place_of(17, &told));
}

static void the_kind_and_time_are_those_of_the_whole_content(void **state) {
    static struct content whole, kind;
    (void)state;
    int times[4] = {0};
    for (int64_t offset = 0; offset < 5000; offset++) {
        struct content_place place = {0, 0, offset};
        content_make(&whole, 3, MALFORMED, place);
        content_make_kind(&kind, 3, MALFORMED, place);
        assert_int_equal(whole.kind, kind.kind);
        assert_int_equal(content_timestamp_ms(&whole, 5), content_timestamp_ms(&kind, 5));
        assert_int_equal(whole.kind == CONTENT_KAFKA_TIME,
                         !kafka_timestamp_fits(content_timestamp_ms(&whole, 5)));
        times[whole.time]++;
    }
    for (int i = 0; i < 4; i++)
        assert_true(times[i] > 0);
}

int main(void) {
    streams_load();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_record_becomes_what_is_expected, set_up, tear_down),
        cmocka_unit_test(a_place_always_gives_the_same_bytes_and_another_place_others),
        cmocka_unit_test(a_reject_differs_from_all_others_in_its_key_or_value),
        cmocka_unit_test(a_row_tells_its_place),
        cmocka_unit_test(the_kind_and_time_are_those_of_the_whole_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
