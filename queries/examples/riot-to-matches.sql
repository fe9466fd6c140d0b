-- Riot's matches with the columns and the directories of the built-in table `matches`, so that what reads that table
-- reads this one, too.
--
-- A record is the document that Riot's API returns for one match: match-v5, GET /lol/match/v5/matches/{matchId}.
-- https://developer.riotgames.com/apis#match-v5
--
-- To change: the topic; team_1_name and team_2_name, if you know which teams played (Riot only knows the sides).
CREATE TABLE riot_match (
  metadata STRUCT<matchId: STRING>,
  info STRUCT<
    gameId: BIGINT, platformId: STRING, queueId: INT, gameMode: STRING, gameVersion: STRING, tournamentCode: STRING,
    gameStartTimestamp: BIGINT, gameEndTimestamp: BIGINT, gameDuration: INT,
    teams: ARRAY<STRUCT<
      teamId: INT, win: BOOLEAN, objectives: STRUCT<champion: STRUCT<kills: INT>, tower: STRUCT<kills: INT>>>>,
    participants: ARRAY<STRUCT<teamId: INT, goldEarned: INT>>>
) USING kafka OPTIONS (subscribe '${KAFKA_TOPIC_RIOT:-riot-matches}');

CREATE STREAMING TABLE matches_from_riot (
  match_id STRING NOT NULL COMMENT 'Riot\'s identifier, such as EUW1_7212345678',
  game_id STRING COMMENT 'The number in match_id',
  platform_game_id STRING COMMENT 'The same as match_id, made of server and number',
  tournament_id STRING COMMENT 'Riot\'s tournament code; null for other matches',
  tournament_name STRING COMMENT 'Mode, such as CLASSIC or ARAM: Riot knows no name',
  game_version STRING COMMENT 'Full version of the game client, such as 15.9.674.1234',
  patch STRING COMMENT 'Short version, major.minor',
  team_1_id STRING COMMENT 'First team of the document: 100, the blue side',
  team_1_name STRING COMMENT 'Its side',
  team_2_id STRING COMMENT 'Second team of the document: 200, the red side',
  team_2_name STRING COMMENT 'Its side',
  winner_id STRING COMMENT 'The team that won; null if neither did',
  winner_name STRING COMMENT 'Its side',
  match_duration INT COMMENT 'Playing time in seconds',
  team_1_kills INT COMMENT 'Kills of the first team',
  team_2_kills INT COMMENT 'Kills of the second team',
  team_1_gold INT COMMENT 'Gold of the first team: the sum over its players',
  team_2_gold INT COMMENT 'Gold of the second team: the sum over its players',
  team_1_towers INT COMMENT 'Towers destroyed by the first team',
  team_2_towers INT COMMENT 'Towers destroyed by the second team',
  status STRING COMMENT 'Lifecycle: always finished, because Riot returns no match before it has ended',
  started_at TIMESTAMP COMMENT 'When play started',
  finished_at TIMESTAMP COMMENT 'When play ended',
  match_type STRING COMMENT 'Riot\'s queue: 420 is ranked solo',
  game_number INT COMMENT 'Number of the game in its series: always null',
  data_source STRING COMMENT 'The provider\'s source',
  ingestion_timestamp BIGINT COMMENT 'When the record was produced, in milliseconds since 1970',
  kafka_timestamp TIMESTAMP, partition INT, offset BIGINT, processing_timestamp TIMESTAMP,
  duration_minutes INT COMMENT 'match_duration in whole minutes, truncated toward zero',
  is_completed BOOLEAN COMMENT 'Whether status is \'finished\''
)
PARTITIONED BY (status)
COMMENT 'one row per match'
AS SELECT
  metadata.matchId AS match_id,
  CAST(info.gameId AS STRING) AS game_id,
  concat(info.platformId, '_', info.gameId) AS platform_game_id,
  nullif(info.tournamentCode, '') AS tournament_id,
  info.gameMode AS tournament_name,
  info.gameVersion AS game_version,
  concat(split_part(info.gameVersion, '.', 1), '.', split_part(info.gameVersion, '.', 2)) AS patch,
  CAST(info.teams[0].teamId AS STRING) AS team_1_id,
  'Blue' AS team_1_name,
  CAST(info.teams[1].teamId AS STRING) AS team_2_id,
  'Red' AS team_2_name,
  CASE WHEN info.teams[0].win THEN team_1_id WHEN info.teams[1].win THEN team_2_id END AS winner_id,
  CASE WHEN info.teams[0].win THEN team_1_name WHEN info.teams[1].win THEN team_2_name END AS winner_name,
  -- Documents before patch 11.20 have no gameEndTimestamp, and their gameDuration is in milliseconds.
  CASE WHEN info.gameEndTimestamp IS NULL THEN CAST(info.gameDuration DIV 1000 AS INT)
       ELSE info.gameDuration END AS match_duration,
  info.teams[0].objectives.champion.kills AS team_1_kills,
  info.teams[1].objectives.champion.kills AS team_2_kills,
  aggregate(filter(info.participants, p -> p.teamId = info.teams[0].teamId), 0,
            (gold, p) -> gold + p.goldEarned) AS team_1_gold,
  aggregate(filter(info.participants, p -> p.teamId = info.teams[1].teamId), 0,
            (gold, p) -> gold + p.goldEarned) AS team_2_gold,
  info.teams[0].objectives.tower.kills AS team_1_towers,
  info.teams[1].objectives.tower.kills AS team_2_towers,
  'finished' AS status,
  timestamp_millis(info.gameStartTimestamp) AS started_at,
  timestamp_millis(coalesce(info.gameEndTimestamp, info.gameStartTimestamp + info.gameDuration)) AS finished_at,
  CAST(info.queueId AS STRING) AS match_type,
  CAST(NULL AS INT) AS game_number,
  'riot_api' AS data_source,
  unix_millis(kafka_timestamp) AS ingestion_timestamp,
  CAST(match_duration / 60 AS INT) AS duration_minutes,
  status = 'finished' AS is_completed
FROM STREAM riot_match;
