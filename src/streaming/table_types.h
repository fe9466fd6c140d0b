/* table_types.h: whether the files of a table have the query's types.
 *
 * Spark takes the schema of a table from one of its files and reads the others by it (mergeSchema
 * is off by default). A column that Spark takes for another type in one file than in the next makes
 * the table unreadable, or changes its type with the order of the files. All else may differ: INT96
 * and microseconds or milliseconds, the order of columns, whether a column may be null, the case of
 * its name, a column more or less. */
#ifndef STREAMING_TABLE_TYPES_H
#define STREAMING_TABLE_TYPES_H

#include "core/schema.h"
#include "pipeline/parquet/metadata_reader.h"
#include "streaming/store.h"

/* The first column of the file that has another type than the column of its name; NULL: none.
 * `wanted`: the type it should have. */
const struct file_column *table_types_differ(const struct schema *schema,
                                             const struct file_metadata *metadata,
                                             const char **wanted);

/* Looks at a few files, the newest ones if the table has a sink log. What can't be read is left to
 * who needs it. ERROR_STATE names the file, the column, both types and the cure. Nothing is checked
 * if the options name no stream. */
MUST_CHECK bool table_types_check_few(const struct store *store, struct error *err);

/* The same of all files. */
MUST_CHECK bool table_types_check_all(const struct store *store, struct error *err);

#endif
