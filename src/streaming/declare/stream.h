/* stream.h: what makes a streaming query: one topic, one record schema, derived columns, one table.
 *
 * Another query is one schema file (src/schemas/), one declaration in stream.c, and one more line
 * in `streams` there. */
#ifndef STREAMING_DECLARE_STREAM_H
#define STREAMING_DECLARE_STREAM_H

#include "core/schema.h"

struct stream {
    const char *name;  // "match_stream": the query, its checkpoint directory and its logger
    const char *job;   // "matches": for --job, the table's and the rejects' directory
    const char *class; // "MatchStreamProcessor": the old job's name for it, kept in log lines
    const char *topic_setting;        // "KAFKA_TOPIC_MATCHES"
    const char *topic;                // its default: "esports-matches"
    const char *partition_by_setting; // "MATCHES_PARTITION_BY"
    const char *partition_by;         // its default: "status"
    const struct record_schema *record;
    const struct column *derived;
    size_t derived_count;
};

extern const struct stream match_stream;
extern const struct stream player_stream;

/* All queries, ended by NULL. */
extern const struct stream *const streams[];

/* The table's columns: those of the record, of Kafka, and the derived ones. */
void stream_schema(const struct stream *stream, struct schema *schema);

#endif
