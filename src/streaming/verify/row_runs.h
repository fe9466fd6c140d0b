/* row_runs.h: which rows were met of each record, for tables in which a record can have several
 * (LATERAL VIEW). A row is named by its log, its offset and its position in each view.
 *
 * Rows of a record that follow each other in a file, with positions that follow each other in the
 * innermost view, are one run: so an ordinary file has one run per record. */
#ifndef STREAMING_VERIFY_ROW_RUNS_H
#define STREAMING_VERIFY_ROW_RUNS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sql/plan/plan.h"

enum { ROW_LEVELS_MAX = PLAN_VIEWS_MAX };

/* What the rows of a table look like. */
struct row_shape {
    bool row_per_record;                   // each record has one row; nothing below is filled then
    bool filters;                          // there is a WHERE
    size_t level_count;                    // of views; 0: each record has one row or none
    const char *positions[ROW_LEVELS_MAX]; // their columns
    bool complete[ROW_LEVELS_MAX]; // without WHERE all positions from 0 on are there: no later view
                                   // leaves out an element that has none of its own
};

/* Rows of one record: [start, end) in the innermost view, `levels` in those around it. Positions
 * are shifted by one, so that 0 is null, the position of a row that OUTER has added. */
struct row_run {
    uint32_t log;
    int64_t offset;
    const uint32_t *levels;
    uint32_t start, end;
    bool reject; // it is a reject, and not rows
};

struct row_runs {
    size_t level_count;
    size_t word_count;    // of one run
    size_t capacity;      // runs
    uint32_t *words;      // owned
    _Atomic size_t count; // runs handed out to pens, or more: see row_runs_full()
};

/* With room for about so many bytes; there is always room for some runs. */
void row_runs_init(struct row_runs *runs, size_t level_count, size_t bytes);
void row_runs_deinit(struct row_runs *runs); // accepts a zeroed struct
void row_runs_clear(struct row_runs *runs);

/* Whether runs were lost because there was no room. No pen is in use. */
bool row_runs_full(const struct row_runs *runs);

/* Ascending by log, offset, levels and start; rejects are the last of their offset. No pen is in
 * use. */
void row_runs_sort(struct row_runs *runs);

/* The next run of sorted ones. *at starts as 0. False: there are no more. */
bool row_runs_next(const struct row_runs *runs, size_t *at, struct row_run *run);

/* Each thread adds through a pen of its own. */
struct row_pen {
    struct row_runs *runs;
    uint32_t open[ROW_LEVELS_MAX + 5]; // the words of the run that grows
    bool is_open;
    size_t next, end; // runs that the pen may still fill
};

void row_pen_init(struct row_pen *pen, struct row_runs *runs);
/* `positions`: one per level, null is -1. */
void row_pen_add(struct row_pen *pen, uint32_t log, int64_t offset, const int32_t *positions);
void row_pen_add_reject(struct row_pen *pen, uint32_t log, int64_t offset);
void row_pen_finish(struct row_pen *pen);

#endif
