/* A `.sample` text is alternatives with modifiers behind them. One alternative is chosen by a
 * random number of the record's number and a word: the column's name, or its group's, so that the
 * columns of one group choose alike. What it holds is a text with numbers in braces, a range, or a
 * copy of another column's value. Nothing else decides, so the same schema, seed and number give
 * the same values everywhere. */
#include "surfaces/demo/sample_draw.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"

/* A `.sample` text, taken apart. */
struct pattern {
    struct text alternatives; // "a|b|c"
    struct text group;        // of "&group"; empty: the column's own name
    struct text condition;    // "column=value"; empty: none
    uint64_t missing;         // per cent
};

/* A number that depends on the record's number and a word, and on nothing else. */
static uint64_t random_of(uint64_t number, struct text word) {
    uint64_t hash = number * 0x9E3779B97F4A7C15U + 0x632BE59BD9B4E019U;
    for (uint32_t i = 0; i < word.length; i++)
        hash = (hash ^ (unsigned char)word.bytes[i]) * 0x100000001B3U;
    hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9U; // the finish of splitmix64
    hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EBU;
    return hash ^ (hash >> 31);
}

static struct text text_of(const char *bytes) {
    return (struct text){.bytes = bytes, .length = (uint32_t)strlen(bytes)};
}

/* Where `mark` begins in the text, or its length. */
static uint32_t find(struct text text, const char *mark) {
    if (text.length == 0)
        return 0;
    const char *at = memmem(text.bytes, text.length, mark, strlen(mark));
    return at == NULL ? text.length : (uint32_t)(at - text.bytes);
}

static struct text from(struct text text, uint32_t start) {
    return (struct text){.bytes = text.bytes + start, .length = text.length - start};
}

static struct text upto(struct text text, uint32_t end) {
    return (struct text){.bytes = text.bytes, .length = end};
}

/* A text that a user wrote may be wrong. What is drawn then is of no use, but harmless. */
struct drawing {
    const struct sample_values *values;
    bool is_wrong;
};

static int64_t integer_of(struct drawing *drawing, struct text text) {
    char copy[SAMPLE_VALUE_MAX], *end;
    snprintf(copy, sizeof copy, "%.*s", (int)text.length, text.bytes);
    errno = 0;
    int64_t value = strtoll(copy, &end, 10);
    if (*end == '\0' && text.length > 0 && errno == 0)
        return value;
    drawing->is_wrong = true;
    return 0;
}

/* The modifiers are at the end, each after a space. */
static struct pattern take_apart(struct drawing *drawing, const struct column *column) {
    struct pattern pattern = {.alternatives = text_of(column->sample),
                              .group = text_of(column->name)};
    for (;;) {
        struct text *rest = &pattern.alternatives;
        const char *space = memrchr(rest->bytes, ' ', rest->length);
        if (space == NULL)
            return pattern;
        struct text word = from(*rest, (uint32_t)(space + 2 - rest->bytes));
        if (space[1] == '?')
            pattern.missing = (uint64_t)integer_of(drawing, word);
        else if (space[1] == '&')
            pattern.group = word;
        else if (space[1] == '@')
            pattern.condition = word;
        else
            return pattern;
        *rest = upto(*rest, (uint32_t)(space - rest->bytes));
    }
}

static struct text choose(struct text alternatives, uint64_t random) {
    uint32_t count = 1;
    for (uint32_t i = 0; i < alternatives.length; i++)
        count += alternatives.bytes[i] == '|';
    for (uint64_t skip = random % count; skip > 0; skip--)
        alternatives = from(alternatives, find(alternatives, "|") + 1);
    return upto(alternatives, find(alternatives, "|"));
}

/* False: the schema has no such column. */
static bool find_column(struct drawing *drawing, struct text name, size_t *index) {
    const struct record_schema *schema = drawing->values->schema;
    for (*index = 0; *index < schema->count; ++*index)
        if (text_equals(text_of(schema->columns[*index].name), name))
            return true;
    drawing->is_wrong = true;
    return false;
}

/* Writes a copy of a column's value, or the difference of two. False: one has none. */
static bool draw_copy(struct drawing *drawing, struct text names, char *value) {
    const struct sample_values *values = drawing->values;
    uint32_t minus = find(names, "-");
    size_t first, second;
    if (!find_column(drawing, upto(names, minus), &first) || !values->present[first])
        return false;
    if (minus == names.length) {
        memcpy(value, values->drawn[first], SAMPLE_VALUE_MAX);
        return true;
    }
    if (!find_column(drawing, from(names, minus + 1), &second) || !values->present[second])
        return false;
    int64_t difference = integer_of(drawing, text_of(values->drawn[first])) -
                         integer_of(drawing, text_of(values->drawn[second]));
    snprintf(value, SAMPLE_VALUE_MAX, "%" PRId64, difference);
    return true;
}

static time_t moment_of(struct drawing *drawing, struct text text) {
    char copy[SAMPLE_VALUE_MAX];
    struct tm parts = {0};
    snprintf(copy, sizeof copy, "%.*s", (int)text.length, text.bytes);
    const char *end = strptime(copy, "%Y-%m-%dT%H:%M:%SZ", &parts);
    if (end != NULL && *end == '\0')
        return timegm(&parts);
    drawing->is_wrong = true;
    return 0;
}

static void draw_moment(struct drawing *drawing, struct text low, struct text high, uint64_t random,
                        char *value) {
    time_t first = moment_of(drawing, low), last = moment_of(drawing, high);
    if (last < first) {
        drawing->is_wrong = true;
        return;
    }
    time_t moment = first + (time_t)(random % (uint64_t)(last - first + 1));
    struct tm parts;
    gmtime_r(&moment, &parts);
    check(strftime(value, SAMPLE_VALUE_MAX, "%Y-%m-%dT%H:%M:%SZ", &parts) > 0);
}

/* The bound's digits as an integer: 0.50 with 2 places is 50. A name is that column's value. */
static int64_t bound_of(struct drawing *drawing, struct text text) {
    const struct sample_values *values = drawing->values;
    char digits[SAMPLE_VALUE_MAX];
    size_t used = 0, column;
    if (text.length > 0 && isalpha((unsigned char)text.bytes[0]))
        return find_column(drawing, text, &column) && values->present[column]
                   ? integer_of(drawing, text_of(values->drawn[column]))
                   : 0;
    for (uint32_t i = 0; i < text.length && used < sizeof digits; i++) {
        if (text.bytes[i] != '.')
            digits[used++] = text.bytes[i];
    }
    return integer_of(drawing, (struct text){.bytes = digits, .length = (uint32_t)used});
}

static void draw_number(struct drawing *drawing, struct text low, struct text high, uint64_t random,
                        char *value) {
    uint32_t point = find(low, ".");
    int places = point == low.length ? 0 : (int)(low.length - point - 1);
    int64_t first = bound_of(drawing, low), last = bound_of(drawing, high), unit = 1;
    if (last < first || first < 0 || last == INT64_MAX || places > 17) {
        drawing->is_wrong = true;
        *value = '\0';
        return;
    }
    int64_t number = first + (int64_t)(random % (uint64_t)(last - first + 1));
    for (int i = 0; i < places; i++)
        unit *= 10;
    if (places == 0)
        snprintf(value, SAMPLE_VALUE_MAX, "%" PRId64, number);
    else
        snprintf(value, SAMPLE_VALUE_MAX, "%" PRId64 ".%0*" PRId64, number / unit, places,
                 number % unit);
}

/* A text with numbers in braces. */
static void draw_text(struct drawing *drawing, struct text text, uint64_t number, uint64_t random,
                      char *value) {
    size_t used = 0;
    for (uint32_t open; text.length > 0; text = from(text, open)) {
        open = find(text, "{");
        if (used + open + 32 >= SAMPLE_VALUE_MAX) {
            drawing->is_wrong = true;
            break;
        }
        memcpy(value + used, text.bytes, open);
        used += open;
        if (open == text.length)
            break;
        uint32_t close = find(text, "}");
        if (close < open || close == text.length) {
            drawing->is_wrong = true;
            break;
        }
        struct text inner = upto(from(text, open + 1), close - open - 1);
        uint32_t dots = find(inner, "..");
        if (text_equals(inner, TEXT("#")))
            snprintf(value + used, 24, "%08" PRIu64, number);
        else if (dots == inner.length)
            drawing->is_wrong = true;
        else
            draw_number(drawing, upto(inner, dots), from(inner, dots + 2), random, value + used);
        used += drawing->is_wrong ? 0 : strlen(value + used);
        random = random * 0x9E3779B97F4A7C15U + used;
        random ^= random >> 29;
        open = close + 1;
    }
    value[used] = '\0';
}

static bool draw_alternative(struct drawing *drawing, const struct column *column, struct text text,
                             uint64_t number, uint64_t random, char *value) {
    uint32_t dots = find(text, "..");
    if (text.length > 0 && text.bytes[0] == '=')
        return draw_copy(drawing, from(text, 1), value);
    if (dots == text.length || (!type_is_number(column->type) && column->type != TYPE_TIMESTAMP))
        draw_text(drawing, text, number, random, value);
    else if (column->type == TYPE_TIMESTAMP)
        draw_moment(drawing, upto(text, dots), from(text, dots + 2), random, value);
    else
        draw_number(drawing, upto(text, dots), from(text, dots + 2), random, value);
    return true;
}

static bool condition_holds(struct drawing *drawing, struct text condition) {
    const struct sample_values *values = drawing->values;
    uint32_t equals = find(condition, "=");
    size_t column;
    if (equals == condition.length)
        return true;
    return find_column(drawing, upto(condition, equals), &column) && values->present[column] &&
           text_equals(text_of(values->drawn[column]), from(condition, equals + 1));
}

/* False: it has no value. */
static bool draw(struct drawing *drawing, const struct column *column, uint64_t number,
                 const struct pattern *pattern, char *value) {
    uint64_t drawn_by = number + drawing->values->seed * 0xD1342543DE82EF95U;
    uint64_t random = random_of(drawn_by, pattern->group);
    value[0] = '\0';
    return random / 256 % 100 >= pattern->missing && condition_holds(drawing, pattern->condition) &&
           draw_alternative(drawing, column, choose(pattern->alternatives, random >> 32), number,
                            random_of(drawn_by, text_of(column->name)), value);
}

static bool is_json(enum type type, const char *value) {
    return (type == TYPE_BOOL && (strcmp(value, "true") == 0 || strcmp(value, "false") == 0)) ||
           (type_is_number(type) && value[0] != '\0' &&
            value[strspn(value, "-+.0123456789eE")] == '\0') ||
           (type != TYPE_BOOL && !type_is_number(type));
}

static void draw_column(struct sample_values *values, struct drawing *drawing, size_t index,
                        uint64_t number, const struct pattern *pattern) {
    const struct column *column = &values->schema->columns[index];
    char *value = values->drawn[index];
    values->present[index] = draw(drawing, column, number, pattern, value);
    bool fits = !values->present[index] || is_json(column->type, value);
    if ((drawing->is_wrong || !fits) && values->mistaken == NULL)
        values->mistaken = column;
    drawing->is_wrong = false;
}

void sample_draw(struct sample_values *values, uint64_t number) {
    struct drawing drawing = {.values = values};
    check(values->schema->count <= SCHEMA_COLUMNS_MAX);
    values->mistaken = NULL;
    // Those with a condition last: it may be on a column that is declared later.
    for (int conditional = 0; conditional <= 1; conditional++) {
        for (size_t i = 0; i < values->schema->count; i++) {
            check(values->schema->columns[i].sample != NULL);
            struct pattern pattern = take_apart(&drawing, &values->schema->columns[i]);
            if ((pattern.condition.length > 0) == (conditional == 1))
                draw_column(values, &drawing, i, number, &pattern);
        }
    }
}

void sample_draw_one(const struct sample_values *values, const struct column *column,
                     uint64_t number, char value[static SAMPLE_VALUE_MAX]) {
    struct drawing drawing = {.values = values};
    struct pattern pattern = take_apart(&drawing, column);
    check(draw(&drawing, column, number, &pattern, value) && !drawing.is_wrong);
}
