/* Spark reads an object with a function that calls itself for each object in it. An error is caught
 * by the innermost object whose member caused it, which skips the rest of that member and
 * continues; an error while it moves to the next member, or while it skips, ends the object, and is
 * caught by the one around it. Here the open objects are a stack, as deep as the schema, so the
 * depth of a record costs nothing.
 *
 * What must stay true: the stack is of objects in the schema. After an error the reader may be at
 * another level of the record than the innermost open object was: then that level's members are
 * taken for the object's, as in Spark. */
#include "pipeline/json/objects.h"

#include "base/check.h"
#include "pipeline/json/column.h"
#include "pipeline/json/members.h"

/* ---- the objects of a schema ---- */

static struct json_field *find_declared(struct json_field *fields, struct text key) {
    while (fields != NULL && !text_equals(fields->key, key))
        fields = fields->next;
    return fields;
}

static struct json_field *add_field(struct json_objects *objects, struct json_field *parent,
                                    const char *key, size_t column) {
    struct json_field *field = pool_alloc(&objects->pool, 1, sizeof *field);
    field->key = text_borrow(key);
    field->column = column;
    field->path = parent == NULL ? key : pool_format(&objects->pool, "%s.%s", parent->path, key);
    if (parent == NULL)
        return field;
    struct json_field **end = &parent->fields;
    while (*end != NULL)
        end = &(*end)->next;
    *end = field;
    return field;
}

static struct json_field *find_top(const struct json_objects *objects, const char *key) {
    for (size_t i = 0; i < JSON_COLUMNS_MAX; i++)
        if (objects->tops[i] != NULL && text_equals(objects->tops[i]->key, text_borrow(key)))
            return objects->tops[i];
    return NULL;
}

static void add_column(struct json_objects *objects, const struct column *declared, size_t column) {
    const char *top = column_key(declared, 0);
    struct json_field *field = find_top(objects, top);
    if (field == NULL)
        field = objects->tops[column] = add_field(objects, NULL, top, column);
    field->columns |= UINT64_C(1) << column;
    for (size_t level = 1; level < declared->path_length; level++) {
        const char *key = column_key(declared, level);
        struct json_field *parent = field;
        parent->is_object = true;
        field = find_declared(parent->fields, text_borrow(key));
        if (field == NULL)
            field = add_field(objects, parent, key, column);
        field->columns |= UINT64_C(1) << column;
        check(field->key.length <= KEY_NAME_MAX);
    }
    check(!field->is_object && field->column == column); // each path once, and none within another
}

void json_objects_init(struct json_objects *objects, const struct record_schema *schema) {
    *objects = (struct json_objects){0};
    pool_init(&objects->pool);
    size_t depth = 0, levels = 0;
    for (size_t i = 0; i < schema->count; i++) {
        const struct column *column = &schema->columns[i];
        if (column_path_length(column) == 1)
            continue;
        add_column(objects, column, i);
        depth = column->path_length > depth ? column->path_length : depth;
        levels += column->path_length; // each object around a column may save its value
    }
    objects->open = pool_alloc(&objects->pool, depth, sizeof *objects->open);
    objects->saved = pool_alloc(&objects->pool, levels, sizeof *objects->saved);
}

void json_objects_deinit(struct json_objects *objects) {
    pool_deinit(&objects->pool);
}

/* ---- reading ---- */

static void note_identifier(struct json_notes *notes, const struct json_lexer *lexer) {
    notes->identifier_seen = true;
    notes->identifier_problem = lexer->problem;
}

/* Where the value of the current key starts: its first token has been read already. */
static size_t value_position(const struct json_reader *reader) {
    bool only_opened =
        reader->string_is_unread || reader->pending == JSON_OBJECT || reader->pending == JSON_ARRAY;
    return (size_t)((only_opened ? reader->lexer.at - 1 : reader->lexer.value.bytes) -
                    reader->lexer.start);
}

static enum json_column_result read_column(struct json_record *record, size_t column) {
    struct json_reader *reader = record->reader;
    struct rows *rows = record->rows;
    reader->lexer.problem = NULL;
    if (column == 0)
        record->notes->identifier_at = value_position(reader);
    enum json_column_result result =
        json_read_column(reader, record->context, &rows->schema->inputs[column],
                         &rows->inputs[column], rows->count, &rows->strings);
    if (result == JSON_COLUMN_FULL)
        return result;
    if (result == JSON_COLUMN_FAULT)
        json_note_faults(record->notes, UINT64_C(1) << column);
    json_note_problem(record->notes, &reader->lexer);
    if (column == 0)
        note_identifier(record->notes, &reader->lexer);
    return result;
}

bool json_read_member(struct json_record *record, size_t column) {
    return read_column(record, column) != JSON_COLUMN_FULL;
}

/* The object's columns keep what they had. */
static void lose_object(struct json_record *record, const struct json_field *field) {
    json_note_faults(record->notes, field->columns);
    json_note_problem(record->notes, &record->reader->lexer);
    if ((field->columns & 1) != 0)
        note_identifier(record->notes, &record->reader->lexer);
}

static void clear_columns(const struct rows *rows, uint64_t columns) {
    for (; columns != 0; columns &= columns - 1)
        rows->inputs[__builtin_ctzll(columns)].valid[rows->count] = 0;
}

/* All columns of the object are null from here on, and what they were is saved. */
static void open_object(struct json_objects *objects, struct json_record *record,
                        struct json_field *field) {
    const struct rows *rows = record->rows;
    objects->open[objects->open_count++] = (struct json_open_object){field, objects->saved_count};
    for (uint64_t rest = field->columns; rest != 0; rest &= rest - 1) {
        size_t column = (size_t)__builtin_ctzll(rest);
        const struct vector *vector = &rows->inputs[column];
        if (!vector->valid[rows->count])
            continue;
        struct json_saved_value *saved = &objects->saved[objects->saved_count++];
        size_t width = type_width(vector->type);
        saved->column = column;
        memcpy(&saved->value, (const char *)vector->values + rows->count * width, width);
        vector->valid[rows->count] = 0;
    }
    field->expected = NULL;
    if ((field->columns & 1) != 0)
        record->notes->identifier_seen = false;
}

static struct json_field *pop_object(struct json_objects *objects, size_t *saved_end) {
    const struct json_open_object *open = &objects->open[--objects->open_count];
    *saved_end = objects->saved_count;
    objects->saved_count = open->saved_count;
    return open->field;
}

static void close_object(struct json_objects *objects) {
    size_t saved_end;
    (void)pop_object(objects, &saved_end);
}

/* As if the object had not come. */
static void break_object(struct json_objects *objects, struct json_record *record) {
    const struct rows *rows = record->rows;
    size_t saved_end;
    const struct json_field *field = pop_object(objects, &saved_end);
    clear_columns(rows, field->columns);
    for (size_t i = objects->saved_count; i < saved_end; i++) {
        const struct json_saved_value *saved = &objects->saved[i];
        const struct vector *vector = &rows->inputs[saved->column];
        size_t width = type_width(vector->type);
        memcpy((char *)vector->values + rows->count * width, &saved->value, width);
        vector->valid[rows->count] = 1;
    }
    lose_object(record, field);
}

/* The field of the open object that the current key names, or NULL. Keys mostly come in an order
 * that is the same each time. */
static struct json_field *find_field(struct json_field *object, struct json_raw key) {
    char bytes[KEY_NAME_MAX];
    struct text name = {key.bytes, (uint32_t)key.size};
    if (!key.plain) {
        struct json_output output = {bytes, bytes + sizeof bytes, false};
        json_output_text(&output, key);
        if (output.is_full)
            return NULL;
        name = (struct text){bytes, (uint32_t)(output.at - bytes)};
    }
    struct json_field *found = find_declared(object->expected, name);
    if (found == NULL)
        found = find_declared(object->fields, name);
    if (found != NULL)
        object->expected = found->next;
    return found;
}

/* What came of a member. */
enum outcome { MEMBER_READ, MEMBER_FAULT, MEMBER_FULL };

/* An object is opened only. */
static enum outcome read_object_start(struct json_objects *objects, struct json_record *record,
                                      struct json_field *field) {
    struct json_reader *reader = record->reader;
    reader->lexer.problem = NULL;
    if ((field->columns & 1) != 0)
        record->notes->identifier_at = value_position(reader);
    bool moved = json_next(reader);
    if (moved && reader->token == JSON_OBJECT) {
        open_object(objects, record, field);
        return MEMBER_READ;
    }
    if (moved && (reader->token == JSON_NULL || reader->token == JSON_NONE)) {
        clear_columns(record->rows, field->columns);
        if ((field->columns & 1) != 0)
            note_identifier(record->notes, &reader->lexer);
        return MEMBER_READ;
    }
    // Spark looks at the text of a string even where it needs none: a broken one shows here.
    if (moved && reader->token == JSON_STRING)
        (void)!json_take_string(reader);
    lose_object(record, field);
    return MEMBER_FAULT;
}

static enum outcome read_field(struct json_objects *objects, struct json_record *record,
                               struct json_field *field) {
    if (field->is_object)
        return read_object_start(objects, record, field);
    enum json_column_result result = read_column(record, field->column);
    if (result == JSON_COLUMN_FULL)
        return MEMBER_FULL;
    return result == JSON_COLUMN_SET ? MEMBER_READ : MEMBER_FAULT;
}

/* Passes a member of the innermost open object whose key belongs to no field, if it has the usual
 * form.
 */
static bool pass_unknown_member(struct json_objects *objects, struct json_record *record) {
    struct json_reader *reader = record->reader;
    struct json_field *object = objects->open[objects->open_count - 1].field;
    struct json_field *expected = object->expected;
    const char *value = json_peek_member(reader);
    if (value == NULL)
        return false;
    bool is_known = find_field(object, reader->key) != NULL;
    object->expected = expected;
    if (is_known || !json_pass_member(reader, value))
        return false;
    json_note_unknown_key(record->notes, record->unknown_names, reader, object->path);
    return true;
}

/* A member of the innermost open object. */
static enum outcome read_member(struct json_objects *objects, struct json_record *record) {
    struct json_reader *reader = record->reader;
    struct json_field *object = objects->open[objects->open_count - 1].field;
    if (reader->token == JSON_KEY) {
        struct json_field *field = find_field(object, reader->key);
        if (field != NULL)
            return read_field(objects, record, field);
        json_note_unknown_key(record->notes, record->unknown_names, reader, object->path);
    }
    return MEMBER_FAULT; // nothing is lost: its value is skipped
}

bool json_read_object(struct json_objects *objects, struct json_record *record,
                      struct json_field *field) {
    struct json_reader *reader = record->reader;
    objects->open_count = objects->saved_count = 0;
    enum outcome outcome = read_field(objects, record, field);
    while (objects->open_count > 0 && outcome != MEMBER_FULL) {
        bool to_skip = outcome == MEMBER_FAULT;
        if (!to_skip && pass_unknown_member(objects, record))
            continue;
        if (!(to_skip ? json_skip_children(reader) : json_next(reader))) {
            break_object(objects, record);
            outcome = MEMBER_FAULT;
        } else if (to_skip) {
            outcome = MEMBER_READ;
        } else if (reader->token == JSON_OBJECT_END || reader->token == JSON_NONE) {
            close_object(objects);
        } else {
            outcome = read_member(objects, record);
        }
    }
    return outcome != MEMBER_FULL;
}
