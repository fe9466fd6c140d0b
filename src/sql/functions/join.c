/* join.c: concat and concat_ws. A result that is one of the arguments shares its bytes. */
#include "sql/functions/loop.h"
#include "sql/functions/resolve.h"

/* Most pieces are short: two copies of a fixed size, which may overlap, cost less than a call. */
static inline char *put(char *at, struct text piece) {
    size_t length = piece.length;
    if (length >= 8 && length <= 16) {
        uint64_t head, tail;
        memcpy(&head, piece.bytes, sizeof head);
        memcpy(&tail, piece.bytes + length - sizeof tail, sizeof tail);
        memcpy(at, &head, sizeof head);
        memcpy(at + length - sizeof tail, &tail, sizeof tail);
    } else if (length >= 4 && length < 8) {
        uint32_t head, tail;
        memcpy(&head, piece.bytes, sizeof head);
        memcpy(&tail, piece.bytes + length - sizeof tail, sizeof tail);
        memcpy(at, &head, sizeof head);
        memcpy(at + length - sizeof tail, &tail, sizeof tail);
    } else if (length == 1) {
        *at = *piece.bytes;
    } else {
        memcpy(at, piece.bytes, length);
    }
    return at + length;
}

/* Puts the present ones of arguments [from, …) of a row together. False: no room. */
static inline bool join_row(const struct kernel_call *call, size_t from, struct text separator,
                            size_t row, struct text *out) {
    size_t size = 0, count = 0;
    struct text only = TEXT("");
    for (size_t i = from; i < call->argument_count; i++)
        if (is_present(call->arguments[i], row)) {
            only = text_at(call->arguments[i], row);
            size += only.length;
            count++;
        }
    *out = only;
    if (count < 2)
        return true;
    size += (count - 1) * separator.length;
    char *at = size <= UINT32_MAX ? arena_alloc_bytes(call->strings, size) : NULL;
    if (at == NULL)
        return false;
    *out = (struct text){at, (uint32_t)size};
    for (size_t i = from; i < call->argument_count; i++) {
        if (!is_present(call->arguments[i], row))
            continue;
        at = put(at, text_at(call->arguments[i], row));
        if (--count > 0)
            at = put(at, separator);
    }
    return true;
}

static bool concat_kernel(const struct kernel_call *call) {
    struct vector *out = &call->out->vector;
    for (size_t row = call->first, end = row + call->count; row < end; row++) {
        out->valid[row] = 1;
        for (size_t i = 0; i < call->argument_count; i++)
            out->valid[row] &= call->arguments[i]->vector.valid[row];
        if (out->valid[row] != 0 && !join_row(call, 0, TEXT(""), row, &out->texts[row]))
            return false;
    }
    return true;
}

/* The usual case, two texts, without the loops over arguments. */
static bool concat_ws_two(const struct kernel_call *call) {
    const struct vector *separator = &call->arguments[0]->vector;
    const struct vector *one = &call->arguments[1]->vector, *other = &call->arguments[2]->vector;
    const struct text *ones = one->texts, *others = other->texts;
    struct text *out = call->out->vector.texts;
    for (size_t row = call->first, end = row + call->count; row < end; row++) {
        call->out->vector.valid[row] = separator->valid[row];
        if (separator->valid[row] == 0)
            continue;
        if (one->valid[row] == 0 || other->valid[row] == 0) {
            out[row] = one->valid[row] != 0     ? ones[row]
                       : other->valid[row] != 0 ? others[row]
                                                : TEXT("");
            continue;
        }
        struct text head = ones[row], between = separator->texts[row], tail = others[row];
        size_t size = (size_t)head.length + between.length + tail.length;
        char *bytes = size <= UINT32_MAX ? arena_alloc_bytes(call->strings, size) : NULL;
        if (bytes == NULL)
            return false;
        (void)put(put(put(bytes, head), between), tail);
        out[row] = (struct text){bytes, (uint32_t)size};
    }
    return true;
}

static bool concat_ws_kernel(const struct kernel_call *call) {
    struct vector *out = &call->out->vector;
    const struct operand *separator = call->arguments[0];
    for (size_t row = call->first, end = row + call->count; row < end; row++) {
        out->valid[row] = separator->vector.valid[row];
        if (out->valid[row] != 0 &&
            !join_row(call, 1, text_at(separator, row), row, &out->texts[row]))
            return false;
    }
    return true;
}

/* ---- texts and arrays of texts ---- */

/* What one argument adds: each present text. Counted first, with `to` NULL. */
struct joined {
    struct text separator;
    size_t size, count;
    char *to;
};

static void add_text(struct joined *joined, struct text text) {
    struct text between = joined->count++ > 0 ? joined->separator : TEXT("");
    joined->size += (size_t)between.length + text.length;
    if (joined->to != NULL)
        joined->to = put(put(joined->to, between), text);
}

static void add_argument(struct joined *joined, const struct operand *argument, size_t row) {
    if (!is_present(argument, row))
        return;
    if (argument->vector.type != TYPE_ARRAY) {
        add_text(joined, text_at(argument, row));
        return;
    }
    struct list list = argument->vector.lists[row];
    const struct vector *child = &argument->vector.children[0];
    for (size_t i = list.first; i < (size_t)list.first + list.count; i++)
        if (child->valid[i] != 0)
            add_text(joined, child->texts[i]);
}

static bool join_lists(const struct kernel_call *call, size_t row) {
    struct joined joined = {.separator = text_at(call->arguments[0], row)};
    for (size_t i = 1; i < call->argument_count; i++)
        add_argument(&joined, call->arguments[i], row);
    size_t size = joined.size;
    char *bytes = size <= UINT32_MAX ? arena_alloc_bytes(call->strings, size) : NULL;
    if (bytes == NULL)
        return false;
    joined = (struct joined){.separator = joined.separator, .to = bytes};
    for (size_t i = 1; i < call->argument_count; i++)
        add_argument(&joined, call->arguments[i], row);
    call->out->vector.texts[row] = (struct text){bytes, (uint32_t)size};
    return true;
}

static bool concat_ws_lists(const struct kernel_call *call) {
    struct vector *out = &call->out->vector;
    for (size_t row = call->first, end = row + call->count; row < end; row++) {
        out->valid[row] = call->arguments[0]->vector.valid[row];
        if (out->valid[row] != 0 && !join_lists(call, row))
            return false;
    }
    return true;
}

bool resolve_concat(struct function_use *use, struct error *err) {
    bool all_binary = use->argument_count > 0;
    for (size_t i = 0; i < use->argument_count; i++)
        all_binary &= use->arguments[i].kind == TYPE_BINARY;
    enum type kind = all_binary ? TYPE_BINARY : TYPE_STRING;
    for (size_t i = 0; i < use->argument_count; i++)
        if (!use_want(use, "concat", i, kind, err))
            return false;
    use_set_result(use, type_of(kind), concat_kernel);
    return true;
}

bool resolve_concat_ws(struct function_use *use, struct error *err) {
    bool has_lists = false;
    for (size_t i = 0; i < use->argument_count; i++) {
        bool is_list = i > 0 && use->arguments[i].kind == TYPE_ARRAY &&
                       use->arguments[i].element->kind == TYPE_STRING;
        has_lists |= is_list;
        use->wanted[i] = use->arguments[i];
        if (!is_list && !use_want(use, "concat_ws", i, TYPE_STRING, err))
            return false;
    }
    use_set_result(use, type_of(TYPE_STRING),
                   has_lists                  ? concat_ws_lists
                   : use->argument_count == 3 ? concat_ws_two
                                              : concat_ws_kernel);
    use->can_be_null = use_argument_can_be_null(use, 0);
    return true;
}
