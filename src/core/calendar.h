/* calendar.h: days since 1970-01-01 and dates of the proleptic Gregorian calendar. */
#ifndef CORE_CALENDAR_H
#define CORE_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

struct date {
    int64_t year; // year 0 exists
    int month;    // 1..12
    int day;      // 1..31
};

bool calendar_is_leap(int64_t year);
int calendar_days_of_month(int64_t year, int month);

/* The date must exist. */
int64_t calendar_days(struct date date);
struct date calendar_date(int64_t days);

/* 0: Sunday. */
int calendar_weekday(int64_t days);

/* Division that rounds down, for times before 1970. */
static inline int64_t calendar_floor_divide(int64_t value, int64_t by) {
    return value / by - (value % by < 0 ? 1 : 0);
}

/* What that division leaves: 0 to `by` - 1. */
static inline int64_t calendar_floor_rest(int64_t value, int64_t by) {
    return value % by + (value % by < 0 ? by : 0);
}

#endif
