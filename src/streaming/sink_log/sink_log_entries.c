#include "streaming/sink_log/sink_log_entries.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/scope.h"
#include "streaming/table/table.h"

/* ---- lines ---- */

static int digit_of(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

/* The path in "file:///lake/a%20b" or "file:/lake/a%20b"; NULL: it is not a local file's. */
static char *path_of_uri(const char *uri) {
    static const char scheme[] = "file:";
    if (strncmp(uri, scheme, sizeof scheme - 1) != 0)
        return NULL;
    uri += sizeof scheme - 1;
    if (strncmp(uri, "//", 2) == 0)
        uri += 2;
    if (uri[0] != '/' || uri[1] == '/')
        return NULL;
    char *path = must_alloc(strlen(uri) + 1, 1);
    char *out = path;
    while (*uri != '\0') {
        int high = *uri == '%' ? digit_of(uri[1]) : -1;
        int low = high >= 0 ? digit_of(uri[2]) : -1;
        *out++ = low >= 0 ? (char)(high * 16 + low) : *uri;
        uri += low >= 0 ? 3 : 1;
    }
    return path;
}

/* The last part of a path: its name and `depth` directories before it. */
static const char *last_parts(const char *path, size_t depth) {
    const char *at = path + strlen(path);
    for (size_t slashes = 0; at > path; at--)
        if (at[-1] == '/' && slashes++ == depth)
            break;
    return at;
}

/* It will be used below the table, so it must not lead out of it. */
static bool stays_below(const char *relative) {
    return *relative != '\0' && strlen(relative) <= TABLE_FILE_PATH_MAX &&
           strncmp(relative, "../", 3) != 0 && strstr(relative, "/../") == NULL;
}

bool sink_entry_read(struct sink_entry *entry, const struct json *line, const char *table,
                     size_t depth, struct error *err) {
    *entry = (struct sink_entry){0};
    const char *uri = json_member_text(line, "path");
    entry->path = path_of_uri(uri);
    entry->relative = entry->path == NULL ? "" : last_parts(entry->path, depth);
    if (!stays_below(entry->relative) || strlen(entry->path) >= FILE_PATH_MAX ||
        !json_member_int(line, "size", &entry->size)) {
        sink_entry_deinit(entry);
        return error_set(err, ERROR_STATE,
                         "the sink log of '%s' has an entry '%s' that is not a local file with a "
                         "size: restore the log from a backup",
                         table, uri);
    }
    size_t length = strlen(table);
    entry->in_table = (size_t)(entry->relative - entry->path) == length + 1 &&
                      strncmp(entry->path, table, length) == 0;
    return true;
}

void sink_entry_deinit(struct sink_entry *entry) {
    free(entry->path);
    *entry = (struct sink_entry){0};
}

/* ---- files ---- */

static void name_of(int64_t batch_id, bool compact, char name[static 40]) {
    (void)snprintf(name, 40, "%" PRId64 "%s", batch_id, compact ? ".compact" : "");
}

static int64_t first_of(const struct sink_log *log) {
    int64_t compacted = (log->newest + 1) / log->interval * log->interval - 1;
    return compacted < 0 ? 0 : compacted;
}

bool sink_log_at(const struct sink_log *log, int64_t last, struct sink_log *then, bool *complete,
                 struct error *err) {
    scoped(scope_free) int64_t *compact = NULL;
    size_t count, kept = 0;
    if (!file_list_numbers(log->directory.text, ".compact", &compact, &count, err))
        return false;
    while (kept < count && compact[kept] <= last)
        kept++;
    *then = *log;
    then->newest = last;
    then->newest_compact = kept == 0 ? -1 : compact[kept - 1];
    then->interval = sink_log_interval(compact, kept);
    *complete = log->newest >= last;
    for (int64_t batch = first_of(then); *complete && batch <= last; batch++) {
        int there = file_exists(sink_log_path(then, batch).text, NULL, err);
        if (there < 0)
            return false;
        *complete = there == 1;
    }
    return true;
}

bool sink_log_each_entry(const struct sink_log *log, sink_log_entry_fn *visit, void *context,
                         struct error *err) {
    for (int64_t batch = first_of(log); batch <= log->newest; batch++) {
        bool found;
        struct file_path path = sink_log_path(log, batch);
        if (!sink_log_file_entries(path.text, visit, context, &found, err))
            return false;
        if (!found)
            return error_set(err, ERROR_STATE, "'%s' is missing: restore it from a backup",
                             path.text);
    }
    return true;
}

struct first_entry {
    const struct sink_log *log;
    size_t depth;
    bool elsewhere;
};

/* Ends the walk with ERROR_STOPPED, which is not an error here. */
static bool look_at_first(void *context, struct json *line, struct error *err) {
    struct first_entry *first = context;
    struct sink_entry entry;
    if (!sink_entry_read(&entry, line, first->log->table, first->depth, err))
        return false;
    first->elsewhere = !entry.in_table;
    sink_entry_deinit(&entry);
    return error_set(err, ERROR_STOPPED, "seen");
}

bool sink_log_is_elsewhere(const struct sink_log *log, size_t depth, bool *elsewhere,
                           struct error *err) {
    struct first_entry first = {.log = log, .depth = depth};
    for (int64_t batch = first_of(log); !first.elsewhere && batch <= log->newest; batch++) {
        bool found;
        if (!sink_log_file_entries(sink_log_path(log, batch).text, look_at_first, &first, &found,
                                   err) &&
            err->kind != ERROR_STOPPED)
            return false;
    }
    *elsewhere = first.elsewhere;
    return true;
}

bool sink_log_file_of(const struct sink_log *log, int64_t batch_id, struct file_path *path,
                      struct error *err) {
    for (int compact = 1; compact >= 0; compact--) {
        char name[40];
        name_of(batch_id, compact == 1, name);
        *path = file_join(log->directory.text, name);
        int there = file_exists(path->text, NULL, err);
        if (there != 0)
            return there == 1;
    }
    path->text[0] = '\0';
    return true;
}

/* ---- files that are made anew ---- */

enum { BUFFER_SIZE = 64 << 10 };

bool log_draft_open(struct log_draft *draft, const char *directory, const char *name,
                    struct error *err) {
    *draft = (struct log_draft){.draft.fd = -1};
    if (!file_draft_open(&draft->draft, directory, name, err))
        return false;
    draft->buffer = must_alloc(BUFFER_SIZE, 1);
    memcpy(draft->buffer, "v1", 2);
    draft->used = 2;
    return true;
}

void log_draft_discard(struct log_draft *draft) {
    file_draft_discard(&draft->draft);
    free(draft->buffer);
    draft->buffer = NULL;
}

static bool put(struct log_draft *draft, const char *bytes, size_t size, struct error *err) {
    if (draft->used + size > BUFFER_SIZE) {
        if (!file_draft_write(&draft->draft, draft->buffer, draft->used, err))
            return false;
        draft->used = 0;
    }
    if (size > BUFFER_SIZE)
        return file_draft_write(&draft->draft, bytes, size, err);
    memcpy(draft->buffer + draft->used, bytes, size);
    draft->used += size;
    return true;
}

bool log_draft_add(struct log_draft *draft, const char *line, struct error *err) {
    draft->entries++;
    return put(draft, "\n", 1, err) && put(draft, line, strlen(line), err);
}

bool log_draft_replace(struct log_draft *draft, struct error *err) {
    bool ok = file_draft_write(&draft->draft, draft->buffer, draft->used, err) &&
              file_draft_replace(&draft->draft, err);
    log_draft_discard(draft);
    return ok;
}

struct log_layout log_layout_of(int64_t last, int64_t interval) {
    int64_t compacted = (last + 1) / interval * interval - 1;
    struct log_layout layout = {.last = last, .compact = compacted >= 0};
    layout.first = layout.compact ? compacted : 0;
    layout.holder = layout.compact ? compacted : last;
    name_of(layout.holder, layout.compact, layout.name);
    return layout;
}

bool log_layout_write_empty(const struct log_layout *layout, const char *directory,
                            struct error *err) {
    for (int64_t batch = layout->first; batch <= layout->last; batch++) {
        char name[40];
        name_of(batch, false, name);
        if (batch != layout->holder && !file_replace(directory, name, "v1", 2, err))
            return false;
    }
    return true;
}
