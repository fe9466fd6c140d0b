/* confine.c: Landlock, and core dumps. The constants and structures are those of linux/landlock.h,
 * whose older versions lack some.
 *
 * A ruleset first says what it handles: everything that the kernel's version can refuse. Of that,
 * only what a rule allows for a place is possible then. What a newer kernel could refuse in
 * addition is not handled, so that a new kernel changes nothing. Version 1 refuses every rename
 * from one directory to another, which is how our files are published: it is not used. */
#include "base/system/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/scope.h"

enum {
    LANDLOCK_CREATE = 444,   // landlock_create_ruleset(), the same on all architectures
    LANDLOCK_ADD = 445,      // landlock_add_rule()
    LANDLOCK_RESTRICT = 446, // landlock_restrict_self()
    ASK_VERSION = 1,
    RULE_PATH = 1,
    RULE_PORT = 2,
};

/* Rights on files, and the version that knows them first. */
enum {
    EXECUTE = 1 << 0,
    WRITE_FILE = 1 << 1,
    READ_FILE = 1 << 2,
    READ_DIRECTORY = 1 << 3,
    REMOVE_DIRECTORY = 1 << 4,
    REMOVE_FILE = 1 << 5,
    MAKE_DIRECTORY = 1 << 7,
    MAKE_FILE = 1 << 8,
    OF_VERSION_1 = (1 << 13) - 1, // with devices, sockets, FIFOs and symbolic links
    MOVE = 1 << 13,               // 2: rename and link from one directory to another
    TRUNCATE = 1 << 14,           // 3
    CONTROL_DEVICE = 1 << 15,     // 5: ioctl()

    READ = READ_FILE | READ_DIRECTORY,
    WRITE = READ | WRITE_FILE | REMOVE_DIRECTORY | REMOVE_FILE | MAKE_DIRECTORY | MAKE_FILE | MOVE |
            TRUNCATE,
    OF_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | CONTROL_DEVICE,
};

enum { BIND_TCP = 1 << 0, SIGNAL_OTHERS = 1 << 1, SIGNALS_SINCE = 6 };

struct ruleset {
    uint64_t files, ports, scopes;
};

struct path_rule {
    uint64_t allowed;
    int32_t fd;
} __attribute__((packed));

struct port_rule {
    uint64_t allowed, port;
};

static bool fail(struct error *err, const char *what) {
    return error_set(err, ERROR_CONFIG, "%s: %s", what, strerror(errno));
}

static bool ask_version(int *version, struct error *err) {
    *version = (int)syscall(LANDLOCK_CREATE, NULL, 0, ASK_VERSION);
    if (*version < 0 && errno == ENOSYS)
        return error_set(err, ERROR_CONFIG, "the kernel has no Landlock");
    if (*version < 0 && errno == EOPNOTSUPP)
        return error_set(err, ERROR_CONFIG, "Landlock is not among the kernel's lsm= modules");
    if (*version < 0)
        return fail(err, "Landlock cannot be used");
    return *version >= 2 || error_set(err, ERROR_CONFIG, "the kernel's Landlock is too old (1)");
}

static uint64_t handled_files(int version) {
    return (uint64_t)OF_VERSION_1 | MOVE | (version >= 3 ? TRUNCATE : 0) |
           (version >= 5 ? CONTROL_DEVICE : 0);
}

/* False: errno says why. */
static bool allow_place(int rules, const struct confine_place *place, uint64_t handled) {
    struct stat status;
    scoped(scope_close) int fd = open(place->path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return true; // then nobody can open it
    if (fstat(fd, &status) != 0)
        return false;
    uint64_t rights = (place->is_writable ? WRITE : READ) & handled;
    if (!S_ISDIR(status.st_mode))
        rights &= OF_A_FILE;
    struct path_rule rule = {.allowed = rights, .fd = fd};
    return syscall(LANDLOCK_ADD, rules, RULE_PATH, &rule, 0) == 0;
}

static bool allow_port(int rules, int port) {
    struct port_rule rule = {.allowed = BIND_TCP, .port = (uint64_t)port};
    return syscall(LANDLOCK_ADD, rules, RULE_PORT, &rule, 0) == 0;
}

bool confine_files(const struct confine_limits *limits, int *version, struct error *err) {
    if (!ask_version(version, err))
        return false;
    bool has_ports = *version >= CONFINE_PORTS_SINCE && !limits->any_port;
    struct ruleset set = {.files = handled_files(*version),
                          .ports = has_ports ? BIND_TCP : 0,
                          .scopes = *version >= SIGNALS_SINCE ? SIGNAL_OTHERS : 0};
    scoped(scope_close) int rules = (int)syscall(LANDLOCK_CREATE, &set, sizeof set, 0);
    bool ok = rules >= 0;
    for (size_t i = 0; i < limits->place_count && ok; i++)
        ok = allow_place(rules, &limits->places[i], set.files);
    for (int port = limits->first_port; has_ports && port <= limits->last_port && ok; port++)
        ok = allow_port(rules, port);
    return (ok && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
            syscall(LANDLOCK_RESTRICT, rules, 0) == 0) ||
           fail(err, "Landlock cannot be used");
}

bool confine_memory(struct error *err) {
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 || fail(err, "core dumps cannot be disabled");
}
