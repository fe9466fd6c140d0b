/* objects.h: the values of a record that are more than one scalar of its root: the objects that
 * columns are read from, and arrays and maps with all that is in them, at any depth.
 *
 * An object that leads to columns is not a column of its own. When its key comes twice, its columns
 * are those of the last value that Spark has kept: another object or null replaces all of them; a
 * value of another type, or an object that Spark could not read to its end, none. The same is true
 * of an object in an array or map and its fields.
 *
 * An array or map with one odd element is lost as a whole; an object in it only loses the field. */
#ifndef PIPELINE_JSON_OBJECTS_H
#define PIPELINE_JSON_OBJECTS_H

#include "core/rows.h"
#include "core/timestamp.h"
#include "pipeline/json/fields.h"
#include "pipeline/json/notes.h"
#include "pipeline/json/reader.h"

struct json_saved_value {
    struct json_place place;
    int128_t value; // the widest that there is
};

struct json_objects {
    struct json_fields fields;
    struct json_open_value *open; // owned; the innermost one last
    size_t open_count;
    struct json_saved_value *saved; // owned; what the open objects have replaced
    size_t saved_count;
    size_t column_count;
    bool *must_be_readable; // owned; by column
    bool *is_unreadable;    // owned; by column: its last value was
    bool has_unreadable;    // one of them
};

/* `schema` is borrowed. */
void json_objects_init(struct json_objects *objects, const struct record_schema *schema);
void json_objects_deinit(struct json_objects *objects);

/* Before each record. */
void json_objects_clear(struct json_objects *objects);

/* What a record is read with, and into. */
struct json_record {
    struct json_reader *reader;
    const struct timestamp_context *context;
    struct rows *rows; // row rows->count
    struct json_notes *notes;
    struct unknown_keys *unknown_names;
};

/* Reads the value of the current key, which leads to the column or, first of several, to this one.
 * Afterwards the reader is where Spark would continue with the next member of the root, once it has
 * skipped what the reader may have opened. False: the room for texts or elements is too small. */
MUST_CHECK bool json_read_member(struct json_objects *objects, struct json_record *record,
                                 size_t column);

/* The first column that is unreadable though it must not be (column.readable_or_reject), or -1: its
 * value has come, is null in the row, and was not null. */
int json_find_unreadable(const struct json_objects *objects, const struct rows *rows);

#endif
