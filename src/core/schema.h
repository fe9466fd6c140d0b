/* schema.h: the columns of a table, declared once.
 *
 * A record schema is the list of columns that are decoded from a Kafka record. A query adds derived
 * columns. schema_init() puts them together with the four columns that say where a record came
 * from, in the order in which the table has them:
 *
 *     record columns | kafka_timestamp, partition, offset, processing_timestamp | derived columns
 *
 * Both lists follow from a query file (streaming/declare/stream.h). Decoder, expressions, Parquet
 * schema, Spark DDL, printed docs and the sample generator walk this one list. */
#ifndef CORE_SCHEMA_H
#define CORE_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

#include "core/vector.h"

struct data_type;

enum { SCHEMA_COLUMNS_MAX = 64 };

struct column {
    const char *name; // the Parquet column and the SQL column; the JSON key if there is no path
    enum type type;
    int precision, scale; // TYPE_DECIMAL
    bool required;        // never null, and REQUIRED in the file, as in Spark's own files
    const char *doc;
    const char *const *path; // record columns: the keys from the root; NULL: `name` alone
    size_t path_length;
    const char *sample;             // record columns: what the sample generator draws from
    const char *expression;         // derived columns: as the query file has it, for people
    const char *sql;                // derived columns: the same for Spark
    const struct data_type *nested; // record columns of type TYPE_ARRAY and TYPE_MAP: all of it
    bool readable_or_reject; // record columns: what is there but cannot be read as a whole makes
                             // the record a reject, unless the mode is permissive
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

/* What one kind of record holds. The first column is the identifier: a record without it is not a
 * row (PARSE_MODE). */
struct record_schema {
    const char *name; // "match"
    const struct column *columns;
    size_t count;
};

/* The four columns of every table that say where a record came from. */
enum { SCHEMA_ORIGIN_COUNT = 4 };
extern const struct column schema_origin_columns[SCHEMA_ORIGIN_COUNT];

struct schema {
    const char *name;
    struct column columns[SCHEMA_COLUMNS_MAX];
    size_t count;
    size_t record_count; // columns [0, record_count) are decoded from JSON; 0 is the identifier
    size_t kafka_timestamp, partition, offset, processing_timestamp; // indexes
    size_t derived_first; // columns [derived_first, count) are derived
};

/* Too many columns, or a name twice, is a violated check. */
void schema_init(struct schema *schema, const struct record_schema *record,
                 const struct column *derived, size_t derived_count);

/* A plain table without derivation, such as the rejects table. */
void schema_init_plain(struct schema *schema, const char *name, const struct column *columns,
                       size_t count);

/* Whether the table can be partitioned by the column: it has such a type, and is not one of the
 * four that say where a record came from, which are always in the files. */
bool schema_can_partition(const struct schema *schema, size_t column);

/* The column's index, or -1. */
int schema_find(const struct schema *schema, struct text name);

#endif
