/* plan.h: what a query file means: every name looked up, every expression typed. It is the only
 * thing that the rest of the program knows of a query file: decoding, evaluation, the table's
 * columns, Spark's schema, the text for a cluster, documents and samples follow from it.
 *
 * All of a plan is in its own pool; the tree that it was made of may go. Immutable, except for
 * plan_set_date(). */
#ifndef SQL_PLAN_PLAN_H
#define SQL_PLAN_PLAN_H

#include "sql/functions/function.h"
#include "sql/syntax/tree.h"

enum plan_input_kind {
    INPUT_RECORD, // a scalar, ARRAY or MAP at `path` in the record; never a STRUCT, which is its
                  // paths
    INPUT_KEY,
    INPUT_VALUE,
    INPUT_TOPIC,
    INPUT_PARTITION,
    INPUT_OFFSET,
    INPUT_TIMESTAMP,
    INPUT_TIMESTAMP_TYPE,
    INPUT_HEADERS,              // ARRAY<STRUCT<key: STRING, value: BINARY>>
    INPUT_PROCESSING_TIMESTAMP, // when the batch was planned
};

/* What is read of a Kafka record; each thing once, however often it is used. */
struct plan_input {
    enum plan_input_kind kind;
    struct data_type type;
    const char *const *path; // INPUT_RECORD: the keys, from the root; spelled as declared
    size_t path_length;
};

enum expr_kind {
    EXPR_LITERAL,
    EXPR_INPUT,     // inputs[index]
    EXPR_COLUMN,    // columns[index], an earlier one in `order`
    EXPR_CALL,      // function(arguments): operators, CASE and casts as well
    EXPR_FIELD,     // field `index` of the STRUCT arguments[0]; null where that is null
    EXPR_VIEW,      // `part` of views[index]
    EXPR_LAMBDA,    // only as an argument of a function that takes one: arguments[0] for its
                    // parameters, of which there are `index` and which follow as arguments
    EXPR_PARAMETER, // of a lambda around it: number `index` of all parameters that are known there,
                    // the outermost lambda's first
};

/* What a LATERAL VIEW gives for each element. */
enum plan_view_part {
    VIEW_POSITION, // INT, from 0; null in the row that OUTER adds
    VIEW_ELEMENT,  // of an ARRAY; of a MAP, the key
    VIEW_VALUE,    // of a MAP
};
enum { VIEW_PARTS = VIEW_VALUE + 1 };

struct expr {
    struct constant constant; // EXPR_LITERAL
    struct data_type type;
    const struct function *function; // EXPR_CALL; NULL: a cast to `type`
    const char *written;             // as the file has it: EXPR_CALL: its name; NULL:
                                     // function->name; EXPR_PARAMETER: its name
    kernel_fn *kernel;               // EXPR_CALL
    const struct expr *const *arguments;
    size_t argument_count;
    size_t index;             // see enum expr_kind
    enum plan_view_part part; // EXPR_VIEW
    size_t level; // how many of the plan's views must be exploded before it can be computed: 0, the
                  // record alone is enough
    uint64_t parameters; // bit i: it needs EXPR_PARAMETER i of a lambda around it
    size_t parts; // of its text for Spark, in which guards repeat arguments; the plan bounds it
    struct sql_place place;
    enum expr_kind kind;
    bool can_be_null, can_fault;
    bool is_constant; // made of literals alone
    bool is_try;      // TRY_CAST
    bool is_implicit; // a cast that the file does not write, because Spark adds it by itself
};

enum { PLAN_VIEWS_MAX = 32 };

/* LATERAL VIEW. The argument is an ARRAY or a MAP and uses only the record and earlier views, so
 * views are exploded in their order. */
struct plan_view {
    const struct expr *argument;
    bool is_outer;    // a value without elements, or null, gives one row whose parts are null
    const char *name; // "x": of the view
    const char *position, *element, *value; // aliases; NULL: has none
    size_t position_column; // index of columns: each view's position is a column of the table,
                            // appended ("position", "position_2", …) if the file does not select it
    struct sql_place place;
};

struct plan_column {
    const char *name;
    struct data_type type;
    bool required; // NOT NULL is written: a null makes the record a reject. A column that cannot
                   // be null at all is one whose expr->can_be_null is false
    const char *comment; // NULL: none
    const struct expr *expr;
    struct sql_place place;
};

struct query_plan {
    struct pool pool; // owned
    const char *path; // of the file, for messages
    const char *name; // of the table: --job, directories
    struct sql_place place;
    const char *topic; // as written: ${NAME:-default} is replaced by its reader
    const char *comment;
    struct data_type record; // STRUCT as declared; no fields: the value is not parsed
    struct data_type cut;    // the same, cut to the paths that are used, in declared order: what
                             // from_json gets, here and on a cluster (docs/queries.md)
    const struct plan_input *inputs;
    size_t input_count;
    const struct plan_column *columns; // in the table's order: all of them, also Kafka's four
    size_t column_count;
    const size_t *order; // column_count indexes of columns, as the SELECT list has them: each uses
                         // only those before it
    size_t kafka_timestamp, partition, offset, processing_timestamp; // indexes of columns
    const size_t *partition_columns;
    size_t partition_column_count;
    size_t date;   // index of columns: PLAN_DATE, the date of Kafka's timestamp in the session's
                   // time zone; PLAN_NO_DATE: the table has another column of this name
    bool has_date; // it is the last of the columns: a PARTITION BY names it
    const struct plan_view *views;
    size_t view_count;
    const struct expr *where; // NULL: none
    const struct sql_property *options, *properties;
    size_t option_count, property_count;
};

/* Whether each record that is not a reject is exactly one row. If not, manifests count records and
 * rows apart (streaming/store/manifest.h). */
static inline bool plan_is_row_per_record(const struct query_plan *plan) {
    return plan->view_count == 0 && plan->where == NULL;
}

/* Positions name rows, so they are in every file; and a STRING value can make a reject of a record,
 * which an element cannot. */
static inline bool plan_may_partition(const struct query_plan *plan, size_t column) {
    for (size_t i = 0; i < plan->view_count; i++)
        if (plan->views[i].position_column == column)
            return false;
    return plan->columns[column].type.kind != TYPE_STRING || plan->columns[column].expr->level == 0;
}

/* A column that any table can be partitioned by without selecting it. It is one of the columns only
 * while plan->has_date; a table can also select it itself, with just this meaning. */
#define PLAN_DATE "ingest_date"
#define PLAN_DATE_MEANING "CAST(kafka_timestamp AS DATE)"
#define PLAN_NO_DATE SIZE_MAX
#define PLAN_DATE_TAKEN                                                                            \
    "'" PLAN_DATE "' means " PLAN_DATE_MEANING ", the date of Kafka's timestamp, but the table "   \
    "has a column of this name with another meaning: give that column another name (AS …)"

/* Makes it the last column, or takes it away; not if the table selects it or has another of this
 * name. Before anything else uses the plan. */
void plan_set_date(struct query_plan *plan, bool wanted);

/* What an input that is not a field of the record is called: as in Spark's Kafka source, or
 * "processing_timestamp". */
const char *plan_kafka_name(enum plan_input_kind kind);

/* One plan for table `index` of a parsed file. ERROR_CONFIG with "path:line:column: ": an unknown
 * name with the nearest one, a type that does not fit with the CAST that is missing, what is
 * refused with its reason. */
MUST_CHECK bool plan_make(const struct sql_file *file, size_t index, struct query_plan *plan,
                          struct error *err);
void plan_deinit(struct query_plan *plan); // accepts a zeroed struct

/* Whether a LATERAL VIEW reads the input, which is an ARRAY or MAP of the record. If there is a
 * value that cannot be read as a whole, rows would vanish; so the record is a reject then, unless
 * the mode is permissive. */
bool plan_explodes(const struct query_plan *plan, size_t input);

/* The expression as SQL for Spark 4, with guards where Spark would throw. Inputs are written as
 * `input_names`, which are SQL ("`r`.`kills`"), earlier columns by their names. Behind the names of
 * the inputs are VIEW_PARTS of each view. Implicit casts are written, too, so that nothing is left
 * to Spark's rules. In `pool`. */
const char *expr_sql(const struct query_plan *plan, const struct expr *expr,
                     const char *const *input_names, struct pool *pool);

/* The same for people: as the file could have written it. Read again, it gives the same
 * expression. */
const char *expr_text(const struct query_plan *plan, const struct expr *expr, struct pool *pool);

#endif
