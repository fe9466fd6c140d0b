/* tally.h: what the lives have come to, counted by name: "recovery: the newest plan is not committed", "event: topic deleted".
 *
 * Each process of the simulator counts on its own; the one that started it adds up what they write. */
#ifndef SIMULATOR_TALLY_H
#define SIMULATOR_TALLY_H

#include <stdio.h>

#define TALLY_LIKE(format_at, args_at) __attribute__((format(printf, format_at, args_at)))

void tally_add(long count, const char *format, ...) TALLY_LIKE(2, 3); // also 0, so that the name is known
long tally_of(const char *name);
void tally_clear(void);
void tally_write(FILE *out);
void tally_read(FILE *in); // adds

/* In the order of names, those that begin with `group`. */
void tally_each(const char *group, void (*visit)(void *context, const char *name, long count), void *context);

#endif
