/* A query whose Kafka fails by script: which errors are retried, and which end the query. */
#include "store_fixture.h"

#include "base/log/log.h"
#include "base/system/clock.h"
#include "streaming/declare/stream.h"
#include "streaming/start/streaming.h"

enum { RECORDS = 3, SCRIPT_MAX = 4 };

static struct fixture fixture;

/* The errors of the next attempts; ERROR_NONE: the records arrive. */
static struct {
    struct source source;
    enum error_kind script[SCRIPT_MAX];
    size_t attempts;
    int64_t last_ms, longest_ms; // the longest pause before an attempt
    struct offset_range range;
} kafka;

static bool kafka_open_range(struct source *source, const char *topic, struct offset_range range,
                             struct error *err) {
    (void)source, (void)topic, (void)err;
    int64_t now_ms = clock_monotonic_ms();
    if (kafka.attempts > 0 && now_ms - kafka.last_ms > kafka.longest_ms)
        kafka.longest_ms = now_ms - kafka.last_ms;
    kafka.last_ms = now_ms;
    kafka.range = range;
    return true;
}

static enum source_status kafka_read(struct source *source, struct record *record, int timeout_ms,
                                     struct error *err) {
    (void)source, (void)timeout_ms;
    enum error_kind kind = kafka.script[kafka.attempts];
    if (kind != ERROR_NONE && kafka.range.start == 1) {
        kafka.attempts++;
        error_set(err, kind, "the place");
        return SOURCE_FAILED;
    }
    if (kafka.range.start == kafka.range.end)
        return SOURCE_END;
    *record = (struct record){.offset = kafka.range.start++,
                              .timestamp_ms = 1000,
                              .value = "{\"match_id\":\"m\"}",
                              .value_size = 16};
    return SOURCE_RECORD;
}

static void kafka_expect(struct source *source, const char *topic,
                         const struct offset_range *ranges, size_t count) {
    (void)source, (void)topic, (void)ranges, (void)count;
}

static void kafka_nothing(struct source *source) {
    (void)source;
}

static bool kafka_open_source(struct broker *broker, struct source_memory memory,
                              struct source **source, struct error *err) {
    static const struct source_ops ops = {.expect_ranges = kafka_expect,
                                          .open_range = kafka_open_range,
                                          .read = kafka_read,
                                          .abandon_range = kafka_nothing,
                                          .rest = kafka_nothing,
                                          .close = kafka_nothing};
    (void)broker, (void)memory, (void)err;
    kafka.source.ops = &ops;
    *source = &kafka.source;
    return true;
}

static bool kafka_list(struct broker *broker, const char *topic, int timeout_ms,
                       struct topic_offsets *offsets, struct error *err) {
    (void)broker, (void)topic, (void)timeout_ms, (void)err;
    offsets->count = 1;
    offsets->partitions = must_alloc(1, sizeof *offsets->partitions);
    offsets->partitions[0] = (struct partition_offsets){0, 0, RECORDS};
    return true;
}

static void kafka_close(struct broker *broker) {
    (void)broker;
}

static void nothing_to_do(void) {
}

/* Takes the three records; the attempts fail with these errors first. */
static bool run_query(const enum error_kind script[static SCRIPT_MAX], bool fail_on_data_loss,
                      struct error *err) {
    static const struct broker_ops ops = {
        .list_offsets = kafka_list, .open_source = kafka_open_source, .close = kafka_close};
    struct broker broker = {&ops};
    const struct query_options query = {.stream = stream_of("matches"),
                                        .store = fixture.options,
                                        .trigger = {.available_now = true},
                                        .starting_offsets = "earliest",
                                        .fail_on_data_loss = fail_on_data_loss,
                                        .parse_mode = PARSE_REJECT,
                                        .time_zone = "UTC",
                                        .parquet = {.codec = CODEC_SNAPPY},
                                        .write_retry_timeout_ms = 1000,
                                        .lag_interval_ms = 10000};
    const struct streaming_options options = {.queries = {&query},
                                              .query_count = 1,
                                              .worker_count = 1,
                                              .memory_max = 128 << 20,
                                              .on_query_end = nothing_to_do};
    struct streaming *streaming;
    memset(&kafka, 0, sizeof kafka);
    memcpy(kafka.script, script, sizeof kafka.script);
    return streaming_start(&streaming, &options, &broker, err) && streaming_join(streaming, err);
}

static int set_up(void **state) {
    (void)state;
    log_configure(LOG_CRITICAL, false);
    fixture_init(&fixture);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    fixture_clear(&fixture);
    return 0;
}

static void data_that_was_damaged_in_transit_is_read_again(void **state) {
    (void)state;
    struct error err = {0};
    if (!run_query((enum error_kind[SCRIPT_MAX]){ERROR_DAMAGED}, true, &err))
        fail_msg("%s", err.message);
    assert_int_equal(kafka.attempts, 1);
}

static void data_that_stays_damaged_ends_the_query(void **state) {
    (void)state;
    struct error err = {0};
    assert_false(run_query(
        (enum error_kind[SCRIPT_MAX]){ERROR_DAMAGED, ERROR_DAMAGED, ERROR_DAMAGED, ERROR_DAMAGED},
        false, &err));
    assert_int_equal(err.kind, ERROR_DAMAGED);
    assert_int_equal(kafka.attempts, 3);
    assert_string_equal(err.message, "gave up after 3 attempts: the place");
}

static void an_error_that_only_a_setting_can_fix_ends_the_query_at_once(void **state) {
    (void)state;
    struct error err = {0};
    assert_false(run_query((enum error_kind[SCRIPT_MAX]){ERROR_CONFIG}, false, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_int_equal(kafka.attempts, 1);
}

static void a_loss_that_no_listing_shows_is_retried_only_after_a_pause(void **state) {
    (void)state;
    struct error err = {0};
    if (!run_query((enum error_kind[SCRIPT_MAX]){ERROR_DATA_LOSS, ERROR_DATA_LOSS}, false, &err))
        fail_msg("%s", err.message);
    assert_int_equal(kafka.attempts, 2);
    assert_true(kafka.longest_ms >= 1000);
}

int main(void) {
    streams_load();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(data_that_was_damaged_in_transit_is_read_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(data_that_stays_damaged_ends_the_query, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_error_that_only_a_setting_can_fix_ends_the_query_at_once,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_loss_that_no_listing_shows_is_retried_only_after_a_pause,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
