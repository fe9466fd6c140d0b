/* infer_table.h: the tables that can be made of a topic's records: one row per record, and one row
 * per element of each array of objects. */
#ifndef SURFACES_INFER_INFER_TABLE_H
#define SURFACES_INFER_INFER_TABLE_H

#include "surfaces/infer/shape.h"

enum {
    INFER_COLUMNS_MAX = 500, // of a table, without the four of Kafka
    INFER_OTHERS_MAX = 200,  // arrays and maps
    INFER_PATH_MAX = 300,    // bytes; values at longer paths are left out
    INFER_TABLES_MAX = 8,    // per element of an array
};

/* A value in a record, by its path from the root, or from the element of an array. */
struct infer_path {
    const char *text;   // as SQL: "info.queueId"
    const char *key;    // the last part, as it is in the record
    const char *parent; // the part before it; NULL: there is none
    size_t depth;       // parts
    const struct shape *shape;
};

struct infer_column {
    struct infer_path path;
    const char *name, *expression; // `name` is NULL until all columns are known
    const char *type;
    bool required;    // NOT NULL
    const char *note; // for a comment at the column; "": none
};

struct infer_table {
    const char *name;
    const struct infer_path *array; // NULL: one row per record
    const char *position, *element; // aliases of the array's
    struct infer_column *columns;   // INFER_COLUMNS_MAX
    size_t column_count;
    struct infer_path *others; // INFER_OTHERS_MAX: arrays and maps
    size_t other_count;
    size_t left_out;              // values for which there is no room
    const char *partition_column; // NULL: none was found
    const char *alternatives;     // "queue_id (3 values), …"; "": none
};

/* `name` is that of the topic, as a table can have it. In `pool`. */
struct infer_table *infer_table_of_records(const struct shapes *shapes, const char *name,
                                           struct pool *pool);

/* A table for `array`, which is one of the others of `records`: its identifier, its partition
 * column, the position, and what the elements hold. */
struct infer_table *infer_table_of_elements(const struct shapes *shapes,
                                            const struct infer_table *records,
                                            const struct infer_path *array, struct pool *pool);

/* Whether the elements are objects, so that a table can be made of them. */
bool infer_has_table(const struct infer_path *path);

#endif
