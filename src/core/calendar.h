/* calendar.h: days since 1970-01-01 and dates of the proleptic Gregorian calendar; and Kafka's
 * timestamps, which Spark takes through the Julian one. */
#ifndef CORE_CALENDAR_H
#define CORE_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
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

/* The day that has this day's name in a calendar that is the Julian one before 1582-10-15. */
enum { CALENDAR_GREGORIAN_DAY = -141427 }; // 1582-10-15
int64_t calendar_from_julian(int64_t days);

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

/* ---- a record's timestamp as the column `timestamp` of Spark's Kafka source has it ----
 *
 * Spark takes the milliseconds as a moment of java.sql.Timestamp, whose days before 1582-10-15 are
 * of the Julian calendar, and keeps their names in its own calendar, the proleptic Gregorian one.
 * So the first moment of the year 1 becomes 0001-01-03T00:00:00Z. (In a JVM whose zone is UTC.) */

/* Beyond these Spark's query ends with an overflow: their microseconds do not fit int64. */
#define KAFKA_TIMESTAMP_MAX_MS (INT64_MAX / 1000)
#define KAFKA_TIMESTAMP_GREGORIAN_MS (-12219292800000) // 1582-10-15T00:00:00Z

static inline bool kafka_timestamp_fits(int64_t ms) {
    return ms >= -KAFKA_TIMESTAMP_MAX_MS && ms <= KAFKA_TIMESTAMP_MAX_MS;
}

int64_t kafka_timestamp_from_julian(int64_t ms);

/* Microseconds since 1970; `ms` must fit. A record without a timestamp has -1 in Kafka, and so the
 * last millisecond before 1970 in Spark. */
static inline int64_t kafka_timestamp_micros(int64_t ms) {
    return ms >= KAFKA_TIMESTAMP_GREGORIAN_MS ? ms * 1000 : kafka_timestamp_from_julian(ms);
}

/* The way back: milliseconds that give these microseconds. */
int64_t kafka_timestamp_ms(int64_t micros);

/* Whether the moment's date has a year of four digits in every time zone. A directory with any
 * other date makes tables unreadable for some readers, and a column of texts for others. */
#define DATE_DIRECTORY_MIN_US (-719161 * (int64_t)86400000000) // 0001-01-02T00:00:00Z
#define DATE_DIRECTORY_END_US (2932896 * (int64_t)86400000000) // 9999-12-31T00:00:00Z

static inline bool date_directory_fits(int64_t moment_us) {
    return moment_us >= DATE_DIRECTORY_MIN_US && moment_us < DATE_DIRECTORY_END_US;
}

#endif
