#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../mock_kafka.h"
#include "base/system/clock.h"
#include "pipeline/source/source_kafka.h"

enum { PATIENCE_MS = 20000, MEMORY = 32 << 20, FETCH = 1 };

static struct mock_kafka mock;
static struct kafka_settings settings;
static struct source *source;

static struct source_memory memory_of(size_t fetched) {
    return (struct source_memory){.fetched = fetched, .batch = MEMORY, .unpacked = MEMORY};
}

static int set_up(void **state) {
    (void)state;
    mock_kafka_open(&mock);
    settings = (struct kafka_settings){.bootstrap_servers = mock.servers};
    source = source_kafka_open(&settings, memory_of(MEMORY));
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    source->ops->close(source);
    mock_kafka_close(&mock);
    return 0;
}

static void open_range(const char *topic, int32_t partition, int64_t start, int64_t end) {
    struct error err;
    struct offset_range range = {.partition = partition, .start = start, .end = end};
    if (!source->ops->open_range(source, topic, range, &err))
        fail_msg("%s", err.message);
}

/* The next thing but "nothing yet". */
static enum source_status read_next(struct record *record, struct error *err) {
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;
    enum source_status status;
    do
        status = source->ops->read(source, record, 200, err);
    while (status == SOURCE_WAIT && clock_monotonic_ms() < until);
    return status;
}

/* Record i of a partition has the value "i" (mock_kafka_put). */
static void expect_records(int64_t first, int64_t end) {
    for (int64_t offset = first; offset < end; offset++) {
        struct record record;
        struct error err = {0};
        if (read_next(&record, &err) != SOURCE_RECORD)
            fail_msg("no record at offset %lld: %s", (long long)offset, err.message);
        assert_int_equal(record.offset, offset);
        assert_int_equal(strtoll(record.value, NULL, 10), offset);
        assert_int_equal(record.timestamp_ms, 1000 + offset);
        assert_int_equal(record.key_size, 1);
    }
}

static void expect_end(void) {
    struct record record;
    struct error err;
    assert_int_equal(read_next(&record, &err), SOURCE_END);
}

static void read_range(const char *topic, int32_t partition, int64_t start, int64_t end) {
    open_range(topic, partition, start, end);
    expect_records(start, end);
    expect_end();
}

static void ranges_follow_one_another(void **state) {
    (void)state;
    mock_kafka_topic(&mock, "t", 2);
    mock_kafka_put(&mock, "t", 0, 0, 5000, 20);
    mock_kafka_put(&mock, "t", 1, 0, 10, 20);
    read_range("t", 0, 0, 1);
    read_range("t", 0, 1, 3000);
    read_range("t", 1, 0, 10);
    read_range("t", 0, 3000, 5000);
    mock_kafka_put(&mock, "t", 0, 5000, 10, 20);
    read_range("t", 0, 5000, 5010);
}

static void a_range_may_begin_anywhere(void **state) {
    (void)state;
    mock_kafka_topic(&mock, "t", 1);
    mock_kafka_put(&mock, "t", 0, 0, 2000, 20);
    read_range("t", 0, 1500, 1600);
    read_range("t", 0, 100, 200);
    read_range("t", 0, 1999, 2000);
    read_range("t", 0, 0, 2000);
}

static void ranges_may_be_expected_beyond_the_room_for_them_and_without_need(void **state) {
    (void)state;
    enum { PARTITIONS = 20 };
    struct offset_range ranges[PARTITIONS];
    mock_kafka_topic(&mock, "t", PARTITIONS);
    for (int32_t i = 0; i < PARTITIONS; i++) {
        mock_kafka_put(&mock, "t", i, 0, 30, 20);
        ranges[i] = (struct offset_range){i, 10, 10 + i};
    }
    for (int round = 0; round < 2; round++) {
        source->ops->expect_ranges(source, "t", ranges, PARTITIONS);
        for (int32_t i = 0; i < PARTITIONS; i++)
            read_range("t", i, 10, 10 + i);
    }
    source->ops->expect_ranges(source, "t", ranges, PARTITIONS);
    read_range("t", 3, 0, 30);
    read_range("t", 0, 10, 30);
}

static void an_empty_range_ends_at_once(void **state) {
    (void)state;
    open_range("nowhere", 0, 7, 7);
    expect_end();
}

static void an_abandoned_range_is_opened_again_from_any_offset(void **state) {
    (void)state;
    mock_kafka_topic(&mock, "t", 1);
    mock_kafka_put(&mock, "t", 0, 0, 3000, 20);
    const int64_t starts[] = {0, 700, 0, 1500, 10};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        open_range("t", 0, starts[i], 3000);
        expect_records(starts[i], starts[i] + 700);
        source->ops->abandon_range(source);
    }
    read_range("t", 0, 710, 3000);
}

static void a_range_read_to_its_end_can_be_read_again(void **state) {
    (void)state;
    mock_kafka_topic(&mock, "t", 1);
    mock_kafka_put(&mock, "t", 0, 0, 100, 20);
    for (int i = 0; i < 3; i++)
        read_range("t", 0, 20, 100);
}

static void a_range_beyond_the_end_waits_for_what_comes(void **state) {
    (void)state;
    mock_kafka_topic(&mock, "t", 1);
    mock_kafka_put(&mock, "t", 0, 0, 10, 20);
    struct record record;
    struct error err;
    open_range("t", 0, 0, 15);
    expect_records(0, 10);
    assert_int_equal(source->ops->read(source, &record, 100, &err), SOURCE_WAIT);
    assert_int_equal(err.kind, ERROR_NONE);
    assert_int_equal(source->ops->read(source, &record, 4000, &err), SOURCE_WAIT);
    assert_int_equal(err.kind, ERROR_BROKER); // so long that it asked why
    assert_non_null(strstr(err.message, "to reach offset 15; it ends at 10"));
    mock_kafka_put(&mock, "t", 0, 10, 20, 20);
    expect_records(10, 15);
    expect_end();
    read_range("t", 0, 15, 30);
}

static void rest_forgets_nothing(void **state) {
    (void)state;
    mock_kafka_topic(&mock, "t", 3);
    for (int partition = 0; partition < 3; partition++)
        mock_kafka_put(&mock, "t", partition, 0, 100 * partition + 1, 20);
    source->ops->rest(source);
    for (int partition = 0; partition < 3; partition++)
        read_range("t", partition, 0, 1);
    source->ops->rest(source);
    source->ops->rest(source);
    for (int partition = 0; partition < 3; partition++)
        mock_kafka_put(&mock, "t", partition, 100 * partition + 1, 50, 20);
    for (int partition = 0; partition < 3; partition++)
        read_range("t", partition, 1, 100 * partition + 51);
}

/* Many partitions, in a memory for eight and in one for more. */
static void read_many(size_t memory) {
    enum { PARTITIONS = 40 };
    source->ops->close(source);
    source = source_kafka_open(&settings, memory_of(memory));
    mock_kafka_topic(&mock, "many", PARTITIONS);
    for (int partition = 0; partition < PARTITIONS; partition++)
        mock_kafka_put(&mock, "many", partition, 0, 60, 200);
    for (int64_t start = 0; start < 60; start += 20) {
        for (int partition = 0; partition < PARTITIONS; partition++)
            read_range("many", partition, start, start + 20);
    }
}

static void more_partitions_than_the_memory_is_cut_for_make_smaller_queues(void **state) {
    (void)state;
    read_many(64 << 20);
}

static void more_partitions_than_fit_take_turns(void **state) {
    (void)state;
    read_many(1 << 20);
}

static int pauses, seeks, seeks_too_early; // calls
static int resumed;                        // partitions that are not sought yet

/* In front of librdkafka's. */
rd_kafka_resp_err_t rd_kafka_pause_partitions(rd_kafka_t *rk,
                                              rd_kafka_topic_partition_list_t *partitions) {
    typedef rd_kafka_resp_err_t pause_fn(rd_kafka_t *, rd_kafka_topic_partition_list_t *);
    pause_fn *pause;
    void *symbol = dlsym(RTLD_NEXT, "rd_kafka_pause_partitions");
    memcpy(&pause, &symbol, sizeof pause);
    pauses++;
    return pause(rk, partitions);
}

rd_kafka_resp_err_t rd_kafka_resume_partitions(rd_kafka_t *rk,
                                               rd_kafka_topic_partition_list_t *partitions) {
    typedef rd_kafka_resp_err_t resume_fn(rd_kafka_t *, rd_kafka_topic_partition_list_t *);
    resume_fn *resume;
    void *symbol = dlsym(RTLD_NEXT, "rd_kafka_resume_partitions");
    memcpy(&resume, &symbol, sizeof resume);
    resumed += partitions->cnt;
    return resume(rk, partitions);
}

rd_kafka_resp_err_t rd_kafka_seek(rd_kafka_topic_t *rkt, int32_t partition, int64_t offset,
                                  int timeout_ms) {
    typedef rd_kafka_resp_err_t seek_fn(rd_kafka_topic_t *, int32_t, int64_t, int);
    seek_fn *seek;
    void *symbol = dlsym(RTLD_NEXT, "rd_kafka_seek");
    memcpy(&seek, &symbol, sizeof seek);
    seeks++;
    seeks_too_early += resumed-- <= 0;
    return seek(rkt, partition, offset, timeout_ms);
}

/* Batches of 20 records of each of so many partitions, in a memory for eight, as a worker reads
 * them. More records follow. */
static void read_in_turns(int partitions, int batches) {
    struct offset_range ranges[40];
    assert_in_range(partitions, 1, sizeof ranges / sizeof ranges[0]);
    source->ops->close(source);
    source = source_kafka_open(&settings, memory_of(1 << 20));
    mock_kafka_topic(&mock, "turns", partitions);
    for (int i = 0; i < partitions; i++)
        mock_kafka_put(&mock, "turns", i, 0, 20 * (batches + 1), 200);
    pauses = seeks = seeks_too_early = resumed = 0;
    for (int64_t start = 0, end = 20 * (int64_t)batches; start < end; start += 20) {
        for (int i = 0; i < partitions; i++)
            ranges[i] = (struct offset_range){i, start, start + 20};
        source->ops->expect_ranges(source, "turns", ranges, (size_t)partitions);
        for (int i = 0; i < partitions; i++)
            read_range("turns", i, start, start + 20);
    }
}

/* Each time, the broker may hold back its answer. */
static void partitions_change_places_as_many_at_once_as_fit(void **state) {
    (void)state;
    read_in_turns(40, 3);
    assert_int_equal(pauses, 3 * (40 / 8) - 1);
}

/* Those that stay are not fetched again. */
static void one_partition_more_than_fit_takes_the_place_of_one(void **state) {
    (void)state;
    read_in_turns(9, 4);
    assert_int_equal(seeks, 3 * 2);
}

/* It is the seek that wakes the broker's thread. */
static void partitions_are_resumed_before_they_are_sought(void **state) {
    (void)state;
    read_in_turns(20, 2);
    assert_int_equal(seeks, 20);
    assert_int_equal(seeks_too_early, 0);
    assert_int_equal(resumed, 0);
}

static void a_partition_that_is_expected_twice_starts_at_its_first_range(void **state) {
    (void)state;
    mock_kafka_topic(&mock, "t", 2);
    mock_kafka_put(&mock, "t", 0, 0, 100, 20);
    mock_kafka_put(&mock, "t", 1, 0, 100, 20);
    const struct offset_range ranges[] = {{0, 10, 20}, {1, 0, 10}, {0, 20, 30}};
    seeks = 0;
    source->ops->expect_ranges(source, "t", ranges, 3);
    for (size_t i = 0; i < 3; i++)
        read_range("t", ranges[i].partition, ranges[i].start, ranges[i].end);
    assert_int_equal(seeks, 0);
}

static void queues_smaller_than_a_range_are_filled_again(void **state) {
    (void)state;
    mock_kafka_topic(&mock, "t", 1);
    mock_kafka_put(&mock, "t", 0, 0, 4000, 1000);
    source->ops->close(source);
    source = source_kafka_open(&settings, memory_of(1 << 20));
    int64_t began_ms = clock_monotonic_ms();
    read_range("t", 0, 0, 4000);                                // 4 MB through a queue of 128 KiB
    assert_in_range(clock_monotonic_ms() - began_ms, 0, 15000); // left to itself: over 20 s
}

static void expect_failure(enum error_kind kind, const char *text) {
    struct record record;
    struct error err = {0};
    assert_int_equal(read_next(&record, &err), SOURCE_FAILED);
    assert_int_equal(err.kind, kind);
    if (strstr(err.message, text) == NULL)
        fail_msg("'%s' does not say '%s'", err.message, text);
}

static void offsets_that_the_broker_has_not_got_are_data_loss(void **state) {
    (void)state;
    mock_kafka_topic(&mock, "t", 1);
    mock_kafka_put(&mock, "t", 0, 0, 100, 20);
    open_range("t", 0, 200, 210);
    expect_failure(ERROR_DATA_LOSS, "topic 't' partition 0 at offset 200");
    read_range("t", 0, 0, 100); // and others can still be read

    mock_kafka_topic(&mock, "old", 1);
    for (int i = 0; i < 130; i++) // the mock keeps 5 MiB
        mock_kafka_put(&mock, "old", 0, i, 1, 60000);
    open_range("old", 0, 0, 130);
    expect_failure(ERROR_DATA_LOSS, "its log starts at ");
    read_range("old", 0, 120, 130);
}

/* The mock cluster makes a topic that is asked for, unless told otherwise. */
static void a_topic_that_does_not_exist_fails(void **state) {
    (void)state;
    mock_kafka_topic(&mock, "t", 1);
    mock_kafka_put(&mock, "t", 0, 0, 10, 20);
    rd_kafka_mock_topic_set_error(mock.cluster, "t", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    open_range("t", 0, 0, 10);
    expect_failure(ERROR_BROKER, "topic 't' partition 0 at offset 0");
    rd_kafka_mock_topic_set_error(mock.cluster, "t", RD_KAFKA_RESP_ERR_NO_ERROR);
    read_range("t", 0, 0, 10);
}

static void a_partition_that_does_not_exist_fails(void **state) {
    (void)state;
    mock_kafka_topic(&mock, "t", 1);
    open_range("t", 3, 0, 10);
    expect_failure(ERROR_BROKER, "topic 't' partition 3");
}

static void access_that_is_refused_fails(void **state) {
    (void)state;
    mock_kafka_topic(&mock, "t", 1);
    mock_kafka_put(&mock, "t", 0, 0, 10, 20);
    if (!mock_kafka_refuse(&mock, "t", RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED))
        return;
    open_range("t", 0, 0, 10);
    expect_failure(ERROR_BROKER, "uthorization");
    rd_kafka_mock_topic_set_error(mock.cluster, "t", RD_KAFKA_RESP_ERR_NO_ERROR);
    read_range("t", 0, 0, 10);
}

static void a_broker_that_is_down_makes_it_wait_and_is_named(void **state) {
    (void)state;
    mock_kafka_topic(&mock, "t", 1);
    mock_kafka_put(&mock, "t", 0, 0, 10, 20);
    open_range("t", 0, 0, 20);
    expect_records(0, 10);
    rd_kafka_mock_broker_set_down(mock.cluster, 1);
    struct record record;
    struct error err = {0};
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;
    while (err.kind == ERROR_NONE && clock_monotonic_ms() < until)
        assert_int_equal(source->ops->read(source, &record, 100, &err), SOURCE_WAIT);
    assert_int_equal(err.kind, ERROR_BROKER);
    assert_non_null(strstr(err.message, "topic 't' partition 0 at offset 10"));
    if (strstr(err.message, "127.0.0.1") == NULL)
        fail_msg("'%s' names no broker", err.message);
    rd_kafka_mock_broker_set_up(mock.cluster, 1);
    mock_kafka_put(&mock, "t", 0, 10, 10, 20);
    expect_records(10, 20);
    expect_end();
}

static void without_a_descriptor_for_a_socket_the_limit_is_named(void **state) {
    (void)state;
    mock_kafka_topic(&mock, "t", 1);
    mock_kafka_put(&mock, "t", 0, 0, 10, 20);
    struct mock_kafka_files files;
    mock_kafka_take_files(&files);
    open_range("t", 0, 0, 10);
    struct record record;
    struct error err = {0};
    enum source_status status = read_next(&record, &err);
    mock_kafka_give_files_back(&files);
    assert_int_equal(status, SOURCE_FAILED);
    assert_int_equal(err.kind, ERROR_LIMIT);
    if (strstr(err.message, "RLIMIT_NOFILE (ulimit -n, LimitNOFILE=) is 100 open files") == NULL)
        fail_msg("%s", err.message);
    read_range("t", 0, 0, 10);
}

static void passing_errors_lose_nothing(void **state) {
    (void)state;
    mock_kafka_topic(&mock, "t", 1);
    mock_kafka_put(&mock, "t", 0, 0, 2000, 200);
    rd_kafka_mock_push_request_errors(
        mock.cluster, FETCH, 4, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
        RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE);
    read_range("t", 0, 0, 2000);
}

/* What a broker answers to every fetch, and what happens to the range. */
static void an_error_ends_a_range_by_what_can_be_done_about_it(void **state) {
    (void)state;
    static const struct {
        rd_kafka_resp_err_t code;
        enum error_kind kind;
        const char *says;
    } cases[] = {
        {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, ERROR_BROKER,
         "grant the user DESCRIBE and READ"},
        {RD_KAFKA_RESP_ERR_UNKNOWN, ERROR_BROKER, "the broker's log"},
        {RD_KAFKA_RESP_ERR_POLICY_VIOLATION, ERROR_BROKER, ""}, // none that the table has
        {RD_KAFKA_RESP_ERR_INVALID_MSG, ERROR_DAMAGED, "kafka-delete-records"},
        {RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE, ERROR_CONFIG, "librdkafka is too old"},
    };
    mock_kafka_topic(&mock, "t", 1);
    mock_kafka_put(&mock, "t", 0, 0, 10, 20);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rd_kafka_mock_push_request_errors(mock.cluster, FETCH, 1, cases[i].code);
        open_range("t", 0, 3, 10);
        expect_failure(cases[i].kind, "topic 't' partition 0 at offset 3");
        rd_kafka_mock_push_request_errors(mock.cluster, FETCH, 1, cases[i].code);
        open_range("t", 0, 3, 10);
        expect_failure(cases[i].kind, cases[i].says);
    }
    read_range("t", 0, 0, 10);
}

static void
an_offset_that_is_there_but_denied_is_tried_once_more_and_then_left_to_a_pause(void **state) {
    (void)state;
    mock_kafka_topic(&mock, "t", 1);
    mock_kafka_put(&mock, "t", 0, 0, 10, 20);
    rd_kafka_mock_push_request_errors(mock.cluster, FETCH, 1,
                                      RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE);
    read_range("t", 0, 3, 10);
    source->ops->close(source); // which still asks for more, and would be given the next errors
    source = source_kafka_open(&settings, memory_of(MEMORY));
    // More than it takes: the handle that is given up may be given some, too.
    for (int i = 0; i < 20; i++)
        rd_kafka_mock_push_request_errors(mock.cluster, FETCH, 1,
                                          RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE);
    open_range("t", 0, 3, 10);
    expect_failure(ERROR_BROKER, "although its log starts at 0 and ends at 10");
    rd_kafka_mock_clear_request_errors(mock.cluster, FETCH);
    read_range("t", 0, 3, 10);
}

static bool taking_fails;

/* In front of librdkafka's. */
ssize_t rd_kafka_consume_batch(rd_kafka_topic_t *rkt, int32_t partition, int timeout_ms,
                               rd_kafka_message_t **rkmessages, size_t rkmessages_size) {
    typedef ssize_t consume_fn(rd_kafka_topic_t *, int32_t, int, rd_kafka_message_t **, size_t);
    consume_fn *consume;
    void *symbol = dlsym(RTLD_NEXT, "rd_kafka_consume_batch");
    memcpy(&consume, &symbol, sizeof consume);
    if (!taking_fails)
        return consume(rkt, partition, timeout_ms, rkmessages, rkmessages_size);
    return rd_kafka_consume_start(rkt, RD_KAFKA_PARTITION_UA, 0); // -1, with an error of its own
}

static void a_librdkafka_that_cannot_be_asked_is_reported(void **state) {
    (void)state;
    mock_kafka_topic(&mock, "t", 1);
    mock_kafka_put(&mock, "t", 0, 0, 10, 20);
    open_range("t", 0, 0, 10);
    taking_fails = true;
    expect_failure(ERROR_BROKER, "cannot get records: topic 't' partition 0 at offset 0: ");
    taking_fails = false;
    read_range("t", 0, 0, 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ranges_follow_one_another, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_range_may_begin_anywhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            ranges_may_be_expected_beyond_the_room_for_them_and_without_need, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_range_ends_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_abandoned_range_is_opened_again_from_any_offset, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_range_read_to_its_end_can_be_read_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_range_beyond_the_end_waits_for_what_comes, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(rest_forgets_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            more_partitions_than_the_memory_is_cut_for_make_smaller_queues, set_up, tear_down),
        cmocka_unit_test_setup_teardown(more_partitions_than_fit_take_turns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(partitions_change_places_as_many_at_once_as_fit, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(one_partition_more_than_fit_takes_the_place_of_one, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(partitions_are_resumed_before_they_are_sought, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            a_partition_that_is_expected_twice_starts_at_its_first_range, set_up, tear_down),
        cmocka_unit_test_setup_teardown(queues_smaller_than_a_range_are_filled_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(offsets_that_the_broker_has_not_got_are_data_loss, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_topic_that_does_not_exist_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_partition_that_does_not_exist_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(access_that_is_refused_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_broker_that_is_down_makes_it_wait_and_is_named, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_a_descriptor_for_a_socket_the_limit_is_named,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(passing_errors_lose_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_error_ends_a_range_by_what_can_be_done_about_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            an_offset_that_is_there_but_denied_is_tried_once_more_and_then_left_to_a_pause, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(a_librdkafka_that_cannot_be_asked_is_reported, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
