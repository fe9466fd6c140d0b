/* rewind_watch.c: two looks at what a rewind leaves.
 *
 * The file `rewind` is there from a rewind's first step to its last. One that begins and ends
 * during a look removes the newest commit; if the query runs again by then, the commit of that
 * number is another file. A rewind that was interrupted holds no lock, and is not waited for. */
#include "streaming/changes/rewind_watch.h"

#include <time.h>

#include "base/system/clock.h"
#include "streaming/store/checkpoint.h"

enum { LOOKS_MAX = 20, WAIT_MS = 30 * 1000, POLL_NS = 20 * 1000 * 1000 };

bool rewind_watch_is_there(const char *checkpoint) {
    struct error ignored;
    return file_exists(file_join(checkpoint, CHECKPOINT_REWIND).text, NULL, &ignored) == 1;
}

static bool is_running(const char *checkpoint) {
    char holder[CHECKPOINT_HOLDER_MAX];
    struct error ignored;
    bool held;
    return rewind_watch_is_there(checkpoint) &&
           checkpoint_holder(checkpoint, &held, holder, &ignored) && held;
}

void rewind_watch_init(struct rewind_watch *watch, const char *checkpoint) {
    *watch =
        (struct rewind_watch){.checkpoint = checkpoint, .until_ms = clock_monotonic_ms() + WAIT_MS};
}

void rewind_watch_begin(struct rewind_watch *watch) {
    struct file_path commits = file_join(watch->checkpoint, "commits");
    struct error ignored;
    while (is_running(watch->checkpoint) && clock_monotonic_ms() < watch->until_ms)
        (void)nanosleep(&(struct timespec){.tv_nsec = POLL_NS}, NULL);
    watch->commit = (struct file_status){0};
    // The commit first: what begins from now on is noticed.
    if (!checkpoint_newest(&commits, &watch->newest, &ignored))
        watch->newest = -1;
    if (watch->newest >= 0)
        (void)file_find(file_join_number(commits.text, watch->newest).text, &watch->commit,
                        &ignored);
    watch->rewinding = rewind_watch_is_there(watch->checkpoint);
}

bool rewind_watch_has_moved(const struct rewind_watch *watch) {
    struct file_path commits = file_join(watch->checkpoint, "commits");
    struct file_status now = {0};
    struct error ignored;
    if (rewind_watch_is_there(watch->checkpoint) != watch->rewinding)
        return true;
    if (watch->newest < 0)
        return false;
    int there = file_find(file_join_number(commits.text, watch->newest).text, &now, &ignored);
    return there == 0 || (there == 1 && (now.modified.tv_sec != watch->commit.modified.tv_sec ||
                                         now.modified.tv_nsec != watch->commit.modified.tv_nsec));
}

bool rewind_watch_explain(const char *checkpoint, struct error *err) {
    return error_set(err, ERROR_STATE,
                     "a rewind is not finished: wait for it or, if it was interrupted, run "
                     "`esports-stream rewind` again with --to-batch set to the number in the first "
                     "line of '%s'",
                     file_join(checkpoint, CHECKPOINT_REWIND).text);
}

bool rewind_watch_look(const char *checkpoint, bool (*look)(void *context, struct error *err),
                       void (*forget)(void *context), void *context, struct error *err) {
    struct rewind_watch watch;
    rewind_watch_init(&watch, checkpoint);
    for (int looks = 1; looks <= LOOKS_MAX; looks++) {
        rewind_watch_begin(&watch);
        bool ok = look(context, err);
        bool moved = rewind_watch_has_moved(&watch);
        if (!moved && !watch.rewinding)
            return ok;
        if (ok)
            forget(context);
        if (!moved)
            return (ok || err->kind == ERROR_STATE) && rewind_watch_explain(checkpoint, err);
    }
    return error_set(err, ERROR_RETRY,
                     "'%s' is rewound again and again while it is read; try again", checkpoint);
}
