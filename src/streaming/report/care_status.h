/* care_status.h: what a query says of the care of its table: merged files, expired dates, what
 * waits. One thread writes it, any thread takes a copy. All times are wall clock. */
#ifndef STREAMING_REPORT_CARE_STATUS_H
#define STREAMING_REPORT_CARE_STATUS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "streaming/report/file_counts.h"

enum { CARE_WAITS_MAX = 256, CARE_ERROR_MAX = 512 };

/* Files and bytes that became fewer. */
struct care_gain {
    int64_t files_before, files_after, bytes_before, bytes_after, rows;
};

struct care_view {
    bool compacts, expires; // the settings ask for it

    int64_t compactions;   // since the start
    struct care_gain gain; // of all of them
    int64_t last_ms;       // when the newest was finished; 0: none since the start
    struct care_gain last; // and what it came to
    int64_t last_duration_ms;
    int64_t next_look_ms; // when files are looked at again; 0: not known, or never
    bool is_busy;         // it is being done now

    int64_t expiries, expired_files, expired_rows; // since the start
    int64_t last_expiry_ms;                        // 0: none
    char expiry_waits[CARE_WAITS_MAX]; // dates that are over, until the clock is believed; "": none

    int64_t looked_ms;          // when the files were counted; 0: not yet
    int64_t files, bytes;       // that may leave the table, then
    int64_t small_files;        // of these, those that a merge takes
    int64_t waiting_files;      // small ones that are not merged yet
    char waits[CARE_WAITS_MAX]; // the first few directories, and why; "": none

    char error[CARE_ERROR_MAX]; // why the newest attempt failed; "": it did not
    int64_t error_ms;
    int64_t errors;           // since the start
    int64_t failing_ms;       // since when every pass has failed; 0: the newest did not
    int64_t failing_attempts; // the number of these
    int64_t left_alone;       // files that cannot be merged, since the start
};

struct care_status {
    pthread_mutex_t lock; // guards all of it
    struct care_view view;
    struct file_counts table, rejects;
};

void care_status_init(struct care_status *status);
void care_status_deinit(struct care_status *status);

/* Any thread. */
struct care_view care_status_read(struct care_status *status);

/* Any thread. All files of the table, or of the rejects, as they were counted last. */
void care_status_read_files(struct care_status *status, bool of_rejects,
                            struct file_counts *counts);

/* The thread that takes care of the table. */
void care_status_set_on(struct care_status *status, bool compacts, bool expires);
void care_status_set_busy(struct care_status *status, bool is_busy);
void care_status_set_next(struct care_status *status, int64_t next_look_ms);
void care_status_set_looked(struct care_status *status, const struct care_view *counts);
void care_status_set_files(struct care_status *status, bool of_rejects,
                           const struct file_counts *counts);
void care_status_add_compaction(struct care_status *status, const struct care_gain *gain,
                                int64_t duration_ms);
void care_status_add_expiry(struct care_status *status, int64_t files, int64_t rows);
void care_status_set_expiry_waits(struct care_status *status, const char *partitions);
void care_status_set_error(struct care_status *status, const char *error); // "": none
/* A pass is over: it has failed, or not; and so many files cannot be merged. */
void care_status_set_passed(struct care_status *status, bool failed, size_t left_alone);

#endif
