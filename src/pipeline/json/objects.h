/* objects.h: the objects of a record that columns are read from, at any depth.
 *
 * An object is not a column of its own. When its key comes twice, its columns are those of the last
 * value that Spark has kept: another object or null replaces all of them; a value of another type,
 * or an object that Spark could not read to its end, none. */
#ifndef PIPELINE_JSON_OBJECTS_H
#define PIPELINE_JSON_OBJECTS_H

#include "base/pool.h"
#include "core/rows.h"
#include "core/timestamp.h"
#include "pipeline/json/notes.h"
#include "pipeline/json/reader.h"

/* A key that is read. */
struct json_field {
    struct text key;
    uint64_t columns;          // a bit for each column that it leads to
    size_t column;             // the first of them
    bool is_object;            // else the column's value
    const char *path;          // of an object: its keys with dots between them, for people
    struct json_field *fields; // of an object: in declared order, chained; never NULL
    struct json_field *next;
    struct json_field *expected; // of an object: the one after the last that came; NULL: the first
};

struct json_saved_value {
    size_t column;
    int128_t value; // the widest that there is
};

/* An object that is being read. */
struct json_open_object {
    struct json_field *field;
    size_t saved_count; // of values saved before it was opened
};

struct json_objects {
    struct pool pool;                          // owned; behind all below
    struct json_field *tops[JSON_COLUMNS_MAX]; // by a column that an object of the root goes by
                                               // (members.h); others NULL
    struct json_open_object *open;             // the innermost one last
    size_t open_count;
    struct json_saved_value *saved; // what the open objects have replaced
    size_t saved_count;
};

/* `schema` is borrowed. */
void json_objects_init(struct json_objects *objects, const struct record_schema *schema);
void json_objects_deinit(struct json_objects *objects);

/* What a record is read with, and into. */
struct json_record {
    struct json_reader *reader;
    const struct timestamp_context *context;
    struct rows *rows; // row rows->count
    struct json_notes *notes;
    struct unknown_keys *unknown_names;
};

/* These read the value of the current key. Afterwards the reader is where Spark would continue with
 * the next member of the root, once it has skipped what the reader may have opened. False: the room
 * for texts is too small. */
MUST_CHECK bool json_read_member(struct json_record *record, size_t column);
MUST_CHECK bool json_read_object(struct json_objects *objects, struct json_record *record,
                                 struct json_field *field);

#endif
