-- One row per element of an array.
CREATE TABLE league (tier STRING, queue STRING, entries ARRAY<STRUCT<puuid: STRING, rank: STRING, leaguePoints: INT, wins: INT, losses: INT>>)
USING kafka OPTIONS (subscribe 'riot-league');

CREATE STREAMING TABLE league_entries (tier STRING, puuid STRING, rank STRING, points INT, win_rate DOUBLE) AS
SELECT tier, e.puuid, e.rank, e.leaguePoints AS points, round(e.wins / (e.wins + e.losses) * 100, 2) AS win_rate
FROM STREAM league LATERAL VIEW explode(entries) x AS e;
