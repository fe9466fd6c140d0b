/* Made once for a schema. Functions that walk types recurse, which DATA_TYPE_DEPTH_MAX bounds. */
#include "pipeline/json/fields.h"

#include <string.h>

#include "base/check.h"

bool json_fields_has_tree(const struct column *column) {
    return column_path_length(column) > 1 || column->nested != NULL;
}

static struct json_field *find_declared(struct json_field *fields, struct text key) {
    while (fields != NULL && !text_equals(fields->key, key))
        fields = fields->next;
    return fields;
}

static struct json_field *new_field(struct json_fields *fields, const struct json_field *parent,
                                    const char *key, size_t column) {
    struct json_field *field = pool_alloc(&fields->pool, 1, sizeof *field);
    field->key = text_borrow(key);
    field->column = column;
    field->path = parent == NULL ? key : pool_format(&fields->pool, "%s.%s", parent->path, key);
    check(field->key.length <= SCHEMA_KEY_MAX);
    return field;
}

/* Behind the others of the object. */
static struct json_field *add_field(struct json_fields *fields, struct json_field *object,
                                    const char *key, size_t column) {
    struct json_field *field = new_field(fields, object, key, column);
    struct json_field **end = &object->fields;
    while (*end != NULL)
        end = &(*end)->next;
    *end = field;
    return field;
}

/* ---- types ---- */

static void set_type(struct json_fields *fields, struct json_field *field,
                     const struct data_type *type);

static struct json_field *new_element(struct json_fields *fields, const struct json_field *list,
                                      const struct data_type *type) {
    struct json_field *field = pool_alloc(&fields->pool, 1, sizeof *field);
    field->column = list->column;
    field->path = list->path;
    set_type(fields, field, type);
    return field;
}

static void set_scalar(struct json_fields *fields, struct json_field *field,
                       const struct data_type *type) {
    struct column *declared = pool_alloc(&fields->pool, 1, sizeof *declared);
    *declared = (struct column){.name = field->path,
                                .type = type->kind,
                                .precision = type->precision,
                                .scale = type->scale};
    field->kind = JSON_FIELD_VALUE;
    field->declared = declared;
}

static void set_type(struct json_fields *fields, struct json_field *field,
                     const struct data_type *type) {
    switch (type->kind) {
    case TYPE_STRUCT:
        field->kind = JSON_FIELD_STRUCT;
        for (size_t i = 0; i < type->field_count; i++) {
            struct json_field *member =
                add_field(fields, field, type->fields[i].name, field->column);
            member->child = i;
            set_type(fields, member, &type->fields[i].type);
        }
        break;
    case TYPE_ARRAY:
    case TYPE_MAP:
        field->kind = type->kind == TYPE_ARRAY ? JSON_FIELD_ARRAY : JSON_FIELD_MAP;
        field->element = new_element(fields, field, type->element);
        break;
    default:
        set_scalar(fields, field, type);
    }
}

/* ---- columns ---- */

static struct json_field *find_top(const struct json_fields *fields, size_t column_count,
                                   const char *key) {
    for (size_t i = 0; i < column_count; i++)
        if (fields->tops[i] != NULL && text_equals(fields->tops[i]->key, text_borrow(key)))
            return fields->tops[i];
    return NULL;
}

/* The list doubles when it is full: when its size is a power of two. */
static void append_column(struct json_fields *fields, struct json_field *field, size_t column) {
    size_t count = field->column_count;
    if ((count & (count - 1)) == 0) {
        size_t *longer = pool_alloc(&fields->pool, count == 0 ? 1 : 2 * count, sizeof *longer);
        if (count > 0)
            memcpy(longer, field->columns, count * sizeof *longer);
        field->columns = longer;
    }
    field->columns[field->column_count++] = column;
}

static void add_column(struct json_fields *fields, const struct column *declared, size_t column) {
    const char *top = column_key(declared, 0);
    struct json_field *field = find_top(fields, column, top);
    if (field == NULL)
        field = fields->tops[column] = new_field(fields, NULL, top, column);
    append_column(fields, field, column);
    for (size_t level = 1; level < declared->path_length; level++) {
        struct json_field *object = field;
        object->kind = JSON_FIELD_OBJECT;
        field = find_declared(object->fields, text_borrow(column_key(declared, level)));
        if (field == NULL)
            field = add_field(fields, object, column_key(declared, level), column);
        append_column(fields, field, column);
    }
    // Each path once, and none within another.
    check(field->kind == JSON_FIELD_VALUE && field->column_count == 1);
    field->declared = declared;
    if (declared->nested != NULL)
        set_type(fields, field, declared->nested);
}

/* ---- keys by their hash ---- */

/* From a few bytes of it and its size: keys are short, and most are not read. */
static inline uint32_t key_hash(struct text key) {
    if (key.length == 0)
        return 0;
    const unsigned char *bytes = (const unsigned char *)key.bytes;
    uint32_t last = key.length - 1;
    uint32_t mixed =
        bytes[0] | (uint32_t)bytes[last / 2] << 8 | (uint32_t)bytes[last] << 16 | key.length << 24;
    return mixed * UINT32_C(0x9E3779B1) >> 16; // 2^32 / golden ratio
}

/* Of the object and all in it. Four slots for each key, so that most others find an empty one. */
static void index_fields(struct json_fields *fields, struct json_field *object) {
    size_t count = 0, slots = 16;
    for (const struct json_field *field = object->fields; field != NULL; field = field->next)
        count++;
    while (slots < 4 * count)
        slots *= 2;
    object->slots = pool_alloc(&fields->pool, slots, sizeof(struct json_field *));
    object->slot_mask = (unsigned)(slots - 1);
    for (struct json_field *field = object->fields; field != NULL; field = field->next) {
        struct json_field **slot = &object->slots[key_hash(field->key) & object->slot_mask];
        field->collision = *slot;
        *slot = field;
        index_fields(fields, field);
    }
    if (object->element != NULL)
        index_fields(fields, object->element);
}

/* ---- sizes ---- */

/* How deep the field's own fields and elements go, itself included. */
static size_t field_depth(const struct json_field *field) {
    size_t depth = field->element == NULL ? 0 : field_depth(field->element);
    for (const struct json_field *member = field->fields; member != NULL; member = member->next) {
        size_t below = field_depth(member);
        depth = below > depth ? below : depth;
    }
    return depth + 1;
}

/* Of the vectors in the level of the field: its own, and those of a struct's fields. Adds to *saved
 * what open structs in it can replace. */
static size_t count_vectors(const struct json_field *field, size_t *saved) {
    size_t vectors = field->kind == JSON_FIELD_OBJECT ? 0 : 1;
    for (const struct json_field *member = field->fields; member != NULL; member = member->next)
        vectors += count_vectors(member, saved);
    if (field->element != NULL)
        (void)count_vectors(field->element, saved);
    if (field->kind == JSON_FIELD_OBJECT || field->kind == JSON_FIELD_STRUCT)
        *saved += vectors;
    return vectors;
}

void json_fields_init(struct json_fields *fields, const struct record_schema *schema) {
    *fields = (struct json_fields){0};
    pool_init(&fields->pool);
    fields->tops = pool_alloc(&fields->pool, schema->count, sizeof(struct json_field *));
    for (size_t i = 0; i < schema->count; i++)
        if (json_fields_has_tree(&schema->columns[i]))
            add_column(fields, &schema->columns[i], i);
    for (size_t i = 0; i < schema->count; i++) {
        const struct json_field *top = fields->tops[i];
        size_t depth = top == NULL ? 0 : field_depth(top);
        fields->depth = depth > fields->depth ? depth : fields->depth;
        if (top == NULL)
            continue;
        (void)count_vectors(top, &fields->saved);
        index_fields(fields, fields->tops[i]);
    }
}

void json_fields_deinit(struct json_fields *fields) {
    pool_deinit(&fields->pool);
}

struct json_field *json_fields_find(const struct json_field *object, struct json_raw key) {
    char bytes[SCHEMA_KEY_MAX];
    struct text name = {key.bytes, (uint32_t)key.size};
    if (!key.plain) {
        struct json_output output = {bytes, bytes + sizeof bytes, false};
        json_output_text(&output, key);
        if (output.is_full)
            return NULL;
        name = (struct text){bytes, (uint32_t)(output.at - bytes)};
    }
    struct json_field *found = object->slots[key_hash(name) & object->slot_mask];
    while (found != NULL && !text_equals(found->key, name))
        found = found->collision;
    return found;
}
