/* timestamp.h: the timestamp strings that Spark reads.
 *
 *     [+-]y{4,6}[-M{1,2}[-d{1,2}[(T| )H{1,2}[:m{1,2}[:s{1,2}[.f*][zone]]]]]]
 *
 * with whitespace around, and [T]H:m… alone for a time of "today". Days are those of the proleptic
 * Gregorian calendar; fractions are cut to microseconds; a zone is only allowed behind seconds. */
#ifndef CORE_TIMESTAMP_H
#define CORE_TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "core/zone.h"

/* Where and when a text that does not say so is meant to be. */
struct timestamp_context {
    struct zone zone; // of texts without one
    int64_t now_ms;   // gives times without a day their day; milliseconds since 1970
};

/* Microseconds since 1970-01-01T00:00:00Z. False: no such form, no such day, no such zone, or
 * beyond what int64 microseconds can hold. */
bool timestamp_parse(struct text text, const struct timestamp_context *context, int64_t *micros);

/* The same for a timestamp of no time zone: microseconds since 1970-01-01T00:00:00. False, too: a
 * text with a zone, or without a day. */
bool timestamp_parse_local(struct text text, int64_t *micros);

/* The same, as a cast takes it: a zone is left out, but must be one. */
bool timestamp_parse_local_of_any_zone(struct text text, int64_t *micros);

#endif
