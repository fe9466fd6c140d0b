/* rewind_state.h: a rewind, as its parts know it. */
#ifndef STREAMING_OPERATIONS_REWIND_STATE_H
#define STREAMING_OPERATIONS_REWIND_STATE_H

#include <stdio.h>

#include "base/checksum.h"
#include "streaming/operations/rewind_target.h"
#include "streaming/sink_log/sink_log_file.h"
#include "streaming/store/store.h"
#include "streaming/table/path_list.h"

struct rewind {
    struct store *store; // recovered
    const struct rewind_request *request;
    struct history history;      // owned
    struct rewind_target target; // owned; the newest batch that stays
    int64_t to_batch;            // its number
    int64_t newest;              // committed batch before the rewind
    int64_t folded;              // the newest batch of coverage/
    int64_t since_ms;            // from when on rows are of the newest incarnation of the topic
    int32_t incarnation;         // its number
    bool dry_run;                // the decision is only counted
    int64_t table_files, reject_files;           // that are decided to be set aside
    struct path_list mixed_table, mixed_rejects; // owned; with rows from before and after the batch
    struct sink_log_writer intent;
    uint32_t checksum;     // of what is in it so far
    struct path_set kept;  // owned; what the log lists as of to_batch
    struct path_set newer; // owned; what the manifests of later batches list
    bool failed;           // *err says why
    struct error *err;
};

/* The last line of the file `rewind`: the checksum of what is before its newline. */
enum { REWIND_LAST_LINE_MAX = 48 };
static inline void rewind_last_line(uint32_t checksum, char line[static REWIND_LAST_LINE_MAX]) {
    (void)snprintf(line, REWIND_LAST_LINE_MAX, "{\"path\":\"\",\"" CHECKSUM_MEMBER "\":\"%08x\"}",
                   (unsigned)checksum);
}

#endif
