/* What follows from the settings: paths, the options of the lower floors, memory; and what they
 * contradict in each other. A setting that could not be read is NULL or 0 here and was reported
 * already, so each check leaves it out. */
#include "surfaces/settings/config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/disk/filesystem.h"
#include "base/json.h"
#include "base/scope.h"
#include "base/text.h"
#include "pipeline/source/kafka_login.h"
#include "streaming/cluster/spark/kafka_options.h"
#include "surfaces/settings/problems.h"
#include "surfaces/terminal/quantity.h"

const char *config_engine(const struct config *config) {
    return config->master_kind == MASTER_LOCAL ? "native" : "spark";
}

const char *config_master_shown(const struct config *config) {
    return config->master_shown != NULL ? config->master_shown : "";
}

const struct stream *config_find_job(struct text name) {
    for (size_t i = 0; streams[i] != NULL; i++)
        if (text_equals(text_borrow(streams[i]->job), name) ||
            text_equals(text_borrow(streams[i]->name), name))
            return streams[i];
    return NULL;
}

bool config_runs(const struct config *config, const struct stream *stream) {
    for (size_t i = 0; streams[i] != NULL; i++)
        if (streams[i] == stream)
            return config->jobs == 0 || (config->jobs >> i & 1) != 0;
    return false;
}

char *config_jobs(const struct config *config) {
    bool all = true;
    char *list = text_copy("");
    for (size_t i = 0; streams[i] != NULL; i++) {
        if (!config_runs(config, streams[i])) {
            all = false;
            continue;
        }
        char *longer = text_format("%s%s%s", list, *list != '\0' ? "," : "", streams[i]->job);
        free(list);
        list = longer;
    }
    if (!all)
        return list;
    free(list);
    return text_copy("all");
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

const struct setting_value *config_property(const struct config *config,
                                            const struct stream *stream,
                                            enum table_property property) {
    const struct setting_value *value = &query_settings(config, stream)->properties[property];
    return value->text != NULL ? value : NULL;
}

char *config_path(const struct config *config, enum config_path path, const struct stream *stream) {
    const char *own = query_settings(config, stream)->paths[path];
    if (own != NULL)
        return text_copy(own);
    const char *root = path == PATH_TABLE     ? config->processed_path
                       : path == PATH_REJECTS ? config->data_lake_path
                                              : config->checkpoint_path;
    const char *name = path == PATH_CHECKPOINT ? stream->name : stream->job;
    return text_format("%s/%s%s", strcmp(root, "/") == 0 ? "" : root,
                       path == PATH_REJECTS ? "rejected/" : "", name);
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
                                  .shuffle_partitions = config->shuffle_partitions,
                                  .rewind_retention_ms = config->rewind_retention_ms};
}

void config_store_options_deinit(struct store_options *options) {
    free((void *)options->checkpoint);
    free((void *)options->table);
    free((void *)options->rejects);
    *options = (struct store_options){0};
}

static struct compact_setting compact_of(const struct config *config, const struct stream *stream) {
    return config_property(config, stream, TABLE_COMPACT) != NULL
               ? query_settings(config, stream)->compact
               : config->query.care.compact;
}

static int64_t retention_of(const struct config *config, const struct stream *stream) {
    const struct query_settings *own = query_settings(config, stream);
    bool given = config_property(config, stream, TABLE_RETENTION) != NULL ||
                 (stream->is_builtin && own->retention_days >= 0);
    return given ? own->retention_days : config->query.care.retention_days;
}

struct query_options config_query_options(const struct config *config,
                                          const struct stream *stream) {
    struct query_options options = config->query;
    const struct query_settings *own = query_settings(config, stream);
    options.stream = stream;
    options.store = config_store_options(config, stream);
    const struct setting_value *trigger = config_property(config, stream, TABLE_TRIGGER);
    if (trigger != NULL) {
        options.trigger = own->trigger;
        options.trigger_text = trigger->text;
    }
    if (config_property(config, stream, TABLE_STARTING_OFFSETS) != NULL)
        options.starting_offsets = own->starting_offsets;
    if (config_property(config, stream, TABLE_MAX_OFFSETS) != NULL)
        options.max_offsets_per_trigger = own->max_offsets_per_trigger;
    if (config_property(config, stream, TABLE_MIN_OFFSETS) != NULL)
        options.min_offsets_per_trigger = own->min_offsets_per_trigger;
    if (config_property(config, stream, TABLE_MAX_DELAY) != NULL)
        options.max_trigger_delay_ms = own->max_trigger_delay_ms;
    if (config_property(config, stream, TABLE_PARSE_MODE) != NULL)
        options.parse_mode = own->parse_mode;
    options.care.compact = compact_of(config, stream);
    options.care.retention_days = retention_of(config, stream);
    options.care.memory_max = config_memory_budget(config) / 8;
    if (options.care.memory_max > MERGE_MEMORY)
        options.care.memory_max = MERGE_MEMORY;
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

/* ---- what no setting can say of itself alone ---- */

enum { DIRECTORIES_MAX = 3 * STREAMS_MAX, SPARK_MEMORY_LEAST = 512 << 20 };

/* Two settings with one topic are a mistake: a topic has one kind of record. Two tables that name
 * it by the same setting, or without one, are meant so. But they cannot share a consumer group. */
static void check_topic_of_two(const struct config *config, const struct stream *a,
                               const struct stream *b, const char *topic,
                               struct problems *problems) {
    bool settings = a->topic_setting != NULL && b->topic_setting != NULL &&
                    strcmp(a->topic_setting, b->topic_setting) != 0;
    if (settings)
        problems_add(problems,
                     "%s and %s are both '%s', but two queries cannot read one topic: "
                     "change one of them, or run one query with --job",
                     a->topic_setting, b->topic_setting, topic);
    else if (config->query.commit_group != NULL && *config->query.commit_group != '\0')
        problems_add(
            problems,
            "KAFKA_COMMIT_GROUP: %s and %s both read topic '%s', and would overwrite each "
            "other's offsets in the group: leave it out, or run them in processes of their "
            "own (--job), each with its own group",
            a->name, b->name, topic);
}

static void check_topics(const struct config *config, struct problems *problems) {
    for (size_t i = 0; streams[i] != NULL; i++) {
        for (size_t j = 0; j < i; j++) {
            const char *a = config->queries[j].topic, *b = config->queries[i].topic;
            bool both = config_runs(config, streams[i]) && config_runs(config, streams[j]);
            if (both && a != NULL && b != NULL && strcmp(a, b) == 0)
                check_topic_of_two(config, streams[j], streams[i], a, problems);
        }
    }
}

/* Whether `inner` is `outer` or lies below it. */
static bool is_within(const char *inner, const char *outer) {
    size_t size = strcmp(outer, "/") == 0 ? 0 : strlen(outer);
    return strncmp(inner, outer, size) == 0 && (inner[size] == '/' || inner[size] == '\0');
}

static void check_directories(const struct config *config, struct problems *problems) {
    char *paths[DIRECTORIES_MAX], *real[DIRECTORIES_MAX];
    size_t count = 0;
    if (config->data_lake_path == NULL || config->processed_path == NULL ||
        config->checkpoint_path == NULL)
        return;
    for (size_t i = 0; streams[i] != NULL; i++)
        for (enum config_path path = PATH_TABLE; path <= PATH_CHECKPOINT; path++)
            paths[count++] = config_path(config, path, streams[i]);
    for (size_t i = 0; i < count; i++)
        real[i] = filesystem_real_path(paths[i]);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++)
            // Of two that are equal, only the later one is reported.
            if (i != j && is_within(real[i], real[j]) && (i > j || strcmp(real[i], real[j]) != 0))
                problems_add(problems,
                             "'%s' is inside '%s', but each table, rejects table and checkpoint "
                             "needs its own directory: change DATA_LAKE_PATH, "
                             "PROCESSED_DATA_PATH or CHECKPOINT_PATH, or a location in the "
                             "TBLPROPERTIES of a query file",
                             paths[i], paths[j]);
    for (size_t i = 0; i < count; i++) {
        free(paths[i]);
        free(real[i]);
    }
}

static void check_memory(const struct config *config, struct problems *problems) {
    int64_t floor = config_memory_floor(config, KAFKA_DEFAULT_BATCH);
    // 0: it could not be read, and that was reported.
    if (config->driver_memory == 0 || config->workers == 0 || config_memory_budget(config) >= floor)
        return;
    char given[SIZE_TEXT_MAX], least[SIZE_TEXT_MAX];
    size_format(config->driver_memory, given);
    size_format(floor, least);
    problems_add(problems,
                 "SPARK_DRIVER_MEMORY is %s, but %s %s at least %s: give more memory, or use fewer "
                 "workers (SPARK_MASTER_URL)",
                 given, text_count(config->workers, "worker").text,
                 config->workers == 1 ? "needs" : "need", least);
}

struct topic_check {
    const struct config *config;
    struct problems *problems;
};

/* Whether the topic is one that a query reads; a topic that could not be read may be it. */
static bool note_unread_topic(void *context, const char *topic, const struct json *partitions) {
    const struct topic_check *topics = context;
    (void)partitions;
    for (size_t i = 0; streams[i] != NULL; i++) {
        const char *known = topics->config->queries[i].topic;
        if (known == NULL || strcmp(known, topic) == 0)
            return true;
    }
    problems_add(topics->problems, "STARTING_OFFSETS: no query reads topic '%s'", topic);
    return true;
}

/* Offsets in JSON must name the topic. `source`: where they are given. */
static void check_start(const struct config *config, const struct stream *stream,
                        const struct json *starts, const char *source, struct problems *problems) {
    const char *topic = config_topic(config, stream);
    if (topic != NULL && config_runs(config, stream) && json_member(starts, topic) == NULL)
        problems_add(problems,
                     "%s does not name topic '%s' of %s: add an offset for each of its partitions",
                     source, topic, stream->name);
}

/* NULL: no JSON, or what could not be read. */
static struct json *read_offsets(const char *text) {
    struct error err;
    return text != NULL && strchr(text, '{') != NULL ? json_parse(text, strlen(text), &err) : NULL;
}

/* Of the queries' own files. */
static void check_own_starts(const struct config *config, struct problems *problems) {
    for (size_t i = 0; streams[i] != NULL; i++) {
        const struct setting_value *own =
            config_property(config, streams[i], TABLE_STARTING_OFFSETS);
        struct json *starts = own != NULL ? read_offsets(own->text) : NULL;
        if (starts == NULL)
            continue;
        scoped(scope_free) char *source = text_format("%s: startingOffsets", own->where);
        check_start(config, streams[i], starts, source, problems);
        json_free(starts);
    }
}

static void check_starting_offsets(const struct config *config, struct problems *problems) {
    check_own_starts(config, problems);
    struct json *starts = read_offsets(config->query.starting_offsets);
    if (starts == NULL)
        return;
    for (size_t i = 0; streams[i] != NULL; i++)
        if (config_property(config, streams[i], TABLE_STARTING_OFFSETS) == NULL)
            check_start(config, streams[i], starts, "STARTING_OFFSETS", problems);
    struct topic_check topics = {config, problems};
    (void)json_each(starts, note_unread_topic, &topics); // it is an object
    json_free(starts);
}

/* Spark refuses to start with less than 450 MiB; its message does not name our settings. */
static void check_spark_memory(const char *setting, int64_t bytes, struct problems *problems) {
    char given[SIZE_TEXT_MAX];
    size_format(bytes, given);
    if (bytes > 0 && bytes < SPARK_MEMORY_LEAST)
        problems_add(problems, "%s is %s, but Spark needs at least 512m", setting, given);
}

#define NO_FAILFAST                                                                                \
    "is failfast, but Spark would retry the batch and could not tell which record failed: on a "   \
    "cluster set reject or permissive"

static void check_own_mode(const struct config *config, const struct stream *stream,
                           struct problems *problems) {
    const struct setting_value *own = config_property(config, stream, TABLE_PARSE_MODE);
    if (own != NULL && config_runs(config, stream) &&
        query_settings(config, stream)->parse_mode == PARSE_FAILFAST)
        problems_add(problems, "%s: parseMode " NO_FAILFAST, own->where);
}

/* What the program's own engine can, and Spark on a cluster can't. */
static void check_cluster(const struct config *config, struct problems *problems) {
    struct error err;
    struct kafka_options options;
    const char *master = config_master_shown(config);
    if (config->demo)
        problems_add(problems,
                     "SPARK_MASTER_URL is '%s', but --demo runs on the native engine: leave one of "
                     "them out",
                     master);
    for (size_t i = 0; streams[i] != NULL; i++)
        check_own_mode(config, streams[i], problems);
    if (config->query.parse_mode == PARSE_FAILFAST)
        problems_add(problems, "PARSE_MODE " NO_FAILFAST);
    if (config->sink_log == SINK_LOG_OFF)
        problems_add(problems,
                     "SINK_LOG is off, but Spark's file sink always writes a log: on a cluster "
                     "set auto or on");
    if (config->bootstrap_servers != NULL && strncmp(config->bootstrap_servers, "file:", 5) == 0)
        problems_add(problems,
                     "KAFKA_BOOTSTRAP_SERVERS is '%s', but only the native engine reads captured "
                     "records: set SPARK_MASTER_URL=local[*], or set brokers",
                     config->bootstrap_servers);
    if (!kafka_options_make(config->kafka_properties, config->kafka_property_count, &options, &err))
        problems_add(problems, "%s", err.message);
    else
        kafka_options_deinit(&options);
    if (config->master_kind != MASTER_SERVER)
        return;
    check_spark_memory("SPARK_DRIVER_MEMORY", config->driver_memory, problems);
    check_spark_memory("SPARK_EXECUTOR_MEMORY", config->executor_memory, problems);
}

/* As Spark's source, which refuses it when the query starts. `where`: of a property; NULL: both are
 * settings. */
static void check_limits(const char *where, int64_t min, int64_t max, struct problems *problems) {
    if (max > 0 && min > max)
        problems_add(problems,
                     "%s%sMIN_OFFSETS_PER_TRIGGER is %" PRId64
                     ", but MAX_OFFSETS_PER_TRIGGER is %" PRId64
                     ": no batch could have so many offsets; lower the one or raise the other",
                     where != NULL ? where : "", where != NULL ? ": " : "", min, max);
}

static void check_own_limits(const struct config *config, const struct stream *stream,
                             struct problems *problems) {
    const struct query_settings *own = query_settings(config, stream);
    const struct setting_value *min = config_property(config, stream, TABLE_MIN_OFFSETS);
    const struct setting_value *max = config_property(config, stream, TABLE_MAX_OFFSETS);
    if ((min != NULL || max != NULL) && config_runs(config, stream))
        check_limits(
            min != NULL ? min->where : max->where,
            min != NULL ? own->min_offsets_per_trigger : config->query.min_offsets_per_trigger,
            max != NULL ? own->max_offsets_per_trigger : config->query.max_offsets_per_trigger,
            problems);
}

static void check_login(const struct config *config, struct problems *problems) {
    size_t at;
    struct error err;
    struct kafka_library library = kafka_library_loaded();
    if (!kafka_login_check(config->kafka_properties, config->kafka_property_count, &library, &at,
                           &err))
        problems_add(problems, "%s: %s", config->kafka_origins[at], err.message);
}

/* ---- COMPACT and RETENTION ---- */

static bool has_date(const struct config *config, const struct stream *stream) {
    const struct name_list *names = config_partition_by(config, stream);
    for (size_t i = 0; i < names->count; i++) {
        int column = schema_find(&stream->schema, text_borrow(names->names[i]));
        if (strcmp(names->names[i], PLAN_DATE) == 0 ||
            (column >= 0 && stream->schema.columns[column].type == TYPE_DATE))
            return true;
    }
    return false;
}

/* "MATCHES_PARTITION_BY=ingest_date,status": what there is, with a date in front of it. */
static char *date_cure(const struct config *config, const struct stream *stream) {
    const struct name_list *names = config_partition_by(config, stream);
    char *cure = text_format("%s=%s", stream->partition_by_setting, PLAN_DATE);
    for (size_t i = 0; i < names->count; i++) {
        char *longer = text_format("%s,%s", cure, names->names[i]);
        free(cure);
        cure = longer;
    }
    return cure;
}

static void check_date(const struct config *config, const struct stream *stream,
                       struct problems *problems) {
    scoped(scope_free) char *cure = date_cure(config, stream);
    if (compact_of(config, stream).mode == COMPACT_CLOSED)
        problems_add(problems,
                     "COMPACT is closed, but the table of %s has no partition column of type DATE, "
                     "so none of its directories is ever over: partition a new table by a date "
                     "(%s), or merge files by their age (COMPACT=1h)",
                     stream->name, cure);
    if (retention_of(config, stream) > 0)
        problems_add(problems,
                     "RETENTION is set, but the table of %s has no partition column of type DATE, "
                     "so nothing of it can expire: partition a new table by a date (%s), or set "
                     "the retention of this table to off",
                     stream->name, cure);
}

static void check_care(const struct config *config, struct problems *problems) {
    for (size_t i = 0; streams[i] != NULL; i++) {
        const struct stream *stream = streams[i];
        if (!config_runs(config, stream))
            continue;
        bool on = compact_of(config, stream).mode != COMPACT_OFF;
        if (config->master_kind != MASTER_LOCAL && (on || retention_of(config, stream) > 0))
            problems_add(problems,
                         "%s of %s cannot be used on a Spark cluster: Spark writes the sink log "
                         "itself, and could bring back files that have left it; stop the query, "
                         "and use the command `%s`",
                         on ? "COMPACT" : "RETENTION", stream->name, on ? "compact" : "expire");
        else if (!has_date(config, stream))
            check_date(config, stream, problems);
    }
}

void config_check(const struct config *config, struct problems *problems) {
    check_topics(config, problems);
    check_directories(config, problems);
    check_memory(config, problems);
    check_starting_offsets(config, problems);
    check_login(config, problems);
    check_limits(NULL, config->query.min_offsets_per_trigger, config->query.max_offsets_per_trigger,
                 problems);
    for (size_t i = 0; streams[i] != NULL; i++)
        check_own_limits(config, streams[i], problems);
    if (config->command == NULL)
        check_care(config, problems);
    if (config->master_kind != MASTER_LOCAL)
        check_cluster(config, problems);
    if (config->live && !config->demo)
        problems_add(problems, "--live can only be used with --demo");
    if (config->live_ms > 0 && !config->live)
        problems_add(problems, "--for can only be used with --demo --live");
    if (config->demo && config->bootstrap_servers != NULL)
        problems_add(problems,
                     "--kafka-bootstrap-servers: --demo runs its own Kafka: leave one of them "
                     "out");
}
