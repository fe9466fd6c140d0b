-- Players, as the producers of the platform send them.
CREATE TABLE player_records (
  player_id STRING COMMENT 'The provider\'s identifier',
  summoner_name STRING COMMENT 'In-game name, with number',
  game_name STRING COMMENT 'Name part of the account',
  tag_line STRING COMMENT 'Tag part of the account',
  first_name STRING COMMENT 'Given name',
  last_name STRING COMMENT 'Family name',
  nickname STRING COMMENT 'Player name',
  nationality STRING COMMENT 'Country code',
  current_team_id STRING COMMENT 'The player\'s current team',
  current_team_name STRING COMMENT 'Its name',
  role STRING COMMENT 'Position on the team',
  active BOOLEAN COMMENT 'Whether the player is active',
  professional BOOLEAN COMMENT 'Whether the player is a professional',
  total_games INT COMMENT 'Games played',
  total_wins INT COMMENT 'Games won',
  total_losses INT COMMENT 'Games lost',
  win_rate DOUBLE COMMENT 'Wins as a percentage of games, from the provider',
  avg_kills DOUBLE COMMENT 'Kills per game',
  avg_deaths DOUBLE COMMENT 'Deaths per game',
  avg_assists DOUBLE COMMENT 'Assists per game',
  kda_ratio DOUBLE COMMENT '(kills + assists) / deaths, from the provider',
  avg_cs_per_min DOUBLE COMMENT 'Creep score per minute',
  avg_gold_per_min DOUBLE COMMENT 'Gold per minute',
  last_match_date TIMESTAMP COMMENT 'When the player last played',
  recent_form STRING COMMENT 'Most recent results, W or L',
  data_source STRING COMMENT 'The provider\'s source',
  profile_updated_at TIMESTAMP COMMENT 'When the profile was last changed',
  ingestion_timestamp BIGINT COMMENT 'When the producer ingested it, in milliseconds since 1970'
) USING kafka OPTIONS (subscribe '${KAFKA_TOPIC_PLAYERS:-esports-players}');

CREATE STREAMING TABLE players (
  player_id STRING NOT NULL,
  summoner_name STRING,
  game_name STRING,
  tag_line STRING,
  first_name STRING,
  last_name STRING,
  nickname STRING,
  nationality STRING,
  current_team_id STRING,
  current_team_name STRING,
  role STRING,
  active BOOLEAN,
  professional BOOLEAN,
  total_games INT,
  total_wins INT,
  total_losses INT,
  win_rate DOUBLE,
  avg_kills DOUBLE,
  avg_deaths DOUBLE,
  avg_assists DOUBLE,
  kda_ratio DOUBLE,
  avg_cs_per_min DOUBLE,
  avg_gold_per_min DOUBLE,
  last_match_date TIMESTAMP,
  recent_form STRING,
  data_source STRING,
  profile_updated_at TIMESTAMP,
  ingestion_timestamp BIGINT,
  kafka_timestamp TIMESTAMP, partition INT, offset BIGINT, processing_timestamp TIMESTAMP,
  calculated_win_rate DOUBLE COMMENT 'win_rate; if it is null, wins as a percentage of games',
  calculated_kda DOUBLE COMMENT 'kda_ratio; if it is null, (kills + assists) / deaths, or 99.99 without deaths',
  status STRING COMMENT 'active, inactive or unknown',
  full_name STRING COMMENT 'first_name and last_name, separated by a space; nulls are left out',
  has_activity BOOLEAN COMMENT 'Whether the player has played any game'
)
PARTITIONED BY (status, role)
COMMENT 'one row per player and change of the profile'
TBLPROPERTIES (queryName = 'player_stream', loggerName = 'PlayerStreamProcessor')
AS SELECT *,
  CASE WHEN total_games > 0 AND win_rate IS NULL THEN ROUND(total_wins / total_games * 100, 2)
       ELSE win_rate END AS calculated_win_rate,
  CASE WHEN kda_ratio IS NULL AND avg_deaths > 0 THEN ROUND((avg_kills + avg_assists) / avg_deaths, 2)
       WHEN kda_ratio IS NULL AND avg_deaths = 0 THEN 99.99D
       ELSE kda_ratio END AS calculated_kda,
  CASE WHEN active THEN 'active' WHEN NOT active THEN 'inactive' ELSE 'unknown' END AS status,
  concat_ws(' ', first_name, last_name) AS full_name,
  total_games > 0 AS has_activity
FROM STREAM player_records;
