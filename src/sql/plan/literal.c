/* literal.c: literals have Spark's types: digits alone are INT, BIGINT or DECIMAL, by their size;
 * with a point DECIMAL, with precision and scale as written; with an exponent DOUBLE. A sign is
 * part of the number, as in Spark, so that -2147483648 is INT.
 *
 * What depends on a setting has no literal: a TIMESTAMP must have a zone, because the session's
 * zone is a setting. */
#include "sql/plan/literal.h"

#include <float.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/utf8.h"
#include "core/calendar.h"
#include "core/double_text.h"
#include "core/timestamp.h"

enum { MICROS_PER_SECOND = 1000000, SECONDS_PER_DAY = 86400 };

/* ---- numbers ---- */

static bool out_of_range(struct planner *planner, const struct sql_node *node, enum type type,
                         struct error *err) {
    return PLAN_ERROR(err, planner, node->place, "number %s is out of the range of %s", node->text,
                      type_sql_name(type));
}

/* The digits without their point. False: more than any type can hold. */
static bool read_digits(const char *text, bool negative, int128_t *value, int *precision,
                        int *scale) {
    int digits = 0;
    bool fraction = false;
    *value = 0;
    *scale = 0;
    for (; *text != '\0'; text++) {
        if (*text == '.') {
            fraction = true;
            continue;
        }
        digits += digits > 0 || *text != '0';
        *scale += fraction;
        if (digits > DECIMAL_PRECISION_MAX || *scale > DECIMAL_PRECISION_MAX)
            return false;
        *value = *value * 10 + (*text - '0');
    }
    *value = negative ? -*value : *value;
    *precision = digits > *scale ? digits : *scale > 0 ? *scale : 1;
    return true;
}

static const struct {
    enum type type;
    int64_t least, most;
} ranges[] = {
    {TYPE_INT8, INT8_MIN, INT8_MAX},
    {TYPE_INT16, INT16_MIN, INT16_MAX},
    {TYPE_INT32, INT32_MIN, INT32_MAX},
    {TYPE_INT64, INT64_MIN, INT64_MAX},
};

static bool fits(int128_t value, enum type type) {
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (ranges[i].type == type)
            return value >= ranges[i].least && value <= ranges[i].most;
    return false;
}

static void set_whole(struct expr *expr, enum type type, int128_t value) {
    expr->type.kind = type;
    if (type == TYPE_INT64)
        expr->constant.int64 = (int64_t)value;
    else
        expr->constant.int32 = (int32_t)value;
}

static bool make_whole_or_decimal(struct planner *planner, const struct sql_node *node,
                                  bool negative, struct expr *expr, struct error *err) {
    int128_t value;
    int precision, scale;
    if (!read_digits(node->text, negative, &value, &precision, &scale))
        return PLAN_ERROR(err, planner, node->place,
                          "number %s has more than %d digits, the most that DECIMAL can have",
                          node->text, DECIMAL_PRECISION_MAX);
    bool has_point = strchr(node->text, '.') != NULL;
    if (node->type != NULL && (has_point || !fits(value, node->type->kind)))
        return out_of_range(planner, node, node->type->kind, err);
    if (node->type != NULL) {
        set_whole(expr, node->type->kind, value);
    } else if (!has_point && fits(value, TYPE_INT64)) {
        set_whole(expr, fits(value, TYPE_INT32) ? TYPE_INT32 : TYPE_INT64, value);
    } else {
        expr->type =
            (struct data_type){.kind = TYPE_DECIMAL, .precision = precision, .scale = scale};
        expr->constant.decimal = value;
    }
    return true;
}

static bool make_real(struct planner *planner, const struct sql_node *node, bool negative,
                      struct expr *expr, struct error *err) {
    bool is_float = node->type != NULL && node->type->kind == TYPE_FLOAT;
    expr->type.kind = is_float ? TYPE_FLOAT : TYPE_DOUBLE;
    // The text is digits, a point and an exponent, and the process has the locale "C".
    double number = strtod(node->text, NULL);
    if (number > (is_float ? (double)FLT_MAX : DBL_MAX))
        return out_of_range(planner, node, expr->type.kind, err);
    if (is_float)
        expr->constant.real = strtof(node->text, NULL) * (negative ? -1 : 1);
    else
        expr->constant.number = negative ? -number : number;
    return true;
}

static bool make_number(struct planner *planner, const struct sql_node *node, bool negative,
                        struct expr *expr, struct error *err) {
    bool is_real = node->type != NULL
                       ? node->type->kind == TYPE_FLOAT || node->type->kind == TYPE_DOUBLE
                       : strpbrk(node->text, "eE") != NULL;
    return (is_real ? make_real : make_whole_or_decimal)(planner, node, negative, expr, err);
}

/* ---- DATE '…', TIMESTAMP '…', X'…' ---- */

/* Whether it begins with yyyy-MM-dd, and is that alone or has a time. */
static bool has_day(const char *text, bool and_time) {
    static const char form[] = "dddd-dd-dd";
    for (size_t i = 0; form[i] != '\0'; i++)
        if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            return false;
    return and_time ? text[10] == ' ' || text[10] == 'T' : text[10] == '\0';
}

static bool parse_moment(const struct sql_node *node, int32_t offset, int64_t *micros) {
    const struct timestamp_context context = {.zone = {.offset = offset}};
    const struct text text = {.bytes = node->text, .length = (uint32_t)node->text_length};
    return timestamp_parse(text, &context, micros);
}

static bool make_date(const struct sql_node *node, struct expr *expr) {
    int64_t micros;
    if (!has_day(node->text, false) || !parse_moment(node, 0, &micros))
        return false;
    expr->constant.int32 =
        (int32_t)calendar_floor_divide(micros, (int64_t)SECONDS_PER_DAY * MICROS_PER_SECOND);
    return true;
}

/* A zone is written exactly if the context's does not matter. */
static bool make_moment(const struct sql_node *node, bool with_zone, struct expr *expr) {
    int64_t micros, elsewhere;
    if (!has_day(node->text, true) || !parse_moment(node, 0, &micros) ||
        !parse_moment(node, 3600, &elsewhere) || (micros == elsewhere) != with_zone)
        return false;
    expr->constant.int64 = micros;
    return true;
}

static int hex_digit(char c) {
    static const char digits[] = "0123456789abcdef";
    const char *at = c != '\0' ? strchr(digits, c | 0x20) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

static bool make_bytes(struct planner *planner, const struct sql_node *node, struct expr *expr) {
    size_t length = node->text_length, odd = length % 2; // X'A' is one byte, as in Spark
    uint8_t *bytes = pool_alloc(&planner->plan->pool, length / 2 + 1, 1);
    for (size_t i = 0; i < length; i++) {
        int digit = hex_digit(node->text[i]);
        if (digit < 0)
            return false;
        size_t at = (i + odd) / 2;
        bytes[at] = (uint8_t)(bytes[at] << 4 | digit);
    }
    expr->constant.text =
        (struct text){.bytes = (const char *)bytes, .length = (uint32_t)((length + odd) / 2)};
    return true;
}

static bool make_typed(struct planner *planner, const struct sql_node *node, struct expr *expr,
                       struct error *err) {
    const char *expected;
    expr->type = *node->type;
    switch (node->type->kind) {
    case TYPE_DATE:
        expected = "a day that exists, 'yyyy-MM-dd'";
        if (make_date(node, expr))
            return true;
        break;
    case TYPE_TIMESTAMP:
        expected = "'yyyy-MM-dd HH:mm:ss' with a zone, such as '2024-01-31 12:00:00Z'; without one "
                   "it would depend on SPARK_SQL_SESSION_TIMEZONE";
        if (make_moment(node, true, expr))
            return true;
        break;
    case TYPE_TIMESTAMP_NTZ:
        expected = "'yyyy-MM-dd HH:mm:ss' without a zone";
        if (make_moment(node, false, expr))
            return true;
        break;
    default:
        expected = "hexadecimal digits";
        if (make_bytes(planner, node, expr))
            return true;
        break;
    }
    return PLAN_ERROR(err, planner, node->place, "invalid %s literal '%s' (expected %s)",
                      type_sql_name(node->type->kind), node->text, expected);
}

/* ---- all of them ---- */

bool literal_make(struct planner *planner, const struct sql_node *node, bool negative,
                  const struct expr **out, struct error *err) {
    struct expr *expr = planner_expr(EXPR_LITERAL, planner, node->place);
    expr->constant.present = node->kind != SQL_NULL;
    expr->can_be_null = node->kind == SQL_NULL;
    *out = expr;
    switch (node->kind) {
    case SQL_NULL:
        expr->type.kind = TYPE_NULL;
        return true;
    case SQL_TRUE:
    case SQL_FALSE:
        expr->type.kind = TYPE_BOOL;
        expr->constant.boolean = node->kind == SQL_TRUE;
        return true;
    case SQL_NUMBER:
        return make_number(planner, node, negative, expr, err);
    case SQL_STRING:
        expr->type.kind = TYPE_STRING;
        expr->constant.text = (struct text){
            .bytes = pool_copy(&planner->plan->pool,
                               (struct text){node->text, (uint32_t)node->text_length}),
            .length = (uint32_t)node->text_length};
        return true;
    default:
        check(node->kind == SQL_LITERAL);
        return make_typed(planner, node, expr, err);
    }
}

/* ---- printing ---- */

/* A text in quotes. For Spark everything but printable ASCII is \uXXXX, which its parser reads as
 * UTF-16; for people only what would not show. Never an octal escape or \0, which could take a
 * digit that follows. */
static const char *print_text(struct text text, bool for_spark, struct pool *pool) {
    char *printed = pool_alloc(pool, 12 * (size_t)text.length + 3, 1), *to = printed;
    const char *at = text.bytes, *end = at + text.length;
    *to++ = '\'';
    while (at < end) {
        size_t size;
        bool valid;
        uint32_t character = utf8_decode(at, end, &size, &valid);
        bool shows = character < 0x80 ? character >= 0x20 && character != 0x7f
                                      : !for_spark && !escape_is_control(character);
        if (shows) {
            if (*at == '\'' || *at == '\\')
                *to++ = '\\';
            memcpy(to, at, size);
            to += size;
        } else if (character < 0x10000) {
            to += sprintf(to, "\\u%04X", (unsigned)character);
        } else {
            to += sprintf(to, "\\u%04X\\u%04X", (unsigned)(0xD7C0 + (character >> 10)),
                          (unsigned)(0xDC00 + (character & 0x3ff)));
        }
        at += size;
    }
    *to = '\'';
    return printed;
}

static const char *print_decimal(const struct expr *literal, bool for_spark, struct pool *pool) {
    char digits[DECIMAL_PRECISION_MAX + 2] = "";
    int scale = literal->type.scale, count = 0;
    int128_t value = literal->constant.decimal;
    bool negative = value < 0;
    for (; value != 0 || count <= scale; value /= 10) {
        int digit = (int)(value % 10);
        memmove(digits + 1, digits, (size_t)count++);
        digits[0] = (char)('0' + (digit < 0 ? -digit : digit));
    }
    // Digits alone are INT or BIGINT, unless a point or a suffix says otherwise.
    const char *suffix = for_spark ? "BD" : "";
    const char *point = scale > 0 || !for_spark ? "." : "";
    return pool_format(pool, "%s%.*s%s%s%s", negative ? "-" : "", count - scale, digits, point,
                       digits + count - scale, suffix);
}

/* The shortest text that is read back as the same, and is not beyond the range, which Spark checks
 * before it rounds: 3.4028235E38 is. */
static const char *print_float(float value, struct pool *pool) {
    char text[DOUBLE_TEXT_MAX + 1];
    for (int places = 1; places <= 17; places++) {
        snprintf(text, sizeof text, "%.*g", places, (double)value);
        double number = strtod(text, NULL);
        if ((float)number == value && number <= (double)FLT_MAX && number >= -(double)FLT_MAX)
            break;
    }
    return pool_format(pool, "%sF", text);
}

static const char *print_double(double value, struct pool *pool) {
    char text[DOUBLE_TEXT_MAX];
    size_t size = double_format(value, text);
    return pool_format(pool, "%.*sD", (int)size, text);
}

static const char *print_bytes(struct text bytes, struct pool *pool) {
    char *text = pool_alloc(pool, 2 * (size_t)bytes.length + 4, 1), *to = text;
    to += sprintf(to, "X'");
    for (size_t i = 0; i < bytes.length; i++)
        to += sprintf(to, "%02X", (unsigned char)bytes.bytes[i]);
    *to = '\'';
    return text;
}

static const char *print_day(int64_t days, struct pool *pool) {
    struct date date = calendar_date(days);
    return pool_format(pool, "%04" PRId64 "-%02d-%02d", date.year, date.month, date.day);
}

static const char *print_moment(const struct expr *literal, struct pool *pool) {
    int64_t micros = literal->constant.int64;
    int64_t seconds = calendar_floor_divide(micros, MICROS_PER_SECOND);
    int64_t of_day = calendar_floor_rest(seconds, SECONDS_PER_DAY);
    return pool_format(pool, "%s '%s %02d:%02d:%02d.%06d%s'", type_sql_name(literal->type.kind),
                       print_day(calendar_floor_divide(seconds, SECONDS_PER_DAY), pool),
                       (int)(of_day / 3600), (int)(of_day / 60 % 60), (int)(of_day % 60),
                       (int)calendar_floor_rest(micros, MICROS_PER_SECOND),
                       literal->type.kind == TYPE_TIMESTAMP ? "Z" : "");
}

const char *literal_print(const struct expr *literal, bool for_spark, struct pool *pool) {
    const struct constant *constant = &literal->constant;
    if (!constant->present)
        return "NULL";
    switch (literal->type.kind) {
    case TYPE_BOOL:
        return constant->boolean ? "TRUE" : "FALSE";
    case TYPE_INT8:
        return pool_format(pool, "%" PRId32 "Y", constant->int32);
    case TYPE_INT16:
        return pool_format(pool, "%" PRId32 "S", constant->int32);
    case TYPE_INT32:
        return pool_format(pool, "%" PRId32, constant->int32);
    case TYPE_INT64: {
        // Without a suffix only what is too large for INT is BIGINT.
        bool plain = !for_spark && !fits(constant->int64, TYPE_INT32);
        return pool_format(pool, "%" PRId64 "%s", constant->int64, plain ? "" : "L");
    }
    case TYPE_FLOAT:
        return print_float(constant->real, pool);
    case TYPE_DOUBLE:
        return print_double(constant->number, pool);
    case TYPE_DECIMAL:
        return print_decimal(literal, for_spark, pool);
    case TYPE_DATE:
        return pool_format(pool, "DATE '%s'", print_day(constant->int32, pool));
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
        return print_moment(literal, pool);
    case TYPE_BINARY:
        return print_bytes(constant->text, pool);
    default:
        check(literal->type.kind == TYPE_STRING);
        return print_text(constant->text, for_spark, pool);
    }
}
