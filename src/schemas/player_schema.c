#include "schemas/schemas.h"

/* clang-format off: one column per line reads better than what the formatter makes of it */
static const struct column columns[] = {
    {"player_id", TYPE_STRING, .doc = "Identifier given by the provider"},
    {"summoner_name", TYPE_STRING, .doc = "Name in the game, with number"},
    {"game_name", TYPE_STRING, .doc = "Name part of the game account"},
    {"tag_line", TYPE_STRING, .doc = "Tag part of the game account"},
    {"first_name", TYPE_STRING, .doc = "Given name"},
    {"last_name", TYPE_STRING, .doc = "Family name"},
    {"nickname", TYPE_STRING, .doc = "Name as a player"},
    {"nationality", TYPE_STRING, .doc = "Country code"},
    {"current_team_id", TYPE_STRING, .doc = "Team the player is with"},
    {"current_team_name", TYPE_STRING, .doc = "Its name"},
    {"role", TYPE_STRING, .doc = "Position in the team"},
    {"active", TYPE_BOOL, .doc = "Whether the player still plays"},
    {"professional", TYPE_BOOL, .doc = "Whether the player is a professional"},
    {"total_games", TYPE_INT32, .doc = "Games played"},
    {"total_wins", TYPE_INT32, .doc = "Games won"},
    {"total_losses", TYPE_INT32, .doc = "Games lost"},
    {"win_rate", TYPE_DOUBLE, .doc = "Wins per cent of games, as the provider counts"},
    {"avg_kills", TYPE_DOUBLE, .doc = "Kills per game"},
    {"avg_deaths", TYPE_DOUBLE, .doc = "Deaths per game"},
    {"avg_assists", TYPE_DOUBLE, .doc = "Assists per game"},
    {"kda_ratio", TYPE_DOUBLE, .doc = "(kills + assists) / deaths, as the provider counts"},
    {"avg_cs_per_min", TYPE_DOUBLE, .doc = "Creep score per minute"},
    {"avg_gold_per_min", TYPE_DOUBLE, .doc = "Gold per minute"},
    {"last_match_date", TYPE_TIMESTAMP, .doc = "When the player last played"},
    {"recent_form", TYPE_STRING, .doc = "Newest results, W or L"},
    {"data_source", TYPE_STRING, .doc = "Where the provider has it from"},
    {"profile_updated_at", TYPE_TIMESTAMP, .doc = "When the profile last changed"},
    {"ingestion_timestamp", TYPE_INT64,
     .doc = "When the producer took it in, milliseconds since 1970"},
};
/* clang-format on */

const struct record_schema player_schema = {
    .name = "player",
    .columns = columns,
    .count = sizeof columns / sizeof columns[0],
};
