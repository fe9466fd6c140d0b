/* fields.h: what a schema reads of a record, as a tree: the objects of which columns are read, and
 * the types of arrays and maps down to their scalar values.
 *
 * A field is one of these:
 *
 *     VALUE     a scalar: a column, or a part of an array or map
 *     OBJECT    the keys on the way to columns; no column by itself
 *     STRUCT    an object in an array or map: a vector with a child for each field
 *     ARRAY     a vector whose child has the elements
 *     MAP       a vector whose children have the keys and the values */
#ifndef PIPELINE_JSON_FIELDS_H
#define PIPELINE_JSON_FIELDS_H

#include "base/pool.h"
#include "core/data_type.h"
#include "core/schema.h"
#include "core/vector.h"
#include "pipeline/json/text.h"

enum json_field_kind {
    JSON_FIELD_VALUE,
    JSON_FIELD_OBJECT,
    JSON_FIELD_STRUCT,
    JSON_FIELD_ARRAY,
    JSON_FIELD_MAP,
};

struct json_field {
    enum json_field_kind kind;
    struct text key;               // of an element: empty
    const char *path;              // the keys on the way with dots between them, for people
    const struct column *declared; // VALUE: its type
    size_t column;                 // the first column that it leads to
    size_t *columns;               // all of them, more than one only for an OBJECT
    size_t column_count;
    size_t child;               // a field of a STRUCT: its vector among the struct's
    struct json_field *element; // ARRAY, MAP: an element or value
    struct json_field *fields;  // OBJECT, STRUCT: in declared order, chained
    struct json_field *next;
    struct json_field **slots; // OBJECT, STRUCT: the same by a hash of the key; NULL: none
    unsigned slot_mask;
    struct json_field *collision; // another one with the same hash
};

/* Where a value goes. */
struct json_place {
    struct vector *vector;
    size_t row;
};

/* An object, array or map that is being read. */
struct json_open_value {
    struct json_field *field;
    struct json_place place; // of an OBJECT: none
    uint32_t first;          // of an array or map: the index of its first element
    bool is_lost;            // a map: once a value of it could not be read
    size_t saved_count;      // of values saved before it was opened
};

struct json_fields {
    struct pool pool;         // owned; behind all fields
    struct json_field **tops; // by column: what members.h leaves to objects.h, by the first column
                              // in it; others NULL
    size_t depth;             // of fields in one another
    size_t saved;             // how many values can be replaced by objects that are open together
};

/* `schema` is borrowed. */
void json_fields_init(struct json_fields *fields, const struct record_schema *schema);
void json_fields_deinit(struct json_fields *fields);

/* Whether columns are read by a tree: those in an object, arrays and maps. */
bool json_fields_has_tree(const struct column *column);

/* The field that a key names, or NULL: mostly a key is not read, and that takes no comparison. */
struct json_field *json_fields_find(const struct json_field *object, struct json_raw key);

#endif
