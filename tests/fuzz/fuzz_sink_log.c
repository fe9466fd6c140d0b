/* No matter what is in the files of a sink log, reading them neither crashes nor loses an entry
 * silently: a look at the whole file, a walk over its lines and a walk over its entries agree, and
 * a copy of the file (as a compact file is made) has the same entries.
 *
 * NUL bytes divide the input into the files 0, 1, 2, … of a log; the first byte says at which
 * interval it is compacted, and how deep its table's directories are. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log/log.h"
#include "base/scope.h"
#include "streaming/sink_log/sink_entry.h"
#include "streaming/sink_log/sink_log.h"
#include "temporary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_refusal(const struct error *err) {
    check(err->kind == ERROR_STATE && err->message[0] != '\0');
}

static volatile size_t touched;

static bool count_line(void *context, const char *line, size_t size, const char *uri,
                       struct error *err) {
    (void)err;
    for (size_t i = 0; i < size; i++)
        touched += (unsigned char)line[i];
    touched += strlen(uri);
    ++*(size_t *)context;
    return true;
}

static size_t depth;

static bool count_entry(void *context, struct json *entry, struct error *err) {
    struct sink_entry read = {0};
    struct error why;
    (void)err;
    ++*(size_t *)context;
    if (!sink_entry_read(&read, entry, "/lake/t", depth, &why)) {
        check_refusal(&why);
        return true;
    }
    scoped(scope_free) char *uri = sink_entry_uri(read.path);
    check(uri[0] != '\0' && read.relative >= read.path);
    check(!read.in_table || strncmp(read.path, "/lake/t/", 8) == 0);
    sink_entry_deinit(&read);
    return true;
}

static bool copy_all(const char *path, const char *to, struct error *err) {
    struct sink_log_copy copy;
    struct file_draft draft;
    if (!sink_log_copy_open(&copy, path, err))
        return false;
    check(file_draft_open(&draft, temporary_directory(), to, err));
    check(file_draft_write(&draft, "v1", 2, err));
    bool done = false, ok = true;
    while (ok && !done) {
        size_t size;
        ok = sink_log_copy_step(&copy, &draft, &size, &done, err);
    }
    sink_log_copy_close(&copy);
    return ok && file_draft_replace(&draft, err);
}

static void read_file(const char *path) {
    struct error err = {0}, why = {0};
    size_t lines = 0, entries = 0, copied = 0;
    bool found;
    bool whole = sink_log_file_check(path, &err);
    if (!whole)
        check_refusal(&err);
    if (whole) // its end can't be worse than all of it
        check(sink_log_file_check_ends(path, &why));
    check(sink_log_file_lines(path, count_line, &lines, &found, &why) == whole);
    if (sink_log_file_entries(path, count_entry, &entries, &found, &why))
        check(whole && entries == lines);
    else
        check_refusal(&why);
    char *last = NULL;
    if (sink_log_last_line(path, &last, &why) && last != NULL) {
        size_t behind = 0;
        if (sink_log_entries_behind(path, last, count_entry, &behind, &found, &why))
            check(!found || !whole || behind <= lines); // what is not whole was not counted whole
    }
    free(last);
    if (whole && copy_all(path, "copy", &err)) {
        check(sink_log_file_lines(file_join(temporary_directory(), "copy").text, count_line,
                                  &copied, &found, &why));
        check(copied == lines);
    }
}

/* ---- as a log ---- */

static void read_log(const char *table, size_t files) {
    struct sink_log log;
    struct error err = {0};
    size_t entries = 0;
    struct file_path other;
    if (!sink_log_open(&log, table, &err)) {
        check_refusal(&err);
        return;
    }
    check(log.newest == (int64_t)files - 1);
    bool sound = sink_log_check(&log, &err);
    if (!sink_log_each_entry(&log, count_entry, &entries, &err))
        check_refusal(&err);
    if (!sink_log_other_root(&log, depth, &other, &err))
        check_refusal(&err);
    const char *const path = "part-0.parquet";
    bool listed;
    if (!sink_log_find(&log, &path, 1, &listed, &err))
        check(!sound || err.kind == ERROR_STATE);
    sink_log_close(&log);
}

enum { FILES_MAX = 6 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    log_configure(LOG_CRITICAL, false);
    int interval = 2 + data[0] % 3;
    depth = data[0] / 3 % 3;
    struct file_path table = file_join(temporary_directory(), "table");
    struct file_path directory = file_join(table.text, "_spark_metadata");
    temporary_clear(table.text);
    check(mkdir(table.text, 0755) == 0 && mkdir(directory.text, 0755) == 0);
    const uint8_t *at = data + 1, *end = data + size;
    size_t files = 0;
    for (; files < FILES_MAX && at <= end; files++) {
        const uint8_t *stop = at < end ? memchr(at, '\0', (size_t)(end - at)) : NULL;
        size_t length = (size_t)((stop != NULL ? stop : end) - at);
        char name[SINK_LOG_NAME_MAX + sizeof "table/_spark_metadata/"] = "table/_spark_metadata/";
        sink_log_file_name((int64_t)files, ((int)files + 1) % interval == 0, name + strlen(name));
        read_file(temporary_write(name, at, length).text);
        at += length + 1;
    }
    read_log(table.text, files);
    return 0;
}
