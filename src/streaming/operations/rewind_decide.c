/* rewind_decide.c: which files belong to the batches that are taken back.
 *
 * Three sources can tell, in this order. The sink log as it was at the batch, if it is complete and
 * was written batch by batch. Without a sink log, the manifests, if every later batch has one of
 * ours. Otherwise the rows of each file: all rows of a file are of one batch, so they lie on one
 * side of the plan's end offsets. A file with rows on both sides, or whose offsets can't be read,
 * is refused: nothing is guessed. For rejects it is always the manifests. */
#include <inttypes.h>
#include <string.h>

#include "base/scope.h"
#include "base/utf8.h"
#include "streaming/operations/rewind_decide.h"
#include "streaming/sink_log/sink_entry.h"
#include "streaming/store/store.h"
#include "streaming/table/origin_reader.h"

static bool add_line(struct rewind *rewind, struct json *line, struct error *err) {
    if (rewind->dry_run)
        return true;
    scoped(scope_free) char *text = json_print(line);
    return sink_log_writer_add(&rewind->intent, text, err);
}

static bool add_aside(struct rewind *rewind, const char *path, const char *of, struct error *err) {
    if (!utf8_is_whole(path))
        return error_set(err, ERROR_STATE,
                         "the name of '%s' is not UTF-8: rename it or move it out of the table, "
                         "then rewind again",
                         path);
    struct json *line = json_new_object();
    json_put_text(line, "path", path);
    json_put_text(line, "aside", of);
    bool ok = add_line(rewind, line, err);
    json_free(line);
    rewind->table_files += strcmp(of, "table") == 0;
    rewind->reject_files += strcmp(of, "rejects") == 0;
    return ok;
}

static bool add_files(struct rewind *rewind, const struct file_list *files, const char *of,
                      struct error *err) {
    for (size_t i = 0; i < files->count; i++)
        if (!add_aside(rewind, files->files[i].path, of, err))
            return false;
    return true;
}

static bool has_manifest(const struct rewind *rewind, int64_t batch_id, bool *has,
                         struct error *err) {
    struct file_path path = file_join_number(rewind->store->checkpoint.manifests.text, batch_id);
    int there = file_exists(path.text, NULL, err);
    *has = there == 1;
    return there >= 0;
}

/* The rejects of our batches, and `with_files` the table's files as well; else these are noted. */
static bool add_manifests(struct rewind *rewind, bool with_files, struct error *err) {
    for (int64_t batch = rewind->to_batch + 1; batch <= rewind->newest; batch++) {
        struct manifest manifest;
        bool has;
        if (!has_manifest(rewind, batch, &has, err))
            return false;
        if (!has)
            continue;
        if (!store_read_manifest(rewind->store, batch, &manifest, err))
            return false;
        bool ok = add_files(rewind, &manifest.rejects, "rejects", err) &&
                  (!with_files || add_files(rewind, &manifest.files, "table", err));
        for (size_t i = 0; !with_files && i < manifest.files.count; i++)
            path_set_add(&rewind->newer, manifest.files.files[i].path);
        manifest_deinit(&manifest);
        if (!ok)
            return false;
    }
    (void)path_set_seal(&rewind->newer);
    return true;
}

/* Whether the batch's manifest names its table files; that of a batch of Spark's does not. */
static bool names_files(const struct rewind *rewind, int64_t batch_id, bool *names,
                        struct error *err) {
    struct manifest manifest;
    if (!has_manifest(rewind, batch_id, names, err))
        return false;
    if (!*names)
        return true;
    if (!store_read_manifest(rewind->store, batch_id, &manifest, err))
        return false;
    *names = !manifest.of_spark;
    manifest_deinit(&manifest);
    return true;
}

static bool manifests_complete(const struct rewind *rewind, bool *complete, struct error *err) {
    *complete = true;
    for (int64_t batch = rewind->to_batch + 1; *complete && batch <= rewind->newest; batch++)
        if (!names_files(rewind, batch, complete, err))
            return false;
    return true;
}

static bool read_entry(const struct rewind *rewind, struct json *line, struct sink_entry *entry,
                       struct error *err) {
    const struct store_options *options = &rewind->store->options;
    return sink_entry_read(entry, line, options->table, options->partition_by_count, err);
}

static bool keep_entry(void *context, struct json *line, struct error *err) {
    struct rewind *rewind = context;
    struct sink_entry entry;
    if (!read_entry(rewind, line, &entry, err))
        return false;
    path_set_add(&rewind->kept, entry.relative);
    sink_entry_deinit(&entry);
    return true;
}

static bool add_if_newer(void *context, struct json *line, struct error *err) {
    struct rewind *rewind = context;
    struct sink_entry entry;
    if (!read_entry(rewind, line, &entry, err))
        return false;
    bool ok = path_set_has(&rewind->kept, entry.relative) ||
              add_aside(rewind, entry.relative, "table", err);
    sink_entry_deinit(&entry);
    return ok;
}

/* The log as it was with `to_batch` against all that came later, compact files included. */
static bool decide_by_log(struct rewind *rewind, const struct sink_log *then, struct error *err) {
    const struct sink_log *log = &rewind->store->sink_log;
    if (!sink_log_each_entry(then, keep_entry, rewind, err))
        return false;
    (void)path_set_seal(&rewind->kept);
    for (int64_t batch = rewind->to_batch + 1; batch <= log->newest; batch++) {
        struct file_path path;
        bool found;
        if (!sink_log_file_of(log, batch, &path, err) ||
            (path.text[0] != '\0' &&
             !sink_log_file_entries(path.text, add_if_newer, rewind, &found, err)))
            return false;
    }
    return true;
}

/* On which side of the plan's ends the rows of a file lie. */
struct sides {
    const struct offsets *ends;
    bool before, beyond;
};

static bool visit_row(void *context, int32_t partition, int64_t offset) {
    struct sides *sides = context;
    const struct partition_offset *end = offsets_find(sides->ends, partition);
    if (end != NULL && offset < end->offset)
        sides->before = true;
    else
        sides->beyond = true;
    return !(sides->before && sides->beyond); // both: more rows say nothing new
}

/* Whether a file is of an earlier incarnation of the topic, whose offsets tell nothing. All rows of
 * a file are of one batch. */
static bool is_former(const struct rewind *rewind, const char *path, bool *former,
                      struct error *err) {
    int64_t processed_ms;
    *former = false;
    if (rewind->since_ms == 0)
        return true;
    bool ok = origin_time(path, &processed_ms, err);
    *former = ok && processed_ms >= 0 && processed_ms < rewind->since_ms;
    return ok || err->kind == ERROR_STATE; // reported where its offsets are read
}

/* A replay's rows come from before its batch: its manifest tells, its offsets would not. */
static bool look_into(const struct rewind *rewind, const char *relative, bool *beyond,
                      struct error *err) {
    *beyond = path_set_has(&rewind->newer, relative);
    if (*beyond)
        return true;
    struct file_path path = file_join(rewind->store->options.table, relative);
    struct sides sides = {.ends = &rewind->ends};
    enum origin_end end;
    bool former;
    if (!is_former(rewind, path.text, &former, err))
        return false;
    if (former)
        return true;
    if (!origin_each_offset(path.text, visit_row, &sides, &end, err))
        return false;
    *beyond = sides.beyond;
    if (end == ORIGIN_READ)
        return true;
    return error_set(
        err, ERROR_STATE,
        "it is not known which batch '%s' belongs to: %s. Rewind to a batch after the "
        "table was adopted, or move the file out of the table and delete its line from the "
        "sink log (docs/verify.md)",
        path.text,
        end == ORIGIN_ENDED ? "it has rows from before and after the batch"
                            : "its columns partition and offset cannot "
                              "be read");
}

static bool sort_entry(void *context, struct json *line, struct error *err) {
    struct rewind *rewind = context;
    struct sink_entry entry;
    bool beyond;
    if (!read_entry(rewind, line, &entry, err))
        return false;
    bool ok = look_into(rewind, entry.relative, &beyond, err);
    if (ok)
        ok = beyond ? add_aside(rewind, entry.relative, "table", err) : add_line(rewind, line, err);
    sink_entry_deinit(&entry);
    return ok;
}

static bool sort_file(void *context, const char *path) {
    struct rewind *rewind = context;
    bool beyond;
    rewind->failed = !look_into(rewind, path, &beyond, rewind->err) ||
                     (beyond && !add_aside(rewind, path, "table", rewind->err));
    return !rewind->failed;
}

/* A compact interval with which the log can hold all in one file and still be read by Spark's rule;
 * 0: none. */
static bool find_interval(const struct rewind *rewind, int64_t *interval, struct error *err) {
    const struct sink_log *log = &rewind->store->sink_log;
    scoped(scope_free) int64_t *compact = NULL;
    size_t count, kept = 0;
    if (!file_list_numbers(log->directory.text, ".compact", &compact, &count, err))
        return false;
    while (kept < count && compact[kept] <= rewind->to_batch)
        kept++;
    const int64_t candidates[] = {log->interval, SINK_LOG_INTERVAL};
    for (size_t i = 0; i < 2; i++) {
        struct log_layout layout = log_layout_of(rewind->to_batch, candidates[i]);
        int64_t then[3]; // the rule looks at the last two
        size_t then_count = 0;
        for (size_t j = kept < 2 ? 0 : kept - 2; j < kept; j++)
            then[then_count++] = compact[j];
        if (layout.compact && (kept == 0 || compact[kept - 1] < layout.holder))
            then[then_count++] = layout.holder;
        struct log_layout read =
            log_layout_of(rewind->to_batch, sink_log_interval(then, then_count));
        *interval = candidates[i];
        if (read.holder == layout.holder && read.compact == layout.compact)
            return true;
    }
    return error_set(err, ERROR_STATE,
                     "the compact files of '%s' do not follow Spark's rule, so the log cannot be "
                     "shortened to batch %" PRId64 ": rewind to a newer batch",
                     log->directory.text, rewind->to_batch);
}

enum decision { BY_LOG, BY_MANIFESTS, BY_ROWS };

/* An adopted log does not say which batch a file is of, up to the batch it was adopted at; a log of
 * Spark's with a short retention may have lost what it was. */
static bool choose(struct rewind *rewind, struct sink_log *then, enum decision *decision,
                   struct error *err) {
    struct store *store = rewind->store;
    bool complete = false;
    *decision = BY_ROWS;
    if (store->sink_log.exists) {
        if (!sink_log_at(&store->sink_log, rewind->to_batch, then, &complete, err))
            return false;
        if (complete && rewind->to_batch >= store->table.owner_adopted_at)
            *decision = BY_LOG;
        return true;
    }
    if (!manifests_complete(rewind, &complete, err))
        return false;
    *decision = complete ? BY_MANIFESTS : BY_ROWS;
    return true;
}

static bool decide_by_rows(struct rewind *rewind, struct error *err) {
    struct store *store = rewind->store;
    if (store->sink_log.exists)
        return sink_log_each_entry(&store->sink_log, sort_entry, rewind, err);
    return table_each_file(&store->table, store->options.partition_by_count, sort_file, rewind,
                           err) &&
           !rewind->failed;
}

static bool write_decision(struct rewind *rewind, enum decision decision,
                           const struct sink_log *then, struct error *err) {
    struct json *header = json_new_object();
    int64_t interval = 0;
    json_put_text(header, "path", "");
    json_put_int(header, "toBatch", rewind->to_batch);
    bool ok = true;
    if (decision == BY_ROWS && rewind->store->sink_log.exists) {
        ok = find_interval(rewind, &interval, err);
        json_put_int(header, "interval", interval);
    }
    ok = ok && add_line(rewind, header, err);
    json_free(header);
    ok = ok && add_manifests(rewind, decision == BY_MANIFESTS, err);
    if (ok && decision == BY_LOG)
        ok = decide_by_log(rewind, then, err);
    if (ok && decision == BY_ROWS)
        ok = decide_by_rows(rewind, err);
    return ok;
}

bool rewind_decide(struct rewind *rewind, struct error *err) {
    struct sink_log then;
    enum decision decision;
    if (!choose(rewind, &then, &decision, err))
        return false;
    if (rewind->dry_run)
        return write_decision(rewind, decision, &then, err);
    if (!sink_log_writer_open(&rewind->intent, rewind->store->options.checkpoint, CHECKPOINT_REWIND,
                              err))
        return false;
    if (write_decision(rewind, decision, &then, err))
        return sink_log_writer_replace(&rewind->intent, err);
    sink_log_writer_discard(&rewind->intent);
    return false;
}
