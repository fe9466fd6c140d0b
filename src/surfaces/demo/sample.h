/* sample.h: deterministic sample records, made from the `.sample` texts of a record schema
 * (core/schema.h; sample_record.h). The same schema, seed and number give the same bytes
 * everywhere.
 *
 * Most records are good ones. Every SAMPLE_FAULT_EVERYth has a fault, in turn: one for every reason
 * to reject a record, and some that leave a row without a value. */
#ifndef SURFACES_DEMO_SAMPLE_H
#define SURFACES_DEMO_SAMPLE_H

#include <stdint.h>

#include "surfaces/demo/sample_draw.h"
#include "surfaces/settings/command.h"

enum { SAMPLE_FAULT_EVERY = 20, SAMPLE_SIZE_MAX = 256 << 10 };

enum sample_fault {
    SAMPLE_GOOD,
    SAMPLE_NULL_VALUE, // from here on: rejects
    SAMPLE_BLANK,
    SAMPLE_CUT, // malformed JSON
    SAMPLE_ARRAY,
    SAMPLE_NO_IDENTIFIER,
    SAMPLE_NULL_IDENTIFIER,
    SAMPLE_BAD_PARTITION, // a text that can't be a directory, in a partition column
    SAMPLE_WRONG_TYPE,    // from here on: rows; another column in each
    SAMPLE_OUT_OF_RANGE,
    SAMPLE_UNKNOWN_KEY,
    SAMPLE_FAULT_COUNT,
};

enum sample_fault sample_fault_of(uint64_t number);

/* Room for one record. Too large for a stack. */
struct sample {
    struct sample_values values;  // in and out
    const struct data_type *type; // in; borrowed: the record. NULL: the fields of the schema
    size_t identifier;            // in: the schema's field that must not be null
    // In; borrowed: names of columns. One that is not a text column of the schema does not count.
    const char *const *partition_by;
    size_t partition_by_count;

    size_t next;                 // of the schema's fields, while the record is written
    char value[SAMPLE_SIZE_MAX]; // out; what is longer is cut
    size_t size;                 // in bytes
    bool is_null;                // the record has no value
    char key[SAMPLE_VALUE_MAX];  // the identifier, terminated
    int64_t timestamp_ms;        // since 1970; rises with the number
};

/* Fills in the `out` part. */
void sample_make(struct sample *sample, uint64_t number);

/* The same. ERROR_CONFIG: nothing can be drawn from a `.sample` text. */
MUST_CHECK bool sample_try(struct sample *sample, uint64_t number, struct error *err);

/* `sample`: records as lines of JSON, without those that are none. */
MUST_CHECK bool sample_command(const struct command_call *call, struct error *err);

#endif
