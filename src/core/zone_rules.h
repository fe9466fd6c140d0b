/* zone_rules.h: one region's rules, from a file of the system's tzdata (TZif, RFC 8536): which
 * offset holds when. Rules never change once they are read. */
#ifndef CORE_ZONE_RULES_H
#define CORE_ZONE_RULES_H

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

struct zone_rules;

/* From the bytes of a TZif file of version 2 or later. NULL: it is none. Free with
 * zone_rules_destroy(). */
struct zone_rules *zone_rules_parse(const unsigned char *bytes, size_t size);
void zone_rules_destroy(struct zone_rules *rules);

/* A POSIX TZ string such as "CET-1CEST,M3.5.0,M10.5.0/3". */
bool zone_forever_parse(const char *text, size_t size, struct zone_forever *forever);

/* The offset in seconds east of Greenwich at a moment: UTC seconds since 1970, or with `local` the
 * seconds that the region's own clocks showed (zone.h says which offset holds in gaps and
 * overlaps). */
int32_t zone_rules_offset(const struct zone_rules *rules, int64_t seconds, bool local);

#endif
