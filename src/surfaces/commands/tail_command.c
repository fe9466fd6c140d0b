/* The newest rows are looked for batch by batch, from the newest back, until there are enough; a
 * batch's manifest says which files it added, or the sink log where Spark ran it. --follow then
 * prints the rows of each batch that is committed, in order. No lock is taken, so a file may go
 * meanwhile (a rewind): that is a warning, and `tail` continues.
 *
 * A file that was compacted is read where it is kept. When it is not kept any more, the rows of its
 * batch are found among those of the files that took its place, by their processing_timestamp; so
 * are rows in files that `adopt --accept` has brought in. When nothing tells any more which files a
 * batch has added, as after a rewind over many batches, the newest of all rows that are older than
 * those of the batches behind it are shown. */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/disk/file.h"
#include "base/log/log.h"
#include "streaming/changes/batch_files.h"
#include "streaming/changes/live_files.h"
#include "streaming/table/origin_reader.h"
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
    int64_t only_us;  // rows of this processing_timestamp; -1: all
    int64_t first_us; // the first time of all rows that were offered by their batch
    bool by_time;     // no batch is known any more: rows before first_us are offered
};

/* Behind any batch that is known, by age. */
static int64_t batch_of_time(int64_t processed_us) {
    return processed_us - INT64_MAX / 2;
}

static void offer(void *context, const struct table_rows *rows, size_t row) {
    struct history *history = context;
    const struct vector *columns = rows->cursor.vectors;
    int64_t processed_us = columns[3].valid[row] ? columns[3].int64s[row] : -1;
    if (history->only_us >= 0 && processed_us != history->only_us)
        return;
    if (history->by_time && processed_us >= history->first_us)
        return;
    newest_rows_offer(&history->tail->newest,
                      &(struct newest_row){
                          .batch = history->by_time ? batch_of_time(processed_us) : history->batch,
                          .micros = columns[0].valid[row] ? columns[0].int64s[row] : 0,
                          .partition = columns[1].valid[row] ? columns[1].int32s[row] : 0,
                          .offset = columns[2].valid[row] ? columns[2].int64s[row] : 0,
                          .path = history->path,
                          .row = rows->first + (int64_t)row});
    if (!history->by_time && processed_us >= 0 && processed_us < history->first_us)
        history->first_us = processed_us;
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
static bool offer_merged(struct history *history, struct path_list *merged, int64_t time_ms,
                         struct error *err) {
    struct tail *tail = history->tail;
    bool ok = true;
    path_list_sort(merged);
    path_list_drop_doubles(merged);
    history->only_us = time_ms * 1000;
    for (size_t i = 0; ok && i < merged->count; i++) {
        bool left;
        ok = has_left(tail, merged->paths[i], &left, err) &&
             (left || read_file(history, merged->paths[i], err) ||
              pass_over(tail, merged->paths[i], err));
    }
    history->only_us = -1;
    return ok;
}

/* Files of the batch, or what took the place of one if the batch has rows in files of others in any
 * case: no row is offered twice. */
static bool offer_file(struct history *history, const char *path, bool is_apart,
                       struct path_list *merged, struct error *err) {
    struct tail *tail = history->tail;
    size_t before = merged->count;
    enum file_fate fate;
    bool left;
    if (!has_left(tail, path, &left, err))
        return false;
    if (left)
        return true;
    if (is_apart && !kept_files_fate(&tail->kept, false, path, &fate, merged, err))
        return false;
    return merged->count > before || read_file(history, path, err) ||
           note_successors(history, path, merged, err);
}

/* *known false: rows of the batch are in files of others, and it is not known which or when. */
static bool offer_batch(struct history *history, size_t first, bool *known, struct error *err) {
    struct tail *tail = history->tail;
    struct path_list merged = {0};
    int64_t time_ms = -1;
    bool accepted = false;
    bool ok = batch_time(tail->store, history->batch, &time_ms, err) &&
              kept_files_accepted(&tail->kept, history->batch, &merged, &accepted, err);
    bool is_apart = merged.count > 0;
    // Without a sink log, files of others were part of the table before, and no change names them.
    *known = ok && (!is_apart || time_ms >= 0) && (!accepted || tail->store->sink_log.exists);
    for (size_t file = first; ok && *known && file < history->files.count; file++)
        ok = offer_file(history, history->files.files[file].path, is_apart, &merged, err);
    if (ok && *known && merged.count > 0 && time_ms < 0)
        log_write(LOG_WARNING, tail->scope->stream->name,
                  "The rows of batch %" PRId64
                  " were compacted and are not available by batch any more: its time is unknown",
                  history->batch);
    else if (ok && *known)
        ok = offer_merged(history, &merged, time_ms, err);
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

/* ---- by time ---- */

struct timed_file {
    const char *path; // borrowed
    int64_t first_us, last_us;
};

static int newest_first(const void *a, const void *b) {
    const struct timed_file *left = a, *right = b;
    return (left->last_us < right->last_us) - (left->last_us > right->last_us);
}

/* The files that have rows of before; a damaged one is read, which says what is wrong with it. */
static bool find_times(const struct history *history, const struct live_files *live,
                       struct timed_file *files, size_t *count, struct error *err) {
    *count = 0;
    for (size_t i = 0; i < live->files.count; i++) {
        struct timed_file *file = &files[*count];
        *file = (struct timed_file){live->files.files[i].path, INT64_MIN, INT64_MAX};
        struct file_path full = file_join(live->root.text, file->path);
        if (!origin_times(full.text, &file->first_us, &file->last_us, err) &&
            err->kind != ERROR_STATE && !file_is_gone(full.text))
            return false;
        *count += file->first_us <= file->last_us && file->first_us < history->first_us;
    }
    if (*count > 1)
        qsort(files, *count, sizeof *files, newest_first);
    return true;
}

/* From the newest file back, until no other can have a newer row. */
static bool offer_files_by_time(struct history *history, const struct timed_file *files,
                                size_t count, struct error *err) {
    int64_t first_us = INT64_MAX;
    for (size_t i = 0; i < count; i++) {
        if (newest_rows_are_full(&history->tail->newest) && files[i].last_us < first_us)
            return true;
        if (!read_file(history, files[i].path, err) &&
            !pass_over(history->tail, files[i].path, err))
            return false;
        first_us = files[i].first_us < first_us ? files[i].first_us : first_us;
    }
    return true;
}

static bool offer_by_time(struct history *history, struct error *err) {
    struct live_files live;
    size_t count;
    if (!live_files_read(history->tail->store, false, &live, err))
        return false;
    struct timed_file *files = must_alloc(live.files.count + 1, sizeof *files);
    history->by_time = true;
    bool ok = find_times(history, &live, files, &count, err) &&
              offer_files_by_time(history, files, count, err);
    free(files);
    file_list_move(&history->files, &live.files); // rows that were offered have their paths
    live_files_deinit(&live);
    return ok;
}

static bool offer_newest(struct history *history, struct error *err) {
    struct tail *tail = history->tail;
    for (history->batch = tail->newest_batch;
         history->batch >= 0 && !newest_rows_are_full(&history->tail->newest); history->batch--) {
        bool known;
        size_t first = history->files.count;
        if (!batch_files_read(tail->store, history->batch, &history->files, &known, err) ||
            (known && !offer_batch(history, first, &known, err)))
            return false;
        if (!known)
            return offer_by_time(history, err);
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
    struct history history = {.tail = tail, .only_us = -1, .first_us = INT64_MAX};
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
