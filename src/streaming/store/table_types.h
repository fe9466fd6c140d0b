/* table_types.h: whether the files of a table have the query's types.
 *
 * Spark takes the schema of a table from one of its files and reads the others by it (mergeSchema
 * is off by default). A column that Spark takes for another type in one file than in the next makes
 * the table unreadable, or changes its type with the order of the files. All else may differ: INT96
 * and microseconds or milliseconds, the order of columns, whether a column may be null, the case of
 * its name, a column more or less. */
#ifndef STREAMING_STORE_TABLE_TYPES_H
#define STREAMING_STORE_TABLE_TYPES_H

#include "core/schema.h"
#include "pipeline/parquet/read/metadata_reader.h"
#include "streaming/store/store_options.h"

/* The first column of the file that has another type than the column of its name; NULL: none. Where
 * the footer could not be parsed, only a nested column is looked at. `wanted`: the type it should
 * have. */
const struct file_column *table_types_differ(const struct schema *schema,
                                             const struct file_metadata *metadata,
                                             struct type_text *wanted);

/* Looks at a few files, the newest ones if the table has a sink log; the checkpoint need not be
 * there. ERROR_STATE names the file, the column, both types and what to do. A file that can't be
 * read harms no new one, so it is not a failure: *unreadable says which it is and why (the first;
 * ERROR_NONE: there is none). Nothing is checked if the options name no stream. */
MUST_CHECK bool table_types_check_few(const struct store_options *options, struct error *unreadable,
                                      struct error *err);

/* The same of all files; one that can't be read is a failure. */
MUST_CHECK bool table_types_check_all(const struct store_options *options, struct error *err);

/* What to do about an unreadable file. */
extern const char table_types_unreadable_cure[];

#endif
