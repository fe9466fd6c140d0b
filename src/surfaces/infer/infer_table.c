/* The columns of a table are the scalars of the record, in its order. Which of them identifies a
 * record, and which one the table is partitioned by, is a guess from names and values:
 *
 *   identifier  a text or whole number in at least 19 of 20 records, whose values are nearly all
 *               different. What is called an id comes first, above all the id of what the topic is
 *               named after (`matchId` in riot-matches), then what is nearer to the root.
 *   partition   the day of a moment that is in every record, above all that of a start; otherwise
 *               a value in every record that has 2 to PARTITION_VALUES_MAX different values.
 *
 * Scores only order the candidates; they have no other meaning. */
#include "surfaces/infer/infer_table.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "core/schema.h"
#include "surfaces/infer/names.h"
#include "surfaces/infer/shape_type.h"

enum {
    PARTITION_VALUES_MAX = 20,
    ALTERNATIVES_MAX = 5,
    NONE = 0, // score of a column that cannot be it
};

#define HAS_WORD(name, ...)                                                                        \
    name_has_word(name, (const char *const[]){__VA_ARGS__},                                        \
                  sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* ---- paths ---- */

struct walk {
    struct pool *pool;
    struct infer_table *table;
    void (*take)(struct walk *walk, const struct infer_path *path);
};

static void walk_fields(struct walk *walk, const struct shape *object,
                        const struct infer_path *path) {
    for (const struct shape_field *field = object->fields; field != NULL; field = field->next) {
        if (field->is_hidden)
            continue;
        struct infer_path member = {
            .text = path->depth == 0 ? name_as_start(field->key, walk->pool)
                                     : pool_format(walk->pool, "%s.%s", path->text,
                                                   name_as_field(field->key, walk->pool)),
            .key = field->key,
            .parent = path->key,
            .depth = path->depth + 1,
            .shape = &field->shape,
        };
        if (shape_type(&field->shape) == TYPE_STRUCT)
            walk_fields(walk, &field->shape, &member);
        else
            walk->take(walk, &member);
    }
}

/* ---- names of columns ---- */

static bool is_taken(const struct infer_table *table, const char *name) {
    for (size_t i = 0; i < SCHEMA_ORIGIN_COUNT; i++)
        if (strcmp(schema_origin_columns[i].name, name) == 0)
            return true;
    for (size_t i = 0; i < table->column_count; i++)
        if (table->columns[i].name != NULL && strcmp(table->columns[i].name, name) == 0)
            return true;
    return false;
}

/* The key, else with its parent's in front, else with a number behind it. */
static const char *free_name(const struct infer_table *table, const struct infer_path *path,
                             struct pool *pool) {
    const char *name = name_snake(path->key, pool);
    if (is_taken(table, name))
        name = pool_format(pool, "%s_%s",
                           path->parent != NULL ? name_snake(path->parent, pool) : "record", name);
    const char *base = name;
    for (int number = 2; is_taken(table, name); number++)
        name = pool_format(pool, "%s_%d", base, number);
    return name;
}

/* What is nearer to the root has its key as its name. */
static void name_columns(struct infer_table *table, struct pool *pool) {
    for (size_t depth = 1; depth <= SHAPE_DEPTH_MAX + 1; depth++)
        for (size_t i = 0; i < table->column_count; i++) {
            struct infer_column *column = &table->columns[i];
            if (column->name == NULL && column->path.depth == depth)
                column->name = free_name(table, &column->path, pool);
        }
}

/* ---- columns ---- */

static struct infer_column *add_column(struct infer_table *table, struct infer_column column) {
    if (table->column_count == INFER_COLUMNS_MAX) {
        table->left_out++;
        return NULL;
    }
    table->columns[table->column_count] = column;
    return &table->columns[table->column_count++];
}

static void take_epoch(struct infer_column *column, enum epoch epoch, struct pool *pool) {
    const struct shape *shape = column->path.shape;
    bool millis = epoch == EPOCH_MILLIS;
    const char *value =
        shape->has_zero ? pool_format(pool, "nullif(%s, 0)", column->path.text) : column->path.text;
    column->expression =
        pool_format(pool, "timestamp_%s(%s)", millis ? "millis" : "seconds", value);
    column->type = "TIMESTAMP";
    column->note = pool_format(pool, "%s since 1970%s", millis ? "milliseconds" : "seconds",
                               shape->has_zero ? "; 0 becomes null" : "");
}

static void take_scalar(struct walk *walk, const struct infer_path *path) {
    struct infer_column column = {
        .path = *path,
        .expression = path->text,
        .type = shape_type_name(path->shape),
        .note = "",
    };
    enum epoch epoch = shape_epoch(path->shape, path->key);
    if (epoch != EPOCH_NONE)
        take_epoch(&column, epoch, walk->pool);
    (void)add_column(walk->table, column);
}

static void take_path(struct walk *walk, const struct infer_path *path) {
    enum type type = shape_type(path->shape);
    struct infer_table *table = walk->table;
    bool is_scalar = !type_is_list(type);
    bool fits = strlen(path->text) <= INFER_PATH_MAX &&
                (is_scalar || table->other_count < INFER_OTHERS_MAX);
    if (!fits)
        table->left_out++;
    else if (is_scalar)
        take_scalar(walk, path);
    else
        table->others[table->other_count++] = *path;
}

/* ---- the identifier ---- */

static int64_t values_of(const struct shape *shape) {
    return shape_total(shape) - shape->nulls;
}

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), size = strlen(end);
    return length >= size && strcmp(text + length - size, end) == 0;
}

static bool is_id_name(const char *name) {
    return strcmp(name, "id") == 0 || ends_with(name, "_id") || ends_with(name, "uuid") ||
           ends_with(name, "guid");
}

/* "match_id" is the id of a "riot_matches": its word in front is in the table's name. */
static bool names_the_table(const char *column, const char *table) {
    size_t size = strlen(column);
    if (!ends_with(column, "_id") || size < sizeof "xx_id" - 1)
        return false;
    struct pool pool;
    pool_init(&pool);
    const char *word = pool_copy(&pool, (struct text){column, (uint32_t)(size - 3)});
    bool found = strstr(table, word) != NULL;
    pool_deinit(&pool);
    return found;
}

static bool can_identify(const struct infer_column *column, int64_t records) {
    const struct shape *shape = column->path.shape;
    enum type type = shape_type(shape);
    bool is_moment = strcmp(column->type, "TIMESTAMP") == 0;
    bool is_frequent = values_of(shape) * 20 >= records * 19;
    return (type == TYPE_STRING || type == TYPE_INT32 || type == TYPE_INT64) && !is_moment &&
           shape->counts[SHAPE_OBJECT] == 0 && shape->counts[SHAPE_ARRAY] == 0 && is_frequent &&
           !shape->has_empty_text && shape->distinct != NULL && column->path.depth <= 3;
}

static int identifier_score(const struct infer_column *column, const char *table, int64_t records) {
    enum { MANY = 20 };
    if (!can_identify(column, records))
        return NONE;
    const struct shape *shape = column->path.shape;
    int64_t different = shape_distinct_count(shape), noted = shape->distinct->noted;
    bool is_id = is_id_name(column->name), is_text = shape_type(shape) == TYPE_STRING;
    bool is_unique = different == noted;
    bool is_of_table = names_the_table(column->name, table);
    bool is_root_id = strcmp(column->name, "id") == 0 && column->path.depth == 1;
    // Records of the same thing can come again; 2 different values in 10 records are too few.
    bool is_nearly = different * 10 >= noted * (is_of_table || is_root_id ? 3 : 9);
    if (is_id ? !is_nearly : !is_unique || !is_text || noted < MANY)
        return NONE;
    int score = is_id ? 100 : 50;
    score += is_unique ? 10 : 0;
    score += is_of_table ? 20 : is_root_id ? 15 : 0;
    score += values_of(shape) == records ? 10 : 0;
    return score - (int)column->path.depth;
}

static void find_identifier(struct infer_table *table, int64_t records, struct pool *pool) {
    struct infer_column *best = NULL;
    int best_score = NONE;
    for (size_t i = 0; i < table->column_count; i++) {
        int score = identifier_score(&table->columns[i], table->name, records);
        if (score > best_score) {
            best_score = score;
            best = &table->columns[i];
        }
    }
    if (best == NULL)
        return;
    const struct shape *shape = best->path.shape;
    best->required = true;
    int64_t different = shape_distinct_count(shape), noted = shape->distinct->noted;
    const char *others = values_of(shape) < records ? "; records without it become rejects" : "";
    best->note = different == noted
                     ? pool_format(pool, "unique in %s%s", text_count(noted, "record").text, others)
                     : pool_format(pool, "%" PRId64 " different values in %s%s", different,
                                   text_count(noted, "record").text, others);
}

/* ---- the partition column ---- */

static int day_score(const struct infer_column *column, int64_t records) {
    bool is_date = strcmp(column->type, "DATE") == 0;
    if (!is_date && strcmp(column->type, "TIMESTAMP") != 0)
        return NONE;
    if (values_of(column->path.shape) < records || column->path.shape->has_zero)
        return NONE;
    int score = 100 - 2 * (int)column->path.depth;
    if (HAS_WORD(column->name, "start", "started", "begin", "began", "scheduled", "played"))
        score += 20;
    else if (HAS_WORD(column->name, "created", "creation", "day", "date", "timestamp"))
        score += 10;
    else if (HAS_WORD(column->name, "updated", "modified", "expires", "deadline"))
        score -= 20;
    return score;
}

static int category_score(const struct infer_column *column, int64_t records) {
    enum { REPEATED = 5 };
    const struct shape *shape = column->path.shape;
    enum type type = shape_type(shape);
    bool is_number = type == TYPE_INT32 || type == TYPE_INT64;
    int64_t different = shape_distinct_count(shape);
    if ((type != TYPE_STRING && type != TYPE_BOOL && !is_number) || column->required ||
        strcmp(column->type, "TIMESTAMP") == 0 || shape->counts[SHAPE_OBJECT] > 0 ||
        shape->counts[SHAPE_ARRAY] > 0 || shape->has_empty_text || values_of(shape) < records ||
        different < 2 || different > PARTITION_VALUES_MAX ||
        different * REPEATED > shape->distinct->noted)
        return NONE;
    bool is_usual = HAS_WORD(column->name, "status", "state", "type", "kind", "event", "region",
                             "platform", "queue", "mode", "league", "season", "game", "category",
                             "server", "country", "source", "tier");
    return 50 + (is_usual ? 20 : 0) + (type == TYPE_STRING ? 5 : 0) - (type == TYPE_BOOL ? 10 : 0) -
           2 * (int)column->path.depth;
}

typedef int score_fn(const struct infer_column *column, int64_t records);

static struct infer_column *best_of(const struct infer_table *table, score_fn *score_of,
                                    int64_t records) {
    struct infer_column *best = NULL;
    for (size_t i = 0; i < table->column_count; i++) {
        int score = score_of(&table->columns[i], records);
        if (score > NONE && (best == NULL || score > score_of(best, records)))
            best = &table->columns[i];
    }
    return best;
}

static void list_alternatives(struct infer_table *table, const struct infer_column *chosen,
                              int64_t records, struct pool *pool) {
    size_t count = 0;
    table->alternatives = "";
    for (size_t i = 0; i < table->column_count && count < ALTERNATIVES_MAX; i++) {
        const struct infer_column *column = &table->columns[i];
        if (column == chosen || category_score(column, records) == NONE)
            continue;
        table->alternatives = pool_format(pool, "%s%s%s (%" PRId64 " values)", table->alternatives,
                                          count > 0 ? ", " : "", column->name,
                                          shape_distinct_count(column->path.shape));
        count++;
    }
}

/* The column itself, if it is a date; else a column for its day. */
static const char *add_day(struct infer_table *table, const struct infer_column *moment,
                           struct pool *pool) {
    if (strcmp(moment->type, "DATE") == 0)
        return moment->name;
    struct infer_path path = moment->path;
    path.key = "day";
    path.parent = moment->name;
    struct infer_column *day = add_column(
        table, (struct infer_column){
                   .path = path,
                   .name = free_name(table, &path, pool),
                   .expression = pool_format(pool, "CAST(%s AS DATE)", moment->expression),
                   .type = "DATE",
                   .note = "",
               });
    return day != NULL ? day->name : NULL;
}

static void find_partition(struct infer_table *table, int64_t records, struct pool *pool) {
    const struct infer_column *moment = best_of(table, day_score, records);
    const struct infer_column *category =
        moment == NULL ? best_of(table, category_score, records) : NULL;
    list_alternatives(table, category, records, pool);
    if (moment != NULL)
        table->partition_column = add_day(table, moment, pool);
    else if (category != NULL)
        table->partition_column = category->name;
}

/* ---- tables ---- */

static struct infer_table *new_table(const char *name, struct pool *pool) {
    struct infer_table *table = pool_alloc(pool, 1, sizeof *table);
    table->name = name;
    table->columns = pool_alloc(pool, INFER_COLUMNS_MAX, sizeof *table->columns);
    table->others = pool_alloc(pool, INFER_OTHERS_MAX, sizeof *table->others);
    table->alternatives = "";
    return table;
}

struct infer_table *infer_table_of_records(const struct shapes *shapes, const char *name,
                                           struct pool *pool) {
    struct infer_table *table = new_table(name, pool);
    struct walk walk = {.pool = pool, .table = table, .take = take_path};
    walk_fields(&walk, &shapes->root, &(struct infer_path){.depth = 0});
    name_columns(table, pool);
    find_identifier(table, shapes->objects, pool);
    if (table->column_count > 1) // one that is not a partition column must be left
        find_partition(table, shapes->objects, pool);
    if (table->column_count == 0)
        (void)add_column(table, (struct infer_column){.name = "record_key",
                                                      .expression = "CAST(key AS STRING)",
                                                      .type = "STRING",
                                                      .note = "no scalar values were found"});
    return table;
}

bool infer_has_table(const struct infer_path *path) {
    const struct shape *element = path->shape->element;
    return shape_type(path->shape) == TYPE_ARRAY && element != NULL &&
           shape_type(element) == TYPE_STRUCT;
}

/* A name that no field of the record has, because names are looked up there first. */
static const char *alias_of(const struct shapes *shapes, const char *name, struct pool *pool) {
    const struct shape_field *field = shapes->root.fields;
    while (field != NULL) {
        bool same = strcasecmp(field->key, name) == 0;
        name = same ? pool_format(pool, "%s_", name) : name;
        field = same ? shapes->root.fields : field->next;
    }
    return name;
}

static void copy_columns(struct infer_table *table, const struct infer_table *records) {
    for (size_t i = 0; i < records->column_count; i++) {
        struct infer_column column = records->columns[i];
        bool is_partition = records->partition_column != NULL &&
                            strcmp(records->partition_column, column.name) == 0;
        column.note = "";
        if (column.required || is_partition)
            (void)add_column(table, column);
    }
    table->partition_column = records->partition_column;
}

/* By the array's key, or its whole path if an earlier array has the same key. */
static const char *name_of_elements(const struct infer_table *records,
                                    const struct infer_path *array, struct pool *pool) {
    const char *name = name_snake(array->key, pool);
    for (const struct infer_path *other = records->others; other < array; other++)
        if (infer_has_table(other) && strcmp(name_snake(other->key, pool), name) == 0)
            return pool_format(pool, "%s_%s", records->name, name_snake(array->text, pool));
    return pool_format(pool, "%s_%s", records->name, name);
}

struct infer_table *infer_table_of_elements(const struct shapes *shapes,
                                            const struct infer_table *records,
                                            const struct infer_path *array, struct pool *pool) {
    struct infer_table *table = new_table(name_of_elements(records, array, pool), pool);
    table->array = array;
    table->position = alias_of(shapes, "pos", pool);
    table->element = alias_of(shapes, "item", pool);
    copy_columns(table, records);
    struct infer_path position = {.text = table->position, .key = "position", .depth = 1};
    (void)add_column(table, (struct infer_column){.path = position,
                                                  .name = free_name(table, &position, pool),
                                                  .expression = table->position,
                                                  .type = "INT",
                                                  .note = "from 0"});
    struct walk walk = {.pool = pool, .table = table, .take = take_path};
    walk_fields(&walk, array->shape->element,
                &(struct infer_path){.text = table->element, .key = array->key, .depth = 1});
    name_columns(table, pool);
    return table;
}
