/* build_types.c: names of types as in Spark. Walks of types recurse, which DATA_TYPE_DEPTH_MAX
 * bounds. */
#include <string.h>
#include <strings.h>

#include "base/nearest.h"
#include "sql/syntax/build.h"

static const struct type_name {
    const char *name;
    enum type type;
} type_names[] = {
    {"BOOLEAN", TYPE_BOOL},
    {"TINYINT", TYPE_INT8},
    {"BYTE", TYPE_INT8},
    {"SMALLINT", TYPE_INT16},
    {"SHORT", TYPE_INT16},
    {"INT", TYPE_INT32},
    {"INTEGER", TYPE_INT32},
    {"BIGINT", TYPE_INT64},
    {"LONG", TYPE_INT64},
    {"FLOAT", TYPE_FLOAT},
    {"REAL", TYPE_FLOAT},
    {"DOUBLE", TYPE_DOUBLE},
    {"DECIMAL", TYPE_DECIMAL},
    {"DEC", TYPE_DECIMAL},
    {"NUMERIC", TYPE_DECIMAL},
    {"STRING", TYPE_STRING},
    {"BINARY", TYPE_BINARY},
    {"DATE", TYPE_DATE},
    {"TIMESTAMP", TYPE_TIMESTAMP},
    {"TIMESTAMP_LTZ", TYPE_TIMESTAMP},
    {"TIMESTAMP_NTZ", TYPE_TIMESTAMP_NTZ},
};

/* Types of Spark that we do not have. */
static const struct {
    const char *name, *instead;
} missing_types[] = {
    {"CHAR", "write STRING: from_json has no CHAR"},
    {"CHARACTER", "write STRING: from_json has no CHAR"},
    {"VARCHAR", "write STRING: from_json has no VARCHAR"},
    {"INTERVAL", "write INT or BIGINT, a number of seconds for example"},
    {"VARIANT", "declare the fields that are used as a STRUCT, or write STRING for the JSON text"},
    {"VOID", "write the type that the values have"},
    {"TIME", "write STRING"},
    {"GEOMETRY", "write STRING"},
    {"GEOGRAPHY", "write STRING"},
    {"TEXT", "write STRING"},
    {"JSON", "declare the fields that are used as a STRUCT, or write STRING for the JSON text"},
    {"OBJECT", "declare the fields that are used as a STRUCT"},
};

enum { TYPE_NAMES = sizeof type_names / sizeof type_names[0] };
enum { MISSING_TYPES = sizeof missing_types / sizeof missing_types[0] };

const struct data_type *sql_plain_type(enum type kind) {
    static const struct data_type types[TYPE_COUNT] = {
        [TYPE_BOOL] = {.kind = TYPE_BOOL},
        [TYPE_INT8] = {.kind = TYPE_INT8},
        [TYPE_INT16] = {.kind = TYPE_INT16},
        [TYPE_INT32] = {.kind = TYPE_INT32},
        [TYPE_INT64] = {.kind = TYPE_INT64},
        [TYPE_FLOAT] = {.kind = TYPE_FLOAT},
        [TYPE_DOUBLE] = {.kind = TYPE_DOUBLE},
        [TYPE_STRING] = {.kind = TYPE_STRING},
        [TYPE_BINARY] = {.kind = TYPE_BINARY},
        [TYPE_DATE] = {.kind = TYPE_DATE},
        [TYPE_TIMESTAMP] = {.kind = TYPE_TIMESTAMP},
        [TYPE_TIMESTAMP_NTZ] = {.kind = TYPE_TIMESTAMP_NTZ},
    };
    return &types[kind];
}

static void refuse_type(struct sql_input *in, struct sql_place place, const char *name) {
    for (size_t i = 0; i < MISSING_TYPES; i++) {
        if (strcasecmp(missing_types[i].name, name) == 0) {
            sql_refuse(in, place, "the type %s is not supported: %s", missing_types[i].name,
                       missing_types[i].instead);
            return;
        }
    }
    struct nearest nearest = {.given = name};
    for (size_t i = 0; i < TYPE_NAMES; i++)
        nearest_offer(&nearest, type_names[i].name);
    if (nearest.word[0] != '\0')
        sql_refuse(in, place, "unknown type '%.60s' (did you mean %s?)", name, nearest.word);
    else
        sql_refuse(in, place, "unknown type '%.60s'", name);
}

static const struct type_name *find_type(const char *name) {
    for (size_t i = 0; i < TYPE_NAMES; i++)
        if (strcasecmp(type_names[i].name, name) == 0)
            return &type_names[i];
    return NULL;
}

/* A number of at most two digits; more are large enough to be refused. */
static int small_number(const char *digits) {
    digits += strspn(digits, "0");
    size_t count = strlen(digits);
    if (count == 0)
        return 0;
    return count == 1   ? digits[0] - '0'
           : count == 2 ? 10 * (digits[0] - '0') + digits[1] - '0'
                        : 100;
}

static struct data_type decimal_type(struct sql_input *in, struct sql_place place,
                                     const struct sql_list *numbers) {
    struct data_type type = {.kind = TYPE_DECIMAL, .precision = 10, .scale = 0};
    if (numbers == NULL)
        return type;
    const char *const *digits = (const char *const *)numbers->items;
    if (numbers->count > 2) {
        sql_refuse(in, place, "DECIMAL has a precision and a scale, not %zu numbers",
                   numbers->count);
        return type;
    }
    type.precision = small_number(digits[0]);
    type.scale = numbers->count > 1 ? small_number(digits[1]) : 0;
    if (type.precision > DECIMAL_PRECISION_MAX)
        sql_refuse(in, place, "DECIMAL has at most %d digits", DECIMAL_PRECISION_MAX);
    else if (type.scale > type.precision)
        sql_refuse(in, place, "the scale of DECIMAL(%d,%d) is larger than its precision",
                   type.precision, type.scale);
    else if (type.precision == 0)
        sql_refuse(in, place, "DECIMAL needs a digit at least");
    return type;
}

struct data_type sql_scalar_type(struct sql_input *in, struct sql_place place, const char *name,
                                 const struct sql_list *numbers) {
    const struct type_name *found = find_type(name);
    if (found == NULL) {
        refuse_type(in, place, name);
        return (struct data_type){0};
    }
    if (found->type == TYPE_DECIMAL)
        return decimal_type(in, place, numbers);
    if (numbers != NULL)
        sql_refuse(in, place, "the type %s has no length or precision", found->name);
    return (struct data_type){.kind = found->type};
}

/* Levels of a type, with its own. */
static int type_depth(const struct data_type *type) {
    int below = type->element != NULL ? type_depth(type->element) : 0;
    for (size_t i = 0; i < type->field_count; i++) {
        int depth = type_depth(&type->fields[i].type);
        below = depth > below ? depth : below;
    }
    return below + 1;
}

/* Every type is checked, so none that is deeper by more than one level is ever made. */
static struct data_type checked(struct sql_input *in, struct sql_place place,
                                struct data_type type) {
    if (type_depth(&type) <= DATA_TYPE_DEPTH_MAX)
        return type;
    sql_refuse(in, place, "types are nested too deeply (limit: %d levels)", DATA_TYPE_DEPTH_MAX);
    return (struct data_type){0};
}

static struct data_type type_of_elements(struct sql_input *in, struct sql_place place,
                                         enum type kind, struct data_type element) {
    struct data_type *copy = pool_alloc(in->pool, 1, sizeof *copy);
    *copy = element;
    return checked(in, place, (struct data_type){.kind = kind, .element = copy});
}

struct data_type sql_array_type(struct sql_input *in, struct sql_place place,
                                struct data_type element) {
    return type_of_elements(in, place, TYPE_ARRAY, element);
}

struct data_type sql_map_type(struct sql_input *in, struct sql_place place,
                              struct sql_place key_place, struct data_type key,
                              struct data_type value) {
    if (key.kind != TYPE_STRING)
        sql_refuse(in, key_place, "the keys of a MAP are STRING, as in JSON");
    return type_of_elements(in, place, TYPE_MAP, value);
}

struct sql_list sql_list_struct_field(struct sql_input *in, struct sql_list list,
                                      struct sql_field field) {
    if (field.required)
        sql_refuse(in, field.place,
                   "NOT NULL is not possible in a STRUCT, because from_json ignores it: write it "
                   "at a column of a streaming table");
    struct data_field *item =
        sql_list_grow(in, &list, sizeof *item, SQL_COLUMNS_MAX, field.place, "fields in a STRUCT");
    *item = (struct data_field){field.name, field.type, field.comment};
    return list;
}

struct data_type sql_struct_type(struct sql_input *in, struct sql_place place,
                                 struct sql_list fields) {
    return checked(in, place,
                   (struct data_type){
                       .kind = TYPE_STRUCT, .fields = fields.items, .field_count = fields.count});
}
