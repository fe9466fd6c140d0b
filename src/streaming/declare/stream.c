#include "streaming/declare/stream.h"

#include <stddef.h>

#include "pipeline/derive.h"
#include "schemas/schemas.h"

static const struct column match_derived[] = {
    {"duration_minutes", TYPE_INT32,
     .doc = "match_duration in whole minutes, truncated toward zero",
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
    .derived = match_derived,
    .derived_count = sizeof match_derived / sizeof match_derived[0],
};

static const struct column player_derived[] = {
    {"calculated_win_rate", TYPE_DOUBLE,
     .doc = "win_rate; if it is null, wins as a percentage of games",
     .derive = derive_calculated_win_rate, .inputs = {"total_games", "total_wins", "win_rate"},
     .sql = "CASE WHEN total_games > 0 AND win_rate IS NULL "
            "THEN ROUND(total_wins / total_games * 100, 2) ELSE win_rate END"},
    {"calculated_kda", TYPE_DOUBLE,
     .doc = "kda_ratio; if it is null, (kills + assists) / deaths, or 99.99 without deaths",
     .derive = derive_calculated_kda,
     .inputs = {"kda_ratio", "avg_kills", "avg_deaths", "avg_assists"},
     .sql = "CASE WHEN kda_ratio IS NULL AND avg_deaths > 0 "
            "THEN ROUND((avg_kills + avg_assists) / avg_deaths, 2) "
            "WHEN kda_ratio IS NULL AND avg_deaths = 0 THEN 99.99D ELSE kda_ratio END"},
    {"status", TYPE_STRING, .required = true, .doc = "active, inactive or unknown",
     .derive = derive_activity_status, .inputs = {"active"},
     .sql = "CASE WHEN active THEN 'active' WHEN NOT active THEN 'inactive' ELSE 'unknown' END"},
    {"full_name", TYPE_STRING, .required = true,
     .doc = "first_name and last_name, separated by a space; nulls are left out",
     .derive = derive_full_name, .inputs = {"first_name", "last_name"},
     .sql = "CONCAT_WS(' ', first_name, last_name)"},
    {"has_activity", TYPE_BOOL, .doc = "Whether the player has played any game",
     .derive = derive_has_activity, .inputs = {"total_games"}, .sql = "total_games > 0"},
};

const struct stream player_stream = {
    .name = "player_stream",
    .job = "players",
    .class = "PlayerStreamProcessor",
    .topic_setting = "KAFKA_TOPIC_PLAYERS",
    .topic = "esports-players",
    .partition_by_setting = "PLAYERS_PARTITION_BY",
    .partition_by = "status,role",
    .record = &player_schema,
    .derived = player_derived,
    .derived_count = sizeof player_derived / sizeof player_derived[0],
};

const struct stream *const streams[] = {&match_stream, &player_stream, NULL};

void stream_schema(const struct stream *stream, struct schema *schema) {
    schema_init(schema, stream->record, stream->derived, stream->derived_count);
}
