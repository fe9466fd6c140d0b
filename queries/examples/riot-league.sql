-- League of Legends: ranked ladders, one row per ladder and player.
--
-- A record is a ladder as Riot's API returns it: league-v4, for example
-- GET /lol/league/v4/challengerleagues/by-queue/RANKED_SOLO_5x5 (likewise grandmasterleagues and masterleagues).
-- https://developer.riotgames.com/apis#league-v4
--
-- A ladder has no time, so `day` is that of Kafka's timestamp: a producer that sends each ladder once a day makes one
-- copy of it per day.
--
-- To change: the topic. GET /lol/league/v4/entries/… returns an array. Its producer sends each element as a record of
-- its own; then the fields of `entries` are the record's, and there is no LATERAL VIEW.
CREATE TABLE riot_league (
  leagueId STRING, name STRING, queue STRING, tier STRING,
  entries ARRAY<STRUCT<
    puuid: STRING, rank: STRING, leaguePoints: INT, wins: INT, losses: INT,
    hotStreak: BOOLEAN, veteran: BOOLEAN, freshBlood: BOOLEAN, inactive: BOOLEAN>>
) USING kafka OPTIONS (subscribe '${KAFKA_TOPIC_RIOT_LEAGUE:-riot-league}');

CREATE STREAMING TABLE riot_league_entries (
  league_id STRING NOT NULL COMMENT 'Riot\'s identifier of the ladder',
  league_name STRING COMMENT 'Its name',
  queue_type STRING COMMENT 'Queue, such as RANKED_SOLO_5x5',
  tier STRING COMMENT 'MASTER, GRANDMASTER or CHALLENGER',
  day DATE COMMENT 'Day of the record in Kafka',
  position INT COMMENT 'Place in the document\'s list, from 0; the list has no order',
  puuid STRING COMMENT 'Riot\'s identifier of the player',
  division STRING COMMENT 'I to IV; always I from MASTER on',
  league_points INT COMMENT 'League points',
  wins INT COMMENT 'Games won',
  losses INT COMMENT 'Games lost',
  win_rate DOUBLE COMMENT 'Wins as a percentage of games, two decimal places; null without games',
  hot_streak BOOLEAN COMMENT 'Whether the player won the last three games',
  veteran BOOLEAN COMMENT 'Whether the player has played 100 games or more in this ladder',
  fresh_blood BOOLEAN COMMENT 'Whether the player has just entered this ladder',
  inactive BOOLEAN COMMENT 'Whether the player is about to leave it because of inactivity'
)
PARTITIONED BY (day)
COMMENT 'one row per ladder and player'
AS SELECT
  leagueId AS league_id,
  name AS league_name,
  queue AS queue_type,
  tier,
  CAST(kafka_timestamp AS DATE) AS day,
  position,
  e.puuid,
  e.rank AS division,
  e.leaguePoints AS league_points,
  e.wins,
  e.losses,
  round(e.wins / (e.wins + e.losses) * 100, 2) AS win_rate,
  e.hotStreak AS hot_streak,
  e.veteran,
  e.freshBlood AS fresh_blood,
  e.inactive
FROM STREAM riot_league
LATERAL VIEW posexplode(entries) entries AS position, e;
