/* reject.h: why a record could not become a row, and what a query does with such records. */
#ifndef CORE_REJECT_H
#define CORE_REJECT_H

#include <stddef.h>

enum parse_mode {
    PARSE_REJECT,     // a record without its identifier, or that can't be read, is a reject
    PARSE_PERMISSIVE, // such a record is a row of nulls, as in Spark; null and blank: rejects
    PARSE_FAILFAST,   // as PARSE_REJECT; the caller stops the query at the first reject
};

enum reject_reason {
    REJECT_NULL_VALUE,         // a tombstone
    REJECT_BLANK_VALUE,        // only space, tab, CR and LF
    REJECT_MALFORMED,          // not in the record's format, or beyond the format's limits
    REJECT_NOT_AN_OBJECT,      // well-formed, but an array, a string, a number, a literal
    REJECT_MISSING_IDENTIFIER, // an object without the identifier
    REJECT_NULL_IDENTIFIER,    // the identifier is null, or its value could not be read
    REJECT_PARTITION_VALUE,    // its partition value can't be a directory name
    REJECT_KAFKA_TIME,         // Kafka's timestamp of it is beyond what the column can hold
    REJECT_BAD_FIELD,          // a field that must be readable (column.readable_or_reject) is not
    REJECT_REASON_COUNT,
};

enum { REJECT_DETAIL_SIZE = 192 };

struct reject {
    enum reject_reason reason;
    size_t position;                 // byte offset into the value where the trouble was seen
    char detail[REJECT_DETAIL_SIZE]; // one sentence for a person, terminated
};

/* The constant name of a reason in the rejects table, log and metrics, such as "malformed_json". */
const char *reject_reason_name(enum reject_reason reason);

#endif
