/* Rows next to one another often have the same partition values, so the route of the row before is
 * compared first. Then it is looked up in a hash table by its key: per column the length of the
 * value and the value, so that no two combinations have one key. A text's value is its bytes, a
 * number's those in the vector, and null is Hive's name, which is longer than any number. */
#include "pipeline/sink/sink_route.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/check.h"
#include "core/date_text.h"
#include "pipeline/parquet/text_hash.h"

enum { SLOTS_FIRST = 16 };

static const char hive_name[] = "__HIVE_DEFAULT_PARTITION__";
static const struct text hive_default = {hive_name, sizeof hive_name - 1};

/* Spark escapes these and nothing else (ExternalCatalogUtils; tried for every ASCII character). */
static bool must_escape(unsigned char c) {
    return c < 0x20 || c == 0x7f || strchr("\"#%'*/:=?[\\]^{", c) != NULL;
}

static bool append_name(char *name, size_t *size, struct text text) {
    if (*size + text.length > PARTITION_NAME_MAX)
        return false;
    memcpy(name + *size, text.bytes, text.length);
    *size += text.length;
    return true;
}

bool partition_directory(const char *column, struct text value, bool valid,
                         char name[static PARTITION_NAME_MAX + 1]) {
    if (!valid || value.length == 0)
        value = hive_default;
    size_t size = 0;
    if (!append_name(name, &size, text_borrow(column)) || !append_name(name, &size, TEXT("=")))
        return false;
    for (size_t i = 0; i < value.length; i++) {
        static const char digits[] = "0123456789ABCDEF";
        unsigned char c = (unsigned char)value.bytes[i];
        char escaped[3] = {'%', digits[c >> 4], digits[c & 15]};
        struct text text = {must_escape(c) ? escaped : value.bytes + i, must_escape(c) ? 3 : 1};
        if (c == '\0' || !append_name(name, &size, text))
            return false;
    }
    name[size] = '\0';
    return true;
}

static struct text number_text(int64_t number, char room[static PARTITION_TEXT_MAX]) {
    return (struct text){room, (uint32_t)snprintf(room, PARTITION_TEXT_MAX, "%" PRId64, number)};
}

struct text partition_text(const struct vector *vector, size_t row,
                           char room[static PARTITION_TEXT_MAX]) {
    switch (vector->type) {
    case TYPE_STRING:
        return vector->texts[row];
    case TYPE_BOOL:
        return vector->booleans[row] != 0 ? TEXT("true") : TEXT("false");
    case TYPE_INT8:
        return number_text(vector->int8s[row], room);
    case TYPE_INT16:
        return number_text(vector->int16s[row], room);
    case TYPE_INT32:
        return number_text(vector->int32s[row], room);
    case TYPE_INT64:
        return number_text(vector->int64s[row], room);
    case TYPE_DATE:
        return (struct text){room, (uint32_t)date_text_format(vector->int32s[row], room)};
    default:
        break;
    }
    check(false && "a type of a partition column");
    return TEXT("");
}

void routes_init(struct routes *routes, const struct schema *schema, const size_t *columns,
                 size_t column_count) {
    *routes = (struct routes){.schema = schema, .columns = columns, .column_count = column_count};
    for (size_t i = 0; i < column_count; i++)
        check(columns[i] < schema->count && type_can_partition(schema->columns[columns[i]].type));
}

void routes_deinit(struct routes *routes) {
    for (size_t i = 0; i < routes->count; i++) {
        free(routes->routes[i].key);
        free(routes->routes[i].directory);
    }
    free(routes->routes);
    free(routes->slots);
    *routes = (struct routes){0};
}

/* The partition value as the key has it. */
static inline struct text key_part(const struct routes *routes, size_t part,
                                   const struct rows *rows, size_t row) {
    const struct vector *vector = &rows->columns[routes->columns[part]];
    if (!vector->valid[row])
        return hive_default;
    if (vector->type == TYPE_STRING)
        return vector->texts[row].length == 0 ? hive_default : vector->texts[row];
    size_t width = type_width(vector->type);
    return (struct text){(const char *)vector->values + row * width, (uint32_t)width};
}

static uint32_t hash_row(const struct routes *routes, const struct rows *rows, size_t row) {
    uint32_t hash = 0;
    for (size_t part = 0; part < routes->column_count; part++)
        hash = hash * 31 + text_hash(key_part(routes, part, rows, row));
    return hash;
}

static bool is_route(const struct routes *routes, const struct route *route,
                     const struct rows *rows, size_t row) {
    const char *key = route->key;
    for (size_t part = 0; part < routes->column_count; part++) {
        struct text text = {.bytes = key + sizeof text.length};
        memcpy(&text.length, key, sizeof text.length);
        if (!text_same(text, key_part(routes, part, rows, row)))
            return false;
        key += sizeof text.length + text.length;
    }
    return true;
}

static bool make_directory_text(const struct routes *routes, const struct rows *rows, size_t row,
                                char **directory, struct error *err) {
    char *text = must_alloc(routes->column_count + 1, PARTITION_NAME_MAX + 1);
    size_t size = 0;
    for (size_t part = 0; part < routes->column_count; part++) {
        const struct column *column = &routes->schema->columns[routes->columns[part]];
        const struct vector *vector = &rows->columns[routes->columns[part]];
        bool valid = vector->valid[row] != 0;
        char room[PARTITION_TEXT_MAX];
        struct text value = valid ? partition_text(vector, row, room) : TEXT("");
        if (part > 0)
            text[size++] = '/';
        if (!partition_directory(column->name, value, valid, text + size)) {
            free(text);
            return error_set(
                err, ERROR_STATE,
                "a value of partition column '%s' cannot be a directory name (it contains NUL, or "
                "has more than %d bytes), and its record was not rejected",
                column->name, PARTITION_NAME_MAX);
        }
        size += strlen(text + size);
    }
    *directory = text;
    return true;
}

static void set_key(struct route *route, const struct routes *routes, const struct rows *rows,
                    size_t row) {
    size_t size = 0;
    for (size_t part = 0; part < routes->column_count; part++)
        size += sizeof(uint32_t) + key_part(routes, part, rows, row).length;
    route->key = must_alloc(size + 1, 1);
    route->key_size = (uint32_t)size;
    char *at = route->key;
    for (size_t part = 0; part < routes->column_count; part++) {
        struct text text = key_part(routes, part, rows, row);
        memcpy(at, &text.length, sizeof text.length);
        memcpy(at + sizeof text.length, text.bytes, text.length);
        at += sizeof text.length + text.length;
    }
}

static size_t free_slot(const struct routes *routes, uint32_t hash) {
    size_t slot = hash & (routes->slot_count - 1);
    while (routes->slots[slot] != 0)
        slot = (slot + 1) & (routes->slot_count - 1);
    return slot;
}

static void grow(struct routes *routes) {
    if (routes->count == routes->capacity) {
        routes->capacity = routes->capacity == 0 ? SLOTS_FIRST / 2 : routes->capacity * 2;
        routes->routes = realloc(routes->routes, routes->capacity * sizeof *routes->routes);
        check(routes->routes != NULL);
    }
    // At most half of the slots are taken, and their number is a power of two.
    if ((routes->count + 1) * 2 <= routes->slot_count)
        return;
    routes->slot_count = routes->slot_count == 0 ? SLOTS_FIRST : routes->slot_count * 2;
    free(routes->slots);
    routes->slots = must_alloc(routes->slot_count, sizeof *routes->slots);
    for (size_t i = 0; i < routes->count; i++)
        routes->slots[free_slot(routes, routes->routes[i].hash)] = (uint32_t)(i + 1);
}

static bool add_route(struct routes *routes, uint32_t hash, const struct rows *rows, size_t row,
                      struct error *err) {
    struct route route = {.hash = hash};
    if (!make_directory_text(routes, rows, row, &route.directory, err))
        return false;
    set_key(&route, routes, rows, row);
    grow(routes);
    routes->slots[free_slot(routes, hash)] = (uint32_t)(routes->count + 1);
    routes->routes[routes->count++] = route;
    return true;
}

bool routes_find(struct routes *routes, const struct rows *rows, size_t row, size_t *index,
                 struct error *err) {
    if (routes->count > 0 && is_route(routes, &routes->routes[routes->last], rows, row)) {
        *index = routes->last;
        return true;
    }
    uint32_t hash = hash_row(routes, rows, row);
    size_t mask = routes->slot_count - 1;
    for (size_t slot = hash & mask; routes->slot_count > 0 && routes->slots[slot] != 0;
         slot = (slot + 1) & mask) {
        size_t candidate = routes->slots[slot] - 1;
        if (routes->routes[candidate].hash != hash ||
            !is_route(routes, &routes->routes[candidate], rows, row))
            continue;
        *index = routes->last = candidate;
        return true;
    }
    if (!add_route(routes, hash, rows, row, err))
        return false;
    *index = routes->last = routes->count - 1;
    return true;
}

size_t routes_memory(const struct routes *routes) {
    return routes->capacity * sizeof *routes->routes + routes->slot_count * sizeof *routes->slots +
           routes->count * (routes->column_count + 1) * (PARTITION_NAME_MAX + 1);
}
