/* care_files.h: the files of a table that may leave it, by directory; and the dates in the names of
 * directories. */
#ifndef STREAMING_CARE_CARE_FILES_H
#define STREAMING_CARE_CARE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/zone.h"

struct care_file {
    char *path; // owned; relative to the table
    int64_t size, modified_ms;
    bool is_output; // of a compaction
};

struct care_files {
    struct care_file *files; // owned
    size_t count, capacity;
};

void care_files_add(struct care_files *files, const char *path, int64_t size, int64_t modified_ms);
void care_files_deinit(struct care_files *files); // accepts a zeroed struct

/* By directory, then by the time of commit, then by name. */
void care_files_sort(struct care_files *files);

/* Bytes of the path's directory, without the last slash; 0: the table itself. */
size_t care_directory_length(const char *path);

/* Where the files of the same first `length` bytes and a slash end; `length` 0: of the root. */
size_t care_directory_end(const struct care_files *files, size_t first, size_t length);

/* ---- dates ---- */

enum care_date { CARE_DATE, CARE_DATE_NULL, CARE_DATE_NONE };

/* The date of a path's directory at a level, in days since 1970, and the bytes of the path up to
 * and including that level. CARE_DATE_NULL: the date is null; CARE_DATE_NONE: not a date. */
enum care_date care_date_of(const char *path, int level, int32_t *day, size_t *length);

/* The day of a moment in the zone, and the moment when a day is over. */
int32_t care_day_of(const struct zone *zone, int64_t ms);
int64_t care_day_end_ms(const struct zone *zone, int32_t day);

#endif
