#include "core/reject.h"

#include "base/check.h"

const char *reject_reason_name(enum reject_reason reason) {
    static const char *const names[REJECT_REASON_COUNT] = {
        [REJECT_NULL_VALUE] = "null_value",
        [REJECT_BLANK_VALUE] = "blank_value",
        [REJECT_MALFORMED] = "malformed_json",
        [REJECT_NOT_AN_OBJECT] = "not_an_object",
        [REJECT_MISSING_IDENTIFIER] = "missing_identifier",
        [REJECT_NULL_IDENTIFIER] = "null_identifier",
        [REJECT_PARTITION_VALUE] = "partition_value",
        [REJECT_KAFKA_TIME] = "kafka_timestamp",
        [REJECT_BAD_FIELD] = "bad_field",
    };
    check(reason < REJECT_REASON_COUNT);
    return names[reason];
}
