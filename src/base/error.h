/* error.h: the one error type of the program.
 *
 * A function that can fail returns bool (true: done) and takes `struct error *err` last. It fills
 * *err once, at the place that knows most; callers on the way up may add context with error_wrap().
 * Only the streaming floor and main log an error or decide what happens next, so every failure is
 * reported exactly once.
 *
 * Kinds name what the caller will DO, not where the fault came from: each has its own policy and,
 * when it ends the program, its own exit code (surfaces/terminal/exit_code.h). Out of memory and
 * broken invariants are not errors: see base/check.h. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>

enum error_kind {
    ERROR_NONE,
    ERROR_RETRY,     // transient (disk full, I/O): discard and try again with back-off
    ERROR_BROKER,    // Kafka is away or the topic is not there: wait, or stop at start-up's limit
    ERROR_NO_TOPIC,  // Kafka says that there is no such topic: likewise, and remember that
    ERROR_CONFIG,    // the operator must change a setting or an option
    ERROR_LOCKED,    // another process owns this checkpoint
    ERROR_STATE,     // the disk contradicts what we wrote: stop, and touch nothing
    ERROR_RESTART,   // nobody knows what is durable: stop; the next start looks at the disk
    ERROR_DATA_LOSS, // offsets that the plan needs are gone from the broker
    ERROR_DAMAGED,   // Kafka's bytes can't be read: fetch them again a few times, then stop
    ERROR_RECORD,    // PARSE_MODE=failfast met a record that can't become a row
    ERROR_LIMIT,   // the machine gives no thread, process, descriptor or memory: a restart may help
    ERROR_CLUSTER, // Spark could not be started or reached, or gave up: stop, a restart resumes
    ERROR_STOPPED, // somebody asked us to stop before this was done
};

struct error {
    enum error_kind kind;
    bool lasting;       // of ERROR_RETRY: waiting alone does not help (base/disk/disk_error.h)
    char message[1024]; // always terminated; a longer text is cut; one line that may be shown
};

#define PRINTF_LIKE(format_at, args_at) __attribute__((format(printf, format_at, args_at)))
#define MUST_CHECK __attribute__((warn_unused_result)) // in front of every function that can fail

/* Both return false, so that an error path is one line: return error_set(err, ...); */
bool error_set(struct error *err, enum error_kind kind, const char *format, ...) PRINTF_LIKE(3, 4);

/* Puts "context: " in front of the message already there; the kind stays. */
bool error_wrap(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
