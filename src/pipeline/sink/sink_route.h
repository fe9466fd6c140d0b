/* sink_route.h: which file of the sink a row belongs to.
 *
 * One route per combination of partition values. Null, the empty text and Spark's name for both are
 * one value, because they are one directory. */
#ifndef PIPELINE_SINK_SINK_ROUTE_H
#define PIPELINE_SINK_SINK_ROUTE_H

#include "base/error.h"
#include "core/rows.h"

enum { PARTITION_NAME_MAX = 255 }; // bytes of one directory name
enum { PARTITION_TEXT_MAX = 24 };  // of a value that is not a text

/* The value as Spark writes it into the name ("true", "-7", "2024-01-02"): a text is the vector's
 * own, anything else is in `room`. The value is not null, and of a type that can partition. */
struct text partition_text(const struct vector *vector, size_t row,
                           char room[static PARTITION_TEXT_MAX]);

/* Writes "name=value" with Spark's escaping. False: the value can't be a directory (it holds NUL,
 * or the name gets too long). `valid` false: null, which is written as an empty value is:
 * __HIVE_DEFAULT_PARTITION__. */
bool partition_directory(const char *column, struct text value, bool valid,
                         char name[static PARTITION_NAME_MAX + 1]);

struct route {
    uint32_t hash;
    uint32_t key_size;
    char *key;       // owned; per partition column the length (uint32_t), then the bytes
    char *directory; // owned; "status=live/role=mid", "" without partition columns
};

struct routes {
    const struct schema *schema; // borrowed, as the columns are
    const size_t *columns;
    size_t column_count;

    struct route *routes; // owned
    size_t count, capacity;
    uint32_t *slots; // owned; 0: free, otherwise the route's index + 1
    size_t slot_count;
    size_t last; // the route of the row before
};

void routes_init(struct routes *routes, const struct schema *schema, const size_t *columns,
                 size_t column_count);
void routes_deinit(struct routes *routes);

/* The index of the row's route; a new one is made at the end. ERROR_STATE: a value that cannot be a
 * directory. */
MUST_CHECK bool routes_find(struct routes *routes, const struct rows *rows, size_t row,
                            size_t *index, struct error *err);

size_t routes_memory(const struct routes *routes);

#endif
