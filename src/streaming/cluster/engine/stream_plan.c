#include "streaming/cluster/engine/stream_plan.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "pipeline/sink/sink_route.h"

/* Names of ours within the plan; no column of a table is called so. */
#define PARSED "_parsed"
#define HAS_VALUE "_has_value"

/* What a directory's name has as %XX (pipeline/sink/sink_route.c), as a literal of Spark's SQL. */
static const char escaped_characters[] =
    "'\\u0001\\u0002\\u0003\\u0004\\u0005\\u0006\\u0007\\u0008\\u0009\\u000A\\u000B\\u000C\\u000D"
    "\\u000E\\u000F\\u0010\\u0011\\u0012\\u0013\\u0014\\u0015\\u0016\\u0017\\u0018\\u0019\\u001A"
    "\\u001B\\u001C\\u001D\\u001E\\u001F\\u007F\\u0022\\u0023\\u0025\\u0027\\u002A\\u002F\\u003A"
    "\\u003D\\u003F\\u005B\\u005C\\u005D\\u005E\\u007B'";

static char *text_of(const char *format, ...) PRINTF_LIKE(1, 2);

static char *text_of(const char *format, ...) {
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int size = vasprintf(&text, format, args);
    va_end(args);
    check(size >= 0);
    return text;
}

/* `to` and `more` with the separator between them, or `more` alone; frees both. */
static char *joined(char *to, const char *separator, char *more) {
    if (to == NULL)
        return more;
    char *text = text_of("%s%s%s", to, separator, more);
    free(to);
    free(more);
    return text;
}

static struct connect_step *add_step(struct stream_plan *plan, enum connect_step_kind kind,
                                     const char *name) {
    check(plan->step_count < PLAN_STEPS_MAX);
    struct connect_step *step = &plan->steps[plan->step_count++];
    *step = (struct connect_step){.kind = kind, .name = name};
    step->expressions = must_alloc(SCHEMA_COLUMNS_MAX + 2, sizeof *step->expressions);
    return step;
}

/* Takes the text over. */
static void add(struct connect_step *step, const char *expression) {
    check(step->count < SCHEMA_COLUMNS_MAX + 2);
    ((const char **)step->expressions)[step->count++] = expression;
}

void stream_plan_deinit(struct stream_plan *plan) {
    for (size_t i = 0; i < plan->step_count; i++) {
        for (size_t j = 0; j < plan->steps[i].count; j++)
            free((void *)plan->steps[i].expressions[j]);
        free((void *)plan->steps[i].expressions);
    }
    *plan = (struct stream_plan){0};
}

/* `match_id` STRING, … */
static char *record_ddl(const struct schema *schema) {
    char *ddl = NULL;
    for (size_t i = 0; i < schema->record_count; i++)
        ddl = joined(
            ddl, ", ",
            text_of("`%s` %s", schema->columns[i].name, type_sql_name(schema->columns[i].type)));
    return ddl;
}

/* True exactly where partition_directory() finds a name: no NUL, and column=value has no more than
 * 255 bytes, of which an escaped character takes three. Null and empty are Hive's default. */
static char *fits_directory(const char *column) {
    int room = PARTITION_NAME_MAX - (int)strlen(column) - 1;
    return text_of("(`%s` IS NULL OR (instr(`%s`, char(0)) = 0 AND (octet_length(`%s`) <= %d OR "
                   "3 * octet_length(`%s`) - 2 * octet_length(translate(`%s`, %s, '')) <= %d)))",
                   column, column, column, room / 3, column, column, escaped_characters, room);
}

/* Whether a record becomes a row; never null. */
static char *is_row(const struct schema *schema, const size_t *partition_columns,
                    size_t partition_column_count, enum parse_mode mode) {
    char *text = mode == PARSE_PERMISSIVE ? text_of(HAS_VALUE)
                                          : text_of("`%s` IS NOT NULL", schema->columns[0].name);
    for (size_t i = 0; i < partition_column_count; i++)
        text = joined(text, " AND ", fits_directory(schema->columns[partition_columns[i]].name));
    return text;
}

static void add_parsing(struct stream_plan *plan, const struct schema *schema) {
    char *ddl = record_ddl(schema);
    struct connect_step *step = add_step(plan, CONNECT_SELECT, NULL);
    add(step, text_of("from_json(CAST(`value` AS STRING), '%s') AS `" PARSED "`", ddl));
    add(step, text_of("`timestamp` AS `%s`", schema->columns[schema->kafka_timestamp].name));
    add(step, text_of("`partition`"));
    add(step, text_of("`offset`"));
    free(ddl);

    step = add_step(plan, CONNECT_SELECT, NULL);
    add(step, text_of("`" PARSED "`.*"));
    add(step, text_of("`" PARSED "` IS NOT NULL AS `" HAS_VALUE "`"));
    add(step, text_of("`%s`", schema->columns[schema->kafka_timestamp].name));
    add(step, text_of("`partition`"));
    add(step, text_of("`offset`"));
    add(step,
        text_of("current_timestamp() AS `%s`", schema->columns[schema->processing_timestamp].name));
}

static void add_derived(struct stream_plan *plan, const struct schema *schema) {
    struct connect_step *step = add_step(plan, CONNECT_SELECT, NULL);
    add(step, text_of("*"));
    for (size_t i = schema->derived_first; i < schema->count; i++)
        add(step, text_of("%s AS `%s`", schema->columns[i].sql, schema->columns[i].name));
}

static void add_counts(struct stream_plan *plan, const char *row) {
    struct connect_step *step = add_step(plan, CONNECT_OBSERVE, PLAN_OBSERVED);
    add(step, text_of("count(1) AS `records`"));
    add(step, text_of("count_if(NOT (%s)) AS `rejects`", row));
    add(step, text_of("collect_set(CASE WHEN NOT (%s) THEN CAST(`partition` AS BIGINT) * %" PRId64
                      " + `offset` DIV %d END) AS `windows`",
                      row, PLAN_WINDOW_PARTITION, PLAN_WINDOW));
    check(step->count == PLAN_COUNTS);
}

void stream_plan_make(const struct schema *schema, const size_t *partition_columns,
                      size_t partition_column_count, enum parse_mode mode,
                      struct stream_plan *plan) {
    check(mode != PARSE_FAILFAST);
    *plan = (struct stream_plan){0};
    char *row = is_row(schema, partition_columns, partition_column_count, mode);
    add_parsing(plan, schema);
    add_derived(plan, schema);
    add_counts(plan, row);
    add(add_step(plan, CONNECT_WHERE, NULL), row);
    struct connect_step *step = add_step(plan, CONNECT_SELECT, NULL);
    for (size_t i = 0; i < schema->count; i++)
        add(step, text_of("`%s`", schema->columns[i].name));
}
