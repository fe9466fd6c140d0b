#include "surfaces/settings/config.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/scope.h"
#include "base/system/clock.h"
#include "surfaces/commands/commands.h"
#include "surfaces/settings/config_check.h"
#include "surfaces/settings/env_file.h"
#include "surfaces/settings/kafka_settings.h"
#include "surfaces/settings/options.h"
#include "surfaces/settings/setting_types.h"
#include "surfaces/settings/settings.h"
#include "surfaces/settings/spark_settings.h"

/* What config_load() reads from, and what it has found wrong. */
struct loader {
    struct options options;
    struct variables variables;
    struct faults faults;
    struct faults warnings;
};

/* Where one setting's text comes from; both are borrowed. */
struct candidate {
    const char *text, *where;
    enum origin origin;
};

static struct candidate pick(const struct loader *loader, const struct config *config, size_t index,
                             const struct setting *setting,
                             const char option[static OPTION_NAME_MAX]) {
    // An empty variable counts as not set: Docker Compose passes those it was not given as empty.
    const char *text = loader->options.settings[index];
    if (text != NULL)
        return (struct candidate){text, option, ORIGIN_FLAG};
    bool sealed = config->demo && setting->place;
    text = sealed ? NULL : getenv(setting->name);
    if (text != NULL && *text != '\0')
        return (struct candidate){text, "environment", ORIGIN_ENVIRONMENT};
    const struct variable *variable =
        sealed ? NULL : variables_find(&loader->variables, setting->name);
    if (variable != NULL && *variable->value != '\0')
        return (struct candidate){variable->value, variable->where, ORIGIN_ENV_FILE};
    if (config->demo && setting->demo_fallback != NULL)
        return (struct candidate){setting->demo_fallback, "default of --demo", ORIGIN_DEFAULT};
    return (struct candidate){setting->fallback, "default", ORIGIN_DEFAULT};
}

/* A default's text with the place filled in that it begins with. */
static char *expand(const struct config *config, const char *text) {
    static const char lake[] = "{DATA_LAKE_PATH}", demo[] = "{DEMO_DIRECTORY}";
    char *expanded = NULL;
    if (strncmp(text, lake, sizeof lake - 1) == 0) {
        const char *path = config->data_lake_path != NULL ? config->data_lake_path : "/";
        const char *rest = text + sizeof lake - 1;
        check(asprintf(&expanded, "%s%s", strcmp(path, "/") == 0 ? "" : path, rest) >= 0);
    } else if (strcmp(text, demo) == 0) {
        const char *parent = getenv("TMPDIR");
        time_t now = (time_t)(clock_wall_ms() / 1000);
        struct tm local;
        char stamp[32];
        localtime_r(&now, &local);
        strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", &local);
        check(asprintf(&expanded, "%s/esports-stream-demo-%s-%d",
                       parent != NULL && *parent == '/' ? parent : "/tmp", stamp, getpid()) >= 0);
    } else {
        expanded = strdup(text);
        check(expanded != NULL);
    }
    return expanded;
}

static void note_missing(struct loader *loader, const struct setting *setting, const char *option) {
    scoped(scope_free) char *typo = near_miss_of(setting, environ, &loader->variables);
    faults_add(&loader->faults, "%s is missing: set it, or give %s %s%s%s%s", setting->name, option,
               setting->type->placeholder, typo != NULL ? " (" : "", typo != NULL ? typo : "",
               typo != NULL ? " is set, but is no setting)" : "");
}

/* --demo leaves alone what the environment points at; say so, for it is an exception. */
static void note_sealed(struct loader *loader, const struct setting *setting, const char *option) {
    const char *text = getenv(setting->name);
    if (text != NULL && *text != '\0' && setting->fallback != NULL)
        faults_add(&loader->warnings, "%s (environment) is not used by --demo; %s would be",
                   setting->name, option);
}

static void load_setting(struct loader *loader, struct config *config, size_t index,
                         const struct setting *setting) {
    char option[OPTION_NAME_MAX];
    setting_option(setting, option);
    struct candidate candidate = pick(loader, config, index, setting, option);
    if (config->demo && setting->place && candidate.origin != ORIGIN_FLAG)
        note_sealed(loader, setting, option);
    if (candidate.text == NULL) {
        bool runs = config->entry == NULL && !loader->options.meant_command;
        if (!config->demo && (runs || (config->entry != NULL && config->entry->needs_broker)))
            note_missing(loader, setting, option);
        return;
    }
    struct setting_value *value = &config->values[index];
    value->text = candidate.origin == ORIGIN_DEFAULT ? expand(config, candidate.text)
                                                     : strdup(candidate.text);
    value->where = strdup(candidate.where);
    value->origin = candidate.origin;
    check(value->text != NULL && value->where != NULL);

    struct error err = {0};
    if (setting->type->parse(setting, value->text, (char *)config + setting->offset, &err))
        return;
    scoped(scope_free) char *master =
        setting->type == &type_master ? master_shown(value->text) : NULL;
    faults_add(&loader->faults, "%s (%s): '%s': %s", setting->name, value->where,
               setting->secret  ? SECRET_SHOWN
               : master != NULL ? master
                                : value->text,
               err.message);
}

static void unknown_job(struct loader *loader) {
    struct choice jobs[STREAMS_MAX + 2] = {{"all", 0}};
    for (size_t i = 0; streams[i] != NULL; i++)
        jobs[i + 1].name = streams[i]->job;
    char list[256];
    choices_list(jobs, true, list, sizeof list);
    faults_add(&loader->faults, "--job: '%s': want %s", loader->options.job, list);
}

static void load_job(struct loader *loader, struct config *config) {
    const struct options *options = &loader->options;
    config->job = options->fixed_job;
    if (options->job == NULL)
        return;
    const struct stream *asked = NULL;
    for (size_t i = 0; streams[i] != NULL; i++)
        if (strcmp(streams[i]->job, options->job) == 0)
            asked = streams[i];
    if (options->fixed_job != NULL && asked != options->fixed_job)
        faults_add(&loader->faults, "--job: '%s': %s runs %s only; call esports-stream for others",
                   options->job, options->fixed_job->name, options->fixed_job->job);
    else if (asked == NULL && strcmp(options->job, "all") != 0)
        unknown_job(loader);
    else
        config->job = asked;
}

static void load_master(struct loader *loader, struct config *config) {
    struct error err;
    bool ok = master_parse(config->master, &config->master_kind, &config->workers, &err);
    check(ok); // it was parsed before
    config->master_shown = master_shown(config->master);
    const struct setting_value *value = &config->values[settings_find("SPARK_MASTER_URL")];
    if (value->origin == ORIGIN_FLAG && strcmp(config->master_shown, config->master) != 0)
        faults_add(&loader->faults,
                   "%s: a command line can be read by everybody: give a URL with a token as "
                   "SPARK_MASTER_URL, in the environment or with --env-file",
                   value->where);
}

static void load_settings(struct loader *loader, struct config *config) {
    size_t count;
    const struct setting *settings = settings_table(&count);
    for (size_t i = 0; i < count; i++)
        load_setting(loader, config, i, &settings[i]);
    if (config->master != NULL)
        load_master(loader, config);
}

enum exit_code config_load(struct config *config, int argc, char **argv, FILE *errors) {
    struct loader loader = {0};
    *config = (struct config){0};
    options_parse(&loader.options, argc, argv, &loader.faults);
    config->command = loader.options.command;
    config->entry = loader.options.entry;
    config->arguments = loader.options.arguments;
    config->await_termination = loader.options.await_termination;
    config->demo = loader.options.demo;

    bool needs_nothing = config->entry != NULL && config->entry->needs_nothing;
    if (config->command < COMMAND_HELP)
        load_job(&loader, config);
    if (config->command < COMMAND_HELP && !needs_nothing) {
        for (size_t i = 0; i < loader.options.env_file_count; i++)
            env_file_read(loader.options.env_files[i], &loader.variables, &loader.faults);
        load_settings(&loader, config);
        if (!config->demo)
            kafka_settings_read(config, environ, &loader.variables, &loader.faults);
        spark_settings_read(config, environ, &loader.variables, &loader.faults);
        config_check(config, &loader.faults);
        config_find_near_misses(environ, &loader.variables, &loader.warnings);
    }
    config->warnings = loader.warnings.lines;
    config->warning_count = loader.warnings.count;

    faults_print(&loader.faults, program_name(argc > 0 ? argv[0] : NULL), errors);
    enum exit_code code = loader.faults.count == 0 ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    faults_deinit(&loader.faults);
    variables_deinit(&loader.variables);
    return code;
}

void config_deinit(struct config *config) {
    size_t count;
    const struct setting *settings = settings_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (settings[i].type->release != NULL)
            settings[i].type->release((char *)config + settings[i].offset);
        free(config->values[i].text);
        free(config->values[i].where);
    }
    free(config->master_shown);
    kafka_settings_deinit(config);
    spark_settings_deinit(config);
    for (size_t i = 0; i < config->warning_count; i++)
        free(config->warnings[i]);
    free(config->warnings);
    *config = (struct config){0};
}

const char *config_shown(const struct config *config, size_t index) {
    size_t count;
    const struct setting *settings = settings_table(&count);
    check(index < count);
    const struct setting *setting = &settings[index];
    const char *text = config->values[index].text;
    if (text == NULL || *text == '\0')
        return "";
    if (setting->secret)
        return SECRET_SHOWN;
    if (setting->type == &type_master)
        return config_master_shown(config);
    return setting->type == &type_path ? *(char *const *)((const char *)config + setting->offset)
                                       : text;
}

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
    return (struct query_options){
        .stream = stream,
        .store = config_store_options(config, stream),
        .trigger = config->trigger,
        .max_offsets_per_trigger = config->max_offsets_per_trigger,
        .starting_offsets = config->starting_offsets,
        .fail_on_data_loss = config->fail_on_data_loss,
        .parse_mode = config->parse_mode,
        .time_zone = config->time_zone,
        .parquet = config->parquet,
        .kafka_startup_timeout_ms = config->kafka_startup_timeout_ms,
        .write_retry_timeout_ms = config->write_retry_timeout_ms,
    };
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
