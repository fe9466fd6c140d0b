/* model_disk.h: a file system in memory, behind `struct disk_ops`, that knows what is durable.
 *
 * A file has bytes that everyone sees, and those of its last sync. A directory has names that
 * everyone sees, and those of its last sync, with the changes since, in order. A power cut keeps:
 *   - of each directory, the names of its last sync and any prefix of the changes since. A call
 * that changes two directories (exchange, a move) may come through in one of them only. Of a move,
 * the new name is there if the old one is gone;
 *   - of each file, the bytes of its last sync and of those written since any subset of sectors
 * (512 bytes), others as before, or zeros; its size may be any between. A file whose name was not
 * synced is lost with it, also if its bytes were.
 *
 * A process that has ended makes no further call: each fails with EIO, so that the code unwinds,
 * and only close() works. model_disk_restart() then drops descriptors and locks.
 *
 * A sync that fails may have done all, nothing, or lose what it should have written: then a later
 * sync says that it succeeded, and the bytes are gone with the next power cut, or are already.
 *
 * Faults are drawn from the disk's own random sequence. Every call has a site: the function of
 * base/disk/ that makes it, the function that called base/disk/, and the caller of that, found by
 * return addresses (call_sites.h). Sites are counted over lives; one can be left out (the call says
 * that it succeeded and does nothing) or be swapped with the next call that changes the disk, which
 * is how the simulator proves that it would notice.
 *
 * The time is clock_source's. There are no symbolic links. One thread at a time (scheduler.h):
 * another may run at the start of each call, and while a slow one takes its time. */
#ifndef SIMULATOR_MODEL_DISK_H
#define SIMULATOR_MODEL_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "random.h"

/* Of a life; each in thousand calls that it fits, all 0: a disk without faults. */
struct disk_faults {
    unsigned no_space, io_write, io_sync, io_rename, io_read; // ENOSPC and EIO
    unsigned late; // a call that changes the disk fails although it was done
    unsigned short_write;
    unsigned slow;     // the call takes up to 20 seconds of the model's clock
    unsigned full_for; // ms of the model's clock that a full disk stays full
    bool no_exchange;  // the file system cannot exchange names
};

enum disk_call {
    DISK_OPEN,
    DISK_READ,
    DISK_WRITE,
    DISK_TRUNCATE,
    DISK_FSYNC,
    DISK_CLOSE,
    DISK_RENAME_NEW,
    DISK_RENAME,
    DISK_EXCHANGE,
    DISK_LINK,
    DISK_UNLINK,
    DISK_MKDIR,
    DISK_RMDIR,
    DISK_CHMOD,
    DISK_CHOWN,
    DISK_GETXATTR,
    DISK_SETXATTR,
    DISK_STAT,
    DISK_FSTAT,
    DISK_LIST,
    DISK_LOCK,
    DISK_STATX,
    DISK_STATFS,
    DISK_ACCESS,
    DISK_CALLS
};

/* Puts the model behind `disk`. `on_call` is called before each call, with a text for the trace
 * ("rename a b"): it may end the process, cut the power, let another thread run, or look at the
 * disk. */
void model_disk_begin(struct random random,
                      void (*on_call)(enum disk_call call, bool changes, const char *text));
void model_disk_end(void); // gives back everything; `disk` is the real one again
/* Who makes the calls; until this is called, the user who runs the simulator. */
void model_disk_set_user(uid_t user, gid_t group);

void model_disk_set_faults(const struct disk_faults *faults); // NULL: none

/* The process ends before the running call; of a write, a part may be done. */
void model_disk_kill(void);
/* The same for the machine. What is not synced is drawn. */
void model_disk_cut_power(void);
bool model_disk_is_dead(void);
/* After either, when the code has unwound: descriptors and locks are gone. */
void model_disk_restart(void);

/* For the checker: without faults, without sites, not in the trace, also in a dead process. */
bool model_disk_look(bool looks); // returns what it was
/* The bytes of a file as everyone sees them, valid until the next change; NULL: there is none. */
const void *model_disk_bytes(const char *path, size_t *size);
/* Each file below `directory`, in the order of names. */
void model_disk_walk(const char *directory,
                     void (*visit)(void *context, const char *path, size_t size), void *context);
/* A hash of all names and bytes, for "the same seed gives the same life". */
uint64_t model_disk_hash(void);
void model_disk_print(FILE *out); // names, sizes, what is not durable

/* A copy of a tree, made at once: a backup, to be put back later. */
void model_disk_copy(const char *from, const char *to);
void model_disk_remove(const char *path); // a tree

/* ---- sites ---- */

struct disk_site {
    enum disk_call call;
    bool changes;                        // the disk: only then it can be planted
    const char *within, *caller, *above; // functions, as the program's symbols name them; "-": none
    const char *text;
    long calls, faults, kills,
        cuts; // over all lives: calls, faults given, kills and power cuts just before
};

size_t model_disk_sites(const struct disk_site **sites);
enum site_plant { SITE_AS_IT_IS, SITE_LEFT_OUT, SITE_SWAPPED };
void model_disk_plant(size_t site, enum site_plant plant);
/* By its text, "fsync file_draft_sync+1c store_write_plan+1f3 run_batch" (where in the function the
 * call returns to): stable over runs of one binary. */
bool model_disk_find_site(const char *text, size_t *site);

/* ---- what happened, over all lives ---- */

enum disk_event {
    DISK_NO_SPACE,
    DISK_WRITE_FAILED,
    DISK_SYNC_FAILED,
    DISK_NAME_FAILED,
    DISK_READ_FAILED,
    DISK_FAILED_LATE,
    DISK_SHORT_WRITE,
    DISK_SLOW,
    DISK_KILLED,
    DISK_HALF_WRITTEN,
    DISK_POWER_CUT,
    DISK_SYNC_LOST, // a failed sync has dropped bytes that a later one does not write
    DISK_LOST_NAME, // by power cuts, from here on: a change of a name that was not synced
    DISK_APART,     // a call that changed two directories came through in one
    DISK_LOST_BYTES,
    DISK_LOST_SIZE,
    DISK_LOST_ACCESS, // as before
    DISK_ZEROS,
    DISK_EVENTS
};

long model_disk_count(enum disk_event event);
const char *model_disk_event_name(enum disk_event event);

#endif
