/* record_rows.h: whether a record gets rows, said of the record itself, before anything is
 * exploded. */
#ifndef STREAMING_CLUSTER_ENGINE_RECORD_ROWS_H
#define STREAMING_CLUSTER_ENGINE_RECORD_ROWS_H

#include "streaming/cluster/engine/stream_names.h"

/* A condition as SQL, never null: whether the views give the record at least one row; `kept`: one
 * for which WHERE is true. "TRUE": always. */
const char *record_rows_any(const struct query_plan *query, const struct stream_names *names,
                            bool kept, struct pool *pool);

#endif
