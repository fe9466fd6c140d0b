/* zone_file.h: one region's rules from the system's tzdata (TZif, RFC 8536). */
#ifndef CORE_ZONE_FILE_H
#define CORE_ZONE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The day and time of a yearly change, as in POSIX's TZ strings. */
struct zone_change {
    enum { CHANGE_JULIAN, CHANGE_DAY, CHANGE_WEEKDAY } kind; // Jn, n, Mm.w.d
    int month, week, day;
    int32_t seconds; // after local midnight, may be negative or beyond a day
};

/* What holds behind the last transition. */
struct zone_forever {
    int32_t standard; // seconds east of Greenwich
    bool has_summer;
    int32_t summer;
    struct zone_change start, end; // of summer
};

struct zone_rules {
    int32_t first_offset; // before the first transition
    size_t count;
    int64_t *at;      // UTC seconds, ascending
    int32_t *offsets; // from at[i] on
    bool has_forever;
    struct zone_forever forever;
};

/* From the bytes of a TZif file of version 2 or later. NULL: it is none. Free with
 * zone_rules_destroy(). */
struct zone_rules *zone_rules_parse(const unsigned char *bytes, size_t size);
void zone_rules_destroy(struct zone_rules *rules);

/* A POSIX TZ string such as "CET-1CEST,M3.5.0,M10.5.0/3". */
bool zone_forever_parse(const char *text, size_t size, struct zone_forever *forever);

#endif
