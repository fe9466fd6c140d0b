/* types.h: types by their names in SQL, for tests. */
#ifndef TEST_SQL_FUNCTIONS_TYPES_H
#define TEST_SQL_FUNCTIONS_TYPES_H

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "core/data_type.h"

/* A scalar type, such as "INT" or "DECIMAL(10,2)". */
static inline struct data_type type_named(const char *name) {
    struct data_type type = {.kind = TYPE_DECIMAL};
    if (strncmp(name, "DECIMAL(", 8) == 0) {
        char *end;
        type.precision = (int)strtol(name + 8, &end, 10);
        type.scale = (int)strtol(end + 1, NULL, 10);
        return type;
    }
    for (int kind = 0; kind < TYPE_STRUCT; kind++)
        if (kind != TYPE_DECIMAL && strcmp(name, type_sql_name((enum type)kind)) == 0)
            return (struct data_type){.kind = (enum type)kind};
    check(false);
    return type;
}

#endif
