/* http_get.h: one question to an HTTP server of ours, within a limit of time and size. */
#ifndef SURFACES_COMMANDS_HTTP_GET_H
#define SURFACES_COMMANDS_HTTP_GET_H

#include <stddef.h>

#include "base/error.h"

enum { HTTP_GET_MS = 5000, HTTP_GET_SIZE_MAX = 16 << 20 };

struct http_answer {
    long status;
    char *body; // owned; terminated
    size_t size;
};

/* `token`: sent as a bearer's; "" or NULL: none. No proxy is asked, no redirect followed.
 * ERROR_BROKER: nothing answers at the URL, or too late, or too much. */
MUST_CHECK bool http_get(const char *url, const char *token, struct http_answer *answer,
                         struct error *err);
void http_answer_deinit(struct http_answer *answer);

#endif
