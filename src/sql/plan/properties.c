#include "sql/plan/properties.h"

#include <string.h>
#include <strings.h>

/* The names that Spark has for the same thing, where it has one. */
const char *const table_properties[] = {
    "queryName",
    "trigger",
    "startingOffsets",
    "maxOffsetsPerTrigger",
    "minOffsetsPerTrigger",
    "maxTriggerDelay",
    "parseMode",
    "path",
    "rejectsPath",
    "checkpointLocation",
    "loggerName",
    "compact",
    "retention",
    NULL,
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
    {"minOffsetsPerTrigger", "write it in TBLPROPERTIES"},
    {"maxTriggerDelay", "write it in TBLPROPERTIES"},
    {"failOnDataLoss", "the setting FAIL_ON_DATA_LOSS applies to all queries"},
    {"includeHeaders", "headers are read if they are used"},
};

enum { KAFKA_PREFIX = 6, SAMPLE_PREFIX = 7 }; // "kafka.", "sample."

static bool check_twice(struct planner *planner, const struct sql_property *properties, size_t at,
                        struct error *err) {
    for (size_t i = 0; i < at; i++)
        if (strcasecmp(properties[i].key, properties[at].key) == 0)
            return PLAN_ERROR(err, planner, properties[at].place, "'%s' is given twice",
                              properties[at].key);
    return true;
}

static bool refuse_option(struct planner *planner, const struct sql_property *option,
                          struct error *err) {
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
                      nearest.word[0] != '\0'
                          ? "; did you mean 'subscribe'?"
                          : " (known are subscribe, and sample.FIELD for sample records)");
}

/* The field that a path such as "info.queueId" names; NULL: none. Recursion is as deep as the type,
 * which the parser bounds (DATA_TYPE_DEPTH_MAX). */
static const struct data_field *field_at(const struct data_type *type, const char *path) {
    for (size_t i = 0; i < type->field_count; i++) {
        const struct data_field *field = &type->fields[i], *found = NULL;
        size_t length = strlen(field->name);
        if (strncasecmp(field->name, path, length) != 0)
            continue;
        if (path[length] == '\0')
            return field;
        if (path[length] == '.' && field->type.kind == TYPE_STRUCT)
            found = field_at(&field->type, path + length + 1);
        if (found != NULL)
            return found;
    }
    return NULL;
}

static bool check_sample(struct planner *planner, const struct sql_property *option,
                         struct error *err) {
    const struct data_type *record = &planner->plan->record;
    const char *path = option->key + SAMPLE_PREFIX;
    const struct data_field *field = field_at(record, path);
    if (field == NULL) {
        struct nearest nearest = {.given = path};
        for (size_t i = 0; i < record->field_count; i++)
            nearest_offer(&nearest, record->fields[i].name);
        return PLAN_ERROR(err, planner, option->place,
                          "option '%s': the record has no field '%s'%s", option->key, path,
                          nearest_suggestion(&nearest).text);
    }
    if (field->type.kind >= TYPE_STRUCT)
        return PLAN_ERROR(err, planner, option->place,
                          "option '%s': '%s' is %s: samples are of scalar fields", option->key,
                          path, data_type_text(&field->type, &planner->plan->pool));
    return true;
}

/* The key as it is spelled here; NULL: refused. */
static const char *known_option(struct planner *planner, const struct sql_property *option,
                                struct error *err) {
    if (strcasecmp(option->key, "subscribe") == 0)
        return "subscribe";
    if (strncasecmp(option->key, "sample.", SAMPLE_PREFIX) == 0)
        return check_sample(planner, option, err)
                   ? pool_format(&planner->plan->pool, "sample.%s", option->key + SAMPLE_PREFIX)
                   : NULL;
    (void)refuse_option(planner, option, err);
    return NULL;
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
        const char *key = known_option(planner, &topic->options[i], err);
        if (key == NULL || !check_twice(planner, topic->options, i, err))
            return false;
        options[i] = copy(planner, key, &topic->options[i]);
    }
    planner->plan->options = options;
    planner->plan->option_count = topic->option_count;
    return true;
}

/* plan->topic, and where it is named. */
static bool find_topic(struct planner *planner, struct sql_place *place, struct error *err) {
    struct query_plan *plan = planner->plan;
    if (planner->topic == NULL) {
        plan->topic = pool_copy(&plan->pool, text_borrow(planner->table->source.name));
        *place = planner->table->source.place;
        return true;
    }
    if (!make_options(planner, err))
        return false;
    for (size_t i = 0; i < plan->option_count; i++) {
        if (strcmp(plan->options[i].key, "subscribe") != 0)
            continue;
        plan->topic = plan->options[i].value;
        *place = plan->options[i].place;
        return true;
    }
    return PLAN_ERROR(err, planner, planner->topic->place,
                      "table '%s' names no topic: add OPTIONS (subscribe 'topic')",
                      planner->topic->name);
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
    struct sql_place place = {0};
    if (!find_topic(planner, &place, err))
        return false;
    if (planner->plan->topic[0] == '\0')
        return PLAN_ERROR(err, planner, place, "the name of the topic is empty");
    if (strchr(planner->plan->topic, ',') != NULL)
        return PLAN_ERROR(err, planner, place,
                          "'%s': a table has one topic, so a comma cannot be in its name",
                          planner->plan->topic);
    return make_properties(planner, err);
}
