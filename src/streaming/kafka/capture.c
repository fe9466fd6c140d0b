/* capture.c: the broker of streaming/kafka/broker.h that is a directory of captured records.
 *
 * A partition is a file, an offset is a line's number, and the end is the number of lines. So a
 * listing has to count lines, which it does on several threads; an index (source_file.h)
 * remembers the count and where lines begin, for the listings and sources that follow. */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/limit.h"
#include "base/nearest.h"
#include "base/scope.h"
#include "base/system/process.h"
#include "base/text.h"
#include "pipeline/source/source_file.h"
#include "streaming/kafka/broker.h"

struct capture_broker {
    struct broker broker;
    const char *directory;       // borrowed
    struct capture_index *index; // owned
};

static struct capture_broker *self_of(struct broker *broker) {
    return (struct capture_broker *)broker;
}

/* The partition in "<topic>-<partition>.ndjson", or -1. */
static int32_t partition_of(const char *name, const char *topic) {
    size_t length = strlen(topic);
    if (strncmp(name, topic, length) != 0 || name[length] != '-')
        return -1;
    const char *digits = name + length + 1;
    if (*digits < '0' || *digits > '9')
        return -1;
    char *end;
    long partition = strtol(digits, &end, 10);
    return strcmp(end, ".ndjson") == 0 && partition <= INT32_MAX ? (int32_t)partition : -1;
}

static void add_partition(struct topic_offsets *offsets, int32_t partition) {
    offsets->partitions =
        reallocarray(offsets->partitions, offsets->count + 1, sizeof *offsets->partitions);
    check(offsets->partitions != NULL);
    offsets->partitions[offsets->count++] =
        (struct partition_offsets){.partition = partition, .high = BROKER_NOT_ASKED};
}

/* Counting the lines of some files, on as many threads as there are processors: before the first
 * batch of a large capture nothing else can be done. */
struct counting {
    struct capture_broker *broker;
    const char *topic;
    struct topic_offsets *offsets;
    atomic_size_t next;
    pthread_mutex_t lock; // guards error
    bool failed;
    struct error error; // the first
};

static void count_file(struct counting *counting, struct partition_offsets *partition) {
    struct capture_file file;
    struct error err = {0};
    if (capture_index_open_file(counting->broker->index, &file, counting->broker->directory,
                                counting->topic, partition->partition, &err)) {
        partition->end = file.lines;
        capture_file_close(&file);
        return;
    }
    check(pthread_mutex_lock(&counting->lock) == 0);
    if (!counting->failed)
        counting->error = err;
    counting->failed = true;
    check(pthread_mutex_unlock(&counting->lock) == 0);
}

static void *count_files(void *argument) {
    struct counting *counting = argument;
    for (;;) {
        size_t index = atomic_fetch_add(&counting->next, 1);
        if (index >= counting->offsets->count)
            return NULL;
        count_file(counting, &counting->offsets->partitions[index]);
    }
}

enum { COUNTERS_MAX = 16 };

static bool count_all(struct capture_broker *self, const char *topic, struct topic_offsets *offsets,
                      struct error *err) {
    struct counting counting = {.broker = self, .topic = topic, .offsets = offsets};
    check(pthread_mutex_init(&counting.lock, NULL) == 0);
    pthread_t threads[COUNTERS_MAX];
    size_t wanted = (size_t)processors_available(), started = 0;
    wanted = wanted > COUNTERS_MAX ? COUNTERS_MAX : wanted;
    wanted = wanted > offsets->count ? offsets->count : wanted;
    // This thread counts, too; without the others it takes longer.
    while (started + 1 < wanted &&
           pthread_create(&threads[started], NULL, count_files, &counting) == 0)
        started++;
    (void)count_files(&counting);
    for (size_t i = 0; i < started; i++)
        check(pthread_join(threads[i], NULL) == 0);
    check(pthread_mutex_destroy(&counting.lock) == 0);
    if (counting.failed)
        *err = counting.error;
    return !counting.failed;
}

static int by_partition(const void *a, const void *b) {
    const struct partition_offsets *left = a, *right = b;
    return (left->partition > right->partition) - (left->partition < right->partition);
}

/* The topic of another file, "<topic>-<partition>.ndjson". */
static void offer_topic(struct nearest *nearest, const char *name) {
    const char *dash = strrchr(name, '-');
    if (dash == NULL || !text_ends_with(name, ".ndjson"))
        return;
    scoped(scope_free) char *topic = text_format("%.*s", (int)(dash - name), name);
    nearest_offer(nearest, topic);
}

static bool list_files(struct capture_broker *self, DIR *directory, const char *topic,
                       struct topic_offsets *offsets, struct error *err) {
    const struct dirent *entry;
    struct nearest nearest = {.given = topic};
    while ((entry = readdir(directory)) != NULL) {
        int32_t partition = partition_of(entry->d_name, topic);
        if (partition >= 0)
            add_partition(offsets, partition);
        else
            offer_topic(&nearest, entry->d_name);
    }
    bool near = nearest.word[0] != '\0';
    if (offsets->count == 0)
        return error_set(err, ERROR_BROKER,
                         "topic '%s' does not exist: there is no '%s/%s-0.ndjson'%s%s%s", topic,
                         self->directory, topic, near ? "; did you mean '" : "", nearest.word,
                         near ? "'?" : "");
    qsort(offsets->partitions, offsets->count, sizeof *offsets->partitions, by_partition);
    return count_all(self, topic, offsets, err);
}

static bool list_offsets(struct broker *broker, const char *topic, int timeout_ms,
                         struct topic_offsets *offsets, struct error *err) {
    (void)timeout_ms;
    struct capture_broker *self = self_of(broker);
    DIR *directory = opendir(self->directory);
    if (directory == NULL)
        return error_set(err, ERROR_BROKER, "capture directory '%s': %s", self->directory,
                         strerror(errno));
    struct topic_offsets result = {0};
    bool listed = list_files(self, directory, topic, &result, err);
    closedir(directory);
    if (listed)
        *offsets = result;
    else
        topic_offsets_deinit(&result);
    return listed;
}

static bool open_source(struct broker *broker, struct source_memory memory, struct source **source,
                        struct error *err) {
    (void)memory, (void)err; // the file is mapped: nothing is held
    *source = source_file_open(self_of(broker)->directory, self_of(broker)->index);
    return true;
}

static void close_broker(struct broker *broker) {
    capture_index_destroy(self_of(broker)->index);
    free(self_of(broker));
}

bool capture_broker_open(const char *directory, struct broker **broker, struct error *err) {
    static const struct broker_ops ops = {
        .list_offsets = list_offsets, .open_source = open_source, .close = close_broker};
    DIR *opened = opendir(directory);
    if (opened == NULL && limit_is_behind(errno))
        return limit_error(err, "cannot open the capture directory", errno);
    if (opened == NULL)
        return error_set(err, ERROR_CONFIG, "capture directory '%s': %s", directory,
                         strerror(errno));
    closedir(opened);
    struct capture_broker *self = must_alloc(1, sizeof *self);
    self->broker.ops = &ops;
    self->directory = directory;
    self->index = capture_index_create();
    *broker = &self->broker;
    return true;
}
