-- Two levels, of which the inner one is a map.
CREATE TABLE timeline (metadata STRUCT<matchId: STRING>,
  info STRUCT<frames: ARRAY<STRUCT<timestamp: BIGINT, participantFrames: MAP<STRING, STRUCT<level: INT, position: STRUCT<x: INT, y: INT>>>>>>
) USING kafka OPTIONS (subscribe 'riot-timelines');

CREATE STREAMING TABLE frames AS
SELECT metadata.matchId AS match_id, f.timestamp AS frame_ms, CAST(id AS INT) AS participant_id, pf.level, pf.position.x AS x
FROM STREAM timeline LATERAL VIEW explode(info.frames) a AS f LATERAL VIEW explode(f.participantFrames) b AS id, pf;
