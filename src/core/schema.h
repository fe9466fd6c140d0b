/* schema.h: what is read of a record, and the columns of a table, declared once.
 *
 *     inputs     what is read: first what is decoded from the record's value, then what Kafka and
 *                the batch say of it
 *     columns    the table's, in any order: each is an input as it is, or computed from inputs
 *
 * Both follow from a query file (streaming/declare/stream.h). Decoder, expressions, Parquet schema,
 * Spark DDL, printed docs and the sample generator walk these lists. */
#ifndef CORE_SCHEMA_H
#define CORE_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/data_type.h"
#include "core/vector.h"

/* Of a table; a record has as many inputs at the most. */
enum { SCHEMA_COLUMNS_MAX = 1000, SCHEMA_FIELDS_MAX = 2 * SCHEMA_COLUMNS_MAX };

/* Bytes of one key of a record that is read. */
enum { SCHEMA_KEY_MAX = 1000 };

struct column {
    const char *name; // the Parquet column and the SQL column; of an input, its path for people,
                      // and the JSON key if there is no path
    enum type type;
    int precision, scale;    // TYPE_DECIMAL
    bool required;           // never null, and REQUIRED in the file, as in Spark's own files
    bool readable_or_reject; // record columns: a value other than null that cannot be read as a
                             // whole makes the record a reject, unless the mode is permissive
    const char *doc;
    const char *const *path; // record columns: the keys from the root; NULL: `name` alone
    size_t path_length;
    const struct data_type *nested; // record columns of type TYPE_ARRAY and TYPE_MAP: all of it
    const char *sample;             // record columns: what the sample generator draws from
    const char *expression;         // derived columns: as the query file has it, for people
};

/* `sample`: the values that a sample generator (surfaces/demo/sample.h) draws from, as one of
 * several alternatives, each as likely as its neighbours, and what goes for the value as a whole:
 *
 *     finished|live|scheduled       texts; for other types the JSON literal (true|false)
 *     T-{1..9}  M-{#}               a number in a text; {#} is the number of the record
 *     0..40  0.50..9.00             a number, with as many places after the point as the first has
 *     0..total_games                up to the value of a column declared before
 *     2024-06-01T00:00:00Z..2024-06-30T23:59:59Z    a moment, to the second
 *     =team_1_id  =games-wins       the value of a column declared before; a difference of two
 *
 *     ?5                            no value in 5 per cent of the records: null or left out
 *     &team                         columns of the same group draw alike: the third alternative of
 *                                   one goes with the third of the other
 *     @status=finished              null unless that column, wherever declared, has that value */

/* The column's type as SQL ("DECIMAL(10,2)") and in Spark's JSON schemas ("decimal(10,2)"). */
enum { TYPE_TEXT_MAX = 32 };
struct type_text {
    char text[TYPE_TEXT_MAX];
};
struct type_text column_sql_type(const struct column *column);
struct type_text type_text_of(const char *name, enum type type, int precision, int scale);

/* The path of a record column: its key in the root object, or the keys of the objects on the way,
 * outermost first, and its own. */
size_t column_path_length(const struct column *column);
const char *column_key(const struct column *column, size_t level);

/* What one kind of record holds. */
struct record_schema {
    const char *name; // "match"
    const struct column *columns;
    size_t count;
    bool has_identifier; // a record whose first column is null is not a row (PARSE_MODE)
};

/* The four columns of every table that say where a record came from. */
enum { SCHEMA_ORIGIN_COUNT = 4 };
extern const struct column schema_origin_columns[SCHEMA_ORIGIN_COUNT];

/* The source of a column that is computed. */
#define SCHEMA_COMPUTED SIZE_MAX

/* All is borrowed. */
struct schema {
    const char *name;
    const struct column *columns;
    size_t count;
    size_t kafka_timestamp, partition, offset, processing_timestamp; // indexes of columns
    const struct column *inputs;
    size_t input_count, record_count; // inputs [0, record_count) are decoded from the record
    const size_t *sources;  // of each column: the input that it is. NULL: there are no inputs
    const char *identifier; // the keys, or computed columns, without which a record is not a row,
                            // with commas, for people; NULL: there are none
};

/* A plain table without inputs, such as the rejects table. */
void schema_init_plain(struct schema *schema, const char *name, const struct column *columns,
                       size_t count);

/* No table: only what is decoded from a record. */
void schema_init_record(struct schema *schema, const struct record_schema *record);

/* Whether the table's column is computed by an expression, or decoded from the record as it is. */
bool schema_is_computed(const struct schema *schema, size_t column);
bool schema_is_decoded(const struct schema *schema, size_t column);

/* Values that cannot be read are counted by field. Fields are the record's inputs, then all columns
 * of the table; a column that is an input has no faults of its own. */
static inline size_t schema_field_count(const struct schema *schema) {
    return schema->record_count + schema->count;
}
static inline size_t schema_field_of_column(const struct schema *schema, size_t column) {
    return schema->record_count + column;
}
const char *schema_field_name(const struct schema *schema, size_t field);

/* Whether the table can be partitioned by the column: it has such a type, and is not one of the
 * four that say where a record came from, which are always in the files. */
bool schema_can_partition(const struct schema *schema, size_t column);

/* The column's index, or -1. */
int schema_find(const struct schema *schema, struct text name);

#endif
