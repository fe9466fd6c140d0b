/* times.c: functions of dates and timestamps, in the session's time zone. */
#include <math.h>
#include <strings.h>

#include "sql/functions/loop.h"
#include "sql/functions/moment.h"
#include "sql/functions/resolve.h"

/* ---- between numbers and timestamps ---- */

/* Spark throws where the product does not fit. */
static inline bool multiply_rows(const struct kernel_call *call, int64_t unit) {
    const struct vector *in = &call->arguments[0]->vector;
    struct vector *out = &call->out->vector;
    uint8_t *faults = call->out->faults;
    for (size_t row = call->first, end = row + call->count; row < end; row++) {
        bool overflow = __builtin_mul_overflow(in->int64s[row], unit, &out->int64s[row]);
        out->valid[row] = in->valid[row] & (overflow ? 0 : 1);
        faults[row] = in->valid[row] & (overflow ? 1 : 0);
    }
    return true;
}

static bool millis_kernel(const struct kernel_call *call) {
    return multiply_rows(call, 1000);
}

static bool seconds_kernel(const struct kernel_call *call) {
    return multiply_rows(call, MICROS_PER_SECOND);
}

KERNEL_1(same_int64, int64_t, int64_t, x)
KERNEL_1_OR_NULL(float_seconds_kernel, float, int64_t,
                 saturate_int64((double)x *(double)MICROS_PER_SECOND), isfinite(x))
KERNEL_1_OR_NULL(double_seconds_kernel, double, int64_t,
                 saturate_int64(x *(double)MICROS_PER_SECOND), isfinite(x))
KERNEL_1(unix_seconds_kernel, int64_t, int64_t, calendar_floor_divide(x, MICROS_PER_SECOND))
KERNEL_1(unix_timestamp_kernel, int64_t, int64_t, x / MICROS_PER_SECOND) // toward 1970
KERNEL_1(unix_millis_kernel, int64_t, int64_t, calendar_floor_divide(x, 1000))

static bool refuse_argument(const struct function_use *use, const char *name, const char *expected,
                            struct error *err) {
    return use_refuse(err, "%s: the argument is %s, expected %s", name,
                      data_type_text(&use->arguments[0], use->pool), expected);
}

/* Whole numbers alone, which become BIGINT. */
static bool resolve_whole(struct function_use *use, const char *name, struct data_type type,
                          kernel_fn *kernel, struct error *err) {
    enum type kind = use->arguments[0].kind;
    if (!is_integer(kind) && kind != TYPE_NULL)
        return refuse_argument(use, name, "a whole number", err);
    use->wanted[0] = type_of(TYPE_INT64);
    use_set_result(use, type, kernel);
    return true;
}

bool resolve_timestamp_millis(struct function_use *use, struct error *err) {
    bool ok = resolve_whole(use, "timestamp_millis", type_of(TYPE_TIMESTAMP), millis_kernel, err);
    use->can_fault = true;
    return ok;
}

bool resolve_timestamp_micros(struct function_use *use, struct error *err) {
    return resolve_whole(use, "timestamp_micros", type_of(TYPE_TIMESTAMP), same_int64, err);
}

bool resolve_timestamp_seconds(struct function_use *use, struct error *err) {
    if (is_real(use->arguments[0].kind)) {
        bool is_float = use->arguments[0].kind == TYPE_FLOAT;
        use->wanted[0] = use->arguments[0];
        use_set_result(use, type_of(TYPE_TIMESTAMP),
                       is_float ? float_seconds_kernel : double_seconds_kernel);
        use->can_be_null = true;
        return true;
    }
    bool ok = resolve_whole(use, "timestamp_seconds", type_of(TYPE_TIMESTAMP), seconds_kernel, err);
    use->can_fault = true;
    return ok;
}

static const char *guard_product(const char *name, const char *argument, int64_t limit,
                                 struct pool *pool) {
    return pool_format(pool, "CASE WHEN %s BETWEEN -%lld AND %lld THEN %s(%s) END", argument,
                       (long long)limit, (long long)limit, name, argument);
}

const char *guard_timestamp_millis(const struct function_use *use, const char *const *arguments,
                                   struct pool *pool) {
    (void)use;
    return guard_product("timestamp_millis", arguments[0], INT64_MAX / 1000, pool);
}

const char *guard_timestamp_seconds(const struct function_use *use, const char *const *arguments,
                                    struct pool *pool) {
    if (is_real(use->arguments[0].kind))
        return pool_format(pool, "timestamp_seconds(%s)", arguments[0]);
    return guard_product("timestamp_seconds", arguments[0], INT64_MAX / MICROS_PER_SECOND, pool);
}

static bool resolve_unix(struct function_use *use, const char *name, kernel_fn *kernel,
                         struct error *err) {
    enum type kind = use->arguments[0].kind;
    if (kind != TYPE_TIMESTAMP && kind != TYPE_NULL) // nothing is cast implicitly
        return refuse_argument(use, name, "a TIMESTAMP", err);
    use->wanted[0] = type_of(TYPE_TIMESTAMP);
    use_set_result(use, type_of(TYPE_INT64), kernel);
    return true;
}

bool resolve_unix_seconds(struct function_use *use, struct error *err) {
    return resolve_unix(use, "unix_seconds", unix_seconds_kernel, err);
}

bool resolve_unix_millis(struct function_use *use, struct error *err) {
    return resolve_unix(use, "unix_millis", unix_millis_kernel, err);
}

/* ---- to_timestamp, to_date, unix_timestamp ---- */

KERNEL_1(same_int32, int32_t, int32_t, x)

/* A cast that is written as a function. */
bool resolve_to_timestamp(struct function_use *use, struct error *err) {
    enum type kind = use->arguments[0].kind;
    if (!is_scalar(kind) || kind == TYPE_BINARY)
        return refuse_argument(use, "to_timestamp", "a text, a number or a time", err);
    bool is_truth = kind == TYPE_BOOL; // read as a text: "true" is not a time
    use->wanted[0] = type_of(is_truth ? TYPE_BOOL : TYPE_TIMESTAMP);
    use_set_result(use, type_of(TYPE_TIMESTAMP), is_truth ? kernel_null : same_int64);
    use->can_be_null |= is_truth;
    return true;
}

bool resolve_to_date(struct function_use *use, struct error *err) {
    enum type kind = use->arguments[0].kind;
    if (!is_time(kind) && kind != TYPE_STRING && kind != TYPE_NULL)
        return refuse_argument(use, "to_date", "a text or a time", err);
    use->wanted[0] = type_of(TYPE_DATE);
    use_set_result(use, type_of(TYPE_DATE), same_int32);
    return true;
}

/* Exactly "2024-06-01 12:30:00", as Java's DateTimeFormatter reads it strictly: a year of more than
 * four digits has a sign. */
static bool parse_default_pattern(struct text text, const struct zone *zone, int64_t *seconds) {
    static const char form[] = "-00-00 00:00:00";
    enum { REST = sizeof form - 1, YEAR_DIGITS = 4, YEAR_DIGITS_MAX = 6 };
    const char *at = text.bytes, *end = at + text.length;
    bool has_sign = at < end && (*at == '-' || *at == '+'), negative = has_sign && *at == '-';
    at += has_sign ? 1 : 0;
    struct date date = {0};
    int digits = 0;
    for (; at < end && *at >= '0' && *at <= '9' && digits <= YEAR_DIGITS_MAX; at++, digits++)
        date.year = date.year * 10 + (*at - '0');
    bool long_enough = has_sign && !negative ? digits > YEAR_DIGITS : digits >= YEAR_DIGITS;
    if (!long_enough || digits > YEAR_DIGITS_MAX || (!has_sign && digits != YEAR_DIGITS) ||
        end - at != REST || (negative && date.year == 0))
        return false;
    int parts[5] = {0}, part = -1;
    for (size_t i = 0; i < REST; i++) {
        bool is_digit = at[i] >= '0' && at[i] <= '9';
        if (form[i] == '0' ? !is_digit : at[i] != form[i])
            return false;
        if (form[i] != '0')
            part++;
        else
            parts[part] = parts[part] * 10 + (at[i] - '0');
    }
    date.year = negative ? -date.year : date.year;
    date.month = parts[0];
    date.day = parts[1];
    if (date.month < 1 || date.month > 12 || date.day < 1 ||
        date.day > calendar_days_of_month(date.year, date.month) || parts[2] > 23 ||
        parts[3] > 59 || parts[4] > 59)
        return false;
    int64_t local =
        calendar_days(date) * SECONDS_PER_DAY + ((int64_t)parts[2] * 60 + parts[3]) * 60 + parts[4];
    *seconds = local - zone_offset_of_local(zone, local);
    return true;
}

static bool unix_of_text(const struct kernel_call *call) {
    const struct operand *in = call->arguments[0];
    struct vector *out = &call->out->vector;
    for (size_t row = call->first, end = row + call->count; row < end; row++)
        out->valid[row] =
            is_present(in, row) &&
            parse_default_pattern(text_at(in, row), &call->context->zone, &out->int64s[row]);
    return true;
}

bool resolve_unix_timestamp(struct function_use *use, struct error *err) {
    enum type kind = use->arguments[0].kind;
    if (!is_time(kind) && kind != TYPE_STRING && kind != TYPE_NULL)
        return refuse_argument(use, "unix_timestamp", "a text or a time", err);
    bool is_text = kind == TYPE_STRING || kind == TYPE_NULL;
    enum type moment = kind == TYPE_TIMESTAMP_NTZ ? kind : TYPE_TIMESTAMP; // its own clock is UTC
    use->wanted[0] = type_of(is_text ? TYPE_STRING : moment);
    use_set_result(use, type_of(TYPE_INT64), is_text ? unix_of_text : unix_timestamp_kernel);
    use->can_be_null = true;
    return true;
}

/* ---- parts of a date or a time of day ---- */

static inline int32_t year_of(int32_t day) {
    return (int32_t)calendar_date(day).year;
}

static inline int32_t month_of(int32_t day) {
    return calendar_date(day).month;
}

static inline int32_t day_of(int32_t day) {
    return calendar_date(day).day;
}

KERNEL_1(year_kernel, int32_t, int32_t, year_of(x))
KERNEL_1(month_kernel, int32_t, int32_t, month_of(x))
KERNEL_1(day_kernel, int32_t, int32_t, day_of(x))

/* (Seconds of the day / unit) % modulus. */
static inline bool time_of_day(const struct kernel_call *call, int32_t unit, int32_t modulus) {
    const struct vector *in = &call->arguments[0]->vector;
    const struct zone *zone = in->type == TYPE_TIMESTAMP ? &call->context->zone : &zone_utc;
    struct vector *out = &call->out->vector;
    for (size_t row = call->first, end = row + call->count; row < end; row++) {
        int64_t local = moment_local_seconds(zone, in->int64s[row]);
        out->valid[row] = in->valid[row];
        out->int32s[row] = (int32_t)calendar_floor_rest(local, SECONDS_PER_DAY) / unit % modulus;
    }
    return true;
}

static bool hour_kernel(const struct kernel_call *call) {
    return time_of_day(call, 3600, 24);
}

static bool minute_kernel(const struct kernel_call *call) {
    return time_of_day(call, 60, 60);
}

static bool second_kernel(const struct kernel_call *call) {
    return time_of_day(call, 1, 60);
}

static bool resolve_part(struct function_use *use, const char *name, enum type type,
                         kernel_fn *kernel, struct error *err) {
    if (!use_want(use, name, 0, type, err))
        return false;
    use_set_result(use, type_of(TYPE_INT32), kernel);
    return true;
}

/* A timestamp without a time zone keeps its own clock. */
static bool resolve_time_of_day(struct function_use *use, const char *name, kernel_fn *kernel,
                                struct error *err) {
    bool is_local = use->arguments[0].kind == TYPE_TIMESTAMP_NTZ;
    return resolve_part(use, name, is_local ? TYPE_TIMESTAMP_NTZ : TYPE_TIMESTAMP, kernel, err);
}

bool resolve_year(struct function_use *use, struct error *err) {
    return resolve_part(use, "year", TYPE_DATE, year_kernel, err);
}

bool resolve_month(struct function_use *use, struct error *err) {
    return resolve_part(use, "month", TYPE_DATE, month_kernel, err);
}

bool resolve_day(struct function_use *use, struct error *err) {
    return resolve_part(use, "day", TYPE_DATE, day_kernel, err);
}

bool resolve_hour(struct function_use *use, struct error *err) {
    return resolve_time_of_day(use, "hour", hour_kernel, err);
}

bool resolve_minute(struct function_use *use, struct error *err) {
    return resolve_time_of_day(use, "minute", minute_kernel, err);
}

bool resolve_second(struct function_use *use, struct error *err) {
    return resolve_time_of_day(use, "second", second_kernel, err);
}

/* ---- date_trunc ---- */

/* Spark throws near the lower limit of timestamps; the exact moment depends on the unit and the
 * zone, so ours is a little above all of them (in the year -290300). */
#define TRUNCATED_MICROS_MIN (-9223000000000000000)

enum trunc_unit {
    UNIT_NONE, // unknown: always null
    UNIT_YEAR,
    UNIT_QUARTER,
    UNIT_MONTH,
    UNIT_WEEK,
    UNIT_DAY,
    UNIT_HOUR,
    UNIT_MINUTE,
    UNIT_SECOND,
    UNIT_MILLISECOND,
    UNIT_MICROSECOND,
};

static enum trunc_unit unit_named(struct text name) {
    static const struct {
        const char *name;
        enum trunc_unit unit;
    } units[] = {
        {"year", UNIT_YEAR},
        {"yyyy", UNIT_YEAR},
        {"yy", UNIT_YEAR},
        {"month", UNIT_MONTH},
        {"mon", UNIT_MONTH},
        {"mm", UNIT_MONTH},
        {"day", UNIT_DAY},
        {"dd", UNIT_DAY},
        {"hour", UNIT_HOUR},
        {"minute", UNIT_MINUTE},
        {"second", UNIT_SECOND},
        {"week", UNIT_WEEK},
        {"quarter", UNIT_QUARTER},
        {"millisecond", UNIT_MILLISECOND},
        {"microsecond", UNIT_MICROSECOND},
    };
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strlen(units[i].name) == name.length &&
            strncasecmp(units[i].name, name.bytes, name.length) == 0)
            return units[i].unit;
    return UNIT_NONE;
}

static int64_t first_day(int64_t day, enum trunc_unit unit) {
    if (unit == UNIT_WEEK)
        return day - (calendar_weekday(day) + 6) % 7; // to Monday
    struct date date = calendar_date(day);
    date.day = 1;
    if (unit == UNIT_YEAR)
        date.month = 1;
    else if (unit == UNIT_QUARTER)
        date.month = (date.month - 1) / 3 * 3 + 1;
    return calendar_days(date);
}

/* To a multiple of seconds on the zone's own clock, which keeps its offset if it can. */
static int64_t truncate_local(const struct zone *zone, int64_t micros, int64_t unit) {
    int64_t seconds = calendar_floor_divide(micros, MICROS_PER_SECOND);
    int32_t offset = zone_offset_at(zone, seconds);
    int64_t local = calendar_floor_divide(seconds + offset, unit) * unit;
    if (zone_offset_at(zone, local - offset) != offset)
        offset = zone_offset_of_local(zone, local);
    return (local - offset) * MICROS_PER_SECOND;
}

static int64_t truncate_moment(const struct zone *zone, int64_t micros, enum trunc_unit unit) {
    switch (unit) {
    case UNIT_MICROSECOND:
        return micros;
    case UNIT_MILLISECOND:
        return calendar_floor_divide(micros, 1000) * 1000;
    case UNIT_SECOND:
        return calendar_floor_divide(micros, MICROS_PER_SECOND) * MICROS_PER_SECOND;
    case UNIT_MINUTE:
        return truncate_local(zone, micros, 60);
    case UNIT_HOUR:
        return truncate_local(zone, micros, 3600);
    case UNIT_DAY:
        return truncate_local(zone, micros, SECONDS_PER_DAY);
    default:
        return moment_of_day(zone, first_day(moment_day(zone, micros), unit));
    }
}

static bool date_trunc_kernel(const struct kernel_call *call) {
    const struct operand *name = call->arguments[0], *in = call->arguments[1];
    struct vector *out = &call->out->vector;
    enum trunc_unit unit =
        is_present(name, call->first) ? unit_named(text_at(name, call->first)) : UNIT_NONE;
    for (size_t row = call->first, end = row + call->count; row < end; row++) {
        bool present = is_present(in, row) && unit != UNIT_NONE;
        bool is_fault =
            present && unit != UNIT_MICROSECOND && in->vector.int64s[row] < TRUNCATED_MICROS_MIN;
        out->valid[row] = present && !is_fault;
        if (is_fault)
            call->out->faults[row] = 1;
        if (out->valid[row] != 0)
            out->int64s[row] = truncate_moment(&call->context->zone, in->vector.int64s[row], unit);
    }
    return true;
}

static bool truncates_nothing(const struct constant *unit) {
    return unit != NULL && unit->present && unit_named(unit->text) == UNIT_MICROSECOND;
}

bool resolve_date_trunc(struct function_use *use, struct error *err) {
    const struct constant *unit = use->constants[0];
    if (unit == NULL)
        return use_refuse(err, "date_trunc: the first argument must be a literal, such as 'DAY'");
    if (unit->present && use->arguments[0].kind == TYPE_STRING &&
        unit_named(unit->text) == UNIT_NONE)
        return use_refuse(err,
                          "date_trunc: unknown unit '%.*s' (expected year, quarter, month, week, "
                          "day, hour, minute, second, millisecond or microsecond)",
                          (int)unit->text.length, unit->text.bytes);
    if (!use_want(use, "date_trunc", 0, TYPE_STRING, err) ||
        !use_want(use, "date_trunc", 1, TYPE_TIMESTAMP, err))
        return false;
    use_set_result(use, type_of(TYPE_TIMESTAMP), date_trunc_kernel);
    use->can_be_null = true;
    use->can_fault = unit->present && !truncates_nothing(unit);
    return true;
}

const char *guard_date_trunc(const struct function_use *use, const char *const *arguments,
                             struct pool *pool) {
    if (truncates_nothing(use->constants[0]))
        return pool_format(pool, "date_trunc(%s, %s)", arguments[0], arguments[1]);
    return pool_format(pool, "CASE WHEN unix_micros(%s) >= %lld THEN date_trunc(%s, %s) END",
                       arguments[1], (long long)TRUNCATED_MICROS_MIN, arguments[0], arguments[1]);
}
