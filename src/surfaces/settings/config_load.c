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
#include "surfaces/settings/command.h"
#include "surfaces/settings/config_check.h"
#include "surfaces/settings/env_file.h"
#include "surfaces/settings/properties.h"
#include "surfaces/settings/settings.h"

/* What config_load() reads from, and what it has found wrong. */
struct loader {
    const struct command_line *line;
    struct variables variables;
    struct problems *problems;
    struct problems warnings;
};

/* ---- names that are nearly a setting's ---- */

enum { NEAR = 2 }; // letters

struct typo_search {
    const struct setting *setting;
    char *name; // owned; NULL: none is near
};

static void visit_for_typo(void *context, const char *name, const char *value, const char *where) {
    struct typo_search *search = context;
    (void)value;
    (void)where;
    if (search->name == NULL && settings_find(name) < 0 &&
        edit_distance(name, search->setting->name) <= NEAR) {
        search->name = strdup(name);
        check(search->name != NULL);
    }
}

/* Warns of a variable that is nobody's and nearly a setting's. */
static void check_near_miss(const char *name, const char *where, struct problems *warnings) {
    size_t count;
    const struct setting *settings = settings_table(&count);
    if (settings_find(name) >= 0)
        return;
    for (size_t i = 0; i < count; i++)
        if (strlen(name) > 6 && edit_distance(name, settings[i].name) <= NEAR)
            problems_add(warnings, "%s (%s) is no setting and was ignored; did you mean %s?", name,
                         where, settings[i].name);
}

static void find_near_misses(const struct variables *variables, struct problems *warnings) {
    for (char *const *entry = environ; *entry != NULL; entry++) {
        char *name = strndup(*entry, strcspn(*entry, "="));
        check(name != NULL);
        check_near_miss(name, "environment", warnings);
        free(name);
    }
    for (size_t i = 0; i < variables->count; i++)
        check_near_miss(variables->items[i].name, variables->items[i].where, warnings);
}

/* ---- one setting ---- */

/* Where one setting's text comes from; both are borrowed. */
struct candidate {
    const char *text, *where;
    enum origin origin;
};

static struct candidate pick(const struct loader *loader, const struct config *config, size_t index,
                             const struct setting *setting,
                             const char option[static OPTION_NAME_MAX]) {
    // An empty variable counts as not set: Docker Compose passes those it was not given as empty.
    const char *text = loader->line->settings[index];
    if (text != NULL)
        return (struct candidate){text, option, ORIGIN_FLAG};
    bool sealed = config->demo && setting->location;
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

/* A default's text with the directory filled in that it begins with. */
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
    struct typo_search typo = {.setting = setting};
    variables_each(environ, &loader->variables, visit_for_typo, &typo);
    problems_add(loader->problems, "%s is missing: set it, or give %s %s%s%s%s", setting->name,
                 option, setting->type->placeholder, typo.name != NULL ? " (" : "",
                 typo.name != NULL ? typo.name : "",
                 typo.name != NULL ? " is set, but is no setting)" : "");
    free(typo.name);
}

/* --demo leaves alone what the environment points at; say so, for it is an exception. */
static void note_sealed(struct loader *loader, const struct setting *setting, const char *option) {
    const char *text = getenv(setting->name);
    if (text != NULL && *text != '\0' && setting->fallback != NULL)
        problems_add(&loader->warnings, "%s (environment) is not used by --demo; %s would be",
                     setting->name, option);
}

static void load_setting(struct loader *loader, struct config *config, size_t index,
                         const struct setting *setting) {
    char option[OPTION_NAME_MAX];
    setting_option(setting, option);
    struct candidate candidate = pick(loader, config, index, setting, option);
    if (config->demo && setting->location && candidate.origin != ORIGIN_FLAG)
        note_sealed(loader, setting, option);
    if (candidate.text == NULL) {
        bool runs = config->command == NULL && !loader->line->meant_command;
        if (!config->demo && (runs || (config->command != NULL && config->command->needs_broker)))
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

/* All that the settings are read from. */
static void load_all(struct loader *loader, struct config *config) {
    for (size_t i = 0; i < loader->line->env_file_count; i++)
        env_file_read(loader->line->env_files[i], &loader->variables, loader->problems);
    load_settings(loader, config);
    if (!config->demo)
        properties_read_kafka(config, environ, &loader->variables, loader->problems);
    properties_read_spark(config, environ, &loader->variables, loader->problems);
    config_check(config, loader->problems);
    find_near_misses(&loader->variables, &loader->warnings);
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
