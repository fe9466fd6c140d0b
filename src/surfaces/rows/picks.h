/* picks.h: the newest few of any number of rows: found by their keys first, read whole afterwards.
 */
#ifndef SURFACES_ROWS_PICKS_H
#define SURFACES_ROWS_PICKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PICKS_MAX = 100000 };

struct pick {
    int64_t batch, micros; // newest are the greatest; then by partition and offset
    int32_t partition;
    int64_t offset;
    size_t file; // where it is: numbers of the file and of the row in it
    int64_t row;
    char *text; // owned; what was made of it; NULL: nothing yet
};

struct picks {
    struct pick *items; // owned; a heap, the least first, until sorted
    size_t count, limit;
};

void picks_init(struct picks *picks, size_t limit); // at most PICKS_MAX
void picks_deinit(struct picks *picks);

/* Whether there is no room for more, so that the least would have to go. */
bool picks_are_full(const struct picks *picks);

void picks_offer(struct picks *picks, const struct pick *pick);

/* No more offers after these. */
void picks_sort_by_place(struct picks *picks);
void picks_sort_by_age(struct picks *picks); // the oldest first

#endif
