/* confine.h: the process gives up rights that it does not need any more; nothing gives them back.
 * For main, before its first thread: what is given up is given up for the calling thread and all
 * that it starts. */
#ifndef BASE_SYSTEM_CONFINE_H
#define BASE_SYSTEM_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* A file, or a directory with all that is below it. A symbolic link stands for what it leads to
 * now. */
struct confine_place {
    const char *path; // absolute; one that does not exist is left out
    bool is_writable; // else it can only be read
};

struct confine_limits {
    const struct confine_place *places; // nothing else can be opened
    size_t place_count;
    bool any_port; // else TCP ports can be listened on only from `first_port` to `last_port`
    int first_port, last_port;
};

/* Which files can be opened, and which ports listened on (Landlock). No file can be executed. What
 * is open stays open. *version is that of the kernel's interface. ERROR_CONFIG: the kernel can't,
 * which changes nothing. */
MUST_CHECK bool confine_files(const struct confine_limits *limits, int *version, struct error *err);

enum { CONFINE_PORTS_SINCE = 4 }; // the version that limits ports

/* Which system calls can be made (seccomp): those that confine_calls.c lists. All others fail, with
 * EPERM. ERROR_CONFIG as above. */
MUST_CHECK bool confine_calls(struct error *err);

/* No core dump, and no other process of the same user can read our memory or environment. */
MUST_CHECK bool confine_memory(struct error *err);

#endif
