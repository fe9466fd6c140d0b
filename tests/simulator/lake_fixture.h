/* lake_fixture.h: lakes that the program wrote, for the checker's test.
 *
 * The program runs as it is, with its own threads, on real files, above the model broker. A
 * broker between them may leave out, change or make up a record (struct lie), so that the program
 * writes a wrong lake by itself. Then the files are taken into memory, where a test can
 * change them, and model_disk_bytes() and model_disk_walk() show them to the checker. */
#ifndef SIMULATOR_LAKE_FIXTURE_H
#define SIMULATOR_LAKE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log/log.h"
#include "base/text.h"
#include "checker.h"
#include "model_broker.h"
#include "model_disk.h"
#include "streaming/operations/care.h"
#include "streaming/operations/operations.h"
#include "streaming/start/streaming.h"

/* ---- between broker and program ---- */

struct lie {
    enum { LIE_NONE, LIE_LEAVE_OUT, LIE_CHANGE, LIE_MAKE_UP } kind;
    struct content_place place;
    const char *from, *to; // LIE_CHANGE: in the value, of the same length
};

static struct lie lie;
static bool lie_told;

struct liar_source {
    struct source source, *honest;
    struct record kept; // what comes after a record that is made up
    bool has_kept;
    struct content content;
};

struct liar_broker {
    struct broker broker, *honest;
};

static pthread_mutex_t liar_lock =
    PTHREAD_MUTEX_INITIALIZER; // the model is for one thread at a time

#define honest_source(of) ((struct liar_source *)(of))->honest
#define honest_broker(of) ((struct liar_broker *)(of))->honest
#define locked(result_type, call)                                                                  \
    do {                                                                                           \
        pthread_mutex_lock(&liar_lock);                                                            \
        result_type result = call;                                                                 \
        pthread_mutex_unlock(&liar_lock);                                                          \
        return result;                                                                             \
    } while (0)

static bool liar_open_range(struct source *source, const char *topic, struct offset_range range,
                            struct error *err) {
    struct source *honest = honest_source(source);
    ((struct liar_source *)source)->has_kept = false;
    locked(bool, honest->ops->open_range(honest, topic, range, err));
}

static inline void liar_change(struct liar_source *self, struct record *record) {
    char *value = self->content.value_room;
    memcpy(value, record->value, record->value_size);
    char *found = memmem(value, record->value_size, lie.from, strlen(lie.from));
    check(found != NULL && strlen(lie.from) == strlen(lie.to));
    memcpy(found, lie.to, strlen(lie.to));
    record->value = value;
}

static inline void liar_make_up(struct liar_source *self, struct record *record) {
    self->kept = *record;
    self->has_kept = true;
    self->content =
        *model_broker_content(lie.place.incarnation, lie.place.partition, lie.place.offset);
    record->offset = lie.place.offset;
    record->value = self->content.value.bytes;
    record->value_size = self->content.value.length;
}

static inline enum source_status liar_step(struct liar_source *self, struct record *record,
                                           int timeout_ms, struct error *err) {
    struct source *honest = self->honest;
    if (self->has_kept) {
        *record = self->kept;
        self->has_kept = false;
        return SOURCE_RECORD;
    }
    enum source_status status = honest->ops->read(honest, record, timeout_ms, err);
    if (status != SOURCE_RECORD || lie_told || record->partition != lie.place.partition)
        return status;
    bool is_it = record->offset == lie.place.offset;
    lie_told = is_it || (lie.kind == LIE_MAKE_UP && record->offset > lie.place.offset);
    if (is_it && lie.kind == LIE_LEAVE_OUT)
        return honest->ops->read(honest, record, timeout_ms, err);
    if (is_it && lie.kind == LIE_CHANGE)
        liar_change(self, record);
    else if (lie_told && lie.kind == LIE_MAKE_UP)
        liar_make_up(self, record);
    return status;
}

static enum source_status liar_read(struct source *source, struct record *record, int timeout_ms,
                                    struct error *err) {
    locked(enum source_status, liar_step((struct liar_source *)source, record, timeout_ms, err));
}

static void liar_expect(struct source *source, const char *topic, const struct offset_range *ranges,
                        size_t count) {
    pthread_mutex_lock(&liar_lock);
    honest_source(source)->ops->expect_ranges(honest_source(source), topic, ranges, count);
    pthread_mutex_unlock(&liar_lock);
}

static void liar_abandon(struct source *source) {
    pthread_mutex_lock(&liar_lock);
    honest_source(source)->ops->abandon_range(honest_source(source));
    pthread_mutex_unlock(&liar_lock);
}

static void liar_rest(struct source *source) {
    pthread_mutex_lock(&liar_lock);
    honest_source(source)->ops->rest(honest_source(source));
    pthread_mutex_unlock(&liar_lock);
}

static void liar_close_source(struct source *source) {
    pthread_mutex_lock(&liar_lock);
    honest_source(source)->ops->close(honest_source(source));
    pthread_mutex_unlock(&liar_lock);
    free(source);
}

static bool liar_open_source(struct broker *broker, struct source_memory memory,
                             struct source **source, struct error *err) {
    static const struct source_ops ops = {.expect_ranges = liar_expect,
                                          .open_range = liar_open_range,
                                          .read = liar_read,
                                          .abandon_range = liar_abandon,
                                          .rest = liar_rest,
                                          .close = liar_close_source};
    struct liar_source *self = must_alloc(1, sizeof *self);
    self->source.ops = &ops;
    *source = &self->source;
    locked(bool, honest_broker(broker)->ops->open_source(honest_broker(broker), memory,
                                                         &self->honest, err));
}

static bool liar_list(struct broker *broker, const char *topic, int timeout_ms,
                      struct topic_offsets *offsets, struct error *err) {
    struct broker *honest = honest_broker(broker);
    locked(bool, honest->ops->list_offsets(honest, topic, timeout_ms, offsets, err));
}

static bool liar_list_high(struct broker *broker, const char *topic, int timeout_ms,
                           struct topic_offsets *offsets, struct error *err) {
    struct broker *honest = honest_broker(broker);
    locked(bool, honest->ops->list_high(honest, topic, timeout_ms, offsets, err));
}

static bool liar_find_id(struct broker *broker, const char *topic, int timeout_ms,
                         struct topic_offsets *offsets, struct error *err) {
    struct broker *honest = honest_broker(broker);
    locked(bool, honest->ops->find_id(honest, topic, timeout_ms, offsets, err));
}

static void liar_close(struct broker *broker) {
    honest_broker(broker)->ops->close(honest_broker(broker));
    free(broker);
}

static inline struct broker *liar_open(void) {
    static const struct broker_ops ops = {.list_offsets = liar_list,
                                          .list_high = liar_list_high,
                                          .find_id = liar_find_id,
                                          .open_source = liar_open_source,
                                          .close = liar_close};
    struct liar_broker *self = must_alloc(1, sizeof *self);
    self->broker.ops = &ops;
    self->honest = model_broker_open();
    return &self->broker;
}

/* ---- the program ---- */

static struct {
    char root[64], table[128], rejects[128], checkpoint[128];
    const char *partition_by[2];
    size_t partition_by_count;
    struct query_options options;
} lake_at;

static int lake_remove(const char *path, const struct stat *status, int type, struct FTW *at) {
    (void)status, (void)type, (void)at;
    return remove(path);
}

static inline void lake_clear(void) {
    (void)nftw(lake_at.root, lake_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* A directory for a lake, in memory if there is one. */
static inline void lake_init(const char *first_column, const char *second_column) {
    (void)snprintf(lake_at.root, sizeof lake_at.root, "%s/checker-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    check(mkdtemp(lake_at.root) != NULL);
    (void)snprintf(lake_at.table, sizeof lake_at.table, "%s/processed/matches", lake_at.root);
    (void)snprintf(lake_at.rejects, sizeof lake_at.rejects, "%s/rejected/matches", lake_at.root);
    (void)snprintf(lake_at.checkpoint, sizeof lake_at.checkpoint, "%s/checkpoints/match_stream",
                   lake_at.root);
    lake_at.partition_by[0] = first_column;
    lake_at.partition_by[1] = second_column;
    lake_at.partition_by_count = second_column == NULL ? 1 : 2;
    streams_partition_by(stream_of("matches"), lake_at.partition_by, lake_at.partition_by_count);
    lake_at.options =
        (struct query_options){.stream = stream_of("matches"),
                               .store = {.query = "match_stream",
                                         .stream = stream_of("matches"),
                                         .topic = MODEL_TOPIC,
                                         .checkpoint = lake_at.checkpoint,
                                         .table = lake_at.table,
                                         .rejects = lake_at.rejects,
                                         .partition_by = lake_at.partition_by,
                                         .partition_by_count = lake_at.partition_by_count,
                                         .shuffle_partitions = 10},
                               .trigger = {.available_now = true},
                               .starting_offsets = "earliest",
                               .commit_group = "",
                               .parse_mode = PARSE_REJECT,
                               .time_zone = "UTC",
                               .parquet = {.codec = CODEC_SNAPPY},
                               .kafka_startup_timeout_ms = 5000,
                               .write_retry_timeout_ms = 5000,
                               .lag_interval_ms = 3600000,
                               .care = {.grace_ms = 3600000,
                                        .target_size = 128 << 20,
                                        .cpu_percent = 100,
                                        .memory_max = 64 << 20}};
}

static void lake_on_end(void) {
}

/* A run with availableNow. */
static inline void lake_run(void) {
    struct streaming *streaming;
    struct error err = {0};
    struct streaming_options options = {.queries = {&lake_at.options},
                                        .query_count = 1,
                                        .worker_count = 1,
                                        .memory_max = 512 << 20,
                                        .on_query_end = lake_on_end};
    if (!streaming_start(&streaming, &options, liar_open(), &err) ||
        !streaming_join(streaming, &err))
        fail_msg("the program: %s", err.message);
}

static inline void lake_care(struct care_request request) {
    struct error err = {0};
    const struct care_operation operation = {.query = &lake_at.options, .request = request};
    FILE *out = fopen(getenv("CHECKER_LOG") == NULL ? "/dev/null" : "/dev/stderr", "w");
    check(out != NULL);
    bool done = operation_care(&operation, out, &err);
    (void)fclose(out);
    if (!done)
        fail_msg("care: %s", err.message);
}

/* ---- the files in memory ---- */

struct tree_file {
    char *path, *bytes; // owned
    size_t size;
};

static struct {
    struct tree_file files[4096]; // ascending by path
    size_t count;
} tree;

static int tree_order(const void *a, const void *b) {
    return strcmp(((const struct tree_file *)a)->path, ((const struct tree_file *)b)->path);
}

static inline void tree_add(const char *path, const void *bytes, size_t size) {
    check(tree.count < sizeof tree.files / sizeof tree.files[0]);
    struct tree_file file = {text_copy(path), must_alloc(size + 1, 1), size};
    memcpy(file.bytes, bytes, size);
    tree.files[tree.count++] = file;
    qsort(tree.files, tree.count, sizeof tree.files[0], tree_order);
}

static int tree_take(const char *path, const struct stat *status, int type, struct FTW *at) {
    (void)at;
    if (type != FTW_F)
        return 0;
    size_t size = (size_t)status->st_size;
    char *bytes = must_alloc(size + 1, 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    check(fd >= 0 && read(fd, bytes, size) == (ssize_t)size && close(fd) == 0);
    tree_add(path, bytes, size);
    free(bytes);
    return 0;
}

static inline void tree_clear(void) {
    for (size_t i = 0; i < tree.count; i++) {
        free(tree.files[i].path);
        free(tree.files[i].bytes);
    }
    tree.count = 0;
}

static inline void tree_load(void) {
    tree_clear();
    check(nftw(lake_at.root, tree_take, 16, FTW_PHYS) == 0);
}

static inline void tree_remove(struct tree_file *file) {
    size_t at = (size_t)(file - tree.files);
    free(file->path);
    free(file->bytes);
    memmove(file, file + 1, (--tree.count - at) * sizeof *file);
}

static inline struct tree_file *tree_find(const char *path) {
    for (size_t i = 0; i < tree.count; i++)
        if (strcmp(tree.files[i].path, path) == 0)
            return &tree.files[i];
    return NULL;
}

const void *model_disk_bytes(const char *path, size_t *size) {
    const struct tree_file *file = tree_find(path);
    *size = file == NULL ? 0 : file->size;
    return file == NULL ? NULL : file->bytes;
}

void model_disk_walk(const char *directory,
                     void (*visit)(void *context, const char *path, size_t size), void *context) {
    size_t length = strlen(directory);
    for (size_t i = 0; i < tree.count; i++)
        if (strncmp(tree.files[i].path, directory, length) == 0 &&
            tree.files[i].path[length] == '/')
            visit(context, tree.files[i].path, tree.files[i].size);
}

bool model_disk_look(bool looks) {
    return looks;
}

#endif
