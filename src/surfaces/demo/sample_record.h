/* sample_record.h: what the records of a query's topic hold, with what a sample of each field is
 * drawn from: the file's option sample.FIELD, or a text that suits its type. */
#ifndef SURFACES_DEMO_SAMPLE_RECORD_H
#define SURFACES_DEMO_SAMPLE_RECORD_H

#include "base/pool.h"
#include "streaming/declare/stream.h"

struct sample_record {
    struct pool pool;            // owned; has everything
    struct record_schema schema; // the scalar fields outside arrays and maps, named by their paths,
                                 // in declared order; SCHEMA_COLUMNS_MAX at the most
    const struct data_type *type; // as declared; borrowed from the query
    size_t identifier; // of the schema: the field that a record must have for a row; 0 without one
};

void sample_record_init(struct sample_record *record, const struct stream *stream);
void sample_record_deinit(struct sample_record *record);

/* What values of a type are drawn from (core/schema.h). `name`: the field's. */
enum { SAMPLE_PATTERN_MAX = 96 };
void sample_pattern(char pattern[static SAMPLE_PATTERN_MAX], const char *name,
                    const struct data_type *type, bool is_identifier);

#endif
