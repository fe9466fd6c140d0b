/* care_work.h: what compaction and expiry have in common: the table, who does the work, and what is
 * said of it. */
#ifndef STREAMING_CARE_CARE_WORK_H
#define STREAMING_CARE_CARE_WORK_H

#include "base/error.h"
#include "pipeline/merge/merge.h"
#include "streaming/care/care_files.h"
#include "streaming/changes/change.h"
#include "streaming/query/query_definition.h"
#include "streaming/report/care_status.h"
#include "streaming/store/store.h"
#include "streaming/table/path_list.h"

/* The table of a query, or its rejects. All is borrowed. */
struct care_table {
    const struct store *store; // only read
    const struct query_definition *definition;
    bool of_rejects;
    const char *root;
    const struct schema *schema;
    size_t partition_column_count;
    int date_level; // of the directories: the first partition column of type DATE; -1: there is
                    // none
    struct zone zone;
    const char *positions[MERGE_POSITIONS_MAX];
    size_t position_count;
};

void care_table_init(struct care_table *table, const struct query_definition *definition,
                     const struct store *store, bool of_rejects);

/* The level of the first DATE among the partition columns; -1: there is none. */
int care_date_level(const struct query_definition *definition);

/* One change that is finished. */
struct care_report {
    const struct care_table *table;
    enum change_kind kind;
    struct care_gain gain;
    int64_t duration_ms;
    bool recorded;         // also of one that failed: it will be finished
    char directories[256]; // "day=2026-11-28/status=live and 3 more"
};

/* Who does the work. */
struct care_host {
    bool (*breathe)(void *context); // as merge_options.breathe
    void *breathe_context;
    /* change_publish() and, if need be, change_finish(), by the thread that may. */
    bool (*publish)(void *context, const struct change *change, bool *recorded, struct error *err);
    void (*finished)(void *context, const struct care_report *report);
    void (*say)(void *context, const char *line); // what would be done, and what waits
    void (*warn)(void *context, const char *what, const struct error *err);
    void *context;
    int64_t memory_max;           // bytes; of a merge
    struct path_list *left_alone; // absolute paths of files that cannot be merged, and directories
};

/* What a pass has found and done. */
struct care_result {
    struct care_view counts; // files, bytes, small_files, waiting_files, waits
    struct care_gain gain;
    int64_t jobs; // merges, or partitions that expire, also of a dry run
    int64_t changes;
    char strange[256]; // partitions with dates that the query can hardly have had; "": none
    char doubted[256]; // partitions that would expire if the clock were believed; "": none
    int64_t waiting;   // partitions that do not expire yet, or directories with files that wait
};

/* All files that may leave the table, sorted, and which of them are outputs of a compaction. */
MUST_CHECK bool care_list(const struct care_table *table, struct care_files *files,
                          struct error *err);

/* "4 files (1.2 MB)". */
enum { CARE_AMOUNT_MAX = 64 };
const char *care_amount(int64_t files, int64_t bytes, char text[static CARE_AMOUNT_MAX]);

/* Adds a directory to a text of the first few and how many more: call with `count` ascending. */
void care_add_directory(char *text, size_t size, const char *directory, size_t count);

/* The directory for people: "the table itself" has none. */
const char *care_directory_name(const char *directory);

/* Begins a change: its number and directory, and the batch that it is made after. */
MUST_CHECK bool care_begin(const struct care_table *table, enum change_kind kind,
                           struct change *change, struct file_path *staging, struct error *err);

/* Sorts the lists, publishes the change and says so. Discards it if it was not recorded. */
MUST_CHECK bool care_publish(const struct care_table *table, const struct care_host *host,
                             struct change *change, struct care_report *report, struct error *err);

/* "match_stream: compacted 120 files (12.3 MB) into 2 (9.8 MB), 44000 rows, in 1.2 s: …". */
enum { CARE_LINE_MAX = 512 };
void care_report_line(const struct care_report *report, char line[static CARE_LINE_MAX]);

#endif
