/* counts.h: what the lives have come to, counted by name: "recovery: the newest plan is not
 * committed", "event: topic deleted".
 *
 * Each process of the simulator counts on its own; the one that started it adds up what they write.
 */
#ifndef SIMULATOR_COUNTS_H
#define SIMULATOR_COUNTS_H

#include <stdio.h>

#define COUNTS_LIKE(format_at, args_at) __attribute__((format(printf, format_at, args_at)))

void counts_add(long count, const char *format, ...)
    COUNTS_LIKE(2, 3); // also 0, so that the name is known
long counts_of(const char *name);
void counts_clear(void);
void counts_write(FILE *out);
void counts_read(FILE *in); // adds

/* In the order of names, those that begin with `group`. */
void counts_each(const char *group, void (*visit)(void *context, const char *name, long count),
                 void *context);

#endif
