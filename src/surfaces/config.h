/* config.h: the effective settings, each from flag, environment, --env-file or default (in that
 * order), out of one table that also prints --help, --explain and docs/configuration.md. */
#ifndef SURFACES_CONFIG_H
#define SURFACES_CONFIG_H

#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/log.h"
#include "pipeline/decode_json.h"
#include "pipeline/sink_parquet.h"
#include "streaming/broker.h"
#include "streaming/store.h"
#include "streaming/trigger.h"

enum job { JOB_ALL, JOB_MATCHES, JOB_PLAYERS };

enum { PARTITION_BY_MAX = 8 };

struct name_list {
    char *names[PARTITION_BY_MAX];
    size_t count;
};

struct config {
    /* options without a variable */
    enum job job;
    bool await_termination;
    bool demo;
    bool explain;

    /* settings, in the order of the table */
    char *bootstrap_servers;
    char *topic_matches, *topic_players;
    char *master;
    int workers; // from the master: local = 1, local[N] = N, local[*] = processors (cgroup-aware)
    char *data_lake_path, *processed_path, *checkpoint_path;
    struct name_list matches_partition_by, players_partition_by;
    enum log_level log_level;
    bool log_json;
    int64_t driver_memory; // bytes
    int64_t executor_memory;
    int shuffle_partitions;
    int ui_port;
    struct trigger trigger;
    int64_t max_offsets_per_trigger; // 0: no limit
    char *starting_offsets;          // "earliest", "latest" or JSON
    bool fail_on_data_loss;
    enum parse_mode parse_mode;
    enum parquet_codec codec;
    enum parquet_timestamp timestamp_type;
    char *time_zone;
    int64_t kafka_startup_timeout_ms, write_retry_timeout_ms, shutdown_timeout_ms;
    int64_t status_interval_ms;
    enum sink_log_mode sink_log;

    struct kafka_property *kafka_properties; // owned
    size_t kafka_property_count;
};

/* Reads argv and the environment. Prints every fault to `errors`, a line each, and returns false:
 * the program ends with EXIT_USAGE. */
bool config_load(struct config *config, int argc, char **argv, FILE *errors);
void config_deinit(struct config *config);

#endif
