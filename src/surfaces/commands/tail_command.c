/* The newest rows are looked for batch by batch, from the newest back, until there are enough; a
 * batch's manifest says which files it added, or the sink log where Spark ran it. --follow then
 * prints the rows of each batch that is committed, in order. No lock is taken, so a file may go
 * meanwhile (a rewind): that is a warning, and `tail` continues.
 *
 * A file that was compacted is read where it is kept. When it is not kept any more, the rows of its
 * batch are found among those of the files that took its place, by their processing_timestamp. */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/disk/file.h"
#include "base/log/log.h"
#include "streaming/changes/batch_files.h"
#include "surfaces/commands/each_command.h"
#include "surfaces/rows/newest_rows.h"
#include "surfaces/terminal/output.h"

enum {
    LOOK_EVERY_MS = 200, // for a new batch
    PART_ROWS = 500,     // printed at a time: columns of text are as wide as these need
};

struct tail {
    const struct command_scope *scope;
    struct store *store;
    struct kept_files kept;
    struct rows_source source;
    struct schema schema;
    struct shown_columns shown;
    struct text_table table; // without --json
    struct newest_rows newest;
    int64_t newest_batch; // that is shown, or passed over
};

/* ---- showing ---- */

/* The row as it will be printed: a line of JSON, or one cell behind the other, each terminated. */
static char *render(const struct tail *tail, const struct table_rows *rows, size_t row) {
    if (tail->scope->config->arguments.json) {
        int digits;
        struct json *object = table_row_json(rows, row, &tail->schema, &digits);
        char *line = json_print_digits(object, digits);
        json_free(object);
        return line;
    }
    return shown_columns_join(&tail->shown, NULL, &tail->table, rows, row);
}

/* Takes over the text. */
static void show(struct tail *tail, char *text) {
    if (tail->scope->config->arguments.json)
        (void)fprintf(tail->scope->out, "%s\n", text);
    else
        text_table_add_joined(&tail->table, text);
    free(text);
}

static bool flush(struct tail *tail, struct error *err) {
    if (!tail->scope->config->arguments.json && tail->table.row_count > 1) {
        text_table_print(&tail->table, 0, tail->scope->out);
        text_table_empty(&tail->table);
    }
    return output_flush(tail->scope->out, err);
}

/* ---- the newest rows ---- */

/* A file that could not be shown. True: it is not there; a warning says so, and `tail` continues.
 */
static bool pass_over(struct tail *tail, const char *path, struct error *err) {
    struct file_path full = file_join(tail->scope->store.table, path);
    enum file_fate fate;
    struct path_list ignored = {0};
    if (!file_is_gone(full.text))
        return false;
    bool ok = kept_files_fate(&tail->kept, false, path, &fate, &ignored, err);
    path_list_deinit(&ignored);
    if (ok && fate == FILE_STAYED)
        log_write(LOG_WARNING, tail->scope->stream->name,
                  "'%s' is listed but missing: either its batch was rolled back meanwhile, or the "
                  "file is lost; `esports-stream verify` shows which",
                  full.text);
    else if (ok)
        log_write(LOG_WARNING, tail->scope->stream->name, "The rows of '%s' %s", full.text,
                  fate == FILE_COMPACTED ? "were compacted and are not available by batch any more"
                  : fate == FILE_EXPIRED ? "have expired"
                                         : "are gone, which was accepted");
    return ok;
}

/* The batches that the newest rows are looked for in, newest first, and their files. */
struct history {
    struct tail *tail;
    struct file_list files;
    int64_t batch; // and the file that is looked at
    const char *path;
    int64_t only_us; // rows of this processing_timestamp; -1: all
};

static void offer(void *context, const struct table_rows *rows, size_t row) {
    struct history *history = context;
    const struct vector *columns = rows->cursor.vectors;
    if (history->only_us >= 0 &&
        (!columns[3].valid[row] || columns[3].int64s[row] != history->only_us))
        return;
    newest_rows_offer(
        &history->tail->newest,
        &(struct newest_row){.batch = history->batch,
                             .micros = columns[0].valid[row] ? columns[0].int64s[row] : 0,
                             .partition = columns[1].valid[row] ? columns[1].int32s[row] : 0,
                             .offset = columns[2].valid[row] ? columns[2].int64s[row] : 0,
                             .path = history->path,
                             .row = rows->first + (int64_t)row});
}

static bool read_file(struct history *history, const char *path, struct error *err) {
    static const struct wanted_column columns[] = {{"kafka_timestamp", TYPE_TIMESTAMP},
                                                   {"partition", TYPE_INT32},
                                                   {"offset", TYPE_INT64},
                                                   {"processing_timestamp", TYPE_TIMESTAMP}};
    history->path = path;
    return table_rows_each(&history->tail->source, path, columns,
                           sizeof columns / sizeof columns[0], offer, history, err);
}

/* Whether the rows of a file are not in the table any more, although it may still be kept: they
 * have left with it, or with all files that a compaction has put in its place. */
static bool has_left(struct tail *tail, const char *path, bool *left, struct error *err) {
    enum file_fate fate;
    struct path_list successors = {0}, ignored = {0};
    bool ok = kept_files_fate(&tail->kept, false, path, &fate, &successors, err);
    *left = ok && (fate == FILE_EXPIRED || fate == FILE_ACCEPTED || successors.count > 0);
    for (size_t i = 0; ok && *left && i < successors.count; i++) {
        ok = kept_files_fate(&tail->kept, false, successors.paths[i], &fate, &ignored, err);
        *left = ok && (fate == FILE_EXPIRED || fate == FILE_ACCEPTED);
    }
    path_list_deinit(&successors);
    path_list_deinit(&ignored);
    return ok;
}

/* The file is missing: what took its place is noted, if it was compacted. */
static bool note_successors(struct history *history, const char *path, struct path_list *merged,
                            struct error *err) {
    struct tail *tail = history->tail;
    enum file_fate fate;
    size_t before = merged->count;
    if (!file_is_gone(file_join(tail->source.root, path).text))
        return false;
    struct error gone = *err;
    if (!kept_files_fate(&tail->kept, false, path, &fate, merged, err))
        return false;
    *err = gone;
    return merged->count > before || pass_over(tail, path, err);
}

/* Rows of the batch among those of other batches. */
static bool offer_merged(struct history *history, struct path_list *merged, struct error *err) {
    struct tail *tail = history->tail;
    int64_t time_ms = -1;
    if (merged->count == 0)
        return true;
    path_list_sort(merged);
    path_list_drop_doubles(merged);
    if (!batch_time(tail->store, history->batch, &time_ms, err))
        return false;
    bool ok = true;
    history->only_us = time_ms * 1000;
    for (size_t i = 0; ok && time_ms >= 0 && i < merged->count; i++) {
        bool left;
        ok = has_left(tail, merged->paths[i], &left, err) &&
             (left || read_file(history, merged->paths[i], err) ||
              pass_over(tail, merged->paths[i], err));
    }
    history->only_us = -1;
    if (time_ms < 0)
        log_write(LOG_WARNING, tail->scope->stream->name,
                  "The rows of batch %" PRId64
                  " were compacted and are not available by batch any more: its time is unknown",
                  history->batch);
    return ok;
}

static bool offer_batch(struct history *history, size_t first, struct error *err) {
    struct path_list merged = {0};
    bool ok = true;
    for (size_t file = first; ok && file < history->files.count; file++) {
        const char *path = history->files.files[file].path;
        bool left;
        ok =
            has_left(history->tail, path, &left, err) &&
            (left || read_file(history, path, err) || note_successors(history, path, &merged, err));
    }
    ok = ok && offer_merged(history, &merged, err);
    // Rows that were offered have their paths.
    for (size_t i = 0; i < merged.count; i++)
        file_list_add(&history->files, (struct data_file){.path = merged.paths[i]});
    free(merged.paths);
    return ok;
}

static void note_unknown(const struct tail *tail, int64_t batch_id) {
    log_write(LOG_WARNING, tail->scope->stream->name,
              "The files of batch %" PRId64
              " are unknown: it no longer has a manifest or a file of its own in the sink log",
              batch_id);
}

static bool offer_newest(struct history *history, struct error *err) {
    struct tail *tail = history->tail;
    for (history->batch = tail->newest_batch;
         history->batch >= 0 && !newest_rows_are_full(&history->tail->newest); history->batch--) {
        bool known;
        size_t first = history->files.count;
        if (!batch_files_read(tail->store, history->batch, &history->files, &known, err))
            return false;
        if (!known) {
            note_unknown(tail, history->batch);
            return true;
        }
        if (!offer_batch(history, first, err))
            return false;
    }
    return true;
}

static bool render_newest(void *context, struct newest_row *newest, const struct table_rows *rows,
                          size_t row, struct error *err) {
    (void)err;
    newest->text = render(context, rows, row);
    return true;
}

static bool show_newest(struct tail *tail, struct error *err) {
    struct history history = {.tail = tail, .only_us = -1};
    const struct newest_rows_reader reader = {
        .source = tail->source, .take = render_newest, .context = tail};
    bool ok = offer_newest(&history, err) && newest_rows_read(&tail->newest, &reader, err);
    for (size_t i = 0; ok && i < tail->newest.count; i++) {
        show(tail, tail->newest.items[i].text);
        tail->newest.items[i].text = NULL;
    }
    newest_rows_deinit(&tail->newest);
    file_list_deinit(&history.files);
    return ok && flush(tail, err);
}

/* ---- what comes ---- */

static volatile sig_atomic_t end_asked;

static void ask_end(int number) {
    (void)number;
    end_asked = 1;
}

/* The first SIGINT or SIGTERM ends it between two rows, a second one at once: nobody may be reading
 * what it prints. */
static void end_by_signal(int number) {
    struct sigaction action;
    if (sigaction(number, NULL, &action) != 0 || action.sa_handler == SIG_IGN)
        return; // the parent process set it
    action = (struct sigaction){.sa_handler = ask_end, .sa_flags = SA_RESTART | (int)SA_RESETHAND};
    (void)sigaction(number, &action, NULL);
}

/* Whether somebody has asked for the end, after some time at most. */
static bool wait_for_end(int64_t wait_ms) {
    const struct timespec wait = {.tv_nsec = wait_ms * 1000000};
    if (end_asked == 0)
        (void)nanosleep(&wait, NULL);
    return end_asked != 0;
}

/* *ended: in the middle. */
static bool show_file(struct tail *tail, const char *path, bool *ended, struct error *err) {
    struct table_rows rows;
    bool ok = table_rows_open(&rows, &tail->source, path, NULL, 0, err);
    while (ok && !*ended && (ok = table_rows_next(&rows, err)) && rows.count > 0) {
        for (size_t row = 0; ok && row < rows.count; row++) {
            show(tail, render(tail, &rows, row));
            if (row % PART_ROWS == PART_ROWS - 1)
                ok = flush(tail, err);
        }
        *ended = end_asked != 0;
    }
    table_rows_close(&rows);
    return ok || pass_over(tail, path, err);
}

static bool show_batch(struct tail *tail, int64_t batch_id, bool *ended, struct error *err) {
    struct file_list files = {0};
    bool known;
    bool ok = batch_files_read(tail->store, batch_id, &files, &known, err);
    if (ok && !known)
        note_unknown(tail, batch_id);
    for (size_t i = 0; ok && !*ended && i < files.count; i++)
        ok = show_file(tail, files.files[i].path, ended, err);
    file_list_deinit(&files);
    return ok && flush(tail, err);
}

static bool follow(struct tail *tail, struct error *err) {
    for (bool ended = false; !ended; ended = ended || wait_for_end(LOOK_EVERY_MS)) {
        int64_t newest;
        if (!batch_newest(tail->store, &newest, err))
            return false;
        if (newest < tail->newest_batch) // rewound: these come again
            tail->newest_batch = newest;
        for (; !ended && tail->newest_batch < newest; tail->newest_batch++)
            if (!show_batch(tail, tail->newest_batch + 1, &ended, err))
                return false;
        if (!output_is_read(tail->scope->out))
            return error_set(err, ERROR_STOPPED, "the reader closed the output");
    }
    return true;
}

static bool show_all(struct tail *tail, struct error *err) {
    const struct command_arguments *arguments = &tail->scope->config->arguments;
    if (!batch_newest(tail->store, &tail->newest_batch, err))
        return false;
    if (tail->newest_batch < 0 && !arguments->follow)
        log_write(LOG_WARNING, tail->scope->stream->name, "No batch is committed yet");
    return (arguments->rows == 0 || show_newest(tail, err)) &&
           (!arguments->follow || follow(tail, err));
}

bool tail_command(const struct command_scope *scope, struct error *err) {
    struct tail tail = {.scope = scope};
    if (!newest_rows_init(&tail.newest, scope->config->arguments.rows, err))
        return false;
    if (scope->config->arguments.follow && scope->config->job == NULL)
        return error_set(err, ERROR_CONFIG, "--follow needs --job: it follows one table at a time");
    if (!store_open_to_read(&scope->store, &tail.store, err))
        return false;
    if (scope->config->arguments.follow) {
        end_by_signal(SIGINT);
        end_by_signal(SIGTERM);
    }
    kept_files_init(&tail.kept, tail.store);
    tail.source = (struct rows_source){.root = scope->store.table, .kept = &tail.kept};
    stream_schema(scope->stream, &tail.schema);
    shown_columns_init(&tail.shown, scope->stream, scope->store.partition_by,
                       scope->store.partition_by_count);
    shown_columns_begin(&tail.shown, NULL, &tail.table);
    tail.table.may_hide = true;
    bool ok = show_all(&tail, err);
    text_table_deinit(&tail.table);
    kept_files_deinit(&tail.kept);
    store_close(tail.store);
    return ok;
}
