/* sink_log_commits DIRECTORY ENTRIES BATCHES PAUSE_MS: what a commit costs a table whose sink log
 * has so many entries. Puts batches through the real store — plan, staged files, manifest, renames,
 * sink log, commit — and prints a line for each: "batch id sink_log_us commit_us", then "start us"
 * for a start, "search us" for one that must look for files of a crashed writer in the whole log,
 * and "peak_kb KB" of the process.
 *
 * The table begins with ten small batches; then 9.compact is blown up to ENTRIES - 10, with entries
 * of files that do not exist. Each batch after that counts, and a start at
 * the end. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/disk/file.h"
#include "base/system/clock.h"
#include "streaming/recovery/recover.h"
#include "streaming/store/batch_steps.h"
#include "streaming/store/store.h"

enum { FIRST_BATCHES = 10, RECORDS = 10 };

static void must(bool ok, const struct error *err) {
    if (ok)
        return;
    (void)fprintf(stderr, "%s\n", err->message);
    exit(1);
}

static struct plan plan_of(int64_t batch, struct offset_range *range) {
    *range = (struct offset_range){0, batch * RECORDS, (batch + 1) * RECORDS};
    return (struct plan){.batch_id = batch, .timestamp_ms = 1, .count = 1, .ranges = range};
}

/* Some bytes in place of a Parquet file: the store never looks inside. */
static void stage(const char *staging, int64_t batch, struct manifest *manifest) {
    char *path, *staged;
    check(asprintf(&path,
                   "status=live/part-00000-12345678-1234-1234-1234-%012" PRId64
                   ".c000.snappy.parquet",
                   batch) > 0 &&
          asprintf(&staged, "%" PRId64 ".staged", batch) > 0);
    int fd = open(file_join(staging, staged).text, O_WRONLY | O_CREAT, 0644);
    check(fd >= 0 && write(fd, "some rows", 9) == 9 && fsync(fd) == 0 && close(fd) == 0);
    file_list_add(&manifest->files, (struct data_file){.path = path,
                                                       .staged = staged,
                                                       .size = 9,
                                                       .rows = RECORDS,
                                                       .modified_ms = clock_wall_ms()});
}

static void run_batch(struct store *store, int64_t batch, bool print) {
    struct error err;
    struct offset_range range;
    struct plan plan = plan_of(batch, &range);
    const char *staging, *rejects;
    must(store_write_plan(store, &plan, &err) &&
             store_begin_batch(store, batch, &staging, &rejects, &err),
         &err);
    struct manifest manifest = {.batch_id = batch, .timestamp_ms = 1};
    manifest.outcomes = must_alloc(1, sizeof *manifest.outcomes);
    manifest.outcomes[0] = (struct range_outcome){.range = range, .rows = RECORDS};
    manifest.outcome_count = 1;
    stage(staging, batch, &manifest);

    int64_t began = clock_monotonic_us();
    must(store_commit(store, &manifest, &err) && store_roll_forward(store, &manifest, &err), &err);
    int64_t us = clock_monotonic_us() - began;
    manifest_deinit(&manifest);
    if (print)
        (void)printf("batch %" PRId64 " %" PRId64 "\n", batch, us);
}

static int64_t start(const struct store_options *options, struct store **store, int64_t *next) {
    struct error err;
    struct recovery recovery;
    int64_t began = clock_monotonic_us();
    must(recovery_open(options, store, &err) && recover(*store, &recovery, &err), &err);
    int64_t us = clock_monotonic_us() - began;
    if (recovery.new_query) {
        struct offset_range range;
        struct plan first = plan_of(0, &range);
        must(store_write_initial(*store, first.ranges, 1, &err), &err);
    }
    *next = recovery.next_batch;
    recovery_deinit(&recovery);
    return us;
}

static void blow_up(const char *table, int64_t entries) {
    struct file_path path = file_join(table, "_spark_metadata/9.compact");
    FILE *out = fopen(path.text, "r+");
    check(out != NULL && fseek(out, 0, SEEK_END) == 0);
    for (int64_t i = FIRST_BATCHES; i < entries; i++)
        check(fprintf(out,
                      "\n{\"path\":\"file://%s/status=live/part-%05" PRId64
                      "-00000000-0000-0000-0000-%012" PRId64
                      ".c000.snappy.parquet\",\"size\":7809,\"isDir\":false,"
                      "\"modificationTime\":1795366885757,\"blockReplication\":1,"
                      "\"blockSize\":33554432,\"action\":\"add\"}",
                      table, i % 100, i) > 0);
    check(fflush(out) == 0 && fsync(fileno(out)) == 0 && fclose(out) == 0);
}

/* As a writer that crashed would leave it. */
static void add_unlisted(const char *table) {
    FILE *out = fopen(file_join(table, "status=live/part-unlisted.parquet").text, "w");
    check(out != NULL && fclose(out) == 0);
}

/* Not getrusage(): that includes the peak of the process that started us. */
static void print_peak(void) {
    char line[256];
    FILE *status = fopen("/proc/self/status", "r");
    check(status != NULL);
    while (fgets(line, sizeof line, status) != NULL)
        if (strncmp(line, "VmHWM:", 6) == 0)
            (void)printf("peak_kb %ld\n", strtol(line + 6, NULL, 10));
    (void)fclose(status);
}

int main(int count, char **words) {
    if (count != 5) {
        (void)fprintf(stderr, "usage: %s DIRECTORY ENTRIES BATCHES PAUSE_MS\n", words[0]);
        return 2;
    }
    static const char *const columns[] = {"status"};
    struct file_path checkpoint = file_join(words[1], "checkpoint");
    struct file_path table = file_join(words[1], "table");
    struct file_path rejects = file_join(words[1], "rejects");
    struct store_options options = {.query = "bench",
                                    .topic = "t1",
                                    .checkpoint = checkpoint.text,
                                    .table = table.text,
                                    .rejects = rejects.text,
                                    .partition_by = columns,
                                    .partition_by_count = 1,
                                    .shuffle_partitions = 10};
    struct store *store;
    struct error err;
    int64_t next;
    (void)start(&options, &store, &next);
    for (int64_t batch = 0; batch < FIRST_BATCHES; batch++)
        run_batch(store, batch, false);
    store_close(store);
    blow_up(table.text, atoll(words[2]));

    (void)start(&options, &store, &next);
    check(store_start_upkeep(store, &err));
    for (int64_t i = 0; i < atoll(words[3]); i++) {
        run_batch(store, next + i, true);
        (void)usleep((useconds_t)atoll(words[4]) * 1000);
    }
    store_close(store);
    (void)printf("start %" PRId64 "\n", start(&options, &store, &next));
    store_close(store);
    add_unlisted(table.text);
    (void)printf("search %" PRId64 "\n", start(&options, &store, &next));
    store_close(store);
    print_peak();
    return 0;
}
