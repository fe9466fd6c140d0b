/* limit.c: where the limits of our control groups stand, and what an errno says of a limit.
 *
 * /proc/self/cgroup has a line for each hierarchy we are in: one for version 2, and one for each
 * set of controllers of version 1; both may be in use at once. A limit holds for a group and for
 * all below it, so the least of our group's and its parents' is the one that counts.
 *
 * What must stay true: nothing here allocates with a check, because the end of a process without
 * memory comes through here. */
#include "base/limit.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

bool control_group_read(const char *directory, const char *name, char *line, int size) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    bool ok = fgets(line, size, file) != NULL;
    (void)fclose(file); // read only
    return ok;
}

struct walk {
    const char *root;
    void (*visit)(void *context, const char *directory, bool version_2);
    void *context;
};

/* The group and its parents up to the root. */
static void climb(const struct walk *walk, const char *hierarchy, char *group, bool version_2) {
    for (;;) {
        char directory[PATH_MAX];
        snprintf(directory, sizeof directory, "%s%s", hierarchy, group);
        walk->visit(walk->context, directory, version_2);
        char *slash = strrchr(group, '/');
        if (slash == NULL)
            return;
        *slash = '\0';
    }
}

static bool has_controller(const char *controllers, const char *name) {
    size_t size = strlen(name);
    for (const char *at = strstr(controllers, name); at != NULL; at = strstr(at + 1, name))
        if ((at == controllers || at[-1] == ',') && (at[size] == ',' || at[size] == '\0'))
            return true;
    return false;
}

void control_group_each(const char *membership, const char *root, const char *controller,
                        void (*visit)(void *context, const char *directory, bool version_2),
                        void *context) {
    const struct walk walk = {root, visit, context};
    char line[PATH_MAX];
    FILE *file = fopen(membership, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        // "0::/path" (v2) or "4:cpu,cpuacct:/path" (v1)
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':');
        char *group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
        if (group == NULL)
            continue;
        *group++ = '\0';
        controllers++;
        if (strcmp(group, "/") == 0)
            group[0] = '\0';
        char hierarchy[PATH_MAX];
        if (*controllers == '\0') {
            climb(&walk, root, group, true);
        } else if (has_controller(controllers, controller)) {
            snprintf(hierarchy, sizeof hierarchy, "%s/%s", root, controllers);
            climb(&walk, hierarchy, group, false);
        }
    }
    if (file != NULL)
        (void)fclose(file); // read only
}

static void take_memory_limit(void *context, const char *directory, bool version_2) {
    int64_t *limit = context;
    char line[64], *end;
    const char *name = version_2 ? "memory.max" : "memory.limit_in_bytes";
    if (!control_group_read(directory, name, line, sizeof line))
        return;
    long long bytes = strtoll(line, &end, 10); // "max": no limit
    if (end != line && bytes > 0 && bytes < *limit)
        *limit = bytes;
}

int64_t control_group_memory(const char *membership, const char *root) {
    int64_t limit = INT64_MAX;
    control_group_each(membership, root, "memory", take_memory_limit, &limit);
    return limit >= INT64_MAX / 2 ? INT64_MAX : limit; // version 1 says "none" by a huge number
}

/* Not text_append(), which checks: a check that fails ends here. */
static void append(char text[static LIMIT_TEXT_MAX], const char *format, ...) PRINTF_LIKE(2, 3);

static void append(char text[static LIMIT_TEXT_MAX], const char *format, ...) {
    size_t used = strlen(text);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text + used, LIMIT_TEXT_MAX - used, format, args);
    va_end(args);
}

/* One of the kernel's limits, if it is set. */
static void append_limit(char text[static LIMIT_TEXT_MAX], unsigned resource, const char *name,
                         unsigned shift, const char *unit) {
    struct rlimit limit;
    if (getrlimit(resource, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        append(text, "%s%s is %llu %s", text[0] == '\0' ? "" : ", ", name,
               (unsigned long long)limit.rlim_cur >> shift, unit);
}

static void append_address_space(char text[static LIMIT_TEXT_MAX]) {
    append_limit(text, RLIMIT_AS, "RLIMIT_AS (ulimit -v, LimitAS=)", 20, "MiB");
    append_limit(text, RLIMIT_DATA, "RLIMIT_DATA (ulimit -d, LimitDATA=)", 20, "MiB");
}

static void take_least_tasks(void *context, const char *directory, bool version_2) {
    long long *least = context;
    char line[64], *end;
    (void)version_2; // both have the file
    if (!control_group_read(directory, "pids.max", line, sizeof line))
        return;
    long long most = strtoll(line, &end, 10); // "max": no limit
    if (end != line && most < *least)
        *least = most;
}

static void describe_threads(char text[static LIMIT_TEXT_MAX]) {
    long long tasks = LLONG_MAX;
    append_limit(text, RLIMIT_NPROC, "RLIMIT_NPROC (ulimit -u, LimitNPROC=)", 0,
                 "threads of all processes of this user");
    control_group_each(CONTROL_GROUP_MEMBERSHIP, CONTROL_GROUP_ROOT, "pids", take_least_tasks,
                       &tasks);
    if (tasks != LLONG_MAX)
        append(text, "%spids.max of the control group (TasksMax=, --pids-limit) is %lld",
               text[0] == '\0' ? "" : ", ", tasks);
    append_address_space(text);
    append(text, "%s",
           text[0] == '\0' ? "the machine cannot start another thread (see kernel.threads-max, "
                             "kernel.pid_max and memory)"
                           : ": raise the limit that was reached");
}

void limit_describe(int error_number, char text[static LIMIT_TEXT_MAX]) {
    text[0] = '\0';
    switch (error_number) {
    case EAGAIN:
        describe_threads(text);
        break;
    case ENOMEM:
        append_address_space(text);
        append(text, "%s",
               text[0] == '\0' ? "the machine is out of memory (see free and vm.overcommit_memory)"
                               : ": raise it, or lower SPARK_DRIVER_MEMORY");
        break;
    case EMFILE:
        append_limit(text, RLIMIT_NOFILE, "RLIMIT_NOFILE (ulimit -n, LimitNOFILE=)", 0,
                     "open files: raise it");
        break;
    case ENFILE:
        append(text, "all processes together have reached the system limit of open files "
                     "(fs.file-max): raise it");
        break;
    case EFBIG:
        append_limit(text, RLIMIT_FSIZE, "RLIMIT_FSIZE (ulimit -f, LimitFSIZE=)", 0,
                     "bytes for a file: raise it");
        break;
    default:
        break;
    }
}

bool limit_is_behind(int error_number) {
    return error_number == EMFILE || error_number == ENFILE || error_number == ENOMEM;
}

bool limit_error(struct error *err, const char *what, int error_number) {
    char limit[LIMIT_TEXT_MAX];
    limit_describe(error_number, limit);
    return error_set(err, ERROR_LIMIT, "%s: %s%s%s", what, strerror(error_number),
                     limit[0] == '\0' ? "" : ": ", limit);
}

/* Without the allocator, which has nothing to give: stdio of stderr and snprintf need none. */
_Noreturn void limit_end_of_memory(const char *where) {
    char limit[LIMIT_TEXT_MAX];
    if (where == NULL)
        _exit(LIMIT_EXIT_STATUS);
    limit_describe(ENOMEM, limit);
    (void)fprintf(stderr,
                  "esports-stream: out of memory at %s: %s. Stopping with exit code %d; a restart "
                  "continues after the last committed batch\n",
                  where, limit, LIMIT_EXIT_STATUS);
    _exit(LIMIT_EXIT_STATUS);
}
