/* file_counts.h: the files of a table, counted by size, by age and by directory, and how many a
 * compaction would leave. Bounded in memory, no matter how many files and directories there are.
 * Pure: no disk, no clock. */
#ifndef STREAMING_REPORT_FILE_COUNTS_H
#define STREAMING_REPORT_FILE_COUNTS_H

#include <stddef.h>
#include <stdint.h>

#include "streaming/report/query_history.h"

enum file_age { FILE_AGE_HOUR, FILE_AGE_DAY, FILE_AGE_WEEK, FILE_AGE_OLDER, FILE_AGES };

/* The oldest file of a class, in seconds; INT64_MAX for the last. */
int64_t file_age_bound_s(enum file_age age);

/* A merge takes files that are smaller than this, in bytes. */
int64_t file_counts_small_below(int64_t target_size);

struct file_group {
    int64_t files, bytes;
    int64_t small; // of the files: those that a merge takes
};

enum { FILE_DIRECTORY_MAX = 128, FILE_DIRECTORIES_SHOWN = 20 };

struct file_directory {
    char name[FILE_DIRECTORY_MAX]; // relative to the table, perhaps cut; "": the table itself
    struct file_group group;
};

/* All zero: nothing is counted yet. */
struct file_counts {
    int64_t counted_ms;  // when, wall clock; 0: not yet
    int64_t small_below; // bytes
    struct file_group all;
    int64_t merged_files;      // that would be left if all directories were compacted now
    int64_t small_bytes;       // of all small files
    int64_t sizes[FILE_SIZES]; // files by class of size (query_history.h)
    struct file_group ages[FILE_AGES];
    int64_t directory_count;    // that have files
    int64_t recent_directories; // of these: with a file of the last day
    size_t shown;               // of these: the ones with the most small files, in that order
    struct file_directory directories[FILE_DIRECTORIES_SHOWN];
};

struct file_counter;

/* `target_size`: of a merged file, in bytes. */
struct file_counter *file_counter_create(int64_t target_size, int64_t now_ms);

/* `path`: relative to the table. */
void file_counter_add(struct file_counter *counter, const char *path, int64_t size,
                      int64_t modified_ms);

/* What was counted. */
void file_counter_read(const struct file_counter *counter, struct file_counts *counts);
void file_counter_free(struct file_counter *counter); // accepts NULL

#endif
