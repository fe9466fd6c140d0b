/* logic.c: three-valued logic, and functions that choose one of their arguments.
 *
 * Spark evaluates all of these lazily, so they pass on the faults of those arguments alone that it
 * would have evaluated in a row. */
#include "sql/functions/loop.h"
#include "sql/functions/resolve.h"

/* Spark evaluates the right side only where the left one has not decided yet. */
static void pass_right_faults(const struct kernel_call *call, uint8_t deciding) {
    const struct operand *left = call->arguments[0], *right = call->arguments[1];
    if (call->out->faults == NULL)
        return;
    for (size_t row = call->first, end = row + call->count; row < end; row++) {
        bool decided = is_present(left, row) && left->vector.booleans[row] == deciding;
        bool left_fault = left->faults != NULL && left->faults[row] != 0;
        bool right_fault = right->faults != NULL && right->faults[row] != 0;
        call->out->faults[row] = left_fault || (right_fault && !decided);
    }
}

/* `and` and `or` are the same with true and false exchanged. `deciding` is the value of one side
 * that decides, no matter what the other is. */
ROWS_OF combine(const struct kernel_call *call, uint8_t deciding, size_t first, size_t end) {
    const struct vector *left = &call->arguments[0]->vector, *right = &call->arguments[1]->vector;
    const uint8_t *a = left->booleans, *b = right->booleans;
    const uint8_t *a_valid = left->valid, *b_valid = right->valid;
    uint8_t *restrict out = call->out->vector.booleans;
    uint8_t *restrict valid = call->out->vector.valid;
    uint8_t flip = deciding ^ 1;
    for (size_t row = first; row < end; row++) {
        uint8_t decided =
            (uint8_t)((a_valid[row] & (a[row] ^ flip)) | (b_valid[row] & (b[row] ^ flip)));
        valid[row] = (uint8_t)(decided | (a_valid[row] & b_valid[row]));
        out[row] = (uint8_t)((decided & 1) ^ flip);
    }
    if (call->out->faults != NULL)
        pass_right_faults(call, deciding);
}

ROWS_OF kernel_and_rows(const struct kernel_call *call, size_t first, size_t end) {
    combine(call, 0, first, end);
}

ROWS_OF kernel_or_rows(const struct kernel_call *call, size_t first, size_t end) {
    combine(call, 1, first, end);
}

/* Presence as a value; `flip` exchanges true and false. */
ROWS_OF presence(const struct kernel_call *call, uint8_t flip, size_t first, size_t end) {
    const uint8_t *present = call->arguments[0]->vector.valid;
    uint8_t *restrict out = call->out->vector.booleans;
    for (size_t row = first; row < end; row++)
        out[row] = present[row] ^ flip;
    memset(call->out->vector.valid + first, 1, end - first);
}

ROWS_OF kernel_isnull_rows(const struct kernel_call *call, size_t first, size_t end) {
    presence(call, 1, first, end);
}

ROWS_OF kernel_isnotnull_rows(const struct kernel_call *call, size_t first, size_t end) {
    presence(call, 0, first, end);
}

KERNEL_OF_ROWS(kernel_and)
KERNEL_OF_ROWS(kernel_or)
KERNEL_OF_ROWS(kernel_isnull)
KERNEL_OF_ROWS(kernel_isnotnull)
KERNEL_1(not_bool, uint8_t, uint8_t, x ^ 1)

bool kernel_not(const struct kernel_call *call) {
    return not_bool(call);
}

/* ---- choices ----
 *
 * A choice is a list of conditions with a value each, and perhaps a last value without a condition.
 * For many rows, the last value is laid down first and then replaced by those of earlier conditions
 * that hold, so that each pass is a loop without branches. */

/* One pass: `one` where a condition is present and true, and `other` elsewhere. */
struct choice {
    const uint8_t *valid, *truth;      // of the condition
    const struct operand *one, *other; // `other` can be the result so far
};

ROWS_OF choose_presence(const struct kernel_call *call, const struct choice *choice) {
    const uint8_t *condition = choice->valid, *truth = choice->truth;
    const uint8_t *ones = choice->one->vector.valid, *others = choice->other->vector.valid;
    uint8_t *valid = call->out->vector.valid;
    ROWS_APART for (size_t row = call->first, end = row + call->count; row < end; row++) {
        uint8_t one = ones[row], other = others[row];
        valid[row] = (condition[row] & truth[row]) != 0 ? one : other;
    }
}

// NOLINTBEGIN(bugprone-macro-parentheses): a type cannot be in parentheses
#define CHOOSE(name, type)                                                                         \
    FOR_WIDE_PROCESSORS static void choose_##name(const struct kernel_call *call,                  \
                                                  const struct choice *choice) {                   \
        const uint8_t *condition = choice->valid, *truth = choice->truth;                          \
        const type *ones = choice->one->vector.values, *others = choice->other->vector.values;     \
        type *out = call->out->vector.values;                                                      \
        ROWS_APART for (size_t row = call->first, end = row + call->count; row < end; row++) {     \
            type one = ones[row], other = others[row];                                             \
            out[row] = (condition[row] & truth[row]) != 0 ? one : other;                           \
        }                                                                                          \
        choose_presence(call, choice);                                                             \
    }
// NOLINTEND(bugprone-macro-parentheses)

CHOOSE(1, uint8_t)
CHOOSE(2, uint16_t)
CHOOSE(4, uint32_t)
CHOOSE(8, uint64_t)

/* A type as wide as a text, whose bytes do not matter here. */
struct wide {
    uint64_t words[2];
};

/* The same for these. A constant is read in one place, which keeps it in the cache. */
FOR_WIDE_PROCESSORS static void choose_16(const struct kernel_call *call,
                                          const struct choice *choice) {
    const uint8_t *condition = choice->valid, *truth = choice->truth;
    const struct operand *sources[2] = {choice->other, choice->one};
    const struct wide *values[2];
    size_t masks[2];
    for (size_t i = 0; i < 2; i++) {
        values[i] = sources[i]->vector.values;
        values[i] += sources[i]->constant ? call->first : 0;
        masks[i] = sources[i]->constant ? 0 : SIZE_MAX;
    }
    struct wide *out = call->out->vector.values;
    for (size_t row = call->first, end = row + call->count; row < end; row++) {
        size_t from = condition[row] & truth[row];
        out[row] = values[from][row & masks[from]];
    }
    choose_presence(call, choice);
}

static void choose(const struct kernel_call *call, const struct choice *choice) {
    switch (type_width(call->out->vector.type)) {
    case 1:
        choose_1(call, choice);
        return;
    case 2:
        choose_2(call, choice);
        return;
    case 4:
        choose_4(call, choice);
        return;
    case 8:
        choose_8(call, choice);
        return;
    default:
        choose_16(call, choice);
    }
}

static void lay_down_null(const struct kernel_call *call) {
    memset(call->out->vector.valid + call->first, 0, call->count);
}

static bool has_fault(const struct operand *operand, size_t row) {
    return operand->faults != NULL && operand->faults[row] != 0;
}

static inline uint8_t holds(const struct operand *condition, size_t row) {
    return condition->vector.valid[row] & condition->vector.booleans[row];
}

/* One row's value is copied from where it is, if it is `chosen` at all. */
static inline void take_value(const struct kernel_call *call, const struct operand *from,
                              uint8_t chosen) {
    struct vector *out = &call->out->vector;
    size_t row = call->first;
    out->valid[row] = from->vector.valid[row] & chosen;
    switch (type_width(out->type)) {
    case 1:
        out->booleans[row] = from->vector.booleans[row];
        break;
    case 2:
        out->int16s[row] = from->vector.int16s[row];
        break;
    case 4:
        out->int32s[row] = from->vector.int32s[row];
        break;
    case 8:
        out->int64s[row] = from->vector.int64s[row];
        break;
    default:
        out->decimals[row] = from->vector.decimals[row];
    }
}

/* Conditions are evaluated up to the first that holds, and then its value. */
static bool case_fault(const struct kernel_call *call, size_t row) {
    size_t i = 0;
    for (; i + 1 < call->argument_count; i += 2) {
        if (has_fault(call->arguments[i], row))
            return true;
        if (holds(call->arguments[i], row) != 0)
            return has_fault(call->arguments[i + 1], row);
    }
    return i < call->argument_count && has_fault(call->arguments[i], row);
}

/* Without branches, which would depend on the data. */
static void case_row(const struct kernel_call *call) {
    size_t pairs = call->argument_count / 2;
    const struct operand *from = call->arguments[call->argument_count - 1];
    uint8_t chosen = call->argument_count % 2;
    for (size_t i = pairs; i-- > 0;) {
        uint8_t holding = holds(call->arguments[2 * i], call->first);
        from = holding != 0 ? call->arguments[2 * i + 1] : from;
        chosen |= holding;
    }
    take_value(call, from, chosen);
}

__attribute__((noinline)) static void case_slice(const struct kernel_call *call) {
    size_t pairs = call->argument_count / 2;
    const struct operand *rest = call->out;
    if (call->argument_count % 2 != 0)
        rest = call->arguments[2 * pairs];
    else
        lay_down_null(call);
    for (size_t i = pairs; i-- > 0; rest = call->out) {
        const struct vector *condition = &call->arguments[2 * i]->vector;
        choose(call, &(struct choice){condition->valid, condition->booleans,
                                      call->arguments[2 * i + 1], rest});
    }
}

static void case_faults(const struct kernel_call *call) {
    for (size_t row = call->first, end = row + call->count; row < end; row++)
        call->out->faults[row] = case_fault(call, row);
}

bool kernel_case(const struct kernel_call *call) {
    if (call->count == 1)
        case_row(call);
    else
        case_slice(call);
    if (call->out->faults != NULL)
        case_faults(call);
    return true;
}

/* Values are evaluated up to the first that is present. */
static bool coalesce_fault(const struct kernel_call *call, size_t row) {
    for (size_t i = 0; i < call->argument_count; i++) {
        if (has_fault(call->arguments[i], row))
            return true;
        if (is_present(call->arguments[i], row))
            return false;
    }
    return false;
}

static void coalesce_row(const struct kernel_call *call) {
    const struct operand *from = call->arguments[0];
    for (size_t i = call->argument_count; i-- > 0;)
        from = is_present(call->arguments[i], call->first) ? call->arguments[i] : from;
    take_value(call, from, 1);
}

__attribute__((noinline)) static void coalesce_slice(const struct kernel_call *call) {
    size_t last = call->argument_count - 1;
    const struct operand *rest = call->arguments[last];
    // The last one is chosen from itself: that copies it.
    for (size_t i = last == 0 ? 1 : last; i-- > 0; rest = call->out) {
        const uint8_t *present = call->arguments[i]->vector.valid;
        choose(call, &(struct choice){present, present, call->arguments[i], rest});
    }
}

bool kernel_coalesce(const struct kernel_call *call) {
    if (call->count == 1)
        coalesce_row(call);
    else
        coalesce_slice(call);
    if (call->out->faults != NULL)
        for (size_t row = call->first, end = row + call->count; row < end; row++)
            call->out->faults[row] = coalesce_fault(call, row);
    return true;
}
