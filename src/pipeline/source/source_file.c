/* source_file.c: lines of a mapped file as the records of a partition.
 *
 * A file's lines are counted once, and the start of every 1,024th is a mark; a line is found by
 * continuing from the mark before it. When the file has grown it is mapped again, and counting
 * continues from the last mark. An index remembers the marks of all files, so that another source
 * counts only what is new.
 *
 * What must stay true: a capture only grows. One that got shorter is an error. */
#include "pipeline/source/source_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/text.h"

enum {
    LINES_PER_MARK = 1024,
    WINDOW = 8 << 20, // bytes that stay in memory behind the reader
};

/* The line that starts at *at, without its end; *at moves to the next. There must be one. */
static struct text take_line(const struct capture_file *file, size_t *at) {
    const char *start = file->bytes + *at;
    size_t left = file->size - *at;
    const char *end = memchr(start, '\n', left);
    size_t length = end == NULL ? left : (size_t)(end - start);
    check(length <= UINT32_MAX);
    *at += end == NULL ? length : length + 1;
    return (struct text){.bytes = start, .length = (uint32_t)length};
}

/* Everything before `at` is not needed soon: a mapped file would count as this process's memory.
 * It can still be read. */
static void let_go(struct capture_file *file, size_t at) {
    if (at < file->passed || at - file->passed < WINDOW)
        return;
    // Only this mapping's pages go; the page cache keeps them, and they come back when looked at.
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t from = file->passed / page * page, size = at / page * page - from;
    (void)madvise((char *)file->bytes + from, size, MADV_DONTNEED);
    file->passed = at;
}

static void add_mark(struct capture_file *file, size_t start) {
    if (file->mark_count == file->mark_capacity) {
        file->mark_capacity = file->mark_capacity == 0 ? 1 : file->mark_capacity * 2;
        file->marks = reallocarray(file->marks, file->mark_capacity, sizeof *file->marks);
        check(file->marks != NULL);
    }
    file->marks[file->mark_count++] = start;
}

/* Before the first refresh: where lines 0, 1024, 2048… start, as someone counted. */
static void know_marks(struct capture_file *file, const size_t *marks, size_t count) {
    check(file->mark_count == 0);
    for (size_t i = 0; i < count; i++)
        add_mark(file, marks[i]);
}

/* Counts the lines from the last mark on, which may have been in the middle of growing. */
static void count_lines(struct capture_file *file) {
    size_t at = 0;
    if (file->mark_count > 0) {
        at = file->marks[--file->mark_count];
        file->lines = (int64_t)file->mark_count * LINES_PER_MARK;
        file->passed = at;
    }
    while (at < file->size) {
        if (file->lines % LINES_PER_MARK == 0)
            add_mark(file, at);
        (void)take_line(file, &at); // only its end matters
        file->lines++;
        let_go(file, at);
    }
    file->passed = 0;
}

/* Takes in what was appended since. ERROR_STATE: the file got shorter. */
static bool refresh(struct capture_file *file, struct error *err) {
    struct stat status;
    if (fstat(file->fd, &status) != 0)
        return error_set(err, ERROR_BROKER, "cannot read the status of the capture file: %s",
                         strerror(errno));
    size_t size = (size_t)status.st_size;
    if (size == file->size)
        return true;
    bool is_cut = file->mark_count > 0 && size < file->marks[file->mark_count - 1];
    if (size < file->size || is_cut)
        return error_set(err, ERROR_STATE,
                         "the capture file was truncated while it was being read");
    void *bytes = mmap(NULL, size, PROT_READ, MAP_SHARED, file->fd, 0);
    if (bytes == MAP_FAILED)
        return error_set(err, ERROR_BROKER, "cannot map the capture file into memory: %s",
                         strerror(errno));
    if (file->bytes != NULL)
        munmap((void *)file->bytes, file->size);
    file->bytes = bytes;
    file->size = size;
    count_lines(file);
    return true;
}

static bool open_capture_file(struct capture_file *file, const char *directory, const char *topic,
                              int32_t partition, struct error *err) {
    char path[PATH_MAX];
    int length =
        snprintf(path, sizeof path, "%s/%s-%" PRId32 ".ndjson", directory, topic, partition);
    if (length < 0 || (size_t)length >= sizeof path)
        return error_set(err, ERROR_CONFIG, "capture path '%s/…' is too long", directory);
    *file = (struct capture_file){.fd = open(path, O_RDONLY | O_CLOEXEC)};
    if (file->fd < 0)
        return error_set(err, ERROR_BROKER, "capture '%s': %s", path, strerror(errno));
    return true;
}

void capture_file_close(struct capture_file *file) {
    if (file->bytes != NULL)
        munmap((void *)file->bytes, file->size);
    if (file->fd >= 0)
        close(file->fd);
    free(file->marks);
    *file = (struct capture_file){.fd = -1};
}

/* Where the line starts; 0 <= line <= lines. */
static size_t seek_line(const struct capture_file *file, int64_t line) {
    check(line >= 0 && line <= file->lines);
    if (line == file->lines)
        return file->size;
    size_t at = file->marks[line / LINES_PER_MARK];
    for (int64_t i = line % LINES_PER_MARK; i > 0; i--)
        (void)take_line(file, &at); // only its end matters
    return at;
}

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
    check(index->files != NULL);
    index->files[index->count] =
        (struct known_file){.topic = text_copy(topic), .partition = partition};
    return &index->files[index->count++];
}

bool capture_index_open_file(struct capture_index *index, struct capture_file *file,
                             const char *directory, const char *topic, int32_t partition,
                             struct error *err) {
    if (!open_capture_file(file, directory, topic, partition, err))
        return false;
    check(pthread_mutex_lock(&index->lock) == 0);
    const struct known_file *known = find(index, topic, partition);
    know_marks(file, known->marks, known->mark_count);
    check(pthread_mutex_unlock(&index->lock) == 0);

    if (!refresh(file, err)) { // counting takes long: without the lock
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

/* A file stays open until the source is closed. */
struct open_capture {
    char *topic; // owned
    int32_t partition;
    struct capture_file file;
};

struct source_file {
    struct source source;
    const char *directory;
    struct capture_index *index;
    struct open_capture *captures; // owned
    size_t capture_count;

    bool is_open;
    struct offset_range range;
    struct capture_file *file; // the open range's
    int64_t next;              // offset
    size_t at;                 // where its line starts
};

static struct source_file *self_of(struct source *source) {
    return (struct source_file *)source;
}

static struct capture_file *find_file(struct source_file *self, const char *topic,
                                      int32_t partition, struct error *err) {
    for (size_t i = 0; i < self->capture_count; i++) {
        struct open_capture *capture = &self->captures[i];
        if (capture->partition == partition && strcmp(capture->topic, topic) == 0)
            return &capture->file;
    }
    struct capture_file file;
    if (!capture_index_open_file(self->index, &file, self->directory, topic, partition, err))
        return NULL;
    self->captures = reallocarray(self->captures, self->capture_count + 1, sizeof *self->captures);
    check(self->captures != NULL);
    struct open_capture *capture = &self->captures[self->capture_count++];
    *capture =
        (struct open_capture){.topic = text_copy(topic), .partition = partition, .file = file};
    return &capture->file;
}

static bool open_range(struct source *source, const char *topic, struct offset_range range,
                       struct error *err) {
    struct source_file *self = self_of(source);
    check(!self->is_open);
    check(range.start >= 0 && range.end >= range.start);
    struct capture_file *file = find_file(self, topic, range.partition, err);
    if (file == NULL)
        return false;
    if (!refresh(file, err))
        return error_wrap(err, "topic '%s' partition %d", topic, (int)range.partition);
    if (range.start > file->lines)
        return error_set(err, ERROR_DATA_LOSS,
                         "topic '%s' partition %d: offset %lld is beyond the capture's %s", topic,
                         (int)range.partition, (long long)range.start,
                         text_count(file->lines, "line").text);
    self->range = range;
    self->file = file;
    self->next = range.start;
    self->at = seek_line(file, range.start);
    if (self->at < file->passed)
        file->passed = self->at;
    self->is_open = true;
    return true;
}

static enum source_status wait_for_more(struct source_file *self, int timeout_ms,
                                        struct error *err) {
    *err = (struct error){0};
    struct timespec pause = {.tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * 1000000L};
    nanosleep(&pause, NULL);
    if (!refresh(self->file, err)) {
        (void)error_wrap(err, "partition %d", (int)self->range.partition);
        self->is_open = false;
        return SOURCE_FAILED;
    }
    return SOURCE_WAIT;
}

static enum source_status read_record(struct source *source, struct record *record, int timeout_ms,
                                      struct error *err) {
    struct source_file *self = self_of(source);
    check(self->is_open);
    if (self->next == self->range.end) {
        self->is_open = false;
        return SOURCE_END;
    }
    if (self->next == self->file->lines)
        return wait_for_more(self, timeout_ms, err);
    let_go(self->file, self->at);
    struct text line = take_line(self->file, &self->at);
    bool is_null = text_equals(line, TEXT("\\N"));
    *record = (struct record){
        .timestamp_type = -1,
        .partition = self->range.partition,
        .offset = self->next,
        .timestamp_ms = self->next,
        .value = is_null ? NULL : line.bytes,
        .value_size = is_null ? 0 : line.length,
    };
    self->next++;
    return SOURCE_RECORD;
}

static void abandon_range(struct source *source) {
    self_of(source)->is_open = false;
}

static void expect_ranges(struct source *source, const char *topic,
                          const struct offset_range *ranges, size_t count) {
    (void)source, (void)topic, (void)ranges, (void)count; // a file is there at once
}

static void rest(struct source *source) {
    (void)source; // nothing happens between ranges
}

static void close_source(struct source *source) {
    struct source_file *self = self_of(source);
    for (size_t i = 0; i < self->capture_count; i++) {
        capture_file_close(&self->captures[i].file);
        free(self->captures[i].topic);
    }
    free(self->captures);
    free(self);
}

struct source *source_file_open(const char *directory, struct capture_index *index) {
    static const struct source_ops ops = {
        .expect_ranges = expect_ranges,
        .open_range = open_range,
        .read = read_record,
        .abandon_range = abandon_range,
        .rest = rest,
        .close = close_source,
    };
    struct source_file *self = must_alloc(1, sizeof *self);
    self->source.ops = &ops;
    self->directory = directory;
    self->index = index;
    return &self->source;
}
