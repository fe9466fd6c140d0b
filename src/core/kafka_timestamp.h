/* kafka_timestamp.h: a record's timestamp as the column `timestamp` of Spark's Kafka source has it.
 *
 * Spark takes the milliseconds as a moment of java.sql.Timestamp, whose days before 1582-10-15 are
 * of the Julian calendar, and keeps their names in its own calendar, the proleptic Gregorian one.
 * So the first moment of the year 1 becomes 0001-01-03T00:00:00Z. (In a JVM whose zone is UTC.) */
#ifndef CORE_KAFKA_TIMESTAMP_H
#define CORE_KAFKA_TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>

/* Beyond these Spark's query ends with an overflow: their microseconds are no int64. */
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

#endif
