/* arrays.c: values of arrays and maps.
 *
 * A list says where its elements are in the child, so an element is not copied until its place is
 * known: places of some rows are found first, and then the values are gathered. */
#include "sql/functions/loop.h"
#include "sql/functions/resolve.h"

static bool refuse_argument(const struct function_use *use, const char *name, const char *expected,
                            struct error *err) {
    return use_refuse(err, "%s: the first argument is %s, expected %s", name,
                      type_sql_name(use->arguments[0].kind), expected);
}

static const struct list *list_at(const struct operand *operand, size_t row) {
    return &operand->vector.lists[row];
}

/* ---- elements by place and by key ---- */

/* Where the row's element is in the child; VECTOR_NO_ROW: it has none. */
typedef uint32_t find_fn(const struct kernel_call *call, size_t row);

static inline void find_elements(const struct kernel_call *call, find_fn *find,
                                 const struct vector *child) {
    enum { AT_ONCE = 256 };
    uint32_t rows[AT_ONCE];
    for (size_t done = 0; done < call->count; done += AT_ONCE) {
        size_t some = call->count - done < AT_ONCE ? call->count - done : AT_ONCE;
        size_t at = call->first + done;
        for (size_t i = 0; i < some; i++) {
            bool present =
                is_present(call->arguments[0], at + i) && is_present(call->arguments[1], at + i);
            rows[i] = present ? find(call, at + i) : VECTOR_NO_ROW;
        }
        vector_gather(child, rows, some, &call->out->vector, at);
    }
}

static uint32_t find_index(const struct kernel_call *call, size_t row) {
    struct list list = *list_at(call->arguments[0], row);
    int32_t index = call->arguments[1]->vector.int32s[row];
    return index >= 0 && (uint32_t)index < list.count ? list.first + (uint32_t)index
                                                      : VECTOR_NO_ROW;
}

/* From 1, or from -1 at the end. For the least place Spark's process ends (4.2), because it has no
 * absolute value. */
static bool is_place(int32_t place) {
    return place != 0 && place != INT32_MIN;
}

static uint32_t find_place(const struct kernel_call *call, size_t row) {
    struct list list = *list_at(call->arguments[0], row);
    int32_t place = call->arguments[1]->vector.int32s[row];
    if (!is_place(place))
        call->out->faults[row] = 1;
    int64_t index = place < 0 ? (int64_t)list.count + place : (int64_t)place - 1;
    bool found = is_place(place) && index >= 0 && index < list.count;
    return found ? list.first + (uint32_t)index : VECTOR_NO_ROW;
}

static uint32_t find_key(const struct kernel_call *call, size_t row) {
    struct list list = *list_at(call->arguments[0], row);
    const struct text *keys = call->arguments[0]->vector.children[0].texts;
    struct text key = text_at(call->arguments[1], row);
    for (uint32_t i = list.first; i < list.first + list.count; i++)
        if (text_equals(keys[i], key))
            return i;
    return VECTOR_NO_ROW;
}

static bool index_kernel(const struct kernel_call *call) {
    find_elements(call, find_index, &call->arguments[0]->vector.children[0]);
    return true;
}

static bool place_kernel(const struct kernel_call *call) {
    find_elements(call, find_place, &call->arguments[0]->vector.children[0]);
    return true;
}

static bool key_kernel(const struct kernel_call *call) {
    find_elements(call, find_key, &call->arguments[0]->vector.children[1]);
    return true;
}

static void set_element(struct function_use *use, kernel_fn *kernel) {
    use_set_result(use, *use->arguments[0].element, kernel);
    use->can_be_null = true;
}

static bool resolve_key(struct function_use *use, const char *name, struct error *err) {
    use->wanted[0] = use->arguments[0];
    if (!use_want(use, name, 1, TYPE_STRING, err))
        return false;
    set_element(use, key_kernel);
    return true;
}

/* A whole number; a BIGINT wraps around, as in Spark. */
bool resolve_index(struct function_use *use, struct error *err) {
    if (use->arguments[0].kind == TYPE_MAP)
        return resolve_key(use, "[]", err);
    if (use->arguments[0].kind != TYPE_ARRAY)
        return use_refuse(err, "[]: the value before it is %s, expected an ARRAY or a MAP",
                          type_sql_name(use->arguments[0].kind));
    enum type kind = use->arguments[1].kind;
    if (!is_integer(kind) && kind != TYPE_NULL)
        return use_refuse(err, "[]: the index of an ARRAY is %s, expected a whole number",
                          data_type_text(&use->arguments[1], use->pool));
    use->wanted[0] = use->arguments[0];
    use->wanted[1] = type_of(TYPE_INT32);
    set_element(use, index_kernel);
    return true;
}

bool resolve_element_at(struct function_use *use, struct error *err) {
    enum type kind = use->arguments[1].kind;
    if (use->arguments[0].kind == TYPE_MAP && kind != TYPE_STRING && kind != TYPE_NULL)
        return use_refuse(err, "element_at: the key is %s, expected STRING",
                          data_type_text(&use->arguments[1], use->pool));
    if (use->arguments[0].kind == TYPE_MAP)
        return resolve_key(use, "element_at", err);
    if (use->arguments[0].kind != TYPE_ARRAY)
        return refuse_argument(use, "element_at", "an ARRAY or a MAP", err);
    if (!is_integer(kind) || kind == TYPE_INT64)
        return use_refuse(err, "element_at: the place is %s, expected an INT",
                          data_type_text(&use->arguments[1], use->pool));
    use->wanted[0] = use->arguments[0];
    use->wanted[1] = type_of(TYPE_INT32);
    set_element(use, place_kernel);
    use->can_fault = true;
    return true;
}

const char *guard_element_at(const struct function_use *use, const char *const *arguments,
                             struct pool *pool) {
    if (use->arguments[0].kind != TYPE_ARRAY)
        return pool_format(pool, "element_at(%s, %s)", arguments[0], arguments[1]);
    return pool_format(pool, "element_at(%s, nullif(nullif(%s, 0), -2147483648))", arguments[0],
                       arguments[1]);
}

/* ---- size ---- */

static bool size_kernel(const struct kernel_call *call) {
    const struct operand *list = call->arguments[0];
    struct vector *out = &call->out->vector;
    for (size_t row = call->first, end = row + call->count; row < end; row++)
        out->int32s[row] = is_present(list, row) ? (int32_t)list_at(list, row)->count : -1;
    memset(out->valid + call->first, 1, call->count);
    return true;
}

bool resolve_size(struct function_use *use, struct error *err) {
    if (!type_is_list(use->arguments[0].kind) && use->arguments[0].kind != TYPE_NULL)
        return refuse_argument(use, "size", "an ARRAY or a MAP", err);
    use->wanted[0] = use->arguments[0];
    use_set_result(use, type_of(TYPE_INT32), size_kernel);
    use->can_be_null = false;
    return true;
}

/* ---- keys and values of a map ---- */

static bool part_of_map(const struct kernel_call *call, size_t part) {
    const struct vector *map = &call->arguments[0]->vector;
    struct vector *out = &call->out->vector;
    out->children = &map->children[part];
    memcpy(out->lists + call->first, map->lists + call->first, call->count * sizeof *map->lists);
    copy_presence(call, call->first, call->first + call->count);
    return true;
}

static bool keys_kernel(const struct kernel_call *call) {
    return part_of_map(call, 0);
}

static bool values_kernel(const struct kernel_call *call) {
    return part_of_map(call, 1);
}

bool resolve_map_keys(struct function_use *use, struct error *err) {
    static const struct data_type key = {.kind = TYPE_STRING};
    if (use->arguments[0].kind != TYPE_MAP)
        return refuse_argument(use, "map_keys", "a MAP", err);
    use->wanted[0] = use->arguments[0];
    use_set_result(use, (struct data_type){.kind = TYPE_ARRAY, .element = &key}, keys_kernel);
    return true;
}

bool resolve_map_values(struct function_use *use, struct error *err) {
    if (use->arguments[0].kind != TYPE_MAP)
        return refuse_argument(use, "map_values", "a MAP", err);
    use->wanted[0] = use->arguments[0];
    use_set_result(use,
                   (struct data_type){.kind = TYPE_ARRAY, .element = use->arguments[0].element},
                   values_kernel);
    return true;
}

/* ---- array_contains ---- */

/* Spark would cast the array to the common type; here only the value is. */
bool resolve_array_contains(struct function_use *use, struct error *err) {
    if (use->arguments[0].kind != TYPE_ARRAY)
        return refuse_argument(use, "array_contains", "an ARRAY", err);
    const struct data_type *element = use->arguments[0].element;
    const struct data_type pair[2] = {*element, use->arguments[1]};
    struct data_type common;
    if (!is_scalar(element->kind))
        return use_refuse(err, "array_contains: elements are %s: use exists with a lambda",
                          type_sql_name(element->kind));
    if (pair[1].kind == TYPE_NULL || !data_types_common(pair, 2, false, &common) ||
        !data_type_equals(&common, element))
        return use_refuse(err, "array_contains: elements are %s, but the value is %s: CAST it",
                          data_type_text(element, use->pool), data_type_text(&pair[1], use->pool));
    use->wanted[0] = use->arguments[0];
    use->wanted[1] = *element;
    use_set_result(use, type_of(TYPE_BOOL), comparison_kernel(COMPARE_CONTAINS, element->kind));
    use->can_be_null = true;
    return true;
}
