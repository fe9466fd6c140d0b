/* store_fixture.h: a store over directories of its own, and batches to put through it. A "Parquet
 * file" is a line of text here: the store never looks inside. */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/disk/disk.h"
#include "base/disk/file.h"
#include "streaming/recovery/recover.h"
#include "streaming/store/batch_steps.h"
#include "streaming/store/store.h"

struct fixture {
    char root[256];
    char checkpoint[300], table[300], rejects[300];
    struct store_options options;
};

static const char *const fixture_columns[] = {"status"};
static bool fixture_is_flat; // no partition columns: all files of a table are in its root

static int fixture_remove(const char *path, const struct stat *status, int type, struct FTW *at) {
    (void)status, (void)type, (void)at;
    return remove(path);
}

static inline void fixture_clear(const struct fixture *fixture) {
    (void)nftw(fixture->root, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void fixture_init(struct fixture *fixture) {
    fixture_is_flat = false;
    bool has_memory = access("/dev/shm", W_OK) == 0; // where the many syncs cost nothing
    (void)snprintf(fixture->root, sizeof fixture->root, "%s/store-XXXXXX",
                   has_memory ? "/dev/shm" : "/tmp");
    check(mkdtemp(fixture->root) != NULL);
    (void)snprintf(fixture->checkpoint, sizeof fixture->checkpoint, "%s/checkpoints/match_stream",
                   fixture->root);
    (void)snprintf(fixture->table, sizeof fixture->table, "%s/processed/matches", fixture->root);
    (void)snprintf(fixture->rejects, sizeof fixture->rejects, "%s/rejected/matches", fixture->root);
    fixture->options = (struct store_options){
        .query = "match_stream",
        .topic = "t1",
        .checkpoint = fixture->checkpoint,
        .table = fixture->table,
        .rejects = fixture->rejects,
        .partition_by = fixture_columns,
        .partition_by_count = 1,
        .shuffle_partitions = 10,
    };
}

static inline char *fixture_text(const char *format, ...) PRINTF_LIKE(1, 2);

static inline char *fixture_text(const char *format, ...) {
    char *text;
    va_list args;
    va_start(args, format);
    check(vasprintf(&text, format, args) >= 0);
    va_end(args);
    return text;
}

/* Writes and syncs one staged file of `rows` rows through the disk seam. */
static inline bool fixture_stage(const char *staging, const char *name, const char *content,
                                 struct error *err) {
    struct file_path path = file_join(staging, name);
    int fd = disk->open(path.text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    bool ok = fd >= 0 && disk_write_all(fd, content, strlen(content)) && disk->fsync(fd) == 0;
    if (fd >= 0)
        ok = disk->close(fd) == 0 && ok;
    return ok || error_set(err, ERROR_RETRY, "stage '%s': %s", path.text, strerror(errno));
}

static inline struct data_file fixture_file(int64_t batch, const char *directory, unsigned attempt,
                                            const char *content) {
    return (struct data_file){
        .path = fixture_text("%s%spart-%05" PRId64 "-%u.c000.snappy.parquet", directory,
                             directory[0] ? "/" : "", batch, attempt),
        .staged = fixture_text("%" PRId64 "-%u-%s.staged", batch, attempt, directory),
        .size = (int64_t)strlen(content),
        .rows = 1,
        .modified_ms = 1700000000000 + batch,
    };
}

/* The batch that takes [3 * batch, 3 * batch + 3) of each partition: per partition a row for each
 * of two directories, and one reject. Without a range, no files. */
static inline bool fixture_write_batch(const struct plan *plan, unsigned attempt,
                                       const char *table_staging, const char *rejects_staging,
                                       struct manifest *manifest, struct error *err) {
    *manifest = (struct manifest){.batch_id = plan->batch_id, .timestamp_ms = plan->timestamp_ms};
    if (plan->ranges[0].start == plan->ranges[0].end)
        return true;
    manifest->outcomes = must_alloc(plan->count, sizeof *manifest->outcomes);
    for (size_t i = 0; i < plan->count; i++) {
        manifest->outcomes[i] = (struct range_outcome){.range = plan->ranges[i], .rejects = 1};
        range_outcome_set_records(&manifest->outcomes[i], 2);
    }
    manifest->outcome_count = plan->count;

    static const char *const directories[] = {"status=live", "status=a%2Fb c", ""};
    for (size_t i = 0; i < 3; i++) {
        bool reject = i == 2;
        const char *directory = fixture_is_flat ? "" : directories[i];
        char *content = fixture_text("batch %" PRId64 " %s", plan->batch_id, directories[i]);
        unsigned apart = fixture_is_flat && i == 1 ? 1000 : 0; // two files in one directory
        struct data_file file = fixture_file(plan->batch_id, directory, attempt + apart, content);
        file.rows = (int64_t)plan->count;
        bool ok =
            fixture_stage(reject ? rejects_staging : table_staging, file.staged, content, err);
        file_list_add(reject ? &manifest->rejects : &manifest->files, file);
        free(content);
        if (!ok)
            return false;
    }
    return true;
}

static inline struct plan fixture_plan(int64_t batch, struct offset_range ranges[static 2]) {
    for (int32_t i = 0; i < 2; i++)
        ranges[i] = (struct offset_range){i, 3 * batch, 3 * batch + 3};
    return (struct plan){
        .batch_id = batch, .timestamp_ms = 1795366883120 + batch, .count = 2, .ranges = ranges};
}

/* Runs a planned batch up to its commit, and on to its end unless `leave_open`. */
static inline bool fixture_run(struct store *store, const struct plan *plan, unsigned attempt,
                               bool leave_open, struct error *err) {
    const char *table_staging, *rejects_staging;
    struct manifest manifest = {0};
    bool ok = store_begin_batch(store, plan->batch_id, &table_staging, &rejects_staging, err) &&
              fixture_write_batch(plan, attempt, table_staging, rejects_staging, &manifest, err) &&
              store_commit(store, &manifest, err) &&
              (leave_open || store_roll_forward(store, &manifest, err));
    manifest_deinit(&manifest);
    return ok;
}

/* Opens, recovers and runs batches until `last` is committed. */
static inline bool fixture_advance(struct store *store, int64_t last, unsigned attempt,
                                   struct error *err) {
    struct recovery recovery;
    struct offset_range ranges[2];
    if (!recover(store, &recovery, err))
        return false;
    bool ok = true;
    if (recovery.new_query) {
        struct plan first = fixture_plan(0, ranges);
        ok = store_write_initial(store, first.ranges, first.count, err);
    }
    for (int64_t batch = recovery.next_batch; ok && batch <= last; batch++) {
        struct plan plan = fixture_plan(batch, ranges);
        bool open = recovery.has_open_plan && batch == recovery.next_batch;
        if (!open)
            ok = store_write_plan(store, &plan, err);
        ok = ok && fixture_run(store, open ? &recovery.open_plan : &plan, attempt, false, err);
    }
    recovery_deinit(&recovery);
    return ok;
}

static inline void fixture_must_advance(const struct fixture *fixture, int64_t last,
                                        unsigned attempt) {
    struct store *store = NULL;
    struct error err = {0};
    bool ok = recovery_open(&fixture->options, &store, &err) &&
              fixture_advance(store, last, attempt, &err);
    store_close(store);
    if (!ok)
        fail_msg("%s", err.message);
}

/* Plans batch `batch`, writes its files and, with `commit`, its manifest; then the process ends. */
static inline void fixture_leave_open(const struct fixture *fixture, int64_t batch, bool commit) {
    struct store *store = NULL;
    struct error err = {0};
    struct recovery recovery;
    struct offset_range ranges[2];
    struct plan plan = fixture_plan(batch, ranges);
    const char *table, *rejects;
    struct manifest manifest = {0};
    bool ok = recovery_open(&fixture->options, &store, &err) && recover(store, &recovery, &err);
    if (ok)
        recovery_deinit(&recovery);
    ok = ok && store_write_plan(store, &plan, &err) &&
         store_begin_batch(store, batch, &table, &rejects, &err) &&
         fixture_write_batch(&plan, 5, table, rejects, &manifest, &err) &&
         (!commit || store_commit(store, &manifest, &err));
    manifest_deinit(&manifest);
    store_close(store);
    if (!ok)
        fail_msg("%s", err.message);
}

/* The content of root/name, NULL when it is not there. Owned by the caller. Inlined, GCC 12 takes
 * what it returns for a pointer to its local variable. */
__attribute__((noinline, unused)) static char *fixture_read(const struct fixture *fixture,
                                                            const char *name) {
    struct error err;
    char *bytes;
    size_t size;
    check(file_read(file_join(fixture->root, name).text, 1 << 26, &bytes, &size, &err));
    return bytes;
}

static inline void fixture_write(const struct fixture *fixture, const char *name,
                                 const char *content) {
    FILE *out = fopen(file_join(fixture->root, name).text, "w");
    check(out != NULL);
    check(fputs(content, out) >= 0 && fclose(out) == 0);
}

static inline bool fixture_has(const struct fixture *fixture, const char *name) {
    return access(file_join(fixture->root, name).text, F_OK) == 0;
}

#endif
