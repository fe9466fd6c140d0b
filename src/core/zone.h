/* zone.h: time zones by the names that Java knows, with the rules of the system's tzdata.
 *
 * Spark takes the rules that its JVM contains: where those have another version, or where
 * tzdata was built with another history before 1970, an offset can differ.
 *
 * A zone is a small value that may be copied freely: a fixed offset, or rules that are read once
 * per process and never freed. Any thread may call. */
#ifndef CORE_ZONE_H
#define CORE_ZONE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct zone_rules;

struct zone {
    const struct zone_rules *rules; // NULL: always `offset`
    int32_t offset;                 // seconds east of Greenwich
};

static const struct zone zone_utc = {0};

/* What the system's tzdata lacks, in a clause, with what to do; NULL: nothing. Zones are then
 * unknown, and timestamps that name them become null. */
struct zone_lack {
    const char *text, *cure;
    bool all; // there are no zones at all
};
struct zone_lack zone_data_lack(void);

/* As Spark reads a zone: "Z", "UTC", "GMT+2", "+02:00", "+2", "+0200", Java's short names ("PST"),
 * and regions ("Europe/Paris"). False: there is none of that name. */
bool zone_find(struct text name, struct zone *zone);

/* The offset at a moment, in UTC seconds since 1970. */
int32_t zone_offset_at(const struct zone *zone, int64_t utc_seconds);

/* The offset that turns a local time into UTC (UTC = local - offset). In a gap it is the offset
 * before, which moves the time forward by the gap; in an overlap it is the earlier one. */
int32_t zone_offset_of_local(const struct zone *zone, int64_t local_seconds);

#endif
