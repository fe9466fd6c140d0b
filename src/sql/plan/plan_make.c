/* plan_make.c: a table's plan is made in the order in which its parts depend on each other: the
 * topic and its record, LATERAL VIEW, the SELECT list, WHERE, the columns, and at last what of the
 * record is read. */
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "sql/plan/columns.h"
#include "sql/plan/expr_make.h"
#include "sql/plan/properties.h"
#include "sql/plan/record_cut.h"
#include "sql/plan/views.h"

/* ---- names of tables ---- */

enum { TABLE_NAME_MAX = 100 };

static bool check_table_name(struct planner *planner, struct error *err) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    const struct sql_table *table = planner->table;
    size_t length = strlen(table->name);
    if (length > TABLE_NAME_MAX || strspn(table->name, plain) != length ||
        strchr("_-", table->name[0]) != NULL)
        return PLAN_ERROR(err, planner, table->place,
                          "table '%s': its name is used for --job and for directories: at most %d "
                          "letters, digits, underscores and dashes, the first a letter or digit",
                          table->name, TABLE_NAME_MAX);
    if (strcasecmp(table->name, "all") == 0)
        return PLAN_ERROR(err, planner, table->place,
                          "table '%s': --job all means all tables: choose another name",
                          table->name);
    return true;
}

static bool check_twice(struct planner *planner, struct error *err) {
    const struct sql_file *file = planner->file;
    const struct sql_table *table = planner->table;
    for (size_t i = 0; i < file->topic_count + file->table_count; i++) {
        bool is_topic = i < file->topic_count;
        size_t at = is_topic ? i : i - file->topic_count;
        if (!is_topic && &file->tables[at] == table)
            continue;
        const char *name = is_topic ? file->topics[at].name : file->tables[at].name;
        struct sql_place place = is_topic ? file->topics[at].place : file->tables[at].place;
        if (strcasecmp(name, table->name) == 0)
            return PLAN_ERROR(err, planner, table->place,
                              "the name '%s' is given twice: line %d has it, too", table->name,
                              (int)place.line);
    }
    return true;
}

static bool find_topic(struct planner *planner, struct error *err) {
    const struct sql_file *file = planner->file;
    const struct sql_table *table = planner->table;
    struct nearest nearest = {.given = table->source.name};
    if (table->source_is_kafka)
        return true;
    for (size_t i = 0; i < file->topic_count; i++) {
        nearest_offer(&nearest, file->topics[i].name);
        if (strcasecmp(file->topics[i].name, table->source.name) != 0)
            continue;
        if (planner->topic != NULL)
            return PLAN_ERROR(err, planner, file->topics[i].place,
                              "the name '%s' is given twice: line %d has it, too",
                              file->topics[i].name, (int)planner->topic->place.line);
        planner->topic = &file->topics[i];
    }
    for (size_t i = 0; planner->topic == NULL && i < file->table_count; i++)
        if (strcasecmp(file->tables[i].name, table->source.name) == 0)
            return PLAN_ERROR(err, planner, table->source.place,
                              "'%s' is a streaming table: a table can only be made from a topic",
                              table->source.name);
    if (planner->topic == NULL)
        return PLAN_ERROR(err, planner, table->source.place,
                          "the file declares no topic '%s' (CREATE TABLE %s (…) USING kafka)%s",
                          table->source.name, table->source.name,
                          nearest_suggestion(&nearest).text);
    return true;
}

/* ---- the rest ---- */

static bool make_where(struct planner *planner, struct error *err) {
    if (planner->table->where == NULL)
        return true;
    planner->in_where = true;
    if (!expr_make(planner, planner->table->where, &planner->plan->where, err))
        return false;
    const struct expr *where = planner->plan->where;
    if (where->type.kind != TYPE_BOOL)
        return PLAN_ERROR(err, planner, where->place, "the condition of WHERE is %s, not BOOLEAN",
                          data_type_text(&where->type, &planner->plan->pool));
    return true;
}

static bool make(struct planner *planner, struct error *err) {
    if (!check_table_name(planner, err) || !check_twice(planner, err) ||
        !find_topic(planner, err) || !record_make(planner, err) || !properties_make(planner, err) ||
        !views_make(planner, err) || !items_make(planner, err) || !make_where(planner, err) ||
        !columns_make(planner, err))
        return false;
    record_cut(planner);
    return columns_check_types(planner, err) && columns_check_levels(planner, err);
}

bool plan_make(const struct sql_file *file, size_t index, struct query_plan *plan,
               struct error *err) {
    check(index < file->table_count);
    const struct sql_table *table = &file->tables[index];
    *plan = (struct query_plan){.place = table->place};
    pool_init(&plan->pool);
    plan->path = pool_copy(&plan->pool, text_borrow(file->path));
    plan->name = pool_copy(&plan->pool, text_borrow(table->name));
    if (table->comment != NULL)
        plan->comment = pool_copy(&plan->pool, text_borrow(table->comment));
    struct planner planner = {.file = file, .table = table, .plan = plan};
    if (make(&planner, err))
        return true;
    plan_deinit(plan);
    return false;
}

void plan_deinit(struct query_plan *plan) {
    pool_deinit(&plan->pool);
    *plan = (struct query_plan){0};
}
