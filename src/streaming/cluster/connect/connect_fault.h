/* connect_fault.h: why a call failed: what kind of failure it is, and what Spark says of it, in one
 * line: no stack traces, no Java but the names of exceptions. */
#ifndef STREAMING_CLUSTER_CONNECT_CONNECT_FAULT_H
#define STREAMING_CLUSTER_CONNECT_CONNECT_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum connect_failure {
    CONNECT_NO_FAILURE,
    CONNECT_UNREACHABLE,  // nothing listens, or no answer for timeout_ms
    CONNECT_REFUSED,      // the token, the user or the certificate is not accepted
    CONNECT_SESSION_GONE, // the server does not know the session (any more)
    CONNECT_SPARK,        // Spark answered with an error
};

enum { CONNECT_ERROR_CLASS_MAX = 96, CONNECT_FAULT_ID_MAX = 64, CONNECT_FAULT_TEXT_MAX = 512 };

struct connect_fault {
    char error_class[CONNECT_ERROR_CLASS_MAX]; // ""; Spark has none for it
    char error_id[CONNECT_FAULT_ID_MAX];       // by which more can be asked; "": nothing more
    char message[CONNECT_FAULT_TEXT_MAX];      // the first line
    char cause[CONNECT_FAULT_TEXT_MAX];        // of the deepest cause; "": none that says more
};

struct grpc_status;

/* From the status of a call that failed. */
struct connect_fault connect_fault_of_status(const struct grpc_status *status);

/* Adds what FetchErrorDetails has answered; what can't be read adds nothing. */
void connect_fault_add_details(struct connect_fault *fault, const uint8_t *bytes, size_t size);

/* From the end of a query: its message, class and Java's stack trace, each NULL if there is none.
 */
struct connect_fault connect_fault_of_query(const char *message, const char *error_class,
                                            const char *stack_trace);

/* "Spark: message (cause: …)" as the error that it is. */
void connect_fault_print(const struct connect_fault *fault, struct error *err);

#endif
