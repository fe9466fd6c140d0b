#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/disk/file.h"
#include "base/escape.h"
#include "surfaces/commands/rejects_command.h"
#include "surfaces/terminal/moment.h"
#include "surfaces/terminal/output.h"

enum { EXCERPT = 40 }; // bytes on both sides of the trouble

/* Where the record was in the topic. */
struct place {
    int32_t partition;
    int64_t offset;
};

static bool parse_place(const char *text, struct place *place, struct error *err) {
    char *end = NULL;
    long long partition = *text >= '0' && *text <= '9' ? strtoll(text, &end, 10) : -1;
    const char *offset = end != NULL && *end == ':' ? end + 1 : "";
    long long number = *offset >= '0' && *offset <= '9' ? strtoll(offset, &end, 10) : -1;
    if (partition < 0 || partition > INT32_MAX || number < 0 || *end != '\0')
        return error_set(err, ERROR_CONFIG,
                         "'%s': want PARTITION:OFFSET, such as 0:1234; `rejects ls` lists them",
                         text);
    *place = (struct place){(int32_t)partition, number};
    return true;
}

/* ---- showing ---- */

static void print_escaped(FILE *out, const char *at, const char *end) {
    char shown[ESCAPE_MAX];
    size_t size;
    while (at < end) {
        at += escape_next(at, end, shown, &size);
        (void)fwrite(shown, 1, size, out);
    }
}

static void print_moment(FILE *out, const char *label, const struct vector *vector, size_t row) {
    char text[MOMENT_TEXT_MAX] = "none";
    if (vector->valid[row])
        moment_format(vector->int64s[row], text);
    (void)fprintf(out, "  %-12s %s\n", label, text);
}

static void print_bytes(FILE *out, const char *label, const struct vector *vector, size_t row) {
    (void)fprintf(out, "  %-12s ", label);
    if (vector->valid[row])
        print_escaped(out, vector->texts[row].bytes,
                      vector->texts[row].bytes + vector->texts[row].length);
    else
        (void)fprintf(out, "null");
    (void)fputc('\n', out);
}

/* Back to where a character begins, so that an excerpt cuts none in two. */
static const char *to_character(const char *at, const char *begin) {
    for (int i = 0; i < 3 && at > begin && ((unsigned char)*at & 0xc0) == 0x80; i++)
        at--;
    return at;
}

/* What stands around the byte where the trouble was seen. */
static void print_trouble(FILE *out, struct text value, int64_t position) {
    const char *begin = value.bytes, *end = value.bytes + value.length;
    if (position < 0 || position > value.length)
        return;
    const char *at = begin + position;
    const char *from = at - begin > EXCERPT ? to_character(at - EXCERPT, begin) : begin;
    const char *to = end - at > EXCERPT ? to_character(at + EXCERPT, at) : end;
    (void)fprintf(out, "  %-12s byte %" PRId64 ", where ▸ is: %s", "trouble", position,
                  from > begin ? "…" : "");
    print_escaped(out, from, at);
    (void)fprintf(out, "▸");
    print_escaped(out, at, to);
    (void)fprintf(out, "%s\n", to < end ? "…" : "");
}

static void print_text(FILE *out, const struct table_rows *rows, size_t row, bool replayed) {
    const struct vector *columns = rows->cursor.vectors;
    const struct vector *value = &columns[REJECT_VALUE];
    print_bytes(out, "topic", &columns[REJECT_TOPIC], row);
    (void)fprintf(out, "  %-12s %" PRId32 "\n  %-12s %" PRId64 "\n", "partition",
                  columns[REJECT_PARTITION].int32s[row], "offset",
                  columns[REJECT_OFFSET].int64s[row]);
    print_moment(out, "written", &columns[REJECT_KAFKA_TIMESTAMP], row);
    print_moment(out, "rejected", &columns[REJECT_PROCESSED], row);
    if (replayed)
        (void)fprintf(out, "  %-12s the record is a row of the table now\n", "replayed");
    print_bytes(out, "reason", &columns[REJECT_REASON], row);
    print_bytes(out, "detail", &columns[REJECT_DETAIL], row);
    if (value->valid[row] && value->texts[row].length > 0)
        print_trouble(out, value->texts[row], columns[REJECT_POSITION].int64s[row]);
    print_bytes(out, "key", &columns[REJECT_KEY], row);
    (void)fprintf(out, "  %-12s %" PRIu32 " bytes\n", "size",
                  value->valid[row] ? value->texts[row].length : 0);
    print_bytes(out, "value", value, row);
}

static bool show(const struct command_scope *scope, const struct table_rows *rows, size_t row,
                 struct error *err) {
    const struct vector *columns = rows->cursor.vectors, *value = &columns[REJECT_VALUE];
    struct resolved_rejects resolved;
    if (!rejects_resolved(scope, &resolved, err))
        return false;
    bool replayed = resolved_rejects_has(&resolved, columns[REJECT_PROCESSED].int64s[row] / 1000,
                                         columns[REJECT_PARTITION].int32s[row],
                                         columns[REJECT_OFFSET].int64s[row]);
    resolved_rejects_deinit(&resolved);
    if (scope->config->arguments.json) {
        struct json *object = reject_json(rows, row, SIZE_MAX);
        json_put_bool(object, "replayed", replayed);
        char *text = json_print(object);
        (void)fprintf(scope->out, "%s\n", text);
        free(text);
        json_free(object);
    } else if (!scope->config->arguments.raw) {
        print_text(scope->out, rows, row, replayed);
    } else if (value->valid[row]) {
        (void)fwrite(value->texts[row].bytes, 1, value->texts[row].length, scope->out);
    } else {
        return error_set(err, ERROR_CONFIG, "the record's value is null: it has no bytes");
    }
    return output_flush(scope->out, err);
}

/* ---- finding ---- */

/* The row's number in a file; -1: it is not there. */
static bool find_in_file(const struct command_scope *scope, const char *name, struct place place,
                         int64_t *row, struct error *err) {
    static const struct wanted_column columns[] = {{"partition", TYPE_INT32},
                                                   {"offset", TYPE_INT64}};
    struct table_rows rows;
    bool ok = table_rows_open(&rows, scope->store.rejects, name, columns, 2, err);
    *row = -1;
    while (ok && *row < 0 && (ok = table_rows_next(&rows, err)) && rows.count > 0) {
        const struct vector *vectors = rows.cursor.vectors;
        for (size_t i = 0; i < rows.count; i++)
            if (vectors[0].int32s[i] == place.partition && vectors[1].int64s[i] == place.offset &&
                vectors[0].valid[i] && vectors[1].valid[i])
                *row = rows.first + (int64_t)i;
    }
    table_rows_close(&rows);
    return ok;
}

static bool show_from_file(const struct command_scope *scope, const char *name, int64_t row,
                           struct error *err) {
    struct table_rows rows;
    bool ok =
        table_rows_open(&rows, scope->store.rejects, name, reject_columns, REJECT_COLUMNS, err);
    while (ok && (ok = table_rows_next(&rows, err)) && rows.count > 0) {
        if (row < rows.first + (int64_t)rows.count) {
            ok = show(scope, &rows, (size_t)(row - rows.first), err);
            break;
        }
    }
    table_rows_close(&rows);
    return ok;
}

static bool find_and_show(const struct command_scope *scope, const struct lake_files *files,
                          struct place place, struct error *err) {
    for (size_t i = files->count; i-- > 0;) {
        int64_t row = -1;
        const char *name = files->files[i].path + strlen(scope->store.rejects) + 1;
        if (!find_in_file(scope, name, place, &row, err) && !file_is_gone(files->files[i].path))
            return false;
        if (row >= 0)
            return show_from_file(scope, name, row, err);
    }
    return error_set(err, ERROR_CONFIG,
                     "no reject is from partition %" PRId32 ", offset %" PRId64
                     ": `esports-stream rejects ls --job %s` lists those that are there",
                     place.partition, place.offset, scope->stream->job);
}

bool rejects_show_command(const struct command_scope *scope, struct error *err) {
    struct place place = {0};
    struct lake_files files;
    if (!parse_place(scope->config->arguments.operand, &place, err) ||
        !rejects_list(scope, &files, err))
        return false;
    bool ok = find_and_show(scope, &files, place, err);
    lake_files_deinit(&files);
    return ok;
}
