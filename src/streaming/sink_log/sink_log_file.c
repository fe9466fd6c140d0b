/* sink_log_file.c: one file of the log, read in pieces.
 *
 * A buffer of one piece holds the lines that are being looked at, and no line may be longer. Most
 * lines are never parsed: a copy moves bytes, and a look at names takes the `path` from a line that
 * is written as every Spark writes it; only others go through the JSON parser. */
#include "streaming/sink_log/sink_log_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/json.h"
#include "base/text.h"

enum {
    CHUNK_SIZE = 64 << 10,
};

static const char damaged[] =
    "restore it from a backup, or rebuild the log from the files of the table";

void sink_log_file_name(int64_t batch_id, bool compact, char name[static SINK_LOG_NAME_MAX]) {
    (void)snprintf(name, SINK_LOG_NAME_MAX, "%" PRId64 "%s", batch_id, compact ? ".compact" : "");
}

static void stream_close(struct sink_log_stream *stream) {
    file_reader_close(&stream->file);
    free(stream->bytes);
}

/* Its entries would be missed silently. */
static bool became_shorter(const struct file_reader *file, struct error *err) {
    return error_set(err, ERROR_RETRY, "cannot read '%s': it was truncated meanwhile", file->path);
}

/* Moves what is left to the front and reads behind it. False: the disk won't. */
static bool stream_fill(struct sink_log_stream *stream, struct error *err) {
    memmove(stream->bytes, stream->bytes + stream->start, stream->end - stream->start);
    stream->end -= stream->start;
    stream->start = 0;
    if (stream->at_end)
        return true;
    size_t wanted = CHUNK_SIZE - stream->end, got;
    if (!file_reader_read(&stream->file, stream->next, stream->bytes + stream->end, wanted, &got,
                          err))
        return false;
    stream->at_end = got < wanted;
    stream->end += got;
    stream->next += (int64_t)got;
    return !stream->at_end || stream->next >= stream->file.size ||
           became_shorter(&stream->file, err);
}

/* Opens behind the header. With *found false there is nothing to close. */
static bool stream_open(struct sink_log_stream *stream, const char *path, bool *found,
                        struct error *err) {
    *stream = (struct sink_log_stream){0};
    if (!file_reader_open(&stream->file, path, found, err))
        return false;
    if (!*found)
        return true;
    stream->bytes = must_alloc(CHUNK_SIZE, 1);
    bool ok = stream_fill(stream, err);
    if (ok && (stream->end < SINK_LOG_HEADER_SIZE ||
               memcmp(stream->bytes, "v1", SINK_LOG_HEADER_SIZE) != 0 ||
               (stream->end > SINK_LOG_HEADER_SIZE && stream->bytes[SINK_LOG_HEADER_SIZE] != '\n')))
        ok = error_set(err, ERROR_STATE, "the first line of '%s' is not 'v1': %s", path, damaged);
    stream->start = SINK_LOG_HEADER_SIZE;
    if (!ok)
        stream_close(stream);
    return ok;
}

/* As stream_open(), of a file that must be there. */
static bool stream_open_present(struct sink_log_stream *stream, const char *path,
                                struct error *err) {
    bool found;
    if (!stream_open(stream, path, &found, err))
        return false;
    return found || error_set(err, ERROR_STATE, "'%s' is missing: %s", path, damaged);
}

bool sink_log_copy_open(struct sink_log_copy *copy, const char *path, struct error *err) {
    copy->newline_held = false;
    return stream_open_present(&copy->stream, path, err);
}

/* Holds a newline back until something follows it: at the end of a file it would become an empty
 * line in the middle of the copy. */
bool sink_log_copy_step(struct sink_log_copy *copy, struct file_draft *draft, size_t *size,
                        bool *done, struct error *err) {
    struct sink_log_stream *stream = &copy->stream;
    const char *bytes = stream->bytes + stream->start;
    *size = stream->end - stream->start;
    if (*size > 0) {
        bool newline_held = bytes[*size - 1] == '\n';
        if ((copy->newline_held && !file_draft_write(draft, "\n", 1, err)) ||
            !file_draft_write(draft, bytes, *size - (newline_held ? 1 : 0), err))
            return false;
        copy->newline_held = newline_held;
        stream->start = stream->end;
        if (!stream_fill(stream, err))
            return false;
    }
    *done = stream->start == stream->end;
    return true;
}

void sink_log_copy_close(struct sink_log_copy *copy) {
    stream_close(&copy->stream);
}

/* The next line, without its newline, inside the stream's buffer; NULL at the end. */
static bool stream_line(struct sink_log_stream *stream, const char **line, size_t *size,
                        struct error *err) {
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
    return error_set(err, ERROR_STATE, "'%s' has a line longer than %d bytes: %s",
                     stream->file.path, CHUNK_SIZE, damaged);
}

/* What is done with a line of the file. */
typedef bool line_fn(const struct sink_log_stream *stream, const char *line, size_t size,
                     void *context, struct error *err);

static bool not_an_entry(const struct sink_log_stream *stream, struct error *err) {
    return error_set(err, ERROR_STATE, "'%s' has a line that does not describe a file: %s",
                     stream->file.path, damaged);
}

/* The `path` of a line as every Spark writes it, `{"path":"…",`; NULL: it is written otherwise. The
 * text is copied to `uri`, which has room for a line. */
static const char *plain_uri(const char *line, size_t size, char *uri) {
    static const char start[] = "{\"path\":\"";
    enum { START_SIZE = sizeof start - 1 };
    if (size <= START_SIZE || memcmp(line, start, START_SIZE) != 0)
        return NULL;
    const char *from = line + START_SIZE;
    size_t rest = size - START_SIZE;
    const char *end = memchr(from, '"', rest);
    if (end == NULL || line[size - 1] != '}' || memchr(from, '\\', (size_t)(end - from)) != NULL)
        return NULL;
    memcpy(uri, from, (size_t)(end - from));
    uri[end - from] = '\0';
    return uri;
}

struct uri_visitor {
    sink_log_line_fn *visit;
    void *context;
    char *room; // for a line
};

/* A million lines of JSON take seconds to parse, and only one member of them is wanted. */
static bool visit_uri(const struct sink_log_stream *stream, const char *line, size_t size,
                      void *context, struct error *err) {
    const struct uri_visitor *visitor = context;
    const char *uri = plain_uri(line, size, visitor->room);
    if (uri != NULL)
        return visitor->visit(visitor->context, line, size, uri, err);
    struct json *entry = json_parse(line, size, err);
    uri = entry == NULL ? NULL : json_member_text(entry, "path");
    bool ok = uri != NULL ? visitor->visit(visitor->context, line, size, uri, err)
                          : not_an_entry(stream, err);
    json_free(entry);
    return ok;
}

struct entry_visitor {
    sink_log_entry_fn *visit;
    void *context;
};

/* An invalid entry is an error before it is visited. */
static bool visit_entry(const struct sink_log_stream *stream, const char *line, size_t size,
                        void *context, struct error *err) {
    const struct entry_visitor *visitor = context;
    struct json *entry = json_parse(line, size, err);
    bool ok =
        (entry != NULL && json_member_text(entry, "path") != NULL) || not_an_entry(stream, err);
    ok = ok && visitor->visit(visitor->context, entry, err);
    json_free(entry);
    return ok;
}

static bool each_line(struct sink_log_stream *stream, line_fn *visit, void *context,
                      struct error *err) {
    for (;;) {
        const char *line = NULL;
        size_t size = 0;
        if (!stream_line(stream, &line, &size, err))
            return false;
        if (line == NULL)
            return true;
        if (size > 0 && !visit(stream, line, size, context, err))
            return false;
    }
}

static bool each_uri(struct sink_log_stream *stream, sink_log_line_fn *visit, void *context,
                     struct error *err) {
    struct uri_visitor visitor = {visit, context, must_alloc(CHUNK_SIZE, 1)};
    bool ok = each_line(stream, visit_uri, &visitor, err);
    free(visitor.room);
    return ok;
}

/* Visits every line of the file, if there is one. */
static bool each_line_of(const char *path, line_fn *visit, void *context, bool *found,
                         struct error *err) {
    struct sink_log_stream stream;
    if (!stream_open(&stream, path, found, err))
        return false;
    if (!*found)
        return true;
    bool ok = each_line(&stream, visit, context, err);
    stream_close(&stream);
    return ok;
}

bool sink_log_file_lines(const char *path, sink_log_line_fn *visit, void *context, bool *found,
                         struct error *err) {
    struct uri_visitor visitor = {visit, context, must_alloc(CHUNK_SIZE, 1)};
    bool ok = each_line_of(path, visit_uri, &visitor, found, err);
    free(visitor.room);
    return ok;
}

struct plain_visitor {
    void (*visit)(void *context, const char *uri);
    void *context;
};

static bool visit_plain(void *context, const char *line, size_t size, const char *uri,
                        struct error *err) {
    const struct plain_visitor *visitor = context;
    (void)line, (void)size, (void)err;
    visitor->visit(visitor->context, uri);
    return true;
}

bool sink_log_file_each(const char *path, void (*visit)(void *context, const char *uri),
                        void *context, bool *found, struct error *err) {
    struct plain_visitor visitor = {visit, context};
    return sink_log_file_lines(path, visit_plain, &visitor, found, err);
}

bool sink_log_file_entries(const char *path, sink_log_entry_fn *visit, void *context, bool *found,
                           struct error *err) {
    struct entry_visitor visitor = {visit, context};
    return each_line_of(path, visit_entry, &visitor, found, err);
}

static bool visit_nothing(void *context, const char *line, size_t size, const char *uri,
                          struct error *err) {
    (void)context, (void)line, (void)size, (void)uri, (void)err;
    return true;
}

bool sink_log_file_check(const char *path, struct error *err) {
    struct sink_log_stream stream;
    if (!stream_open_present(&stream, path, err))
        return false;
    bool ok = each_uri(&stream, visit_nothing, NULL, err);
    stream_close(&stream);
    return ok;
}

/* The last `size` bytes of a file that had at least as many when it was opened. */
static bool read_tail(const struct file_reader *file, char *bytes, size_t size, struct error *err) {
    size_t got;
    if (!file_reader_read(file, file->size - (int64_t)size, bytes, size, &got, err))
        return false;
    return got == size || became_shorter(file, err);
}

static bool tail_of(const char *path, char *bytes, size_t size, bool *found, struct error *err) {
    struct file_reader file;
    if (!file_reader_open(&file, path, found, err))
        return false;
    if (!*found)
        return true;
    *found = file.size >= (int64_t)size;
    bool ok = !*found || read_tail(&file, bytes, size, err);
    file_reader_close(&file);
    return ok;
}

bool sink_log_file_ends_with(const char *path, const char *bytes, size_t size, bool *same,
                             struct error *err) {
    char *tail = must_alloc(size + 1, 1);
    bool ok = tail_of(path, tail, size, same, err);
    *same = ok && *same && memcmp(tail, bytes, size) == 0;
    free(tail);
    return ok;
}

bool sink_log_file_check_ends(const char *path, struct error *err) {
    struct sink_log_stream stream;
    if (!stream_open_present(&stream, path, err))
        return false;
    // A whole file that is not larger than a line can be; else its last bytes as if they were one.
    bool ok = true;
    if (!stream.at_end) {
        ok = read_tail(&stream.file, stream.bytes, CHUNK_SIZE, err);
        const char *newline = ok ? memchr(stream.bytes, '\n', CHUNK_SIZE) : NULL;
        stream.at_end = true;
        stream.end = CHUNK_SIZE;
        stream.start = newline != NULL ? (size_t)(newline - stream.bytes) : 0;
    }
    ok = ok && each_uri(&stream, visit_nothing, NULL, err);
    stream_close(&stream);
    return ok;
}

/* ---- rewritten files ---- */

enum { BUFFER_SIZE = 64 << 10 };

bool sink_log_writer_open(struct sink_log_writer *writer, const char *directory, const char *name,
                          struct error *err) {
    *writer = (struct sink_log_writer){.draft.fd = -1};
    if (!file_draft_open(&writer->draft, directory, name, err))
        return false;
    writer->buffer = must_alloc(BUFFER_SIZE, 1);
    memcpy(writer->buffer, "v1", 2);
    writer->used = 2;
    return true;
}

void sink_log_writer_discard(struct sink_log_writer *writer) {
    file_draft_discard(&writer->draft);
    free(writer->buffer);
    writer->buffer = NULL;
}

static bool put(struct sink_log_writer *writer, const char *bytes, size_t size, struct error *err) {
    if (writer->used + size > BUFFER_SIZE) {
        if (!file_draft_write(&writer->draft, writer->buffer, writer->used, err))
            return false;
        writer->used = 0;
    }
    if (size > BUFFER_SIZE)
        return file_draft_write(&writer->draft, bytes, size, err);
    memcpy(writer->buffer + writer->used, bytes, size);
    writer->used += size;
    return true;
}

bool sink_log_writer_add(struct sink_log_writer *writer, const char *line, struct error *err) {
    return sink_log_writer_add_bytes(writer, line, strlen(line), err);
}

bool sink_log_writer_add_bytes(struct sink_log_writer *writer, const char *line, size_t size,
                               struct error *err) {
    writer->entries++;
    return put(writer, "\n", 1, err) && put(writer, line, size, err);
}

bool sink_log_writer_replace(struct sink_log_writer *writer, struct error *err) {
    bool ok = file_draft_write(&writer->draft, writer->buffer, writer->used, err) &&
              file_draft_replace(&writer->draft, err);
    sink_log_writer_discard(writer);
    return ok;
}

struct log_layout log_layout_of(int64_t last, int64_t interval) {
    int64_t compacted = (last + 1) / interval * interval - 1;
    struct log_layout layout = {.last = last, .compact = compacted >= 0};
    layout.first = layout.compact ? compacted : 0;
    layout.holder = layout.compact ? compacted : last;
    sink_log_file_name(layout.holder, layout.compact, layout.name);
    return layout;
}

bool log_layout_write_empty(const struct log_layout *layout, const char *directory,
                            struct error *err) {
    for (int64_t batch = layout->first; batch <= layout->last; batch++) {
        char name[SINK_LOG_NAME_MAX];
        sink_log_file_name(batch, false, name);
        if (batch != layout->holder && !file_replace(directory, name, "v1", 2, err))
            return false;
    }
    return true;
}

/* ---- the end of a file ----
 *
 * Read backwards: a piece from its end, and if the entry is not in it, a piece that is eight times
 * as long, until it is the whole file. */

enum { TAIL_FIRST = 64 << 10, TAIL_GROWTH = 8 };

/* The last bytes of a file, without newlines at its end. */
struct tail {
    char *bytes; // owned, terminated; NULL: there is no such file
    size_t size;
    bool whole; // nothing is before them
};

static bool tail_read(struct tail *tail, const char *path, size_t most, struct error *err) {
    struct file_reader file;
    bool found;
    *tail = (struct tail){0};
    if (!file_reader_open(&file, path, &found, err))
        return false;
    if (!found)
        return true;
    tail->whole = (size_t)file.size <= most;
    tail->size = tail->whole ? (size_t)file.size : most;
    tail->bytes = must_alloc(tail->size + 1, 1);
    bool ok = read_tail(&file, tail->bytes, tail->size, err);
    file_reader_close(&file);
    if (!ok) {
        free(tail->bytes);
        return false;
    }
    while (tail->size > 0 && tail->bytes[tail->size - 1] == '\n')
        tail->bytes[--tail->size] = '\0';
    return true;
}

bool sink_log_last_line(const char *path, char **line, struct error *err) {
    *line = NULL;
    for (size_t most = TAIL_FIRST;; most *= TAIL_GROWTH) {
        struct tail tail;
        if (!tail_read(&tail, path, most, err))
            return false;
        const char *newline = tail.bytes == NULL ? NULL : memrchr(tail.bytes, '\n', tail.size);
        if (newline != NULL) // else only the header, or a part of a line
            *line = text_copy(newline + 1);
        free(tail.bytes);
        if (newline != NULL || tail.whole || tail.bytes == NULL)
            return true;
    }
}

/* Where the lines behind `line` begin; NULL: it is not among them. */
static char *behind(const struct tail *tail, const char *line) {
    size_t size = strlen(line);
    char *at = tail->bytes, *end = tail->bytes + tail->size;
    while ((at = memmem(at, (size_t)(end - at), line, size)) != NULL) {
        char *next = at + size;
        if (at > tail->bytes && at[-1] == '\n' && (*next == '\n' || *next == '\0'))
            return *next == '\0' ? next : next + 1;
        at++;
    }
    return NULL;
}

static bool visit_lines(const char *path, char *lines, sink_log_entry_fn *visit, void *context,
                        struct error *err) {
    for (char *line = strsep(&lines, "\n"); line != NULL; line = strsep(&lines, "\n")) {
        if (*line == '\0')
            continue;
        struct json *entry = json_parse(line, strlen(line), err);
        bool ok =
            (entry != NULL && json_member_text(entry, "path") != NULL) ||
            error_set(err, ERROR_STATE, "'%s' has a line that does not describe a file", path);
        ok = ok && visit(context, entry, err);
        json_free(entry);
        if (!ok)
            return false;
    }
    return true;
}

bool sink_log_entries_behind(const char *path, const char *line, sink_log_entry_fn *visit,
                             void *context, bool *found, struct error *err) {
    *found = false;
    for (size_t most = TAIL_FIRST; !*found; most *= TAIL_GROWTH) {
        struct tail tail;
        if (!tail_read(&tail, path, most, err))
            return false;
        char *lines = tail.bytes == NULL ? NULL : behind(&tail, line);
        *found = lines != NULL;
        bool ok = !*found || visit_lines(path, lines, visit, context, err);
        bool ended = tail.whole || tail.bytes == NULL;
        free(tail.bytes);
        if (!ok || ended)
            return ok;
    }
    return true;
}
