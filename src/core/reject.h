/* reject.h: why a record could not become a row. */
#ifndef CORE_REJECT_H
#define CORE_REJECT_H

#include <stddef.h>

enum reject_reason {
    REJECT_NULL_VALUE,         // a tombstone
    REJECT_BLANK_VALUE,        // nothing but space, tab, CR and LF
    REJECT_MALFORMED_JSON,     // not JSON, or beyond Spark's limits on nesting, numbers and keys
    REJECT_NOT_AN_OBJECT,      // JSON, but an array, a string, a number, a literal
    REJECT_MISSING_IDENTIFIER, // an object without the identifier
    REJECT_NULL_IDENTIFIER,    // the identifier is null, or its value could not be read
    REJECT_PARTITION_VALUE,    // its partition value can't be a directory name
    REJECT_KAFKA_TIME,         // Kafka's timestamp of it is beyond what the column can hold
    REJECT_REASON_COUNT,
};

struct reject {
    enum reject_reason reason;
    size_t position;  // byte offset into the value where the trouble was seen
    char detail[192]; // one sentence for a person, terminated
};

/* The constant name of a reason in the rejects table, log and metrics, such as "malformed_json". */
const char *reject_reason_name(enum reject_reason reason);

#endif
