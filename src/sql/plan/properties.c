#include "sql/plan/properties.h"

#include <string.h>
#include <strings.h>

/* The names that Spark has for the same thing, where it has one. */
const char *const table_properties[] = {
    "queryName", "trigger",     "startingOffsets",    "maxOffsetsPerTrigger", "parseMode",
    "path",      "rejectsPath", "checkpointLocation", "loggerName",           NULL,
};

/* What Spark's Kafka source has and an OPTIONS clause here does not. */
static const struct {
    const char *key, *reason;
} refused_options[] = {
    {"subscribePattern", "a table has one topic: write subscribe 'topic'"},
    {"assign", "all partitions of a topic are read: write subscribe 'topic'"},
    {"startingOffsets", "each table begins on its own: write it in TBLPROPERTIES"},
    {"startingOffsetsByTimestamp", "write startingOffsets in TBLPROPERTIES"},
    {"startingTimestamp", "write startingOffsets in TBLPROPERTIES"},
    {"endingOffsets", "a stream has no end; the trigger availableNow ends a run"},
    {"maxOffsetsPerTrigger", "write it in TBLPROPERTIES"},
    {"failOnDataLoss", "the setting FAIL_ON_DATA_LOSS applies to all queries"},
    {"includeHeaders", "headers are read if they are used"},
};

enum { KAFKA_PREFIX = 6 }; // "kafka."

static bool check_twice(struct planner *planner, const struct sql_property *properties, size_t at,
                        struct error *err) {
    for (size_t i = 0; i < at; i++)
        if (strcasecmp(properties[i].key, properties[at].key) == 0)
            return PLAN_ERROR(err, planner, properties[at].place, "'%s' is given twice",
                              properties[at].key);
    return true;
}

static bool check_option(struct planner *planner, const struct sql_property *option,
                         struct error *err) {
    if (strcasecmp(option->key, "subscribe") == 0)
        return true;
    if (strncasecmp(option->key, "kafka.", KAFKA_PREFIX) == 0)
        return PLAN_ERROR(err, planner, option->place,
                          "option '%s': how Kafka is reached is not part of a query: use the "
                          "settings, such as KAFKA_BOOTSTRAP_SERVERS",
                          option->key);
    for (size_t i = 0; i < sizeof refused_options / sizeof refused_options[0]; i++)
        if (strcasecmp(refused_options[i].key, option->key) == 0)
            return PLAN_ERROR(err, planner, option->place, "option '%s' cannot be used: %s",
                              option->key, refused_options[i].reason);
    struct nearest nearest = {.given = option->key};
    nearest_offer(&nearest, "subscribe");
    return PLAN_ERROR(err, planner, option->place, "unknown option '%s'%s", option->key,
                      nearest.word[0] != '\0' ? "; did you mean 'subscribe'?"
                                              : " (the only one is subscribe)");
}

/* As it is spelled here. */
static const char *known_property(struct planner *planner, const struct sql_property *property,
                                  struct error *err) {
    struct nearest nearest = {.given = property->key};
    for (const char *const *key = table_properties; *key != NULL; key++) {
        if (strcasecmp(*key, property->key) == 0)
            return *key;
        nearest_offer(&nearest, *key);
    }
    (void)PLAN_ERROR(err, planner, property->place, "unknown table property '%s'%s", property->key,
                     nearest_suggestion(&nearest).text);
    return NULL;
}

static struct sql_property copy(struct planner *planner, const char *key,
                                const struct sql_property *property) {
    return (struct sql_property){.key = key,
                                 .value =
                                     pool_copy(&planner->plan->pool, text_borrow(property->value)),
                                 .place = property->place};
}

static bool make_options(struct planner *planner, struct error *err) {
    const struct sql_topic *topic = planner->topic;
    struct sql_property *options =
        pool_alloc(&planner->plan->pool, topic->option_count, sizeof *options);
    for (size_t i = 0; i < topic->option_count; i++) {
        if (!check_option(planner, &topic->options[i], err) ||
            !check_twice(planner, topic->options, i, err))
            return false;
        options[i] = copy(planner, "subscribe", &topic->options[i]);
        planner->plan->topic = options[i].value;
    }
    planner->plan->options = options;
    planner->plan->option_count = topic->option_count;
    if (topic->option_count == 0)
        return PLAN_ERROR(err, planner, topic->place,
                          "table '%s' names no topic: add OPTIONS (subscribe 'topic')",
                          topic->name);
    return true;
}

static bool make_properties(struct planner *planner, struct error *err) {
    const struct sql_table *table = planner->table;
    struct sql_property *properties =
        pool_alloc(&planner->plan->pool, table->property_count, sizeof *properties);
    for (size_t i = 0; i < table->property_count; i++) {
        const char *key = known_property(planner, &table->properties[i], err);
        if (key == NULL || !check_twice(planner, table->properties, i, err))
            return false;
        properties[i] = copy(planner, key, &table->properties[i]);
    }
    planner->plan->properties = properties;
    planner->plan->property_count = table->property_count;
    return true;
}

bool properties_make(struct planner *planner, struct error *err) {
    if (planner->topic == NULL)
        planner->plan->topic =
            pool_copy(&planner->plan->pool, text_borrow(planner->table->source.name));
    else if (!make_options(planner, err))
        return false;
    struct sql_place place =
        planner->topic != NULL ? planner->plan->options[0].place : planner->table->source.place;
    if (planner->plan->topic[0] == '\0')
        return PLAN_ERROR(err, planner, place, "the name of the topic is empty");
    if (strchr(planner->plan->topic, ',') != NULL)
        return PLAN_ERROR(err, planner, place,
                          "'%s': a table has one topic, so a comma cannot be in its name",
                          planner->plan->topic);
    return make_properties(planner, err);
}
