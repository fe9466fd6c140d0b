#include "surfaces/settings/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

const char *config_engine(const struct config *config) {
    return config->master_kind == MASTER_LOCAL ? "native" : "spark";
}

const char *config_master_shown(const struct config *config) {
    return config->master_shown != NULL ? config->master_shown : "";
}

bool config_runs(const struct config *config, const struct stream *stream) {
    return config->job == NULL || config->job == stream;
}

static const struct query_settings *query_settings(const struct config *config,
                                                   const struct stream *stream) {
    for (size_t i = 0; streams[i] != NULL; i++)
        if (streams[i] == stream)
            return &config->queries[i];
    check(!"a stream that is not in `streams`");
    return NULL;
}

const char *config_topic(const struct config *config, const struct stream *stream) {
    return query_settings(config, stream)->topic;
}

const struct name_list *config_partition_by(const struct config *config,
                                            const struct stream *stream) {
    return &query_settings(config, stream)->partition_by;
}

char *config_path(const struct config *config, enum config_path path, const struct stream *stream) {
    const char *root = path == PATH_TABLE     ? config->processed_path
                       : path == PATH_REJECTS ? config->data_lake_path
                                              : config->checkpoint_path;
    const char *name = path == PATH_CHECKPOINT ? stream->name : stream->job;
    char *text = NULL;
    check(asprintf(&text, "%s/%s%s", strcmp(root, "/") == 0 ? "" : root,
                   path == PATH_REJECTS ? "rejected/" : "", name) >= 0);
    return text;
}

struct store_options config_store_options(const struct config *config,
                                          const struct stream *stream) {
    const struct name_list *partition_by = config_partition_by(config, stream);
    return (struct store_options){.query = stream->name,
                                  .stream = stream,
                                  .topic = config_topic(config, stream),
                                  .checkpoint = config_path(config, PATH_CHECKPOINT, stream),
                                  .table = config_path(config, PATH_TABLE, stream),
                                  .rejects = config_path(config, PATH_REJECTS, stream),
                                  .partition_by = (const char *const *)partition_by->names,
                                  .partition_by_count = partition_by->count,
                                  .sink_log = config->sink_log,
                                  .shuffle_partitions = config->shuffle_partitions};
}

void config_store_options_deinit(struct store_options *options) {
    free((void *)options->checkpoint);
    free((void *)options->table);
    free((void *)options->rejects);
    *options = (struct store_options){0};
}

struct query_options config_query_options(const struct config *config,
                                          const struct stream *stream) {
    struct query_options options = config->query;
    options.stream = stream;
    options.store = config_store_options(config, stream);
    return options;
}

struct spark_server_options config_spark_server_options(const struct config *config) {
    bool set = config->spark_home != NULL && *config->spark_home != '\0';
    return (struct spark_server_options){.spark_home = set ? config->spark_home : NULL,
                                         .master = config->master,
                                         .driver_memory = config->driver_memory,
                                         .executor_memory = config->executor_memory,
                                         .shuffle_partitions = config->shuffle_partitions,
                                         .properties = config->spark_properties,
                                         .property_count = config->spark_property_count,
                                         .timeout_ms = config->spark_connect_timeout_ms};
}

int64_t config_memory_budget(const struct config *config) {
    return config->master_kind == MASTER_LOCAL ? config->driver_memory : CLUSTER_MEMORY;
}

int64_t config_memory_floor(const struct config *config, int64_t largest_batch) {
    const int64_t mib = 1 << 20;
    int64_t beyond = largest_batch > mib ? largest_batch - mib : 0;
    return MEMORY_FLOOR_BASE + (int64_t)config->workers * MEMORY_FLOOR_BATCHES * beyond;
}
