/* stream_plan.c: the steps follow the life of a record (docs/internals/queries.md): reject rules
 * see the record alone, views multiply it, WHERE sees rows.
 *
 * What must stay true: a record is accepted here exactly if the native engine makes no reject of
 * it. from_json returns a row of nulls for a value that is not an object, and for broken syntax. If
 * no field of the record is NOT NULL, such a row looks like that of {}: then a member of ours is
 * put in front of the object's own, and the record is an object if it comes back. An array or map
 * that is exploded is null, too, if it cannot be read; then the record is parsed once more, only
 * for this path and for whether Spark finds fault with it.
 *
 * An observation is a barrier for Spark's optimizer: conditions behind it do not move to where
 * from_json would be computed once more. */
#include "streaming/cluster/engine/stream_plan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "core/calendar.h"
#include "pipeline/sink/sink_route.h"
#include "streaming/cluster/engine/record_rows.h"

struct maker {
    const struct query_plan *query;
    const size_t *partition_columns;
    size_t partition_column_count;
    enum parse_mode mode;
    struct stream_names names;
    struct stream_plan *plan;
    struct pool *pool;
    const char **expressions; // of the newest step
    size_t expressions_max;
    bool *needed;             // by column: the reject rules need it
    const char **unreadables; // conditions: an array or map that is exploded could not be read
    size_t unreadable_count;
    bool is_parsed;  // the record's value
    bool has_marker; // a member of ours in each object
};

enum { FIXED_STEPS = 12, KAFKA_COLUMNS = INPUT_PROCESSING_TIMESTAMP + 1, OUR_COLUMNS = 4 };

/* ---- steps ---- */

/* Begins the next step, of at most `max` expressions. */
static void add_step(struct maker *maker, enum connect_step_kind kind, const char *name,
                     size_t max) {
    struct stream_plan *plan = maker->plan;
    check(plan->step_count < FIXED_STEPS + maker->query->view_count);
    maker->expressions = pool_alloc(maker->pool, max, sizeof *maker->expressions);
    maker->expressions_max = max;
    plan->steps[plan->step_count++] =
        (struct connect_step){.kind = kind, .name = name, .expressions = maker->expressions};
}

static void add(struct maker *maker, const char *expression) {
    struct connect_step *step = &maker->plan->steps[maker->plan->step_count - 1];
    check(step->count < maker->expressions_max);
    maker->expressions[step->count++] = expression;
}

#define ADD(maker, ...) add(maker, pool_format((maker)->pool, __VA_ARGS__))

static const char *name_of(const struct maker *maker, const char *what) {
    return stream_name(&maker->names, what, maker->pool);
}

static const char *column_name(const struct maker *maker, size_t column) {
    return name_quoted(maker->query->columns[column].name, maker->pool);
}

static const char *sql_of(const struct maker *maker, const struct expr *expr) {
    return expr_sql(maker->query, expr, maker->names.used, maker->pool);
}

static const char *literal_of(const struct maker *maker, const char *text) {
    const struct expr literal = {
        .kind = EXPR_LITERAL,
        .type = {.kind = TYPE_STRING},
        .constant = {.present = true, .text = {text, (uint32_t)strlen(text)}}};
    return sql_of(maker, &literal);
}

/* ---- what the record holds ---- */

/* It is in the record, where a producer could have a member of the same name. */
static const char marker[] = "object_for_esports_stream";

/* The type with the marker in front. */
static struct data_type with_field(const struct maker *maker, const struct data_type *type) {
    struct data_field *fields = pool_alloc(maker->pool, type->field_count + 1, sizeof *fields);
    fields[0] =
        (struct data_field){.name = pool_format(maker->pool, "%s%s", maker->names.prefix, marker),
                            .type.kind = TYPE_BOOL};
    if (type->field_count > 0)
        memcpy(fields + 1, type->fields, type->field_count * sizeof *fields);
    return (struct data_type){
        .kind = TYPE_STRUCT, .fields = fields, .field_count = type->field_count + 1};
}

/* The text, an object of which has the marker as its first member. Bytes are cut off, and not
 * characters, because a text need not be UTF-8. */
static const char *with_marker(const struct maker *maker) {
    const char *text = name_of(maker, "text");
    const char *rest =
        pool_format(maker->pool, "CAST(substring(CAST(%s AS BINARY), 2) AS STRING)", text);
    const char *first = pool_format(maker->pool, "{\"%s%s\":true", maker->names.prefix, marker);
    return pool_format(maker->pool,
                       "CASE WHEN NOT startswith(%s, '{') THEN %s "
                       "WHEN startswith(trim(LEADING ' \\t\\r\\n' FROM %s), '}') THEN '%s}' "
                       "ELSE concat('%s,', %s) END",
                       text, text, rest, first, first, rest);
}

static void add_parsing(struct maker *maker) {
    const struct data_type *type = &maker->query->cut;
    struct data_type marked;
    if (maker->has_marker) {
        marked = with_field(maker, type);
        type = &marked;
    }
    add_step(maker, CONNECT_SELECT, NULL, 2);
    add(maker, "*");
    ADD(maker, "from_json(%s, %s) AS %s",
        maker->has_marker ? with_marker(maker) : name_of(maker, "text"),
        literal_of(maker, data_type_ddl(type, maker->pool)), maker->names.parsed);
}

static bool is_read(const struct query_plan *query, enum plan_input_kind kind) {
    for (size_t i = 0; i < query->input_count; i++)
        if (query->inputs[i].kind == kind)
            return true;
    return false;
}

/* Kafka's columns that are used, and partition and offset, which windows are made of. */
static void add_source(struct maker *maker) {
    add_step(maker, CONNECT_SELECT, NULL, KAFKA_COLUMNS + 1);
    if (maker->has_marker || maker->unreadable_count > 0)
        ADD(maker, "trim(LEADING ' \\t\\r\\n' FROM CAST(`value` AS STRING)) AS %s",
            name_of(maker, "text"));
    else if (maker->is_parsed)
        ADD(maker, "CAST(`value` AS STRING) AS %s", name_of(maker, "text"));
    for (enum plan_input_kind kind = INPUT_KEY; kind < INPUT_PROCESSING_TIMESTAMP; kind++)
        if (kind == INPUT_PARTITION || kind == INPUT_OFFSET || is_read(maker->query, kind))
            ADD(maker, "`%s` AS %s", plan_kafka_name(kind), name_of(maker, plan_kafka_name(kind)));
    ADD(maker, "current_timestamp() AS %s", name_of(maker, "planned"));
}

/* ---- what is exploded ---- */

/* The type in which the first `depth` keys of the path lead to another field. */
static struct data_type with_other(const struct maker *maker, const struct data_type *type,
                                   const char *const *path, size_t depth,
                                   const struct data_field *other) {
    struct data_field *fields = pool_alloc(maker->pool, type->field_count, sizeof *fields);
    for (size_t i = 0; i < type->field_count; i++) {
        fields[i] = type->fields[i];
        if (strcmp(fields[i].name, path[0]) != 0)
            continue;
        if (depth == 1)
            fields[i] = *other;
        else
            fields[i].type = with_other(maker, &type->fields[i].type, path + 1, depth - 1, other);
    }
    return (struct data_type){
        .kind = TYPE_STRUCT, .fields = fields, .field_count = type->field_count};
}

static const char *path_of(const struct maker *maker, const struct plan_input *input,
                           size_t depth) {
    const char *path = "";
    for (size_t i = 0; i < depth; i++)
        path = pool_format(maker->pool, "%s.%s", path, name_quoted(input->path[i], maker->pool));
    return path;
}

/* Whether a value that is not null is at the first `depth` keys of the path: a STRING takes it. */
static const char *is_there(const struct maker *maker, const struct plan_input *input,
                            size_t depth) {
    const struct data_field text = {.name = input->path[depth - 1], .type.kind = TYPE_STRING};
    struct data_type type = with_other(maker, &maker->query->cut, input->path, depth, &text);
    return pool_format(maker->pool, "from_json(%s, %s)%s IS NOT NULL", name_of(maker, "text"),
                       literal_of(maker, data_type_ddl(&type, maker->pool)),
                       path_of(maker, input, depth));
}

/* Whether the value there has broken syntax. An object catches an error in a field that it reads,
 * but not in one that it skips. So it is lost if the field is not declared. */
static const char *is_broken(const struct maker *maker, const struct plan_input *input,
                             size_t depth) {
    const struct data_field hidden = {
        .name = pool_format(maker->pool, "%shidden_for_esports_stream", maker->names.prefix),
        .type.kind = TYPE_BOOL};
    struct data_type type = with_other(maker, &maker->query->cut, input->path, depth, &hidden);
    if (depth == 1) {
        struct data_type marked = with_field(maker, &type);
        return pool_format(maker->pool, "from_json(%s, %s).%s IS NULL", with_marker(maker),
                           literal_of(maker, data_type_ddl(&marked, maker->pool)),
                           name_of(maker, marker));
    }
    const char *around = path_of(maker, input, depth - 1);
    return pool_format(maker->pool, "(%s%s IS NOT NULL AND from_json(%s, %s)%s IS NULL)",
                       maker->names.parsed, around, name_of(maker, "text"),
                       literal_of(maker, data_type_ddl(&type, maker->pool)), around);
}

static const char *is_lost(const struct maker *maker, const struct plan_input *input,
                           size_t depth) {
    return pool_format(maker->pool, "(%s%s IS NULL AND (%s OR %s))", maker->names.parsed,
                       path_of(maker, input, depth), is_there(maker, input, depth),
                       is_broken(maker, input, depth));
}

static const char *unreadable(const struct maker *maker, size_t index) {
    const struct plan_input *input = &maker->query->inputs[index];
    const char *lost = is_lost(maker, input, 1);
    for (size_t depth = 2; depth <= input->path_length; depth++)
        lost = pool_format(maker->pool, "%s OR %s", lost, is_lost(maker, input, depth));
    return pool_format(maker->pool, "(%s IS NULL AND (%s))", maker->names.used[index], lost);
}

static void find_unreadables(struct maker *maker) {
    const struct query_plan *query = maker->query;
    maker->unreadables = pool_alloc(maker->pool, query->input_count, sizeof *maker->unreadables);
    for (size_t i = 0; maker->mode != PARSE_PERMISSIVE && i < query->input_count; i++)
        if (plan_explodes(query, i))
            maker->unreadables[maker->unreadable_count++] = unreadable(maker, i);
}

/* ---- reject rules ---- */

/* What a directory's name has as %XX (pipeline/sink/sink_route.c), as a literal of Spark's SQL. */
static const char escaped_characters[] =
    "'\\u0001\\u0002\\u0003\\u0004\\u0005\\u0006\\u0007\\u0008\\u0009\\u000A\\u000B\\u000C\\u000D"
    "\\u000E\\u000F\\u0010\\u0011\\u0012\\u0013\\u0014\\u0015\\u0016\\u0017\\u0018\\u0019\\u001A"
    "\\u001B\\u001C\\u001D\\u001E\\u001F\\u007F\\u0022\\u0023\\u0025\\u0027\\u002A\\u002F\\u003A"
    "\\u003D\\u003F\\u005B\\u005C\\u005D\\u005E\\u007B'";

/* True exactly where partition_directory() finds a name: no NUL, and column=value has no more than
 * 255 bytes, of which an escaped character takes three. Null and empty are Hive's default. */
static const char *fits_directory(const struct maker *maker, size_t column) {
    int room = PARTITION_NAME_MAX - (int)strlen(maker->query->columns[column].name) - 1;
    const char *name = column_name(maker, column);
    return pool_format(maker->pool,
                       "(%s IS NULL OR (instr(%s, char(0)) = 0 AND (octet_length(%s) <= %d OR "
                       "3 * octet_length(%s) - 2 * octet_length(translate(%s, %s, '')) <= %d)))",
                       name, name, name, room / 3, name, name, escaped_characters, room);
}

/* date_directory_fits() of Kafka's timestamp. */
static const char *fits_date(const struct maker *maker) {
    size_t input = 0;
    while (maker->query->inputs[input].kind != INPUT_TIMESTAMP)
        input++;
    return pool_format(maker->pool, "unix_micros(%s) BETWEEN %" PRId64 " AND %" PRId64,
                       maker->names.used[input], DATE_DIRECTORY_MIN_US, DATE_DIRECTORY_END_US - 1);
}

/* Whether a null in the column makes the record a reject. */
static bool is_checked(const struct maker *maker, size_t column) {
    const struct plan_column *of = &maker->query->columns[column];
    return maker->mode != PARSE_PERMISSIVE && of->required && of->expr->can_be_null;
}

/* A column that is null in every record that is not an object. */
static bool is_identifier(const struct maker *maker, size_t column) {
    const struct expr *expr = maker->query->columns[column].expr;
    return is_checked(maker, column) && expr->kind == EXPR_INPUT &&
           maker->query->inputs[expr->index].kind == INPUT_RECORD;
}

static bool has_identifier(const struct maker *maker) {
    for (size_t i = 0; i < maker->query->column_count; i++)
        if (is_identifier(maker, i))
            return true;
    return false;
}

/* The columns that this one is computed from. */
static void need_arguments(const struct maker *maker, const struct expr *expr) {
    if (expr->kind == EXPR_COLUMN)
        maker->needed[expr->index] = true;
    for (size_t i = 0; i < expr->argument_count; i++)
        need_arguments(maker, expr->arguments[i]);
}

static void find_needed(struct maker *maker) {
    const struct query_plan *query = maker->query;
    maker->needed = pool_alloc(maker->pool, query->column_count, sizeof *maker->needed);
    for (size_t i = 0; i < query->column_count; i++)
        maker->needed[i] = is_checked(maker, i);
    for (size_t i = 0; i < maker->partition_column_count; i++) {
        size_t column = maker->partition_columns[i];
        if (query->columns[column].type.kind == TYPE_STRING) // others always fit
            maker->needed[column] = true;
    }
    for (size_t i = query->column_count; i-- > 0;) // a column uses only those before it
        if (maker->needed[query->order[i]])
            need_arguments(maker, query->columns[query->order[i]].expr);
}

static const char *both(const struct maker *maker, const char *left, const char *right) {
    return left == NULL ? right : pool_format(maker->pool, "%s AND %s", left, right);
}

/* Whether the record becomes no reject; never null. */
static const char *is_accepted(const struct maker *maker) {
    const char *text = NULL;
    if (maker->is_parsed && maker->mode == PARSE_PERMISSIVE)
        text = pool_format(maker->pool, "%s IS NOT NULL", maker->names.parsed);
    if (maker->has_marker)
        text = pool_format(maker->pool, "%s.%s IS NOT NULL", maker->names.parsed,
                           name_of(maker, marker));
    for (size_t i = 0; i < maker->query->column_count; i++)
        if (is_checked(maker, i))
            text = both(maker, text,
                        pool_format(maker->pool, "%s IS NOT NULL", column_name(maker, i)));
    for (size_t i = 0; i < maker->unreadable_count; i++)
        text = both(maker, text, pool_format(maker->pool, "NOT %s", maker->unreadables[i]));
    for (size_t i = 0; i < maker->partition_column_count; i++)
        if (maker->query->columns[maker->partition_columns[i]].type.kind == TYPE_STRING)
            text = both(maker, text, fits_directory(maker, maker->partition_columns[i]));
        else if (maker->partition_columns[i] == maker->query->date)
            text = both(maker, text, fits_date(maker));
    return text != NULL ? text : "TRUE";
}

/* ---- counts ---- */

static void add_record_counts(struct maker *maker) {
    const char *accepted = name_of(maker, "accepted"), *exploded = name_of(maker, "exploded"),
               *kept = name_of(maker, "kept");
    add_step(maker, CONNECT_SELECT, NULL, OUR_COLUMNS);
    add(maker, "*");
    ADD(maker, "%s AS %s", is_accepted(maker), accepted);
    ADD(maker, "%s AS %s", record_rows_any(maker->query, &maker->names, false, maker->pool),
        exploded);
    ADD(maker, "%s AS %s", record_rows_any(maker->query, &maker->names, true, maker->pool), kept);

    add_step(maker, CONNECT_OBSERVE, PLAN_OBSERVED_RECORDS, PLAN_RECORD_COUNTS);
    add(maker, "count(1) AS `records`");
    ADD(maker, "count_if(NOT %s) AS `rejects`", accepted);
    ADD(maker, "count_if(%s AND NOT %s) AS `empty`", accepted, exploded);
    ADD(maker, "count_if(%s AND %s AND NOT %s) AS `filtered`", accepted, exploded, kept);
    ADD(maker,
        "collect_set(CASE WHEN NOT %s THEN CAST(%s AS BIGINT) * %" PRId64
        " + %s DIV %d END) AS `windows`",
        accepted, name_of(maker, "partition"), PLAN_WINDOW_PARTITION, name_of(maker, "offset"),
        PLAN_WINDOW);

    add_step(maker, CONNECT_WHERE, NULL, 1);
    add(maker, accepted);
}

static void add_views(struct maker *maker) {
    for (size_t i = 0; i < maker->query->view_count; i++) {
        const struct plan_view *view = &maker->query->views[i];
        const char *const *parts = maker->names.used + stream_names_of_view(maker->query, i);
        bool is_map = view->argument->type.kind == TYPE_MAP;
        add_step(maker, CONNECT_SELECT, NULL, 2);
        add(maker, "*");
        ADD(maker, "posexplode%s(%s) AS (%s, %s%s%s)", view->is_outer ? "_outer" : "",
            sql_of(maker, view->argument), parts[VIEW_POSITION], parts[VIEW_ELEMENT],
            is_map ? ", " : "", is_map ? parts[VIEW_VALUE] : "");
    }
}

static void add_row_counts(struct maker *maker) {
    const struct expr *where = maker->query->where;
    const char *passed = name_of(maker, "passed");
    if (where != NULL) {
        add_step(maker, CONNECT_SELECT, NULL, 2);
        add(maker, "*");
        ADD(maker, "coalesce(%s, FALSE) AS %s", sql_of(maker, where), passed);
    }
    add_step(maker, CONNECT_OBSERVE, PLAN_OBSERVED_ROWS, PLAN_ROW_COUNTS);
    add(maker, "count(1) AS `exploded`");
    ADD(maker, "count_if(%s) AS `rows`", where != NULL ? passed : "TRUE");
    if (where != NULL) {
        add_step(maker, CONNECT_WHERE, NULL, 1);
        add(maker, passed);
    }
}

/* ---- columns ---- */

/* The columns that the reject rules need, or the others; no step if there are none. */
static void add_columns(struct maker *maker, bool needed) {
    const struct query_plan *query = maker->query;
    bool begun = false;
    for (size_t i = 0; i < query->column_count; i++) {
        size_t column = query->order[i];
        if (maker->needed[column] != needed)
            continue;
        if (!begun) {
            add_step(maker, CONNECT_SELECT, NULL, query->column_count + 1);
            add(maker, "*");
            begun = true;
        }
        ADD(maker, "%s AS %s", sql_of(maker, query->columns[column].expr),
            column_name(maker, column));
    }
}

static void add_table(struct maker *maker) {
    add_step(maker, CONNECT_SELECT, NULL, maker->query->column_count);
    for (size_t i = 0; i < maker->query->column_count; i++)
        add(maker, column_name(maker, i));
}

/* ---- all of it ---- */

void stream_plan_make(const struct query_plan *query, const size_t *partition_columns,
                      size_t partition_column_count, enum parse_mode mode,
                      struct stream_plan *plan) {
    check(mode != PARSE_FAILFAST);
    *plan = (struct stream_plan){0};
    pool_init(&plan->pool);
    plan->steps = pool_alloc(&plan->pool, FIXED_STEPS + query->view_count, sizeof *plan->steps);
    struct maker maker = {.query = query,
                          .partition_columns = partition_columns,
                          .partition_column_count = partition_column_count,
                          .mode = mode,
                          .plan = plan,
                          .pool = &plan->pool,
                          .is_parsed = is_read(query, INPUT_RECORD)};
    stream_names_make(query, &maker.names, maker.pool);
    maker.has_marker = maker.is_parsed && mode != PARSE_PERMISSIVE && !has_identifier(&maker);
    find_needed(&maker);
    find_unreadables(&maker);
    add_source(&maker);
    if (maker.is_parsed)
        add_parsing(&maker);
    add_columns(&maker, true);
    add_record_counts(&maker);
    add_views(&maker);
    add_row_counts(&maker);
    add_columns(&maker, false);
    add_table(&maker);
}

void stream_plan_deinit(struct stream_plan *plan) {
    pool_deinit(&plan->pool);
    *plan = (struct stream_plan){0};
}

bool stream_plan_reads_headers(const struct query_plan *query) {
    return is_read(query, INPUT_HEADERS);
}
