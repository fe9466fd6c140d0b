/* partition_kinds.h: partition columns whose texts readers take for something else.
 *
 * The name of a directory has no type. Spark, DuckDB, Polars and pyarrow guess a column's type from
 * all of its values, each by rules of its own, which tests/stories/test_dates.py records. A STRING
 * of which all values look like numbers, dates or truth values is read as such, and the text is
 * gone: 01 becomes 1. */
#ifndef STREAMING_STORE_PARTITION_KINDS_H
#define STREAMING_STORE_PARTITION_KINDS_H

#include "base/text.h"
#include "streaming/store/store_options.h"

enum value_kind { VALUE_TEXT, VALUE_NUMBER, VALUE_MOMENT, VALUE_BOOLEAN };

/* What at least one of the readers takes the value for. Pure. */
enum value_kind value_kind_of(struct text value);

struct misleading_column {
    const char *name; // borrowed from the options
    enum value_kind kind;
    char example[40]; // one of its values
};

enum { MISLEADING_COLUMNS_MAX = 8, MISLEADING_TEXT_MAX = 400 };

/* The STRING columns that the table is partitioned by and of which all values that it has, except
 * null, look like something else; the number of them. Looks at directories, of which it gives up
 * after some thousands; what cannot be listed counts as not there. */
size_t partition_kinds_find(const struct store_options *options,
                            struct misleading_column found[static MISLEADING_COLUMNS_MAX]);

/* "partition column 'patch' is STRING, but all of its values look like numbers (14.1): …" */
void misleading_column_print(const struct misleading_column *column,
                             char text[static MISLEADING_TEXT_MAX]);

#endif
