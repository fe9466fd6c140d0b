/* stream_names.h: what the columns of a cluster's plan are called while it is computed.
 *
 * A table's column, a record's field and Kafka's column can have the same name, such as
 * `timestamp`. So everything but the table's columns has a name that begins with a prefix of
 * underscores, with which no name of the query begins. Fields of the record are only read as
 * `_parsed`.`field`. */
#ifndef STREAMING_CLUSTER_ENGINE_STREAM_NAMES_H
#define STREAMING_CLUSTER_ENGINE_STREAM_NAMES_H

#include "sql/plan/plan.h"

struct stream_names {
    const char *prefix;
    const char *parsed;      // the column of what from_json returns; quoted, as are the others
    const char *const *used; // for expr_sql(): inputs, then VIEW_PARTS parts of each view
};

/* In the pool. */
void stream_names_make(const struct query_plan *query, struct stream_names *names,
                       struct pool *pool);

/* Another column of ours. */
const char *stream_name(const struct stream_names *names, const char *what, struct pool *pool);

/* Where the names of a view begin in `used`. */
static inline size_t stream_names_of_view(const struct query_plan *query, size_t view) {
    return query->input_count + VIEW_PARTS * view;
}

#endif
