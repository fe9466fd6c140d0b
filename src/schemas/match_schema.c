#include "schemas/schemas.h"

/* clang-format off: one column per line reads better than what the formatter makes of it */
static const struct column columns[] = {
    {"match_id", TYPE_STRING, .doc = "Identifier given by the provider"},
    {"game_id", TYPE_STRING, .doc = "The game within a match, at the provider"},
    {"platform_game_id", TYPE_STRING, .doc = "The game at the platform it was played on"},
    {"tournament_id", TYPE_STRING, .doc = "Tournament that the match belongs to"},
    {"tournament_name", TYPE_STRING, .doc = "Its name"},
    {"game_version", TYPE_STRING, .doc = "Full version of the game client"},
    {"patch", TYPE_STRING, .doc = "Short version, major.minor"},
    {"team_1_id", TYPE_STRING, .doc = "First team"},
    {"team_1_name", TYPE_STRING, .doc = "Its name"},
    {"team_2_id", TYPE_STRING, .doc = "Second team"},
    {"team_2_name", TYPE_STRING, .doc = "Its name"},
    {"winner_id", TYPE_STRING, .doc = "The team that won; null until finished"},
    {"winner_name", TYPE_STRING, .doc = "Its name"},
    {"match_duration", TYPE_INT32, .doc = "Playing time in seconds"},
    {"team_1_kills", TYPE_INT32, .doc = "Kills of the first team"},
    {"team_2_kills", TYPE_INT32, .doc = "Kills of the second team"},
    {"team_1_gold", TYPE_INT32, .doc = "Gold of the first team"},
    {"team_2_gold", TYPE_INT32, .doc = "Gold of the second team"},
    {"team_1_towers", TYPE_INT32, .doc = "Towers taken by the first team"},
    {"team_2_towers", TYPE_INT32, .doc = "Towers taken by the second team"},
    {"status", TYPE_STRING, .doc = "Lifecycle: scheduled, live or finished"},
    {"started_at", TYPE_TIMESTAMP, .doc = "Start of play"},
    {"finished_at", TYPE_TIMESTAMP, .doc = "End of play; null until finished"},
    {"match_type", TYPE_STRING, .doc = "Mode, such as best_of_3"},
    {"game_number", TYPE_INT32, .doc = "Number of the game within its series"},
    {"data_source", TYPE_STRING, .doc = "Where the provider has it from"},
    {"ingestion_timestamp", TYPE_INT64,
     .doc = "When the producer took it in, milliseconds since 1970"},
};
/* clang-format on */

const struct record_schema match_schema = {
    .name = "match",
    .columns = columns,
    .count = sizeof columns / sizeof columns[0],
};
