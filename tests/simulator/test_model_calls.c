/* test_model_calls.c: the same random calls on the model and on real file systems give the same
 * results. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/disk/disk.h"
#include "model_disk.h"

enum { FILES = 8, CALLS = 400, BYTES_MAX = 3000, NAMES = 64, OTHER_USER = 12345 };

static uint64_t seeds = 300;
static struct random chance;
static const struct disk_ops *model;
static char root[64];
static char history[32768]; // the calls so far, for the message
static size_t history_size;
static bool has_attributes; // the real file system has user.* ones
static struct {
    int real, model; // -1: not open
} files[FILES];

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void note(const char *format, ...) {
    va_list args;
    va_start(args, format);
    size_t room = sizeof history - history_size;
    if (room < 4096)
        room = sizeof history - (history_size = 0);
    int size = vsnprintf(history + history_size, room, format, args);
    va_end(args);
    if (size > 0 && (size_t)size < room)
        history_size += (size_t)size;
}

static void differ(const char *what, long real, long of_model) {
    size_t shown = history_size < 4000 ? history_size : 4000;
    (void)fprintf(stderr, "%s", history + history_size - shown);
    fail_msg("%s: really %ld, in the model %ld", what, real, of_model);
}

/* ---- what is drawn ---- */

static size_t below(size_t count) {
    return (size_t)random_below(&chance, count);
}

/* Below the root: names from few, so that they meet; seldom odd ones. */
static const char *some_path(char path[static 1024]) {
    static const char *const names[] = {"a", "b", "c", "d", "a", "b", "c", "e", ".", ".."};
    int size = snprintf(path, 1024, "%s", root);
    size_t depth = below(6) == 0 ? 1 : 2 + below(2);
    for (size_t i = 0; i < depth; i++) {
        bool odd = i > 0 && below(8) == 0;
        const char *name = names[odd ? 8 + below(2) : below(8)];
        size +=
            snprintf(path + size, 1024 - (size_t)size, "%s/%s", below(20) == 0 ? "/" : "", name);
        if (strcmp(name, "..") == 0)
            break;
    }
    if (below(40) == 0)
        size += snprintf(path + size, 1024 - (size_t)size, "/%0*d", below(2) == 0 ? 255 : 256, 7);
    if (below(12) == 0)
        (void)snprintf(path + size, 1024 - (size_t)size, "/");
    return path;
}

static mode_t some_mode(void) {
    static const mode_t modes[] = {0644,  0755, 0600, 0700,  0755,  0400, 0,
                                   02755, 0222, 0777, 01755, 06755, 0311};
    return modes[below(sizeof modes / sizeof modes[0])];
}

static int some_flags(void) {
    static const int access[] = {O_RDONLY, O_WRONLY, O_RDWR};
    static const int more[] = {O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_DIRECTORY, O_NOFOLLOW};
    int flags = access[below(3)] | O_CLOEXEC;
    if (below(2) == 0)
        flags |= O_CREAT;
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++)
        if (below(5) == 0)
            flags |= more[i];
    return (flags & O_CREAT) != 0 && below(4) != 0 ? flags & ~O_DIRECTORY : flags;
}

static size_t some_bytes(unsigned char bytes[static BYTES_MAX]) {
    size_t size = below(4) == 0 ? below(BYTES_MAX) : below(40);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)random_next(&chance);
    return size;
}

/* ---- comparing ---- */

static long same_result(const char *what, long real, int real_errno, long of_model) {
    int model_errno = errno;
    note(" = %ld %s\n", real, real < 0 ? strerrorname_np(real_errno) : "");
    if ((real < 0) != (of_model < 0) || (real >= 0 && real != of_model))
        differ(what, real < 0 ? -real_errno : real, of_model < 0 ? -model_errno : of_model);
    if (real < 0 && real_errno != model_errno)
        differ(what, -real_errno, -model_errno);
    return real;
}

/* Both, one after the other. */
#define BOTH(what, call)                                                                           \
    __extension__({                                                                                \
        long real_ = (long)disk_real.call;                                                         \
        int errno_ = errno;                                                                        \
        same_result(what, real_, errno_, (long)model->call);                                       \
    })

static void same_status(const struct stat *real, const struct stat *of_model) {
    if (real->st_mode != of_model->st_mode)
        differ("mode", real->st_mode, of_model->st_mode);
    if (real->st_uid != of_model->st_uid)
        differ("owner", real->st_uid, of_model->st_uid);
    if (real->st_gid != of_model->st_gid)
        differ("group", real->st_gid, of_model->st_gid);
    if (!S_ISREG(real->st_mode))
        return;
    if (real->st_size != of_model->st_size)
        differ("size", real->st_size, of_model->st_size);
    if (real->st_nlink != of_model->st_nlink)
        differ("links", (long)real->st_nlink, (long)of_model->st_nlink);
}

struct names {
    char *names[NAMES];
    size_t count;
    const struct disk_ops *ops; // not NULL: they are unlinked as they come
    const char *directory;
};

static bool add_name(void *context, const char *name) {
    struct names *names = context;
    check(names->count < NAMES);
    names->names[names->count++] = strdup(name);
    if (names->ops == NULL)
        return true;
    char path[2048];
    (void)snprintf(path, sizeof path, "%s/%s", names->directory, name);
    (void)names->ops->unlink(path);
    return true;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void names_free(struct names *names) {
    for (size_t i = 0; i < names->count; i++)
        free(names->names[i]);
}

static void compare_lists(const char *path, bool unlinks) {
    struct names real = {.ops = unlinks ? &disk_real : NULL, .directory = path};
    struct names of_model = {.ops = unlinks ? model : NULL, .directory = path};
    note("list %s%s", path, unlinks ? " and unlink" : "");
    long result = (long)disk_real.list(path, add_name, &real);
    int error_number = errno;
    (void)same_result("list", result, error_number, model->list(path, add_name, &of_model));
    qsort(real.names, real.count, sizeof real.names[0], compare_names);
    qsort(of_model.names, of_model.count, sizeof of_model.names[0], compare_names);
    if (real.count != of_model.count)
        differ("names", (long)real.count, (long)of_model.count);
    for (size_t i = 0; i < real.count; i++)
        if (strcmp(real.names[i], of_model.names[i]) != 0)
            differ(real.names[i], 1, 0);
    names_free(&real);
    names_free(&of_model);
}

/* ---- calls ---- */

static void close_file(size_t i) {
    if (files[i].real < 0)
        return;
    note("close %zu", i);
    long real = disk_real.close(files[i].real);
    int error_number = errno;
    (void)same_result("close", real, error_number, model->close(files[i].model));
    files[i].real = files[i].model = -1;
}

static void try_open(size_t i) {
    char path[1024];
    int flags = some_flags();
    mode_t mode = some_mode();
    close_file(i);
    note("open %zu %s %#o %#o", i, some_path(path), (unsigned)flags, mode);
    files[i].real = disk_real.open(path, flags, mode);
    int error_number = errno;
    files[i].model = model->open(path, flags, mode);
    (void)same_result("open", files[i].real < 0 ? -1 : 0, error_number,
                      files[i].model < 0 ? -1 : 0);
}

static void try_read(size_t i) {
    unsigned char real[BYTES_MAX], of_model[BYTES_MAX];
    size_t size = below(BYTES_MAX);
    off_t at = below(20) == 0 ? -1 : (off_t)below(BYTES_MAX);
    note("read %zu %zu at %ld", i, size, (long)at);
    long result = disk_real.read_at(files[i].real, real, size, at);
    int error_number = errno;
    (void)same_result("read", result, error_number,
                      model->read_at(files[i].model, of_model, size, at));
    if (result > 0 && memcmp(real, of_model, (size_t)result) != 0)
        differ("bytes", 0, 1);
}

static void try_write(size_t i) {
    unsigned char bytes[BYTES_MAX];
    size_t size = some_bytes(bytes);
    note("write %zu %zu", i, size);
    long result = disk_real.write(files[i].real, bytes, size);
    int error_number = errno;
    (void)same_result("write", result, error_number, model->write(files[i].model, bytes, size));
}

static void try_truncate(size_t i) {
    off_t size = below(20) == 0 ? -1 : (off_t)below(BYTES_MAX);
    note("truncate %zu %ld", i, (long)size);
    long result = disk_real.truncate(files[i].real, size);
    int error_number = errno;
    (void)same_result("truncate", result, error_number, model->truncate(files[i].model, size));
}

static void try_lock(size_t i) {
    bool shared = below(2) == 0;
    note("lock %zu %s", i, shared ? "shared" : "exclusive");
    long result = disk_real.lock(files[i].real, shared);
    int error_number = errno;
    (void)same_result("lock", result, error_number, model->lock(files[i].model, shared));
}

static void try_fstat(size_t i) {
    struct stat real, of_model;
    note("fstat %zu", i);
    long result = disk_real.fstat(files[i].real, &real);
    int error_number = errno;
    if (same_result("fstat", result, error_number, model->fstat(files[i].model, &of_model)) == 0)
        same_status(&real, &of_model);
}

static void try_fsync(size_t i) {
    note("fsync %zu", i);
    long result = disk_real.fsync(files[i].real);
    int error_number = errno;
    (void)same_result("fsync", result, error_number, model->fsync(files[i].model));
}

static void try_file(void) {
    static void (*const tries[])(size_t i) = {try_open,  try_open, try_open,     try_read,
                                              try_write, try_lock, try_truncate, try_fstat,
                                              try_write, try_fsync};
    size_t i = below(FILES);
    size_t which = below(sizeof tries / sizeof tries[0]);
    if (files[i].real < 0 && below(20) != 0) // -1 is a bad descriptor for both
        which = 0;
    tries[which](i);
}

static void try_two_names(void) {
    char from[1024], to[1024];
    some_path(from);
    some_path(to);
    if (below(20) == 0)
        (void)snprintf(to, sizeof to, "%s", from);
    switch (below(5)) {
    case 0:
        note("link %s %s", from, to);
        (void)BOTH("link", link(from, to));
        return;
    case 1:
        note("exchange %s %s", from, to);
        (void)BOTH("exchange", exchange(from, to));
        return;
    case 2:
        note("rename_new %s %s", from, to);
        (void)BOTH("rename_new", rename_new(from, to));
        return;
    default:
        note("rename %s %s", from, to);
        (void)BOTH("rename", rename(from, to));
        return;
    }
}

static void try_name(void) {
    char path[1024];
    some_path(path);
    mode_t mode = some_mode() | 0300;
    switch (below(5)) {
    case 0:
        note("unlink %s", path);
        (void)BOTH("unlink", unlink(path));
        return;
    case 1:
        note("rmdir %s", path);
        (void)BOTH("rmdir", rmdir(path));
        return;
    default:
        note("mkdir %s %#o", path, mode);
        (void)BOTH("mkdir", mkdir(path, mode));
        return;
    }
}

static void try_access(void) {
    char path[1024];
    some_path(path);
    mode_t mode = some_mode();
    uid_t owner = below(2) == 0 ? (uid_t)-1 : below(2) == 0 ? OTHER_USER : geteuid();
    gid_t group = below(2) == 0 ? (gid_t)-1 : below(2) == 0 ? OTHER_USER : getegid();
    int what = (int)below(8);
    switch (below(3)) {
    case 0:
        note("chmod %s %#o", path, mode);
        (void)BOTH("chmod", chmod(path, mode));
        return;
    case 1:
        note("chown %s %d %d", path, (int)owner, (int)group);
        (void)BOTH("chown", chown(path, owner, group));
        return;
    default:
        note("access %s %d", path, what);
        (void)BOTH("access", access(path, what));
        return;
    }
}

static void try_attribute(void) {
    static const char *const names[] = {"user.a", "user.b", "user.a", "odd", ""};
    static const int flags[] = {0, 0, 1, 2, 3, 4};
    char path[1024];
    unsigned char real[64] = {0}, of_model[64] = {0};
    const char *name = names[below(5)];
    size_t size = below(5) == 0 ? 0 : below(sizeof real);
    int flag = flags[below(6)];
    some_path(path);
    if (below(2) == 0) {
        note("setxattr %s %s %zu %d", path, name, size, flag);
        (void)BOTH("setxattr", setxattr(path, name, real, size, flag));
        return;
    }
    note("getxattr %s %s %zu", path, name, size);
    long result = disk_real.getxattr(path, name, real, size);
    int error_number = errno;
    (void)same_result("getxattr", result, error_number,
                      model->getxattr(path, name, of_model, size));
    if (result > 0 && size > 0 && memcmp(real, of_model, (size_t)result) != 0)
        differ("attribute", 0, 1);
}

static void try_look(void) {
    char path[1024];
    struct stat real, of_model;
    struct statx real_x, model_x;
    struct statfs system;
    some_path(path);
    if (below(4) == 0) {
        compare_lists(path, below(4) == 0);
        return;
    }
    note("stat %s", path);
    long result = disk_real.stat(path, &real);
    int error_number = errno;
    if (same_result("stat", result, error_number, model->stat(path, &of_model)) == 0)
        same_status(&real, &of_model);
    note("statfs %s", path);
    (void)BOTH("statfs", statfs(path, &system));
    note("statx %s", path);
    result = disk_real.statx(path, &real_x);
    error_number = errno;
    if (same_result("statx", result, error_number, model->statx(path, &model_x)) == 0)
        assert_int_equal(real_x.stx_mode & S_IFMT, model_x.stx_mode & S_IFMT);
}

/* Root may all; another user what the modes say. */
static void change_user(void) {
    if (getuid() != 0)
        return;
    uid_t user = geteuid() == 0 ? OTHER_USER : 0;
    note("user %d\n", (int)user);
    check(seteuid(0) == 0 && setegid(user) == 0 && seteuid(user) == 0);
    model_disk_set_user(user, user);
}

static void try_one(void) {
    size_t which = below(100);
    if (which < 45)
        try_file();
    else if (which < 60)
        try_two_names();
    else if (which < 77)
        try_name();
    else if (which < 83)
        try_access();
    else if (which < 87 && has_attributes)
        try_attribute();
    else if (which < 98)
        try_look();
    else
        change_user();
}

/* ---- a run ---- */

static int make_removable(const char *path, const struct stat *status, int type, struct FTW *at) {
    (void)at;
    if (!S_ISDIR(status->st_mode) || chmod(path, 0700) != 0 || type != FTW_DNR)
        return 0;
    return nftw(path, make_removable, 16, FTW_PHYS);
}

static int remove_path(const char *path, const struct stat *status, int type, struct FTW *at) {
    (void)status, (void)type, (void)at;
    return remove(path);
}

static void begin(const char *directory, uint64_t seed) {
    if (disk != &disk_real)
        model_disk_end(); // of a test that has failed
    (void)snprintf(root, sizeof root, "%s/model-XXXXXX", directory);
    check(mkdtemp(root) != NULL && chmod(root, 0777) == 0);
    history_size = 0;
    history[0] = '\0';
    chance = random_fork(seed, 1);
    model_disk_begin(random_fork(seed, 2), NULL);
    model = disk;
    for (char *slash = strchr(root + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)model->mkdir(root, 0755);
        *slash = '/';
    }
    check(model->mkdir(root, 0755) == 0 && model->chmod(root, 0777) == 0);
    static const char *const first[] = {"a", "b", "c", "a/a", "a/d", "b/a", "b/e"};
    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s/%s", root, first[i]);
        check(disk_real.mkdir(path, 0777) == 0 && model->mkdir(path, 0777) == 0);
    }
    for (size_t i = 0; i < FILES; i++)
        files[i].real = files[i].model = -1;
}

static void end(void) {
    for (size_t i = 0; i < FILES; i++)
        close_file(i);
    if (geteuid() != getuid())
        change_user();
    model_disk_end();
    (void)nftw(root, make_removable, 16, FTW_PHYS);
    (void)nftw(root, remove_path, 16, FTW_DEPTH | FTW_PHYS);
}

static void compare_contents(const char *path) {
    static unsigned char real[8 * BYTES_MAX];
    size_t size;
    const void *of_model = model_disk_bytes(path, &size);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == EACCES && getuid() != 0)
        return; // whether it may be read was compared by other calls
    ssize_t real_size = read(fd, real, sizeof real);
    (void)close(fd);
    if (real_size != (ssize_t)size || memcmp(real, of_model, size) != 0)
        differ(path, real_size, (long)size);
}

static int compare_path(const char *path, const struct stat *status, int type, struct FTW *at) {
    struct stat of_model;
    (void)at;
    note("at the end: %s\n", path);
    bool is_there = model->stat(path, &of_model) == 0;
    if (is_there != (type != FTW_NS)) // its directory may be listed, but not entered
        differ("name", type, is_there);
    if (!is_there)
        return 0;
    same_status(status, &of_model);
    if (S_ISREG(status->st_mode))
        compare_contents(path);
    else
        compare_lists(path, false);
    return 0;
}

/* All files and directories at the end. */
static void compare_trees(void) {
    if (geteuid() != getuid())
        change_user();
    (void)nftw(root, compare_path, 16, FTW_PHYS);
}

static void compare(const char *directory, uint64_t last) {
    for (uint64_t seed = 1; seed <= last; seed++) {
        begin(directory, seed);
        has_attributes = setxattr(root, "user.test", "", 0, 0) == 0;
        note("seed %llu\n", (unsigned long long)seed);
        for (int i = 0; i < CALLS; i++)
            try_one();
        for (size_t i = 0; i < FILES; i++)
            if (files[i].real >= 0)
                try_fstat(i);
        compare_trees();
        end();
    }
}

static void test_random_calls_do_what_they_do_on_tmpfs(void **state) {
    (void)state;
    compare("/dev/shm", seeds);
}

static void test_random_calls_do_what_they_do_on_a_disk(void **state) {
    (void)state;
    const char *directory = getenv("TMPDIR");
    compare(directory != NULL ? directory : "/tmp", seeds / 2);
}

static void test_paths_of_all_lengths_are_refused_or_taken_alike(void **state) {
    (void)state;
    char path[5000], name[300];
    begin("/dev/shm", 1);
    for (size_t size = 4000; size < 4200; size += size < 4080 ? 10U : 1U) {
        memset(path, '/', sizeof path);
        memcpy(path, root, strlen(root));
        path[size] = '\0';
        note("access of %zu bytes", size);
        (void)BOTH("access", access(path, 0));
    }
    for (int size = 250; size < 260; size++) {
        (void)snprintf(name, sizeof name, "%0*d", size, 0);
        (void)snprintf(path, sizeof path, "%s/%s", root, name);
        note("mkdir of %d bytes", size);
        (void)BOTH("mkdir", mkdir(path, 0755));
    }
    note("empty");
    (void)BOTH("mkdir", mkdir("", 0755));
    end();
}

/* test_model_calls [SEEDS] */
int main(int count, char **arguments) {
    if (count > 1)
        seeds = strtoull(arguments[1], NULL, 10);
    umask(022);
    check(getuid() != 0 || setgroups(0, NULL) == 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_calls_do_what_they_do_on_tmpfs),
        cmocka_unit_test(test_random_calls_do_what_they_do_on_a_disk),
        cmocka_unit_test(test_paths_of_all_lengths_are_refused_or_taken_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
