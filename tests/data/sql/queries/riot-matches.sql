-- One topic, two tables: matches by queue, and every record's bytes as they came.
CREATE TABLE riot (
  metadata STRUCT<matchId: STRING, dataVersion: STRING>,
  info STRUCT<gameId: BIGINT, platformId: STRING, queueId: INT, gameVersion: STRING, gameStartTimestamp: BIGINT, gameDuration: INT,
    endOfGameResult: STRING, tournamentCode: STRING, teams: ARRAY<STRUCT<teamId: INT, win: BOOLEAN>>>
) USING kafka OPTIONS (subscribe '${KAFKA_TOPIC_RIOT:-riot-matches}') COMMENT 'match-v5';

CREATE STREAMING TABLE riot_matches (
  match_id STRING NOT NULL, queue_id INT, day DATE, long_game BOOLEAN, duration_minutes INT, code STRING, offset BIGINT,
  result STRING COMMENT 'how it ended', platform_game STRING
)
PARTITIONED BY (queue_id) COMMENT 'one row per match' AS
SELECT metadata.matchId AS match_id, info.queueId AS queue_id,
  CAST(CAST(info.gameStartTimestamp / 1000 AS TIMESTAMP) AS DATE) AS day,
  CAST(info.gameDuration DIV 60 AS INT) AS duration_minutes, duration_minutes >= 40 AS long_game, offset,
  nullif(info.tournamentCode, '') AS code, info.endOfGameResult AS result, concat(info.platformId, '_', info.gameId) AS platform_game
FROM STREAM riot WHERE info.queueId IN (400, 420, 430, 440) AND info.gameDuration BETWEEN 300 AND 36000;

CREATE STREAMING TABLE riot_bytes COMMENT 'the records as they came' AS
SELECT key, value, topic, CAST(timestamp AS DATE) AS day FROM STREAM kafka('riot-matches');
