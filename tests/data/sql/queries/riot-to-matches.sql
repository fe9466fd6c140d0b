-- Elements of arrays, and functions over arrays.
CREATE TABLE riot (metadata STRUCT<matchId: STRING>, info STRUCT<gameDuration: INT,
  teams: ARRAY<STRUCT<teamId: INT, win: BOOLEAN>>, participants: ARRAY<STRUCT<teamId: INT, goldEarned: INT>>>)
USING kafka OPTIONS (subscribe 'riot-matches');

CREATE STREAMING TABLE seed_matches AS
SELECT metadata.matchId AS match_id, CAST(info.teams[0].teamId AS STRING) AS team_1_id,
  CASE WHEN info.teams[0].win THEN 'Blue' WHEN info.teams[1].win THEN 'Red' END AS winner_name, info.gameDuration AS match_duration,
  aggregate(filter(info.participants, p -> p.teamId = 100), 0, (a, p) -> a + p.goldEarned) AS team_1_gold
FROM STREAM riot;
