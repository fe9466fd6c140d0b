/* data_type.h: the type of a value that a query names: a scalar, or a tree of them. */
#ifndef CORE_DATA_TYPE_H
#define CORE_DATA_TYPE_H

#include "base/pool.h"
#include "core/type.h"

enum { DECIMAL_PRECISION_MAX = 38, DATA_TYPE_DEPTH_MAX = 100 };

/* Immutable once made; its parts are in the pool of the query that names it. */
struct data_type {
    enum type kind;
    int precision, scale;            // TYPE_DECIMAL
    const struct data_type *element; // TYPE_ARRAY: of an element; TYPE_MAP: of a value (keys are
                                     // STRING)
    const struct data_field *fields; // TYPE_STRUCT, in declared order
    size_t field_count;
};

struct data_field {
    const char *name;
    struct data_type type;
    const char *comment; // NULL: none
};

/* Whether Spark reads it as a name without quotes: letters, digits and underscores of ASCII, and no
 * digit first. */
bool name_is_plain(const char *name);

/* In back quotes. */
const char *name_quoted(const char *name, struct pool *pool);

/* Names of fields differ by case; comments make no difference. */
bool data_type_equals(const struct data_type *a, const struct data_type *b);

/* As Spark's DDL writes it: "BIGINT", "DECIMAL(10,2)", "STRUCT<`matchId`: STRING>". Every name of a
 * field is quoted, so Spark reads back what was meant. */
const char *data_type_ddl(const struct data_type *type, struct pool *pool);

/* The same for people: names are quoted only where they have to be. */
const char *data_type_text(const struct data_type *type, struct pool *pool);

#endif
