/* request.h: how a command asks the running query to compact or to expire, by two small files of
 * the checkpoint.
 *
 *     request   v1
 *               {"id":"<uuid>","kind":"compact","olderThanMs":0,"targetFileSize":134217728}
 *               {"id":"<uuid>","kind":"expire","before":20786}
 *     answer    v1
 *               {"id":"<uuid>","state":"working","lines":["…"]}
 *               {"id":"<uuid>","state":"done","lines":["…"]}
 *               {"id":"<uuid>","state":"failed","lines":["…"],"error":"…","kind":"ERROR_STATE"}
 *
 * The command publishes the request without replacing one, so there is one at a time, and removes
 * both files in the end. To remove the request is to cancel it. "before" is in days since 1970. */
#ifndef STREAMING_CARE_REQUEST_H
#define STREAMING_CARE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define CHECKPOINT_REQUEST "request"
#define CHECKPOINT_ANSWER "answer"

enum request_kind { REQUEST_COMPACT, REQUEST_EXPIRE };

struct care_request {
    char id[37];
    enum request_kind kind;
    int64_t older_than_ms, target_size; // of a compaction
    int32_t before;                     // of an expiry
};

/* Sets a new id, and publishes. ERROR_LOCKED: there is another request. */
MUST_CHECK bool request_write(const char *checkpoint, struct care_request *request,
                              struct error *err);

/* *found false: there is none. ERROR_STATE: damaged, or of another version. */
MUST_CHECK bool request_read(const char *checkpoint, struct care_request *request, bool *found,
                             struct error *err);

/* Whether there is a request, at the cost of one look. */
bool request_is_there(const char *checkpoint);

/* Removes it, no matter whether it can be read. For tidiness. */
void request_remove(const char *checkpoint);

enum answer_state { ANSWER_WORKING, ANSWER_DONE, ANSWER_FAILED };

struct care_answer {
    char id[37]; // of the request
    enum answer_state state;
    char **lines; // owned
    size_t line_count;
    struct error error; // ANSWER_FAILED
};

void answer_deinit(struct care_answer *answer);
void answer_add(struct care_answer *answer, const char *line);
MUST_CHECK bool answer_write(const char *checkpoint, const struct care_answer *answer,
                             struct error *err);

/* *found false: there is none, or one to another request. */
MUST_CHECK bool answer_read(const char *checkpoint, const char *id, struct care_answer *answer,
                            bool *found, struct error *err);
void answer_remove(const char *checkpoint);

#endif
