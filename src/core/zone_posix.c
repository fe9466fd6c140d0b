/* The TZ string in the last line of a TZif file (POSIX, with RFC 8536's wider hours). */
#include "core/zone_file.h"

#include "core/calendar.h"

struct cursor {
    const char *at, *end;
};

static bool take(struct cursor *cursor, char byte) {
    if (cursor->at == cursor->end || *cursor->at != byte)
        return false;
    cursor->at++;
    return true;
}

static bool take_number(struct cursor *cursor, int max, int *number) {
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
static bool take_name(struct cursor *cursor) {
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
static bool take_time(struct cursor *cursor, int32_t *seconds) {
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

static bool take_change(struct cursor *cursor, struct zone_change *change) {
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
    struct cursor cursor = {text, text + size};
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
