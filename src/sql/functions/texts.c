/* texts.c: functions of texts. A position counts characters, and results are pieces of their
 * argument wherever that is possible, so no bytes are copied.
 *
 * A character is as long as its first byte says, also in a text that is not UTF-8, which a BINARY
 * cast to STRING can be: so does Spark. */
#include "base/letter_case.h"
#include "sql/functions/loop.h"
#include "sql/functions/resolve.h"

static size_t character_size(unsigned char first) {
    if (first < 0xC2 || first > 0xF4)
        return 1;
    return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

/* ---- one text ---- */

static int32_t count_characters(struct text text) {
    int32_t count = 0;
    for (size_t at = 0; at < text.length; at += character_size((unsigned char)text.bytes[at]))
        count++;
    return count;
}

enum trim_side { TRIM_LEFT = 1, TRIM_RIGHT = 2, TRIM_BOTH = TRIM_LEFT | TRIM_RIGHT };

/* Blanks alone, no other whitespace. */
static struct text trim_spaces(struct text text, enum trim_side side) {
    while ((side & TRIM_RIGHT) != 0 && text.length > 0 && text.bytes[text.length - 1] == ' ')
        text.length--;
    while ((side & TRIM_LEFT) != 0 && text.length > 0 && text.bytes[0] == ' ') {
        text.bytes++;
        text.length--;
    }
    return text;
}

// NOLINTBEGIN(bugprone-macro-parentheses): a type cannot be in parentheses
/* out[row] = expression of the text `x`; null stays null. */
#define TEXT_KERNEL(name, out_type, expression)                                                    \
    static bool name(const struct kernel_call *call) {                                             \
        const struct operand *in = call->arguments[0];                                             \
        out_type *out = call->out->vector.values;                                                  \
        for (size_t row = call->first, end = row + call->count; row < end; row++) {                \
            call->out->vector.valid[row] = in->vector.valid[row];                                  \
            if (!is_present(in, row))                                                              \
                continue;                                                                          \
            struct text x = text_at(in, row);                                                      \
            out[row] = expression;                                                                 \
        }                                                                                          \
        return true;                                                                               \
    }
// NOLINTEND(bugprone-macro-parentheses)

TEXT_KERNEL(length_of_text, int32_t, count_characters(x))
TEXT_KERNEL(length_of_binary, int32_t, (int32_t)x.length)
TEXT_KERNEL(trim_both, struct text, trim_spaces(x, TRIM_BOTH))
TEXT_KERNEL(trim_left, struct text, trim_spaces(x, TRIM_LEFT))
TEXT_KERNEL(trim_right, struct text, trim_spaces(x, TRIM_RIGHT))

static bool resolve_text(struct function_use *use, const char *name, enum type type,
                         kernel_fn *kernel, struct error *err) {
    if (!use_want(use, name, 0, TYPE_STRING, err))
        return false;
    use_set_result(use, type_of(type), kernel);
    return true;
}

bool resolve_length(struct function_use *use, struct error *err) {
    if (use->arguments[0].kind != TYPE_BINARY)
        return resolve_text(use, "length", TYPE_INT32, length_of_text, err);
    use->wanted[0] = use->arguments[0];
    use_set_result(use, type_of(TYPE_INT32), length_of_binary);
    return true;
}

bool resolve_trim(struct function_use *use, struct error *err) {
    return resolve_text(use, "trim", TYPE_STRING, trim_both, err);
}

bool resolve_ltrim(struct function_use *use, struct error *err) {
    return resolve_text(use, "ltrim", TYPE_STRING, trim_left, err);
}

bool resolve_rtrim(struct function_use *use, struct error *err) {
    return resolve_text(use, "rtrim", TYPE_STRING, trim_right, err);
}

/* ---- upper and lower ---- */

/* False: beyond ASCII. */
static bool change_ascii(struct text text, char first, char *out) {
    unsigned char all = 0;
    for (uint32_t i = 0; i < text.length; i++) {
        char byte = text.bytes[i];
        all |= (unsigned char)byte;
        out[i] = byte >= first && byte < first + 26 ? byte ^ 0x20 : byte;
    }
    return all < 0x80;
}

/* False: no room. */
static bool change_letters(const struct kernel_call *call, struct text text,
                           size_t (*change)(struct text text, char *out), struct text *out) {
    size_t room = (size_t)text.length * LETTER_CASE_GROWTH_MAX;
    char *bytes = room <= UINT32_MAX ? arena_alloc_bytes(call->strings, room) : NULL;
    if (bytes == NULL)
        return false;
    size_t size = change(text, bytes);
    arena_rewind(call->strings, call->strings->used - (room - size));
    *out = (struct text){bytes, (uint32_t)size};
    return true;
}

static inline bool change_case_rows(const struct kernel_call *call, char first,
                                    size_t (*change)(struct text text, char *out)) {
    const struct operand *in = call->arguments[0];
    struct vector *out = &call->out->vector;
    for (size_t row = call->first, end = row + call->count; row < end; row++) {
        out->valid[row] = in->vector.valid[row];
        if (!is_present(in, row))
            continue;
        struct text text = text_at(in, row);
        size_t used = call->strings->used;
        char *bytes = arena_alloc_bytes(call->strings, text.length);
        if (bytes == NULL)
            return false;
        out->texts[row] = (struct text){bytes, text.length};
        if (change_ascii(text, first, bytes))
            continue;
        arena_rewind(call->strings, used);
        if (!change_letters(call, text, change, &out->texts[row]))
            return false;
    }
    return true;
}

static bool upper_kernel(const struct kernel_call *call) {
    return change_case_rows(call, 'a', letters_to_upper);
}

static bool lower_kernel(const struct kernel_call *call) {
    return change_case_rows(call, 'A', letters_to_lower);
}

bool resolve_upper(struct function_use *use, struct error *err) {
    return resolve_text(use, "upper", TYPE_STRING, upper_kernel, err);
}

bool resolve_lower(struct function_use *use, struct error *err) {
    return resolve_text(use, "lower", TYPE_STRING, lower_kernel, err);
}

/* ---- substring ---- */

/* Characters [start, end) of the text; a start before the text counts from there. */
static struct text characters(struct text text, int64_t start, int64_t end) {
    size_t at = 0;
    int64_t character = 0;
    if (end <= start || start >= (int64_t)text.length)
        return TEXT("");
    for (; at < text.length && character < start; character++)
        at += character_size((unsigned char)text.bytes[at]);
    size_t from = at;
    for (; at < text.length && character < end; character++)
        at += character_size((unsigned char)text.bytes[at]);
    if (at > text.length)
        at = text.length;
    return from < at ? (struct text){text.bytes + from, (uint32_t)(at - from)} : TEXT("");
}

/* A position counts from 1, or from the end if it is negative; 0 is the same as 1. */
static struct text substring(struct text text, int32_t position, int32_t length) {
    int64_t start = position > 0 ? (int64_t)position - 1 : 0;
    if (position < 0)
        start = (int64_t)count_characters(text) + position;
    int64_t end = start + length;
    end = end > INT32_MAX ? INT32_MAX : end < INT32_MIN ? INT32_MIN : end;
    return characters(text, start, end);
}

/* The same of bytes. As in Spark, the number of bytes behind the start wraps around where the start
 * is far before the text. */
static struct text bytes_between(struct text bytes, int32_t position, int32_t length) {
    int64_t size = bytes.length;
    int64_t start = position > 0 ? (int64_t)position - 1 : position < 0 ? size + position : 0;
    int64_t end = (int32_t)(uint32_t)(size - start) < length ? size : start + length;
    start = start < 0 ? 0 : start;
    return start < end ? (struct text){bytes.bytes + start, (uint32_t)(end - start)} : TEXT("");
}

/* Spark's sum of both wraps around, and it takes up to 2 GB for the result. */
static bool is_beyond_bytes(int32_t position, int32_t length) {
    return (int64_t)position + length < INT32_MIN;
}

static inline bool substring_rows(const struct kernel_call *call, bool is_binary) {
    const struct operand *in = call->arguments[0], *position = call->arguments[1];
    const struct operand *last = call->argument_count > 2 ? call->arguments[2] : NULL;
    struct vector *out = &call->out->vector;
    for (size_t row = call->first, end = row + call->count; row < end; row++) {
        out->valid[row] = is_present(in, row) && is_present(position, row) &&
                          (last == NULL || is_present(last, row));
        if (out->valid[row] == 0)
            continue;
        int32_t from = position->vector.int32s[row];
        int32_t length = last == NULL ? INT32_MAX : last->vector.int32s[row];
        if (is_binary && is_beyond_bytes(from, length)) {
            out->valid[row] = 0;
            call->out->faults[row] = 1;
        } else {
            out->texts[row] =
                (is_binary ? bytes_between : substring)(text_at(in, row), from, length);
        }
    }
    return true;
}

static bool substring_of_text(const struct kernel_call *call) {
    return substring_rows(call, false);
}

static bool substring_of_binary(const struct kernel_call *call) {
    return substring_rows(call, true);
}

static bool substring_can_fault(const struct function_use *use) {
    return use->arguments[0].kind == TYPE_BINARY && use->argument_count > 2;
}

bool resolve_substring(struct function_use *use, struct error *err) {
    bool is_binary = use->arguments[0].kind == TYPE_BINARY;
    enum type kind = is_binary ? TYPE_BINARY : TYPE_STRING;
    if (!use_want(use, "substring", 0, kind, err))
        return false;
    for (size_t i = 1; i < use->argument_count; i++)
        if (!use_want(use, "substring", i, TYPE_INT32, err))
            return false;
    use_set_result(use, type_of(kind), is_binary ? substring_of_binary : substring_of_text);
    use->can_fault = substring_can_fault(use);
    return true;
}

const char *guard_substring(const struct function_use *use, const char *const *arguments,
                            struct pool *pool) {
    if (use->argument_count < 3)
        return pool_format(pool, "substring(%s, %s)", arguments[0], arguments[1]);
    const char *plain =
        pool_format(pool, "substring(%s, %s, %s)", arguments[0], arguments[1], arguments[2]);
    if (!substring_can_fault(use))
        return plain;
    return pool_format(pool, "CASE WHEN CAST(%s AS BIGINT) + %s >= -2147483648L THEN %s END",
                       arguments[1], arguments[2], plain);
}

/* ---- split_part ---- */

/* Where the piece is, or behind the text. */
static size_t find_piece(struct text text, size_t from, struct text piece) {
    const char *at = memmem(text.bytes + from, text.length - from, piece.bytes, piece.length);
    return at == NULL ? text.length : (size_t)(at - text.bytes);
}

/* Part `number`, from 1. False: there are not so many; *count is then how many there are. */
static bool part_forwards(struct text text, struct text separator, int64_t number,
                          struct text *part, int64_t *count) {
    size_t from = 0;
    for (*count = 1;; ++*count) {
        size_t end = find_piece(text, from, separator);
        if (*count == number) {
            *part = (struct text){text.bytes + from, (uint32_t)(end - from)};
            return true;
        }
        if (end == text.length)
            return false;
        from = end + separator.length;
    }
}

static struct text split_part(struct text text, struct text separator, int32_t number) {
    struct text part = TEXT("");
    int64_t count;
    if (separator.length == 0)
        return number == 1 || number == -1 ? text : part;
    if (number < 0) {
        (void)part_forwards(text, separator, INT64_MAX, &part, &count);
        if (count + number < 0)
            return part;
        (void)part_forwards(text, separator, count + number + 1, &part, &count);
    } else {
        (void)part_forwards(text, separator, number, &part, &count);
    }
    return part;
}

/* Spark throws for these: the least number has no absolute value. */
static bool is_part_number(int32_t number) {
    return number != 0 && number != INT32_MIN;
}

static bool split_part_kernel(const struct kernel_call *call) {
    const struct operand *in = call->arguments[0], *separator = call->arguments[1];
    const struct operand *number = call->arguments[2];
    struct vector *out = &call->out->vector;
    for (size_t row = call->first, end = row + call->count; row < end; row++) {
        bool present = is_present(in, row) && is_present(separator, row) && is_present(number, row);
        bool is_fault = present && !is_part_number(number->vector.int32s[row]);
        out->valid[row] = present && !is_fault;
        if (is_fault && call->out->faults != NULL)
            call->out->faults[row] = 1;
        if (out->valid[row] != 0)
            out->texts[row] =
                split_part(text_at(in, row), text_at(separator, row), number->vector.int32s[row]);
    }
    return true;
}

/* Whether the part's number is known, and so is good in every row. */
static bool has_known_part(const struct function_use *use) {
    const struct constant *number = use->constants[2];
    enum type kind = use->arguments[2].kind;
    return number != NULL &&
           (!number->present || kind == TYPE_INT8 || kind == TYPE_INT16 || kind == TYPE_INT32);
}

bool resolve_split_part(struct function_use *use, struct error *err) {
    const struct constant *number = use->constants[2];
    if (!use_want(use, "split_part", 0, TYPE_STRING, err) ||
        !use_want(use, "split_part", 1, TYPE_STRING, err) ||
        !use_want(use, "split_part", 2, TYPE_INT32, err))
        return false;
    if (has_known_part(use) && number->present && !is_part_number(number->int32))
        return use_refuse(err,
                          "split_part: the third argument must not be %d; parts count from 1, or "
                          "from -1 at the end",
                          number->int32);
    use_set_result(use, type_of(TYPE_STRING), split_part_kernel);
    use->can_be_null = true;
    use->can_fault = !has_known_part(use);
    return true;
}

const char *guard_split_part(const struct function_use *use, const char *const *arguments,
                             struct pool *pool) {
    if (has_known_part(use))
        return pool_format(pool, "split_part(%s, %s, %s)", arguments[0], arguments[1],
                           arguments[2]);
    return pool_format(pool, "CASE WHEN %s NOT IN (0, -2147483648) THEN split_part(%s, %s, %s) END",
                       arguments[2], arguments[0], arguments[1], arguments[2]);
}

/* ---- tests of a text ---- */

static bool text_starts_with(struct text text, struct text piece) {
    return piece.length <= text.length && memcmp(text.bytes, piece.bytes, piece.length) == 0;
}

static bool text_ends(struct text text, struct text piece) {
    return piece.length <= text.length &&
           memcmp(text.bytes + text.length - piece.length, piece.bytes, piece.length) == 0;
}

static bool text_contains(struct text text, struct text piece) {
    return memmem(text.bytes, text.length, piece.bytes, piece.length) != NULL;
}

static bool starts_at(struct text text, size_t place, struct text piece) {
    return text_starts_with((struct text){text.bytes + place, text.length - (uint32_t)place},
                            piece);
}

/* `%` is any text, `_` any character, and the escape takes the next character as it is. Of several
 * `%` only the last one seen can be worth another attempt, so there is one place to go back to. */
static bool text_is_like(struct text text, struct text pattern, struct text escape) {
    size_t at = 0, place = 0;
    size_t retry_at = 0, retry_place = SIZE_MAX; // behind the last %
    while (at < text.length) {
        size_t size = character_size((unsigned char)text.bytes[at]);
        if (size > text.length - at)
            size = text.length - at;
        bool at_end = place == pattern.length;
        bool escaped = !at_end && starts_at(pattern, place, escape);
        if (!at_end && !escaped && pattern.bytes[place] == '%') {
            retry_place = ++place;
            retry_at = at;
            continue;
        }
        bool any = !at_end && !escaped && pattern.bytes[place] == '_';
        size_t literal = place + (escaped ? escape.length : 0);
        bool same = !any && !at_end && size <= pattern.length - literal &&
                    memcmp(text.bytes + at, pattern.bytes + literal, size) == 0;
        if (any || same) {
            place = any ? place + 1 : literal + size;
            at += size;
        } else if (retry_place != SIZE_MAX) {
            retry_at += character_size((unsigned char)text.bytes[retry_at]);
            at = retry_at;
            place = retry_place;
        } else {
            return false;
        }
    }
    while (place < pattern.length && pattern.bytes[place] == '%')
        place++;
    return place == pattern.length;
}

#define TEST_KERNEL(name, test)                                                                    \
    static bool name(const struct kernel_call *call) {                                             \
        const struct operand *in = call->arguments[0], *piece = call->arguments[1];                \
        struct vector *out = &call->out->vector;                                                   \
        for (size_t row = call->first, end = row + call->count; row < end; row++) {                \
            out->valid[row] = is_present(in, row) && is_present(piece, row);                       \
            if (out->valid[row] != 0)                                                              \
                out->booleans[row] = test(text_at(in, row), text_at(piece, row));                  \
        }                                                                                          \
        return true;                                                                               \
    }
TEST_KERNEL(starts_with_kernel, text_starts_with)
TEST_KERNEL(ends_with_kernel, text_ends)
TEST_KERNEL(contains_kernel, text_contains)

/* The third argument is the escape. */
static bool like_kernel(const struct kernel_call *call) {
    const struct operand *in = call->arguments[0], *pattern = call->arguments[1];
    struct text escape =
        call->argument_count > 2 ? text_at(call->arguments[2], call->first) : TEXT("\\");
    struct vector *out = &call->out->vector;
    for (size_t row = call->first, end = row + call->count; row < end; row++) {
        out->valid[row] = is_present(in, row) && is_present(pattern, row);
        if (out->valid[row] != 0)
            out->booleans[row] = text_is_like(text_at(in, row), text_at(pattern, row), escape);
    }
    return true;
}

/* BINARY is only compared with BINARY as it is, and then Spark takes the result for nullable. */
static bool resolve_test(struct function_use *use, const char *name, kernel_fn *kernel,
                         struct error *err) {
    bool is_binary = use->arguments[0].kind == TYPE_BINARY && use->arguments[1].kind == TYPE_BINARY;
    enum type kind = is_binary ? TYPE_BINARY : TYPE_STRING;
    if (!use_want(use, name, 0, kind, err) || !use_want(use, name, 1, kind, err))
        return false;
    use_set_result(use, type_of(TYPE_BOOL), kernel);
    use->can_be_null |= is_binary;
    return true;
}

bool resolve_startswith(struct function_use *use, struct error *err) {
    return resolve_test(use, "startswith", starts_with_kernel, err);
}

bool resolve_endswith(struct function_use *use, struct error *err) {
    return resolve_test(use, "endswith", ends_with_kernel, err);
}

bool resolve_contains(struct function_use *use, struct error *err) {
    return resolve_test(use, "contains", contains_kernel, err);
}

/* Spark's query ends at the first row, if the escape is in front of anything else. */
static bool is_pattern(struct text pattern, struct text escape) {
    for (size_t i = 0; i < pattern.length;) {
        if (!starts_at(pattern, i, escape)) {
            i++;
            continue;
        }
        i += escape.length;
        bool is_escape = i < pattern.length && starts_at(pattern, i, escape);
        if (!is_escape &&
            (i == pattern.length || (pattern.bytes[i] != '%' && pattern.bytes[i] != '_')))
            return false;
        i += is_escape ? escape.length : 1;
    }
    return true;
}

bool resolve_like(struct function_use *use, struct error *err) {
    const struct constant *pattern = use->constants[1];
    struct text escape = use->argument_count > 2 ? use->constants[2]->text : TEXT("\\");
    if (pattern == NULL)
        return use_refuse(err, "LIKE: the pattern must be a literal");
    if (pattern->present && use->arguments[1].kind == TYPE_STRING &&
        !is_pattern(pattern->text, escape))
        return use_refuse(err, "LIKE: in a pattern, %s must be in front of %%, _ or itself",
                          use->argument_count > 2 ? "the escape" : "a backslash");
    if (!use_want(use, "LIKE", 0, TYPE_STRING, err) || !use_want(use, "LIKE", 1, TYPE_STRING, err))
        return false;
    use_set_result(use, type_of(TYPE_BOOL), like_kernel);
    return true;
}
