/* Two passes. The first reads the keys of all rejects, counts them by reason and partition, and
 * keeps the places of the newest few; the second reads these whole, so that only they are ever in
 * memory with their bytes. Rejects that were replayed are rows by now: they are counted apart. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "pipeline/sink/reject_table.h"
#include "streaming/changes/rejects.h"
#include "surfaces/commands/each_command.h"
#include "surfaces/rows/reject_rows.h"
#include "surfaces/rows/table_rows.h"
#include "surfaces/terminal/output.h"
#include "surfaces/terminal/text_table.h"

enum { REASONS_MAX = 32 };

struct reason_count {
    char name[CELL_TEXT_MAX];
    int64_t count;
};

struct partition_count {
    int32_t partition;
    int64_t count, first, last; // offsets
};

struct listing {
    const struct command_scope *scope;
    struct reject_filter filter;
    struct reject_files files;
    struct reject_source source;
    struct resolved_rejects resolved;
    int64_t total, replayed;                  // the latter are resolved
    struct reason_count reasons[REASONS_MAX]; // of versions to come, too
    size_t reason_count;
    struct partition_count *partitions; // owned; ascending
    size_t partition_count;
    struct newest_rows newest;
    struct text_table table; // of the newest, without --json
};

/* ---- counting ---- */

static void count_reason(struct listing *listing, struct text reason) {
    char name[CELL_TEXT_MAX];
    cell_text_of(reason, name);
    size_t i = 0;
    while (i < listing->reason_count && strcmp(listing->reasons[i].name, name) != 0)
        i++;
    if (i == REASONS_MAX)
        return; // the total still has it
    if (i == listing->reason_count)
        memcpy(listing->reasons[listing->reason_count++].name, name, sizeof name);
    listing->reasons[i].count++;
}

static struct partition_count *find_partition(struct listing *listing, int32_t partition) {
    size_t low = 0, high = listing->partition_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (listing->partitions[middle].partition < partition)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < listing->partition_count && listing->partitions[low].partition == partition)
        return &listing->partitions[low];
    listing->partitions = reallocarray(listing->partitions, listing->partition_count + 1,
                                       sizeof *listing->partitions);
    check(listing->partitions != NULL);
    memmove(&listing->partitions[low + 1], &listing->partitions[low],
            (listing->partition_count - low) * sizeof *listing->partitions);
    listing->partition_count++;
    listing->partitions[low] =
        (struct partition_count){.partition = partition, .first = INT64_MAX, .last = -1};
    return &listing->partitions[low];
}

static void count_row(void *context, const struct reject_key *key, const struct newest_row *row) {
    struct listing *listing = context;
    if (!reject_filter_takes(&listing->filter, key))
        return;
    if (resolved_rejects_has(&listing->resolved, key->processed / 1000, key->partition,
                             key->offset)) {
        listing->replayed++;
        return;
    }
    listing->total++;
    count_reason(listing, key->reason);
    struct partition_count *count = find_partition(listing, key->partition);
    count->count++;
    count->first = key->offset < count->first ? key->offset : count->first;
    count->last = key->offset > count->last ? key->offset : count->last;
    newest_rows_offer(&listing->newest, row);
}

/* ---- the newest ---- */

static bool render(void *context, struct newest_row *newest, const struct table_rows *rows,
                   size_t row, struct error *err) {
    (void)err;
    const struct listing *listing = context;
    const struct vector *columns = rows->cursor.vectors;
    if (listing->scope->config->arguments.json) {
        struct json *object = reject_row_json(rows, row, REJECT_EXCERPT);
        newest->text = json_print(object);
        json_free(object);
        return true;
    }
    static const enum reject_column shown[] = {REJECT_PROCESSED, REJECT_REASON, REJECT_DETAIL,
                                               REJECT_VALUE};
    char place[64], texts[sizeof shown / sizeof shown[0]][CELL_TEXT_MAX];
    const char *cells[1 + sizeof shown / sizeof shown[0]] = {place};
    (void)snprintf(place, sizeof place, "%" PRId32 ":%" PRId64, newest->partition, newest->offset);
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        cell_text(&columns[shown[i]], row, texts[i]);
        cells[i + 1] = texts[i];
    }
    newest->text = text_table_join(&listing->table, cells);
    return true;
}

static int by_count(const void *a, const void *b) {
    const struct reason_count *left = a, *right = b;
    return (left->count < right->count) - (left->count > right->count);
}

static bool read_all(struct listing *listing, struct error *err) {
    const struct command_scope *scope = listing->scope;
    if (!reject_source_open(&listing->source, &scope->store, err))
        return false;
    const struct newest_rows_reader reader = {.source = listing->source.rows,
                                              .columns = reject_columns,
                                              .column_count = REJECT_COLUMNS,
                                              .take = render,
                                              .context = listing};
    if (!reject_rows_list(&scope->store, scope->stream->name, &listing->files, err) ||
        !reject_rows_resolved(&scope->store, &listing->resolved, err))
        return false;
    for (size_t file = 0; file < listing->files.list.count; file++)
        if (!reject_rows_each(&listing->source, listing->files.list.paths[file], count_row, listing,
                              err))
            return false;
    if (listing->reason_count > 1)
        qsort(listing->reasons, listing->reason_count, sizeof listing->reasons[0], by_count);
    return newest_rows_read(&listing->newest, &reader, err);
}

/* ---- showing ---- */

static void print_json(const struct listing *listing) {
    FILE *out = listing->scope->out;
    struct json *object = json_new_object(), *reasons = json_new_object();
    struct json *partitions = json_new_array();
    for (size_t i = 0; i < listing->reason_count; i++)
        json_put_int(reasons, listing->reasons[i].name, listing->reasons[i].count);
    for (size_t i = 0; i < listing->partition_count; i++) {
        const struct partition_count *count = &listing->partitions[i];
        struct json *one = json_new_object();
        json_put_int(one, "partition", count->partition);
        json_put_int(one, "rejects", count->count);
        json_put_int(one, "firstOffset", count->first);
        json_put_int(one, "lastOffset", count->last);
        json_append(partitions, one);
    }
    json_put_shown(object, "query", listing->scope->stream->name);
    json_put_int(object, "rejects", listing->total);
    json_put_int(object, "replayed", listing->replayed);
    json_put(object, "byReason", reasons);
    json_put(object, "byPartition", partitions);
    char *text = json_print(object);
    (void)fprintf(out, "%.*s,\"newest\":[", (int)strlen(text) - 1, text);
    // The newest are JSON by now: each was printed while its file was open.
    for (size_t i = listing->newest.count; i-- > 0;) // the newest first
        (void)fprintf(out, "%s%s", listing->newest.items[i].text, i > 0 ? "," : "");
    (void)fprintf(out, "]}\n");
    free(text);
    json_free(object);
}

static void print_counts(const struct listing *listing) {
    struct text_table reasons, partitions;
    char records[24];
    text_table_init(&reasons, (const char *const[]){"reason", ">records"}, 2);
    for (size_t i = 0; i < listing->reason_count; i++) {
        (void)snprintf(records, sizeof records, "%" PRId64, listing->reasons[i].count);
        text_table_add(&reasons, (const char *const[]){listing->reasons[i].name, records});
    }
    text_table_init(&partitions,
                    (const char *const[]){">partition", ">records", ">first offset", ">last"}, 4);
    for (size_t i = 0; i < listing->partition_count; i++) {
        const struct partition_count *count = &listing->partitions[i];
        text_table_add_numbers(&partitions, (const int64_t[]){count->partition, count->count,
                                                              count->first, count->last});
    }
    text_table_print(&reasons, 2, listing->scope->out);
    (void)fputc('\n', listing->scope->out);
    text_table_print(&partitions, 2, listing->scope->out);
    text_table_deinit(&reasons);
    text_table_deinit(&partitions);
}

static void print_text(struct listing *listing) {
    FILE *out = listing->scope->out;
    (void)fprintf(out, "%s: %s", listing->scope->stream->name,
                  text_count(listing->total, "reject").text);
    if (listing->replayed > 0)
        (void)fprintf(out, "; already replayed into rows: %" PRId64, listing->replayed);
    (void)fputc('\n', out);
    if (listing->total == 0)
        return;
    print_counts(listing);
    for (size_t i = listing->newest.count; i-- > 0;)
        text_table_add_joined(&listing->table, listing->newest.items[i].text);
    if (listing->newest.count > 0) {
        (void)fprintf(out, "\n  The newest, by batch time (UTC):\n");
        text_table_print(&listing->table, 2, out);
        (void)fprintf(
            out, "\n  To see one with its bytes: esports-stream rejects show %s --job %s\n",
            listing->newest.items[listing->newest.count - 1].text, listing->scope->stream->job);
    }
}

bool rejects_ls_command(const struct command_scope *scope, struct error *err) {
    struct listing *listing = must_alloc(1, sizeof *listing);
    listing->scope = scope;
    text_table_init(&listing->table,
                    (const char *const[]){"=place", "=time", "=reason", "detail", "value"}, 5);
    bool ok = newest_rows_init(&listing->newest, scope->config->arguments.rows, err) &&
              reject_filter_init(&listing->filter, scope->config, err) && read_all(listing, err);
    if (ok && scope->config->arguments.json)
        print_json(listing);
    else if (ok)
        print_text(listing);
    newest_rows_deinit(&listing->newest);
    text_table_deinit(&listing->table);
    reject_files_deinit(&listing->files);
    reject_source_close(&listing->source);
    resolved_rejects_deinit(&listing->resolved);
    free(listing->partitions);
    free(listing);
    return ok && output_flush(scope->out, err);
}
