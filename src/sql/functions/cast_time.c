/* cast_time.c: casts from and to dates and timestamps. A number is seconds since 1970. A date is
 * the day of a timestamp in the session's time zone. */
#include <math.h>
#include <stdio.h>

#include "core/calendar.h"
#include "core/date_text.h"
#include "sql/functions/cast.h"
#include "sql/functions/loop.h"
#include "sql/functions/moment.h"

/* ---- numbers ---- */

static inline int64_t seconds_to_micros(int64_t seconds) {
    int64_t micros;
    if (__builtin_mul_overflow(seconds, MICROS_PER_SECOND, &micros))
        return seconds < 0 ? INT64_MIN : INT64_MAX;
    return micros;
}

static inline int64_t micros_to_seconds(int64_t micros) {
    return calendar_floor_divide(micros, MICROS_PER_SECOND);
}

KERNEL_1(bool_to_timestamp, uint8_t, int64_t, x != 0)
KERNEL_1(int8_to_timestamp, int8_t, int64_t, seconds_to_micros(x))
KERNEL_1(int16_to_timestamp, int16_t, int64_t, seconds_to_micros(x))
KERNEL_1(int32_to_timestamp, int32_t, int64_t, seconds_to_micros(x))
KERNEL_1(int64_to_timestamp, int64_t, int64_t, seconds_to_micros(x))
KERNEL_1_OR_NULL(float_to_timestamp, float, int64_t,
                 saturate_int64((double)x *(double)MICROS_PER_SECOND), isfinite(x))
KERNEL_1_OR_NULL(double_to_timestamp, double, int64_t, saturate_int64(x *(double)MICROS_PER_SECOND),
                 isfinite(x))

KERNEL_1(timestamp_to_bool, int64_t, uint8_t, x != 0)
KERNEL_1_OR_NULL(timestamp_to_int8, int64_t, int8_t, (uint8_t)micros_to_seconds(x),
                 micros_to_seconds(x) == (int8_t)micros_to_seconds(x))
KERNEL_1_OR_NULL(timestamp_to_int16, int64_t, int16_t, (uint16_t)micros_to_seconds(x),
                 micros_to_seconds(x) == (int16_t)micros_to_seconds(x))
KERNEL_1_OR_NULL(timestamp_to_int32, int64_t, int32_t, (uint32_t)micros_to_seconds(x),
                 micros_to_seconds(x) == (int32_t)micros_to_seconds(x))
KERNEL_1(timestamp_to_int64, int64_t, int64_t, micros_to_seconds(x))
KERNEL_1(timestamp_to_float, int64_t, float, (double)x / (double)MICROS_PER_SECOND)
KERNEL_1(timestamp_to_double, int64_t, double, (double)x / (double)MICROS_PER_SECOND)

/* ---- between dates and timestamps ---- */

static bool timestamp_to_date(const struct kernel_call *call) {
    const struct vector *in = &call->arguments[0]->vector;
    struct vector *out = &call->out->vector;
    for (size_t row = call->first, end = row + call->count; row < end; row++) {
        out->valid[row] = in->valid[row];
        if (in->valid[row] != 0)
            out->int32s[row] = (int32_t)moment_day(&call->context->zone, in->int64s[row]);
    }
    return true;
}

/* What Spark throws for, because it is too near the limits of timestamps. */
static inline void set_beyond(const struct kernel_call *call, size_t row) {
    call->out->vector.valid[row] = 0;
    call->out->faults[row] = 1;
}

static bool days_to_moments(const struct kernel_call *call, const struct zone *zone) {
    const struct vector *in = &call->arguments[0]->vector;
    struct vector *out = &call->out->vector;
    for (size_t row = call->first, end = row + call->count; row < end; row++) {
        int32_t day = in->int32s[row];
        out->valid[row] = in->valid[row];
        if (in->valid[row] != 0 && !moment_day_fits(day))
            set_beyond(call, row);
        else if (in->valid[row] != 0)
            out->int64s[row] = moment_of_day(zone, day);
    }
    return true;
}

static inline bool change_clock(const struct kernel_call *call, bool to_local) {
    const struct zone *zone = &call->context->zone;
    const struct vector *in = &call->arguments[0]->vector;
    struct vector *out = &call->out->vector;
    for (size_t row = call->first, end = row + call->count; row < end; row++) {
        int64_t micros = in->int64s[row];
        out->valid[row] = in->valid[row];
        if (in->valid[row] == 0)
            continue;
        int64_t day = moment_day(to_local ? zone : &zone_utc, micros);
        int64_t seconds = micros_to_seconds(micros);
        if (!moment_day_fits(day))
            set_beyond(call, row);
        else if (to_local)
            out->int64s[row] = micros + zone_offset_at(zone, seconds) * MICROS_PER_SECOND;
        else
            out->int64s[row] = micros - zone_offset_of_local(zone, seconds) * MICROS_PER_SECOND;
    }
    return true;
}

static bool date_to_timestamp(const struct kernel_call *call) {
    return days_to_moments(call, &call->context->zone);
}

static bool date_to_ntz(const struct kernel_call *call) {
    return days_to_moments(call, &zone_utc);
}

static bool timestamp_to_ntz(const struct kernel_call *call) {
    return change_clock(call, true);
}

static bool ntz_to_timestamp(const struct kernel_call *call) {
    return change_clock(call, false);
}

/* Without a time zone: its own clock is UTC. */
KERNEL_1(ntz_to_date, int64_t, int32_t,
         calendar_floor_divide(micros_to_seconds(x), SECONDS_PER_DAY))

/* ---- texts ---- */

static bool text_to_date(const struct kernel_call *call) {
    const struct operand *in = call->arguments[0];
    struct vector *out = &call->out->vector;
    for (size_t row = call->first, end = row + call->count; row < end; row++)
        out->valid[row] =
            is_present(in, row) && date_text_parse(text_at(in, row), &out->int32s[row]);
    return true;
}

static bool text_to_timestamp(const struct kernel_call *call) {
    const struct operand *in = call->arguments[0];
    struct vector *out = &call->out->vector;
    for (size_t row = call->first, end = row + call->count; row < end; row++)
        out->valid[row] = is_present(in, row) &&
                          timestamp_parse(text_at(in, row), call->context, &out->int64s[row]);
    return true;
}

static bool text_to_ntz(const struct kernel_call *call) {
    const struct operand *in = call->arguments[0];
    struct vector *out = &call->out->vector;
    for (size_t row = call->first, end = row + call->count; row < end; row++)
        out->valid[row] = is_present(in, row) &&
                          timestamp_parse_local_of_any_zone(text_at(in, row), &out->int64s[row]);
    return true;
}

static bool date_to_text(const struct kernel_call *call) {
    const struct vector *in = &call->arguments[0]->vector;
    struct vector *out = &call->out->vector;
    for (size_t row = call->first, end = row + call->count; row < end; row++) {
        out->valid[row] = in->valid[row];
        if (in->valid[row] == 0)
            continue;
        char text[DATE_TEXT_MAX];
        size_t size = date_text_format(in->int32s[row], text);
        char *bytes = arena_alloc_bytes(call->strings, size);
        if (bytes == NULL)
            return false;
        memcpy(bytes, text, size);
        out->texts[row] = (struct text){bytes, (uint32_t)size};
    }
    return true;
}

static bool print_timestamps(const struct kernel_call *call, const struct zone *zone) {
    const struct vector *in = &call->arguments[0]->vector;
    struct vector *out = &call->out->vector;
    for (size_t row = call->first, end = row + call->count; row < end; row++) {
        out->valid[row] = in->valid[row];
        if (in->valid[row] == 0)
            continue;
        char text[MOMENT_TEXT_MAX];
        size_t size = moment_print(zone, in->int64s[row], text);
        char *bytes = arena_alloc_bytes(call->strings, size);
        if (bytes == NULL)
            return false;
        memcpy(bytes, text, size);
        out->texts[row] = (struct text){bytes, (uint32_t)size};
    }
    return true;
}

static bool timestamp_to_text(const struct kernel_call *call) {
    return print_timestamps(call, &call->context->zone);
}

static bool ntz_to_text(const struct kernel_call *call) {
    return print_timestamps(call, &zone_utc);
}

kernel_fn *cast_time(enum type from, enum type to) {
    static kernel_fn *const kernels[TYPE_COUNT][TYPE_COUNT] = {
        [TYPE_BOOL] = {[TYPE_TIMESTAMP] = bool_to_timestamp},
        [TYPE_INT8] = {[TYPE_TIMESTAMP] = int8_to_timestamp},
        [TYPE_INT16] = {[TYPE_TIMESTAMP] = int16_to_timestamp},
        [TYPE_INT32] = {[TYPE_TIMESTAMP] = int32_to_timestamp},
        [TYPE_INT64] = {[TYPE_TIMESTAMP] = int64_to_timestamp},
        [TYPE_FLOAT] = {[TYPE_TIMESTAMP] = float_to_timestamp},
        [TYPE_DOUBLE] = {[TYPE_TIMESTAMP] = double_to_timestamp},
        [TYPE_STRING] = {[TYPE_TIMESTAMP] = text_to_timestamp,
                         [TYPE_TIMESTAMP_NTZ] = text_to_ntz,
                         [TYPE_DATE] = text_to_date},
        [TYPE_DATE] = {[TYPE_TIMESTAMP] = date_to_timestamp,
                       [TYPE_STRING] = date_to_text,
                       [TYPE_TIMESTAMP_NTZ] = date_to_ntz},
        [TYPE_TIMESTAMP_NTZ] = {[TYPE_DATE] = ntz_to_date,
                                [TYPE_STRING] = ntz_to_text,
                                [TYPE_TIMESTAMP] = ntz_to_timestamp},
        [TYPE_TIMESTAMP] =
            {
                [TYPE_BOOL] = timestamp_to_bool,
                [TYPE_INT8] = timestamp_to_int8,
                [TYPE_INT16] = timestamp_to_int16,
                [TYPE_INT32] = timestamp_to_int32,
                [TYPE_INT64] = timestamp_to_int64,
                [TYPE_FLOAT] = timestamp_to_float,
                [TYPE_DOUBLE] = timestamp_to_double,
                [TYPE_DATE] = timestamp_to_date,
                [TYPE_TIMESTAMP_NTZ] = timestamp_to_ntz,
                [TYPE_STRING] = timestamp_to_text,
            },
    };
    return kernels[from][to];
}
