/* checker_state.h: what the parts of the checker share; not for others. */
#ifndef SIMULATOR_CHECKER_STATE_H
#define SIMULATOR_CHECKER_STATE_H

#include "base/error.h"
#include "checker.h"
#include "model_broker.h"

/* Adds a finding. */
void checker_find(struct checker_report *report, const char *format, ...) PRINTF_LIKE(2, 3);

const struct checker_lake *checker_lake(void);

/* ---- the history ---- */

/* Takes the broker's history as it is now. */
void past_take(void);
size_t past_count(void);
const struct model_record *past_at(size_t index);
enum { PAST_NONE = -1 };
int64_t past_find(struct content_place place); // an index
/* The indexes of an offset in all incarnations, from the first; PAST_NONE: no more. */
int64_t past_next(int32_t partition, int64_t offset, int *incarnation);
void past_end(void);

/* ---- files ---- */

/* A row, or a reject. */
struct placed {
    struct content_place place;
    int64_t processed_ms;
};

struct data_rows {
    struct placed *rows; // owned, as `fault`
    size_t count;
    char *fault; // what is wrong with the file, or a row of it; NULL: nothing
};

/* What a file of the table or the rejects holds. NULL: there is no such file. */
const struct data_rows *files_read(const char *path, bool of_rejects, size_t *size);
void files_end(void);

uint64_t bytes_hash(const void *bytes, size_t size);

/* ---- logs and checkpoint ---- */

struct listed_file {
    char *path; // owned; absolute
    int64_t size;
};

struct listing {
    struct listed_file *files; // owned
    size_t count, capacity;
    int64_t newest; // of the sink log: its newest batch; -1: it is empty
};

void listing_deinit(struct listing *listing);
void listing_add(struct listing *listing, const char *path, int64_t size);

/* The files that a reader of the sink log sees. */
void sink_log_list(struct listing *listing, struct checker_report *report);
/* The files that a reader of directories sees below `directory`. */
void directory_list(const char *directory, struct listing *listing);

/* Offsets [start, end) of a partition. */
struct span {
    int32_t partition;
    int64_t start, end;
};

struct spans {
    struct span *spans; // owned
    size_t count, capacity;
};

void spans_add(struct spans *spans, int32_t partition, int64_t start, int64_t end);
bool spans_have(const struct spans *spans, int32_t partition, int64_t offset);
void spans_deinit(struct spans *spans);

struct plan_seen {
    int64_t batch, timestamp_ms;
    int64_t ends[MODEL_PARTITIONS_MAX]; // -1: not in it
};

/* The plans in offsets/, ascending; and where batch 0 begins. Valid until the next call. */
size_t plans_read(const struct plan_seen **read, struct checker_report *report);
void starts_read(int64_t starts[MODEL_PARTITIONS_MAX], struct checker_report *report);

/* What the checkpoint counts. */
struct account {
    struct spans lost, replayed, expired, accepted;
};
void account_read(struct account *account, struct checker_report *report);
void account_deinit(struct account *account);

/* That no manifest went before the coverage that counts it was there. To be called with each view.
 */
void manifests_check(struct checker_report *report);

void logs_end(void);

/* Whether a change that is not carried out yet brings this file. */
bool changes_bring(const char *path, struct checker_report *report);

/* Whether a rewind has begun and not ended: the log is being shortened. */
bool rewind_runs(void);

#endif
