/* A worker on a source that returns records from memory: what happens to each offset. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/check.h"
#include "streaming/declare/stream.h"
#include "streaming/tasks/worker.h"

/* Values by offset; an offset without a value is absent. */
struct memory_source {
    struct source source;
    const char *const *values;
    int64_t count, next, end;
    int64_t fail_at; // -1: never
    int64_t timestamp_ms;
    bool waits;          // never returns a record
    int closed;          // number of calls
    atomic_bool is_told; // whether it knows the cause of the wait
};

static bool memory_open(struct source *source, const char *topic, struct offset_range range,
                        struct error *err) {
    (void)topic, (void)err;
    struct memory_source *self = (struct memory_source *)source;
    self->next = range.start;
    self->end = range.end;
    return true;
}

static enum source_status memory_read(struct source *source, struct record *record, int timeout_ms,
                                      struct error *err) {
    struct memory_source *self = (struct memory_source *)source;
    if (self->waits) {
        usleep((useconds_t)timeout_ms * 100);
        *err = (struct error){0};
        if (atomic_load(&self->is_told))
            error_set(err, ERROR_BROKER, "the leader's disk is broken");
        return SOURCE_WAIT;
    }
    while (self->next < self->end && self->next < self->count && self->values[self->next] == NULL)
        self->next++;
    if (self->next >= self->end || self->next >= self->count)
        return SOURCE_END;
    if (self->next == self->fail_at) {
        error_set(err, ERROR_BROKER, "planned failure");
        return SOURCE_FAILED;
    }
    const char *value = self->values[self->next];
    *record = (struct record){.partition = 3,
                              .offset = self->next++,
                              .timestamp_ms = self->timestamp_ms,
                              .value = value,
                              .value_size = strlen(value)};
    return SOURCE_RECORD;
}

static void memory_nothing(struct source *source) {
    (void)source;
}

static void memory_expect(struct source *source, const char *topic,
                          const struct offset_range *ranges, size_t count) {
    (void)source, (void)topic, (void)ranges, (void)count;
}

static const struct source_ops memory_ops = {.expect_ranges = memory_expect,
                                             .open_range = memory_open,
                                             .read = memory_read,
                                             .abandon_range = memory_nothing,
                                             .rest = memory_nothing,
                                             .close = memory_nothing};

struct bench {
    char directory[64];
    struct schema schema;
    size_t partition_column;
    _Atomic int64_t records_read;
    struct worker_query query;
    struct memory_source source;
    struct worker worker;
    struct mailbox replies;
    atomic_bool abandon;
    struct offset_range range;
    struct range_outcome outcome;
    struct task task;
};

static struct bench *bench_open(const char *const *values, int64_t count, enum parse_mode mode,
                                size_t memory_max) {
    struct bench *bench = must_alloc(1, sizeof *bench);
    snprintf(bench->directory, sizeof bench->directory, "/tmp/test_worker_XXXXXX");
    assert_non_null(mkdtemp(bench->directory));
    stream_schema(stream_of("matches"), &bench->schema);
    bench->partition_column = (size_t)schema_find(&bench->schema, TEXT("status"));
    mailbox_init(&bench->replies);
    bench->query = (struct worker_query){.name = "match_stream",
                                         .topic = "t",
                                         .schema = &bench->schema,
                                         .record = stream_of("matches")->record,
                                         .plan = &stream_of("matches")->plan,
                                         .partition_columns = &bench->partition_column,
                                         .partition_column_count = 1,
                                         .parse_mode = mode,
                                         .time_zone = "UTC",
                                         .parquet = {.codec = CODEC_SNAPPY, .delta = true},
                                         .records_read = &bench->records_read};
    bench->source = (struct memory_source){.source = {&memory_ops},
                                           .values = values,
                                           .count = count,
                                           .fail_at = -1,
                                           .timestamp_ms = 1700000000000};
    struct error err = {0};
    assert_true(
        worker_start(&bench->worker, &bench->source.source, &bench->query, 1, memory_max, &err));
    return bench;
}

static struct task *bench_start(struct bench *bench, int64_t end, bool rejects_only) {
    bench->range = (struct offset_range){3, 0, end};
    bench->task = (struct task){.batch_timestamp_ms = 1700000001000,
                                .staging = bench->directory,
                                .reject_staging = bench->directory,
                                .ranges = &bench->range,
                                .range_count = 1,
                                .rejects_only = rejects_only,
                                .abandon = &bench->abandon,
                                .reply = &bench->replies,
                                .outcomes = &bench->outcome};
    mailbox_send(&bench->worker.tasks, &bench->task.message);
    return &bench->task;
}

static struct task *bench_run(struct bench *bench, int64_t end) {
    return bench_start(bench, end, false);
}

static void bench_wait(struct bench *bench) {
    assert_ptr_equal(mailbox_receive(&bench->replies, 30000), &bench->task.message);
}

static size_t staged_files(const struct bench *bench) {
    DIR *directory = opendir(bench->directory);
    assert_non_null(directory);
    size_t count = 0;
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

static void bench_close(struct bench *bench) {
    worker_stop(&bench->worker);
    for (size_t i = 0; i < bench->task.files.count; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", bench->directory, bench->task.files.files[i].staged);
        unlink(path);
    }
    for (size_t i = 0; i < bench->task.rejects.count; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", bench->directory, bench->task.rejects.files[i].staged);
        unlink(path);
    }
    assert_int_equal(rmdir(bench->directory), 0);
    file_list_deinit(&bench->task.files);
    file_list_deinit(&bench->task.rejects);
    tally_deinit(&bench->task.tally);
    mailbox_deinit(&bench->replies);
    free(bench);
}

enum { PLENTY = 64 << 20 };

static const char *const mixed[] = {
    "{\"match_id\":\"a\",\"status\":\"live\",\"match_duration\":\"long\"}",
    "nonsense",
    "",
    NULL,
    "{\"match_id\":null}",
    "{\"match_id\":\"b\",\"status\":\"finished\",\"colour\":1} tail",
    NULL,
};

static void every_offset_is_a_row_a_reject_or_absent(void **state) {
    (void)state;
    struct bench *bench = bench_open(mixed, 7, PARSE_REJECT, PLENTY);
    struct task *task = bench_run(bench, 7);
    bench_wait(bench);
    assert_true(task->done);
    assert_int_equal(bench->outcome.rows, 2);
    assert_int_equal(bench->outcome.rejects, 3);
    assert_int_equal(bench->outcome.absent, 2);
    assert_int_equal(task->files.count, 2); // status=live, status=finished
    assert_int_equal(task->rejects.count, 1);
    assert_int_equal(task->rejects.files[0].rows, 3);
    size_t duration = (size_t)schema_find(&bench->schema, TEXT("match_duration"));
    assert_int_equal(task->tally.counts.field_faults[duration], 1);
    assert_int_equal(task->tally.counts.unknown_keys, 1);
    assert_int_equal(task->tally.counts.trailing_bytes, 1);
    assert_int_equal(bench->records_read, 5);

    struct tally *tally = &task->tally;
    assert_int_equal(tally->counts.unknown_names.count, 1);
    assert_string_equal(tally->counts.unknown_names.names[0].text, "colour");
    assert_int_equal(tally->counts.unknown_names.names[0].count, 1);
    assert_int_equal(tally->rejects[REJECT_MALFORMED], 1);
    assert_int_equal(tally->rejects[REJECT_BLANK_VALUE], 1);
    assert_int_equal(tally->rejects[REJECT_NULL_IDENTIFIER], 1);
    assert_int_equal(tally_rejects(tally), 3);
    assert_int_equal(tally->first_reject.partition, 3);
    assert_int_equal(tally->first_reject.offset, 1);
    assert_int_equal(tally->counts.rejected_values[0], 1); // {"match_id":null}
    assert_int_equal(tally->oldest_ms, 1700000000000);
    assert_int_equal(tally->newest_ms, 1700000000000);
    assert_int_equal(tally->samples.count, 3);
    for (int stage = STAGE_FETCH; stage <= STAGE_WRITE; stage++)
        assert_true(tally->stage_ns[stage] > 0);
    bench_close(bench);
}

static void permissive_rejects_only_what_spark_drops(void **state) {
    (void)state;
    struct bench *bench = bench_open(mixed, 7, PARSE_PERMISSIVE, PLENTY);
    bench_run(bench, 7);
    bench_wait(bench);
    assert_int_equal(bench->outcome.rows, 4);
    assert_int_equal(bench->outcome.rejects, 1);
    bench_close(bench);
}

static void failfast_stops_at_the_first_reject_with_its_place(void **state) {
    (void)state;
    struct bench *bench = bench_open(mixed, 7, PARSE_FAILFAST, PLENTY);
    struct task *task = bench_run(bench, 7);
    bench_wait(bench);
    assert_false(task->done);
    assert_int_equal(task->error.kind, ERROR_RECORD);
    assert_non_null(strstr(task->error.message, "topic t, partition 3, offset 1"));
    assert_int_equal(staged_files(bench), 0);
    bench_close(bench);
}

static void a_failing_source_leaves_no_file(void **state) {
    (void)state;
    struct bench *bench = bench_open(mixed, 7, PARSE_REJECT, PLENTY);
    bench->source.fail_at = 5;
    struct task *task = bench_run(bench, 7);
    bench_wait(bench);
    assert_false(task->done);
    assert_int_equal(task->error.kind, ERROR_BROKER);
    assert_int_equal(staged_files(bench), 0);
    bench_close(bench);
}

static void a_task_without_records_can_be_abandoned(void **state) {
    (void)state;
    struct bench *bench = bench_open(mixed, 7, PARSE_REJECT, PLENTY);
    bench->source.waits = true;
    struct task *task = bench_run(bench, 7);
    atomic_store(&bench->abandon, true);
    bench_wait(bench);
    assert_false(task->done);
    assert_int_equal(task->error.kind, ERROR_STOPPED);
    bench_close(bench);
}

static char *record_of_size(size_t size) {
    char *value = NULL;
    char *filler = must_alloc(size + 1, 1);
    memset(filler, 'x', size);
    assert_true(asprintf(&value, "{\"match_id\":\"%s\"}", filler) > 0);
    free(filler);
    return value;
}

static void a_record_larger_than_the_slice_gets_more_memory(void **state) {
    (void)state;
    char *large = record_of_size(18 << 20);
    const char *const values[] = {mixed[0], large, mixed[5]};
    struct bench *bench = bench_open(values, 3, PARSE_REJECT, PLENTY);
    struct task *task = bench_run(bench, 3);
    bench_wait(bench);
    if (!task->done)
        fail_msg("%s", task->error.message);
    assert_int_equal(bench->outcome.rows, 3);
    bench_close(bench);
    free(large);
}

static void a_record_larger_than_the_budget_stops_with_its_place(void **state) {
    (void)state;
    char *large = record_of_size(18 << 20);
    const char *const values[] = {mixed[0], large, mixed[5]};
    struct bench *bench = bench_open(values, 3, PARSE_REJECT, 8 << 20);
    struct task *task = bench_run(bench, 3);
    bench_wait(bench);
    assert_false(task->done);
    assert_int_equal(task->error.kind, ERROR_CONFIG);
    assert_non_null(strstr(task->error.message, "topic t, partition 3, offset 1"));
    assert_non_null(strstr(task->error.message, "SPARK_DRIVER_MEMORY"));
    bench_close(bench);
    free(large);
}

static void a_partition_value_that_cannot_be_a_directory_is_a_reject(void **state) {
    (void)state;
    char too_long[512], filler[250] = {0};
    memset(filler, 'x', 249);
    snprintf(too_long, sizeof too_long, "{\"match_id\":\"a\",\"status\":\"%s\"}", filler);
    const char *const values[] = {"{\"match_id\":\"a\",\"status\":\"\\u0000\"}", too_long,
                                  mixed[0]};
    struct bench *bench = bench_open(values, 3, PARSE_PERMISSIVE, PLENTY);
    bench_run(bench, 3);
    bench_wait(bench);
    assert_int_equal(bench->outcome.rows, 1);
    assert_int_equal(bench->outcome.rejects, 2);
    bench_close(bench);
}

static void a_timestamp_that_no_column_can_hold_is_a_reject_in_every_mode(void **state) {
    (void)state;
    struct bench *bench = bench_open(mixed, 1, PARSE_PERMISSIVE, PLENTY);
    bench->source.timestamp_ms = 1700000000000000000;
    bench_run(bench, 1);
    bench_wait(bench);
    assert_int_equal(bench->outcome.rejects, 1);
    assert_int_equal(bench->task.tally.rejects[REJECT_KAFKA_TIME], 1);
    bench_close(bench);
}

static void rows_that_another_program_writes_are_counted_and_not_written(void **state) {
    (void)state;
    struct bench *bench = bench_open(mixed, 7, PARSE_REJECT, PLENTY);
    struct task *task = bench_start(bench, 7, true);
    bench_wait(bench);
    assert_true(task->done);
    assert_int_equal(bench->outcome.rows, 2);
    assert_int_equal(bench->outcome.rejects, 3);
    assert_int_equal(task->files.count, 0);
    assert_int_equal(task->rejects.count, 1);
    assert_int_equal(task->rejects.files[0].rows, 3);
    assert_int_equal(task->tally.counts.unknown_keys, 0); // the only one is in a row
    assert_int_equal(task->tally.counts.rejected_values[0], 1);
    assert_int_equal(staged_files(bench), 1);
    bench_close(bench);
}

static void wait_for_cause(struct bench *bench, bool is_there) {
    struct error cause;
    for (int i = 0; i < 3000 && worker_waits_for(&bench->worker, &cause) != is_there; i++)
        usleep(10000);
    assert_int_equal(worker_waits_for(&bench->worker, &cause), is_there);
    if (is_there)
        assert_string_equal(cause.message, "the leader's disk is broken");
}

static void a_worker_reports_what_it_waits_for(void **state) {
    (void)state;
    struct bench *bench = bench_open(mixed, 7, PARSE_REJECT, PLENTY);
    bench->source.waits = true;
    bench_run(bench, 7);
    wait_for_cause(bench, false);
    atomic_store(&bench->source.is_told, true);
    wait_for_cause(bench, true);
    atomic_store(&bench->source.is_told, false);
    wait_for_cause(bench, false);
    atomic_store(&bench->source.is_told, true);
    wait_for_cause(bench, true);
    atomic_store(&bench->abandon, true);
    bench_wait(bench);
    wait_for_cause(bench, false); // it no longer waits
    bench_close(bench);
}

static void count_close(struct source *source) {
    ((struct memory_source *)source)->closed++;
}

static void a_worker_that_cannot_start_closes_its_source(void **state) {
    (void)state;
    struct schema schema;
    stream_schema(stream_of("matches"), &schema);
    const struct worker_query query = {.schema = &schema,
                                       .record = stream_of("matches")->record,
                                       .plan = &stream_of("matches")->plan,
                                       .time_zone = "UTC"};
    struct worker_query queries[] = {query, query};
    queries[1].time_zone = "Nowhere";
    const struct source_ops ops = {.close = count_close};
    struct memory_source source = {.source = {&ops}};
    struct worker worker;
    struct error err = {0};
    assert_false(worker_start(&worker, &source.source, queries, 2, PLENTY, &err)); // ASan: no leak
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_int_equal(source.closed, 1);
}

int main(void) {
    streams_load();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_reports_what_it_waits_for),
        cmocka_unit_test(a_worker_that_cannot_start_closes_its_source),
        cmocka_unit_test(rows_that_another_program_writes_are_counted_and_not_written),
        cmocka_unit_test(every_offset_is_a_row_a_reject_or_absent),
        cmocka_unit_test(permissive_rejects_only_what_spark_drops),
        cmocka_unit_test(failfast_stops_at_the_first_reject_with_its_place),
        cmocka_unit_test(a_failing_source_leaves_no_file),
        cmocka_unit_test(a_task_without_records_can_be_abandoned),
        cmocka_unit_test(a_record_larger_than_the_slice_gets_more_memory),
        cmocka_unit_test(a_record_larger_than_the_budget_stops_with_its_place),
        cmocka_unit_test(a_partition_value_that_cannot_be_a_directory_is_a_reject),
        cmocka_unit_test(a_timestamp_that_no_column_can_hold_is_a_reject_in_every_mode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
