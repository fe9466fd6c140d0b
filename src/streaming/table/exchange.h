/* exchange.h: files of a table's directories replaced in one step: each directory is exchanged with
 * one that has the new files and those that stay, or moved away if nothing would be left in it.
 *
 *     <home>/files/<staged>    the new files
 *     <home>/next/<number>/    a directory that is about to be exchanged
 *     <home>/left/<path>       what left, with the rest of the old directory */
#ifndef STREAMING_TABLE_EXCHANGE_H
#define STREAMING_TABLE_EXCHANGE_H

#include "base/disk/file.h"
#include "base/error.h"
#include "core/file_list.h"
#include "streaming/table/path_list.h"

struct exchange {
    struct file_path root;                // of the table
    struct file_path home;                // outside its tree, on the same file system
    const struct file_list *left, *added; // borrowed; paths are relative to the table
};

/* The directories that have files which leave or come in, relative to the table, ascending: "" for
 * the table itself. */
struct path_list exchange_directories(const struct exchange *exchange);

/* It is a directory, or not there, and files can be moved between it and the home. ERROR_CONFIG:
 * they can't. */
MUST_CHECK bool exchange_check(const struct exchange *exchange, const char *directory,
                               struct error *err);

/* Whether the directory can be moved, and with it those in it that would follow it: an overlay file
 * system does not move what is in one of its lower layers. The home is there. ERROR_CONFIG: no. */
MUST_CHECK bool exchange_try_move(const struct exchange *exchange, const char *directory,
                                  struct error *err);

/* Tries all of it but the exchange, and leaves nothing: whether files of other users can be linked,
 * whether the new directory would have the same owner, group and permissions, and
 * exchange_try_move(). ERROR_CONFIG: no. <home>/next is there. */
MUST_CHECK bool exchange_rehearse(const struct exchange *exchange, const char *directory,
                                  size_t number, struct error *err);

/* Exchanges the directory with number `number`, no matter what an earlier attempt has done of it,
 * and makes it durable. <home>/next is there. Repeatable. */
MUST_CHECK bool exchange_finish(const struct exchange *exchange, const char *directory,
                                size_t number, struct error *err);

#endif
