/* columns.c: the SELECT list becomes items, in order, so that an alias is known to those further
 * right. Then items become columns: matched by name with the column list, or all of them as they
 * are. Kafka's columns are where the file names them, or at the end. */
#include "sql/plan/columns.h"

#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/utf8.h"
#include "sql/plan/expr_make.h"
#include "sql/plan/names.h"

static const size_t NO_ITEM = SIZE_MAX;

/* ---- the SELECT list ---- */

static bool shows(const char *name) {
    const char *end = name + strlen(name);
    for (size_t size; name < end; name += size) {
        bool valid;
        if (escape_is_control(utf8_decode(name, end, &size, &valid)) || !valid)
            return false;
    }
    return true;
}

static bool check_name(struct planner *planner, const struct planned_item *item,
                       struct error *err) {
    if (item->name[0] == '\0' || !shows(item->name))
        return PLAN_ERROR(err, planner, item->place,
                          "the name of a column is empty or has control characters: write AS name");
    for (size_t i = 0; i < planner->item_count; i++)
        if (strcasecmp(planner->items[i].name, item->name) == 0)
            return PLAN_ERROR(err, planner, item->place,
                              "column '%s' is selected twice (names are matched without regard to "
                              "case): write AS with another name",
                              item->name);
    if (planner->item_count == SQL_COLUMNS_MAX)
        return PLAN_ERROR(err, planner, item->place, "a table has at most %d columns",
                          SQL_COLUMNS_MAX);
    return true;
}

/* The kind of input that a bare name reads; INPUT_RECORD as well for everything else. */
static enum plan_input_kind kind_of(const struct planner *planner, const struct expr *expr) {
    return expr->kind == EXPR_INPUT ? planner->inputs[expr->index].kind : INPUT_RECORD;
}

/* What of a value of a nested type can be a column. */
static const char *instead_of(enum type kind) {
    return kind == TYPE_STRUCT ? "select its fields, each by its name"
           : kind == TYPE_MAP  ? "select a value of it (x['key']), or make rows of it with LATERAL "
                                 "VIEW explode(…)"
                               : "select an element of it (x[0]), or make rows of it with LATERAL "
                                 "VIEW explode(…)";
}

static bool check_item(struct planner *planner, const struct planned_item *item,
                       struct error *err) {
    int kafka = kafka_column_find(item->name);
    enum type kind = item->expr->type.kind;
    if (kind >= TYPE_STRUCT)
        return PLAN_ERROR(err, planner, item->expr->place,
                          "column '%s' is %s: a table has no nested columns; %s", item->name,
                          type_sql_name(kind), instead_of(kind));
    if (item->expr->type.kind == TYPE_NULL)
        return PLAN_ERROR(err, planner, item->expr->place,
                          "column '%s' is NULL without a type: write CAST(NULL AS STRING) AS %s, "
                          "or another type",
                          item->name, item->name);
    if (kafka >= 0 && kind_of(planner, item->expr) != kafka_columns[kafka])
        return PLAN_ERROR(err, planner, item->place,
                          "column '%s' of every table is %s's own and cannot have another meaning: "
                          "write AS with another name",
                          schema_origin_columns[kafka].name,
                          kafka_columns[kafka] == INPUT_PROCESSING_TIMESTAMP ? "the program"
                                                                             : "the Kafka record");
    return true;
}

static bool add_item(struct planner *planner, const struct planned_item *item, struct error *err) {
    if (!check_name(planner, item, err) || !check_item(planner, item, err))
        return false;
    planner->items = planner_grow(planner, planner->items, planner->item_count, sizeof *item);
    planner->items[planner->item_count++] = *item;
    return true;
}

static bool add_all_of_kafka(struct planner *planner, struct sql_place place, struct error *err) {
    const char *name;
    enum plan_input_kind kind;
    bool in_star;
    for (size_t i = 0; (name = kafka_name(i, &kind, &in_star)) != NULL; i++)
        if (in_star &&
            !add_item(planner,
                      &(struct planned_item){.name = name,
                                             .place = place,
                                             .expr = planner_use_kafka(planner, place, kind)},
                      err))
            return false;
    return true;
}

static bool add_all_of_record(struct planner *planner, struct sql_place place, struct error *err) {
    const struct data_type *record = &planner->plan->record;
    for (size_t i = 0; i < record->field_count; i++) {
        const struct data_field **path =
            pool_alloc(&planner->plan->pool, 1, sizeof(struct data_field *));
        path[0] = &record->fields[i];
        if (path[0]->type.kind >= TYPE_STRUCT)
            return PLAN_ERROR(err, planner, place,
                              "*: field '%s' is %s, which cannot be a column yet: name the columns "
                              "instead of *",
                              path[0]->name, type_sql_name(path[0]->type.kind));
        if (!add_item(planner,
                      &(struct planned_item){.name = path[0]->name,
                                             .place = place,
                                             .expr = planner_use_field(planner, place, path, 1)},
                      err))
            return false;
    }
    return true;
}

static bool add_all_of_view(struct planner *planner, struct sql_place place, size_t index,
                            struct error *err) {
    const struct plan_view *view = &planner->views[index];
    const char *const names[] = {view->position, view->element, view->value};
    for (int part = VIEW_POSITION; part <= VIEW_VALUE; part++)
        if (names[part] != NULL &&
            !add_item(planner,
                      &(struct planned_item){.name = names[part],
                                             .place = place,
                                             .expr = planner_use_view(planner, place, index,
                                                                      (enum plan_view_part)part)},
                      err))
            return false;
    return true;
}

static bool add_all(struct planner *planner, struct sql_place place, struct error *err) {
    if (planner->topic == NULL ? !add_all_of_kafka(planner, place, err)
                               : !add_all_of_record(planner, place, err))
        return false;
    for (size_t i = 0; i < planner->plan->view_count; i++)
        if (!add_all_of_view(planner, place, i, err))
            return false;
    return true;
}

static bool add_written(struct planner *planner, const struct sql_item *from, struct error *err) {
    struct planned_item item = {.has_alias = from->alias != NULL,
                                .place =
                                    from->alias != NULL ? from->alias_place : from->node->place};
    const char *name = from->alias != NULL ? from->alias : name_last(from->node);
    if (!expr_make(planner, from->node, &item.expr, err))
        return false;
    if (name == NULL)
        return PLAN_ERROR(err, planner, item.place,
                          "an expression needs a name for its column: write AS name after it");
    item.name = pool_copy(&planner->plan->pool, text_borrow(name));
    return add_item(planner, &item, err);
}

bool items_make(struct planner *planner, struct error *err) {
    for (size_t i = 0; i < planner->table->item_count; i++) {
        const struct sql_item *item = &planner->table->items[i];
        if (item->node->kind == SQL_STAR ? !add_all(planner, item->node->place, err)
                                         : !add_written(planner, item, err))
            return false;
    }
    return true;
}

/* ---- columns ---- */

struct columns {
    struct planner *planner;
    struct plan_column *columns;
    size_t count;
    size_t *of_items; // each item's column
    size_t *order;
};

/* What the record's declaration says of a field that becomes a column as it is. */
static const char *comment_of(const struct planner *planner, const struct expr *expr, int kafka) {
    if (kafka >= 0)
        return schema_origin_columns[kafka].doc;
    if (expr->kind != EXPR_INPUT || planner->inputs[expr->index].kind != INPUT_RECORD)
        return NULL;
    const struct planned_input *input = &planner->inputs[expr->index];
    return input->fields[input->depth - 1]->comment;
}

/* `declared`: in the column list; NULL: there is none. */
static bool add_column(struct columns *columns, struct plan_column column,
                       const struct sql_field *declared, struct error *err) {
    struct planner *planner = columns->planner;
    int kafka = kafka_column_find(column.name);
    if (columns->count == SQL_COLUMNS_MAX)
        return PLAN_ERROR(err, planner, column.place,
                          "a table has at most %d columns, Kafka's four included", SQL_COLUMNS_MAX);
    column.type = column.expr->type;
    column.name = kafka >= 0 ? schema_origin_columns[kafka].name : column.name;
    if (declared != NULL && declared->comment != NULL)
        column.comment = pool_copy(&planner->plan->pool, text_borrow(declared->comment));
    else if (column.comment == NULL)
        column.comment = comment_of(planner, column.expr, kafka);
    column.required = declared != NULL && declared->required;
    columns->columns[columns->count++] = column;
    return true;
}

static size_t find_item(const struct planner *planner, const char *name) {
    for (size_t i = 0; i < planner->item_count; i++)
        if (strcasecmp(planner->items[i].name, name) == 0)
            return i;
    return NO_ITEM;
}

static bool not_selected(struct planner *planner, const struct sql_field *declared,
                         struct error *err) {
    struct nearest nearest = {.given = declared->name};
    for (size_t i = 0; i < planner->item_count; i++)
        nearest_offer(&nearest, planner->items[i].name);
    return PLAN_ERROR(err, planner, declared->place,
                      "column '%s' is in the column list, but not in the SELECT list%s",
                      declared->name, nearest_suggestion(&nearest).text);
}

static bool not_declared(struct planner *planner, const struct planned_item *item,
                         struct error *err) {
    struct nearest nearest = {.given = item->name};
    for (size_t i = 0; i < planner->table->column_count; i++)
        nearest_offer(&nearest, planner->table->columns[i].name);
    return PLAN_ERROR(err, planner, item->place,
                      "column '%s' is in the SELECT list, but not in the column list%s", item->name,
                      nearest_suggestion(&nearest).text);
}

static bool add_declared(struct columns *columns, size_t at, struct error *err) {
    struct planner *planner = columns->planner;
    const struct sql_field *declared = &planner->table->columns[at];
    for (size_t i = 0; i < at; i++)
        if (strcasecmp(planner->table->columns[i].name, declared->name) == 0)
            return PLAN_ERROR(err, planner, declared->place,
                              "column '%s' is in the column list twice", declared->name);
    size_t item = find_item(planner, declared->name);
    int kafka = kafka_column_find(declared->name);
    struct plan_column column = {.name =
                                     pool_copy(&planner->plan->pool, text_borrow(declared->name)),
                                 .place = declared->place};
    if (item != NO_ITEM)
        column.expr = planner->items[item].expr;
    else if (kafka >= 0)
        column.expr = planner_use_kafka(planner, declared->place, kafka_columns[kafka]);
    else
        return not_selected(planner, declared, err);
    if (item != NO_ITEM)
        columns->of_items[item] = columns->count;
    return add_column(columns, column, declared, err);
}

static bool match(struct columns *columns, struct error *err) {
    struct planner *planner = columns->planner;
    for (size_t i = 0; i < planner->item_count; i++)
        columns->of_items[i] = NO_ITEM;
    for (size_t i = 0; i < planner->table->column_count; i++)
        if (!add_declared(columns, i, err))
            return false;
    for (size_t i = 0; i < planner->item_count; i++)
        if (columns->of_items[i] == NO_ITEM)
            return not_declared(planner, &planner->items[i], err);
    return true;
}

static bool take_all(struct columns *columns, struct error *err) {
    struct planner *planner = columns->planner;
    for (size_t i = 0; i < planner->item_count; i++) {
        const struct planned_item *item = &planner->items[i];
        columns->of_items[i] = columns->count;
        if (!add_column(
                columns,
                (struct plan_column){.name = item->name, .place = item->place, .expr = item->expr},
                NULL, err))
            return false;
    }
    return true;
}

/* ---- positions ---- */

static bool is_position(const struct expr *expr, size_t view) {
    return expr->kind == EXPR_VIEW && expr->part == VIEW_POSITION && expr->index == view;
}

static bool has_column(const struct columns *columns, const char *name) {
    for (size_t i = 0; i < columns->count; i++)
        if (strcasecmp(columns->columns[i].name, name) == 0)
            return true;
    return false;
}

/* `position`, or else `position_2` and so on. */
static const char *free_name(const struct columns *columns) {
    const char *name = "position";
    for (int number = 2; has_column(columns, name); number++)
        name = pool_format(&columns->planner->plan->pool, "position_%d", number);
    return name;
}

/* Each view's position: where it is selected, or a column of its own. */
static bool add_positions(struct columns *columns, struct error *err) {
    struct planner *planner = columns->planner;
    size_t selected = columns->count;
    for (size_t view = 0; view < planner->plan->view_count; view++) {
        size_t at = 0;
        while (at < selected && !is_position(columns->columns[at].expr, view))
            at++;
        planner->views[view].position_column = at < selected ? at : columns->count;
        struct sql_place place = planner->views[view].place;
        if (at == selected &&
            !add_column(columns,
                        (struct plan_column){
                            .name = free_name(columns),
                            .place = place,
                            .comment = pool_format(&planner->plan->pool, "Position of %s, from 0",
                                                   planner->views[view].element),
                            .expr = planner_use_view(planner, place, view, VIEW_POSITION)},
                        NULL, err))
            return false;
    }
    return true;
}

static bool add_kafka(struct columns *columns, struct error *err) {
    struct planner *planner = columns->planner;
    struct query_plan *plan = planner->plan;
    size_t *const indexes[KAFKA_COLUMN_COUNT] = {&plan->kafka_timestamp, &plan->partition,
                                                 &plan->offset, &plan->processing_timestamp};
    for (int kafka = 0; kafka < KAFKA_COLUMN_COUNT; kafka++) {
        size_t at = 0;
        while (at < columns->count && kafka_column_find(columns->columns[at].name) != kafka)
            at++;
        *indexes[kafka] = at;
        struct sql_place place = planner->table->place;
        if (at == columns->count &&
            !add_column(columns,
                        (struct plan_column){
                            .name = schema_origin_columns[kafka].name,
                            .place = place,
                            .expr = planner_use_kafka(planner, place, kafka_columns[kafka])},
                        NULL, err))
            return false;
    }
    return true;
}

/* The columns of the SELECT list in its order, then those that are not in it. */
static void set_order(struct columns *columns) {
    size_t count = 0;
    bool *is_selected =
        pool_alloc(&columns->planner->plan->pool, columns->count, sizeof *is_selected);
    for (size_t i = 0; i < columns->planner->item_count; i++) {
        columns->order[count++] = columns->of_items[i];
        is_selected[columns->of_items[i]] = true;
    }
    for (size_t i = 0; i < columns->count; i++)
        if (!is_selected[i])
            columns->order[count++] = i;
}

/* ---- the date ---- */

static int find_column(const struct query_plan *plan, const char *name) {
    for (size_t i = 0; i < plan->column_count; i++)
        if (strcasecmp(plan->columns[i].name, name) == 0)
            return (int)i;
    return -1;
}

static bool is_timestamp(const struct planner *planner, const struct expr *expr) {
    return expr->kind == EXPR_INPUT && planner->inputs[expr->index].kind == INPUT_TIMESTAMP;
}

/* Whether the expression is PLAN_DATE_MEANING, or to_date() of it. */
static bool is_date(const struct planner *planner, const struct expr *expr) {
    if (expr->kind != EXPR_CALL || expr->type.kind != TYPE_DATE || expr->argument_count != 1)
        return false;
    if (expr->function == NULL)
        return is_timestamp(planner, expr->arguments[0]);
    return strcmp(expr->function->name, "to_date") == 0 &&
           (is_timestamp(planner, expr->arguments[0]) || is_date(planner, expr->arguments[0]));
}

/* Behind the columns, where plan_set_date() finds it, or the one that the table selects. */
static bool add_date(struct planner *planner, struct plan_column *behind, struct error *err) {
    struct query_plan *plan = planner->plan;
    int selected = find_column(plan, PLAN_DATE);
    plan->date = selected >= 0 && is_date(planner, plan->columns[selected].expr) ? (size_t)selected
                 : selected >= 0                                                 ? PLAN_NO_DATE
                                 : plan->column_count;
    if (selected >= 0)
        return true;
    struct sql_place place = planner->table->place;
    *behind = (struct plan_column){
        .name = PLAN_DATE,
        .type.kind = TYPE_DATE,
        .place = place,
        .comment = "The date of kafka_timestamp in the session's time zone",
    };
    return expr_cast(planner, place, planner_use_kafka(planner, place, INPUT_TIMESTAMP), TYPE_DATE,
                     &behind->expr, err);
}

void plan_set_date(struct query_plan *plan, bool wanted) {
    bool is_ours =
        plan->date != PLAN_NO_DATE && plan->date + (plan->has_date ? 1 : 0) == plan->column_count;
    if (!is_ours || wanted == plan->has_date)
        return;
    plan->has_date = wanted;
    plan->column_count = plan->date + (wanted ? 1 : 0);
}

/* ---- partition columns ---- */

static bool check_partition_column(struct planner *planner, const struct sql_name *name, int column,
                                   struct error *err) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    const char *text = planner->plan->columns[column].name;
    enum type type = planner->plan->columns[column].type.kind;
    if (kafka_column_find(text) >= 0)
        return PLAN_ERROR(err, planner, name->place,
                          "PARTITIONED BY: '%s' is one of Kafka's columns, which are always in the "
                          "files",
                          text);
    for (size_t i = 0; i < planner->plan->view_count; i++)
        if (planner->views[i].position_column == (size_t)column)
            return PLAN_ERROR(err, planner, name->place,
                              "PARTITIONED BY: '%s' is a position of LATERAL VIEW %s, which is "
                              "always in the files",
                              text, planner->views[i].name);
    if (text[strspn(text, plain)] != '\0' || text[0] == '_')
        return PLAN_ERROR(err, planner, name->place,
                          "PARTITIONED BY: '%s' becomes the name of directories: it can only have "
                          "letters, digits and underscores, and must not begin with an underscore",
                          text);
    if (!type_can_partition(type))
        return PLAN_ERROR(err, planner, name->place,
                          "PARTITIONED BY: '%s' is %s (expected " PARTITION_TYPES ")", text,
                          type_sql_name(type));
    return true;
}

static bool no_partition_column(struct planner *planner, const struct sql_name *name,
                                struct error *err) {
    struct nearest nearest = {.given = name->name};
    for (size_t i = 0; i < planner->plan->column_count; i++)
        nearest_offer(&nearest, planner->plan->columns[i].name);
    nearest_offer(&nearest, PLAN_DATE);
    return PLAN_ERROR(err, planner, name->place, "PARTITIONED BY: the table has no column '%s'%s",
                      name->name, nearest_suggestion(&nearest).text);
}

/* The date becomes a column if it is named. */
static bool use_date(struct planner *planner, struct error *err) {
    const struct sql_table *table = planner->table;
    for (size_t i = 0; i < table->partition_column_count; i++) {
        const struct sql_name *name = &table->partition_columns[i];
        if (strcasecmp(name->name, PLAN_DATE) != 0)
            continue;
        if (planner->plan->date == PLAN_NO_DATE)
            return PLAN_ERROR(err, planner, name->place, "PARTITIONED BY: " PLAN_DATE_TAKEN);
        if (planner->plan->column_count == SQL_COLUMNS_MAX)
            return PLAN_ERROR(err, planner, name->place,
                              "PARTITIONED BY: '" PLAN_DATE "' is one column too many: a table has "
                              "at most %d",
                              SQL_COLUMNS_MAX);
        plan_set_date(planner->plan, true);
    }
    return true;
}

static bool make_partition_columns(struct planner *planner, struct error *err) {
    const struct sql_table *table = planner->table;
    struct query_plan *plan = planner->plan;
    size_t *indexes = pool_alloc(&plan->pool, table->partition_column_count, sizeof *indexes);
    for (size_t i = 0; i < table->partition_column_count; i++) {
        const struct sql_name *name = &table->partition_columns[i];
        int column = find_column(plan, name->name);
        if (column < 0)
            return no_partition_column(planner, name, err);
        for (size_t before = 0; before < i; before++)
            if (indexes[before] == (size_t)column)
                return PLAN_ERROR(err, planner, name->place, "PARTITIONED BY: '%s' is given twice",
                                  name->name);
        if (!check_partition_column(planner, name, column, err))
            return false;
        indexes[i] = (size_t)column;
    }
    plan->partition_columns = indexes;
    plan->partition_column_count = table->partition_column_count;
    if (plan->partition_column_count + KAFKA_COLUMN_COUNT == plan->column_count)
        return PLAN_ERROR(
            err, planner, table->place,
            "table '%s' needs a column that is neither Kafka's nor a partition column",
            table->name);
    return true;
}

bool columns_make(struct planner *planner, struct error *err) {
    struct pool *pool = &planner->plan->pool;
    struct columns columns = {.planner = planner};
    size_t most = planner->item_count + planner->table->column_count + planner->plan->view_count +
                  KAFKA_COLUMN_COUNT + 1; // the date
    columns.columns = pool_alloc(pool, most, sizeof *columns.columns);
    columns.of_items = pool_alloc(pool, planner->item_count, sizeof *columns.of_items);
    columns.order = pool_alloc(pool, most, sizeof *columns.order);
    if (planner->table->has_columns ? !match(&columns, err) : !take_all(&columns, err))
        return false;
    if (!add_positions(&columns, err) || !add_kafka(&columns, err))
        return false;
    for (size_t i = 0; i < planner->item_use_count; i++)
        planner->item_uses[i]->index = columns.of_items[planner->item_uses[i]->index];
    set_order(&columns);
    columns.order[columns.count] = columns.count;
    planner->plan->columns = columns.columns;
    planner->plan->column_count = columns.count;
    planner->plan->order = columns.order;
    return add_date(planner, &columns.columns[columns.count], err) && use_date(planner, err) &&
           make_partition_columns(planner, err);
}

/* ---- types ---- */

static bool check_type(struct planner *planner, const struct sql_field *declared,
                       const struct expr *expr, struct error *err) {
    struct pool *pool = &planner->plan->pool;
    if (data_type_equals(&declared->type, &expr->type))
        return true;
    const char *type = data_type_text(&declared->type, pool);
    if (declared->type.kind >= TYPE_STRUCT)
        return PLAN_ERROR(err, planner, declared->place,
                          "column '%s' is declared %s: only scalars can be columns yet",
                          declared->name, type);
    if (kafka_column_find(declared->name) >= 0)
        return PLAN_ERROR(err, planner, declared->place, "column '%s' is always %s, not %s",
                          declared->name, data_type_text(&expr->type, pool), type);
    return PLAN_ERROR(err, planner, expr->place,
                      "column '%s' is declared %s but is %s: write CAST(%s AS %s) AS %s",
                      declared->name, type, data_type_text(&expr->type, pool),
                      expr_text(planner->plan, expr, pool), type, declared->name);
}

bool columns_check_types(struct planner *planner, struct error *err) {
    for (size_t i = 0; i < planner->table->column_count; i++)
        if (!check_type(planner, &planner->table->columns[i], planner->plan->columns[i].expr, err))
            return false;
    return true;
}

/* ---- what decides about the record as a whole ---- */

/* The name of the last view that an expression needs. */
static const char *view_of(const struct query_plan *plan, const struct expr *expr) {
    return plan->views[expr->level - 1].name;
}

bool columns_check_levels(struct planner *planner, struct error *err) {
    const struct query_plan *plan = planner->plan;
    for (size_t i = 0; i < plan->column_count; i++) {
        const struct plan_column *column = &plan->columns[i];
        if (column->required && column->expr->level > 0)
            return PLAN_ERROR(
                err, planner, column->place,
                "column '%s' cannot be NOT NULL, because it depends on LATERAL VIEW "
                "%s: a null would make the whole record a reject; use WHERE %s IS NOT "
                "NULL to leave out single rows",
                column->name, view_of(plan, column->expr),
                expr_text(plan, column->expr, &planner->plan->pool));
    }
    for (size_t i = 0; i < plan->partition_column_count; i++) {
        const struct plan_column *column = &plan->columns[plan->partition_columns[i]];
        if (column->type.kind == TYPE_STRING && column->expr->level > 0)
            return PLAN_ERROR(err, planner, planner->table->partition_columns[i].place,
                              "PARTITIONED BY: '%s' is STRING and depends on LATERAL VIEW %s: a "
                              "value that cannot be the name of a directory would make the whole "
                              "record a reject; partition by a column of the record or of another "
                              "type, and use WHERE to leave out single rows",
                              column->name, view_of(plan, column->expr));
    }
    return true;
}
