/* change.c: the text of a change, a line of JSON per file so that none of them is long, and read
 * strictly.
 *
 * Strictly, because after the commit point the files that left are taken out of the table by what
 * it says: each path once, in order, none in both lists, and none that leads out of the table. The
 * first line has an empty "path", so that it can be streamed like a file of the sink log. */
#include "streaming/changes/change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/checksum.h"
#include "base/json.h"
#include "base/scope.h"
#include "base/text.h"
#include "streaming/store/disk_versions.h"
#include "streaming/store/file_json.h"

static const char *const kind_names[] = {
    [CHANGE_COMPACTION] = "compaction",
    [CHANGE_EXPIRY] = "expiry",
    [CHANGE_ACCEPTANCE] = "acceptance",
};

enum { KIND_COUNT = sizeof kind_names / sizeof kind_names[0] };

void change_deinit(struct change *change) {
    file_list_deinit(&change->left);
    file_list_deinit(&change->added);
    resolved_deinit(&change->gone);
    *change = (struct change){0};
}

/* ---- print ---- */

static const char *table_of(const struct change *change, const struct manifest_origin *origin) {
    return change->of_rejects ? origin->rejects_table : origin->table;
}

static struct json *print_header(const struct change *change,
                                 const struct manifest_origin *origin) {
    struct json *object = json_new_object();
    json_put_text(object, "path", "");
    json_put_int(object, "change", change->number);
    json_put_text(object, "kind", kind_names[change->kind]);
    json_put_text(object, "of", change->of_rejects ? "rejects" : "table");
    json_put_int(object, "batch", change->batch_id);
    json_put_int(object, "madeMs", change->made_ms);
    json_put_text(object, "query", origin->query_id);
    json_put_text(object, "table", table_of(change, origin));
    if (change->gone.count > 0)
        json_put(object, "gone", resolved_print(&change->gone));
    return object;
}

static void print_line(FILE *out, struct json *object) {
    scoped(scope_free) char *line = json_print(object);
    check(fprintf(out, "\n%s", line) > 0);
    json_free(object);
}

static void print_files(FILE *out, const struct file_list *files) {
    for (size_t i = 0; i < files->count; i++)
        print_line(out, data_file_print(&files->files[i]));
}

/* Where the header ends, behind the version's line. */
static size_t header_end(const char *text, size_t size) {
    const char *newline = memchr(text, '\n', size);
    const char *second =
        newline == NULL ? NULL : memchr(newline + 1, '\n', (size_t)(text + size - newline - 1));
    return second == NULL ? size : (size_t)(second - text);
}

char *change_print(const struct change *change, const struct manifest_origin *origin,
                   size_t *size) {
    scoped(scope_free) char *text = NULL;
    size_t text_size;
    FILE *out = open_memstream(&text, &text_size);
    check(out != NULL);
    check(fprintf(out, "v%d", CHANGE_VERSION) > 0);
    print_line(out, print_header(change, origin));
    print_files(out, &change->left);
    print_files(out, &change->added);
    must_close_text(out, &text);
    return checksum_put(text, text_size, header_end(text, text_size), size);
}

/* ---- parse ---- */

static bool set_damaged(struct error *err) {
    return error_wrap(err, "it cannot be used (if it is damaged, restore it from a backup)");
}

static bool parse_kind(const struct json *header, struct change *change) {
    const char *kind = json_member_text(header, "kind");
    const char *of = json_member_text(header, "of");
    if (kind == NULL || of == NULL)
        return false;
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (strcmp(kind, kind_names[i]) != 0)
            continue;
        change->kind = (enum change_kind)i;
        change->of_rejects = strcmp(of, "rejects") == 0;
        return change->of_rejects || strcmp(of, "table") == 0;
    }
    return false;
}

static bool parse_gone(const struct json *header, struct change *change, struct error *err) {
    const struct json *gone = json_member(header, "gone");
    if (gone == NULL)
        return true;
    if (!resolved_parse(gone, &change->gone, err))
        return false;
    return (change->gone.count > 0 && change->kind != CHANGE_COMPACTION) ||
           error_set(err, ERROR_STATE, "its list of offsets does not match its kind");
}

static bool parse_header(const struct json *header, int64_t number, struct change *change,
                         struct error *err) {
    const char *path = json_member_text(header, "path");
    if (path == NULL || path[0] != '\0' || !json_member_int(header, "change", &change->number) ||
        change->number != number || !parse_kind(header, change) ||
        !json_member_int(header, "batch", &change->batch_id) || change->batch_id < -1 ||
        !json_member_ms(header, "madeMs", &change->made_ms))
        return error_set(err, ERROR_STATE, "it does not describe change %lld", (long long)number);
    return parse_gone(header, change, err);
}

static bool same_text(const struct json *header, const char *name, const char *expected,
                      const char *cure, struct error *err) {
    const char *text = json_member_text(header, name);
    if (text != NULL && strcmp(text, expected) == 0)
        return true;
    return error_set(err, ERROR_STATE, "%s (its \"%s\" is '%s', not '%s')", cure, name,
                     text == NULL ? "" : text, expected);
}

static bool same_origin(const struct json *header, const struct change *change,
                        const struct manifest_origin *origin, struct error *err) {
    return same_text(header, "query", origin->query_id,
                     "the checkpoint's files belong to two queries; restore them from one backup",
                     err) &&
           same_text(header, "table", table_of(change, origin),
                     "if the lake was moved, run `esports-stream relocate`, or move it back; if "
                     "only the settings changed, set the paths back",
                     err);
}

static bool is_behind(const struct file_list *list, const struct data_file *file) {
    return list->count == 0 || strcmp(list->files[list->count - 1].path, file->path) < 0;
}

static bool parse_file(const char *line, size_t size, struct change *change, struct error *err) {
    struct json *object = json_parse(line, size, err);
    struct data_file file = {0};
    bool ok = object != NULL && data_file_parse(object, &file);
    json_free(object);
    struct file_list *list = file.staged != NULL ? &change->added : &change->left;
    ok = ok && is_behind(list, &file) && (file.staged != NULL || change->added.count == 0);
    if (ok) {
        file_list_add(list, file);
        return true;
    }
    free(file.path);
    free(file.staged);
    return error_set(err, ERROR_STATE, "line %zu of its files is incomplete, or not in order",
                     change->left.count + change->added.count + 1);
}

/* Both are in order. */
static bool are_apart(const struct file_list *a, const struct file_list *b) {
    for (size_t i = 0, j = 0; i < a->count && j < b->count;) {
        int order = strcmp(a->files[i].path, b->files[j].path);
        if (order == 0)
            return false;
        i += order < 0;
        j += order > 0;
    }
    return true;
}

static bool is_whole(const struct change *change, struct error *err) {
    if (!are_apart(&change->left, &change->added))
        return error_set(err, ERROR_STATE, "a file of it both left the table and was added");
    if (change->kind != CHANGE_ACCEPTANCE && change->left.count == 0)
        return error_set(err, ERROR_STATE, "no file left the table");
    if (change->kind == CHANGE_EXPIRY && change->added.count > 0)
        return error_set(err, ERROR_STATE, "it is an expiry, but adds files");
    return true;
}

/* The next line, which `at` moves behind; NULL: there is none. */
static const char *next_line(const char **at, const char *end, size_t *size) {
    const char *line = *at;
    if (line == NULL || line >= end)
        return NULL;
    const char *newline = memchr(line, '\n', (size_t)(end - line));
    *size = newline == NULL ? (size_t)(end - line) : (size_t)(newline - line);
    *at = newline == NULL ? end : newline + 1;
    return line;
}

static bool parse_files(const char *at, const char *end, struct change *change, struct error *err) {
    size_t size;
    for (const char *line; (line = next_line(&at, end, &size)) != NULL;)
        if (!parse_file(line, size, change, err))
            return false;
    return is_whole(change, err);
}

/* The first line with its version; the checksum is that of all lines. */
static struct json *parse_first(const char *text, size_t size, const char **rest,
                                struct error *err) {
    size_t end = header_end(text, size);
    int version;
    *rest = text + (end < size ? end + 1 : size);
    return json_parse_versioned_head(text, size, end, CHANGE_VERSION, &version, err);
}

bool change_parse(const char *text, size_t size, int64_t number,
                  const struct manifest_origin *origin, struct change *change, struct error *err) {
    const char *rest;
    *change = (struct change){0};
    struct json *header = parse_first(text, size, &rest, err);
    if (header == NULL)
        return set_damaged(err);
    // What another origin says is not damage, and has a fix of its own.
    bool ok = (parse_header(header, number, change, err) || set_damaged(err)) &&
              same_origin(header, change, origin, err) &&
              (parse_files(rest, text + size, change, err) || set_damaged(err));
    json_free(header);
    if (!ok)
        change_deinit(change);
    return ok;
}

/* The first line again, and what is behind it as it was. */
static char *print_moved(struct json *header, const char *table, const char *rest, size_t rest_size,
                         size_t *size) {
    scoped(scope_free) char *text = NULL;
    size_t text_size;
    FILE *out = open_memstream(&text, &text_size);
    check(out != NULL);
    json_put_text(header, "table", table);
    scoped(scope_free) char *line = json_print(header);
    check(fprintf(out, "v%d\n%s%s", CHANGE_VERSION, line, rest_size > 0 ? "\n" : "") > 0);
    (void)fwrite(rest, 1, rest_size, out);
    must_close_text(out, &text);
    return checksum_put(text, text_size, header_end(text, text_size), size);
}

bool change_move(const char *text, size_t size, int64_t number,
                 const struct manifest_origin *origin, char **moved, size_t *moved_size,
                 struct error *err) {
    const char *rest;
    struct change change = {0};
    *moved = NULL;
    struct json *header = parse_first(text, size, &rest, err);
    if (header == NULL)
        return set_damaged(err);
    const char *table = json_member_text(header, "table");
    bool ok = (parse_header(header, number, &change, err) || set_damaged(err)) &&
              same_text(header, "query", origin->query_id,
                        "the checkpoint's files belong to two queries; restore them from one "
                        "backup",
                        err);
    if (ok && (table == NULL || strcmp(table, table_of(&change, origin)) != 0))
        *moved = print_moved(header, table_of(&change, origin), rest, (size_t)(text + size - rest),
                             moved_size);
    json_free(header);
    change_deinit(&change);
    return ok;
}
