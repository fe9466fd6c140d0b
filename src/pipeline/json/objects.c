/* Spark reads an object with a function that calls itself for each object, array and map in it. An
 * error is caught by the innermost object whose member caused it, which skips the rest of that
 * member and continues; an error while it moves to the next member, or while it skips, ends the
 * object, and is caught by the one around it. An array catches nothing: an error in it ends it. A
 * map catches errors as an object does, but fails at its end. Here the open values are a stack, as
 * deep as the schema, so the depth of a record costs nothing.
 *
 * What must stay true: the stack is of values in the schema. After an error the reader may be at
 * another level of the record than the innermost open value was: then that level's members are
 * taken for the value's, as in Spark. A struct that is null has no field that is not. */
#include "pipeline/json/objects.h"

#include "base/check.h"
#include "core/nested.h"
#include "pipeline/json/column.h"
#include "pipeline/json/unreadable.h"

void json_objects_init(struct json_objects *objects, const struct record_schema *schema) {
    *objects = (struct json_objects){0};
    json_fields_init(&objects->fields, schema);
    objects->open = must_alloc(objects->fields.depth + 1, sizeof *objects->open);
    objects->saved = must_alloc(objects->fields.saved + 1, sizeof *objects->saved);
    objects->column_count = schema->count;
    objects->is_unreadable = must_alloc(schema->count, sizeof *objects->is_unreadable);
    objects->must_be_readable = must_alloc(schema->count, sizeof *objects->must_be_readable);
    for (size_t i = 0; i < schema->count; i++)
        objects->must_be_readable[i] = schema->columns[i].readable_or_reject;
}

void json_objects_deinit(struct json_objects *objects) {
    json_fields_deinit(&objects->fields);
    free(objects->open);
    free(objects->saved);
    free(objects->must_be_readable);
    free(objects->is_unreadable);
}

void json_objects_clear(struct json_objects *objects) {
    if (objects->has_unreadable)
        memset(objects->is_unreadable, 0, objects->column_count);
    objects->has_unreadable = false;
}

int json_find_unreadable(const struct json_objects *objects, const struct rows *rows) {
    for (size_t i = 0; objects->has_unreadable && i < objects->column_count; i++)
        if (objects->is_unreadable[i] && !rows->inputs[i].valid[rows->count])
            return (int)i;
    return -1;
}

static struct json_open_value *innermost(struct json_objects *objects) {
    return &objects->open[objects->open_count - 1];
}

static bool is_list(const struct json_field *field) {
    return field->kind == JSON_FIELD_ARRAY || field->kind == JSON_FIELD_MAP;
}

/* ---- notes ---- */

/* Whether the value is a column, or leads to columns: it is in no array or map. */
static bool is_at_column(const struct json_objects *objects) {
    return objects->open_count == 0 ||
           objects->open[objects->open_count - 1].field->kind == JSON_FIELD_OBJECT;
}

static bool is_identifier(const struct json_objects *objects, const struct json_field *field) {
    return field->column == 0 && is_at_column(objects);
}

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

/* Whether a fault now loses columns as a whole: only a struct would keep it to a part of one. */
static bool loses_column(const struct json_objects *objects) {
    size_t count = objects->open_count;
    while (count > 0 && is_list(objects->open[count - 1].field))
        count--;
    return count == 0 || objects->open[count - 1].field->kind == JSON_FIELD_OBJECT;
}

static void note_lost_column(struct json_objects *objects, struct json_record *record,
                             const struct json_field *field, size_t column, bool is_whole) {
    json_note_fault(record->notes, column);
    if (!is_whole || !objects->must_be_readable[column])
        return;
    objects->is_unreadable[column] = objects->has_unreadable = true;
    if (!record->notes->unreadable.is_set)
        json_describe_unreadable(&record->notes->unreadable, record->reader, objects->open,
                                 objects->open_count, field, column);
}

/* The field keeps what it had. */
static void note_fault(struct json_objects *objects, struct json_record *record,
                       const struct json_field *field) {
    bool is_whole = loses_column(objects);
    if (field->kind == JSON_FIELD_OBJECT)
        for (size_t i = 0; i < field->column_count; i++)
            note_lost_column(objects, record, field, field->columns[i], is_whole);
    else
        note_lost_column(objects, record, field, field->column, is_whole);
    json_note_problem(record->notes, &record->reader->lexer);
    if (is_identifier(objects, field))
        note_identifier(record->notes, &record->reader->lexer);
}

/* Null came, or an object without it. */
static void forget_unreadable(struct json_objects *objects, const struct json_field *field) {
    for (size_t i = 0; objects->has_unreadable && is_at_column(objects) && i < field->column_count;
         i++)
        objects->is_unreadable[field->columns[i]] = false;
}

/* ---- null, and the values before ---- */

static struct json_place column_place(const struct rows *rows, size_t column) {
    return (struct json_place){(struct vector *)&rows->inputs[column], rows->count};
}

/* These recurse over the structs of a level, which DATA_TYPE_DEPTH_MAX bounds. */
static void clear_value(struct json_place place) {
    if (!place.vector->valid[place.row])
        return;
    place.vector->valid[place.row] = 0;
    if (place.vector->type == TYPE_STRUCT)
        for (size_t i = 0; i < place.vector->child_count; i++)
            clear_value((struct json_place){&place.vector->children[i], place.row});
}

static void save_value(struct json_objects *objects, struct json_place place) {
    const struct vector *vector = place.vector;
    if (!vector->valid[place.row])
        return;
    struct json_saved_value *saved = &objects->saved[objects->saved_count++];
    size_t width = type_width(vector->type);
    saved->place = place;
    if (width > 0)
        memcpy(&saved->value, (const char *)vector->values + place.row * width, width);
    if (vector->type == TYPE_STRUCT)
        for (size_t i = 0; i < vector->child_count; i++)
            save_value(objects, (struct json_place){&vector->children[i], place.row});
}

static void restore_value(const struct json_saved_value *saved) {
    const struct vector *vector = saved->place.vector;
    size_t width = type_width(vector->type);
    if (width > 0)
        memcpy((char *)vector->values + saved->place.row * width, &saved->value, width);
    vector->valid[saved->place.row] = 1;
}

/* All that the field has is null. */
static void clear_field(const struct json_record *record, const struct json_field *field,
                        struct json_place place) {
    if (field->kind != JSON_FIELD_OBJECT) {
        clear_value(place);
        return;
    }
    for (size_t i = 0; i < field->column_count; i++)
        clear_value(column_place(record->rows, field->columns[i]));
}

/* ---- open values ---- */

/* What came of a value. */
enum outcome {
    VALUE_READ,  // or opened
    VALUE_FAULT, // an error that the innermost object has to catch
    VALUE_FULL,
};

/* An object has no field from here on, and what it had is saved. */
static void open_object(struct json_objects *objects, struct json_record *record,
                        struct json_field *field, struct json_place place) {
    if (field->kind == JSON_FIELD_STRUCT)
        save_value(objects, place);
    for (size_t i = 0; field->kind == JSON_FIELD_OBJECT && i < field->column_count; i++)
        save_value(objects, column_place(record->rows, field->columns[i]));
    clear_field(record, field, place);
    forget_unreadable(objects, field);
    if (is_identifier(objects, field))
        record->notes->identifier_seen = false;
}

static void open_value(struct json_objects *objects, struct json_record *record,
                       struct json_field *field, struct json_place place) {
    struct json_open_value open = {
        .field = field, .place = place, .saved_count = objects->saved_count};
    if (is_list(field))
        open.first = place.vector->elements->used;
    else
        open_object(objects, record, field, place);
    objects->open[objects->open_count++] = open;
}

static enum outcome close_value(struct json_objects *objects) {
    const struct json_open_value *open = &objects->open[--objects->open_count];
    struct vector *vector = open->place.vector;
    objects->saved_count = open->saved_count;
    if (open->is_lost)
        return VALUE_FAULT;
    if (open->field->kind == JSON_FIELD_OBJECT)
        return VALUE_READ;
    if (is_list(open->field))
        vector->lists[open->place.row] =
            (struct list){open->first, vector->elements->used - open->first};
    vector->valid[open->place.row] = 1;
    return VALUE_READ;
}

/* As if the value had not come. */
static void break_value(struct json_objects *objects, struct json_record *record) {
    const struct json_open_value *open = &objects->open[--objects->open_count];
    size_t saved_end = objects->saved_count;
    objects->saved_count = open->saved_count;
    if (!is_list(open->field)) {
        if (open->field->kind == JSON_FIELD_STRUCT)
            open->place.vector->valid[open->place.row] = 1; // so that its fields are cleared
        clear_field(record, open->field, open->place);
        for (size_t i = objects->saved_count; i < saved_end; i++)
            restore_value(&objects->saved[i]);
    }
    note_fault(objects, record, open->field);
}

/* ---- reading ---- */

static enum outcome read_scalar(struct json_objects *objects, struct json_record *record,
                                const struct json_field *field, struct json_place place) {
    struct json_reader *reader = record->reader;
    reader->lexer.problem = NULL;
    enum json_column_result result = json_read_column(
        reader, record->context, field->declared, place.vector, place.row, &record->rows->strings);
    if (result == JSON_COLUMN_FULL)
        return VALUE_FULL;
    if (result == JSON_COLUMN_FAULT) {
        note_fault(objects, record, field);
        return VALUE_FAULT;
    }
    if (is_identifier(objects, field))
        note_identifier(record->notes, &reader->lexer);
    return VALUE_READ;
}

/* An object, array or map is opened only. */
static enum outcome read_start(struct json_objects *objects, struct json_record *record,
                               struct json_field *field, struct json_place place) {
    struct json_reader *reader = record->reader;
    reader->lexer.problem = NULL;
    enum json_token start = field->kind == JSON_FIELD_ARRAY ? JSON_ARRAY : JSON_OBJECT;
    bool moved = reader->token != JSON_KEY || json_next(reader);
    if (moved && reader->token == start) {
        open_value(objects, record, field, place);
        return VALUE_READ;
    }
    if (moved && (reader->token == JSON_NULL || reader->token == JSON_NONE)) {
        clear_field(record, field, place);
        forget_unreadable(objects, field);
        if (is_identifier(objects, field))
            note_identifier(record->notes, &reader->lexer);
        return VALUE_READ;
    }
    // Spark looks at the text of a string even where it needs none: a broken one shows here.
    if (moved && reader->token == JSON_STRING)
        (void)!json_take_string(reader);
    note_fault(objects, record, field);
    return VALUE_FAULT;
}

static enum outcome read_value(struct json_objects *objects, struct json_record *record,
                               struct json_field *field, struct json_place place) {
    if (is_identifier(objects, field))
        record->notes->identifier_at = value_position(record->reader);
    return field->kind == JSON_FIELD_VALUE ? read_scalar(objects, record, field, place)
                                           : read_start(objects, record, field, place);
}

/* The field of the innermost open object, or of the root. */
static enum outcome read_field(struct json_objects *objects, struct json_record *record,
                               struct json_field *field) {
    struct json_place place;
    if (is_at_column(objects)) {
        place = column_place(record->rows, field->column);
    } else {
        const struct json_open_value *object = innermost(objects);
        place =
            (struct json_place){&object->place.vector->children[field->child], object->place.row};
    }
    return read_value(objects, record, field, place);
}

/* The key of a map's member. Behind an error the reader can be in an array, where there is none. */
static bool read_map_key(struct json_record *record, struct json_place place) {
    place.vector->valid[place.row] = record->reader->token == JSON_KEY;
    if (record->reader->token != JSON_KEY)
        return true;
    return json_copy_text(record->reader->key, &record->rows->strings,
                          &place.vector->texts[place.row]);
}

/* The element of the innermost open array or map that the current token starts. */
static enum outcome read_element(struct json_objects *objects, struct json_record *record) {
    const struct json_open_value *list = innermost(objects);
    struct vector *children = list->place.vector->children;
    bool is_map = list->field->kind == JSON_FIELD_MAP;
    uint32_t index;
    if (!nested_take(list->place.vector->elements, &index) ||
        (is_map && !read_map_key(record, (struct json_place){children, index})))
        return VALUE_FULL;
    struct json_place place = {&children[is_map ? 1 : 0], index};
    return read_value(objects, record, list->field->element, place);
}

/* Passes a member of the innermost open object whose key belongs to no field, if it has the usual
 * form.
 */
static bool pass_unknown_member(struct json_objects *objects, struct json_record *record) {
    struct json_reader *reader = record->reader;
    struct json_field *object = innermost(objects)->field;
    const char *value = json_peek_member(reader);
    if (value == NULL)
        return false;
    if (json_fields_find(object, reader->key) != NULL || !json_pass_member(reader, value))
        return false;
    json_note_unknown_key(record->notes, record->unknown_names, reader, object->path);
    return true;
}

/* A member of the innermost open object. */
static enum outcome read_object_member(struct json_objects *objects, struct json_record *record) {
    struct json_reader *reader = record->reader;
    struct json_field *object = innermost(objects)->field;
    if (reader->token == JSON_KEY) {
        struct json_field *field = json_fields_find(object, reader->key);
        if (field != NULL)
            return read_field(objects, record, field);
        json_note_unknown_key(record->notes, record->unknown_names, reader, object->path);
    }
    return VALUE_FAULT; // nothing is lost: its value is skipped
}

/* What comes next in the innermost open value. */
static enum outcome read_next(struct json_objects *objects, struct json_record *record) {
    struct json_reader *reader = record->reader;
    const struct json_field *field = innermost(objects)->field;
    if (!is_list(field) && pass_unknown_member(objects, record))
        return VALUE_READ;
    if (!json_next(reader)) {
        break_value(objects, record);
        return VALUE_FAULT;
    }
    enum json_token end = field->kind == JSON_FIELD_ARRAY ? JSON_ARRAY_END : JSON_OBJECT_END;
    if (reader->token == end || reader->token == JSON_NONE)
        return close_value(objects);
    return is_list(field) ? read_element(objects, record) : read_object_member(objects, record);
}

/* Arrays end here, until something else catches the error. */
static enum outcome read_on_after_fault(struct json_objects *objects, struct json_record *record) {
    struct json_open_value *open = innermost(objects);
    if (open->field->kind == JSON_FIELD_ARRAY) {
        objects->open_count--;
        return VALUE_FAULT;
    }
    open->is_lost = open->field->kind == JSON_FIELD_MAP;
    if (json_skip_children(record->reader))
        return VALUE_READ;
    break_value(objects, record);
    return VALUE_FAULT;
}

static bool read_top(struct json_objects *objects, struct json_record *record,
                     struct json_field *field) {
    objects->open_count = objects->saved_count = 0;
    enum outcome outcome = read_field(objects, record, field);
    while (objects->open_count > 0 && outcome != VALUE_FULL)
        outcome = outcome == VALUE_FAULT ? read_on_after_fault(objects, record)
                                         : read_next(objects, record);
    return outcome != VALUE_FULL;
}

bool json_read_member(struct json_objects *objects, struct json_record *record, size_t column) {
    struct json_field *top = objects->fields.tops[column];
    if (top != NULL)
        return read_top(objects, record, top);
    struct json_field scalar = {.declared = &record->rows->schema->inputs[column],
                                .column = column};
    return read_top(objects, record, &scalar);
}
