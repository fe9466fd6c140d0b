/* sink_entry.h: one line of the sink log, which names one file of the table:
 *
 *     {"path":"file:///lake/status=a%252Fb/part-….parquet","size":1,"isDir":false,
 *      "modificationTime":1,"blockReplication":1,"blockSize":33554432,"action":"add"}
 *
 * The path is a URI, quoted as Java's URI class quotes; the directory's name on disk is quoted,
 * Hive's own escapes included. */
#ifndef STREAMING_SINK_LOG_SINK_ENTRY_H
#define STREAMING_SINK_LOG_SINK_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"

struct sink_entry {
    char *path;           // owned; absolute, as the disk has it
    const char *relative; // in `path`: the file's name and `depth` directories before it
    int64_t size;
    int64_t modified_ms; // since 1970; 0: the entry does not say
    bool in_table;       // `path` is `table`/`relative`
};

/* ERROR_STATE: no size, or a URI that is not a plain local file's. */
MUST_CHECK bool sink_entry_read(struct sink_entry *entry, const struct json *line,
                                const char *table, size_t depth, struct error *err);
void sink_entry_deinit(struct sink_entry *entry);

/* The line of a file, given by its absolute path; owned by the caller. */
char *sink_entry_print(const char *path, int64_t size, int64_t modified_ms);

/* A path, or a part of one, as it is in the URI; and the URI of an absolute path. Owned by the
 * caller. */
char *sink_entry_quote(const char *path);
char *sink_entry_uri(const char *path);

#endif
