#include "surfaces/demo/sample_record.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- values that suit a type ---- */

/* The letters and digits of the last name in a path: nothing in it may mean something in a pattern.
 */
static void plain_name(char plain[static 33], const char *name) {
    const char *dot = strrchr(name, '.');
    size_t used = 0;
    for (const char *at = dot != NULL ? dot + 1 : name; *at != '\0' && used < 32; at++)
        if (isalnum((unsigned char)*at) || *at == '_')
            plain[used++] = *at;
    plain[used] = '\0';
    if (used == 0)
        memcpy(plain, "value", sizeof "value");
}

/* Milliseconds since 1970 are the usual BIGINT of such a name. */
static bool is_time_name(const char *name) {
    return strcasestr(name, "time") != NULL || strcasestr(name, "date") != NULL ||
           strcasestr(name, "start") != NULL || strcasestr(name, "_ms") != NULL;
}

static const char *decimal_pattern(const struct data_type *type) {
    int whole = type->precision - type->scale;
    return whole >= 2 ? "1..99" : whole == 1 ? "1..9" : "0";
}

static const char *pattern_of(const struct data_type *type, const char *name) {
    switch (type->kind) {
    case TYPE_BOOL:
        return "true|false";
    case TYPE_INT8:
    case TYPE_INT16:
    case TYPE_INT32:
        return "0..100";
    case TYPE_INT64:
        return is_time_name(name) ? "1717200000000..1722400000000" : "0..1000000";
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
        return "0.00..100.00";
    case TYPE_DECIMAL:
        return decimal_pattern(type);
    case TYPE_DATE:
        return "2024-06-{10..28}";
    case TYPE_TIMESTAMP:
        return "2024-06-01T00:00:00Z..2024-06-30T23:59:59Z";
    case TYPE_TIMESTAMP_NTZ:
        return "2024-06-{10..28}T12:{10..59}:00";
    case TYPE_BINARY: // Base64, as from_json reads it
        return "AAEC|/w==|c2FtcGxl";
    default:
        return NULL;
    }
}

void sample_pattern(char pattern[static SAMPLE_PATTERN_MAX], const char *name,
                    const struct data_type *type, bool is_identifier) {
    char plain[33];
    const char *fixed = pattern_of(type, name);
    plain_name(plain, name);
    if (fixed != NULL)
        (void)snprintf(pattern, SAMPLE_PATTERN_MAX, "%s", fixed);
    else
        (void)snprintf(pattern, SAMPLE_PATTERN_MAX, is_identifier ? "%s-{#}" : "%s-{1..9}", plain);
}

/* ---- the fields of a record ---- */

struct leaves {
    struct sample_record *record;
    const struct query_plan *plan;
    struct column *columns; // SCHEMA_COLUMNS_MAX
};

static const char *find_option(const struct query_plan *plan, const char *path) {
    for (size_t i = 0; i < plan->option_count; i++)
        if (strncmp(plan->options[i].key, "sample.", 7) == 0 &&
            strcasecmp(plan->options[i].key + 7, path) == 0)
            return plan->options[i].value;
    return NULL;
}

/* Whether a NOT NULL column of the table is the field. */
static bool is_required(const struct query_plan *plan, const char *path, struct pool *pool) {
    for (size_t i = 0; i < plan->column_count; i++) {
        const struct plan_column *column = &plan->columns[i];
        if (!column->required || column->expr->kind != EXPR_INPUT)
            continue;
        const struct plan_input *input = &plan->inputs[column->expr->index];
        const char *text = input->path_length > 0 ? input->path[0] : "";
        for (size_t k = 1; k < input->path_length; k++)
            text = pool_format(pool, "%s.%s", text, input->path[k]);
        if (input->kind == INPUT_RECORD && strcmp(text, path) == 0)
            return true;
    }
    return false;
}

static void add_leaf(struct leaves *leaves, const char *path, const struct data_type *type) {
    struct sample_record *record = leaves->record;
    struct pool *pool = &record->pool;
    if (record->schema.count == SCHEMA_COLUMNS_MAX)
        return;
    char pattern[SAMPLE_PATTERN_MAX];
    bool required = is_required(leaves->plan, path, pool);
    const char *option = find_option(leaves->plan, path);
    sample_pattern(pattern, path, type, required);
    if (required && !record->schema.has_identifier) {
        record->identifier = record->schema.count;
        record->schema.has_identifier = true;
    }
    leaves->columns[record->schema.count++] =
        (struct column){.name = path,
                        .type = type->kind,
                        .precision = type->precision,
                        .scale = type->scale,
                        .sample = option != NULL ? option : pool_copy(pool, text_borrow(pattern))};
}

/* Recursion is as deep as the type, which the parser bounds (DATA_TYPE_DEPTH_MAX). */
static void add_leaves(struct leaves *leaves, const char *before, const struct data_type *type) {
    for (size_t i = 0; i < type->field_count; i++) {
        const struct data_field *field = &type->fields[i];
        const char *path = pool_format(&leaves->record->pool, "%s%s%s", before,
                                       *before != '\0' ? "." : "", field->name);
        if (field->type.kind == TYPE_STRUCT)
            add_leaves(leaves, path, &field->type);
        else if (!type_is_list(field->type.kind))
            add_leaf(leaves, path, &field->type);
    }
}

void sample_record_init(struct sample_record *record, const struct stream *stream) {
    *record = (struct sample_record){.type = &stream->plan.record};
    pool_init(&record->pool);
    struct leaves leaves = {.record = record, .plan = &stream->plan};
    leaves.columns = pool_alloc(&record->pool, SCHEMA_COLUMNS_MAX, sizeof *leaves.columns);
    record->schema.name = stream->job;
    record->schema.columns = leaves.columns;
    add_leaves(&leaves, "", record->type);
}

void sample_record_deinit(struct sample_record *record) {
    pool_deinit(&record->pool);
    *record = (struct sample_record){0};
}
