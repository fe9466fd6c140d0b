/* spark_process.h: a child process whose output we read, and which never outlives us: if this
 * process dies, or the thread that has started it, the kernel kills it. It has a process group of
 * its own, so that Ctrl-C at the terminal is ours to answer, and so that what it has started can be
 * ended with it. */
#ifndef STREAMING_CLUSTER_SPARK_SPARK_PROCESS_H
#define STREAMING_CLUSTER_SPARK_SPARK_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct spark_process {
    pid_t pid;
    int output; // its stdout and stderr, to be read; does not block
    bool ended; // and reaped
    int status; // as waitpid() has it, once it has ended
};

/* `arguments[0]` is the program's path; both lists are ended by NULL. The child has no input, no
 * other descriptor of ours, and the signals as a new process has them. ERROR_CLUSTER. */
MUST_CHECK bool spark_process_start(struct spark_process *process, char *const *arguments,
                                    char *const *environment, struct error *err);

/* Whether it has ended. What it leaves of its group is killed then. */
bool spark_process_look(struct spark_process *process);

/* Asks it to end, and kills it and its group if it has not within `grace_ms`. */
void spark_process_end(struct spark_process *process, int64_t grace_ms);

/* Closes its output. */
void spark_process_deinit(struct spark_process *process);

/* "ended with exit code 1", "was killed by signal 9 (KILL)…". */
enum { SPARK_STATUS_MAX = 128 };
void spark_process_describe(int status, char text[static SPARK_STATUS_MAX]);

#endif
