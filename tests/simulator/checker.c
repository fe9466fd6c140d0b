/* A view is what one reader sees: a list of files, and of each record of the history how often its
 * rows were met.
 *
 * Whether a batch is whole is judged by the plans in offsets/: of the offsets that a batch took,
 * each record that Kafka still has must be in the view, unless it is a reject or has left the table
 * since. An offset that several incarnations have is not judged then, but at the end, as is what
 * Kafka has no more. */
#include "checker.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "checker_state.h"
#include "model_disk.h"
#include "streaming/verify/verify.h"

static struct checker_lake lake;
static long counts[CHECKER_REASONS];

const struct checker_lake *checker_lake(void) {
    return &lake;
}

void checker_begin(const struct checker_lake *of) {
    lake = *of;
}

void checker_end(void) {
    past_end();
    files_end();
    logs_end();
}

void checker_find(struct checker_report *report, const char *format, ...) {
    size_t used = strlen(report->text);
    if (report->findings++ > 0)
        used = text_append(report->text, sizeof report->text, used, "\n");
    if (used + 1 >= sizeof report->text)
        return;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(report->text + used, sizeof report->text - used, format, args);
    va_end(args);
}

/* ---- views ---- */

struct view {
    const char *name;
    struct listing listing;
    const char **met;      // owned; by index of the history: the file that has the row; NULL: none
    int64_t *processed_ms; // owned; the row's
    int64_t rows;
    bool is_whole; // no listed file is on its way
};

static void view_init(struct view *view, const char *name) {
    *view = (struct view){.name = name, .is_whole = true};
    view->met = must_alloc(past_count() + 1, sizeof *view->met);
    view->processed_ms = must_alloc(past_count() + 1, sizeof *view->processed_ms);
}

static void view_deinit(struct view *view) {
    listing_deinit(&view->listing);
    free(view->met);
    free(view->processed_ms);
}

static void meet(struct view *view, const char *path, const struct placed *row,
                 struct checker_report *report) {
    int64_t index = past_find(row->place);
    if (index == PAST_NONE)
        return; // the file has a fault
    view->rows++;
    if (view->met[index] != NULL)
        checker_find(report,
                     "%s: partition %" PRId32 ", offset %" PRId64 " of incarnation %d is there "
                     "twice: in %s and in %s",
                     view->name, row->place.partition, row->place.offset, row->place.incarnation,
                     view->met[index], path);
    view->met[index] = path;
    view->processed_ms[index] = row->processed_ms;
}

static void view_file(struct view *view, const struct listed_file *file, bool of_rejects,
                      struct checker_report *report) {
    size_t size = 0;
    const struct data_rows *rows = files_read(file->path, of_rejects, &size);
    if (rows == NULL) {
        view->is_whole = false;
        if (!changes_bring(file->path, report) && !rewind_runs())
            checker_find(report, "%s: %s is not there", view->name, file->path);
        return;
    }
    if ((int64_t)size != file->size)
        checker_find(report, "%s: %s has %zu bytes, and should have %" PRId64, view->name,
                     file->path, size, file->size);
    if (rows->fault != NULL)
        checker_find(report, "%s: %s: %s", view->name, file->path, rows->fault);
    for (size_t i = 0; i < rows->count; i++)
        meet(view, file->path, &rows->rows[i], report);
}

static bool is_in_table(const char *path) {
    size_t size = strlen(lake.table);
    return strncmp(path, lake.table, size) == 0 && path[size] == '/';
}

static void view_files(struct view *view, bool of_rejects, struct checker_report *report) {
    for (size_t i = 0; i < view->listing.count; i++) {
        const struct listed_file *file = &view->listing.files[i];
        if (!text_ends_with(file->path, ".parquet"))
            checker_find(report, "%s: %s is not a data file, and readers see it", view->name,
                         file->path);
        else if (!of_rejects && !is_in_table(file->path))
            checker_find(report, "%s: %s is not in the table", view->name, file->path);
        else
            view_file(view, file, of_rejects, report);
    }
}

/* ---- whole batches ---- */

struct batch {
    const struct plan_seen *plan;
    int64_t starts[MODEL_PARTITIONS_MAX];
};

static bool has_left(const struct account *account, int32_t partition, int64_t offset) {
    return spans_have(&account->expired, partition, offset) ||
           spans_have(&account->accepted, partition, offset) ||
           spans_have(&account->lost, partition, offset);
}

/* The one record at the offset; PAST_NONE: none, or several incarnations have one. */
static int64_t only_record_at(int32_t partition, int64_t offset) {
    int incarnation = 0;
    int64_t index = past_next(partition, offset, &incarnation);
    return index == PAST_NONE || past_next(partition, offset, &incarnation) != PAST_NONE ? PAST_NONE
                                                                                         : index;
}

static bool must_be_row(const struct model_record *record) {
    return record->fate == OFFSET_RECORD && record->was_readable && !record->is_reject;
}

static void check_batch(const struct view *view, const struct batch *batch, struct account *account,
                        struct checker_report *report) {
    for (int32_t p = 0; p < MODEL_PARTITIONS_MAX; p++)
        for (int64_t at = batch->starts[p]; at < batch->plan->ends[p]; at++) {
            int64_t index = only_record_at(p, at);
            if (index == PAST_NONE || !must_be_row(past_at((size_t)index)) ||
                view->met[index] != NULL || has_left(account, p, at))
                continue;
            checker_find(report,
                         "%s: batch %" PRId64 " is not whole: partition %" PRId32
                         ", offset %" PRId64 " is not there (batches up to %" PRId64 " are)",
                         view->name, batch->plan->batch, p, at, view->listing.newest);
            return;
        }
}

/* Where a batch begins: where the plan before it ends. A partition that this one does not have is
 * new. */
static void begin_batch(struct batch *batch, const struct plan_seen *plan,
                        const struct plan_seen *before, struct checker_report *report) {
    batch->plan = plan;
    if (before == NULL)
        starts_read(batch->starts, report);
    else
        for (size_t p = 0; p < MODEL_PARTITIONS_MAX; p++)
            batch->starts[p] = before->ends[p] < 0 ? 0 : before->ends[p];
}

/* The batches of which the plan and where it begins are known. Owned by the caller; what they point
 * to is valid until the next call. */
static struct batch *read_batches(size_t *count, struct checker_report *report) {
    const struct plan_seen *plans;
    size_t plan_count = plans_read(&plans, report);
    struct batch *batches = must_alloc(plan_count + 1, sizeof *batches);
    *count = 0;
    for (size_t i = 0; i < plan_count; i++) {
        bool follows = i > 0 && plans[i - 1].batch + 1 == plans[i].batch;
        if (follows || plans[i].batch == 0)
            begin_batch(&batches[(*count)++], &plans[i], follows ? &plans[i - 1] : NULL, report);
    }
    return batches;
}

static int by_time(const void *a, const void *b) {
    int64_t time = *(const int64_t *)a, other = ((const struct batch *)b)->plan->timestamp_ms;
    return (time > other) - (time < other);
}

static bool takes_nothing(const struct batch *batch) {
    for (size_t p = 0; p < MODEL_PARTITIONS_MAX; p++)
        if (batch->starts[p] < batch->plan->ends[p])
            return false;
    return true;
}

/* A row says by its time which batch it is of: one that the view has, and that takes its offset, or
 * that takes none, as a replay. */
static void check_row_of_batch(const struct view *view, size_t index, const struct batch *batch,
                               struct checker_report *report) {
    const struct model_record *record = past_at(index);
    int32_t p = record->partition;
    bool is_taken = batch->starts[p] <= record->offset && record->offset < batch->plan->ends[p];
    if ((is_taken || takes_nothing(batch)) && batch->plan->batch <= view->listing.newest)
        return;
    checker_find(report,
                 "%s: partition %" PRId32 ", offset %" PRId64 " is in a row of batch %" PRId64
                 ", which takes offsets %" PRId64 " to %" PRId64 " (batches up to %" PRId64
                 " are there)",
                 view->name, p, record->offset, batch->plan->batch, batch->starts[p],
                 batch->plan->ends[p] - 1, view->listing.newest);
}

static void check_rows(const struct view *view, const struct batch *batches, size_t count,
                       struct checker_report *report) {
    for (size_t i = 0; i < past_count() && count > 0; i++) {
        const struct batch *batch = view->met[i] == NULL ? NULL
                                                         : bsearch(&view->processed_ms[i], batches,
                                                                   count, sizeof *batches, by_time);
        if (batch != NULL)
            check_row_of_batch(view, i, batch, report);
    }
}

static void check_batches(const struct view *view, struct checker_report *report) {
    struct account account;
    size_t count;
    struct batch *batches = read_batches(&count, report);
    account_read(&account, report);
    for (size_t i = 0; i < count && batches[i].plan->batch <= view->listing.newest; i++)
        check_batch(view, &batches[i], &account, report);
    check_rows(view, batches, count, report);
    account_deinit(&account);
    free(batches);
}

/* ---- at any moment ---- */

struct views {
    struct view log, table, rejects;
};

static void take_views(struct views *views, struct checker_report *report) {
    past_take();
    view_init(&views->log, "sink log");
    view_init(&views->table, "table");
    view_init(&views->rejects, "rejects");
    if (!lake.has_no_sink_log)
        sink_log_list(&views->log.listing, report);
    directory_list(lake.table, &views->table.listing);
    directory_list(lake.rejects, &views->rejects.listing);
    view_files(&views->log, false, report);
    view_files(&views->table, false, report);
    view_files(&views->rejects, true, report);
}

static void views_deinit(struct views *views) {
    view_deinit(&views->log);
    view_deinit(&views->table);
    view_deinit(&views->rejects);
}

bool checker_look(struct checker_report *report) {
    struct views views;
    bool looks = model_disk_look(true);
    take_views(&views, report);
    manifests_check(report);
    if (!lake.has_no_sink_log && views.log.is_whole)
        check_batches(&views.log, report);
    views_deinit(&views);
    (void)model_disk_look(looks);
    return report->findings == 0;
}

/* ---- at the end ---- */

struct judging {
    struct views views;
    struct account account;
    int64_t starts[MODEL_PARTITIONS_MAX];
    int newest_topic;
    struct checker_report *report;
};

static const struct view *table_view(const struct judging *judging) {
    return lake.has_no_sink_log ? &judging->views.table : &judging->views.log;
}

static struct content_place place_of(const struct model_record *record) {
    return (struct content_place){record->incarnation, record->partition, record->offset};
}

/* Whether the query went past it, as far as is known: it has it, or there was nothing to have. */
static bool was_taken(const struct judging *judging, size_t index) {
    const struct model_record *record = past_at(index);
    return table_view(judging)->met[index] != NULL || judging->views.rejects.met[index] != NULL ||
           !record->was_readable || record->fate == OFFSET_ABSENT ||
           has_left(&judging->account, record->partition, record->offset) ||
           record->offset < judging->starts[record->partition];
}

/* Whether the query took the offset in an earlier incarnation, of the same topic or of one before.
 */
static bool was_taken_before(const struct judging *judging, const struct model_record *record,
                             bool of_same_topic) {
    int incarnation = 0;
    for (int64_t index;
         (index = past_next(record->partition, record->offset, &incarnation)) != PAST_NONE;) {
        const struct model_record *other = past_at((size_t)index);
        if (other->incarnation >= record->incarnation)
            return false;
        if ((other->topic == record->topic) == of_same_topic && was_taken(judging, (size_t)index))
            return true;
    }
    return false;
}

/* What retention has taken of the topic that there is now, before it was read, the query must have
 * counted. Where several incarnations have the offset, it is not known whose loss was counted. */
static bool is_lost(const struct judging *judging, const struct model_record *record,
                    enum checker_reason *reason) {
    bool is_counted = spans_have(&judging->account.lost, record->partition, record->offset);
    *reason = is_counted ? CHECKER_LOST : CHECKER_DELETED;
    return is_counted || record->fate == OFFSET_GONE || record->topic != judging->newest_topic ||
           was_taken_before(judging, record, true) ||
           (lake.has_no_ids && was_taken_before(judging, record, false));
}

/* A planned range that its log does not reach any more is given up as a whole
 * (docs/internals/positions.md), and counted as lost. */
static bool was_given_up(const struct judging *judging, const struct model_record *record) {
    if (!spans_have(&judging->account.lost, record->partition, record->offset))
        return false;
    for (size_t i = 0; i < past_count(); i++)
        if (past_at(i)->is_cut && past_at(i)->topic == record->topic &&
            past_at(i)->partition == record->partition && past_at(i)->offset > record->offset)
            return true;
    return false;
}

static bool has_expired(const struct judging *judging, const struct model_record *record) {
    return spans_have(&judging->account.expired, record->partition, record->offset) &&
           record->timestamp_ms < lake.expires_before_ms;
}

/* Whether the rules allow that a readable record is not there. */
static bool may_be_missing(const struct judging *judging, const struct model_record *record,
                           enum checker_reason *reason) {
    if (record->fate == OFFSET_ABSENT)
        *reason = CHECKER_COMPACTED;
    else if (has_expired(judging, record))
        *reason = CHECKER_EXPIRED;
    else if (spans_have(&judging->account.accepted, record->partition, record->offset))
        *reason = CHECKER_ACCEPTED;
    else if (record->offset < judging->starts[record->partition])
        *reason = CHECKER_BEFORE_START;
    else if (lake.has_no_ids && was_taken_before(judging, record, false))
        *reason = CHECKER_UNNOTICED;
    else if (record->fate != OFFSET_RECORD)
        return is_lost(judging, record, reason);
    else if (was_taken_before(judging, record, true))
        *reason = CHECKER_REGROWN;
    else if (was_given_up(judging, record))
        *reason = CHECKER_GIVEN_UP;
    else
        return false;
    return true;
}

static void find_at(struct judging *judging, const struct model_record *record, const char *what) {
    static const char *const fates[] = {"Kafka has it", "Kafka does not show it",
                                        "deleted by retention", "gone with topic or log"};
    struct content_place place = place_of(record);
    checker_find(judging->report,
                 "partition %" PRId32 ", offset %" PRId64 " of incarnation %d (%s, %s) %s",
                 place.partition, place.offset, place.incarnation,
                 record->is_reject ? "to be rejected" : "to be a row", fates[record->fate], what);
}

static void judge_missing(struct judging *judging, const struct model_record *record) {
    enum checker_reason reason;
    if (!may_be_missing(judging, record, &reason)) {
        find_at(judging, record, "is lost: it is in neither table nor rejects");
        return;
    }
    judging->report->missing[reason]++;
    counts[reason]++;
}

static void judge_present(struct judging *judging, const struct model_record *record, bool in_table,
                          bool in_rejects) {
    bool is_replayed = spans_have(&judging->account.replayed, record->partition, record->offset);
    if (!record->was_readable)
        find_at(judging, record, "is there, and no reader could ever have had it");
    else if (in_table && record->is_reject && !lake.is_permissive)
        find_at(judging, record, "is in the table");
    else if (in_rejects && !record->is_reject)
        find_at(judging, record, "is in the rejects");
    else if (in_table && in_rejects && !is_replayed)
        find_at(judging, record, "is in table and rejects");
    judging->report->rows += in_table;
    judging->report->rejects += in_rejects;
    judging->report->replayed += in_table && in_rejects;
}

static void judge_record(struct judging *judging, size_t index) {
    const struct model_record *record = past_at(index);
    bool in_table = table_view(judging)->met[index] != NULL;
    bool in_rejects = judging->views.rejects.met[index] != NULL;
    if (in_table || in_rejects)
        judge_present(judging, record, in_table, in_rejects);
    else if (record->was_readable)
        judge_missing(judging, record);
}

/* The files that the two readers see must be the same. */
static int by_path(const void *a, const void *b) {
    return strcmp(((const struct listed_file *)a)->path, ((const struct listed_file *)b)->path);
}

static void sort_listing(struct listing *listing) {
    if (listing->count > 1)
        qsort(listing->files, listing->count, sizeof *listing->files, by_path);
}

static void compare_listings(struct judging *judging) {
    struct listing *log = &judging->views.log.listing, *table = &judging->views.table.listing;
    sort_listing(log);
    sort_listing(table);
    for (size_t i = 0; i < table->count; i++)
        if (log->count == 0 ||
            bsearch(&table->files[i], log->files, log->count, sizeof *log->files, by_path) == NULL)
            checker_find(judging->report, "%s is in the table, and not in its sink log",
                         table->files[i].path);
}

bool checker_judge(struct checker_report *report) {
    struct judging judging = {.report = report};
    bool looks = model_disk_look(true);
    take_views(&judging.views, report);
    if (!lake.has_no_sink_log) {
        check_batches(&judging.views.log, report);
        compare_listings(&judging);
        if (!judging.views.log.is_whole)
            checker_find(report, "a change of the table is not carried out");
    }
    account_read(&judging.account, report);
    starts_read(judging.starts, report);
    judging.newest_topic = model_broker_topic();
    for (size_t i = 0; i < past_count(); i++)
        judge_record(&judging, i);
    account_deinit(&judging.account);
    views_deinit(&judging.views);
    (void)model_disk_look(looks);
    return report->findings == 0;
}

/* ---- verify ---- */

/* Where records were not read because nobody could notice that their log is another, Kafka has
 * records at offsets that held none when the query took them. */
static bool is_excused(const struct checker_report *report, const char *text) {
    bool may_differ =
        report->missing[CHECKER_REGROWN] > 0 || report->missing[CHECKER_UNNOTICED] > 0;
    return may_differ && strstr(text, "says absent, but the broker has a record") != NULL;
}

static void find_faults(const struct verify_report *verified, struct checker_report *report) {
    for (int kind = VERIFY_FILE; kind <= VERIFY_DUPLICATE; kind++)
        for (size_t i = 0; i < verified->texts[kind].count && i < VERIFY_TEXTS_MAX; i++)
            if (!is_excused(report, verified->texts[kind].texts[i]))
                checker_find(report, "verify finds a fault: %s", verified->texts[kind].texts[i]);
}

bool checker_verify(const struct verify_options *options, bool must_be_clean,
                    struct checker_report *report) {
    struct verify_report verified = {0};
    struct error err = {0};
    if (!verify_run(options, &verified, &err)) {
        checker_find(report, "verify cannot run: %s", err.message);
        return false;
    }
    if (must_be_clean)
        find_faults(&verified, report);
    else if (verify_faults(&verified) == 0)
        checker_find(report, "verify finds no fault");
    verify_report_deinit(&verified);
    return report->findings == 0;
}

const char *checker_reason_name(enum checker_reason reason) {
    static const char *const names[CHECKER_REASONS] = {
        [CHECKER_COMPACTED] = "compacted by Kafka",
        [CHECKER_LOST] = "deleted before it was read, and counted as lost",
        [CHECKER_DELETED] = "deleted with its topic or cut off its log before it was read",
        [CHECKER_BEFORE_START] = "before the first offset of the query",
        [CHECKER_EXPIRED] = "expired",
        [CHECKER_ACCEPTED] = "accepted as gone",
        [CHECKER_GIVEN_UP] = "in a planned range that its cut log does not reach, counted as lost",
        [CHECKER_REGROWN] = "its offset was taken before its log was cut",
        [CHECKER_UNNOTICED] = "its offset was taken of the topic before, without ids",
    };
    return names[reason];
}

long checker_count(enum checker_reason reason) {
    return counts[reason];
}
