/* Digits are read eight at a time (base/digits.h). A double is its digits times a power of ten
 * where both are exact in a double (double_compose()); all others are left to column.h.
 *
 * In a string each escape and each byte beyond ASCII is a stop, so the bytes between two stops are
 * copied without a look. What must stay true: nothing is set and nothing moves unless the whole
 * value could be read. */
#include "pipeline/json/value.h"

#include "base/utf8.h"
#include "core/date_text.h"
#include "core/decimal.h"
#include "core/double_text.h"

/* So many digits can't overflow an int64. */
enum { DIGITS_MAX = 18 };

const bool json_behind_value[256] = {
    [','] = true, ['}'] = true, [' '] = true, ['\n'] = true, ['\r'] = true, ['\t'] = true};

static const uint64_t powers_of_ten[] = {1,      10,      100,      1000,     10000,
                                         100000, 1000000, 10000000, 100000000};

/* At least one digit, at most DIGITS_MAX; NULL: none, or more. */
static const char *read_digits(const char *at, uint64_t *value) {
    const char *end = at;
    *value = 0;
    for (unsigned count = WORD_SIZE; count == WORD_SIZE && end - at <= DIGITS_MAX; end += count) {
        uint64_t digits = digits_load(end);
        count = digits_count(digits);
        if (count > 0)
            *value = *value * powers_of_ten[count] + digits_number(digits, count);
    }
    return end == at || end - at > DIGITS_MAX ? NULL : end;
}

/* The digits of a whole number: without a leading zero. */
static const char *read_whole(const char *at, uint64_t *value) {
    const char *behind = read_digits(at, value);
    return behind == NULL || (*at == '0' && behind - at > 1) ? NULL : behind;
}

const char *json_common_long(const char *at, int64_t *value) {
    bool negative = *at == '-';
    uint64_t magnitude;
    const char *behind = read_whole(at + negative, &magnitude);
    if (behind == NULL || !json_is_behind_value(*behind))
        return NULL;
    *value = negative ? -(int64_t)magnitude : (int64_t)magnitude;
    return behind;
}

const char *json_common_double(const char *at, double *value) {
    bool negative = *at == '-';
    uint64_t whole;
    const char *point = read_whole(at + negative, &whole);
    if (point == NULL || *point != '.' || point - at > DIGITS_MAX - WORD_SIZE)
        return NULL;
    uint64_t digits = digits_load(point + 1);
    unsigned count = digits_count(digits);
    if (count == 0)
        return NULL;
    const char *behind = point + 1 + count;
    whole = whole * powers_of_ten[count] + digits_number(digits, count);
    if (!json_is_behind_value(*behind) || !double_compose(negative, whole, -(int64_t)count, value))
        return NULL;
    return behind;
}

const char *json_common_null(const char *at) {
    bool same = (uint32_t)word_load(at) == (uint32_t)word_load("null\0\0\0");
    return same && json_is_behind_value(at[4]) ? at + 4 : NULL;
}

const char *json_common_bool(const char *at, uint8_t *value) {
    bool is_true = (uint32_t)word_load(at) == (uint32_t)word_load("true\0\0\0");
    bool is_false = *at == 'f' && (uint32_t)word_load(at + 1) == (uint32_t)word_load("alse\0\0\0");
    const char *behind = at + (is_true ? 4 : 5);
    if (!(is_true || is_false) || !json_is_behind_value(*behind))
        return NULL;
    *value = is_true;
    return behind;
}

/* Digits' values plus one; 0: no digit. */
static const uint8_t hex_digits[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16};

static const char short_escapes[256] = {
    ['b'] = '\b', ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
    ['"'] = '"',  ['/'] = '/',  ['\\'] = '\\', ['\''] = '\''};

enum { UNIT_SIZE = 4, UNIT_NONE = 0x10000 };

/* The four hexadecimal digits at `at`, or UNIT_NONE. */
static uint32_t read_unit(const char *at) {
    uint32_t unit = 0;
    bool all = true;
    for (int i = 0; i < UNIT_SIZE; i++) {
        uint32_t digit = hex_digits[(unsigned char)at[i]];
        all = all && digit != 0;
        unit = unit << 4 | ((digit - 1) & 0xF);
    }
    return all ? unit : UNIT_NONE;
}

/* The escape behind the backslash before `at`; the byte behind it, or NULL. */
static const char *take_escape(const char *at, char **to) {
    char simple = short_escapes[(unsigned char)*at];
    if (simple != 0) {
        *(*to)++ = simple;
        return at + 1;
    }
    uint32_t character = *at == 'u' ? read_unit(at + 1) : UNIT_NONE;
    if (character == UNIT_NONE)
        return NULL;
    at += 1 + UNIT_SIZE;
    if (character >= 0xD800 && character <= 0xDFFF) {
        uint32_t low = at[0] == '\\' && at[1] == 'u' ? read_unit(at + 2) : UNIT_NONE;
        if (character > 0xDBFF || low < 0xDC00 || low > 0xDFFF)
            return NULL;
        character = 0x10000 + ((character - 0xD800) << 10 | (low - 0xDC00));
        at += 2 + UNIT_SIZE;
    }
    *to += utf8_encode(character, *to);
    return at;
}

/* The character beyond ASCII at `at`; the byte behind it, or NULL. */
static const char *take_character(const char *at, char **to) {
    size_t size;
    bool valid;
    (void)utf8_decode(at, at + UTF8_CHARACTER_MAX, &size, &valid); // zeros end the record
    if (!valid)
        return NULL;
    memcpy(*to, at, UTF8_CHARACTER_MAX);
    *to += size;
    return at + size;
}

bool json_read_marked(const char *bytes, const uint16_t **stop, char **to) {
    const uint16_t *next = *stop + 1;
    const char *from = bytes + **stop + 1;
    char *out = *to;
    for (;;) {
        const char *mark = bytes + *next;
        json_copy_loosely(out, from, (size_t)(mark - from));
        out += mark - from;
        if (*mark == '"') {
            *stop = next;
            *to = out;
            return true;
        }
        if (*mark == '\\')
            from = take_escape(mark + 1, &out);
        else
            from = (signed char)*mark < 0 ? take_character(mark, &out) : NULL;
        if (from == NULL)
            return false;
        while (bytes + *next < from)
            next++;
    }
}

/* ---- the rarer types: the byte behind the value, or NULL ---- */

static const char *read_small(const char *at, const struct vector *vector, size_t index) {
    bool is_byte = vector->type == TYPE_INT8;
    int64_t value, min = is_byte ? INT8_MIN : INT16_MIN, max = is_byte ? UINT8_MAX : INT16_MAX;
    const char *behind = json_common_int64(at, &value);
    if (behind == NULL || value < min || value > max)
        return NULL;
    if (is_byte)
        vector->int8s[index] = (int8_t)value;
    else
        vector->int16s[index] = (int16_t)value;
    return behind;
}

/* A number's text; no length: another form. */
static struct text number_text(const char *at) {
    int64_t whole;
    double value;
    const char *behind = json_common_int64(at, &whole);
    if (behind == NULL)
        behind = json_common_double(at, &value);
    return (struct text){at, behind == NULL ? 0 : (uint32_t)(behind - at)};
}

static const char *read_float(const char *at, const struct vector *vector, size_t index) {
    struct text text = number_text(at);
    if (text.length == 0)
        return NULL;
    float value = float_parse(text.bytes, text.length);
    bool is_integer = memchr(text.bytes, '.', text.length) == NULL;
    vector->floats[index] = is_integer && value == 0 ? 0.0F : value;
    return at + text.length;
}

static const char *read_decimal(const char *at, const struct column *declared,
                                const struct vector *vector, size_t index) {
    struct text text = number_text(at);
    if (text.length == 0 ||
        !decimal_parse(text, declared->precision, declared->scale, &vector->decimals[index]))
        return NULL;
    return at + text.length;
}

/* Dates, and timestamps without a time zone, between the quotes at two stops. */
static struct json_cursor read_local_time(const char *bytes, struct json_cursor cursor,
                                          const struct vector *vector, size_t index) {
    const char *start = cursor.at + 1, *end = bytes + cursor.stop[1];
    struct text text = {start, (uint32_t)(end - start)};
    bool read = *cursor.at == '"' && *end == '"' &&
                (vector->type == TYPE_DATE ? date_text_parse_lenient(text, &vector->int32s[index])
                                           : timestamp_parse_local(text, &vector->int64s[index]));
    return (struct json_cursor){read ? end + 1 : NULL, cursor.stop + 2};
}

struct json_cursor json_read_other(const char *bytes, struct json_cursor cursor,
                                   const struct column *declared, const struct vector *vector,
                                   size_t index) {
    switch (vector->type) {
    case TYPE_INT8:
    case TYPE_INT16:
        cursor.at = read_small(cursor.at, vector, index);
        break;
    case TYPE_FLOAT:
        cursor.at = read_float(cursor.at, vector, index);
        break;
    case TYPE_DECIMAL:
        cursor.at = read_decimal(cursor.at, declared, vector, index);
        break;
    case TYPE_DATE:
    case TYPE_TIMESTAMP_NTZ:
        return read_local_time(bytes, cursor, vector, index);
    default: // binaries
        cursor.at = NULL;
    }
    return cursor;
}
