/* crew.h: the interface to the workers, which run the tasks of a query's batches. A test or a
 * simulator can replace the workers' threads here. Driver thread. */
#ifndef STREAMING_TASKS_CREW_H
#define STREAMING_TASKS_CREW_H

#include "streaming/tasks/task.h"

struct crew_ops;

struct crew {
    const struct crew_ops *ops; // first member of every implementation's own struct
    size_t size;                // how many tasks can be done at once
};

struct crew_ops {
    /* Hands the task over; it belongs to the crew until receive() gives it back, which always
     * happens: soon, once *task->abandon is true. */
    void (*send)(struct crew *crew, struct task *task);
    /* A task that is answered; NULL: none came back within `timeout_ms`. */
    struct task *(*receive)(struct crew *crew, int64_t timeout_ms);
    /* Grows while the worker that has the task makes progress, even with an earlier task. */
    int64_t (*signs)(struct crew *crew, const struct task *task);
    /* What the worker that has the task waits for. False: nothing is known. */
    bool (*waits_for)(struct crew *crew, const struct task *task, struct error *cause);
};

#endif
