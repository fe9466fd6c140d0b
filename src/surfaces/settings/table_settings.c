/* A property's value gets its ${NAME} replaced and is then read by the type of the setting of the
 * same purpose, so both accept and refuse the same. */
#include "surfaces/settings/table_settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/scope.h"
#include "base/text.h"
#include "streaming/declare/placeholder.h"
#include "surfaces/settings/settings.h"

#define FIELD(name) offsetof(struct query_settings, name)

static const struct {
    const char *key, *setting;
    size_t offset;
} properties[TABLE_PROPERTY_COUNT] = {
    [TABLE_TRIGGER] = {"trigger", "TRIGGER", FIELD(trigger)},
    [TABLE_STARTING_OFFSETS] = {"startingOffsets", "STARTING_OFFSETS", FIELD(starting_offsets)},
    [TABLE_MAX_OFFSETS] = {"maxOffsetsPerTrigger", "MAX_OFFSETS_PER_TRIGGER",
                           FIELD(max_offsets_per_trigger)},
    [TABLE_MIN_OFFSETS] = {"minOffsetsPerTrigger", "MIN_OFFSETS_PER_TRIGGER",
                           FIELD(min_offsets_per_trigger)},
    [TABLE_MAX_DELAY] = {"maxTriggerDelay", "MAX_TRIGGER_DELAY", FIELD(max_trigger_delay_ms)},
    [TABLE_PARSE_MODE] = {"parseMode", "PARSE_MODE", FIELD(parse_mode)},
    [TABLE_COMPACT] = {"compact", "COMPACT", FIELD(compact)},
    [TABLE_RETENTION] = {"retention", "RETENTION", FIELD(retention_days)},
    [TABLE_PATH] = {"path", "PROCESSED_DATA_PATH", FIELD(paths[PATH_TABLE])},
    [TABLE_REJECTS_PATH] = {"rejectsPath", "DATA_LAKE_PATH", FIELD(paths[PATH_REJECTS])},
    [TABLE_CHECKPOINT] = {"checkpointLocation", "CHECKPOINT_PATH", FIELD(paths[PATH_CHECKPOINT])},
};

const char *table_property_name(enum table_property property) {
    return properties[property].key;
}

const char *table_property_setting(enum table_property property) {
    return properties[property].setting;
}

/* One value of a file on its way to a field. */
struct table_value {
    struct config *config;
    const struct stream *stream;
    const struct sql_property *property;
    const struct setting *setting; // whose type reads it
    void *field;
    struct setting_value *shown; // gets the text
    bool is_unread;              // a setting that could not be read, which has been reported
    struct problems *problems;
};

/* What a setting says of a name in ${}; NULL: it is not given. */
static const char *find_variable(void *context, struct text name) {
    struct table_value *table_value = context;
    size_t count;
    const struct setting *settings = settings_table(&count);
    for (size_t i = 0; i < count; i++) {
        const struct setting_value *value = &table_value->config->values[i];
        if (!text_equals(text_borrow(settings[i].name), name) || value->text == NULL ||
            *value->text == '\0')
            continue;
        if (!settings[i].is_variable)
            return value->text;
        if (value->origin == ORIGIN_DEFAULT) // of the first file that has one
            return NULL;
        char *const *field = (char *const *)((char *)table_value->config + settings[i].offset);
        table_value->is_unread = *field == NULL;
        return value->text;
    }
    return NULL;
}

static char *place_of(const struct stream *stream, const struct sql_property *property) {
    return text_format("%s:%d", stream->plan.path, (int)property->place.line);
}

static void report_missing(const struct table_value *value, struct text name) {
    const struct sql_property *property = value->property;
    // A query that is not chosen does not need it.
    if (config_runs(value->config, value->stream))
        problems_add(value->problems,
                     "%.*s is missing: %s of table '%s' needs it (%s:%d:%d): set it, or write "
                     "${%.*s:-default}",
                     (int)name.length, name.bytes, property->key, value->stream->job,
                     value->stream->plan.path, (int)property->place.line,
                     (int)property->place.column, (int)name.length, name.bytes);
}

/* False: there is no value. */
static bool read_value(struct table_value *value) {
    const struct sql_property *property = value->property;
    struct text missing;
    struct error err = {0};
    scoped(scope_free) char *text =
        placeholders_replace(property->value, find_variable, value, &missing);
    if (text == NULL)
        report_missing(value, missing);
    if (text == NULL || value->is_unread)
        return false;
    if (!value->setting->type->parse(value->setting, text, value->field, &err)) {
        scoped(scope_free) char *place =
            text_format("%s:%d:%d: %s", value->stream->plan.path, (int)property->place.line,
                        (int)property->place.column, property->key);
        problems_add_value(value->problems, place, text, err.message);
        return false;
    }
    if (value->shown != NULL)
        *value->shown = (struct setting_value){.text = text_copy(text),
                                               .where = place_of(value->stream, property),
                                               .origin = ORIGIN_FILE};
    return true;
}

static void load_topic(struct table_value value, struct query_settings *query) {
    static const struct setting topic = {.type = &type_topic};
    value.property = &value.stream->values[0];
    value.setting = &topic;
    value.field = &query->topic;
    (void)read_value(&value); // NULL: reported
}

static void load_property(struct table_value value, struct query_settings *query,
                          enum table_property property) {
    size_t count;
    int index = settings_find(properties[property].setting);
    const struct setting_value *given = &value.config->values[index];
    value.setting = &settings_table(&count)[index];
    bool is_path = value.setting->type == &type_path;
    // An option is for this run alone, and --demo touches no data but its own.
    if ((given->origin == ORIGIN_FLAG && !is_path) ||
        (value.config->demo && value.setting->location))
        return;
    value.field = (char *)query + properties[property].offset;
    value.shown = &query->properties[property];
    (void)read_value(&value); // it was reported
}

static enum table_property find_property(const char *key) {
    enum table_property property = 0;
    while (property < TABLE_PROPERTY_COUNT && strcmp(properties[property].key, key) != 0)
        property++;
    check(property < TABLE_PROPERTY_COUNT);
    return property;
}

void table_settings_load(struct config *config, struct problems *problems) {
    for (size_t i = 0; streams[i] != NULL; i++) {
        struct query_settings *query = &config->queries[i];
        struct table_value value = {.config = config, .stream = streams[i], .problems = problems};
        load_topic(value, query);
        for (size_t j = 1; j < streams[i]->value_count; j++) {
            value.property = &streams[i]->values[j];
            load_property(value, query, find_property(value.property->key));
        }
    }
}

void table_settings_deinit(struct config *config) {
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        struct query_settings *query = &config->queries[i];
        free(query->topic);
        free(query->starting_offsets);
        for (enum config_path path = 0; path <= PATH_CHECKPOINT; path++)
            free(query->paths[path]);
        for (enum table_property property = 0; property < TABLE_PROPERTY_COUNT; property++) {
            free(query->properties[property].text);
            free(query->properties[property].where);
        }
    }
}
