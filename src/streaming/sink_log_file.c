#include "streaming/sink_log_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/disk.h"
#include "base/json.h"
#include "base/scope.h"

enum {
    CHUNK_SIZE = 64 << 10,
    HEADER_SIZE = 2, // "v1"
};

static const char damaged[] = "restore it from a backup, or rebuild the log from the files of the "
                              "table";

struct stream {
    const char *path;
    int fd;
    char *bytes;       // owned; CHUNK_SIZE
    size_t start, end; // what is read and not taken yet
    bool at_end;
};

static void stream_close(struct stream *stream) {
    disk_scope_close(&stream->fd);
    free(stream->bytes);
}

/* Moves what is left to the front and reads behind it. False: the disk won't. */
static bool stream_fill(struct stream *stream, struct error *err) {
    memmove(stream->bytes, stream->bytes + stream->start, stream->end - stream->start);
    stream->end -= stream->start;
    stream->start = 0;
    while (!stream->at_end && stream->end < CHUNK_SIZE) {
        ssize_t got = disk->read(stream->fd, stream->bytes + stream->end, CHUNK_SIZE - stream->end);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set(err, ERROR_RETRY, "read '%s': %s", stream->path, strerror(errno));
        stream->at_end = got == 0;
        stream->end += (size_t)got;
    }
    return true;
}

/* Opens behind the header. With *found false there is nothing to close. */
static bool stream_open(struct stream *stream, const char *path, bool *found, struct error *err) {
    *stream = (struct stream){.path = path, .fd = disk->open(path, O_RDONLY | O_CLOEXEC, 0)};
    *found = stream->fd >= 0;
    if (stream->fd < 0)
        return errno == ENOENT
                   ? true
                   : error_set(err, ERROR_RETRY, "open '%s': %s", path, strerror(errno));
    stream->bytes = must_alloc(CHUNK_SIZE, 1);
    bool ok = stream_fill(stream, err);
    if (ok && (stream->end < HEADER_SIZE || memcmp(stream->bytes, "v1", HEADER_SIZE) != 0 ||
               (stream->end > HEADER_SIZE && stream->bytes[HEADER_SIZE] != '\n')))
        ok = error_set(err, ERROR_STATE, "'%s' does not begin with a line 'v1': %s", path, damaged);
    stream->start = HEADER_SIZE;
    if (!ok)
        stream_close(stream);
    return ok;
}

/* Holds a newline back until something follows it: at the end of a file it would become an empty
 * line in the middle of the copy. */
static bool copy_stream(struct stream *stream, struct file_draft *draft, struct error *err) {
    bool newline_held = false;
    while (stream->start < stream->end) {
        size_t size = stream->end - stream->start;
        const char *bytes = stream->bytes + stream->start;
        if (newline_held && !file_draft_write(draft, "\n", 1, err))
            return false;
        newline_held = bytes[size - 1] == '\n';
        if (!file_draft_write(draft, bytes, size - (newline_held ? 1 : 0), err))
            return false;
        stream->start = stream->end;
        if (!stream_fill(stream, err))
            return false;
    }
    return true;
}

/* As stream_open(), of a file that must be there. */
static bool stream_open_present(struct stream *stream, const char *path, struct error *err) {
    bool found;
    if (!stream_open(stream, path, &found, err))
        return false;
    return found || error_set(err, ERROR_STATE, "'%s' is missing: %s", path, damaged);
}

bool sink_log_file_check(const char *path, struct error *err) {
    struct stream stream;
    if (!stream_open_present(&stream, path, err))
        return false;
    stream_close(&stream);
    return true;
}

bool sink_log_file_copy(const char *path, struct file_draft *draft, struct error *err) {
    struct stream stream;
    if (!stream_open_present(&stream, path, err))
        return false;
    bool ok = copy_stream(&stream, draft, err);
    stream_close(&stream);
    return ok;
}

/* The next line, without its newline, inside the stream's buffer; NULL at the end. */
static bool stream_line(struct stream *stream, const char **line, size_t *size, struct error *err) {
    for (int attempt = 0; attempt < 2; attempt++) {
        const char *from = stream->bytes + stream->start;
        const char *newline = memchr(from, '\n', stream->end - stream->start);
        if (newline != NULL || (stream->at_end && attempt == 1)) {
            *size = newline != NULL ? (size_t)(newline - from) : stream->end - stream->start;
            *line = newline == NULL && *size == 0 ? NULL : from;
            stream->start += *size + (newline != NULL ? 1 : 0);
            return true;
        }
        if (!stream_fill(stream, err))
            return false;
    }
    return error_set(err, ERROR_STATE, "'%s' has a line of more than %d bytes: %s", stream->path,
                     CHUNK_SIZE, damaged);
}

/* What is no entry is an error before it is visited. */
static bool visit_line(const struct stream *stream, const char *line, size_t size,
                       sink_log_entry_fn *visit, void *context, struct error *err) {
    struct json *entry = json_parse(line, size, err);
    bool ok = entry != NULL && json_member_text(entry, "path") != NULL;
    if (!ok)
        error_set(err, ERROR_STATE, "'%s' has a line that describes no file: %s", stream->path,
                  damaged);
    ok = ok && visit(context, entry, err);
    json_free(entry);
    return ok;
}

static bool each_line(struct stream *stream, sink_log_entry_fn *visit, void *context,
                      struct error *err) {
    for (;;) {
        const char *line = NULL;
        size_t size = 0;
        if (!stream_line(stream, &line, &size, err))
            return false;
        if (line == NULL)
            return true;
        if (size > 0 && !visit_line(stream, line, size, visit, context, err))
            return false;
    }
}

bool sink_log_file_entries(const char *path, sink_log_entry_fn *visit, void *context, bool *found,
                           struct error *err) {
    struct stream stream;
    if (!stream_open(&stream, path, found, err))
        return false;
    if (!*found)
        return true;
    bool ok = each_line(&stream, visit, context, err);
    stream_close(&stream);
    return ok;
}

struct uri_visitor {
    void (*visit)(void *context, const char *uri);
    void *context;
};

static bool visit_uri(void *context, struct json *entry, struct error *err) {
    const struct uri_visitor *visitor = context;
    (void)err;
    visitor->visit(visitor->context, json_member_text(entry, "path"));
    return true;
}

bool sink_log_file_each(const char *path, void (*visit)(void *context, const char *uri),
                        void *context, bool *found, struct error *err) {
    struct uri_visitor visitor = {visit, context};
    return sink_log_file_entries(path, visit_uri, &visitor, found, err);
}
