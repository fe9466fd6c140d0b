/* rewind_decide.c: which files belong to the batches that are taken back.
 *
 * Three sources can tell, in this order. The sink log as it was at the batch, if it is complete,
 * was written batch by batch, and names no file that has left the table since or that an acceptance
 * has brought in. Without a sink log, the manifests, if every later batch has one of ours and its
 * files are there. Otherwise the rows of each file: those of later batches have a later
 * processing_timestamp than the plan of the batch. A file that a compaction has made may have rows
 * of both; it is split first. Where timestamps do not decide, because a clock went back or a file
 * does not have them, offsets do: all rows of a file must be on one side of the plan's end offsets,
 * and the manifests must name the files of replays. What cannot be decided is refused: nothing is
 * guessed. Rejects go by the manifests, or by the rows if some of these are folded or their files
 * have left. */
#include <inttypes.h>
#include <string.h>

#include "base/checksum.h"
#include "base/scope.h"
#include "base/utf8.h"
#include "streaming/changes/changes.h"
#include "streaming/operations/rewind_cut.h"
#include "streaming/operations/rewind_decide.h"
#include "streaming/operations/rewind_split.h"
#include "streaming/sink_log/sink_entry.h"
#include "streaming/store/store.h"
#include "streaming/table/origin_reader.h"

static bool add_line(struct rewind *rewind, struct json *line, struct error *err) {
    if (rewind->dry_run)
        return true;
    scoped(scope_free) char *text = json_print(line);
    rewind->checksum = checksum_add(rewind->checksum, "\n", 1);
    rewind->checksum = checksum_add(rewind->checksum, text, strlen(text));
    return sink_log_writer_add(&rewind->intent, text, err);
}

/* The last line, as the header promises. */
static bool add_checksum(struct rewind *rewind, struct error *err) {
    char line[REWIND_LAST_LINE_MAX];
    rewind_last_line(rewind->checksum, line);
    return sink_log_writer_add(&rewind->intent, line, err);
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

/* The rejects of our batches if `with_rejects`, and the table's files as well if `with_files`; else
 * these are noted. */
static bool add_manifests(struct rewind *rewind, bool with_rejects, bool with_files,
                          struct error *err) {
    for (int64_t batch = rewind->to_batch + 1; batch <= rewind->newest; batch++) {
        struct manifest manifest;
        bool has;
        if (!has_manifest(rewind, batch, &has, err))
            return false;
        if (!has)
            continue;
        if (!store_read_manifest(rewind->store, batch, &manifest, err))
            return false;
        bool ok = (!with_rejects || add_files(rewind, &manifest.rejects, "rejects", err)) &&
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

static bool are_there(const struct file_list *files, const char *root, bool *there,
                      struct error *err) {
    for (size_t i = 0; *there && i < files->count; i++) {
        int exists = file_exists(file_join(root, files->files[i].path).text, NULL, err);
        if (exists < 0)
            return false;
        *there = exists == 1;
    }
    return true;
}

/* What the manifests of the later batches tell. */
struct told {
    bool files;   // every batch has one of ours, and all files that they name are in the table
    bool rejects; // all files that they name are in the rejects table
};

static bool look_at_manifest(const struct rewind *rewind, int64_t batch_id, struct told *told,
                             struct error *err) {
    struct manifest manifest;
    bool has;
    if (!has_manifest(rewind, batch_id, &has, err))
        return false;
    if (!has) {
        told->files = false;
        return true;
    }
    if (!store_read_manifest(rewind->store, batch_id, &manifest, err))
        return false;
    told->files = told->files && !manifest.of_spark; // whose files it does not name
    bool ok = are_there(&manifest.files, rewind->store->options.table, &told->files, err) &&
              are_there(&manifest.rejects, rewind->store->options.rejects, &told->rejects, err);
    manifest_deinit(&manifest);
    return ok;
}

static bool look_at_manifests(const struct rewind *rewind, struct told *told, struct error *err) {
    bool folded = rewind->folded > rewind->to_batch;
    *told = (struct told){.files = !folded, .rejects = !folded};
    for (int64_t batch = rewind->to_batch + 1;
         (told->files || told->rejects) && batch <= rewind->newest; batch++)
        if (!look_at_manifest(rewind, batch, told, err))
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

struct later {
    struct rewind *rewind;
    struct path_set again; // owned; what the newest compact file lists, which older files list, too
    bool in_compact;       // the entries are those of the newest compact file
};

static bool note_compact(void *context, struct json *line, struct error *err) {
    struct later *later = context;
    struct sink_entry entry;
    if (!read_entry(later->rewind, line, &entry, err))
        return false;
    path_set_add(&later->again, entry.relative);
    sink_entry_deinit(&entry);
    return true;
}

static bool add_if_newer(void *context, struct json *line, struct error *err) {
    struct later *later = context;
    struct sink_entry entry;
    if (!read_entry(later->rewind, line, &entry, err))
        return false;
    bool known = path_set_has(&later->rewind->kept, entry.relative) ||
                 (!later->in_compact && path_set_has(&later->again, entry.relative));
    bool ok = known || add_aside(later->rewind, entry.relative, "table", err);
    sink_entry_deinit(&entry);
    return ok;
}

struct membership {
    const struct rewind *rewind;
    struct path_set now; // owned
    bool all;
};

static bool add_now(void *context, struct json *line, struct error *err) {
    struct membership *membership = context;
    struct sink_entry entry;
    if (!read_entry(membership->rewind, line, &entry, err))
        return false;
    path_set_add(&membership->now, entry.relative);
    sink_entry_deinit(&entry);
    return true;
}

static bool check_now(void *context, struct json *line, struct error *err) {
    struct membership *membership = context;
    struct sink_entry entry;
    if (!read_entry(membership->rewind, line, &entry, err))
        return false;
    membership->all = membership->all && path_set_has(&membership->now, entry.relative);
    sink_entry_deinit(&entry);
    return true;
}

/* Whether all that the log listed then is listed now: nothing has left the table since, by a
 * compaction for example, which leaves older compact files as they are. */
static bool is_all_listed(const struct rewind *rewind, const struct sink_log *then, bool *all,
                          struct error *err) {
    struct membership membership = {.rewind = rewind, .all = true};
    bool ok = sink_log_each_entry(&rewind->store->sink_log, add_now, &membership, err);
    (void)path_set_seal(&membership.now);
    ok = ok && sink_log_each_entry(then, check_now, &membership, err);
    path_set_deinit(&membership.now);
    *all = membership.all;
    return ok;
}

/* The entries of one of the log's files, if it has one for the batch. */
static bool each_of_batch(struct later *later, int64_t batch, sink_log_entry_fn *visit,
                          struct error *err) {
    struct file_path path;
    bool found;
    return sink_log_file_of(&later->rewind->store->sink_log, batch, &path, err) &&
           (path.text[0] == '\0' || sink_log_file_entries(path.text, visit, later, &found, err));
}

static bool add_later(struct later *later, struct error *err) {
    const struct sink_log *log = &later->rewind->store->sink_log;
    int64_t compact = log->newest_compact;
    bool ok =
        compact <= later->rewind->to_batch || each_of_batch(later, compact, note_compact, err);
    (void)path_set_seal(&later->again);
    for (int64_t batch = later->rewind->to_batch + 1; ok && batch <= log->newest; batch++) {
        later->in_compact = batch == compact;
        ok = each_of_batch(later, batch, add_if_newer, err);
    }
    return ok;
}

/* The log as it was with `to_batch` against all that came later, compact files included. */
static bool decide_by_log(struct rewind *rewind, const struct sink_log *then, struct error *err) {
    struct later later = {.rewind = rewind};
    if (!sink_log_each_entry(then, keep_entry, rewind, err))
        return false;
    (void)path_set_seal(&rewind->kept);
    bool ok = add_later(&later, err);
    path_set_deinit(&later.again);
    return ok;
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

static bool not_told(const char *path, const char *why, struct error *err) {
    return error_set(err, ERROR_STATE,
                     "it is not known which batch '%s' belongs to: %s. Rewind to a batch after the "
                     "table was adopted, or move the file out of the table and delete its line "
                     "from the sink log (docs/verify.md)",
                     path, why);
}

/* A replay's rows come from before its batch: its manifest tells, its offsets would not. */
static bool look_at_offsets(const struct rewind *rewind, const char *relative, const char *path,
                            bool *beyond, struct error *err) {
    *beyond = path_set_has(&rewind->newer, relative);
    if (*beyond)
        return true;
    struct sides sides = {.ends = &rewind->target.ends};
    enum origin_end end;
    bool former;
    if (!is_former(rewind, path, &former, err))
        return false;
    if (former)
        return true;
    if (!origin_each_offset(path, visit_row, &sides, &end, err))
        return false;
    *beyond = sides.beyond;
    return end == ORIGIN_READ ||
           not_told(path,
                    end == ORIGIN_ENDED ? "it has rows from before and after the batch"
                                        : "its columns partition and offset cannot be read",
                    err);
}

static bool is_folded(const struct rewind *rewind) {
    return rewind->folded > rewind->to_batch;
}

/* Of a file of the table or of the rejects. */
static bool look_at_times(const struct rewind *rewind, const char *root, const char *relative,
                          struct path_list *mixed, bool *beyond, struct error *err) {
    int64_t first, last, end = rewind->target.timestamp_ms * 1000;
    *beyond = false;
    if (!origin_times(file_join(root, relative).text, &first, &last, err))
        return false;
    if (first <= end && last > end)
        path_list_add(mixed, relative);
    *beyond = first <= last && last > end;
    return true;
}

static bool look_into(struct rewind *rewind, const char *relative, bool *beyond,
                      struct error *err) {
    struct file_path path = file_join(rewind->store->options.table, relative);
    *beyond = false;
    if (rewind->target.times_tell) {
        if (look_at_times(rewind, rewind->store->options.table, relative, &rewind->mixed_table,
                          beyond, err))
            return true;
        if (err->kind != ERROR_STATE)
            return false;
    }
    // Of batches whose manifests are gone, replays cannot be recognized by their offsets.
    if (is_folded(rewind))
        return not_told(path.text,
                        rewind->target.times_tell
                            ? "its column processing_timestamp cannot be read"
                            : "a clock went back, so that timestamps do not tell",
                        err);
    return look_at_offsets(rewind, relative, path.text, beyond, err);
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

/* Rejects of replays stay where they are: their times are those of the batches that made them. */
static bool sort_reject(void *context, const char *path) {
    struct rewind *rewind = context;
    bool beyond;
    rewind->failed = !look_at_times(rewind, rewind->store->options.rejects, path,
                                    &rewind->mixed_rejects, &beyond, rewind->err) ||
                     (beyond && !add_aside(rewind, path, "rejects", rewind->err));
    return !rewind->failed;
}

static bool decide_rejects(struct rewind *rewind, struct error *err) {
    if (!rewind->target.times_tell)
        return error_set(err, ERROR_STATE,
                         "a clock went back, so that timestamps do not tell which rejects are of "
                         "the batches after %" PRId64 ": choose another batch",
                         rewind->to_batch);
    return table_each_file(&rewind->store->rejects, 0, sort_reject, rewind, err) && !rewind->failed;
}

enum told_by { BY_LOG, BY_MANIFESTS, BY_ROWS };

struct decision {
    enum told_by table;
    bool reject_rows; // the rejects by their rows, not by manifests
    struct sink_log then;
};

/* Whether an acceptance after `to_batch` has brought in files: the log lists them where older files
 * are, but they can have rows of any batch up to the acceptance. */
static bool has_accepted_later(const struct rewind *rewind, bool *accepted, struct error *err) {
    struct changes changes;
    if (!changes_read(rewind->store, &changes, err))
        return false;
    *accepted = false;
    for (size_t i = 0; !*accepted && i < changes.count; i++) {
        const struct change *change = &changes.changes[i];
        *accepted = change->kind == CHANGE_ACCEPTANCE && !change->of_rejects &&
                    change->added.count > 0 && change->batch_id > rewind->to_batch;
    }
    changes_deinit(&changes);
    return true;
}

/* An adopted log does not say which batch a file is of, up to the batch it was adopted at; a log of
 * Spark's with a short retention may have lost what it was. */
static bool choose(struct rewind *rewind, struct decision *decision, struct error *err) {
    struct store *store = rewind->store;
    struct told told;
    bool complete = false;
    if (!look_at_manifests(rewind, &told, err))
        return false;
    decision->reject_rows = !told.rejects;
    decision->table = told.files ? BY_MANIFESTS : BY_ROWS;
    if (!store->sink_log.exists)
        return true;
    decision->table = BY_ROWS;
    if (!sink_log_at(&store->sink_log, rewind->to_batch, &decision->then, &complete, err))
        return false;
    complete = complete && rewind->to_batch >= store->table.owner_adopted_at;
    if (complete && !is_all_listed(rewind, &decision->then, &complete, err))
        return false;
    bool accepted = false;
    if (complete && !has_accepted_later(rewind, &accepted, err))
        return false;
    if (complete && !accepted)
        decision->table = BY_LOG;
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

/* The plan's text, with the settings of the newest plan. */
static bool put_plan(const struct rewind *rewind, const char *name, const struct offsets *ends,
                     const struct offsets *known_ends, int64_t timestamp_ms, struct json *header,
                     struct error *err) {
    struct offset_entry newest;
    if (!checkpoint_read_ends(&rewind->store->checkpoint, rewind->newest, &newest, err))
        return false;
    offsets_deinit(&newest.ends);
    offsets_deinit(&newest.known_ends);
    newest.timestamp_ms = timestamp_ms;
    newest.identity = (struct topic_identity){0}; // its manifest says it
    offsets_copy(&newest.ends, ends);
    offsets_copy(&newest.known_ends, known_ends);
    size_t size;
    scoped(scope_free) char *text = offset_log_print(&newest, &size);
    json_put_text(header, name, text);
    offset_entry_deinit(&newest);
    return true;
}

static bool put_plans(const struct rewind *rewind, struct json *header, struct error *err) {
    const struct rewind_target *target = &rewind->target;
    if (target->planned)
        return true;
    return put_plan(rewind, "plan", &target->ends, &target->known_ends, target->timestamp_ms,
                    header, err) &&
           (rewind->to_batch == 0 ||
            put_plan(rewind, "planBefore", &target->before, &(struct offsets){0},
                     target->timestamp_ms - 1, header, err));
}

static bool write_header(struct rewind *rewind, const struct decision *decision,
                         struct error *err) {
    struct json *header = json_new_object();
    int64_t interval = 0;
    json_put_text(header, "path", "");
    json_put_int(header, "toBatch", rewind->to_batch);
    json_put_int(header, "newest", rewind->newest);
    if (rewind->incarnation > 0)
        json_put_int(header, "incarnation", rewind->incarnation);
    if (rewind->request->by_time)
        json_put_int(header, "beforeMs", rewind->request->before_ms);
    bool ok = true;
    if (decision->table == BY_ROWS && rewind->store->sink_log.exists) {
        ok = find_interval(rewind, &interval, err);
        json_put_int(header, "interval", interval);
    }
    json_put_bool(header, "checked", true);
    ok = ok && put_plans(rewind, header, err) && add_line(rewind, header, err);
    json_free(header);
    return ok;
}

static bool write_decision(struct rewind *rewind, const struct decision *decision,
                           struct error *err) {
    return write_header(rewind, decision, err) &&
           add_manifests(rewind, !decision->reject_rows, decision->table == BY_MANIFESTS, err) &&
           (!decision->reject_rows || decide_rejects(rewind, err)) &&
           (decision->table != BY_LOG || decide_by_log(rewind, &decision->then, err)) &&
           (decision->table != BY_ROWS || decide_by_rows(rewind, err));
}

static bool is_mixed(const struct rewind *rewind) {
    return rewind->mixed_table.count + rewind->mixed_rejects.count > 0;
}

/* Of a decision with mixed files nothing is used but their names. */
static bool decide(struct rewind *rewind, struct error *err) {
    struct decision decision;
    rewind->table_files = rewind->reject_files = 0;
    if (!choose(rewind, &decision, err))
        return false;
    if (rewind->dry_run)
        return write_decision(rewind, &decision, err);
    if (!sink_log_writer_open(&rewind->intent, rewind->store->options.checkpoint, CHECKPOINT_REWIND,
                              err))
        return false;
    rewind->checksum = checksum_add(0, "v1", SINK_LOG_HEADER_SIZE);
    bool ok = write_decision(rewind, &decision, err) && add_checksum(rewind, err);
    if (ok && !is_mixed(rewind))
        return sink_log_writer_replace(&rewind->intent, err);
    sink_log_writer_discard(&rewind->intent);
    return ok;
}

static void forget_sets(struct rewind *rewind) {
    path_set_deinit(&rewind->kept);
    path_set_deinit(&rewind->newer);
    rewind->kept = rewind->newer = (struct path_set){0};
    path_list_deinit(&rewind->mixed_table);
    path_list_deinit(&rewind->mixed_rejects);
    rewind->mixed_table = rewind->mixed_rejects = (struct path_list){0};
}

bool rewind_decide(struct rewind *rewind, struct error *err) {
    if (!rewind_check_coverage(rewind, err) || !decide(rewind, err))
        return false;
    if (rewind->dry_run || !is_mixed(rewind))
        return true;
    if (!rewind_split(rewind, err))
        return error_wrap(
            err, "files with rows from before and after batch %" PRId64 " could not be split",
            rewind->to_batch);
    forget_sets(rewind);
    if (!sink_log_open(&rewind->store->sink_log, rewind->store->options.table, err) ||
        !decide(rewind, err))
        return false;
    return !is_mixed(rewind) || error_set(err, ERROR_STATE, "a file was not split");
}
