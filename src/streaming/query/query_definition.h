/* query_definition.h: what a query is, whichever engine runs it: its options and what follows from
 * them. Constant while it runs. */
#ifndef STREAMING_QUERY_QUERY_DEFINITION_H
#define STREAMING_QUERY_QUERY_DEFINITION_H

#include "base/error.h"
#include "core/reject.h"
#include "core/schema.h"
#include "pipeline/sink/sink_parquet.h"
#include "streaming/declare/stream.h"
#include "streaming/query/care_options.h"
#include "streaming/store/store.h"

struct trigger {
    bool available_now;  // run to the offsets that were the end at start, then finish
    int64_t interval_ms; // 0: as soon as there is something new
};

/* What a start does about files of the table that are missing. */
enum missing_files_mode { MISSING_FILES_IGNORE, MISSING_FILES_REPORT, MISSING_FILES_STOP };

struct query_options {
    const struct stream *stream;
    struct store_options store; // topic, paths, partition columns
    struct trigger trigger;
    const char *trigger_text;        // as the table's file has it; NULL: it has none
    int64_t max_offsets_per_trigger; // 0: no limit
    int64_t min_offsets_per_trigger; // 0: a batch takes what there is
    int64_t max_trigger_delay_ms;    // for so long at most a batch waits for that many
    const char *starting_offsets;    // "earliest", "latest" or JSON
    const char *commit_group;        // consumer group that gets the position, too; "": none
    bool fail_on_data_loss;
    enum missing_files_mode missing_files;
    enum parse_mode parse_mode;
    const char *time_zone;
    struct parquet_options parquet;
    struct care_options care;
    int64_t kafka_startup_timeout_ms, write_retry_timeout_ms, lag_interval_ms;
};

enum { QUERY_PARTITION_COLUMNS_MAX = 8 };

struct query_definition {
    const struct query_options *options;                   // borrowed
    const char *topic;                                     // of the options
    struct schema schema;                                  // of the table
    size_t partition_columns[QUERY_PARTITION_COLUMNS_MAX]; // indexes of the schema
};

/* ERROR_CONFIG: a partition column that the table does not have, or that can't be one. */
MUST_CHECK bool query_definition_init(struct query_definition *definition,
                                      const struct query_options *options, struct error *err);

/* Whether a batch can wait for more offsets. availableNow never waits, or it would leave some. */
static inline bool query_holds_back(const struct query_options *options) {
    return options->min_offsets_per_trigger > 0 && !options->trigger.available_now;
}

/* How far apart the batches of a topic in use can be: the trigger's interval, and what a batch
 * waits for more offsets. */
int64_t query_pause_ms(const struct query_options *options);

/* When the batch after one that began at `began_ms` and is over at `now_ms` starts, as Spark's
 * ProcessingTimeExecutor has it: at the next multiple of the interval, or at once after an overrun.
 * Milliseconds since 1970. */
int64_t trigger_next_ms(const struct trigger *trigger, int64_t began_ms, int64_t now_ms);

#endif
