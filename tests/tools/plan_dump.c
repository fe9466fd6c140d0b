/* plan_dump FILE: the tables of a query file as text for Spark, a JSON object per line: the
 * schema of from_json, its LATERAL VIEWs, and each column's name, type, whether it can be null or
 * is NOT NULL, and text for Spark, in the order of the SELECT list; the table's columns in its own
 * order, its partition columns and positions; what is exploded. Inputs are fields of `r` and
 * columns of Spark's Kafka source. */
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/json.h"
#include "query_plans.h"

static const char *input_name(const struct plan_input *input, struct pool *pool) {
    static const char *const kafka[] = {
        [INPUT_KEY] = "`key`",
        [INPUT_VALUE] = "`value`",
        [INPUT_TOPIC] = "`topic`",
        [INPUT_PARTITION] = "`partition`",
        [INPUT_OFFSET] = "`offset`",
        [INPUT_TIMESTAMP] = "`timestamp`",
        [INPUT_TIMESTAMP_TYPE] = "`timestampType`",
        [INPUT_HEADERS] = "`headers`",
        [INPUT_PROCESSING_TIMESTAMP] = "`processing_timestamp`",
    };
    if (input->kind != INPUT_RECORD)
        return kafka[input->kind];
    const char *name = "`r`";
    for (size_t i = 0; i < input->path_length; i++)
        name = pool_format(pool, "%s.%s", name, name_quoted(input->path[i], pool));
    return name;
}

static const char **names_of(const struct query_plan *plan, struct pool *pool) {
    const char **names =
        pool_alloc(pool, plan->input_count + VIEW_PARTS * plan->view_count, sizeof *names);
    const char **parts = names + plan->input_count;
    for (size_t i = 0; i < plan->input_count; i++)
        names[i] = input_name(&plan->inputs[i], pool);
    for (size_t i = 0; i < plan->view_count; i++, parts += VIEW_PARTS) {
        const struct plan_view *view = &plan->views[i];
        parts[VIEW_POSITION] = name_quoted(
            view->position != NULL ? view->position : plan->columns[view->position_column].name,
            pool);
        parts[VIEW_ELEMENT] = name_quoted(view->element, pool);
        parts[VIEW_VALUE] = view->value != NULL ? name_quoted(view->value, pool) : "";
    }
    return names;
}

static struct json *views_json(const struct query_plan *plan, const char *const *names,
                               struct pool *pool) {
    struct json *views = json_new_array();
    for (size_t i = 0; i < plan->view_count; i++) {
        const struct plan_view *view = &plan->views[i];
        const char *position =
            view->position != NULL ? view->position : plan->columns[view->position_column].name;
        json_append_text(
            views,
            pool_format(pool, "LATERAL VIEW%s posexplode(%s) %s AS %s, %s%s%s",
                        view->is_outer ? " OUTER" : "", expr_sql(plan, view->argument, names, pool),
                        name_quoted(view->name, pool), name_quoted(position, pool),
                        name_quoted(view->element, pool), view->value != NULL ? ", " : "",
                        view->value != NULL ? name_quoted(view->value, pool) : ""));
    }
    return views;
}

static void put_table(struct json *object, const struct query_plan *plan, const char *const *names,
                      struct pool *pool) {
    struct json *order = json_new_array(), *partitions = json_new_array();
    struct json *exploded = json_new_array(), *positions = json_new_array();
    for (size_t i = 0; i < plan->column_count; i++)
        json_append_text(order, plan->columns[i].name);
    for (size_t i = 0; i < plan->partition_column_count; i++)
        json_append_text(partitions, plan->columns[plan->partition_columns[i]].name);
    for (size_t i = 0; i < plan->view_count; i++) {
        const struct plan_view *view = &plan->views[i];
        json_append_text(exploded, expr_sql(plan, view->argument, names, pool));
        json_append_text(positions, plan->columns[view->position_column].name);
    }
    json_put_text(object, "name", plan->name);
    json_put(object, "order", order);
    json_put(object, "partitions", partitions);
    json_put(object, "exploded", exploded);
    json_put(object, "positions", positions);
}

static void print_plan(const struct query_plan *plan) {
    struct pool pool;
    pool_init(&pool);
    const char **names = names_of(plan, &pool);
    struct json *object = json_new_object(), *columns = json_new_array();
    json_put_text(object, "schema", data_type_ddl(&plan->cut, &pool));
    json_put(object, "views", views_json(plan, names, &pool));
    if (plan->where != NULL)
        json_put_text(object, "where", expr_sql(plan, plan->where, names, &pool));
    for (size_t i = 0; i < plan->column_count; i++) {
        const struct plan_column *column = &plan->columns[plan->order[i]];
        struct json *entry = json_new_object();
        json_put_text(entry, "name", column->name);
        json_put_text(entry, "type", data_type_ddl(&column->type, &pool));
        json_put_bool(entry, "nullable", column->expr->can_be_null);
        json_put_bool(entry, "required", column->required);
        json_put_text(entry, "sql", expr_sql(plan, column->expr, names, &pool));
        json_append(columns, entry);
    }
    json_put(object, "columns", columns);
    put_table(object, plan, names, &pool);
    char *text = json_print(object);
    puts(text);
    free(text);
    json_free(object);
    pool_deinit(&pool);
}

int main(int argc, char **argv) {
    check(argc == 2);
    return query_plans_print(argv[1], print_plan);
}
