/* config.h: the settings in effect, and what follows from them. config_load.h fills it. */
#ifndef SURFACES_SETTINGS_CONFIG_H
#define SURFACES_SETTINGS_CONFIG_H

#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/log/log.h"
#include "core/reject.h"
#include "pipeline/parquet/format.h"
#include "streaming/cluster/spark/spark_server.h"
#include "streaming/declare/query_variables.h"
#include "streaming/kafka/broker.h"
#include "streaming/query/query_definition.h"
#include "streaming/store/store.h"
#include "surfaces/settings/addresses.h"
#include "surfaces/settings/options.h"

enum origin {
    ORIGIN_DEFAULT,
    ORIGIN_ENV_FILE,
    ORIGIN_ENVIRONMENT,
    ORIGIN_FILE, // a query file
    ORIGIN_FLAG,
};

/* A setting's text and where it came from. */
struct setting_value {
    char *text;  // owned; NULL: not set, and not needed
    char *where; // owned; "default", "environment", "/etc/esports.env:3", "--trigger"
    enum origin origin;
};

/* What the file of a query can say for it alone, in TBLPROPERTIES. */
enum table_property {
    TABLE_TRIGGER,
    TABLE_STARTING_OFFSETS,
    TABLE_MAX_OFFSETS,
    TABLE_MIN_OFFSETS,
    TABLE_MAX_DELAY,
    TABLE_PARSE_MODE,
    TABLE_COMPACT,
    TABLE_RETENTION,
    TABLE_PATH, // these three as in enum config_path
    TABLE_REJECTS_PATH,
    TABLE_CHECKPOINT,
    TABLE_PROPERTY_COUNT,
};

enum config_path { PATH_TABLE, PATH_REJECTS, PATH_CHECKPOINT };

/* What each query has for itself. A property without a text is not in effect, and its field is 0.
 */
struct query_settings {
    char *topic;
    struct name_list partition_by;
    struct setting_value properties[TABLE_PROPERTY_COUNT];
    struct trigger trigger;
    char *starting_offsets;
    int64_t max_offsets_per_trigger, min_offsets_per_trigger, max_trigger_delay_ms;
    enum parse_mode parse_mode;
    struct compact_setting compact;
    int64_t retention_days;           // of a built-in query by its setting, too; -1: not given
    char *paths[PATH_CHECKPOINT + 1]; // by enum config_path
};

struct config {
    /* options without a variable */
    enum action action;
    const struct command *command; // of ACTION_COMMAND, and of --help behind one; NULL: none
    enum help help;                // of ACTION_HELP
    struct command_arguments arguments;
    uint64_t jobs;            // bit i: streams[i] is chosen
    const struct stream *job; // the one that is chosen; NULL: several
    bool await_termination;
    bool demo;
    bool live;       // with `demo`: it keeps running
    int64_t live_ms; // for so long; 0: not given

    /* settings, in the order of the table */
    char *bootstrap_servers;
    struct query_settings queries[STREAMS_MAX]; // in the order of `streams`
    char *variables[QUERY_VARIABLES_MAX];       // of ${NAME} in query files (streaming/declare)
    char *master, *master_shown;                // the latter without its token; owned
    enum master_kind master_kind;
    int workers; // from the master: local = 1, local[N] = N, local[*] = processors (cgroup-aware);
                 // on a cluster as local[*], for the commands that read the lake
    char *queries_path;                                      // "": only the built-in queries
    char *spark_home;                                        // "": not set
    char *data_lake_path, *processed_path, *checkpoint_path; // absolute, no slash at the end
    enum log_level log_level;
    bool log_json;
    int64_t driver_memory; // bytes
    int64_t executor_memory, rewind_retention_ms;
    int shuffle_partitions;
    int ui_port;              // 0: off
    char *ui_host, *ui_token; // "": no token
    char *ui_hosts;           // further names, by commas; "": none
    bool confinement;
    char *alert_webhook_url; // "": none
    int64_t alert_after_ms;
    int alert_rejects_percent;
    struct query_options query; // what all queries have in common; its texts are owned
    int64_t spark_connect_timeout_ms, shutdown_timeout_ms;
    int64_t status_interval_ms;
    enum sink_log_mode sink_log;

    struct kafka_property *kafka_properties; // owned
    char **kafka_origins;                    // owned, parallel: "KAFKA_SASL_PASSWORD, environment"
    size_t kafka_property_count;

    struct spark_property *spark_properties; // owned; those that have an effect with this master
    char **spark_origins;                    // owned, parallel: "SPARK_CONF_spark_x, environment"
    size_t spark_property_count;

    struct setting_value values[SETTINGS_MAX]; // by index of the table of settings

    /* What the operator may not know: variables that look like settings and are none (to be logged
     * as WARNING), and
     * the names of KAFKA_* variables that are nobody's, and of SPARK_CONF_* variables without an
     * effect with this master (once, as INFO; comma-separated). */
    char **warnings;
    size_t warning_count;
    char *ignored_kafka_variables; // NULL: there is none
    char *ignored_spark_variables; // NULL: there is none
};

/* The query of one name in --job: its job or its own name. NULL: there is none. */
const struct stream *config_find_job(struct text name);

bool config_runs(const struct config *config, const struct stream *stream);

/* "all", or the chosen ones as --job takes them: "matches,players". The caller frees it. */
char *config_jobs(const struct config *config);
const char *config_topic(const struct config *config, const struct stream *stream);
const struct name_list *config_partition_by(const struct config *config,
                                            const struct stream *stream);

/* Who runs the queries: "native" or "spark". */
const char *config_engine(const struct config *config);

/* SPARK_MASTER_URL as it may be shown: without a token. */
const char *config_master_shown(const struct config *config);

/* The file's value for a property of the query; NULL: the setting of the same purpose counts. */
const struct setting_value *config_property(const struct config *config,
                                            const struct stream *stream,
                                            enum table_property property);

/* {PROCESSED_DATA_PATH}/matches, {DATA_LAKE_PATH}/rejected/matches,
 * {CHECKPOINT_PATH}/match_stream, or what the query's file says. The caller frees it. */
char *config_path(const struct config *config, enum config_path path, const struct stream *stream);

/* What the query's store needs: its paths are owned, the rest is borrowed from the config. */
struct store_options config_store_options(const struct config *config, const struct stream *stream);
void config_store_options_deinit(struct store_options *options);

/* How the query runs; its store as above. */
struct query_options config_query_options(const struct config *config, const struct stream *stream);

/* What a Spark Connect server of our own is started with, of MASTER_SERVER; borrowed. */
struct spark_server_options config_spark_server_options(const struct config *config);

/* The memory that this process may take, in bytes: SPARK_DRIVER_MEMORY, or CLUSTER_MEMORY where
 * Spark does the work and that setting is its driver's. */
int64_t config_memory_budget(const struct config *config);

enum {
    MERGE_MEMORY = 64 << 20,      // bytes, at most; an eighth of a smaller budget
    CLUSTER_MEMORY = 256 << 20,   // bytes; for the page, the queries' history and the commands that
                                  // read the lake
    MEMORY_FLOOR_BASE = 64 << 20, // bytes
    MEMORY_FLOOR_BATCHES = 4, // record batches that a worker may hold at once, in one form or other
    KAFKA_DEFAULT_BATCH = 1 << 20, // bytes; the brokers' default for max.message.bytes, about
};

/* The least memory that the engine can keep its promise with, in bytes:
 *     64 MiB + workers * 4 * (largest record batch - 1 MiB, if positive)
 * `largest_batch` is the topic's max.message.bytes; KAFKA_DEFAULT_BATCH where nobody knows it. */
int64_t config_memory_floor(const struct config *config, int64_t largest_batch);

struct problems; // surfaces/settings/problems.h

/* Settings that contradict one another: two queries on one topic, directories within one another,
 * too little memory, starting offsets for the wrong topics. Settings that could not be read are
 * left out. */
void config_check(const struct config *config, struct problems *problems);

#endif
