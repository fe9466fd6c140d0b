/* faulty_disk.h: the real disk, except for one call that fails or at which the process or the
 * machine ends. Calls are numbered from 1 in the order in which they are made.
 *
 * A process that has ended makes no further call: each fails, so that the code unwinds, and only
 * close() works, which ends the lock as the kernel would. After a power cut, in addition, what was
 * not synced is taken back: names whose directory was not synced since, the newest first, and the
 * bytes of files that were not synced.
 *
 * A call that changes two directories, an exchange or a directory's way from one to another, is
 * taken back unless both were synced. With FAULT_POWER_APART the disk keeps no promise about such
 * calls: where one of the two was synced, that one is as after the call and the other as before,
 * so that both names lead to the same content. */
#ifndef FAULTY_DISK_H
#define FAULTY_DISK_H

#include "tree.h"

enum fault {
    FAULT_NONE,       // only count
    FAULT_READ_ERROR, // any call fails, once, and has no effect; those that only read included
    FAULT_ERROR,      // a call that changes the disk fails, once, and has no effect
    FAULT_LATE_ERROR, // the call fails, once, but its effect is there
    FAULT_KILL,       // the process ends before the call; of a write, half is done
    FAULT_POWER_CUT,  // the machine stops before the call: all that is not synced is lost
    FAULT_POWER_SOME, // the same, but the older half of it is not
    FAULT_COUNT,
    /* For what moves directories: as FAULT_POWER_CUT, and of two that one call has changed, one may
     * be as it was. */
    FAULT_POWER_APART = FAULT_COUNT,
    FAULT_COUNT_MOVES,
};

static const char *const faulty_names[FAULT_COUNT_MOVES] = {"none",
                                                            "read error",
                                                            "error",
                                                            "late error",
                                                            "kill",
                                                            "power cut",
                                                            "power cut, half synced",
                                                            "power cut between two directories"};

enum { FAULT_FDS = 4096, FAULT_EFFECTS = 4096 };

enum effect_kind {
    EFFECT_NONE,
    EFFECT_CREATE,
    EFFECT_RENAME,
    EFFECT_UNLINK,
    EFFECT_MKDIR,
    EFFECT_RMDIR,
    EFFECT_LINK,
    EFFECT_EXCHANGE,
    EFFECT_MOVE, // of a directory from one to another
};

struct effect {
    enum effect_kind kind; // EFFECT_NONE: durable by now
    char *path, *from;     // owned; `from`: a rename's old name, an exchange's other name, or where
                           // an unlinked file is kept
    bool path_synced, from_synced; // of an exchange and a move
    char *replaced; // owned; where a file that a rename replaced is kept; NULL: none was
};

static struct {
    enum fault fault;
    int error_number;
    long at, calls; // the fault comes with call number `at`
    bool dead;
    char graveyard[300]; // where unlinked files are kept
    long buried;
    char *open_path[FAULT_FDS]; // owned; by descriptor
    struct effect effects[FAULT_EFFECTS];
    size_t effect_count;
    char *unsynced[FAULT_EFFECTS]; // owned; files whose bytes are not synced
    size_t unsynced_count;
} faulty;

/* ---- the points of a scenario ---- */

/* A loop over all calls of a scenario begins at faulty_first() and continues by FAULTY_STEP. Under
 * a sanitizer, which makes each run five times as long, it takes every seventh call, and other ones
 * for the next fault. The build without one takes every call: the label `crash`. */
#ifdef __SANITIZE_ADDRESS__
enum { FAULTY_STEP = 7 };
#else
enum { FAULTY_STEP = 1 };
#endif

static inline long faulty_first(enum fault fault) {
    return 1 + (long)fault % FAULTY_STEP;
}

/* ---- calls ---- */

/* What the next call must do. */
enum faulty_verdict { CALL, CALL_AND_FAIL, FAIL };

/* Between two calls that change the disk it does not matter at which the process ends, and a call
 * that changes nothing fails in one way only: such calls are numbered for FAULT_READ_ERROR alone.
 */
static enum faulty_verdict faulty_next(bool changes) {
    if (faulty.dead) {
        errno = EIO;
        return FAIL;
    }
    if (!changes && faulty.fault != FAULT_READ_ERROR)
        return CALL;
    if (++faulty.calls != faulty.at || faulty.fault == FAULT_NONE)
        return CALL;
    errno = faulty.error_number;
    if (faulty.fault == FAULT_LATE_ERROR)
        return CALL_AND_FAIL;
    faulty.dead = faulty.fault != FAULT_ERROR && faulty.fault != FAULT_READ_ERROR;
    return FAIL;
}

static int faulty_result(enum faulty_verdict verdict, int result) {
    if (verdict != CALL_AND_FAIL)
        return result;
    errno = faulty.error_number;
    return -1;
}

static void faulty_effect(enum effect_kind kind, const char *path, const char *from) {
    check(faulty.effect_count < FAULT_EFFECTS);
    faulty.effects[faulty.effect_count++] =
        (struct effect){.kind = kind, .path = strdup(path), .from = from ? strdup(from) : NULL};
}

/* Moves what is known about a file's unsynced bytes with its name, or forgets it. */
static void faulty_unsynced_move(const char *from, const char *to) {
    for (size_t i = 0; i < faulty.unsynced_count; i++) {
        if (strcmp(faulty.unsynced[i], from) != 0)
            continue;
        free(faulty.unsynced[i]);
        if (to != NULL)
            faulty.unsynced[i] = strdup(to);
        else
            faulty.unsynced[i--] = faulty.unsynced[--faulty.unsynced_count];
    }
}

static int faulty_open(const char *path, int flags, mode_t mode) {
    enum faulty_verdict verdict = faulty_next((flags & O_CREAT) != 0);
    if (verdict == FAIL)
        return -1;
    bool is_new = (flags & O_CREAT) != 0 && access(path, F_OK) != 0;
    int fd = disk_real.open(path, flags, mode);
    if (fd < 0)
        return -1;
    check(fd < FAULT_FDS);
    if (is_new)
        faulty_effect(EFFECT_CREATE, path, NULL);
    if (verdict == CALL_AND_FAIL) {
        close(fd);
        return faulty_result(verdict, 0);
    }
    faulty.open_path[fd] = strdup(path);
    return fd;
}

static ssize_t faulty_read_at(int fd, void *bytes, size_t size, off_t at) {
    return faulty_next(false) == CALL ? disk_real.read_at(fd, bytes, size, at) : -1;
}

static ssize_t faulty_write(int fd, const void *bytes, size_t size) {
    bool was_dead = faulty.dead;
    enum faulty_verdict verdict = faulty_next(true);
    if (was_dead)
        return -1;
    faulty_unsynced_move(faulty.open_path[fd], NULL);
    check(faulty.unsynced_count < FAULT_EFFECTS);
    faulty.unsynced[faulty.unsynced_count++] = strdup(faulty.open_path[fd]);
    if (verdict == CALL)
        return disk_real.write(fd, bytes, size);
    int error_number = errno;
    ssize_t half = disk_real.write(fd, bytes, size / 2);
    (void)half;
    errno = error_number;
    return -1;
}

static int faulty_truncate(int fd, off_t size) {
    enum faulty_verdict verdict = faulty_next(true);
    return verdict == FAIL ? -1 : faulty_result(verdict, disk_real.truncate(fd, size));
}

static bool faulty_is_in(const char *path, const char *directory) {
    size_t length = strlen(directory);
    return strncmp(path, directory, length) == 0 && path[length] == '/' &&
           strchr(path + length + 1, '/') == NULL;
}

static void faulty_sync_effect(struct effect *effect, const char *directory) {
    bool both = effect->kind == EFFECT_EXCHANGE || effect->kind == EFFECT_MOVE;
    effect->path_synced = effect->path_synced || faulty_is_in(effect->path, directory);
    effect->from_synced = effect->from_synced || (both && faulty_is_in(effect->from, directory));
    if (effect->path_synced && (!both || effect->from_synced))
        effect->kind = EFFECT_NONE;
}

static int faulty_fsync(int fd) {
    enum faulty_verdict verdict = faulty_next(true);
    if (verdict != CALL)
        return -1; // nobody knows what a failed sync has done: here, nothing
    const char *path = faulty.open_path[fd];
    faulty_unsynced_move(path, NULL);
    for (size_t i = 0; i < faulty.effect_count; i++)
        faulty_sync_effect(&faulty.effects[i], path);
    return disk_real.fsync(fd);
}

static int faulty_close(int fd) {
    enum faulty_verdict verdict = faulty_next(false);
    free(faulty.open_path[fd]);
    faulty.open_path[fd] = NULL;
    int result = disk_real.close(fd); // a failed close has closed, too
    return verdict == CALL ? result : faulty_result(CALL_AND_FAIL, result);
}

static int faulty_rename_new(const char *from, const char *to) {
    enum faulty_verdict verdict = faulty_next(true);
    struct stat status;
    bool is_directory = disk_real.stat(from, &status) == 0 && S_ISDIR(status.st_mode);
    if (verdict == FAIL || disk_real.rename_new(from, to) != 0)
        return -1;
    faulty_effect(is_directory ? EFFECT_MOVE : EFFECT_RENAME, to, from);
    faulty_unsynced_move(from, to);
    return faulty_result(verdict, 0);
}

/* What it replaces is kept, as the old name's file. */
static int faulty_rename(const char *from, const char *to) {
    enum faulty_verdict verdict = faulty_next(true);
    if (verdict == FAIL)
        return -1;
    char grave[400];
    (void)snprintf(grave, sizeof grave, "%s/%ld", faulty.graveyard, ++faulty.buried);
    bool replaces = link(to, grave) == 0;
    if (disk_real.rename(from, to) != 0)
        return -1;
    faulty_effect(EFFECT_RENAME, to, from);
    if (replaces)
        faulty.effects[faulty.effect_count - 1].replaced = strdup(grave);
    faulty_unsynced_move(from, to);
    return faulty_result(verdict, 0);
}

static int faulty_exchange(const char *a, const char *b) {
    enum faulty_verdict verdict = faulty_next(true);
    if (verdict == FAIL || disk_real.exchange(a, b) != 0)
        return -1;
    faulty_effect(EFFECT_EXCHANGE, a, b);
    return faulty_result(verdict, 0);
}

static int faulty_link(const char *from, const char *to) {
    enum faulty_verdict verdict = faulty_next(true);
    if (verdict == FAIL || disk_real.link(from, to) != 0)
        return -1;
    faulty_effect(EFFECT_LINK, to, NULL);
    return faulty_result(verdict, 0);
}

static int faulty_unlink(const char *path) {
    enum faulty_verdict verdict = faulty_next(true);
    if (verdict == FAIL)
        return -1;
    char grave[400];
    (void)snprintf(grave, sizeof grave, "%s/%ld", faulty.graveyard, ++faulty.buried);
    if (link(path, grave) != 0) // also says ENOENT, as unlink does
        return -1;
    int result = disk_real.unlink(path);
    check(result == 0);
    faulty_effect(EFFECT_UNLINK, path, grave);
    faulty_unsynced_move(path, NULL);
    return faulty_result(verdict, 0);
}

static int faulty_mkdir(const char *path, mode_t mode) {
    enum faulty_verdict verdict = faulty_next(true);
    if (verdict == FAIL || disk_real.mkdir(path, mode) != 0)
        return -1;
    faulty_effect(EFFECT_MKDIR, path, NULL);
    return faulty_result(verdict, 0);
}

static int faulty_rmdir(const char *path) {
    enum faulty_verdict verdict = faulty_next(true);
    if (verdict == FAIL || disk_real.rmdir(path) != 0)
        return -1;
    faulty_effect(EFFECT_RMDIR, path, NULL);
    return faulty_result(verdict, 0);
}

static int faulty_chmod(const char *path, mode_t mode) {
    return faulty_next(false) == CALL ? disk_real.chmod(path, mode) : -1;
}

static int faulty_chown(const char *path, uid_t owner, gid_t group) {
    return faulty_next(false) == CALL ? disk_real.chown(path, owner, group) : -1;
}

static ssize_t faulty_getxattr(const char *path, const char *name, void *value, size_t size) {
    return faulty_next(false) == CALL ? disk_real.getxattr(path, name, value, size) : -1;
}

static int faulty_setxattr(const char *path, const char *name, const void *value, size_t size,
                           int flags) {
    return faulty_next(false) == CALL ? disk_real.setxattr(path, name, value, size, flags) : -1;
}

static int faulty_stat(const char *path, struct stat *status) {
    return faulty_next(false) == CALL ? disk_real.stat(path, status) : -1;
}

static int faulty_fstat(int fd, struct stat *status) {
    return faulty_next(false) == CALL ? disk_real.fstat(fd, status) : -1;
}

static int faulty_list(const char *directory, bool (*visit)(void *context, const char *name),
                       void *context) {
    return faulty_next(false) == CALL ? disk_real.list(directory, visit, context) : -1;
}

static int faulty_lock(int fd, bool shared) {
    return faulty_next(false) == CALL ? disk_real.lock(fd, shared) : -1;
}

static int faulty_statx(const char *path, struct statx *status) {
    return faulty_next(false) == CALL ? disk_real.statx(path, status) : -1;
}

static int faulty_statfs(const char *path, struct statfs *status) {
    return faulty_next(false) == CALL ? disk_real.statfs(path, status) : -1;
}

static int faulty_access(const char *path, int mode) {
    return faulty_next(false) == CALL ? disk_real.access(path, mode) : -1;
}

static const struct disk_ops faulty_disk = {
    .open = faulty_open,
    .read_at = faulty_read_at,
    .write = faulty_write,
    .truncate = faulty_truncate,
    .fsync = faulty_fsync,
    .close = faulty_close,
    .rename_new = faulty_rename_new,
    .rename = faulty_rename,
    .exchange = faulty_exchange,
    .link = faulty_link,
    .unlink = faulty_unlink,
    .mkdir = faulty_mkdir,
    .rmdir = faulty_rmdir,
    .chmod = faulty_chmod,
    .chown = faulty_chown,
    .getxattr = faulty_getxattr,
    .setxattr = faulty_setxattr,
    .stat = faulty_stat,
    .fstat = faulty_fstat,
    .list = faulty_list,
    .lock = faulty_lock,
    .statx = faulty_statx,
    .statfs = faulty_statfs,
    .access = faulty_access,
};

/* Of a call that has changed two directories one was synced, and the disk keeps no promise. */
static bool faulty_is_apart(const struct effect *effect) {
    return faulty.fault == FAULT_POWER_APART &&
           (effect->kind == EFFECT_EXCHANGE || effect->kind == EFFECT_MOVE) &&
           (effect->path_synced || effect->from_synced);
}

static void faulty_undo(const struct effect *effect) {
    int result = 0;
    if (faulty_is_apart(effect)) {
        if (effect->path_synced)
            tree_copy(effect->path, effect->from);
        else if (effect->kind == EFFECT_EXCHANGE)
            tree_copy(effect->from, effect->path);
        else // the old name is gone and the new one isn't there yet
            (void)nftw(effect->path, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
        return;
    }
    switch (effect->kind) {
    case EFFECT_NONE:
        break;
    case EFFECT_CREATE:
        result = unlink(effect->path);
        break;
    case EFFECT_RENAME:
        result = rename(effect->path, effect->from);
        if (effect->replaced != NULL)
            result = link(effect->replaced, effect->path);
        break;
    case EFFECT_UNLINK:
        result = link(effect->from, effect->path);
        break;
    case EFFECT_MKDIR:
        result = nftw(effect->path, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
        break;
    case EFFECT_RMDIR:
        result = mkdir(effect->path, 0755);
        break;
    case EFFECT_LINK:
        result = unlink(effect->path);
        break;
    case EFFECT_EXCHANGE:
        result = disk_real.exchange(effect->path, effect->from);
        break;
    case EFFECT_MOVE:
        result = rename(effect->path, effect->from);
        break;
    }
    (void)result; // a name may be gone with its directory by now
}

/* The next process, after one that has ended: a power cut takes back what neither has synced. */
static inline void faulty_restart(enum fault fault, long at) {
    faulty.fault = fault;
    faulty.at = at;
    faulty.calls = 0;
    faulty.dead = false;
}

/* Takes the disk away: from now on it is the real one, in the state that a restart would find. */
static void faulty_end(void) {
    disk = &disk_real;
    bool cut = faulty.dead && faulty.fault >= FAULT_POWER_CUT;
    size_t kept = faulty.fault == FAULT_POWER_SOME ? faulty.effect_count / 2 : 0;
    for (size_t i = 0; cut && i < faulty.unsynced_count; i++) {
        int result = truncate(faulty.unsynced[i], 0);
        (void)result;
    }
    for (size_t i = faulty.effect_count; cut && i > kept; i--)
        faulty_undo(&faulty.effects[i - 1]);
    for (size_t i = 0; i < faulty.effect_count; i++) {
        free(faulty.effects[i].path);
        free(faulty.effects[i].from);
        free(faulty.effects[i].replaced);
    }
    for (size_t i = 0; i < faulty.unsynced_count; i++)
        free(faulty.unsynced[i]);
    for (size_t i = 0; i < FAULT_FDS; i++)
        free(faulty.open_path[i]);
    (void)nftw(faulty.graveyard, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* `graveyard`: a directory on the fixture's file system, made and removed here. */
static void faulty_begin(enum fault fault, int error_number, long at, const char *graveyard) {
    memset(&faulty, 0, sizeof faulty);
    faulty.fault = fault;
    faulty.error_number = error_number;
    faulty.at = at;
    (void)snprintf(faulty.graveyard, sizeof faulty.graveyard, "%s", graveyard);
    check(mkdir(faulty.graveyard, 0755) == 0);
    disk = &faulty_disk;
}

#endif
