-- League of Legends: what happened in a match, minute by minute. One topic, two tables.
--
-- A record is the timeline of a match as Riot's API returns it: match-v5,
-- GET /lol/match/v5/matches/{matchId}/timeline.
-- https://developer.riotgames.com/apis#match-v5
--
-- A timeline is an array of frames. A frame has the state of each player, in an object whose keys are the players'
-- numbers "1" to "10" (a MAP), and an array of events. So each table has two views: the second one is inside the first.
--
-- To change: the topic; the condition on e.type, for other events. A timeline has about 700 kB: the broker and the
-- producer must accept records of this size.
CREATE TABLE riot_timeline (
  metadata STRUCT<matchId: STRING>,
  info STRUCT<
    frameInterval: BIGINT,
    frames: ARRAY<STRUCT<
      timestamp: BIGINT,
      participantFrames: MAP<STRING, STRUCT<
        level: INT, xp: INT, currentGold: INT, totalGold: INT, minionsKilled: INT, jungleMinionsKilled: INT,
        position: STRUCT<x: INT, y: INT>>>,
      events: ARRAY<STRUCT<
        type: STRING, timestamp: BIGINT, realTimestamp: BIGINT, killerId: INT, victimId: INT,
        assistingParticipantIds: ARRAY<INT>, bounty: INT, position: STRUCT<x: INT, y: INT>>>>>>
) USING kafka OPTIONS (subscribe '${KAFKA_TOPIC_RIOT_TIMELINES:-riot-timelines}');

CREATE STREAMING TABLE riot_frames (
  match_id STRING NOT NULL COMMENT 'Riot\'s identifier of the match',
  day DATE COMMENT 'Day on which play started: that of the first event; null if it has no time',
  frame INT COMMENT 'Number of the frame, from 0; usually the minute',
  time_ms BIGINT COMMENT 'Time since the start of the match, in milliseconds',
  entry INT COMMENT 'Place in the frame\'s object, from 0',
  participant_id INT COMMENT 'Number of the player in the match, from 1',
  level INT COMMENT 'Level of the champion',
  xp INT COMMENT 'Experience points',
  current_gold INT COMMENT 'Gold that is not spent',
  total_gold INT COMMENT 'Gold earned',
  creep_score INT COMMENT 'Minions and monsters killed',
  x INT COMMENT 'Place on the map, from its lower left corner, in the units of the game',
  y INT COMMENT 'The same, upward'
)
PARTITIONED BY (day)
COMMENT 'one row per match, frame and player'
AS SELECT
  metadata.matchId AS match_id,
  CAST(timestamp_millis(info.frames[0].events[0].realTimestamp) AS DATE) AS day,
  frame,
  f.timestamp AS time_ms,
  entry,
  CAST(id AS INT) AS participant_id,
  p.level,
  p.xp,
  p.currentGold AS current_gold,
  p.totalGold AS total_gold,
  p.minionsKilled + p.jungleMinionsKilled AS creep_score,
  p.position.x,
  p.position.y
FROM STREAM riot_timeline
LATERAL VIEW posexplode(info.frames) frames AS frame, f
LATERAL VIEW posexplode(f.participantFrames) players AS entry, id, p;

CREATE STREAMING TABLE riot_kills (
  match_id STRING NOT NULL COMMENT 'Riot\'s identifier of the match',
  day DATE COMMENT 'Day on which play started: that of the first event; null if it has no time',
  frame INT COMMENT 'Number of the frame, from 0; usually the minute',
  event INT COMMENT 'Place in the frame\'s list of events, from 0',
  time_ms BIGINT COMMENT 'Time since the start of the match, in milliseconds',
  killer_id INT COMMENT 'Number of the player who killed, from 1; null if it was a minion, a monster or a tower',
  victim_id INT COMMENT 'Number of the player who was killed',
  assists INT COMMENT 'Number of players who assisted',
  bounty INT COMMENT 'Gold for the kill',
  x INT COMMENT 'Place on the map, from its lower left corner, in the units of the game',
  y INT COMMENT 'The same, upward'
)
PARTITIONED BY (day)
COMMENT 'one row per kill of a champion'
AS SELECT
  metadata.matchId AS match_id,
  CAST(timestamp_millis(info.frames[0].events[0].realTimestamp) AS DATE) AS day,
  frame,
  event,
  e.timestamp AS time_ms,
  nullif(e.killerId, 0) AS killer_id,
  e.victimId AS victim_id,
  CASE WHEN e.assistingParticipantIds IS NULL THEN 0 ELSE size(e.assistingParticipantIds) END AS assists,
  e.bounty,
  e.position.x,
  e.position.y
FROM STREAM riot_timeline
LATERAL VIEW posexplode(info.frames) frames AS frame, f
LATERAL VIEW posexplode(f.events) events AS event, e
WHERE e.type = 'CHAMPION_KILL';
