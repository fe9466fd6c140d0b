/* change_place.h: one directory of the table during a change: exchanged with one that has the new
 * files and those that stay, or moved away if nothing would be left in it. Part of
 * streaming/store/change_steps.h. */
#ifndef STREAMING_STORE_CHANGE_PLACE_H
#define STREAMING_STORE_CHANGE_PLACE_H

#include "base/disk/file.h"
#include "base/error.h"
#include "streaming/store/change.h"
#include "streaming/table/path_list.h"

/* Where a change works; borrowed by each place of it. */
struct change_site {
    const struct change *change;
    struct file_path root; // of the table
    struct file_path home; // <aside>/N
};

/* The directories that have files which leave or come in, relative to the table, ascending: "" for
 * the table itself. */
struct path_list change_directories(const struct change *change);

/* Before the commit point: it is a directory, and files can be moved between it and the site.
 * ERROR_CONFIG: they can't. */
MUST_CHECK bool change_place_check(const struct change_site *site, const char *directory,
                                   struct error *err);

/* After it: exchanges the directory with number `number` of the change, whatever an earlier attempt
 * has done of it, and makes it durable. Repeatable. */
MUST_CHECK bool change_place_finish(const struct change_site *site, const char *directory,
                                    size_t number, struct error *err);

/* mkdir of base/path with its parents up to `base`, which exists, and durable. */
MUST_CHECK bool change_make_path(const char *base, const char *path, struct error *err);

#endif
