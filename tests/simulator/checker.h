/* checker.h: whether the lake is what the model broker's history says that it must be.
 *
 * It reads the lake through model_disk_bytes() and model_disk_walk(), and shares no code with what
 * writes it, except the reader of Parquet files, which is proven against other readers. What each
 * record must become it knows from content.h.
 *
 *     at any moment     A reader of the sink log, as Spark is, sees whole batches: each listed file
 * is there, complete and right, no row twice, and of each batch all rows. A reader that lists
 * directories sees no file that is not complete, and no row twice. Rejects are there once at most,
 * with their bytes. No manifest went before the coverage that counts its batch.
 *
 *     at the end        Each record that a reader could have had is in the table or
 * the rejects exactly once. What is missing is what the rules allow, and no more.
 *
 * Two moments that the documentation excepts (docs/internals/lake-care.md): while a change is
 * recorded and not carried out yet, the sink log names files that are not in their directories yet;
 * and while a rewind shortens the log, an older compact file names files that a compaction took.
 *
 * One thread. What was found out of a file is kept until checker_end(), by its bytes, so that each
 * is read once in a life. */
#ifndef SIMULATOR_CHECKER_H
#define SIMULATOR_CHECKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "streaming/verify/report.h"

enum { CHECKER_PARTITION_COLUMNS_MAX = 4 };

struct checker_lake {
    const char *table, *rejects, *checkpoint; // absolute; borrowed until checker_end()
    /* The directories of the table: of `status` and `ingest_date` (in UTC) the values are checked.
     */
    const char *partition_by[CHECKER_PARTITION_COLUMNS_MAX];
    size_t partition_by_count;
    bool has_no_sink_log;
    bool is_permissive; // PARSE_MODE=permissive in some run or replay of the life: what can't be
                        // read may be a row
    bool has_no_ids;    // the cluster's topics have none: that one was replaced may go unnoticed
    int64_t expires_before_ms; // the dates before may have expired; INT64_MIN: none
};

/* Why a readable record is in neither table nor rejects. */
enum checker_reason {
    CHECKER_COMPACTED,    // by Kafka
    CHECKER_LOST,         // deleted before it was read, and counted as lost
    CHECKER_DELETED,      // with its topic, or cut off its log, before it was read
    CHECKER_BEFORE_START, // the query began behind it
    CHECKER_EXPIRED,
    CHECKER_ACCEPTED,  // its file was gone, and an operator accepted that
    CHECKER_GIVEN_UP,  // Kafka has it, but its range was planned, could not be read to its end
                       // because the log was cut, and was counted as lost
    CHECKER_REGROWN,   // its offset was taken before its log was cut
    CHECKER_UNNOTICED, // its offset was taken of a topic of the same name, and there are no ids
    CHECKER_REASONS
};

enum { CHECKER_TEXT_SIZE = 8192 };

struct checker_report {
    size_t findings;
    char text[CHECKER_TEXT_SIZE];    // the first findings, one a line; terminated
    int64_t rows, rejects, replayed; // at the end
    int64_t missing[CHECKER_REASONS];
};

void checker_begin(const struct checker_lake *of);
void checker_end(void);

/* Adds to *report, which the caller has zeroed. False: something is wrong. */
bool checker_look(struct checker_report *report);  // at any moment
bool checker_judge(struct checker_report *report); // at the end, when all was taken

/* Runs `verify`: that it cannot run, that it finds a fault though it must be clean, or finds none
 * though it must not, is a finding. *report is that of checker_judge(): where it has records of
 * which nobody could notice that they were not read, `verify` may find them. */
bool checker_verify(const struct verify_options *options, bool must_be_clean,
                    struct checker_report *report);

const char *checker_reason_name(enum checker_reason reason);
long checker_count(enum checker_reason reason); // over all lives

#endif
