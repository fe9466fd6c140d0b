#include "base/limit.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/control_group.h"

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
static void append_limit(char text[static LIMIT_TEXT_MAX], int resource, const char *name,
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
           text[0] == '\0' ? "the machine has no room for another thread "
                             "(kernel.threads-max, kernel.pid_max, memory)"
                           : ": raise the one that is reached");
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
               text[0] == '\0' ? "the machine's memory is used up (see free, and "
                                 "vm.overcommit_memory)"
                               : ": raise it, or lower SPARK_DRIVER_MEMORY");
        break;
    case EMFILE:
        append_limit(text, RLIMIT_NOFILE, "RLIMIT_NOFILE (ulimit -n, LimitNOFILE=)", 0,
                     "open files: raise it");
        break;
    case ENFILE:
        append(text, "all processes together have fs.file-max files open: raise it");
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
