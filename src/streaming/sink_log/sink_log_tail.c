/* sink_log_tail.c: the end of a file, read backwards: a piece from its end, and if the entry is not
 * in it, a piece that is eight times as long, until it is the whole file. */
#include "streaming/sink_log/sink_log_tail.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"

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
    bool ok = sink_log_read_tail(&file, tail->bytes, tail->size, err);
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
        if (newline != NULL) { // else only the header, or a part of a line
            *line = text_copy(newline + 1);
        }
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
        bool ok = (entry != NULL && json_member_text(entry, "path") != NULL) ||
                  error_set(err, ERROR_STATE, "'%s' has a line that describes no file", path);
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
