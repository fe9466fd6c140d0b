-- PandaScore's matches: objects inside objects, as deep as a scalar is.
CREATE TABLE pandascore (
  id BIGINT, status STRING, begin_at TIMESTAMP, end_at TIMESTAMP, match_type STRING, number_of_games INT,
  winner STRUCT<id: BIGINT, name: STRING>,
  league STRUCT<name: STRING, region: STRUCT<code: STRING>>,
  serie STRUCT<full_name: STRING>,
  videogame_version STRUCT<name: STRING>,
  opponents ARRAY<STRUCT<opponent: STRUCT<id: BIGINT, name: STRING>>>
) USING kafka OPTIONS (subscribe = 'pandascore-matches');

CREATE STREAMING TABLE pandascore_matches (match_id STRING NOT NULL, day DATE, status STRING, title STRING, region STRING, winner_id BIGINT,
  winner STRING, best_of STRING, minutes DOUBLE, patch STRING)
PARTITIONED BY (status, day) AS
SELECT CAST(id AS STRING) AS match_id, CAST(begin_at AS DATE) AS day,
  CASE status WHEN 'running' THEN 'live' WHEN 'not_started' THEN 'scheduled' ELSE status END AS status,
  concat_ws(' ', league.name, serie.full_name) AS title, league.region.code AS region, winner.id AS winner_id, winner.name AS winner,
  match_type || '_' || number_of_games AS best_of,
  round((CAST(end_at AS DOUBLE) - CAST(begin_at AS DOUBLE)) / 60, 1) AS minutes,
  coalesce(videogame_version.name, 'unknown') AS patch
FROM STREAM pandascore;
