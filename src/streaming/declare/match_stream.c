#include "pipeline/derive.h"
#include "schemas/schemas.h"
#include "streaming/declare/stream.h"

static const struct column derived[] = {
    {"duration_minutes", TYPE_INT32, .doc = "match_duration in whole minutes, cut toward zero",
     .derive = derive_duration_minutes, .inputs = {"match_duration"},
     .sql = "CAST(match_duration / 60 AS INT)"},
    {"is_completed", TYPE_BOOL, .doc = "Whether status is 'finished'",
     .derive = derive_is_completed, .inputs = {"status"}, .sql = "status = 'finished'"},
};

const struct stream match_stream = {
    .name = "match_stream",
    .job = "matches",
    .class = "MatchStreamProcessor",
    .topic_setting = "KAFKA_TOPIC_MATCHES",
    .topic = "esports-matches",
    .partition_by_setting = "MATCHES_PARTITION_BY",
    .partition_by = "status",
    .record = &match_schema,
    .derived = derived,
    .derived_count = sizeof derived / sizeof derived[0],
};
