/* What can be done about the files of each table: whether the file system can exchange directories
 * and has the room, how many small files there are, and which dates will never expire. Tried also
 * where the settings ask for nothing, so that one knows before. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/disk/file.h"
#include "base/disk/filesystem.h"
#include "base/scope.h"
#include "base/system/clock.h"
#include "base/text.h"
#include "streaming/care/care_files.h"
#include "streaming/care/count_files.h"
#include "streaming/care/expire.h"
#include "streaming/changes/change_steps.h"
#include "surfaces/doctor/doctor_checks.h"
#include "surfaces/terminal/quantity.h"

enum {
    FILES_TOO_MANY = 10000, // more than a compaction leaves: as the alert EsportsStreamTooManyFiles
    GROUP_TARGETS = 16,     // of one change (streaming/care/compact.c)
    ROOM_SPARE = 64 << 20,
    PIN_SPARE_MS = 60 * 60 * 1000, // older than COMPACT_GRACE
};

struct care_check {
    const struct stream *stream;
    const struct query_options *options;
    const struct store *store;
    struct doctor_report *report;
};

static bool is_on(const struct care_check *check) {
    const struct care_options *care = &check->options->care;
    return care->compact.mode != COMPACT_OFF || care->retention_days > 0;
}

static bool is_there(const char *path) {
    struct file_status status;
    struct error ignored;
    return file_find(path, &status, &ignored) == 1;
}

/* ---- the file system ---- */

/* Tries it, and leaves nothing behind. */
static void check_exchange(const struct care_check *check, bool of_rejects) {
    const struct store_options *store = &check->options->store;
    const char *root = of_rejects ? store->rejects : store->table;
    struct file_path aside = change_aside(check->store, of_rejects);
    struct error err, ignored;
    if (!is_there(root))
        return;
    bool was_there = is_there(aside.text);
    bool possible = change_is_possible(check->store, of_rejects, &err);
    if (!was_there)
        (void)!file_remove_directory(aside.text, &ignored);
    if (possible)
        doctor_ok(check->report, "compaction", root,
                  "the file system can exchange and link files%s",
                  is_on(check) ? "" : " (COMPACT and RETENTION are off)");
    else if (is_on(check))
        doctor_warn(check->report, "compaction", root,
                    "use a local file system that can do it (ext4, XFS, btrfs), or set COMPACT and "
                    "RETENTION to off; batches are written in any case",
                    "%s", err.message);
    else
        doctor_ok(check->report, "compaction", root,
                  "not possible here (COMPACT and RETENTION are off): %s", err.message);
}

/* ---- the files ---- */

static bool go_on(void *context) {
    (void)context;
    return true;
}

static void check_room(const struct care_check *check, const struct file_counts *counts) {
    const char *table = check->options->store.table;
    struct filesystem_room room;
    char needed[SIZE_TEXT_MAX], free_text[SIZE_TEXT_MAX];
    int64_t most = GROUP_TARGETS * check->options->care.target_size;
    int64_t bytes = (counts->small_bytes < most ? counts->small_bytes : most) + ROOM_SPARE;
    if (counts->all.files == counts->merged_files || !filesystem_room(table, &room))
        return;
    size_format(bytes, needed);
    size_format(room.free, free_text);
    if (room.free < bytes)
        doctor_warn(
            check->report, "compaction", table,
            "free some space: merged files and those that they replace are both there until "
            "COMPACT_GRACE is over",
            "it needs up to %s at a time, and %s are free", needed, free_text);
}

static void check_files(const struct care_check *check, const struct file_counts *counts) {
    const char *table = check->options->store.table;
    int64_t files = counts->all.files, left = counts->merged_files;
    scoped(scope_free) char *text =
        text_format("%s, %" PRId64 " of them small; a compaction would leave %" PRId64,
                    text_count(files, "file").text, counts->all.small, left);
    scoped(scope_free) char *cure = text_format(
        "run `esports-stream compact --job %s`; for a new table, partition by ingest_date and set "
        "COMPACT=closed; a longer TRIGGER writes fewer files",
        check->stream->job);
    if (files - left > FILES_TOO_MANY)
        doctor_warn(check->report, "files", table, cure, "%s", text);
    else
        doctor_ok(check->report, "files", table, "%s", text);
}

static void count(const struct care_check *check) {
    struct file_counts counts;
    struct error err;
    if (!count_files(check->store, false, check->options->care.target_size, go_on, NULL, &counts,
                     &err)) {
        doctor_warn(check->report, "files", check->options->store.table, NULL,
                    "they cannot be counted: %s", err.message);
        return;
    }
    check_files(check, &counts);
    check_room(check, &counts);
}

/* ---- dates that never expire ---- */

static void say_nothing(void *context, const char *line) {
    (void)context, (void)line;
}

static void warn_nobody(void *context, const char *what, const struct error *err) {
    (void)context, (void)what, (void)err;
}

static bool look_at_dates(const struct care_check *check, struct care_result *result,
                          struct error *err) {
    struct query_definition definition;
    struct care_table table;
    struct path_list left_alone = {0};
    const struct care_host host = {
        .breathe = go_on, .say = say_nothing, .warn = warn_nobody, .left_alone = &left_alone};
    if (!query_definition_init(&definition, check->options, err))
        return false;
    care_table_init(&table, &definition, check->store, false);
    int64_t before =
        care_day_of(&table.zone, clock_wall_ms()) - check->options->care.retention_days;
    const struct expire_order order = {
        .before = (int32_t)before, .by_retention = true, .clock_believed = true, .dry_run = true};
    return expire_pass(&table, &order, &host, result, err);
}

static void check_dates(const struct care_check *check) {
    const char *table = check->options->store.table;
    struct care_result result = {0};
    struct error err;
    if (check->options->care.retention_days == 0)
        return;
    if (!look_at_dates(check, &result, &err))
        doctor_warn(check->report, "retention", table, NULL, "its dates cannot be read: %s",
                    err.message);
    else if (result.strange[0] != '\0')
        doctor_warn(check->report, "retention", table,
                    "look at the producers' clocks; `esports-stream expire --before DATE` removes "
                    "dates of the past",
                    "these dates will never expire by RETENTION, because the query can hardly have "
                    "them: %s",
                    result.strange);
    else
        doctor_ok(check->report, "retention", table, "%s due now",
                  text_count(result.jobs, "date").text);
}

/* ---- what `files` has pinned ---- */

struct pins {
    const char *directory;
    int64_t before_ms, old;
};

static bool visit_pin(void *context, const char *name) {
    struct pins *pins = context;
    struct file_status status;
    struct error ignored;
    bool found = file_find(file_join(pins->directory, name).text, &status, &ignored) == 1;
    pins->old += found && file_modified_ms(&status) < pins->before_ms;
    return true;
}

static void check_pins(const struct care_check *check, bool of_rejects) {
    struct file_path reads = file_join(change_aside(check->store, of_rejects).text, "reads");
    struct pins pins = {.directory = reads.text,
                        .before_ms =
                            clock_wall_ms() - check->options->care.grace_ms - PIN_SPARE_MS};
    struct error ignored;
    if (file_list(reads.text, visit_pin, &pins, &ignored) == 1 && pins.old > 0)
        doctor_warn(check->report, "pins", reads.text,
                    "start the query: it removes them; or remove them by hand (rm -r)",
                    "%s that `esports-stream files` has pinned %s older than COMPACT_GRACE, and "
                    "may keep replaced files on the disk",
                    text_count(pins.old, "list").text, pins.old == 1 ? "is" : "are");
}

/* ---- all of it ---- */

static void check_query(const struct config *config, const struct stream *stream,
                        struct doctor_report *report) {
    struct query_options options = config_query_options(config, stream);
    struct store *store;
    struct error ignored; // a checkpoint that cannot be read is another check's
    if (is_there(options.store.table) && store_open_to_read(&options.store, &store, &ignored)) {
        const struct care_check check = {stream, &options, store, report};
        for (int of_rejects = 0; of_rejects < 2; of_rejects++) {
            check_exchange(&check, of_rejects == 1);
            check_pins(&check, of_rejects == 1);
        }
        count(&check);
        check_dates(&check);
        store_close(store);
    }
    config_store_options_deinit(&options.store);
}

void doctor_check_care(const struct config *config, struct doctor_report *report) {
    for (size_t i = 0; streams[i] != NULL; i++)
        if (config_runs(config, streams[i]))
            check_query(config, streams[i], report);
}
