-- One row per element of an array.
CREATE TABLE opendota (match_id BIGINT, start_time BIGINT, patch INT, players ARRAY<STRUCT<account_id: BIGINT, player_slot: INT, kills: INT, win: INT>>)
USING kafka OPTIONS (subscribe 'opendota-matches');

CREATE STREAMING TABLE opendota_players PARTITIONED BY (patch) AS
SELECT match_id, p.account_id, p.player_slot < 128 AS is_radiant, p.kills, p.win = 1 AS won, patch
FROM STREAM opendota LATERAL VIEW OUTER explode(players) x AS p;
