/* stream.h: what makes a streaming query: one topic, what is read of its records, one table.
 *
 * All of it follows from a query file (docs/queries.md). Those of queries/ are in the program;
 * users add their own (QUERIES_PATH). */
#ifndef STREAMING_DECLARE_STREAM_H
#define STREAMING_DECLARE_STREAM_H

#include "core/schema.h"
#include "sql/plan/plan.h"

struct stream {
    struct query_plan plan; // owned; has all texts that follow
    const char *name;       // "match_stream": the query, its checkpoint directory and its logger
    const char *job;        // "matches": for --job, the table's and the rejects' directory
    const char *class;      // "MatchStreamProcessor": the old job's name for it, kept in log lines
    const char *topic_setting; // "KAFKA_TOPIC_MATCHES"; NULL: no setting is the topic as a whole
    const char *topic_source;  // for messages: the setting, or "subscribe in riot.sql:9"
    const char *topic;         // by default: "esports-matches"; NULL: a setting without one
    const struct sql_property *values; // with ${…} (placeholder.h): the topic ("subscribe") first,
    size_t value_count;                // then properties that are for settings
    const char *partition_by_setting;  // "MATCHES_PARTITION_BY"
    const char *partition_by;          // its default: "status"
    const char *identifier;            // its NOT NULL columns, with commas; NULL: has none
    const struct record_schema *record; // what is decoded; no columns: the value is not parsed
    struct schema schema;               // inputs are those of the plan, columns are the table's
    bool is_builtin;
};

enum { STREAMS_MAX = 64 };

/* All queries, the built-in ones first, ended by NULL; empty before streams_load(). */
extern const struct stream *streams[STREAMS_MAX + 1];

/* Declares the built-in queries. Called once, before anything else that knows of queries, and by
 * one thread. A mistake in their files is a violated check. */
void streams_load(void);

/* Adds the tables of a file, by the same thread, before settings are read. ERROR_CONFIG, with
 * "path:line:column: " where there is a place: the file cannot be read, has a mistake, a name that
 * another query has, or is one table too many. Tables before the mistake have been added. */
MUST_CHECK bool streams_load_file(const char *path, struct error *err);

/* Only the built-in ones are left. */
void streams_unload_files(void);

/* Says what the stream's table is partitioned by: that makes PLAN_DATE one of its columns, or takes
 * it away. By the thread that reads settings, before anything else uses the stream. */
void streams_partition_by(const struct stream *stream, const char *const *names, size_t count);

/* By its job; there must be one. */
const struct stream *stream_of(const char *job);

/* What plan_make() accepts and no query can have yet is refused. Takes the plan over; in case of an
 * error, too, it is freed. ERROR_CONFIG, with "path:line:column: ". */
MUST_CHECK bool stream_make(struct query_plan *plan, struct stream *stream, struct error *err);
void stream_deinit(struct stream *stream); // accepts a zeroed struct

/* plan_set_date() for the plan and the schema. */
void stream_set_date(struct stream *stream, bool wanted);

/* A copy of stream->schema. */
void stream_schema(const struct stream *stream, struct schema *schema);

#endif
