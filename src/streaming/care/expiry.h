/* expiry.h: which date partitions of a table leave it, and why others that are old enough do not.
 *
 * A partition is all files below a directory with a date. It expires when its date and the commit
 * of its newest file are before the limit, so that rows with an old date do not leave on the day
 * they arrive. By a retention alone, only dates that the query can have written expire: not one
 * more than 7 days before its first start, nor one after tomorrow; and only by a clock that is
 * believed. Pure: no disk, no clock. */
#ifndef STREAMING_CARE_EXPIRY_H
#define STREAMING_CARE_EXPIRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "streaming/care/care_files.h"

struct expiry_rules {
    int date_level;         // of the directories
    int32_t before;         // dates before this day, in days since 1970
    bool by_retention;      // nobody has named the day:
    bool clock_believed;    // then dates expire only by a clock that is (clock_check.h)
    int64_t first_start_ms; // of the query, or the oldest that is known of it
    int64_t now_ms;
    struct zone zone; // of the dates
};

enum expiry_verdict {
    EXPIRY_DUE,
    EXPIRY_WAITS,   // its newest file was committed after the limit
    EXPIRY_STRANGE, // a date that the query can hardly have
    EXPIRY_DOUBTED, // it would be due, but the clock is not believed
};

struct expiry_partition {
    size_t first, end; // its files
    size_t length;     // bytes of their paths that are the partition's directory
    int32_t day;
    int64_t bytes, newest_ms;
    enum expiry_verdict verdict;
};

struct expiry {
    struct expiry_partition *partitions; // owned; those with a date that is over its limit, and
    size_t count;                        // strange ones; in the order of the files
    size_t kept;                         // other partitions with a date
};

/* `files` are sorted. */
void expiry_make(const struct care_files *files, const struct expiry_rules *rules,
                 struct expiry *expiry);
void expiry_deinit(struct expiry *expiry);

#endif
