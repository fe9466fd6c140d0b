#include "pipeline/source/source_file.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"

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
    char *copy = strdup(topic);
    check(self->captures != NULL && copy != NULL);
    struct open_capture *capture = &self->captures[self->capture_count++];
    *capture = (struct open_capture){.topic = copy, .partition = partition, .file = file};
    return &capture->file;
}

static bool open_range(struct source *source, const char *topic, struct offset_range range,
                       struct error *err) {
    struct source_file *self = self_of(source);
    check(!self->is_open);
    check(range.start >= 0 && range.end >= range.start);
    struct capture_file *file = find_file(self, topic, range.partition, err);
    if (file == NULL || !capture_file_refresh(file, err))
        return false;
    if (range.start > file->lines)
        return error_set(err, ERROR_DATA_LOSS,
                         "topic '%s' partition %d: offset %lld is beyond the capture's %lld lines",
                         topic, (int)range.partition, (long long)range.start,
                         (long long)file->lines);
    self->range = range;
    self->file = file;
    self->next = range.start;
    self->at = capture_file_seek(file, range.start);
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
    if (!capture_file_refresh(self->file, err)) {
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
    capture_file_pass(self->file, self->at);
    struct text line = capture_file_line(self->file, &self->at);
    bool is_null = text_equals(line, TEXT("\\N"));
    *record = (struct record){
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
    (void)source; // nothing goes on between ranges
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
