/* rewind_watch.h: for readers without a lock: whether batches are taken back while they look.
 *
 * A rewind removes plans, files and commits in many steps. A look in the middle of them, or before
 * and after them, shows what was never there at one moment, and so a fault that does not exist. */
#ifndef STREAMING_CHANGES_REWIND_WATCH_H
#define STREAMING_CHANGES_REWIND_WATCH_H

#include "base/disk/file.h"
#include "base/error.h"

struct rewind_watch {
    const char *checkpoint; // borrowed
    int64_t until_ms;       // monotonic: until when to wait for a rewind that runs
    bool rewinding;         // one had begun, and was not finished, when the look began
    int64_t newest;         // the newest commit then; -1: there was none
    struct file_status commit;
};

void rewind_watch_init(struct rewind_watch *watch, const char *checkpoint);

/* Before a look: waits while a process rewinds, for half a minute at most over all looks. */
void rewind_watch_begin(struct rewind_watch *watch);

/* After a look: whether a rewind has begun or ended meanwhile. What the disk does not say counts as
 * no. */
bool rewind_watch_has_moved(const struct rewind_watch *watch);

/* Looks, and looks again while rewinds come in between. A look that failed leaves nothing behind;
 * forget() undoes one that did not. ERROR_STATE: a rewind is not finished; ERROR_RETRY: it never
 * settled; and the errors of the look. */
MUST_CHECK bool rewind_watch_look(const char *checkpoint,
                                  bool (*look)(void *context, struct error *err),
                                  void (*forget)(void *context), void *context, struct error *err);

/* Whether a rewind has begun and is not finished; and the text for it, always false. */
bool rewind_watch_is_there(const char *checkpoint);
bool rewind_watch_explain(const char *checkpoint, struct error *err);

#endif
