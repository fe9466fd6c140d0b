/* set_aside.h: files that shall not count any more, moved to a directory of the table that no
 * reader looks into, under a name that no glob takes; nothing is ever deleted. */
#ifndef STREAMING_TABLE_SET_ASIDE_H
#define STREAMING_TABLE_SET_ASIDE_H

#include "base/error.h"

struct set_aside_target {
    const char *directory; // in the table: "_orphans"; "": the file stays where it is
    const char *ending;    // ".orphan"; a name that is taken gets a number behind it
};

/* Moves root/name to root/directory/name.ending, and removes Spark's checksum of it. *moved
 * false: it was not there. Durable after set_aside_sync(). ERROR_RETRY. */
MUST_CHECK bool set_aside(const char *root, const char *name, const struct set_aside_target *target,
                          bool *moved, struct error *err);

/* Syncs the directories that set_aside() has changed for `name`. */
MUST_CHECK bool set_aside_sync(const char *root, const char *name,
                               const struct set_aside_target *target, struct error *err);

#endif
