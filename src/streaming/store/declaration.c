/* Columns are compared by place: a column that is not where it was is said to be dropped, moved or
 * renamed by whether its name is still there, and whether the name in its place is a new one. */
#include "streaming/store/declaration.h"

#include <stdio.h>
#include <string.h>

#include "base/disk/file.h"
#include "base/json.h"
#include "base/scope.h"
#include "streaming/store/checkpoint.h"
#include "streaming/store/disk_versions.h"

enum { DECLARATION_SIZE_MAX = 4 << 20 };

/* ---- made of a query ---- */

static bool is_position(const struct query_plan *plan, size_t column) {
    for (size_t i = 0; i < plan->view_count; i++)
        if (plan->views[i].position_column == column)
            return true;
    return false;
}

static bool is_kafkas(const struct query_plan *plan, size_t column) {
    return column == plan->kafka_timestamp || column == plan->partition || column == plan->offset ||
           column == plan->processing_timestamp;
}

static void add_name(struct name_array *array, const char *name, struct pool *pool) {
    array->names[array->count++] = pool_copy(pool, text_borrow(name));
}

static struct name_array names_for(size_t most, struct pool *pool) {
    return (struct name_array){.names = pool_alloc(pool, most, sizeof(char *))};
}

void declaration_of(const struct store_options *options, struct declaration *declaration) {
    const struct query_plan *plan = &options->stream->plan;
    *declaration = (struct declaration){0};
    struct pool *pool = &declaration->pool;
    pool_init(pool);
    declaration->topic = pool_copy(pool, text_borrow(options->topic));
    declaration->columns = pool_alloc(pool, plan->column_count, sizeof *declaration->columns);
    declaration->positions = names_for(plan->view_count, pool);
    declaration->partition_by = names_for(options->partition_by_count, pool);
    for (size_t i = 0; i < plan->column_count; i++) {
        const struct plan_column *column = &plan->columns[i];
        if (is_position(plan, i))
            add_name(&declaration->positions, column->name, pool);
        else if (!is_kafkas(plan, i))
            declaration->columns[declaration->count++] =
                (struct declared_column){pool_copy(pool, text_borrow(column->name)),
                                         data_type_text(&column->type, pool), column->required};
    }
    for (size_t i = 0; i < options->partition_by_count; i++)
        add_name(&declaration->partition_by, options->partition_by[i], pool);
}

void declaration_deinit(struct declaration *declaration) {
    pool_deinit(&declaration->pool);
    *declaration = (struct declaration){0};
}

/* ---- on disk ---- */

static struct json *names_json(const struct name_array *names) {
    struct json *array = json_new_array();
    for (size_t i = 0; i < names->count; i++)
        json_append_text(array, names->names[i]);
    return array;
}

static char *print(const struct declaration *declaration, size_t *size) {
    struct json *object = json_new_object(), *columns = json_new_array();
    for (size_t i = 0; i < declaration->count; i++) {
        const struct declared_column *from = &declaration->columns[i];
        struct json *column = json_new_object();
        json_put_text(column, "name", from->name);
        json_put_text(column, "type", from->type);
        json_put_bool(column, "notNull", from->required);
        json_append(columns, column);
    }
    json_put_text(object, "topic", declaration->topic);
    json_put(object, "columns", columns);
    json_put(object, "positions", names_json(&declaration->positions));
    json_put(object, "partitionBy", names_json(&declaration->partition_by));
    char *text = json_print_versioned(object, NOTE_VERSION, size);
    json_free(object);
    return text;
}

static bool parse_names(const struct json *array, struct name_array *names, struct pool *pool) {
    size_t count = array != NULL ? json_count(array) : 0;
    *names = names_for(count, pool);
    for (size_t i = 0; i < count; i++) {
        const char *name = json_text(json_at(array, i));
        if (name == NULL)
            return false;
        add_name(names, name, pool);
    }
    return array != NULL;
}

static bool parse_column(const struct json *object, struct declared_column *column,
                         struct pool *pool) {
    const char *name = json_member_text(object, "name"), *type = json_member_text(object, "type");
    if (name == NULL || type == NULL || !json_member_bool(object, "notNull", &column->required))
        return false;
    column->name = pool_copy(pool, text_borrow(name));
    column->type = pool_copy(pool, text_borrow(type));
    return true;
}

static const struct declared_column *find(const struct declaration *declaration, const char *name) {
    for (size_t i = 0; i < declaration->count; i++)
        if (strcmp(declaration->columns[i].name, name) == 0)
            return &declaration->columns[i];
    return NULL;
}

static bool parse(const struct json *object, struct declaration *declaration) {
    struct pool *pool = &declaration->pool;
    const char *topic = json_member_text(object, "topic");
    const struct json *columns = json_member(object, "columns");
    if (topic == NULL || columns == NULL)
        return false;
    size_t count = json_count(columns);
    if (count > SCHEMA_COLUMNS_MAX)
        return false;
    declaration->topic = pool_copy(pool, text_borrow(topic));
    declaration->columns = pool_alloc(pool, count, sizeof *declaration->columns);
    for (; declaration->count < count; declaration->count++) {
        struct declared_column column;
        if (!parse_column(json_at(columns, declaration->count), &column, pool) ||
            find(declaration, column.name) != NULL) // what is compared has each name once
            return false;
        declaration->columns[declaration->count] = column;
    }
    return parse_names(json_member(object, "positions"), &declaration->positions, pool) &&
           parse_names(json_member(object, "partitionBy"), &declaration->partition_by, pool);
}

static bool parse_text(const char *text, size_t size, struct declaration *declaration,
                       struct error *err) {
    int version;
    struct json *object = json_parse_versioned(text, size, NOTE_VERSION, &version, err);
    bool ok = object != NULL && (parse(object, declaration) ||
                                 error_set(err, ERROR_STATE, "it is incomplete or damaged"));
    json_free(object);
    return ok;
}

bool declaration_read(const char *checkpoint, struct declaration *declaration, bool *found,
                      struct error *err) {
    struct file_path path = file_join(checkpoint, CHECKPOINT_DECLARATION);
    scoped(scope_free) char *text = NULL;
    size_t size;
    *declaration = (struct declaration){0};
    *found = false;
    if (!file_read(path.text, DECLARATION_SIZE_MAX, &text, &size, err))
        return false;
    if (text == NULL)
        return true;
    pool_init(&declaration->pool);
    *found = parse_text(text, size, declaration, err);
    if (*found)
        return true;
    declaration_deinit(declaration);
    return error_wrap(err,
                      "'%s' cannot be used: restore it from a backup; or, if the table is still "
                      "declared as it was, remove it",
                      path.text);
}

bool declaration_write(const char *checkpoint, const struct declaration *declaration,
                       struct error *err) {
    size_t size;
    scoped(scope_free) char *text = print(declaration, &size);
    return file_replace(checkpoint, CHECKPOINT_DECLARATION, text, size, err);
}

/* ---- judged ---- */

static bool names_equal(const struct name_array *a, const struct name_array *b) {
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = strcmp(a->names[i], b->names[i]) == 0;
    return same;
}

static const char *names_text(const struct name_array *names, struct pool *pool) {
    const char *text = names->count == 0 ? "none" : "";
    for (size_t i = 0; i < names->count; i++)
        text = pool_format(pool, "%s%s%s", text, i > 0 ? ", " : "", names->names[i]);
    return text;
}

static bool judge_names(const char *what, const struct name_array *before,
                        const struct name_array *now, struct error *err) {
    struct pool pool;
    if (names_equal(before, now))
        return true;
    pool_init(&pool);
    error_set(err, ERROR_STATE, "%s: %s before, %s now", what, names_text(before, &pool),
              names_text(now, &pool));
    pool_deinit(&pool);
    return false;
}

/* Column number `index` of the table as it was. */
static bool judge_column(const struct declaration *before, const struct declaration *now,
                         size_t index, struct error *err) {
    const struct declared_column *was = &before->columns[index];
    const struct declared_column *is = index < now->count ? &now->columns[index] : NULL;
    const struct declared_column *moved = find(now, was->name);
    if (moved == NULL && is != NULL && find(before, is->name) == NULL)
        return error_set(err, ERROR_STATE, "column '%s' is now called '%s'", was->name, is->name);
    if (moved == NULL || is == NULL)
        return error_set(err, ERROR_STATE, "column '%s' was dropped", was->name);
    if (strcmp(moved->type, was->type) != 0)
        return error_set(err, ERROR_STATE, "column '%s' was %s and is %s now", was->name, was->type,
                         moved->type);
    if (moved != is && find(before, is->name) == NULL)
        return error_set(err, ERROR_STATE,
                         "column '%s' is new and not at the end: write it after the others",
                         is->name);
    if (moved != is)
        return error_set(err, ERROR_STATE, "column '%s' has another place now", was->name);
    return true;
}

bool declaration_judge(const struct declaration *before, const struct declaration *now,
                       struct error *err) {
    if (strcmp(before->topic, now->topic) != 0)
        return error_set(err, ERROR_STATE, "the topic was '%s' and is '%s' now", before->topic,
                         now->topic);
    if (!judge_names("the partition columns are others", &before->partition_by, &now->partition_by,
                     err) ||
        !judge_names("the positions of LATERAL VIEW are others", &before->positions,
                     &now->positions, err))
        return false;
    for (size_t i = 0; i < before->count; i++)
        if (!judge_column(before, now, i, err))
            return false;
    for (size_t i = before->count; i < now->count; i++)
        if (now->columns[i].required)
            return error_set(
                err, ERROR_STATE,
                "column '%s' is new and NOT NULL, but the table's rows do not have it: "
                "leave out NOT NULL",
                now->columns[i].name);
    return true;
}

/* ---- a start ---- */

/* Whether a batch was committed: until then no row says how the table was declared. */
static bool has_batches(const char *checkpoint, bool *has, struct error *err) {
    struct file_path commits = file_join(checkpoint, "commits"),
                     manifests = file_join(checkpoint, "manifests");
    int64_t commit, manifest;
    if (!checkpoint_newest(&commits, &commit, err) ||
        !checkpoint_newest(&manifests, &manifest, err))
        return false;
    *has = commit >= 0 || manifest >= 0;
    return true;
}

static bool has_declaration(const struct store_options *options) {
    return options->stream != NULL && !options->stream->is_builtin;
}

static bool compare(const struct store_options *options, const struct declaration *before,
                    struct error *err) {
    struct declaration now;
    const struct query_plan *plan = &options->stream->plan;
    declaration_of(options, &now);
    bool ok = declaration_judge(before, &now, err);
    declaration_deinit(&now);
    if (ok)
        return true;
    char why[sizeof err->message / 2];
    (void)snprintf(why, sizeof why, "%s", err->message);
    return error_set(
        err, ERROR_STATE,
        "%s:%d: table '%s' cannot continue with this declaration: %s. Undo the change, or "
        "give the table another name, so that it is a new one (checkpoint: '%s')",
        plan->path, (int)plan->place.line, options->stream->job, why, options->checkpoint);
}

bool declaration_check(const struct store_options *options, struct error *err) {
    struct declaration before;
    bool found, has;
    if (!has_declaration(options))
        return true;
    if (!has_batches(options->checkpoint, &has, err))
        return false;
    if (!has)
        return true;
    if (!declaration_read(options->checkpoint, &before, &found, err))
        return false;
    bool ok = !found || compare(options, &before, err);
    declaration_deinit(&before);
    return ok;
}

bool declaration_keep(const struct store_options *options, size_t *added, struct error *err) {
    struct declaration now, before;
    bool found;
    *added = 0;
    if (!has_declaration(options))
        return true;
    if (!declaration_read(options->checkpoint, &before, &found, err))
        return false;
    declaration_of(options, &now);
    size_t size, size_before = 0;
    scoped(scope_free) char *text = print(&now, &size);
    scoped(scope_free) char *text_before = found ? print(&before, &size_before) : NULL;
    bool same = found && size == size_before && memcmp(text, text_before, size) == 0;
    bool ok = same || declaration_write(options->checkpoint, &now, err);
    if (ok && found && now.count > before.count)
        *added = now.count - before.count;
    declaration_deinit(&now);
    declaration_deinit(&before);
    return ok;
}
