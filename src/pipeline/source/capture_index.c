#include "pipeline/source/capture_index.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

struct known_file {
    char *topic; // owned
    int32_t partition;
    size_t *marks; // owned
    size_t mark_count;
};

struct capture_index {
    pthread_mutex_t lock;     // guards what follows
    struct known_file *files; // owned
    size_t count;
};

struct capture_index *capture_index_create(void) {
    struct capture_index *index = must_alloc(1, sizeof *index);
    check(pthread_mutex_init(&index->lock, NULL) == 0);
    return index;
}

void capture_index_destroy(struct capture_index *index) {
    for (size_t i = 0; i < index->count; i++) {
        free(index->files[i].topic);
        free(index->files[i].marks);
    }
    free(index->files);
    check(pthread_mutex_destroy(&index->lock) == 0);
    free(index);
}

static struct known_file *find(struct capture_index *index, const char *topic, int32_t partition) {
    for (size_t i = 0; i < index->count; i++)
        if (index->files[i].partition == partition && strcmp(index->files[i].topic, topic) == 0)
            return &index->files[i];
    index->files = reallocarray(index->files, index->count + 1, sizeof *index->files);
    char *copy = strdup(topic);
    check(index->files != NULL && copy != NULL);
    index->files[index->count] = (struct known_file){.topic = copy, .partition = partition};
    return &index->files[index->count++];
}

bool capture_index_open_file(struct capture_index *index, struct capture_file *file,
                             const char *directory, const char *topic, int32_t partition,
                             struct error *err) {
    if (!capture_file_open(file, directory, topic, partition, err))
        return false;
    check(pthread_mutex_lock(&index->lock) == 0);
    const struct known_file *known = find(index, topic, partition);
    capture_file_know(file, known->marks, known->mark_count);
    check(pthread_mutex_unlock(&index->lock) == 0);

    if (!capture_file_refresh(file, err)) { // counting takes long: without the lock
        capture_file_close(file);
        return error_wrap(err, "'%s/%s-%d.ndjson'", directory, topic, (int)partition);
    }

    check(pthread_mutex_lock(&index->lock) == 0);
    struct known_file *now = find(index, topic, partition);
    if (now->mark_count < file->mark_count) {
        now->marks = reallocarray(now->marks, file->mark_count, sizeof *now->marks);
        check(now->marks != NULL);
        memcpy(now->marks, file->marks, file->mark_count * sizeof *now->marks);
        now->mark_count = file->mark_count;
    }
    check(pthread_mutex_unlock(&index->lock) == 0);
    return true;
}
