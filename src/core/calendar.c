#include "core/calendar.h"

#include <stdio.h>
#include <string.h>

/* Years are counted from March, so that the leap day is a year's last; 400 years are one cycle. */
enum { DAYS_PER_CYCLE = 146097, DAYS_TO_1970 = 719468 };

bool calendar_is_leap(int64_t year) {
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int calendar_days_of_month(int64_t year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && calendar_is_leap(year) ? 1 : 0);
}

int64_t calendar_days(struct date date) {
    int64_t year = date.year - (date.month <= 2 ? 1 : 0);
    int64_t cycle = calendar_floor_divide(year, 400);
    int64_t year_of_cycle = year - cycle * 400;
    int month_from_march = (date.month + 9) % 12;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + date.day - 1;
    return cycle * DAYS_PER_CYCLE + year_of_cycle * 365 + year_of_cycle / 4 - year_of_cycle / 100 +
           day_of_year - DAYS_TO_1970;
}

struct date calendar_date(int64_t days) {
    days += DAYS_TO_1970;
    int64_t cycle = calendar_floor_divide(days, DAYS_PER_CYCLE);
    int64_t day = days - cycle * DAYS_PER_CYCLE;
    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int day_of_year = (int)(day - (365 * year + year / 4 - year / 100));
    int month_from_march = (5 * day_of_year + 2) / 153;
    struct date date = {
        .year = cycle * 400 + year,
        .month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9,
        .day = day_of_year - (153 * month_from_march + 2) / 5 + 1,
    };
    date.year += date.month <= 2 ? 1 : 0;
    return date;
}

size_t date_format(int64_t days, char text[static DATE_TEXT_MAX]) {
    struct date date = calendar_date(days);
    const char *sign = date.year < 0 ? "-" : date.year > 9999 ? "+" : "";
    char printed[DATE_TEXT_MAX + 1];
    int size = snprintf(printed, sizeof printed, "%s%04lld-%02d-%02d", sign,
                        (long long)(date.year < 0 ? -date.year : date.year), date.month, date.day);
    memcpy(text, printed, (size_t)size);
    return (size_t)size;
}

int calendar_weekday(int64_t days) {
    int64_t shifted = days + 4; // 1970-01-01 was a Thursday
    return (int)(shifted - calendar_floor_divide(shifted, 7) * 7);
}

/* ---- the Julian calendar, for timestamps of Kafka ---- */

static const int64_t day_micros = 86400000000;

/* Years from March; four of them are one cycle. */
enum { JULIAN_CYCLE_DAYS = 1461, JULIAN_DAYS_TO_1970 = 719470 };

static struct date julian_date(int64_t days) {
    days += JULIAN_DAYS_TO_1970;
    int64_t cycle = calendar_floor_divide(days, JULIAN_CYCLE_DAYS);
    int day = (int)(days - cycle * JULIAN_CYCLE_DAYS);
    int year = day / 365 < 3 ? day / 365 : 3;
    int day_of_year = day - 365 * year;
    int month_from_march = (5 * day_of_year + 2) / 153;
    struct date date = {
        .year = cycle * 4 + year,
        .month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9,
        .day = day_of_year - (153 * month_from_march + 2) / 5 + 1,
    };
    date.year += date.month <= 2 ? 1 : 0;
    return date;
}

static int64_t julian_days(struct date date) {
    int64_t year = date.year - (date.month <= 2 ? 1 : 0);
    int64_t cycle = calendar_floor_divide(year, 4);
    int month_from_march = (date.month + 9) % 12;
    return cycle * JULIAN_CYCLE_DAYS + (year - cycle * 4) * 365 + (153 * month_from_march + 2) / 5 +
           date.day - 1 - JULIAN_DAYS_TO_1970;
}

int64_t kafka_timestamp_from_julian(int64_t ms) {
    int64_t micros = ms * 1000;
    int64_t days = calendar_floor_divide(micros, day_micros);
    struct date date = julian_date(days);
    int days_after_first = date.day - 1; // a leap day that Gregorian years lack is the next one
    date.day = 1;
    return micros + (calendar_days(date) + days_after_first - days) * day_micros;
}

int64_t kafka_timestamp_ms(int64_t micros) {
    if (micros >= KAFKA_TIMESTAMP_GREGORIAN_MS * 1000)
        return micros / 1000 - (micros % 1000 < 0 ? 1 : 0);
    int64_t days = calendar_floor_divide(micros, day_micros);
    int64_t shifted = micros + (julian_days(calendar_date(days)) - days) * day_micros;
    return calendar_floor_divide(shifted, 1000);
}
