#include "surfaces/commands/tail_command.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/disk/file.h"
#include "base/log/log.h"
#include "streaming/store/batch_files.h"
#include "surfaces/rows/pick_reader.h"
#include "surfaces/rows/shown_columns.h"
#include "surfaces/terminal/output.h"

enum { LOOK_EVERY_MS = 200, PART_ROWS = 500 };

struct tail {
    const struct command_scope *scope;
    struct store *store;
    struct shown_columns shown;
    struct text_table table; // without --json
    int64_t newest;          // the batch that is shown, or passed over
};

/* What a row's age is told by. */
static const struct wanted_column age_columns[] = {
    {"kafka_timestamp", TYPE_TIMESTAMP}, {"partition", TYPE_INT32}, {"offset", TYPE_INT64}};

enum { AGE_COLUMNS = sizeof age_columns / sizeof age_columns[0] };

/* ---- showing ---- */

/* The row as it will be printed: a line of JSON, or one cell behind the other, each terminated. */
static char *render(const struct tail *tail, const struct table_rows *rows, size_t row) {
    if (tail->scope->config->arguments.json) {
        int digits;
        struct json *object = table_row_json(rows, row, &digits);
        char *line = json_print_digits(object, digits);
        json_free(object);
        return line;
    }
    char texts[TEXT_TABLE_COLUMNS_MAX][CELL_TEXT_MAX];
    const char *cells[TEXT_TABLE_COLUMNS_MAX];
    for (size_t i = 0; i < tail->shown.count; i++) {
        table_row_cell(rows, row, tail->shown.names[i], texts[i]);
        cells[i] = texts[i];
    }
    return text_table_join(&tail->table, cells);
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

/* The batches that the newest rows are looked for in, newest first, and their files. */
struct history {
    const struct tail *tail;
    struct file_list files;
    struct picks picks;
};

/* A file that could not be shown. True: it is not there; a warning says so, and `tail` goes on. */
static bool pass_over(const struct tail *tail, const char *path) {
    struct file_path full = file_join(tail->scope->store.table, path);
    bool gone = file_is_gone(full.text);
    if (gone)
        log_write(LOG_WARNING, tail->scope->stream->name,
                  "'%s' is listed and not there: its batch was taken back meanwhile, or it is "
                  "lost, as `esports-stream verify` tells",
                  full.text);
    return gone;
}

static bool pick_from(struct history *history, const struct tail *tail, int64_t batch_id,
                      size_t file, struct error *err) {
    struct table_rows rows;
    const char *root = tail->scope->store.table;
    bool ok = table_rows_open(&rows, root, history->files.files[file].path, age_columns,
                              AGE_COLUMNS, err);
    while (ok && (ok = table_rows_next(&rows, err)) && rows.count > 0) {
        const struct vector *columns = rows.cursor.vectors;
        for (size_t row = 0; row < rows.count; row++)
            picks_offer(
                &history->picks,
                &(struct pick){.batch = batch_id,
                               .micros = columns[0].valid[row] ? columns[0].int64s[row] : 0,
                               .partition = columns[1].valid[row] ? columns[1].int32s[row] : 0,
                               .offset = columns[2].valid[row] ? columns[2].int64s[row] : 0,
                               .file = file,
                               .row = rows.first + (int64_t)row});
    }
    table_rows_close(&rows);
    return ok || pass_over(tail, history->files.files[file].path);
}

static void note_unknown(const struct tail *tail, int64_t batch_id) {
    log_write(LOG_WARNING, tail->scope->stream->name,
              "Which files batch %" PRId64
              " has added is not known (any more): it has no manifest, "
              "and no file of its own in the sink log",
              batch_id);
}

static bool pick_newest(struct history *history, struct tail *tail, struct error *err) {
    for (int64_t batch = tail->newest; batch >= 0 && !picks_are_full(&history->picks); batch--) {
        bool known;
        size_t first = history->files.count;
        if (!batch_files_read(tail->store, batch, &history->files, &known, err))
            return false;
        if (!known) {
            note_unknown(tail, batch);
            return true;
        }
        for (size_t file = first; file < history->files.count; file++)
            if (!pick_from(history, tail, batch, file, err))
                return false;
    }
    return true;
}

static const char *path_of(const void *context, size_t file) {
    const struct history *history = context;
    return history->files.files[file].path;
}

static char *render_picked(const void *context, const struct table_rows *rows, size_t row) {
    return render(((const struct history *)context)->tail, rows, row);
}

static bool show_picked(struct tail *tail, struct history *history, struct error *err) {
    struct picks *picks = &history->picks;
    const struct pick_reader reader = {.root = tail->scope->store.table,
                                       .path_of = path_of,
                                       .render = render_picked,
                                       .context = history};
    if (!picks_read(picks, &reader, err))
        return false;
    for (size_t i = 0; i < picks->count; i++) {
        show(tail, picks->items[i].text);
        picks->items[i].text = NULL;
    }
    return flush(tail, err);
}

static bool show_newest(struct tail *tail, struct error *err) {
    struct history history = {.tail = tail};
    picks_init(&history.picks, (size_t)tail->scope->config->arguments.rows);
    bool ok = pick_newest(&history, tail, err) && show_picked(tail, &history, err);
    picks_deinit(&history.picks);
    file_list_deinit(&history.files);
    return ok;
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
        return; // who started us wants it so
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
    bool ok = table_rows_open(&rows, tail->scope->store.table, path, NULL, 0, err);
    while (ok && !*ended && (ok = table_rows_next(&rows, err)) && rows.count > 0) {
        for (size_t row = 0; ok && row < rows.count; row++) {
            show(tail, render(tail, &rows, row));
            if (row % PART_ROWS == PART_ROWS - 1)
                ok = flush(tail, err);
        }
        *ended = end_asked != 0;
    }
    table_rows_close(&rows);
    return ok || pass_over(tail, path);
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
        if (newest < tail->newest) // rewound: these come again
            tail->newest = newest;
        for (; !ended && tail->newest < newest; tail->newest++)
            if (!show_batch(tail, tail->newest + 1, &ended, err))
                return false;
        if (!output_is_read(tail->scope->out))
            return error_set(err, ERROR_STOPPED, "nobody reads the output any more");
    }
    return true;
}

static bool run(struct tail *tail, struct error *err) {
    const struct command_arguments *arguments = &tail->scope->config->arguments;
    if (!batch_newest(tail->store, &tail->newest, err))
        return false;
    if (tail->newest < 0 && !arguments->follow)
        log_write(LOG_WARNING, tail->scope->stream->name, "No batch is committed yet");
    return (arguments->rows == 0 || show_newest(tail, err)) &&
           (!arguments->follow || follow(tail, err));
}

bool tail_command(const struct command_scope *scope, struct error *err) {
    struct tail tail = {.scope = scope};
    if (scope->config->arguments.rows > PICKS_MAX)
        return error_set(err, ERROR_CONFIG, "--rows: want at most %d", PICKS_MAX);
    if (scope->config->arguments.follow && scope->config->job == NULL)
        return error_set(err, ERROR_CONFIG,
                         "--follow: want --job: one table is followed at a time");
    if (!store_open_to_read(&scope->store, &tail.store, err))
        return false;
    if (scope->config->arguments.follow) {
        end_by_signal(SIGINT);
        end_by_signal(SIGTERM);
    }
    shown_columns_init(&tail.shown, scope->stream, scope->store.partition_by,
                       scope->store.partition_by_count);
    shown_columns_begin(&tail.shown, &tail.table);
    bool ok = run(&tail, err);
    text_table_deinit(&tail.table);
    store_close(tail.store);
    return ok;
}
