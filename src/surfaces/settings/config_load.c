/* Where a setting's text comes from, the first that has it: its option, the environment, the last
 * line of the --env-file files, the default. An empty variable counts as not set. --demo takes
 * settings that say where data is from options only. Each text is checked by its type, properties
 * of librdkafka and Spark are read from their variables, and then config_check() looks at what
 * settings say together. */
#include "surfaces/settings/config_load.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/scope.h"
#include "base/system/clock.h"
#include "base/text.h"
#include "pipeline/source/kafka_login.h"
#include "surfaces/settings/command.h"
#include "surfaces/settings/config.h"
#include "surfaces/settings/properties.h"
#include "surfaces/settings/settings.h"
#include "surfaces/settings/variables.h"

/* What config_load() reads from, and what it has found wrong. */
struct loader {
    const struct command_line *line;
    struct variables variables;
    struct problems *problems;
    struct problems warnings;
};

/* ---- names that are nearly a setting's ---- */

/* Whether a variable is no setting, but nearly this one. */
static bool is_nearly(const struct variable *variable, const struct setting *setting) {
    return settings_find(variable->name) < 0 && edit_distance(variable->name, setting->name) <= 2;
}

/* Warns of variables that are nobody's and nearly a setting's. */
static void find_near_misses(struct loader *loader) {
    size_t count;
    const struct setting *settings = settings_table(&count);
    for (size_t i = 0; i < loader->variables.count; i++) {
        const struct variable *variable = &loader->variables.items[i];
        for (size_t j = 0; j < count; j++)
            if (strlen(variable->name) > 6 && is_nearly(variable, &settings[j]))
                problems_add(&loader->warnings,
                             "%s (%s) is no setting and was ignored; did you mean %s?",
                             variable->name, variable->where, settings[j].name);
    }
}

static void note_missing(struct loader *loader, const struct setting *setting) {
    const char *typo = NULL;
    for (size_t i = 0; i < loader->variables.count && typo == NULL; i++)
        if (is_nearly(&loader->variables.items[i], setting))
            typo = loader->variables.items[i].name;
    problems_add(loader->problems, "%s is missing: set it, or give %s %s%s%s%s", setting->name,
                 setting->option, setting->values, typo != NULL ? " (" : "",
                 typo != NULL ? typo : "", typo != NULL ? " is set, but is no setting)" : "");
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

/* --demo leaves alone what the environment points at; say so, for it is an exception. */
static void note_sealed(struct loader *loader, const struct setting *setting) {
    const char *text = getenv(setting->name);
    if (text != NULL && *text != '\0' && setting->fallback != NULL)
        problems_add(&loader->warnings, "%s (environment) is not used by --demo; %s would be",
                     setting->name, setting->option);
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
    if (candidate.text == NULL && is_missed(loader, config))
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
    problems_add(loader->problems, "%s (%s): '%s': %s", setting->name, value->where,
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
    problems_add(loader->problems, "--job: '%s': want %s", loader->line->job, list);
}

static void load_job(struct loader *loader, struct config *config) {
    const struct command_line *line = loader->line;
    config->job = line->fixed_job;
    if (line->job == NULL)
        return;
    const struct stream *asked = NULL;
    for (size_t i = 0; streams[i] != NULL; i++)
        if (strcmp(streams[i]->job, line->job) == 0)
            asked = streams[i];
    if (line->fixed_job != NULL && asked != line->fixed_job)
        problems_add(loader->problems,
                     "--job: '%s': %s runs %s only; call esports-stream for others", line->job,
                     line->fixed_job->name, line->fixed_job->job);
    else if (asked == NULL && strcmp(line->job, "all") != 0)
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
        problems_add(loader->problems,
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

static void warn_of_login(struct loader *loader, const struct config *config) {
    struct kafka_library library = kafka_library_loaded();
    const char *warning =
        kafka_login_warning(config->kafka_properties, config->kafka_property_count, &library);
    if (warning != NULL)
        problems_add(&loader->warnings, "%s", warning);
}

/* All that the settings are read from. */
static void load_all(struct loader *loader, struct config *config) {
    variables_add_environment(&loader->variables, environ);
    for (size_t i = 0; i < loader->line->env_file_count; i++)
        variables_add_file(&loader->variables, loader->line->env_files[i], loader->problems);
    load_settings(loader, config);
    if (!config->demo)
        properties_read_kafka(config, &loader->variables, loader->problems);
    properties_read_spark(config, &loader->variables, loader->problems);
    config_check(config, loader->problems);
    warn_of_login(loader, config);
    find_near_misses(loader);
}

void config_load(struct config *config, const struct command_line *line,
                 struct problems *problems) {
    struct loader loader = {.line = line, .problems = problems};
    *config = (struct config){.action = line->action,
                              .command = line->command,
                              .arguments = line->arguments,
                              .await_termination = line->await_termination,
                              .demo = line->demo};
    if (config->action >= ACTION_HELP)
        return;
    load_job(&loader, config);
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
    properties_deinit(config);
    for (size_t i = 0; i < config->warning_count; i++)
        free(config->warnings[i]);
    free(config->warnings);
    *config = (struct config){0};
}
