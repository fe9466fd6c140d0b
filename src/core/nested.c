/* nested.c: a level is one block of memory: the values of one vector, then its `valid`, then the
 * next vector, each some cache lines later in its page than the one before (core/rows.c says why).
 * A struct's fields are in the level of the struct; an array or map in a level opens the next one.
 *
 * What must stay true: `valid` is 0 in all elements that are not used, so an element that is taken
 * is null without being written. Functions recurse, which DATA_TYPE_DEPTH_MAX bounds. */
#include "core/nested.h"

#include <string.h>

#include "base/check.h"

enum { CACHE_LINE = 64, STAGGER = 5 * CACHE_LINE };

/* ---- sizes ---- */

static size_t vector_bytes(enum type type, size_t capacity) {
    size_t bytes = capacity * (type_width(type) + 1);
    return (bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE + STAGGER;
}

/* Of the vectors of one level, from one of them on. */
static size_t level_bytes(const struct vector *vector, size_t count, size_t capacity) {
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++, vector++) {
        bytes += vector_bytes(vector->type, capacity);
        if (vector->type == TYPE_STRUCT)
            bytes += level_bytes(vector->children, vector->child_count, capacity);
    }
    return bytes;
}

/* Of a value of the type: in its own level, and in the levels below. */
static size_t type_bytes(const struct data_type *type, size_t capacity) {
    size_t bytes = vector_bytes(type->kind, capacity);
    for (size_t i = 0; i < type->field_count; i++)
        bytes += type_bytes(&type->fields[i].type, capacity);
    return bytes + (type_is_list(type->kind) ? nested_memory(type, capacity) : 0);
}

size_t nested_memory(const struct data_type *type, size_t capacity) {
    size_t keys = type->kind == TYPE_MAP ? vector_bytes(TYPE_STRING, capacity) : 0;
    return keys + type_bytes(type->element, capacity);
}

size_t nested_memory_now(const struct vector *vector) {
    size_t bytes = 0;
    for (const struct elements *level = vector->elements; level != NULL; level = level->next)
        bytes += level_bytes(level->children, level->child_count, level->capacity);
    return bytes;
}

/* ---- storage ---- */

static unsigned char *place(struct vector *vector, size_t count, size_t capacity,
                            unsigned char *at) {
    for (size_t i = 0; i < count; i++, vector++) {
        vector->values = at;
        vector->valid = at + capacity * type_width(vector->type);
        at += vector_bytes(vector->type, capacity);
        if (vector->type == TYPE_STRUCT)
            at = place(vector->children, vector->child_count, capacity, at);
    }
    return at;
}

static void set_capacity(struct elements *level, size_t capacity) {
    size_t bytes = level_bytes(level->children, level->child_count, capacity);
    check(bytes > 0 && capacity > 0 && capacity <= UINT32_MAX);
    free(level->storage);
    level->storage = must_alloc(bytes, 1);
    (void)place(level->children, level->child_count, capacity, level->storage);
    level->capacity = (uint32_t)capacity;
    level->used = level->marked = 0;
    level->is_short = false;
}

static void set_type(struct vector *vector, const struct data_type *type);

/* The vectors only, without storage. */
static void add_children(struct vector *vector, const struct data_type *type) {
    bool is_map = type->kind == TYPE_MAP;
    vector->child_count = type_is_list(type->kind) ? (is_map ? 2 : 1) : type->field_count;
    vector->children = must_alloc(vector->child_count + 1, sizeof *vector->children);
    if (is_map)
        vector->children[0].type = TYPE_STRING;
    if (type_is_list(type->kind))
        set_type(&vector->children[is_map ? 1 : 0], type->element);
    for (size_t i = 0; i < type->field_count; i++)
        set_type(&vector->children[i], &type->fields[i].type);
}

static void set_type(struct vector *vector, const struct data_type *type) {
    vector->type = type->kind;
    vector->scale = type->scale;
    if (type->kind == TYPE_STRUCT || type_is_list(type->kind))
        add_children(vector, type);
}

/* Opens the levels of the vectors, and chains them at *last; where the next one is chained. */
static struct elements **open_levels(struct vector *vector, size_t count, size_t capacity,
                                     struct elements **last) {
    for (size_t i = 0; i < count; i++, vector++) {
        if (type_is_list(vector->type)) {
            vector->elements = must_alloc(1, sizeof *vector->elements);
            vector->elements->children = vector->children;
            vector->elements->child_count = vector->child_count;
            vector->elements->capacity_at_first = (uint32_t)capacity;
            set_capacity(vector->elements, capacity);
            *last = vector->elements;
            last = &vector->elements->next;
        }
        last = open_levels(vector->children, vector->child_count, capacity, last);
    }
    return last;
}

void nested_init(struct vector *vector, const struct data_type *type, size_t capacity) {
    check(type_is_list(type->kind) && vector->type == type->kind);
    add_children(vector, type);
    struct elements *first = NULL;
    (void)open_levels(vector, 1, capacity, &first);
}

static void free_children(struct vector *vector) {
    for (size_t i = 0; i < vector->child_count; i++)
        free_children(&vector->children[i]);
    if (vector->elements != NULL)
        free(vector->elements->storage);
    free(vector->elements);
    free(vector->children);
    vector->elements = NULL;
    vector->children = NULL;
    vector->child_count = 0;
}

void nested_deinit(struct vector *vector) {
    free_children(vector);
}

/* ---- elements ---- */

static void clear_valid(const struct vector *vector, size_t count, uint32_t first, uint32_t end) {
    for (const struct vector *behind = vector + count; vector < behind; vector++) {
        memset(vector->valid + first, 0, end - first);
        if (vector->type == TYPE_STRUCT)
            clear_valid(vector->children, vector->child_count, first, end);
    }
}

static void give_back(struct elements *level, uint32_t first) {
    if (level->used > first)
        clear_valid(level->children, level->child_count, first, level->used);
    level->used = first;
}

void nested_reset(struct vector *vector) {
    for (struct elements *level = vector->elements; level != NULL; level = level->next) {
        level->is_short = false;
        level->marked = 0;
        if (level->capacity == level->capacity_at_first)
            give_back(level, 0);
        else
            set_capacity(level, level->capacity_at_first);
    }
}

void nested_mark(struct vector *vector) {
    for (struct elements *level = vector->elements; level != NULL; level = level->next)
        level->marked = level->used;
}

void nested_rewind(struct vector *vector) {
    for (struct elements *level = vector->elements; level != NULL; level = level->next)
        give_back(level, level->marked);
}

bool nested_grow(struct vector *vector) {
    bool grown = false;
    for (struct elements *level = vector->elements; level != NULL; level = level->next) {
        give_back(level, 0); // of a row that was not counted
        if (!level->is_short)
            continue;
        set_capacity(level, (size_t)level->capacity * 2);
        grown = true;
    }
    return grown;
}
