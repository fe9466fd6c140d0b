/* Where a setting's text comes from, the first that has it: its option, the environment, the last
 * line of the --env-file files, the default. An empty variable counts as not set. --demo takes
 * settings that say where data is from options only. Each text is checked by its type, properties
 * of librdkafka and Spark are read from their variables, and then config_check() looks at what
 * settings say together. */
#include "surfaces/settings/config_load.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/disk/file.h"
#include "base/nearest.h"
#include "base/scope.h"
#include "base/system/clock.h"
#include "base/text.h"
#include "pipeline/source/kafka_login.h"
#include "streaming/declare/query_files.h"
#include "surfaces/settings/command.h"
#include "surfaces/settings/config.h"
#include "surfaces/settings/properties.h"
#include "surfaces/settings/settings.h"
#include "surfaces/settings/table_settings.h"
#include "surfaces/settings/variables.h"

/* What config_load() reads from, and the problems that it found. */
struct loader {
    const struct command_line *line;
    struct variables variables;
    struct problems *problems;
    struct problems warnings;
};

/* ---- names that are not settings ---- */

/* The setting that the variable may be a misspelling of; NULL: none. */
static const char *near_setting(const struct variable *variable) {
    size_t count;
    const struct setting *settings = settings_table(&count);
    struct nearest nearest = {.given = variable->name};
    if (settings_find(variable->name) >= 0)
        return NULL;
    for (size_t i = 0; i < count; i++)
        nearest_offer(&nearest, settings[i].name);
    return nearest.word[0] != '\0' ? settings[settings_find(nearest.word)].name : NULL;
}

/* The environment is full of names that are not meant for us, such as GH_TOKEN, which is two
 * letters away from UI_TOKEN. Hardly anybody misspells the first letter of a name; a short one must
 * have no second slip either. */
static bool is_plausible(const char *name, const char *setting) {
    size_t distance = edit_distance(name, setting), size = strlen(setting);
    bool same_start = toupper((unsigned char)name[0]) == setting[0];
    return same_start ? distance <= (size < 9 ? 1 : 2) : size >= 12 && distance <= 1;
}

/* In the environment near misses of a setting are warned of; in an env file every name that sets
 * nothing. */
static void find_unknown_names(struct loader *loader) {
    for (size_t i = 0; i < loader->variables.count; i++) {
        const struct variable *variable = &loader->variables.items[i];
        const char *meant = near_setting(variable);
        if (settings_find(variable->name) >= 0 || properties_has_name(variable->name))
            continue;
        if (variable->in_environment && (meant == NULL || !is_plausible(variable->name, meant)))
            continue;
        problems_add(&loader->warnings, "unknown setting %s (%s) ignored%s%s%s", variable->name,
                     variable->where, meant != NULL ? "; did you mean " : "",
                     meant != NULL ? meant : "", meant != NULL ? "?" : "");
    }
}

static void note_missing(struct loader *loader, const struct setting *setting) {
    const char *typo = NULL;
    for (size_t i = 0; i < loader->variables.count && typo == NULL; i++) {
        const char *meant = near_setting(&loader->variables.items[i]);
        if (meant != NULL && strcmp(meant, setting->name) == 0)
            typo = loader->variables.items[i].name;
    }
    problems_add(loader->problems, "%s is missing: set it, or give %s %s%s%s%s", setting->name,
                 setting->option, setting->values, typo != NULL ? " (" : "",
                 typo != NULL ? typo : "", typo != NULL ? " is set, but is not a setting)" : "");
}

/* ---- one setting ---- */

/* Where one setting's text comes from; both are borrowed. */
struct candidate {
    const char *text, *where;
    enum origin origin;
};

static struct candidate pick(const struct loader *loader, const struct config *config, size_t index,
                             const struct setting *setting) {
    const char *given = loader->line->settings[index];
    if (given != NULL)
        return (struct candidate){given, setting->option, ORIGIN_FLAG};
    // An empty variable counts as not set: Docker Compose passes those it was not given as empty.
    const struct variable *variable = variables_find(&loader->variables, setting->name);
    bool sealed = config->demo && setting->location;
    if (!sealed && variable != NULL && *variable->value != '\0')
        return (struct candidate){variable->value, variable->where,
                                  variable->in_environment ? ORIGIN_ENVIRONMENT : ORIGIN_ENV_FILE};
    if (config->live && setting->live_fallback != NULL)
        return (struct candidate){setting->live_fallback, "default of --live", ORIGIN_DEFAULT};
    if (config->demo && setting->demo_fallback != NULL)
        return (struct candidate){setting->demo_fallback, "default of --demo", ORIGIN_DEFAULT};
    return (struct candidate){setting->fallback, "default", ORIGIN_DEFAULT};
}

/* A default's text with the directory filled in that it begins with. */
static char *expand(const struct config *config, const char *text) {
    static const char lake[] = "{DATA_LAKE_PATH}", demo[] = "{DEMO_DIRECTORY}";
    if (strncmp(text, lake, sizeof lake - 1) == 0) {
        const char *path = config->data_lake_path != NULL ? config->data_lake_path : "/";
        const char *rest = text + sizeof lake - 1;
        return text_format("%s%s", strcmp(path, "/") == 0 ? "" : path, rest);
    }
    if (strcmp(text, demo) != 0)
        return text_copy(text);
    const char *parent = getenv("TMPDIR");
    time_t now = (time_t)(clock_wall_ms() / 1000);
    struct tm local;
    char stamp[32];
    localtime_r(&now, &local);
    strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", &local);
    // The second and the process make it new, so that a demo meets no table of another.
    return text_format("%s/esports-stream-demo-%s-%d",
                       parent != NULL && *parent == '/' ? parent : "/tmp", stamp, getpid());
}

/* --demo does not touch what the environment points at. Say so: it is an exception. */
static void note_sealed(struct loader *loader, const struct setting *setting) {
    const char *text = getenv(setting->name);
    if (text != NULL && *text != '\0' && setting->fallback != NULL)
        problems_add(&loader->warnings,
                     "%s (environment) is ignored by --demo; the option %s is not", setting->name,
                     setting->option);
}

/* Whether the settings are for something that can't be done without this one. */
static bool is_missed(const struct loader *loader, const struct config *config) {
    bool runs = config->command == NULL && !loader->line->meant_command;
    return !config->demo && (runs || (config->command != NULL && config->command->needs_broker));
}

static void load_setting(struct loader *loader, struct config *config, size_t index,
                         const struct setting *setting) {
    struct candidate candidate = pick(loader, config, index, setting);
    if (config->demo && setting->location && candidate.origin != ORIGIN_FLAG)
        note_sealed(loader, setting);
    if (candidate.text == NULL && !setting->is_variable && is_missed(loader, config))
        note_missing(loader, setting);
    if (candidate.text == NULL)
        return;
    struct setting_value *value = &config->values[index];
    value->text = candidate.origin == ORIGIN_DEFAULT ? expand(config, candidate.text)
                                                     : text_copy(candidate.text);
    value->where = text_copy(candidate.where);
    value->origin = candidate.origin;

    struct error err = {0};
    if (setting->type->parse(setting, value->text, (char *)config + setting->offset, &err))
        return;
    scoped(scope_free) char *master =
        setting->type == &type_master ? master_shown(value->text) : NULL;
    scoped(scope_free) char *place = text_format("%s (%s)", setting->name, value->where);
    problems_add_value(loader->problems, place,
                       setting->secret  ? SECRET_SHOWN
                       : master != NULL ? master
                                        : value->text,
                       err.message);
}

enum { JOB_NAME_MAX = 104 };

static bool has_own_tables(void) {
    size_t i = 0;
    while (streams[i] != NULL && streams[i]->is_builtin)
        i++;
    return streams[i] != NULL;
}

static void unknown_job(struct loader *loader, const char *name) {
    struct choice jobs[STREAMS_MAX + 2] = {{"all", 0}};
    struct nearest nearest = {.given = name};
    char list[STREAMS_MAX * JOB_NAME_MAX], reason[sizeof list + 64];
    for (size_t i = 0; streams[i] != NULL; i++) {
        jobs[i + 1].name = streams[i]->job;
        nearest_offer(&nearest, streams[i]->job);
        nearest_offer(&nearest, streams[i]->name);
    }
    choices_list(jobs, true, list, sizeof list);
    if (nearest.word[0] != '\0')
        (void)snprintf(reason, sizeof reason, "did you mean %s?", nearest.word);
    else
        (void)snprintf(reason, sizeof reason, "expected %s%s", list,
                       has_own_tables() ? "" : "; QUERIES_PATH adds tables of query files");
    problems_add_value(loader->problems, "--job", name, reason);
}

/* The bits of the queries that a name in --job stands for. */
static uint64_t read_job(struct loader *loader, struct text text) {
    const struct stream *fixed = loader->line->fixed_job, *asked = config_find_job(text);
    scoped(scope_free) char *name = text_format("%.*s", (int)text.length, text.bytes);
    bool all = strcmp(name, "all") == 0;
    uint64_t bits = 0;
    if (fixed != NULL && asked != fixed)
        problems_add(loader->problems,
                     "--job: '%s': %s runs only %s; call esports-stream for the others", name,
                     fixed->name, fixed->job);
    else if (asked == NULL && !all)
        unknown_job(loader, name);
    for (size_t i = 0; streams[i] != NULL; i++)
        bits |= all || streams[i] == asked ? UINT64_C(1) << i : 0;
    return bits;
}

static void load_jobs(struct loader *loader, struct config *config) {
    const struct command_line *line = loader->line;
    for (size_t i = 0; i < line->job_count; i++)
        config->jobs |= read_job(loader, line->jobs[i]);
    for (size_t i = 0; streams[i] != NULL; i++) {
        uint64_t bit = UINT64_C(1) << i;
        if (line->fixed_job == streams[i])
            config->jobs = bit;
        if (config->jobs == bit)
            config->job = streams[i];
    }
}

static void load_master(struct loader *loader, struct config *config) {
    struct error err;
    bool ok = master_parse(config->master, &config->master_kind, &config->workers, &err);
    check(ok); // it was parsed before
    config->master_shown = master_shown(config->master);
    const struct setting_value *value = settings_value(config, "SPARK_MASTER_URL");
    if (value->origin == ORIGIN_FLAG && strcmp(config->master_shown, config->master) != 0)
        problems_add(loader->problems,
                     "%s: every user of this machine can read a command line: set a URL with a "
                     "token as SPARK_MASTER_URL, in the environment or in an --env-file",
                     value->where);
}

static void load_settings(struct loader *loader, struct config *config) {
    size_t count;
    const struct setting *settings = settings_table(&count);
    for (size_t i = 0; i < count; i++)
        load_setting(loader, config, i, &settings[i]);
    if (config->master != NULL)
        load_master(loader, config);
    table_settings_load(config, loader->problems);
}

/* ---- paths that are not directories ---- */

/* Whether the path, or else its nearest ancestor that exists, is not a directory. */
static bool find_file_in_the_way(const char *path, struct file_path *found) {
    (void)snprintf(found->text, sizeof found->text, "%s", path);
    for (;;) {
        struct error ignored; // what can't be looked at fails where it is used, with the reason
        struct file_status status;
        int there = file_find(found->text, &status, &ignored);
        if (there == 1) // "/." is there below a directory only, also one behind a link
            return file_find(file_join(found->text, ".").text, &status, &ignored) == 0;
        char *slash = strrchr(found->text, '/');
        if (there < 0 || slash == NULL || slash == found->text)
            return false;
        *slash = '\0';
    }
}

static void check_path(const struct config *config, const char *setting, const char *path,
                       struct problems *problems) {
    struct file_path file;
    const struct setting_value *value = settings_value(config, setting);
    bool derived = value->origin == ORIGIN_DEFAULT && strcmp(setting, "DATA_LAKE_PATH") != 0;
    if (path != NULL && !derived && find_file_in_the_way(path, &file))
        problems_add(problems, "%s (%s): '%s' is not a directory", setting, value->where,
                     file.text);
}

static void check_own_paths(const struct config *config, const struct stream *stream,
                            struct problems *problems) {
    struct file_path file;
    for (enum table_property at = TABLE_PATH; at <= TABLE_CHECKPOINT; at++) {
        const struct setting_value *value = config_property(config, stream, at);
        scoped(scope_free) char *path =
            value != NULL ? config_path(config, at - TABLE_PATH, stream) : NULL;
        if (path != NULL && find_file_in_the_way(path, &file))
            problems_add(problems, "%s: %s: '%s' is not a directory", value->where,
                         table_property_name(at), file.text);
    }
}

static void check_paths(const struct config *config, struct problems *problems) {
    check_path(config, "DATA_LAKE_PATH", config->data_lake_path, problems);
    check_path(config, "PROCESSED_DATA_PATH", config->processed_path, problems);
    check_path(config, "CHECKPOINT_PATH", config->checkpoint_path, problems);
    for (size_t i = 0; streams[i] != NULL; i++)
        if (config_runs(config, streams[i]))
            check_own_paths(config, streams[i], problems);
}

static void warn_of_login(struct loader *loader, const struct config *config) {
    struct kafka_library library = kafka_library_loaded();
    const char *warning =
        kafka_login_warning(config->kafka_properties, config->kafka_property_count, &library);
    if (warning != NULL)
        problems_add(&loader->warnings, "%s", warning);
}

/* A table that is partitioned by the date has it as a column. */
static void apply_partitions(const struct config *config) {
    for (size_t i = 0; streams[i] != NULL; i++) {
        const struct name_list *names = config_partition_by(config, streams[i]);
        streams_partition_by(streams[i], (const char *const *)names->names, names->count);
    }
}

/* All that the settings are read from. */
static void load_all(struct loader *loader, struct config *config) {
    variables_add_environment(&loader->variables, environ);
    for (size_t i = 0; i < loader->line->env_file_count; i++)
        variables_add_file(&loader->variables, loader->line->env_files[i], loader->problems);
    load_settings(loader, config);
    apply_partitions(config);
    if (!config->demo)
        properties_read_kafka(config, &loader->variables, loader->problems);
    properties_read_spark(config, &loader->variables, loader->problems);
    if (config->command == NULL || !config->command->judges_paths)
        check_paths(config, loader->problems);
    config_check(config, loader->problems);
    warn_of_login(loader, config);
    find_unknown_names(loader);
    if (config->action == ACTION_EXPLAIN && loader->problems->count == 0)
        properties_try_kafka(config, loader->problems);
}

/* ---- tables of the user's own ---- */

/* A file or a directory of QUERIES_PATH. */
static void load_path(const char *path, const char *where, struct problems *problems) {
    struct query_files files = {0};
    struct error err;
    if (!query_files_add(&files, path, &err))
        problems_add(problems, "QUERIES_PATH (%s): %s", where, err.message);
    for (size_t i = 0; i < files.count; i++)
        if (!streams_load_file(files.paths[i], &err))
            problems_add(problems, "QUERIES_PATH (%s): %s", where, err.message);
    if (files.count > 0)
        settings_renew();
    query_files_deinit(&files);
}

/* What is secret must not get into a topic's name or a path. */
static void check_variables(struct problems *problems) {
    struct pool pool;
    struct query_variable variables[QUERY_VARIABLES_MAX];
    size_t settings_count;
    const struct setting *settings = settings_table(&settings_count);
    pool_init(&pool);
    size_t count = query_variables(variables, &pool);
    for (size_t i = 0; i < count && i < QUERY_VARIABLES_MAX; i++) {
        int index = settings_find(variables[i].name);
        if (properties_has_name(variables[i].name) || (index >= 0 && settings[index].secret))
            problems_add(problems, "%s: ${%s} can be a secret, which a query file cannot use",
                         variables[i].last->plan.path, variables[i].name);
    }
    pool_deinit(&pool);
}

void config_load_queries(const struct command_line *line, struct problems *problems) {
    struct loader loader = {.line = line};
    struct problems ignored = {0}; // of the --env-files; config_load() reports them
    size_t count, index = (size_t)settings_find("QUERIES_PATH");
    const struct config none = {0};
    const struct setting *setting = &settings_table(&count)[index];
    variables_add_environment(&loader.variables, environ);
    for (size_t i = 0; i < line->env_file_count; i++)
        variables_add_file(&loader.variables, line->env_files[i], &ignored);
    struct candidate paths = pick(&loader, &none, index, setting);
    scoped(scope_free) char *text = text_copy(paths.text);
    char *rest = text;
    for (const char *path; (path = strsep(&rest, ":")) != NULL;)
        if (*path != '\0')
            load_path(path, paths.where, problems);
    variables_deinit(&loader.variables);
    problems_deinit(&ignored);
    check_variables(problems);
}

void config_load(struct config *config, const struct command_line *line,
                 struct problems *problems) {
    struct loader loader = {.line = line, .problems = problems};
    *config = (struct config){.action = line->action,
                              .command = line->command,
                              .help = line->help,
                              .arguments = line->arguments,
                              .await_termination = line->await_termination,
                              .demo = line->demo,
                              .live = line->live,
                              .live_ms = line->live_ms};
    if (config->action >= ACTION_HELP)
        return;
    load_jobs(&loader, config);
    if (config->command == NULL || !config->command->needs_nothing)
        load_all(&loader, config);
    config->warnings = loader.warnings.lines;
    config->warning_count = loader.warnings.count;
    variables_deinit(&loader.variables);
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
    table_settings_deinit(config);
    properties_deinit(config);
    for (size_t i = 0; i < config->warning_count; i++)
        free(config->warnings[i]);
    free(config->warnings);
    *config = (struct config){0};
}
