/* expire.c: whole date partitions are collected until they are many files, which are one change.
 *
 * The offsets that leave are read from the files and recorded with the change, so that `verify`
 * knows them. A partition leaves as a whole: one that has a file which may not leave yet waits. */
#include "streaming/care/expire.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/scope.h"
#include "base/system/clock.h"
#include "base/text.h"
#include "core/date_text.h"
#include "streaming/care/expiry.h"
#include "streaming/changes/change_steps.h"
#include "streaming/changes/rejects.h"
#include "streaming/table/origin_reader.h"

enum { CHANGE_FILES = 10000, PAGE_MAX = 64 << 20 };

struct pass {
    const struct care_table *table;
    const struct expire_order *order;
    const struct care_host *host;
    struct care_result *result;
    struct care_files files;
    struct expiry expiry;
    struct incarnations incarnations; // of the topic; owned
    size_t strange, doubted;
};

static void say(const struct pass *pass, const char *format, ...) PRINTF_LIKE(2, 3);
static void say(const struct pass *pass, const char *format, ...) {
    va_list args;
    va_start(args, format);
    scoped(scope_free) char *text = text_format_list(format, args);
    va_end(args);
    scoped(scope_free) char *line =
        text_format("%s: %s", pass->table->definition->options->store.query, text);
    pass->host->say(pass->host->context, line);
}

/* The partition's directory; the caller frees it. */
static char *name_of(const struct pass *pass, const struct expiry_partition *partition) {
    return text_format("%.*s", (int)partition->length, pass->files.files[partition->first].path);
}

/* ---- what may leave ---- */

struct strangers {
    struct path_set known;
    size_t prefix; // bytes of a known path that are the partition's directory, with the slash
    int64_t count;
};

static bool count_stranger(void *context, const char *path) {
    struct strangers *strangers = context;
    strangers->count += !path_set_has(&strangers->known, path);
    return true;
}

/* Files of the partition that are on disk and may not leave yet. */
static bool count_strangers(const struct pass *pass, const struct expiry_partition *partition,
                            int64_t *count, struct error *err) {
    struct strangers strangers = {.prefix = partition->length + 1};
    scoped(scope_free) char *name = name_of(pass, partition);
    for (size_t i = partition->first; i < partition->end; i++)
        path_set_add(&strangers.known, pass->files.files[i].path + strangers.prefix);
    (void)path_set_seal(&strangers.known);
    struct table below = {.root = file_join(pass->table->root, name)};
    size_t depth = pass->table->partition_column_count - (size_t)pass->table->date_level - 1;
    bool ok = table_each_file(&below, depth, count_stranger, &strangers, err);
    *count = strangers.count;
    path_set_deinit(&strangers.known);
    return ok;
}

/* Whether each directory of the partition can be replaced. */
static bool fits(const struct pass *pass, const struct expiry_partition *partition,
                 struct error *err) {
    const struct care_file *files = pass->files.files;
    bool ok = true;
    for (size_t i = partition->first, end; ok && i < partition->end; i = end) {
        size_t length = care_directory_length(files[i].path);
        scoped(scope_free) char *directory = text_format("%.*s", (int)length, files[i].path);
        end = care_directory_end(&pass->files, i, length);
        ok = change_fits(pass->table->store, false, directory, err);
    }
    return ok;
}

static void say_waits(const struct pass *pass, const struct expiry_partition *partition) {
    scoped(scope_free) char *name = name_of(pass, partition);
    char amount[CARE_AMOUNT_MAX], day[DATE_TEXT_MAX];
    size_t length = date_text_format(care_day_of(&pass->table->zone, partition->newest_ms), day);
    int64_t files = (int64_t)(partition->end - partition->first);
    (void)care_amount(files, partition->bytes, amount);
    if (partition->verdict == EXPIRY_DOUBTED)
        say(pass, "%s: %s wait until the clock is believed.", name, amount);
    else if (partition->verdict == EXPIRY_STRANGE)
        say(pass,
            "%s: %s do not expire by a retention: the date is not one that the query can have had. "
            "Look at the producers' clocks; `expire --before` removes dates of the past.",
            name, amount);
    else
        say(pass, "%s: %s wait: the newest was committed on %.*s.", name, amount, (int)length, day);
}

/* *leaves false: it does not, and that was said. */
static bool judge(struct pass *pass, const struct expiry_partition *partition, bool *leaves,
                  struct error *err) {
    scoped(scope_free) char *name = name_of(pass, partition);
    char amount[CARE_AMOUNT_MAX];
    int64_t strangers = 0;
    *leaves = partition->verdict == EXPIRY_DUE;
    if (partition->verdict == EXPIRY_STRANGE)
        care_add_directory(pass->result->strange, sizeof pass->result->strange, name,
                           pass->strange++);
    if (partition->verdict == EXPIRY_DOUBTED)
        care_add_directory(pass->result->doubted, sizeof pass->result->doubted, name,
                           pass->doubted++);
    if (!*leaves)
        say_waits(pass, partition);
    else if (!count_strangers(pass, partition, &strangers, err))
        return false;
    if (strangers > 0) {
        *leaves = false;
        say(pass,
            "%s: waits: %s there cannot leave yet: not in the sink log's newest compact file.",
            name, text_count(strangers, "file").text);
    }
    if (*leaves && !fits(pass, partition, err)) {
        if (err->kind != ERROR_CONFIG)
            return false;
        *leaves = false;
        say(pass, "%s: waits: %s.", name, err->message);
    }
    pass->result->waiting += !*leaves;
    pass->result->jobs += *leaves;
    if (*leaves && pass->order->dry_run)
        say(pass, "%s: %s would expire.", name,
            care_amount((int64_t)(partition->end - partition->first), partition->bytes, amount));
    return true;
}

/* ---- what leaves ---- */

struct reading {
    const struct incarnations *incarnations;
    struct change *change;
    struct data_file *file;
};

static bool note_rows(void *context, int64_t size, const struct file_metadata *metadata) {
    struct reading *reading = context;
    reading->file->size = size;
    reading->file->rows = metadata->rows;
    return true;
}

static void note_offsets(void *context, const struct origin_rows *rows) {
    const struct reading *reading = context;
    for (size_t i = 0; i < rows->count; i++) {
        int64_t processed_us = rows->processed->valid[i] ? rows->processed->int64s[i] : 0;
        int32_t incarnation = incarnations_of_row(reading->incarnations, processed_us / 1000);
        (void)resolved_add(&reading->change->gone, incarnation, rows->partitions[i],
                           rows->offsets[i]);
    }
}

static bool add_file(const struct pass *pass, const struct care_file *file, struct change *change,
                     struct error *err) {
    struct data_file left = {.modified_ms = file->modified_ms};
    struct reading reading = {&pass->incarnations, change, &left};
    const struct origin_visitor visitor = {
        .context = &reading, .wants_times = true, .begin = note_rows, .rows = note_offsets};
    if (!pass->host->breathe(pass->host->breathe_context))
        return error_set(err, ERROR_STOPPED, "stopped before files expired");
    if (!origin_read(file_join(pass->table->root, file->path).text, PAGE_MAX, &visitor, err))
        return false;
    left.path = text_copy(file->path);
    file_list_add(&change->left, left);
    return true;
}

static bool add_partition(const struct pass *pass, const struct expiry_partition *partition,
                          struct change *change, struct error *err) {
    for (size_t i = partition->first; i < partition->end; i++)
        if (!add_file(pass, &pass->files.files[i], change, err))
            return false;
    return true;
}

/* Partitions [first, end) of `due` as one change. */
static bool run_change(struct pass *pass, const struct expiry_partition *due, size_t count,
                       struct error *err) {
    const struct care_table *table = pass->table;
    struct care_report report = {0};
    struct change change;
    struct file_path staging;
    int64_t began_ms = clock_monotonic_ms();
    if (!care_begin(table, CHANGE_EXPIRY, &change, &staging, err))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        scoped(scope_free) char *name = name_of(pass, &due[i]);
        care_add_directory(report.directories, sizeof report.directories, name, i);
        ok = add_partition(pass, &due[i], &change, err);
    }
    if (!ok)
        change_discard(table->store, table->of_rejects, change.number);
    report.duration_ms = clock_monotonic_ms() - began_ms;
    ok = ok && care_publish(table, pass->host, &change, &report, err);
    if (ok) {
        pass->result->changes++;
        pass->result->gain.files_before += report.gain.files_before;
        pass->result->gain.bytes_before += report.gain.bytes_before;
        pass->result->gain.rows += report.gain.rows;
    }
    change_deinit(&change);
    return ok;
}

static bool run_changes(struct pass *pass, const struct expiry_partition *due, size_t count,
                        struct error *err) {
    if (count == 0 || pass->order->dry_run)
        return true;
    if (!change_is_possible(pass->table->store, false, err))
        return false;
    for (size_t first = 0, end; first < count; first = end) {
        size_t files = 0;
        for (end = first; end < count && (end == first || files < CHANGE_FILES); end++)
            files += due[end].end - due[end].first;
        if (!run_change(pass, due + first, end - first, err))
            return false;
    }
    return true;
}

/* ---- a pass ---- */

/* When the checkpoint was made, or before, by the oldest file: a copied checkpoint looks younger.
 */
static bool first_start(const struct pass *pass, int64_t *first_ms, struct error *err) {
    struct file_status status;
    struct file_path metadata = file_join(pass->table->store->options.checkpoint, "metadata");
    int there = file_find(metadata.text, &status, err);
    *first_ms = there == 1 ? file_modified_ms(&status) : clock_wall_ms();
    for (size_t i = 0; i < pass->files.count; i++)
        if (pass->files.files[i].modified_ms < *first_ms)
            *first_ms = pass->files.files[i].modified_ms;
    return there >= 0;
}

/* Its own look at the checkpoint: that of the store belongs to the driver. */
static bool read_incarnations(struct pass *pass, struct error *err) {
    struct store *store;
    struct resolved_rejects rejects;
    if (!store_open_to_read(&pass->table->store->options, &store, err))
        return false;
    bool ok = resolved_rejects_read(store, &rejects, err);
    if (ok) {
        pass->incarnations = rejects.incarnations;
        rejects.incarnations = (struct incarnations){0};
        resolved_rejects_deinit(&rejects);
    }
    store_close(store);
    return ok;
}

static bool look(struct pass *pass, struct error *err) {
    struct expiry_rules rules = {.date_level = pass->table->date_level,
                                 .before = pass->order->before,
                                 .by_retention = pass->order->by_retention,
                                 .clock_believed = pass->order->clock_believed,
                                 .now_ms = clock_wall_ms(),
                                 .zone = pass->table->zone};
    if (!care_list(pass->table, &pass->files, err) ||
        !first_start(pass, &rules.first_start_ms, err))
        return false;
    pass->result->counts.files = (int64_t)pass->files.count;
    expiry_make(&pass->files, &rules, &pass->expiry);
    return pass->expiry.count == 0 || pass->order->dry_run || read_incarnations(pass, err);
}

static bool run(struct pass *pass, struct error *err) {
    if (!look(pass, err))
        return false;
    struct expiry_partition *due = must_alloc(pass->expiry.count + 1, sizeof *due);
    size_t count = 0;
    bool ok = true;
    for (size_t i = 0; ok && i < pass->expiry.count; i++) {
        bool leaves;
        ok = judge(pass, &pass->expiry.partitions[i], &leaves, err);
        if (ok && leaves)
            due[count++] = pass->expiry.partitions[i];
    }
    ok = ok && run_changes(pass, due, count, err);
    free(due);
    return ok;
}

bool expire_pass(const struct care_table *table, const struct expire_order *order,
                 const struct care_host *host, struct care_result *result, struct error *err) {
    struct pass pass = {.table = table, .order = order, .host = host, .result = result};
    *result = (struct care_result){0};
    if (table->date_level < 0)
        return error_set(err, ERROR_CONFIG,
                         "%s has no partition column of type DATE, so no date of it can expire",
                         table->root);
    bool ok = run(&pass, err);
    expiry_deinit(&pass.expiry);
    care_files_deinit(&pass.files);
    incarnations_deinit(&pass.incarnations);
    return ok;
}
