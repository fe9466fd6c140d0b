/* selection.c: a walk over the directories; in each, piles of small files are gathered and offered.
 *
 * What must stay true: nothing is remembered from one pass to the next except which files are
 * outputs (care_file.is_output), and that only until their records are removed. So each rule ends
 * by what it sees on disk: after a merge at most one small file is left of a pile, one file is
 * never a pile, and a merge that does not lower the number of files is not made. */
#include "streaming/care/selection.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"

enum {
    HOUR_MS = 60 * 60 * 1000,
    DAY_MS = 24 * HOUR_MS,
    LATE_FILES = 10,      // of a date that is over
    SINGLE_FILES = 100,   // days of a table without dates
    JOB_TARGETS_MAX = 16, // so many target sizes are one job at most
};

struct pile {
    size_t *files; // owned; indexes, ascending
    size_t count;
    int64_t bytes;
};

/* One directory: files [first, end). */
struct walk {
    const struct care_files *files;
    const struct selection_rules *rules;
    struct selection *selection;
    size_t first, end;
    const char *directory;
};

static bool is_small(const struct walk *walk, size_t file) {
    return walk->files->files[file].size < walk->rules->target_size / 4 * 3;
}

static int64_t modified(const struct walk *walk, size_t file) {
    return walk->files->files[file].modified_ms;
}

static void pile_add(const struct walk *walk, struct pile *pile, size_t file) {
    if (pile->files == NULL)
        pile->files = must_alloc(walk->end - walk->first, sizeof *pile->files);
    pile->files[pile->count++] = file;
    pile->bytes += walk->files->files[file].size;
}

static void pile_deinit(struct pile *pile) {
    free(pile->files);
    *pile = (struct pile){0};
}

int64_t selection_files_after(int64_t bytes, int64_t target_size) {
    return bytes <= target_size ? 1 : (bytes + target_size - 1) / target_size;
}

/* ---- what comes out ---- */

static void *grow(void *rows, size_t count, size_t size) {
    void *grown = reallocarray(rows, count + 1, size);
    check(grown != NULL);
    return grown;
}

static bool add_job(const struct walk *walk, const size_t *files, size_t count, int64_t bytes) {
    struct selection *selection = walk->selection;
    if (count < 2 || selection_files_after(bytes, walk->rules->target_size) >= (int64_t)count)
        return false;
    struct merge_job job = {.directory = walk->directory,
                            .files = must_alloc(count, sizeof *files),
                            .count = count,
                            .bytes = bytes};
    memcpy(job.files, files, count * sizeof *files);
    selection->jobs = grow(selection->jobs, selection->job_count, sizeof job);
    selection->jobs[selection->job_count++] = job;
    return true;
}

/* One job, or several one after the other in time. */
static bool offer(const struct walk *walk, const struct pile *pile) {
    int64_t most = JOB_TARGETS_MAX * walk->rules->target_size, bytes = 0;
    bool added = false;
    size_t first = 0;
    for (size_t i = 0; i < pile->count; i++) {
        bytes += walk->files->files[pile->files[i]].size;
        if (bytes < most && i + 1 < pile->count)
            continue;
        added |= add_job(walk, pile->files + first, i + 1 - first, bytes);
        first = i + 1;
        bytes = 0;
    }
    return added;
}

PRINTF_LIKE(3, 4)
static void wait_because(const struct walk *walk, size_t count, const char *format, ...) {
    struct selection *selection = walk->selection;
    struct merge_wait wait = {.directory = walk->directory, .count = count};
    va_list args;
    va_start(args, format);
    (void)vsnprintf(wait.why, sizeof wait.why, format, args);
    va_end(args);
    selection->waits = grow(selection->waits, selection->wait_count, sizeof wait);
    selection->waits[selection->wait_count++] = wait;
}

/* ---- the rules ---- */

static void select_by_age(const struct walk *walk) {
    struct pile pile = {0};
    size_t young = 0;
    for (size_t i = walk->first; i < walk->end; i++) {
        bool old = modified(walk, i) <= walk->rules->now_ms - walk->rules->older_than_ms;
        if (is_small(walk, i) && (old || walk->rules->older_than_ms == 0))
            pile_add(walk, &pile, i);
        else
            young += is_small(walk, i);
    }
    (void)offer(walk, &pile);
    if (young > 0)
        wait_because(walk, young, "younger than --older-than");
    pile_deinit(&pile);
}

static int64_t size_of(const struct walk *walk, const struct pile *pile, size_t at) {
    return walk->files->files[pile->files[at]].size;
}

/* So that a large file is not written again for a few rows. */
static void drop_large(const struct walk *walk, struct pile *pile) {
    while (pile->count > 1) {
        size_t largest = 0;
        for (size_t i = 1; i < pile->count; i++)
            if (size_of(walk, pile, i) > size_of(walk, pile, largest))
                largest = i;
        int64_t size = size_of(walk, pile, largest);
        if (size <= pile->bytes - size)
            return;
        pile->count--;
        pile->bytes -= size;
        memmove(pile->files + largest, pile->files + largest + 1,
                (pile->count - largest) * sizeof *pile->files);
    }
}

/* The date is not over, or there is none: what is not merged yet is, interval by interval. */
static void select_open(const struct walk *walk) {
    const struct selection_rules *rules = walk->rules;
    struct pile pile = {0};
    bool due = false;
    size_t waiting = 0;
    for (size_t i = walk->first; i < walk->end; i++) {
        int64_t age_ms = rules->now_ms - modified(walk, i);
        if (!is_small(walk, i) || walk->files->files[i].is_output)
            continue;
        waiting++;
        if (age_ms >= rules->older_than_ms)
            pile_add(walk, &pile, i);
        due |= age_ms >= 2 * rules->older_than_ms;
    }
    drop_large(walk, &pile);
    if (rules->mode != SELECT_LIVE && waiting > 0)
        wait_because(walk, waiting, "the date is not over");
    if (rules->mode == SELECT_LIVE && (!due || !offer(walk, &pile)) && waiting > 0)
        wait_because(walk, waiting, "not old enough");
    pile_deinit(&pile);
}

/* The date was over at `over_ms`: what came until then is merged at once. */
static void select_over(const struct walk *walk, int64_t over_ms) {
    struct pile pile = {0};
    size_t late = 0;
    int64_t newest_ms = INT64_MIN;
    for (size_t i = walk->first; i < walk->end; i++) {
        if (!is_small(walk, i))
            continue;
        pile_add(walk, &pile, i);
        late += modified(walk, i) > over_ms;
        newest_ms = modified(walk, i);
    }
    bool offered = pile.count - late >= 2 && offer(walk, &pile);
    if (!offered && late > 0) {
        bool due = late >= LATE_FILES || newest_ms <= walk->rules->now_ms - DAY_MS;
        drop_large(walk, &pile);
        if (!due)
            wait_because(walk, late, "late rows: they wait for %d files, or for a day without more",
                         LATE_FILES);
        else
            (void)offer(walk, &pile);
    }
    pile_deinit(&pile);
}

/* The files of one day of a directory without a date. A day that is one file joins `singles`. */
static void select_day(const struct walk *walk, size_t first, size_t end, struct pile *singles) {
    struct pile pile = {0};
    for (size_t i = first; i < end; i++)
        if (is_small(walk, i))
            pile_add(walk, &pile, i);
    if (!offer(walk, &pile))
        for (size_t i = 0; i < pile.count; i++)
            pile_add(walk, singles, pile.files[i]);
    pile_deinit(&pile);
}

/* Single files of days, or of intervals, once they fill a file or are many. */
static void offer_singles(const struct walk *walk, struct pile *singles) {
    if (singles->bytes >= walk->rules->target_size || singles->count >= SINGLE_FILES)
        (void)offer(walk, singles);
    pile_deinit(singles);
}

static void select_days(const struct walk *walk) {
    const struct selection_rules *rules = walk->rules;
    struct pile singles = {0};
    for (size_t first = walk->first, end; first < walk->end; first = end) {
        int32_t day = care_day_of(&rules->zone, modified(walk, first));
        int64_t end_ms = care_day_end_ms(&rules->zone, day);
        for (end = first + 1; end < walk->end && modified(walk, end) < end_ms; end++)
            ;
        if (rules->now_ms >= end_ms + HOUR_MS)
            select_day(walk, first, end, &singles);
        else
            wait_because(walk, end - first, "the day is not over");
    }
    offer_singles(walk, &singles);
}

static void select_intervals(const struct walk *walk) {
    struct pile singles = {0};
    for (size_t i = walk->first; i < walk->end; i++)
        if (is_small(walk, i) && walk->files->files[i].is_output)
            pile_add(walk, &singles, i);
    select_open(walk);
    offer_singles(walk, &singles);
}

static void select_directory(struct walk *walk) {
    const struct selection_rules *rules = walk->rules;
    int32_t day;
    size_t length;
    const char *path = walk->files->files[walk->first].path;
    if (rules->mode == SELECT_COMMAND) {
        select_by_age(walk);
        return;
    }
    if (rules->date_level < 0 ||
        care_date_of(path, rules->date_level, &day, &length) != CARE_DATE) {
        (rules->mode == SELECT_LIVE ? select_intervals : select_days)(walk);
        return;
    }
    int64_t over_ms = care_day_end_ms(&rules->zone, day) + HOUR_MS;
    if (rules->now_ms >= over_ms)
        select_over(walk, over_ms);
    else
        select_open(walk);
}

void selection_make(const struct care_files *files, const struct selection_rules *rules,
                    struct selection *selection) {
    *selection = (struct selection){0};
    for (size_t first = 0, end; first < files->count; first = end) {
        const char *path = files->files[first].path;
        size_t length = care_directory_length(path);
        for (end = first + 1; end < files->count; end++)
            if (care_directory_length(files->files[end].path) != length ||
                memcmp(path, files->files[end].path, length) != 0)
                break;
        selection->directories = grow(selection->directories, selection->directory_count,
                                      sizeof *selection->directories);
        char *directory = text_format("%.*s", (int)length, path);
        selection->directories[selection->directory_count++] = directory;
        struct walk walk = {files, rules, selection, first, end, directory};
        select_directory(&walk);
    }
}

void selection_deinit(struct selection *selection) {
    for (size_t i = 0; i < selection->job_count; i++)
        free(selection->jobs[i].files);
    for (size_t i = 0; i < selection->directory_count; i++)
        free(selection->directories[i]);
    free(selection->jobs);
    free(selection->waits);
    free(selection->directories);
    *selection = (struct selection){0};
}
