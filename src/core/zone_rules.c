/* A TZif file has two blocks: one with 32-bit times, which is skipped, and one with 64-bit times:
 * the transitions, each with the offset that holds from it on. Behind them stands a POSIX TZ
 * string, with RFC 8536's wider hours, for all years after the last transition. An offset is found
 * by binary search in the transitions, or by making the yearly changes of the years around.
 *
 * A file is believed only as a whole: one that is damaged anywhere gives no rules. */
#include "core/zone_rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "core/calendar.h"

enum { HEADER_SIZE = 44, TYPE_SIZE = 6 };

struct zone_rules {
    int32_t first_offset; // before the first transition
    size_t count;
    int64_t *at;      // UTC seconds, ascending
    int32_t *offsets; // from at[i] on
    bool has_forever;
    struct zone_forever forever;
};

struct posix_cursor {
    const char *at, *end;
};

static bool take(struct posix_cursor *cursor, char byte) {
    if (cursor->at == cursor->end || *cursor->at != byte)
        return false;
    cursor->at++;
    return true;
}

static bool take_number(struct posix_cursor *cursor, int max, int *number) {
    const char *start = cursor->at;
    *number = 0;
    while (cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9') {
        *number = *number * 10 + (*cursor->at++ - '0');
        if (*number > max)
            return false;
    }
    return cursor->at > start;
}

/* "CET" or "<+03>". */
static bool take_name(struct posix_cursor *cursor) {
    const char *start = cursor->at;
    if (take(cursor, '<')) {
        while (cursor->at < cursor->end && *cursor->at != '>')
            cursor->at++;
        return take(cursor, '>');
    }
    while (cursor->at < cursor->end && ((*cursor->at >= 'A' && *cursor->at <= 'Z') ||
                                        (*cursor->at >= 'a' && *cursor->at <= 'z')))
        cursor->at++;
    return cursor->at - start >= 3;
}

/* [+-]h[:m[:s]], in seconds. */
static bool take_time(struct posix_cursor *cursor, int32_t *seconds) {
    bool negative = take(cursor, '-');
    if (!negative)
        (void)take(cursor, '+'); // optional
    int hours, minutes = 0, rest = 0;
    if (!take_number(cursor, 167, &hours))
        return false;
    if (take(cursor, ':')) {
        if (!take_number(cursor, 59, &minutes))
            return false;
        if (take(cursor, ':') && !take_number(cursor, 59, &rest))
            return false;
    }
    *seconds = (hours * 60 + minutes) * 60 + rest;
    if (negative)
        *seconds = -*seconds;
    return true;
}

static bool take_change(struct posix_cursor *cursor, struct zone_change *change) {
    if (!take(cursor, ','))
        return false;
    *change = (struct zone_change){.seconds = 2 * 60 * 60};
    if (take(cursor, 'M')) {
        change->kind = CHANGE_WEEKDAY;
        if (!take_number(cursor, 12, &change->month) || change->month < 1 || !take(cursor, '.') ||
            !take_number(cursor, 5, &change->week) || change->week < 1 || !take(cursor, '.') ||
            !take_number(cursor, 6, &change->day))
            return false;
    } else {
        change->kind = take(cursor, 'J') ? CHANGE_JULIAN : CHANGE_DAY;
        if (!take_number(cursor, 365, &change->day) ||
            (change->kind == CHANGE_JULIAN && change->day < 1))
            return false;
    }
    return !take(cursor, '/') || take_time(cursor, &change->seconds);
}

bool zone_forever_parse(const char *text, size_t size, struct zone_forever *forever) {
    struct posix_cursor cursor = {text, text + size};
    int32_t west;
    *forever = (struct zone_forever){0};
    if (!take_name(&cursor) || !take_time(&cursor, &west))
        return false;
    forever->standard = -west;
    if (cursor.at == cursor.end)
        return true;

    forever->has_summer = true;
    if (!take_name(&cursor))
        return false;
    forever->summer = forever->standard + 60 * 60;
    if (cursor.at < cursor.end && *cursor.at != ',') {
        if (!take_time(&cursor, &west))
            return false;
        forever->summer = -west;
    }
    return take_change(&cursor, &forever->start) && take_change(&cursor, &forever->end) &&
           cursor.at == cursor.end;
}

/* The counts in a header, in its order. */
struct counts {
    uint32_t is_ut, is_standard, leaps, times, types, characters;
};

static uint32_t read_u32(const unsigned char *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int64_t read_i64(const unsigned char *at) {
    return (int64_t)((uint64_t)read_u32(at) << 32 | read_u32(at + 4));
}

static bool read_header(const unsigned char *bytes, size_t size, struct counts *counts) {
    if (size < HEADER_SIZE || memcmp(bytes, "TZif", 4) != 0 || bytes[4] < '2')
        return false;
    *counts = (struct counts){
        read_u32(bytes + 20), read_u32(bytes + 24), read_u32(bytes + 28),
        read_u32(bytes + 32), read_u32(bytes + 36), read_u32(bytes + 40),
    };
    return true;
}

/* Bytes behind the header; a time is 4 bytes in the first block and 8 in the second. */
static uint64_t block_size(struct counts counts, uint64_t time_size) {
    return counts.times * (time_size + 1) + (uint64_t)counts.types * TYPE_SIZE + counts.characters +
           counts.leaps * (time_size + 4) + counts.is_standard + counts.is_ut;
}

static bool read_transitions(struct zone_rules *rules, const unsigned char *block,
                             struct counts counts) {
    const unsigned char *type_of = block + (size_t)counts.times * 8;
    const unsigned char *types = type_of + counts.times;
    if (counts.types == 0)
        return false;

    rules->count = counts.times;
    rules->at = must_alloc(counts.times + 1, sizeof rules->at[0]);
    rules->offsets = must_alloc(counts.times + 1, sizeof rules->offsets[0]);
    rules->first_offset = (int32_t)read_u32(types);
    for (size_t i = 0; i < rules->count; i++) {
        if (type_of[i] >= counts.types)
            return false;
        rules->at[i] = read_i64(block + i * 8);
        rules->offsets[i] = (int32_t)read_u32(types + (size_t)type_of[i] * TYPE_SIZE);
        if (i > 0 && rules->at[i] <= rules->at[i - 1])
            return false;
    }
    return true;
}

/* "\n<TZ string>\n"; an empty one says nothing about the future. */
static bool read_footer(struct zone_rules *rules, const unsigned char *at, size_t size) {
    if (size < 2 || at[0] != '\n')
        return false;
    const unsigned char *end = memchr(at + 1, '\n', size - 1);
    if (end == NULL)
        return false;
    size_t length = (size_t)(end - at - 1);
    rules->has_forever = length > 0;
    return length == 0 || zone_forever_parse((const char *)at + 1, length, &rules->forever);
}

static bool parse(struct zone_rules *rules, const unsigned char *bytes, size_t size) {
    struct counts counts;
    if (!read_header(bytes, size, &counts))
        return false;
    uint64_t skip = HEADER_SIZE + block_size(counts, 4);
    if (skip > size || !read_header(bytes + skip, size - skip, &counts))
        return false;
    const unsigned char *block = bytes + skip + HEADER_SIZE;
    size_t room = size - skip - HEADER_SIZE;
    uint64_t block_bytes = block_size(counts, 8);
    if (block_bytes > room)
        return false;
    return read_transitions(rules, block, counts) &&
           read_footer(rules, block + block_bytes, room - block_bytes);
}

struct zone_rules *zone_rules_parse(const unsigned char *bytes, size_t size) {
    struct zone_rules *rules = must_alloc(1, sizeof *rules);
    if (parse(rules, bytes, size))
        return rules;
    zone_rules_destroy(rules);
    return NULL;
}

void zone_rules_destroy(struct zone_rules *rules) {
    if (rules == NULL)
        return;
    free(rules->at);
    free(rules->offsets);
    free(rules);
}

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

int32_t zone_rules_offset(const struct zone_rules *rules, int64_t seconds, bool local) {
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
