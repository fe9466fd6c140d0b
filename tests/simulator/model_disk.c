/* model_disk.c: the seam. Each call becomes a request; run() says what happens to it: the process
 * may end before it, it may fail, take its time, or be planted, and else the tree does what it
 * says.
 *
 * A call that is swapped first finds out that it would succeed. It is done after the next call that
 * changes the disk, and is announced once more then, so that the process may end between the two.
 */
#include "model_disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/disk/disk.h"
#include "base/system/clock.h"
#include "call_sites.h"
#include "model_tree.h"
#include "scheduler.h"

enum { SLOWEST_MS = 20000, TEXT_MAX = 1024, NO_SITE = -1 };

#pragma weak scheduler_pass // a test of the disk alone has no scheduler

static struct {
    void (*on_call)(enum disk_call call, bool changes, const char *text);
    struct disk_faults faults;
    struct random random;
    bool looks, dead, cut;
    int64_t full_until_us;
    long site; // of the call that is about to be made, or NO_SITE
    struct {
        bool is_set;
        struct request request; // owns what it points to
        size_t site;
    } later;
} self;

static long counts[DISK_EVENTS];

static long fail(int error_number) {
    errno = error_number;
    return -1;
}

/* ---- the trace ---- */

struct text {
    char bytes[TEXT_MAX];
    size_t size;
};

static void append(struct text *text, const char *word) {
    size_t length = strlen(word), room = TEXT_MAX - 1 - text->size;
    if (length > room)
        length = room;
    memcpy(text->bytes + text->size, word, length);
    text->size += length;
    text->bytes[text->size] = '\0';
}

static void append_number(struct text *text, int64_t number) {
    char digits[24];
    char *at = digits + sizeof digits - 1;
    uint64_t rest = number < 0 ? 0 : (uint64_t)number;
    *at = '\0';
    do
        *--at = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    append(text, " ");
    append(text, at);
}

static const char *path_of(const struct request *request) {
    if (request->path != NULL)
        return request->path;
    const struct open_file *file = tree_open_file(request->fd);
    return file != NULL ? file->path : "?";
}

static void describe(const struct request *request, struct text *text) {
    bool creates = request->call == DISK_OPEN && (request->flags & O_CREAT) != 0;
    append(text, creates ? "create" : call_name(request->call));
    append(text, " ");
    append(text, path_of(request));
    if (request->to != NULL) {
        append(text, " ");
        append(text, request->to);
    }
    if (request->call == DISK_WRITE || request->call == DISK_READ)
        append_number(text, (int64_t)request->size);
    if (request->call == DISK_READ || request->call == DISK_TRUNCATE)
        append_number(text, request->at);
}

static void announce(const struct request *request, size_t site) {
    if (self.on_call == NULL)
        return;
    struct text text;
    text.size = 0;
    describe(request, &text);
    self.site = (long)site;
    self.on_call(request->call, request->changes, text.bytes);
    self.site = NO_SITE;
}

/* ---- faults ---- */

enum { SPACE = 1, WRITE = 2, SYNC = 4, NAME = 8, READ = 16, LATE = 32, SHORT = 64, FULL = 128 };

/* What may happen to a call. FULL: it fails on a full disk. */
static unsigned fits(const struct request *request) {
    static const unsigned char of[DISK_CALLS] = {
        [DISK_OPEN] = READ,
        [DISK_READ] = READ,
        [DISK_WRITE] = SPACE | FULL | WRITE | LATE | SHORT,
        [DISK_TRUNCATE] = WRITE | LATE,
        [DISK_FSYNC] = SYNC,
        [DISK_RENAME_NEW] = SPACE | NAME | LATE,
        [DISK_RENAME] = SPACE | NAME | LATE,
        [DISK_EXCHANGE] = NAME | LATE,
        [DISK_LINK] = SPACE | FULL | NAME | LATE,
        [DISK_UNLINK] = NAME | LATE,
        [DISK_MKDIR] = SPACE | FULL | NAME | LATE,
        [DISK_RMDIR] = NAME | LATE,
        [DISK_CHMOD] = WRITE | LATE,
        [DISK_CHOWN] = WRITE | LATE,
        [DISK_GETXATTR] = READ,
        [DISK_SETXATTR] = SPACE | FULL | WRITE | LATE,
        [DISK_STAT] = READ,
        [DISK_FSTAT] = READ,
        [DISK_LIST] = READ,
        [DISK_LOCK] = READ,
        [DISK_STATX] = READ,
        [DISK_STATFS] = READ,
        [DISK_ACCESS] = READ,
    };
    struct node *node;
    if (request->path == NULL && tree_open_file(request->fd) == NULL)
        return 0;
    if (request->call == DISK_OPEN && request->changes)
        return (path_node(request->path, &node) == 0 ? 0 : SPACE | FULL) | NAME | LATE;
    if (request->call == DISK_CLOSE)
        return tree_open_file(request->fd)->wrote ? WRITE : 0;
    return of[request->call];
}

static bool is_full(void) {
    return self.full_until_us != 0 && clock_monotonic_us() < self.full_until_us;
}

static bool draw(unsigned in_thousand) {
    return in_thousand > 0 && random_chance(&self.random, in_thousand);
}

static bool draw_full(unsigned fitting) {
    if ((fitting & FULL) != 0 && is_full())
        return true;
    if ((fitting & SPACE) == 0 || !draw(self.faults.no_space))
        return false;
    self.full_until_us = clock_monotonic_us() + (int64_t)self.faults.full_for * 1000;
    return true;
}

/* DISK_EVENTS: nothing happens. */
static enum disk_event draw_fault(const struct request *request) {
    unsigned fitting = fits(request);
    if (draw_full(fitting))
        return DISK_NO_SPACE;
    if ((fitting & WRITE) != 0 && draw(self.faults.io_write))
        return DISK_WRITE_FAILED;
    if ((fitting & SYNC) != 0 && draw(self.faults.io_sync))
        return DISK_SYNC_FAILED;
    if ((fitting & NAME) != 0 && draw(self.faults.io_rename))
        return DISK_NAME_FAILED;
    if ((fitting & READ) != 0 && draw(self.faults.io_read))
        return DISK_READ_FAILED;
    if ((fitting & LATE) != 0 && draw(self.faults.late))
        return DISK_FAILED_LATE;
    if ((fitting & SHORT) != 0 && draw(self.faults.short_write))
        return DISK_SHORT_WRITE;
    return DISK_EVENTS;
}

static void count_fault(enum disk_event event, size_t site) {
    counts[event]++;
    call_site(site)->faults++;
}

/* Another thread may run meanwhile, and end the process. */
static void take_time(size_t site) {
    if (!draw(self.faults.slow))
        return;
    count_fault(DISK_SLOW, site);
    if (scheduler_pass != NULL)
        scheduler_pass(1 + (int64_t)random_below(&self.random, SLOWEST_MS));
}

static size_t some_of(size_t size) {
    return (size_t)random_below(&self.random, size + 1);
}

static void write_some(struct request *request, size_t size) {
    request->size = size;
    (void)tree_call(request);
}

/* Some of it, and the next write fails; or nothing and an error at once. */
static long fail_write(struct request *request, int error_number) {
    size_t part = random_below(&self.random, 2) == 0 ? some_of(request->size) : 0;
    if (part == 0)
        return fail(error_number);
    if (part < request->size && error_number == ENOSPC) {
        write_some(request, part);
        return (long)part;
    }
    write_some(request, part); // of an input error nobody knows what was written
    return fail(error_number);
}

static long short_write(struct request *request) {
    if (request->size < 2 || random_below(&self.random, 8) == 0)
        return fail(EINTR);
    request->size = 1 + some_of(request->size - 2);
    return tree_call(request);
}

static long fail_sync(struct request *request) {
    const struct open_file *file = tree_open_file(request->fd);
    if (node_is_directory(file->node))
        tree_fail_sync(file->node, &self.random);
    else
        counts[DISK_SYNC_LOST] += bytes_fail_sync(file->node, &self.random);
    return fail(EIO);
}

static long do_call(struct request *request, size_t site);

static long give_fault(struct request *request, size_t site, enum disk_event event) {
    if (event == DISK_NO_SPACE && request->call != DISK_WRITE)
        return fail(ENOSPC);
    if (request->call == DISK_WRITE && (event == DISK_NO_SPACE || event == DISK_WRITE_FAILED))
        return fail_write(request, event == DISK_NO_SPACE ? ENOSPC : EIO);
    if (event == DISK_SHORT_WRITE)
        return short_write(request);
    if (event == DISK_SYNC_FAILED)
        return fail_sync(request);
    if (request->call == DISK_CLOSE) // closes all the same
        (void)tree_call(request);
    if (event == DISK_READ_FAILED && request->call == DISK_LIST) {
        request->flags = 1;
        (void)tree_call(request);
    }
    if (event != DISK_FAILED_LATE)
        return fail(EIO);
    long result = do_call(request, site);
    if (result >= 0 && request->call == DISK_OPEN)
        (void)tree_call(&(struct request){.call = DISK_CLOSE, .fd = (int)result});
    return result < 0 ? result : fail(EIO);
}

/* ---- planted sites ---- */

static char *copy_text(const char *text) {
    char *copy = text == NULL ? NULL : strdup(text);
    check(copy != NULL || text == NULL);
    return copy;
}

static void later_free(struct request *request) {
    node_drop(request->node);
    free((void *)request->path);
    free((void *)request->to);
    free((void *)request->bytes);
}

static void later_set(const struct request *request, size_t site) {
    struct request *later = &self.later.request;
    self.later.is_set = true;
    self.later.site = site;
    *later = *request;
    later->dry = false;
    later->path = copy_text(path_of(request));
    later->to = copy_text(request->to);
    if (request->bytes != NULL) {
        void *bytes = must_alloc(request->size + 1, 1);
        memcpy(bytes, request->bytes, request->size);
        later->bytes = bytes;
    }
}

static void later_do(bool announced) {
    struct request request = self.later.request;
    if (!self.later.is_set)
        return;
    self.later.is_set = false;
    if (announced)
        announce(&request, self.later.site);
    if (!self.dead)
        (void)tree_call(&request);
    later_free(&request);
}

static void later_drop(void) {
    if (self.later.is_set)
        later_free(&self.later.request);
    self.later.is_set = false;
}

/* The file is there, but does not get its name, or not yet. */
static long plant_open(struct request *request, size_t site, enum site_plant plant) {
    struct node *node;
    bool is_new = path_node(request->path, &node) != 0;
    request->dry = is_new || plant == SITE_LEFT_OUT;
    long fd = tree_call(request);
    if (fd < 0 || !is_new || plant == SITE_LEFT_OUT)
        return fd;
    request->node = node_hold(tree_open_file((int)fd)->node);
    later_set(request, site);
    return fd;
}

static long do_planted(struct request *request, size_t site, enum site_plant plant) {
    if (request->call == DISK_OPEN)
        return plant_open(request, site, plant);
    if (plant == SITE_LEFT_OUT)
        return request->call == DISK_WRITE ? (long)request->size : 0;
    request->dry = true;
    long result = tree_call(request);
    if (result >= 0)
        later_set(request, site);
    return result;
}

static long do_call(struct request *request, size_t site) {
    enum site_plant plant = request->changes ? call_site_plant(site) : SITE_AS_IT_IS;
    if (plant != SITE_AS_IT_IS && !(self.later.is_set && plant == SITE_SWAPPED))
        return do_planted(request, site, plant);
    long result = tree_call(request);
    if (request->changes && self.later.is_set) {
        int error_number = errno;
        later_do(true);
        errno = error_number;
    }
    return result;
}

/* ---- a call ---- */

/* The process is dead. Of a write that it was about to make, a part may be done. */
static long end_call(struct request *request) {
    if (request->call == DISK_CLOSE)
        return tree_call(request);
    if (request->call == DISK_WRITE && !self.cut && tree_open_file(request->fd) != NULL) {
        size_t part = some_of(request->size);
        counts[DISK_HALF_WRITTEN] += part > 0 && part < request->size;
        write_some(request, part);
    }
    return fail(EIO);
}

static long run(struct request *request) {
    if (self.looks)
        return tree_call(request);
    if (self.dead)
        return request->call == DISK_CLOSE ? tree_call(request) : fail(EIO);
    size_t site = call_site_of(request->call, request->changes, request->frame);
    call_site(site)->calls++;
    announce(request, site);
    if (self.dead)
        return end_call(request);
    take_time(site);
    if (self.dead)
        return end_call(request);
    if (request->call == DISK_EXCHANGE && self.faults.no_exchange)
        return fail(EINVAL);
    if (request->call == DISK_STATFS)
        request->flags = is_full();
    enum disk_event event = draw_fault(request);
    if (event == DISK_EVENTS)
        return do_call(request, site);
    count_fault(event, site);
    return give_fault(request, site, event);
}

/* ---- the calls ---- */

#define RUN(...) run(&(struct request){.frame = __builtin_frame_address(0), __VA_ARGS__})

static int model_open(const char *path, int flags, mode_t mode) {
    return (int)RUN(.call = DISK_OPEN, .changes = (flags & (O_CREAT | O_TRUNC)) != 0, .path = path,
                    .flags = flags, .mode = mode);
}

static ssize_t model_read_at(int fd, void *bytes, size_t size, off_t at) {
    return RUN(.call = DISK_READ, .fd = fd, .result = bytes, .size = size, .at = at);
}

static ssize_t model_write(int fd, const void *bytes, size_t size) {
    return RUN(.call = DISK_WRITE, .changes = true, .fd = fd, .bytes = bytes, .size = size);
}

static int model_truncate(int fd, off_t size) {
    return (int)RUN(.call = DISK_TRUNCATE, .changes = true, .fd = fd, .at = size);
}

static int model_fsync(int fd) {
    return (int)RUN(.call = DISK_FSYNC, .changes = true, .fd = fd);
}

static int model_close(int fd) {
    return (int)RUN(.call = DISK_CLOSE, .fd = fd);
}

static int model_rename_new(const char *from, const char *to) {
    return (int)RUN(.call = DISK_RENAME_NEW, .changes = true, .path = from, .to = to);
}

static int model_rename(const char *from, const char *to) {
    return (int)RUN(.call = DISK_RENAME, .changes = true, .path = from, .to = to);
}

static int model_exchange(const char *a, const char *b) {
    return (int)RUN(.call = DISK_EXCHANGE, .changes = true, .path = a, .to = b);
}

static int model_link(const char *from, const char *to) {
    return (int)RUN(.call = DISK_LINK, .changes = true, .path = from, .to = to);
}

static int model_unlink(const char *path) {
    return (int)RUN(.call = DISK_UNLINK, .changes = true, .path = path);
}

static int model_mkdir(const char *path, mode_t mode) {
    return (int)RUN(.call = DISK_MKDIR, .changes = true, .path = path, .mode = mode);
}

static int model_rmdir(const char *path) {
    return (int)RUN(.call = DISK_RMDIR, .changes = true, .path = path);
}

static int model_chmod(const char *path, mode_t mode) {
    return (int)RUN(.call = DISK_CHMOD, .changes = true, .path = path, .mode = mode);
}

static int model_chown(const char *path, uid_t owner, gid_t group) {
    return (int)RUN(.call = DISK_CHOWN, .changes = true, .path = path, .owner = owner,
                    .group = group);
}

static ssize_t model_getxattr(const char *path, const char *name, void *value, size_t size) {
    return RUN(.call = DISK_GETXATTR, .path = path, .to = name, .result = value, .size = size);
}

static int model_setxattr(const char *path, const char *name, const void *value, size_t size,
                          int flags) {
    return (int)RUN(.call = DISK_SETXATTR, .changes = true, .path = path, .to = name,
                    .bytes = value, .size = size, .flags = flags);
}

static int model_stat(const char *path, struct stat *status) {
    return (int)RUN(.call = DISK_STAT, .path = path, .result = status);
}

static int model_fstat(int fd, struct stat *status) {
    return (int)RUN(.call = DISK_FSTAT, .fd = fd, .result = status);
}

static int model_list(const char *directory, bool (*visit)(void *context, const char *name),
                      void *context) {
    int result = (int)RUN(.call = DISK_LIST, .path = directory, .visit = visit, .context = context);
    return self.dead && !self.looks ? (int)fail(EIO) : result;
}

static int model_lock(int fd, bool shared) {
    return (int)RUN(.call = DISK_LOCK, .fd = fd, .mode = shared);
}

static int model_statx(const char *path, struct statx *status) {
    return (int)RUN(.call = DISK_STATX, .path = path, .result = status);
}

static int model_statfs(const char *path, struct statfs *status) {
    return (int)RUN(.call = DISK_STATFS, .path = path, .result = status);
}

static int model_access(const char *path, int mode) {
    return (int)RUN(.call = DISK_ACCESS, .path = path, .flags = mode);
}

static const struct disk_ops model = {
    .open = model_open,
    .read_at = model_read_at,
    .write = model_write,
    .truncate = model_truncate,
    .fsync = model_fsync,
    .close = model_close,
    .rename_new = model_rename_new,
    .rename = model_rename,
    .exchange = model_exchange,
    .link = model_link,
    .unlink = model_unlink,
    .mkdir = model_mkdir,
    .rmdir = model_rmdir,
    .chmod = model_chmod,
    .chown = model_chown,
    .getxattr = model_getxattr,
    .setxattr = model_setxattr,
    .stat = model_stat,
    .fstat = model_fstat,
    .list = model_list,
    .lock = model_lock,
    .statx = model_statx,
    .statfs = model_statfs,
    .access = model_access,
};

/* ---- a world ---- */

void model_disk_begin(struct random random,
                      void (*on_call)(enum disk_call call, bool changes, const char *text)) {
    check(disk == &disk_real);
    memset(&self, 0, sizeof self);
    self.on_call = on_call;
    self.site = NO_SITE;
    struct random of_tree = {random_next(&random)};
    self.random = random;
    tree_begin(of_tree);
    model_disk_set_user(geteuid(), getegid());
    disk = &model;
}

void model_disk_end(void) {
    later_drop();
    tree_end();
    disk = &disk_real;
}

void model_disk_set_user(uid_t user, gid_t group) {
    tree.user = user;
    tree.group = group;
}

void model_disk_set_faults(const struct disk_faults *faults) {
    self.faults = faults == NULL ? (struct disk_faults){0} : *faults;
    if (faults == NULL)
        self.full_until_us = 0;
}

static void end_process(void) {
    self.dead = true;
    later_drop();
}

void model_disk_kill(void) {
    if (self.dead)
        return;
    counts[DISK_KILLED]++;
    if (self.site != NO_SITE)
        call_site((size_t)self.site)->kills++;
    end_process();
}

void model_disk_cut_power(void) {
    if (self.dead)
        return;
    counts[DISK_POWER_CUT]++;
    if (self.site != NO_SITE)
        call_site((size_t)self.site)->cuts++;
    end_process();
    self.cut = true;
    tree_cut_power(&self.random, counts);
}

bool model_disk_is_dead(void) {
    return self.dead;
}

void model_disk_restart(void) {
    if (!self.dead)
        later_do(false);
    tree_close_all();
    self.dead = self.cut = false;
}

bool model_disk_look(bool looks) {
    bool looked = self.looks;
    self.looks = looks;
    return looked;
}

/* ---- what happened ---- */

long model_disk_count(enum disk_event event) {
    return counts[event];
}

const char *model_disk_event_name(enum disk_event event) {
    static const char *const names[DISK_EVENTS] = {
        [DISK_NO_SPACE] = "no space left",
        [DISK_WRITE_FAILED] = "write failed",
        [DISK_SYNC_FAILED] = "sync failed",
        [DISK_NAME_FAILED] = "change of a name failed",
        [DISK_READ_FAILED] = "read failed",
        [DISK_FAILED_LATE] = "failed but was done",
        [DISK_SHORT_WRITE] = "short write",
        [DISK_SLOW] = "slow call",
        [DISK_KILLED] = "process killed",
        [DISK_HALF_WRITTEN] = "process killed in a write",
        [DISK_POWER_CUT] = "power cut",
        [DISK_SYNC_LOST] = "failed sync lost bytes",
        [DISK_LOST_NAME] = "name lost",
        [DISK_APART] = "two directories apart",
        [DISK_LOST_BYTES] = "bytes lost",
        [DISK_LOST_SIZE] = "size lost",
        [DISK_LOST_ACCESS] = "access rights lost",
        [DISK_ZEROS] = "zeros",
    };
    return names[event];
}
