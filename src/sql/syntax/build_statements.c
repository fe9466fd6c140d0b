/* build_statements.c: topics, tables and what they consist of. */
#include <string.h>
#include <strings.h>

#include "base/nearest.h"
#include "sql/syntax/build.h"

enum { KEY_BYTES_MAX = 1000 }; // of a property, before the last dot

/* ---- lists of named things ---- */

struct sql_list sql_list_name(struct sql_input *in, struct sql_list list, struct sql_place place,
                              const char *name) {
    struct sql_name *item =
        sql_list_grow(in, &list, sizeof *item, SQL_COLUMNS_MAX, place, "columns");
    *item = (struct sql_name){name, place};
    return list;
}

struct sql_list sql_list_field(struct sql_input *in, struct sql_list list, struct sql_field field) {
    struct sql_field *item =
        sql_list_grow(in, &list, sizeof *item, SQL_COLUMNS_MAX, field.place, "columns");
    *item = field;
    return list;
}

struct sql_list sql_list_property(struct sql_input *in, struct sql_list list,
                                  struct sql_property property) {
    struct sql_property *item =
        sql_list_grow(in, &list, sizeof *item, SQL_COLUMNS_MAX, property.place, "properties");
    *item = property;
    return list;
}

struct sql_list sql_list_item(struct sql_input *in, struct sql_list list, struct sql_place place,
                              struct sql_item item) {
    struct sql_item *added =
        sql_list_grow(in, &list, sizeof *added, SQL_COLUMNS_MAX, place, "columns");
    *added = item;
    return list;
}

static void refuse_second(struct sql_input *in, struct sql_place place, const char *clause) {
    sql_refuse(in, place, "%s is given twice", clause);
}

/* ---- columns ---- */

struct sql_field sql_column_required(struct sql_input *in, struct sql_place place,
                                     struct sql_field column) {
    if (column.required)
        refuse_second(in, place, "NOT NULL");
    column.required = true;
    return column;
}

struct sql_field sql_column_comment(struct sql_input *in, struct sql_place place,
                                    struct sql_field column, struct sql_string comment) {
    if (column.comment != NULL)
        refuse_second(in, place, "COMMENT");
    column.comment = sql_plain_text(in, place, comment);
    return column;
}

/* ---- properties ---- */

struct sql_property sql_make_property(struct sql_input *in, struct sql_place place, const char *key,
                                      struct sql_place value_place, struct sql_string value) {
    return (struct sql_property){key, sql_plain_text(in, value_place, value), place};
}

const char *sql_join_key(struct sql_input *in, const char *key, const char *part) {
    if (strlen(key) > KEY_BYTES_MAX) {
        sql_refuse(in, in->token.place, "the key is too long (limit: %d bytes)", KEY_BYTES_MAX);
        return key;
    }
    return pool_format(in->pool, "%s.%s", key, part);
}

/* ---- topics ---- */

struct sql_topic *sql_make_topic(struct sql_input *in, struct sql_place place, const char *name,
                                 struct sql_list fields, struct sql_place format_place,
                                 const char *format) {
    if (strcasecmp(format, "kafka") != 0)
        sql_refuse(in, format_place,
                   "found '%.60s', expected kafka: CREATE TABLE declares what a topic's records "
                   "hold; the tables that are written are always Parquet",
                   format);
    struct sql_topic *topic = pool_alloc(in->pool, 1, sizeof *topic);
    *topic = (struct sql_topic){
        .name = name, .place = place, .fields = fields.items, .field_count = fields.count};
    return topic;
}

struct sql_topic *sql_topic_options(struct sql_input *in, struct sql_place place,
                                    struct sql_topic *topic, struct sql_list options) {
    if (topic->options != NULL)
        refuse_second(in, place, "OPTIONS");
    topic->options = options.items;
    topic->option_count = options.count;
    return topic;
}

struct sql_topic *sql_topic_comment(struct sql_input *in, struct sql_place place,
                                    struct sql_topic *topic, struct sql_string comment) {
    if (topic->comment != NULL)
        refuse_second(in, place, "COMMENT");
    topic->comment = sql_plain_text(in, place, comment);
    return topic;
}

void sql_add_topic(struct sql_input *in, const struct sql_topic *topic) {
    struct sql_topic *added = sql_list_grow(in, &in->topics, sizeof *added, SQL_COLUMNS_MAX,
                                            topic->place, "topics in a file");
    *added = *topic;
}

/* ---- tables ---- */

struct sql_table *sql_make_table(struct sql_input *in, struct sql_place place, const char *name,
                                 struct sql_list columns) {
    struct sql_table *table = pool_alloc(in->pool, 1, sizeof *table);
    *table = (struct sql_table){.name = name,
                                .place = place,
                                .has_columns = columns.count > 0,
                                .columns = columns.items,
                                .column_count = columns.count};
    in->source = (struct sql_name){0};
    in->source_is_kafka = false;
    in->source_alias = NULL;
    in->views = (struct sql_list){0};
    return table;
}

struct sql_table *sql_table_partitions(struct sql_input *in, struct sql_place place,
                                       struct sql_table *table, struct sql_list names) {
    if (table->partition_columns != NULL)
        refuse_second(in, place, "PARTITIONED BY");
    table->partition_columns = names.items;
    table->partition_column_count = names.count;
    return table;
}

struct sql_table *sql_table_comment(struct sql_input *in, struct sql_place place,
                                    struct sql_table *table, struct sql_string comment) {
    if (table->comment != NULL)
        refuse_second(in, place, "COMMENT");
    table->comment = sql_plain_text(in, place, comment);
    return table;
}

struct sql_table *sql_table_properties(struct sql_input *in, struct sql_place place,
                                       struct sql_table *table, struct sql_list properties) {
    if (table->properties != NULL)
        refuse_second(in, place, "TBLPROPERTIES");
    table->properties = properties.items;
    table->property_count = properties.count;
    return table;
}

void sql_add_table(struct sql_input *in, struct sql_table *table, struct sql_list items,
                   struct sql_node *where) {
    table->items = items.items;
    table->item_count = items.count;
    table->source = in->source;
    table->source_is_kafka = in->source_is_kafka;
    table->source_alias = in->source_alias;
    table->views = in->views.items;
    table->view_count = in->views.count;
    table->where = where;
    struct sql_table *added = sql_list_grow(in, &in->tables, sizeof *added, SQL_COLUMNS_MAX,
                                            table->place, "tables in a file");
    *added = *table;
}

/* ---- the query ---- */

struct sql_item sql_make_item(struct sql_input *in, struct sql_node *node, const char *alias,
                              struct sql_place alias_place) {
    (void)in;
    return (struct sql_item){node, alias, alias_place};
}

void sql_set_source(struct sql_input *in, struct sql_place place, const char *name) {
    in->source = (struct sql_name){name, place};
}

void sql_set_kafka_source(struct sql_input *in, struct sql_place place, const char *function,
                          struct sql_place topic_place, struct sql_string topic) {
    if (strcasecmp(function, "kafka") != 0)
        sql_refuse(in, place,
                   "found '%.60s', expected kafka: a query reads the table of a topic, or "
                   "kafka('topic')",
                   function);
    in->source = (struct sql_name){sql_plain_text(in, topic_place, topic), topic_place};
    in->source_is_kafka = true;
}

static void refuse_view_function(struct sql_input *in, struct sql_place place, const char *name) {
    static const struct {
        const char *name, *instead;
    } others[] = {
        {"explode_outer", "write LATERAL VIEW OUTER explode(…)"},
        {"posexplode_outer", "write LATERAL VIEW OUTER posexplode(…)"},
        {"inline", "write LATERAL VIEW explode(…) x AS e, and e.field for each field"},
        {"inline_outer", "write LATERAL VIEW OUTER explode(…) x AS e, and e.field for each field"},
        {"json_tuple", "declare the fields in the topic's table"},
        {"stack", "write one query for each row of it"},
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (strcasecmp(others[i].name, name) == 0)
            sql_refuse(in, place, "%s is not supported: %s", name, others[i].instead);
    struct nearest nearest = {.given = name};
    nearest_offer(&nearest, "explode");
    nearest_offer(&nearest, "posexplode");
    if (nearest.word[0] != '\0')
        sql_refuse(in, place, "found '%.60s', expected explode or posexplode (did you mean %s?)",
                   name, nearest.word);
    else
        sql_refuse(in, place, "found '%.60s', expected explode or posexplode", name);
}

struct sql_view sql_make_view(struct sql_input *in, struct sql_place place, bool outer,
                              struct sql_place function_place, const char *function,
                              struct sql_node *argument, const char *name,
                              struct sql_list aliases) {
    bool with_position = strcasecmp(function, "posexplode") == 0;
    if (!with_position && strcasecmp(function, "explode") != 0)
        refuse_view_function(in, function_place, function);
    return (struct sql_view){.outer = outer,
                             .with_position = with_position,
                             .argument = argument,
                             .name = name,
                             .aliases = aliases.items,
                             .alias_count = aliases.count,
                             .place = place};
}

void sql_add_view(struct sql_input *in, struct sql_view view) {
    struct sql_view *item =
        sql_list_grow(in, &in->views, sizeof *item, SQL_COLUMNS_MAX, view.place, "LATERAL VIEWs");
    *item = view;
}
