-- Dota 2: one topic of matches, two tables.
--
-- A record is the document that OpenDota's API returns for one match: GET /api/matches/{match_id}.
-- https://docs.opendota.com/#tag/matches
--
-- To change: the topic. Only a match whose replay was parsed has `version` and values that only a replay knows, such as
-- `purchase_log`; what is selected here is known of every match.
CREATE TABLE opendota (
  match_id BIGINT, match_seq_num BIGINT, start_time BIGINT, duration INT, version INT, patch INT, region INT,
  game_mode INT, lobby_type INT, leagueid INT, series_id INT, series_type INT,
  radiant_win BOOLEAN, radiant_score INT, dire_score INT, first_blood_time INT,
  radiant_team STRUCT<team_id: BIGINT, name: STRING, tag: STRING>,
  dire_team STRUCT<team_id: BIGINT, name: STRING, tag: STRING>,
  radiant_gold_adv ARRAY<INT>,
  picks_bans ARRAY<STRUCT<is_pick: BOOLEAN, hero_id: INT, team: INT, `order`: INT>>,
  players ARRAY<STRUCT<
    account_id: BIGINT, personaname: STRING, player_slot: INT, hero_id: INT, level: INT,
    kills: INT, deaths: INT, assists: INT, last_hits: INT, denies: INT, gold_per_min: INT, xp_per_min: INT,
    hero_damage: INT, tower_damage: INT, hero_healing: INT, net_worth: INT, leaver_status: INT,
    rank_tier: INT, win: INT>>
) USING kafka OPTIONS (subscribe '${KAFKA_TOPIC_OPENDOTA:-opendota-matches}');

CREATE STREAMING TABLE opendota_matches (
  match_id BIGINT NOT NULL COMMENT 'Valve\'s identifier',
  started_at TIMESTAMP COMMENT 'When play started',
  day DATE COMMENT 'Day of started_at',
  duration_s INT COMMENT 'Playing time in seconds',
  patch INT COMMENT 'OpenDota\'s number of the patch',
  region INT COMMENT 'OpenDota\'s number of the region',
  game_mode INT COMMENT 'Mode: 2 is Captains Mode, 22 Ranked All Pick',
  lobby_type INT COMMENT 'Lobby: 1 is practice and tournaments, 7 ranked',
  league_id INT COMMENT 'Tournament; null for other matches',
  radiant_team_name STRING COMMENT 'Team that played Radiant; null for other matches',
  dire_team_name STRING COMMENT 'Team that played Dire; null for other matches',
  radiant_win BOOLEAN COMMENT 'Whether Radiant won',
  radiant_score INT COMMENT 'Kills of Radiant',
  dire_score INT COMMENT 'Kills of Dire',
  first_blood_s INT COMMENT 'Time of the first kill, in seconds since the horn',
  gold_lead_10_min INT COMMENT 'Lead of Radiant in gold after ten minutes, negative if Dire led; null if the replay was not parsed',
  banned_heroes STRING COMMENT 'Identifiers of the banned heroes, in order, separated by commas'
)
PARTITIONED BY (day)
COMMENT 'one row per match'
AS SELECT
  match_id,
  timestamp_seconds(start_time) AS started_at,
  CAST(started_at AS DATE) AS day,
  duration AS duration_s,
  patch,
  region,
  game_mode,
  lobby_type,
  nullif(leagueid, 0) AS league_id,
  radiant_team.name AS radiant_team_name,
  dire_team.name AS dire_team_name,
  radiant_win,
  radiant_score,
  dire_score,
  first_blood_time AS first_blood_s,
  radiant_gold_adv[10] AS gold_lead_10_min,
  concat_ws(',', transform(filter(picks_bans, b -> NOT b.is_pick), b -> CAST(b.hero_id AS STRING))) AS banned_heroes
FROM STREAM opendota;

CREATE STREAMING TABLE opendota_players (
  match_id BIGINT NOT NULL COMMENT 'Valve\'s identifier of the match',
  started_at TIMESTAMP COMMENT 'When play started',
  patch INT COMMENT 'OpenDota\'s number of the patch',
  position INT COMMENT 'Place in the document\'s list, from 0',
  account_id BIGINT COMMENT 'Steam\'s number of the player; null if the profile is private',
  player_name STRING COMMENT 'Name on Steam',
  is_radiant BOOLEAN COMMENT 'Whether the player was on Radiant\'s side',
  hero_id INT COMMENT 'Hero',
  level INT COMMENT 'Its level at the end',
  kills INT COMMENT 'Kills',
  deaths INT COMMENT 'Deaths',
  assists INT COMMENT 'Assists',
  kda DOUBLE COMMENT '(kills + assists) / deaths, where no death counts as one; two decimal places',
  last_hits INT COMMENT 'Last hits',
  denies INT COMMENT 'Denies',
  gold_per_min INT COMMENT 'Gold per minute',
  xp_per_min INT COMMENT 'Experience points per minute',
  hero_damage INT COMMENT 'Damage dealt to heroes',
  tower_damage INT COMMENT 'Damage dealt to buildings',
  hero_healing INT COMMENT 'Healing of heroes',
  net_worth INT COMMENT 'Gold and value of the items at the end',
  left_early BOOLEAN COMMENT 'Whether the player left before the end',
  win BOOLEAN COMMENT 'Whether the player\'s side won'
)
PARTITIONED BY (patch)
COMMENT 'one row per match and player'
AS SELECT
  match_id,
  timestamp_seconds(start_time) AS started_at,
  patch,
  position,
  p.account_id,
  p.personaname AS player_name,
  p.player_slot < 128 AS is_radiant,
  p.hero_id,
  p.level,
  p.kills,
  p.deaths,
  p.assists,
  round((p.kills + p.assists) / greatest(p.deaths, 1), 2) AS kda,
  p.last_hits,
  p.denies,
  p.gold_per_min,
  p.xp_per_min,
  p.hero_damage,
  p.tower_damage,
  p.hero_healing,
  p.net_worth,
  p.leaver_status > 1 AS left_early,
  p.win = 1 AS win
FROM STREAM opendota
LATERAL VIEW posexplode(players) players AS position, p;
