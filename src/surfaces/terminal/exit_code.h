/* exit_code.h: how the program ends, from one table that --help and docs/configuration.md print. */
#ifndef SURFACES_TERMINAL_EXIT_CODE_H
#define SURFACES_TERMINAL_EXIT_CODE_H

#include <stddef.h>

#include "base/error.h"
#include "base/limit.h"

enum exit_code {
    EXIT_CODE_OK = 0,
    EXIT_CODE_UNEXPECTED = 1,
    EXIT_CODE_USAGE = 2,
    EXIT_CODE_LOCKED = 3,
    EXIT_CODE_KAFKA = 4,
    EXIT_CODE_STATE = 5,
    EXIT_CODE_DATA_LOSS = 6,
    EXIT_CODE_WRITE = 7,
    EXIT_CODE_RECORD = 8,
    EXIT_CODE_CLUSTER = 9,
    EXIT_CODE_NOT_RUNNING = 10, // of `status`, as the next
    EXIT_CODE_NOT_READY = 11,
    EXIT_CODE_LIMIT = LIMIT_EXIT_STATUS,
    EXIT_CODE_DEGRADED = 13, // of `status`
    EXIT_CODE_SIGNAL = 128,  // + the number of the signal
};

struct exit_code_entry {
    enum exit_code code;
    const char *name;    // what happened
    const char *meaning; // one sentence
    const char *cure;    // what to do about it
};

/* Ascending by code. */
extern const struct exit_code_entry exit_codes[];
extern const size_t exit_code_count;

/* The code with which a program ends that an error of this kind ended. */
enum exit_code exit_code_of(enum error_kind kind);

#endif
