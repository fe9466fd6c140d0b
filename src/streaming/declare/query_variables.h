/* query_variables.h: the names in ${NAME} (placeholder.h) of all queries. */
#ifndef STREAMING_DECLARE_QUERY_VARIABLES_H
#define STREAMING_DECLARE_QUERY_VARIABLES_H

#include "streaming/declare/stream.h"

enum { QUERY_VARIABLES_MAX = 128 };

struct query_variable {
    const char *name;
    const char *otherwise;     // the first default that a file gives; NULL: none does
    bool is_topic;             // it is the whole topic of a table
    const char *users;         // names of the queries, with commas
    const struct stream *last; // of them
};

/* Each name once, in the order of the queries; texts are in `pool`. Returns their number, which may
 * be larger than QUERY_VARIABLES_MAX: what is beyond is left out. */
size_t query_variables(struct query_variable variables[static QUERY_VARIABLES_MAX],
                       struct pool *pool);

#endif
