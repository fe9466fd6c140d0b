/* progress.h: on a terminal, a live line per query below the log:
 *
 *     match_stream   1 203 000 rows  12 rejects  310 000 rows/s  lag 2 400 000  caught up in 8 s
 *
 * Nothing at all when stdout is not a terminal. One thread starts, updates and stops it; log lines
 * of all threads go above it. */
#ifndef SURFACES_SERVICE_PROGRESS_H
#define SURFACES_SERVICE_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

#include "streaming/declare/stream.h"
#include "streaming/report/query_status.h"

enum { PROGRESS_LINE_MAX = 256 };

/* What the next line's rates are taken from. */
struct progress_rate {
    int64_t at_us;     // monotonic; 0: nothing seen yet
    int64_t records;   // read until then
    double per_second; // smoothed over a few seconds
};

/* False: stdout is not a terminal, and the other functions do nothing. */
bool progress_start(void);

/* Twice a second or so: what is to be shown now. */
void progress_update(const struct query_snapshot *queries, size_t count);

/* Takes the lines off the terminal. */
void progress_stop(void);

/* One line's text, at most `width` characters; `now_us` is monotonic. */
void progress_format(const struct query_snapshot *query, struct progress_rate *rate, int64_t now_us,
                     size_t width, char line[static PROGRESS_LINE_MAX]);

#endif
