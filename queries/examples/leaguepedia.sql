-- Leaguepedia: professional games of League of Legends, one row per game.
--
-- A record is one row of the table ScoreboardGames, the object in "title" that Leaguepedia's API returns:
-- GET /api.php?action=cargoquery&format=json&tables=ScoreboardGames&fields=GameId,MatchId,Tournament,…
-- https://lol.fandom.com/wiki/Special:CargoTables/ScoreboardGames
--
-- All values are texts there, also numbers and times, and an empty text means that there is no value. Keys have a blank
-- where the field has an underscore: `DateTime UTC`. CAST of a text that is not a number is null.
--
-- To change: the topic; the fields, which are those that the producer asks for.
CREATE TABLE leaguepedia (
  GameId STRING, MatchId STRING, Tournament STRING, Team1 STRING, Team2 STRING, WinTeam STRING, LossTeam STRING,
  `DateTime UTC` STRING, `Gamelength Number` STRING, Patch STRING, `N GameInMatch` STRING,
  Team1Kills STRING, Team2Kills STRING, Team1Gold STRING, Team2Gold STRING, Team1Towers STRING, Team2Towers STRING,
  Team1Dragons STRING, Team2Dragons STRING, Team1Barons STRING, Team2Barons STRING
) USING kafka OPTIONS (
  subscribe '${KAFKA_TOPIC_LEAGUEPEDIA:-leaguepedia-games}',
  -- what `sample` and `--demo` draw a field's values from
  sample.GameId 'LCK/2026 Season/Spring_{#}_1',
  sample.`DateTime UTC` '2026-05-{10..28} {10..23}:05:00',
  sample.`Gamelength Number` '{20..45}.{10..99}',
  sample.Team1Kills '{0..40}',
  sample.Team2Kills '{0..40}',
  sample.Team1Gold '{40000..80000}',
  sample.Team2Gold '{40000..80000}'
);

CREATE STREAMING TABLE leaguepedia_games (
  game_id STRING NOT NULL COMMENT 'Leaguepedia\'s identifier',
  match_id STRING COMMENT 'Its identifier of the series',
  game_number INT COMMENT 'Number of the game in its series, from 1',
  tournament STRING COMMENT 'Tournament, such as LCK 2026 Spring Playoffs',
  patch STRING COMMENT 'Version of the game, such as 16.8',
  team_1_name STRING COMMENT 'First team, which is on the blue side',
  team_2_name STRING COMMENT 'Second team, which is on the red side',
  winner_name STRING COMMENT 'The team that won',
  started_at TIMESTAMP COMMENT 'When the game began',
  day DATE COMMENT 'Day of started_at',
  duration_s INT COMMENT 'Playing time in seconds',
  team_1_kills INT COMMENT 'Kills of the first team',
  team_2_kills INT COMMENT 'Kills of the second team',
  team_1_gold INT COMMENT 'Gold of the first team',
  team_2_gold INT COMMENT 'Gold of the second team',
  team_1_towers INT COMMENT 'Towers destroyed by the first team',
  team_2_towers INT COMMENT 'Towers destroyed by the second team',
  team_1_dragons INT COMMENT 'Dragons killed by the first team',
  team_2_dragons INT COMMENT 'Dragons killed by the second team',
  team_1_barons INT COMMENT 'Barons killed by the first team',
  team_2_barons INT COMMENT 'Barons killed by the second team'
)
PARTITIONED BY (day)
COMMENT 'one row per game'
AS SELECT
  nullif(trim(GameId), '') AS game_id,
  nullif(MatchId, '') AS match_id,
  CAST(`N GameInMatch` AS INT) AS game_number,
  nullif(Tournament, '') AS tournament,
  nullif(Patch, '') AS patch,
  nullif(Team1, '') AS team_1_name,
  nullif(Team2, '') AS team_2_name,
  nullif(WinTeam, '') AS winner_name,
  -- The text is in UTC, no matter what the session's time zone is.
  to_timestamp(concat(`DateTime UTC`, 'Z')) AS started_at,
  CAST(started_at AS DATE) AS day,
  CAST(round(CAST(`Gamelength Number` AS DOUBLE) * 60) AS INT) AS duration_s,
  CAST(Team1Kills AS INT) AS team_1_kills,
  CAST(Team2Kills AS INT) AS team_2_kills,
  CAST(Team1Gold AS INT) AS team_1_gold,
  CAST(Team2Gold AS INT) AS team_2_gold,
  CAST(Team1Towers AS INT) AS team_1_towers,
  CAST(Team2Towers AS INT) AS team_2_towers,
  CAST(Team1Dragons AS INT) AS team_1_dragons,
  CAST(Team2Dragons AS INT) AS team_2_dragons,
  CAST(Team1Barons AS INT) AS team_1_barons,
  CAST(Team2Barons AS INT) AS team_2_barons
FROM STREAM leaguepedia;
