/* stops.h: where in a record plain text stops: at quotes, backslashes, control characters and bytes
 * that are not ASCII.
 *
 * One pass over the bytes, with the widest instructions that the machine has, finds them all;
 * behind it nobody has to search, and one value need not wait for the end of the one before. The
 * pass also copies the record to where reading a little beyond its ends is harmless.
 *
 * Which stops are a string's ends is not known here: that depends on where the reader stands. */
#ifndef PIPELINE_JSON_STOPS_H
#define PIPELINE_JSON_STOPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    JSON_STOPS_RECORD_MAX = 32 << 10, // bytes of a record that is worth it and fits
    JSON_STOPS_SLACK = 64,            // bytes before and behind the record that may be read
    JSON_STOPS_BLOCK = 64,            // bytes that a kernel looks at together
};

/* Copies `size` bytes to `copy`, with zeros behind them up to a multiple of JSON_STOPS_BLOCK and at
 * least one, and writes the stops' offsets in ascending order to `at`; their number. Writes, but
 * does not count, up to JSON_STOPS_BLOCK more elements of `at`. */
typedef size_t json_stops_find(const char *bytes, size_t size, char *copy, uint16_t *at);

struct json_stops_kernel {
    const char *name;
    json_stops_find *find;
    bool (*is_supported)(void); // by this machine
};

/* All that were built, the best one first; the last one runs everywhere. All find the same. */
extern const struct json_stops_kernel json_stops_kernels[];
extern const size_t json_stops_kernel_count;

struct json_stops {
    json_stops_find *find;
    size_t size;  // of the record
    size_t count; // behind the last stop stand two that are `size`
    uint16_t at[JSON_STOPS_RECORD_MAX + JSON_STOPS_BLOCK];
    char copy[JSON_STOPS_SLACK + JSON_STOPS_RECORD_MAX + JSON_STOPS_BLOCK + JSON_STOPS_SLACK];
};

/* Picks the best kernel, or the one that runs everywhere. */
void json_stops_init(struct json_stops *stops, bool fastest);

/* `size` is at most JSON_STOPS_RECORD_MAX. */
void json_stops_read(struct json_stops *stops, const char *bytes, size_t size);

/* The copy of the record. */
static inline const char *json_stops_bytes(const struct json_stops *stops) {
    return stops->copy + JSON_STOPS_SLACK;
}

#endif
