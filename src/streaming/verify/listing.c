/* listing.c: one line of the log after the other, parsed in full and strictly.
 *
 * On purpose it shares nothing with the code that writes the log or reads it elsewhere: an error
 * there would confirm itself here. */
#include "streaming/verify/listing.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/disk/disk_error.h"
#include "base/disk/open_file.h"
#include "base/json.h"
#include "base/scope.h"

enum { LINE_MAX_BYTES = 64 << 10 };

static void close_stream(FILE **stream) {
    if (*stream != NULL)
        (void)fclose(*stream); // nothing was written through it
}

static int digit_of(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

/* "file:///lake/a%20b" or "file:/lake/a%20b" to "/lake/a b", into `path`, which is as long. */
static bool unquote(const char *uri, char *path) {
    if (strncmp(uri, "file:", 5) != 0)
        return false;
    const char *at = uri + 5;
    if (strncmp(at, "///", 3) == 0)
        at += 2;
    if (at[0] != '/' || at[1] == '/')
        return false;
    while (*at != '\0') {
        int high = *at == '%' ? digit_of(at[1]) : 0;
        int low = *at == '%' && high >= 0 ? digit_of(at[2]) : 0;
        if (high < 0 || low < 0)
            return false;
        *path++ = *at == '%' ? (char)(high * 16 + low) : *at;
        at += *at == '%' ? 3 : 1;
    }
    *path = '\0';
    return true;
}

struct listing {
    struct file_path path; // of the log's file
    void (*visit)(void *context, const char *path, int64_t size);
    void *context;
    char *name; // owned; room for an unquoted path
};

static bool visit_line(struct listing *listing, const char *line, size_t size, size_t number,
                       struct error *err) {
    struct json *entry = json_parse(line, size, err);
    const char *uri = entry == NULL ? NULL : json_member_text(entry, "path");
    int64_t bytes;
    bool ok = uri != NULL && strlen(uri) < LINE_MAX_BYTES &&
              json_member_int(entry, "size", &bytes) && unquote(uri, listing->name);
    if (ok)
        listing->visit(listing->context, listing->name, bytes);
    json_free(entry);
    return ok || error_set(err, ERROR_STATE,
                           "'%s', line %zu does not describe a file: restore it from a backup",
                           listing->path.text, number);
}

static bool read_one(struct listing *listing, struct error *err) {
    scoped(close_stream) FILE *stream = NULL;
    if (!file_stream_open(listing->path.text, &stream, err))
        return false;
    if (stream == NULL)
        return error_set(err, ERROR_STATE, "'%s' is missing: restore it from a backup",
                         listing->path.text);
    scoped(scope_free) char *line = NULL;
    size_t capacity = 0, number = 1;
    ssize_t size = getline(&line, &capacity, stream);
    if (ferror(stream) != 0)
        return disk_error(err, "read", listing->path.text);
    if (size < 2 || strncmp(line, "v1", 2) != 0 || (size > 2 && line[2] != '\n'))
        return error_set(err, ERROR_STATE,
                         "the first line of '%s' is not 'v1': restore it from a backup",
                         listing->path.text);
    // A line that an error has cut off is handed out, too, and is none.
    while ((size = getline(&line, &capacity, stream)) >= 0 && ferror(stream) == 0) {
        number++;
        size -= size > 0 && line[size - 1] == '\n';
        if (size > 0 && !visit_line(listing, line, (size_t)size, number, err))
            return false;
    }
    return ferror(stream) == 0 || disk_error(err, "read", listing->path.text);
}

static bool read_from(const struct sink_log *log, int64_t first, int64_t last,
                      struct listing *listing, struct error *err) {
    for (int64_t batch = first; batch <= last; batch++) {
        char file[40];
        (void)snprintf(file, sizeof file, "%" PRId64 "%s", batch,
                       (batch + 1) % log->interval == 0 ? ".compact" : "");
        listing->path = file_join(log->directory.text, file);
        if (!read_one(listing, err))
            return false;
    }
    return true;
}

bool listing_read(const struct sink_log *log, int64_t last,
                  void (*visit)(void *context, const char *path, int64_t size), void *context,
                  struct error *err) {
    int64_t first = (last + 1) / log->interval * log->interval - 1;
    struct listing listing = {
        .visit = visit, .context = context, .name = must_alloc(LINE_MAX_BYTES, 1)};
    bool ok = read_from(log, first < 0 ? 0 : first, last, &listing, err);
    free(listing.name);
    return ok;
}
