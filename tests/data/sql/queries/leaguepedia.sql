-- Leaguepedia's cargo export: every value is a text, and keys have blanks in them.
CREATE TABLE scoreboard (
  GameId STRING,
  Tournament STRING,
  Team1 STRING COMMENT 'Blue side',
  Team2 STRING COMMENT 'Red side',
  WinTeam STRING,
  `Gamelength Number` STRING COMMENT 'Minutes, with a fraction',
  Team1Kills STRING,
  Team2Kills STRING,
  `DateTime UTC` STRING,
  Patch STRING
) USING kafka OPTIONS (subscribe '${KAFKA_TOPIC_SCOREBOARD:-leaguepedia-games}');

CREATE STREAMING TABLE leaguepedia_games (
  game_id STRING NOT NULL COMMENT 'Leaguepedia\'s own',
  played_on DATE,
  patch STRING,
  tournament STRING,
  blue STRING,
  red STRING,
  blue_won BOOLEAN COMMENT 'null: no result yet',
  duration_s INT,
  kills INT COMMENT 'of both teams',
  source STRING
)
PARTITIONED BY (played_on)
COMMENT 'one row per game'
TBLPROPERTIES (trigger = '1 minute', startingOffsets = 'earliest')
AS SELECT
  s.GameId AS game_id,
  CAST(`DateTime UTC` AS DATE) AS played_on,
  nullif(Patch, '') AS patch,
  Tournament AS tournament,
  Team1 AS blue, Team2 AS red,
  WinTeam = Team1 AS blue_won,
  CAST(CAST(`Gamelength Number` AS DOUBLE) * 60 AS INT) AS duration_s,
  CAST(Team1Kills AS INT) + CAST(Team2Kills AS INT) AS kills,
  'leaguepedia' AS source
FROM STREAM scoreboard AS s
WHERE GameId IS NOT NULL AND GameId <> '';
