/* declaration.h: what a table was declared as when its files were written, and whether a table
 * with another declaration can continue.
 *
 *     <checkpoint>/declaration, ours among Spark's files, which ignores it:
 *
 *     v1
 *     {"topic":"trades","columns":[{"name":"id","type":"STRING","notNull":true},…],
 *      "positions":["position"],"partitionBy":["venue"]}
 *
 * The four columns of Kafka are left out: every table has them, wherever they are. So are the
 * positions of LATERAL VIEW among the columns. A table of the program's own queries has no such
 * file: its columns change with the version of the program.
 *
 * What can be changed: a new column at the end that can be null. Older files do not have it, and
 * readers that merge the schemas show null there (docs/queries.md). */
#ifndef STREAMING_STORE_DECLARATION_H
#define STREAMING_STORE_DECLARATION_H

#include "base/pool.h"
#include "streaming/store/store_options.h"

struct declared_column {
    const char *name, *type; // type as SQL
    bool required;           // NOT NULL is written
};

struct name_array {
    const char **names;
    size_t count;
};

struct declaration {
    struct pool pool; // owned; has everything
    const char *topic;
    struct declared_column *columns;
    size_t count;
    struct name_array positions, partition_by;
};

/* Of a query as it is declared now. */
void declaration_of(const struct store_options *options, struct declaration *declaration);
void declaration_deinit(struct declaration *declaration); // accepts a zeroed struct

/* *found false: there is none. ERROR_STATE: it is damaged. */
MUST_CHECK bool declaration_read(const char *checkpoint, struct declaration *declaration,
                                 bool *found, struct error *err);

/* Durable; replaces an existing one. ERROR_RETRY. */
MUST_CHECK bool declaration_write(const char *checkpoint, const struct declaration *declaration,
                                  struct error *err);

/* Whether a table that was declared as `before` can continue as `now`. ERROR_STATE: the first
 * difference that forbids it. */
MUST_CHECK bool declaration_judge(const struct declaration *before, const struct declaration *now,
                                  struct error *err);

/* A start with an open checkpoint: judges a table that has batches. ERROR_STATE adds what to do. */
MUST_CHECK bool declaration_check(const struct store_options *options, struct error *err);

/* Keeps the declaration, once the checkpoint is ours to write to; nothing is written if it is kept
 * already. *added: its number of columns more than before. ERROR_RETRY. */
MUST_CHECK bool declaration_keep(const struct store_options *options, size_t *added,
                                 struct error *err);

#endif
