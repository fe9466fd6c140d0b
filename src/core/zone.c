#include "core/zone.h"

#include "core/calendar.h"
#include "core/zone_file.h"

enum { SECONDS_PER_DAY = 86400, CHANGES_MAX = 6 };

struct change {
    int64_t at; // UTC seconds
    int32_t before, after;
};

/* Days since 1970 of a yearly change. */
static int64_t change_day(const struct zone_change *change, int64_t year) {
    int64_t new_year = calendar_days((struct date){year, 1, 1});
    switch (change->kind) {
    case CHANGE_JULIAN: // 1..365, February 29th is never counted
        return new_year + change->day - 1 + (calendar_is_leap(year) && change->day >= 60 ? 1 : 0);
    case CHANGE_DAY:
        return new_year + change->day;
    case CHANGE_WEEKDAY:
        break;
    }
    int64_t first = calendar_days((struct date){year, change->month, 1});
    int64_t day =
        first + (change->day - calendar_weekday(first) + 7) % 7 + (change->week - INT64_C(1)) * 7;
    int64_t next_month = first + calendar_days_of_month(year, change->month);
    return day < next_month ? day : day - 7; // week 5 means the last one
}

static struct change change_of(const struct zone_change *rule, int64_t year, int32_t before,
                               int32_t after) {
    int64_t local = change_day(rule, year) * SECONDS_PER_DAY + rule->seconds;
    return (struct change){.at = local - before, .before = before, .after = after};
}

/* The changes of three years around a moment, in order. */
static size_t changes_around(const struct zone_forever *forever, int64_t seconds,
                             struct change changes[static CHANGES_MAX]) {
    int64_t year = calendar_date(calendar_floor_divide(seconds, SECONDS_PER_DAY)).year;
    size_t count = 0;
    for (int64_t y = year - 1; y <= year + 1; y++) {
        struct change start = change_of(&forever->start, y, forever->standard, forever->summer);
        struct change end = change_of(&forever->end, y, forever->summer, forever->standard);
        bool start_is_first = start.at < end.at;
        changes[count++] = start_is_first ? start : end;
        changes[count++] = start_is_first ? end : start;
    }
    return count;
}

/* A local time is behind a change once it is behind it on both clocks: this one test gives the
 * offset before the change to gaps and to overlaps. */
static bool is_behind(struct change change, int64_t seconds, bool local) {
    int32_t later = change.before > change.after ? change.before : change.after;
    return seconds >= change.at + (local ? later : 0);
}

static int32_t forever_offset(const struct zone_forever *forever, int64_t seconds, bool local) {
    if (!forever->has_summer)
        return forever->standard;
    struct change changes[CHANGES_MAX] = {0};
    size_t count = changes_around(forever, seconds, changes);
    int32_t offset = changes[0].before;
    for (size_t i = 0; i < count && is_behind(changes[i], seconds, local); i++)
        offset = changes[i].after;
    return offset;
}

static struct change transition(const struct zone_rules *rules, size_t index) {
    return (struct change){
        .at = rules->at[index],
        .before = index == 0 ? rules->first_offset : rules->offsets[index - 1],
        .after = rules->offsets[index],
    };
}

static int32_t offset_of(const struct zone *zone, int64_t seconds, bool local) {
    const struct zone_rules *rules = zone->rules;
    if (rules == NULL)
        return zone->offset;
    size_t low = 0, high = rules->count; // the transitions before `low` lie behind us
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (is_behind(transition(rules, middle), seconds, local))
            low = middle + 1;
        else
            high = middle;
    }
    if (low == rules->count && rules->has_forever)
        return forever_offset(&rules->forever, seconds, local);
    return low == 0 ? rules->first_offset : rules->offsets[low - 1];
}

int32_t zone_offset_at(const struct zone *zone, int64_t utc_seconds) {
    return offset_of(zone, utc_seconds, false);
}

int32_t zone_offset_of_local(const struct zone *zone, int64_t local_seconds) {
    return offset_of(zone, local_seconds, true);
}
