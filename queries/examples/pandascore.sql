-- PandaScore: series of any game that it covers, and the games of each. One topic, two tables.
--
-- A record is one element of what GET /matches returns (or GET /lol/matches, /csgo/matches, …), or the document of
-- GET /matches/{id}. What PandaScore calls a match is a series, such as a best of five; its games are in the document.
-- https://developers.pandascore.co/reference/get_matches
--
-- A match is sent again when it changes. The newest record of a match_id is the one with the greatest modified_at.
--
-- To change: the topic.
CREATE TABLE pandascore (
  id BIGINT, name STRING, slug STRING, status STRING, match_type STRING, number_of_games INT,
  scheduled_at TIMESTAMP, begin_at TIMESTAMP, end_at TIMESTAMP, modified_at TIMESTAMP,
  draw BOOLEAN, forfeit BOOLEAN, rescheduled BOOLEAN,
  winner_id BIGINT,
  winner STRUCT<id: BIGINT, name: STRING>,
  opponents ARRAY<STRUCT<type: STRING, opponent: STRUCT<id: BIGINT, name: STRING, acronym: STRING, location: STRING>>>,
  results ARRAY<STRUCT<team_id: BIGINT, score: INT>>,
  games ARRAY<STRUCT<
    id: BIGINT, position: INT, status: STRING, length: INT, complete: BOOLEAN, forfeit: BOOLEAN,
    begin_at: TIMESTAMP, end_at: TIMESTAMP, winner: STRUCT<id: BIGINT, type: STRING>>>,
  league STRUCT<id: BIGINT, name: STRING>,
  serie STRUCT<id: BIGINT, full_name: STRING>,
  tournament STRUCT<id: BIGINT, name: STRING, tier: STRING>,
  videogame STRUCT<id: BIGINT, name: STRING, slug: STRING>,
  videogame_version STRUCT<name: STRING>
) USING kafka OPTIONS (subscribe '${KAFKA_TOPIC_PANDASCORE:-pandascore-matches}');

CREATE STREAMING TABLE pandascore_matches (
  match_id BIGINT NOT NULL COMMENT 'PandaScore\'s identifier',
  match_name STRING COMMENT 'Name, such as Final: T1 vs GEN',
  videogame STRING COMMENT 'Game, such as league-of-legends',
  patch STRING COMMENT 'Version of the game; null if it is unknown',
  league_name STRING COMMENT 'League, such as LCK',
  serie_name STRING COMMENT 'Season of the league, such as Spring 2026',
  tournament_name STRING COMMENT 'Stage of the season, such as Playoffs',
  tier STRING COMMENT 'Rank of the tournament, from s to d',
  status STRING COMMENT 'not_started, running, finished, canceled or postponed',
  match_type STRING COMMENT 'How the winner is found, such as best_of',
  number_of_games INT COMMENT 'Games that are played at most',
  team_1_id BIGINT COMMENT 'First opponent; null until it is known',
  team_1_name STRING COMMENT 'Its name',
  team_1_score INT COMMENT 'Games that it won',
  team_2_id BIGINT COMMENT 'Second opponent; null until it is known',
  team_2_name STRING COMMENT 'Its name',
  team_2_score INT COMMENT 'Games that it won',
  winner_id BIGINT COMMENT 'The opponent that won; null until finished',
  winner_name STRING COMMENT 'Its name',
  draw BOOLEAN COMMENT 'Whether nobody won',
  forfeit BOOLEAN COMMENT 'Whether one opponent did not play',
  scheduled_at TIMESTAMP COMMENT 'When it was planned to begin',
  started_at TIMESTAMP COMMENT 'When it began',
  finished_at TIMESTAMP COMMENT 'When it ended',
  duration_s BIGINT COMMENT 'From its beginning to its end, breaks included, in seconds',
  modified_at TIMESTAMP COMMENT 'When PandaScore last changed the document',
  day DATE COMMENT 'Day on which it began or, before that, is planned to begin'
)
PARTITIONED BY (day)
COMMENT 'one row per match and change of it'
AS SELECT
  id AS match_id,
  name AS match_name,
  videogame.slug AS videogame,
  videogame_version.name AS patch,
  league.name AS league_name,
  serie.full_name AS serie_name,
  tournament.name AS tournament_name,
  tournament.tier,
  status,
  match_type,
  number_of_games,
  opponents[0].opponent.id AS team_1_id,
  opponents[0].opponent.name AS team_1_name,
  -- `results` need not have the order of `opponents`.
  filter(results, r -> r.team_id = opponents[0].opponent.id)[0].score AS team_1_score,
  opponents[1].opponent.id AS team_2_id,
  opponents[1].opponent.name AS team_2_name,
  filter(results, r -> r.team_id = opponents[1].opponent.id)[0].score AS team_2_score,
  coalesce(winner_id, winner.id) AS winner_id,
  winner.name AS winner_name,
  draw,
  forfeit,
  scheduled_at,
  begin_at AS started_at,
  end_at AS finished_at,
  unix_timestamp(end_at) - unix_timestamp(begin_at) AS duration_s,
  modified_at,
  CAST(coalesce(begin_at, scheduled_at) AS DATE) AS day
FROM STREAM pandascore;

CREATE STREAMING TABLE pandascore_games (
  match_id BIGINT NOT NULL COMMENT 'PandaScore\'s identifier of the match',
  videogame STRING COMMENT 'Game, such as league-of-legends',
  entry INT COMMENT 'Place in the document\'s list, from 0',
  game_id BIGINT COMMENT 'PandaScore\'s identifier of the game',
  game_number INT COMMENT 'Number of the game in its match, from 1',
  status STRING COMMENT 'not_started, running, finished or not_played',
  winner_id BIGINT COMMENT 'The opponent that won; null until finished',
  winner_type STRING COMMENT 'Team or Player',
  length_s INT COMMENT 'Playing time in seconds',
  complete BOOLEAN COMMENT 'Whether PandaScore has all data of the game',
  forfeit BOOLEAN COMMENT 'Whether it was not played because one side gave up',
  started_at TIMESTAMP COMMENT 'When it began',
  finished_at TIMESTAMP COMMENT 'When it ended',
  day DATE COMMENT 'Day on which the match began or, before that, is planned to begin'
)
PARTITIONED BY (day)
COMMENT 'one row per game and change of its match'
AS SELECT
  id AS match_id,
  videogame.slug AS videogame,
  entry,
  g.id AS game_id,
  g.position AS game_number,
  g.status,
  g.winner.id AS winner_id,
  g.winner.type AS winner_type,
  g.length AS length_s,
  g.complete,
  g.forfeit,
  g.begin_at AS started_at,
  g.end_at AS finished_at,
  CAST(coalesce(begin_at, scheduled_at) AS DATE) AS day
FROM STREAM pandascore
LATERAL VIEW posexplode(games) games AS entry, g
WHERE g.status <> 'not_played';
