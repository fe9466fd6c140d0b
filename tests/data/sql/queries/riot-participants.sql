-- One row per element of an array.
CREATE TABLE riot (
  metadata STRUCT<matchId: STRING>,
  info STRUCT<queueId: INT, participants: ARRAY<STRUCT<puuid: STRING, teamId: INT, kills: INT, deaths: INT, assists: INT, win: BOOLEAN,
    perks: STRUCT<styles: ARRAY<STRUCT<selections: ARRAY<STRUCT<perk: INT>>>>>, challenges: STRUCT<killParticipation: DOUBLE>>>>
) USING kafka OPTIONS (subscribe 'riot-matches');

CREATE STREAMING TABLE riot_participants PARTITIONED BY (queue_id) AS
SELECT metadata.matchId AS match_id, info.queueId AS queue_id, pos, p.puuid, p.kills, p.deaths,
  round((p.kills + p.assists) / greatest(p.deaths, 1), 2) AS kda, p.perks.styles[0].selections[0].perk AS keystone,
  p.challenges.killParticipation AS kill_participation, p.win
FROM STREAM riot LATERAL VIEW OUTER posexplode(info.participants) x AS pos, p;
