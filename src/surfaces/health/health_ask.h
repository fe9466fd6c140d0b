/* health_ask.h: asks a running process for the verdict on one of its queries, over its HTTP API. */
#ifndef SURFACES_HEALTH_HEALTH_ASK_H
#define SURFACES_HEALTH_HEALTH_ASK_H

#include "base/json.h"
#include "surfaces/health/health.h"

enum { HEALTH_ADDRESS_MAX = 128 };

/* The address in what a lock says of its holder, " http=http://127.0.0.1:4040"; "" if there is
 * none. */
void health_address(const char *holder, char address[static HEALTH_ADDRESS_MAX]);

struct health_answer {
    struct json *document;    // owned; /api/v1/queries; NULL: no answer
    const struct json *query; // in it; NULL: it does not have the query
    enum health_state state;  // what it says there; else unknown
    char *trouble;            // owned; why the query is not ready; NULL: it is
};

/* Waits some seconds at most. `token`: sent as a bearer's; "" or NULL: none. */
void health_ask(const char *address, const char *token, const char *query,
                struct health_answer *answer);
void health_answer_deinit(struct health_answer *answer);

#endif
