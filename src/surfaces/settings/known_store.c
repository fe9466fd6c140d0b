/* Value by value: an explicit setting counts; else what the checkpoint says; else the default. One
 * exception: when the default path is a table that this very query has signed, the lake was moved
 * or copied since the checkpoint noted the other path, and the default path is meant. The
 * partition columns are those of the table's directories.
 *
 * Each value that differs from what a run with these settings would use is logged, with the
 * reason. */
#include "surfaces/settings/known_store.h"

#include <stdlib.h>
#include <string.h>

#include "base/log/log.h"
#include "base/text.h"
#include "streaming/store/recall.h"
#include "surfaces/settings/settings.h"
#include "surfaces/settings/table_settings.h"

const char *known_origin_name(enum known_origin origin) {
    static const char *const names[] = {[KNOWN_DEFAULT] = "default",
                                        [KNOWN_SETTING] = "setting",
                                        [KNOWN_CHECKPOINT] = "checkpoint"};
    return names[origin];
}

static bool is_given(const struct config *config, const char *setting) {
    return settings_value(config, setting)->origin != ORIGIN_DEFAULT;
}

/* Whether the setting of a property's purpose is given, or the property itself. */
static bool is_given_for(const struct config *config, const struct stream *stream,
                         enum table_property property) {
    return config_property(config, stream, property) != NULL ||
           is_given(config, table_property_setting(property));
}

/* What a message names: "PROCESSED_DATA_PATH", "path". */
static const char *source_of(const struct config *config, const struct stream *stream,
                             enum table_property property) {
    return config_property(config, stream, property) != NULL ? table_property_name(property)
                                                             : table_property_setting(property);
}

static bool is_topic_given(const struct config *config, const struct stream *stream) {
    return stream->topic_setting == NULL || stream->topic == NULL ||
           is_given(config, stream->topic_setting);
}

/* One value on its way: `used` is owned and may be replaced. */
struct choice_of {
    const struct config *config;
    const struct stream *stream;
    const char *what, *setting;
    bool is_given; // by the setting, or by the query's file
    char **used;
    const char *recalled; // NULL: the checkpoint does not say it
};

static enum known_origin choose(const struct choice_of *choice) {
    const char *name = choice->stream->name;
    bool given = choice->is_given;
    bool same = choice->recalled == NULL || strcmp(choice->recalled, *choice->used) == 0;
    if (given && !same)
        log_write(LOG_WARNING, name,
                  "%s is '%s', but the checkpoint says '%s'; %s is set explicitly and takes "
                  "precedence",
                  choice->what, *choice->used, choice->recalled, choice->setting);
    if (given || same)
        return given ? KNOWN_SETTING : KNOWN_DEFAULT;
    log_write(LOG_INFO, name,
              "%s is '%s', as the checkpoint says; %s is not set, and a run without it would use "
              "'%s'",
              choice->what, choice->recalled, choice->setting, *choice->used);
    free(*choice->used);
    *choice->used = text_copy(choice->recalled);
    return KNOWN_CHECKPOINT;
}

/* A path; what this query has signed at the default path is not given up for another one. */
static enum known_origin choose_path(struct choice_of choice, const struct recalled *recalled) {
    if (choice.recalled != NULL && recalled_owns(recalled, *choice.used))
        choice.recalled = NULL;
    return choose(&choice);
}

static void choose_columns(struct known_store *known, const struct config *config,
                           const struct stream *stream) {
    struct name_list *columns = &known->columns;
    if (is_given(config, stream->partition_by_setting))
        return;
    if (!recall_partition_columns(known->store.table, PARTITION_BY_MAX, columns->names,
                                  &columns->count))
        return;
    known->store.partition_by = (const char *const *)columns->names;
    known->store.partition_by_count = columns->count;
}

void known_store_init(struct known_store *known, const struct config *config,
                      const struct stream *stream) {
    struct recalled recalled;
    *known = (struct known_store){.store = config_store_options(config, stream)};
    struct store_options *store = &known->store;
    checkpoint_recall(store->checkpoint, &recalled);
    store->topic = text_copy(store->topic);
    known->topic_from = choose(&(struct choice_of){
        config, stream, "The topic", stream->topic_source, is_topic_given(config, stream),
        (char **)&store->topic, recalled.topic});
    known->table_from = choose_path((struct choice_of){config, stream, "The table",
                                                       source_of(config, stream, TABLE_PATH),
                                                       is_given_for(config, stream, TABLE_PATH),
                                                       (char **)&store->table, recalled.table},
                                    &recalled);
    known->rejects_from =
        choose_path((struct choice_of){config, stream, "The table of rejects",
                                       source_of(config, stream, TABLE_REJECTS_PATH),
                                       is_given_for(config, stream, TABLE_REJECTS_PATH),
                                       (char **)&store->rejects, recalled.rejects},
                    &recalled);
    recalled_deinit(&recalled);
    choose_columns(known, config, stream);
    streams_partition_by(stream, store->partition_by, store->partition_by_count);
}

void known_store_deinit(struct known_store *known) {
    free((void *)known->store.topic);
    config_store_options_deinit(&known->store);
    for (size_t i = 0; i < known->columns.count; i++)
        free(known->columns.names[i]);
    *known = (struct known_store){0};
}
