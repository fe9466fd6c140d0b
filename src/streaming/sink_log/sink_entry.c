/* sink_entry.c: one line of the sink log: a data file of the table, by its URI.
 *
 * Written as Spark writes it, byte by byte: java.net.URI quotes the ASCII that RFC 2396 does not
 * allow and Unicode's spaces and controls, and leaves the rest of UTF-8 as it is.
 *
 * Reading takes any form of a local URI, "file:/" or "file:///". The table may have been moved
 * since, so a file is identified by the last parts of its path: the directories of its partition
 * values and its name. Others can write the log, so these parts must not lead out of the table. */
#include "streaming/sink_log/sink_entry.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/disk/file.h"
#include "streaming/table/table.h"

/* Neither value matters to a reader; they are what Spark writes on a local file system. */
enum { BLOCK_REPLICATION = 1, BLOCK_SIZE = 33554432 };

/* ---- how a path is written ---- */

/* What RFC 2396 allows in a path; java.net.URI quotes all other ASCII. */
static bool is_plain(unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-_.!~*'();/:@&=+$,", c) != NULL);
}

/* Bytes of the character at `at` if Java quotes it (Character.isSpaceChar, isISOControl), else 0:
 * U+0080–U+00A0, U+1680, U+2000–U+200A, U+2028, U+2029, U+202F, U+205F, U+3000. */
static size_t quoted_length(const unsigned char *at) {
    if (at[0] == 0xC2)
        return at[1] <= 0xA0 ? 2 : 0;
    if (at[0] == 0xE1)
        return at[1] == 0x9A && at[2] == 0x80 ? 3 : 0;
    if (at[0] == 0xE2 && at[1] == 0x80)
        return at[2] <= 0x8A || at[2] == 0xA8 || at[2] == 0xA9 || at[2] == 0xAF ? 3 : 0;
    if (at[0] == 0xE2 && at[1] == 0x81)
        return at[2] == 0x9F ? 3 : 0;
    return at[0] == 0xE3 && at[1] == 0x80 && at[2] == 0x80 ? 3 : 0;
}

/* Appends `path` quoted. `out` has room for three bytes for each of its, and the end. */
static void quote(char *out, const char *path) {
    static const char digits[] = "0123456789ABCDEF";
    const unsigned char *at = (const unsigned char *)path;
    while (*at != '\0') {
        size_t quoted = *at < 0x80 ? !is_plain(*at) : quoted_length(at);
        if (quoted == 0)
            *out++ = (char)*at++;
        for (; quoted > 0; quoted--) {
            *out++ = '%';
            *out++ = digits[*at >> 4];
            *out++ = digits[*at++ & 15];
        }
    }
    *out = '\0';
}

char *sink_entry_quote(const char *path) {
    char *quoted = must_alloc(3 * strlen(path) + 1, 1);
    quote(quoted, path);
    return quoted;
}

char *sink_entry_uri(const char *path) {
    static const char scheme[] = "file://";
    char *uri = must_alloc(sizeof scheme + 3 * strlen(path), 1);
    memcpy(uri, scheme, sizeof scheme);
    quote(uri + sizeof scheme - 1, path);
    return uri;
}

char *sink_entry_print(const char *path, int64_t size, int64_t modified_ms) {
    char *uri = sink_entry_uri(path);
    struct json *entry = json_new_object();
    json_put_text(entry, "path", uri);
    free(uri);
    json_put_int(entry, "size", size);
    json_put_bool(entry, "isDir", false);
    json_put_int(entry, "modificationTime", modified_ms);
    json_put_int(entry, "blockReplication", BLOCK_REPLICATION);
    json_put_int(entry, "blockSize", BLOCK_SIZE);
    json_put_text(entry, "action", "add");
    char *line = json_print(entry);
    json_free(entry);
    return line;
}

/* ---- and read ---- */

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
    const char *slash = strrchr(relative, '/'), *name = slash != NULL ? slash + 1 : relative;
    return *name != '\0' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
           strlen(relative) <= TABLE_FILE_PATH_MAX && strncmp(relative, "../", 3) != 0 &&
           strstr(relative, "/../") == NULL;
}

bool sink_entry_read(struct sink_entry *entry, const struct json *line, const char *table,
                     size_t depth, struct error *err) {
    *entry = (struct sink_entry){0};
    const char *uri = json_member_text(line, "path");
    entry->path = path_of_uri(uri);
    entry->relative = entry->path == NULL ? "" : last_parts(entry->path, depth);
    if (entry->path == NULL || !stays_below(entry->relative) ||
        strlen(entry->path) >= FILE_PATH_MAX || !json_member_int(line, "size", &entry->size)) {
        sink_entry_deinit(entry);
        return error_set(err, ERROR_STATE,
                         "the sink log of '%s' has an entry '%s' that is not a local file with a "
                         "size: restore the log from a backup",
                         table, uri);
    }
    (void)json_member_ms(line, "modificationTime", &entry->modified_ms);
    size_t length = strlen(table);
    entry->in_table = (size_t)(entry->relative - entry->path) == length + 1 &&
                      strncmp(entry->path, table, length) == 0;
    return true;
}

void sink_entry_deinit(struct sink_entry *entry) {
    free(entry->path);
    *entry = (struct sink_entry){0};
}
