/* Each file is read, parsed and planned, table by table. An error is reported, and the check
 * continues with the next table, so that one call shows all that is wrong. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/text.h"
#include "base/utf8.h"
#include "sql/plan/plan.h"
#include "streaming/declare/query_files.h"
#include "surfaces/commands/each_command.h"
#include "surfaces/terminal/output.h"
#include "surfaces/terminal/text_table.h"

struct checked_table {
    char *name, *path; // owned
};

struct check_run {
    const struct command_call *call;
    struct checked_table *tables; // owned; of all files
    size_t table_count, error_count;
};

/* ---- what is wrong ---- */

/* A text of the file as it may be shown on a terminal. */
static const char *shown(const char *text, struct pool *pool) {
    size_t length = strlen(text), used = 0;
    char *safe = pool_alloc(pool, ESCAPE_MAX * length + 1, 1);
    for (const char *at = text, *end = text + length; at < end;) {
        size_t size;
        at += escape_next(at, end, safe + used, &size);
        used += size;
    }
    return safe;
}

/* `table`: NULL: the whole file. */
static void report(struct check_run *run, const char *path, const char *table,
                   const struct error *err) {
    struct pool pool;
    pool_init(&pool);
    run->error_count++;
    (void)fprintf(run->call->errors, "esports-stream: check: %s\n", shown(err->message, &pool));
    pool_deinit(&pool);
    if (!run->call->config->arguments.json)
        return;
    struct json *object = json_new_object();
    json_put_shown(object, "file", path);
    if (table != NULL)
        json_put_shown(object, "table", table);
    else
        json_put_null(object, "table");
    json_put_shown(object, "error", err->message);
    output_print_json(run->call->out, object);
}

/* ---- what may not be meant ---- */

enum { WARNINGS_MAX = 2 };

static size_t find_warnings(const struct query_plan *plan, struct pool *pool,
                            const char *warnings[static WARNINGS_MAX]) {
    size_t count = 0;
    bool has_required = plan->record.field_count == 0; // bytes of any kind are wanted
    for (size_t i = 0; i < plan->column_count; i++)
        has_required = has_required || plan->columns[i].required;
    if (!has_required)
        warnings[count++] = "no column is NOT NULL, so a record of another kind becomes a row of "
                            "nulls, not a reject";
    const char *names = "";
    for (size_t i = 0; i < plan->partition_column_count; i++) {
        const struct plan_column *column = &plan->columns[plan->partition_columns[i]];
        bool is_date = plan->partition_columns[i] == plan->date; // each record has a timestamp
        if (column->expr->can_be_null && !column->required && !is_date)
            names = pool_format(pool, "%s%s%s", names, *names != '\0' ? ", " : "", column->name);
    }
    if (*names != '\0')
        warnings[count++] =
            pool_format(pool,
                        "null is possible in a partition column (%s): such rows are in a directory "
                        "…=__HIVE_DEFAULT_PARTITION__",
                        names);
    return count;
}

/* ---- what is right ---- */

static const char *text_or_none(const char *text) {
    return text != NULL ? text : "";
}

static void print_fact(FILE *out, const char *name, const char *fact) {
    enum { INDENT = 17 };
    (void)fprintf(out, "  %-*s", INDENT - 2, name);
    wrapped_print(out, INDENT, output_columns(out), fact);
}

static const char *list_properties(const struct query_plan *plan, struct pool *pool) {
    const char *list = "";
    for (size_t i = 0; i < plan->property_count; i++)
        list = pool_format(pool, "%s%s%s = '%s'", list, i > 0 ? ", " : "", plan->properties[i].key,
                           plan->properties[i].value);
    return list;
}

static const char *list_partition_columns(const struct query_plan *plan, struct pool *pool) {
    const char *list = "";
    for (size_t i = 0; i < plan->partition_column_count; i++)
        list = pool_format(pool, "%s%s%s", list, i > 0 ? ", " : "",
                           plan->columns[plan->partition_columns[i]].name);
    return list;
}

/* The fields of from_json's schema; NULL: the value is not parsed. */
static const char *list_fields(const struct query_plan *plan, bool quoted, struct pool *pool) {
    const char *list = NULL;
    for (size_t i = 0; i < plan->cut.field_count; i++) {
        const struct data_field *field = &plan->cut.fields[i];
        bool quote = quoted || !name_is_plain(field->name);
        list = pool_format(pool, "%s%s%s %s", text_or_none(list), i > 0 ? ", " : "",
                           quote ? name_quoted(field->name, pool) : field->name,
                           quoted ? data_type_ddl(&field->type, pool)
                                  : data_type_text(&field->type, pool));
    }
    return list;
}

/* As the file has it. */
static const char *view_text(const struct query_plan *plan, const struct plan_view *view,
                             struct pool *pool) {
    const char *value = text_or_none(view->value);
    return pool_format(pool, "%s%s(%s) %s AS %s%s%s%s%s", view->is_outer ? "OUTER " : "",
                       view->position != NULL ? "posexplode" : "explode",
                       expr_text(plan, view->argument, pool), view->name,
                       text_or_none(view->position), view->position != NULL ? ", " : "",
                       view->element, *value != '\0' ? ", " : "", value);
}

static void print_facts(FILE *out, const struct query_plan *plan, struct pool *pool) {
    const char *fields = list_fields(plan, false, pool);
    print_fact(out, "declared in", pool_format(pool, "%s:%d", plan->path, (int)plan->place.line));
    print_fact(out, "topic", shown(plan->topic, pool));
    print_fact(out, "decoded",
               fields != NULL ? shown(fields, pool) : "nothing: the value is not parsed");
    for (size_t i = 0; i < plan->view_count; i++)
        print_fact(out, "lateral view", shown(view_text(plan, &plan->views[i], pool), pool));
    if (plan->where != NULL)
        print_fact(out, "where", shown(expr_text(plan, plan->where, pool), pool));
    print_fact(out, "partitioned by",
               plan->partition_column_count > 0 ? list_partition_columns(plan, pool) : "nothing");
    if (plan->property_count > 0)
        print_fact(out, "properties", shown(list_properties(plan, pool), pool));
}

static void print_columns(FILE *out, const struct query_plan *plan, struct pool *pool) {
    static const char *const headings[] = {"=column", "=type", "=null", "expression", "comment"};
    struct text_table table;
    text_table_init(&table, headings, sizeof headings / sizeof headings[0]);
    table.may_hide = true;
    for (size_t i = 0; i < plan->column_count; i++) {
        const struct plan_column *column = &plan->columns[i];
        const char *const cells[] = {shown(column->name, pool), data_type_text(&column->type, pool),
                                     column->required            ? "NOT NULL"
                                     : column->expr->can_be_null ? ""
                                                                 : "never",
                                     shown(expr_text(plan, column->expr, pool), pool),
                                     shown(text_or_none(column->comment), pool)};
        text_table_add(&table, cells);
    }
    text_table_print(&table, 2, out);
    text_table_deinit(&table);
}

static void print_plan(FILE *out, const struct query_plan *plan) {
    struct pool pool;
    const char *warnings[WARNINGS_MAX];
    pool_init(&pool);
    (void)fprintf(out, "%s%s%s\n", plan->name, plan->comment != NULL ? ": " : "",
                  shown(text_or_none(plan->comment), &pool));
    print_facts(out, plan, &pool);
    (void)fputc('\n', out);
    print_columns(out, plan, &pool);
    (void)fputc('\n', out);
    size_t count = find_warnings(plan, &pool, warnings);
    for (size_t i = 0; i < count; i++)
        print_fact(out, "warning", warnings[i]);
    if (count > 0)
        (void)fputc('\n', out);
    pool_deinit(&pool);
}

/* ---- the same for programs ---- */

static void put_text(struct json *object, const char *name, const char *text) {
    if (text != NULL)
        json_put_shown(object, name, text);
    else
        json_put_null(object, name);
}

static struct json *columns_json(const struct query_plan *plan, struct pool *pool) {
    struct json *columns = json_new_array();
    for (size_t i = 0; i < plan->column_count; i++) {
        const struct plan_column *column = &plan->columns[i];
        struct json *object = json_new_object();
        json_put_shown(object, "name", column->name);
        json_put_shown(object, "type", data_type_text(&column->type, pool));
        json_put_bool(object, "nullable", column->expr->can_be_null);
        json_put_bool(object, "notNull", column->required);
        json_put_shown(object, "expression", expr_text(plan, column->expr, pool));
        put_text(object, "comment", column->comment);
        json_append(columns, object);
    }
    return columns;
}

static struct json *views_json(const struct query_plan *plan, struct pool *pool) {
    struct json *views = json_new_array();
    for (size_t i = 0; i < plan->view_count; i++) {
        const struct plan_view *view = &plan->views[i];
        struct json *object = json_new_object();
        json_put_shown(object, "name", view->name);
        json_put_shown(object, "argument", expr_text(plan, view->argument, pool));
        json_put_bool(object, "outer", view->is_outer);
        put_text(object, "position", view->position);
        json_put_shown(object, "element", view->element);
        put_text(object, "value", view->value);
        json_put_shown(object, "positionColumn", plan->columns[view->position_column].name);
        json_append(views, object);
    }
    return views;
}

static void print_plan_json(FILE *out, const struct query_plan *plan) {
    struct pool pool;
    pool_init(&pool);
    struct json *object = json_new_object(), *names = json_new_array(),
                *properties = json_new_object(), *warnings = json_new_array();
    json_put_shown(object, "file", plan->path);
    json_put_int(object, "line", plan->place.line);
    json_put_shown(object, "table", plan->name);
    put_text(object, "comment", plan->comment);
    json_put_shown(object, "topic", plan->topic);
    json_put(object, "columns", columns_json(plan, &pool));
    for (size_t i = 0; i < plan->partition_column_count; i++)
        json_append_text(names, plan->columns[plan->partition_columns[i]].name);
    json_put(object, "partitionColumns", names);
    json_put(object, "views", views_json(plan, &pool));
    put_text(object, "where", plan->where != NULL ? expr_text(plan, plan->where, &pool) : NULL);
    put_text(object, "schema", list_fields(plan, true, &pool));
    for (size_t i = 0; i < plan->property_count; i++)
        json_put_shown(properties, plan->properties[i].key, plan->properties[i].value);
    json_put(object, "properties", properties);
    const char *texts[WARNINGS_MAX];
    size_t count = find_warnings(plan, &pool, texts);
    for (size_t i = 0; i < count; i++)
        json_append_text(warnings, texts[i]);
    json_put(object, "warnings", warnings);
    output_print_json(out, object);
    pool_deinit(&pool);
}

/* ---- files ---- */

/* A table's name is the name of its job, so it is there once in all files. */
static bool note_table(struct check_run *run, const struct query_plan *plan, struct error *err) {
    for (size_t i = 0; i < run->table_count; i++)
        if (strcasecmp(run->tables[i].name, plan->name) == 0)
            return sql_error(err, plan->path, plan->place, "the table '%s' is also in %s",
                             plan->name, run->tables[i].path);
    run->tables = reallocarray(run->tables, run->table_count + 1, sizeof *run->tables);
    check(run->tables != NULL);
    run->tables[run->table_count++] =
        (struct checked_table){.name = text_copy(plan->name), .path = text_copy(plan->path)};
    return true;
}

static void check_table(struct check_run *run, const struct sql_file *file, size_t index) {
    struct query_plan plan = {0};
    struct error err = {0};
    const char *name = file->tables[index].name;
    if (!plan_make(file, index, &plan, &err) || !note_table(run, &plan, &err))
        report(run, file->path, name, &err);
    else if (run->call->config->arguments.json)
        print_plan_json(run->call->out, &plan);
    else
        print_plan(run->call->out, &plan);
    plan_deinit(&plan);
}

static void check_file(struct check_run *run, const char *path) {
    struct sql_file file = {0};
    struct error err = {0};
    if (!query_file_read(path, &file, &err)) {
        report(run, path, NULL, &err);
        return;
    }
    for (size_t i = 0; i < file.table_count; i++)
        check_table(run, &file, i);
    sql_file_deinit(&file);
}

static void check_path(struct check_run *run, const char *path) {
    struct query_files files = {0};
    struct error err = {0};
    if (!query_files_add(&files, path, &err))
        report(run, path, NULL, &err);
    for (size_t i = 0; i < files.count; i++)
        check_file(run, files.paths[i]);
    query_files_deinit(&files);
}

bool check_command(const struct command_call *call, struct error *err) {
    const struct command_arguments *arguments = &call->config->arguments;
    struct check_run run = {.call = call};
    bool ok = true;
    for (size_t i = 0; ok && i < arguments->operand_count; i++) {
        check_path(&run, arguments->operands[i]);
        ok = output_flush(call->out, err);
    }
    if (ok && !arguments->json && run.error_count == 0)
        (void)fprintf(call->out, "%s: no errors\n",
                      text_count((int64_t)run.table_count, "table").text);
    if (run.error_count > 0)
        *call->code = EXIT_CODE_USAGE;
    for (size_t i = 0; i < run.table_count; i++) {
        free(run.tables[i].name);
        free(run.tables[i].path);
    }
    free(run.tables);
    return ok;
}
