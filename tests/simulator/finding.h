/* finding.h: what a life says: its trace, and what is wrong. */
#ifndef SIMULATOR_FINDING_H
#define SIMULATOR_FINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a finding is written to, shared with the process that started this one. */
struct finding {
    uint64_t seed;
    char text[4096]; // "": none
};

/* `traces`: lines go to stdout. `hashes`: they are made also if nobody reads them, for
 * trace_hash(). */
void finding_set_up(struct finding *shared, bool traces, bool hashes);
void finding_set_step(const char *format, ...)
    __attribute__((format(printf, 1, 2))); // "process 2 (run)"

bool trace_is_on(void);
void trace(const char *format, ...) __attribute__((format(printf, 1, 2)));
void trace_text(const char *text);
uint64_t trace_hash(void); // of all lines since the last call of finding_set_up()

/* Something is wrong: the life and its process of the simulator end. */
_Noreturn void found(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Called before a finding ends the process; NULL: nothing. */
extern void (*finding_write_tallies)(void);

/* The last lines of the program's log in this life, the newest last, for a finding. */
void log_lines_print(char *out, size_t size);
void log_lines_clear(void);
/* Whether the program has warned in this life that it cannot know whether the topic is still the
 * same. */
bool log_said_topic_is_unknown(void);

enum { FOUND_EXIT = 40 };

#endif
