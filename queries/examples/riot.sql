-- League of Legends: one topic of matches, three tables.
--
-- A record is the document that Riot's API returns for one match: match-v5, GET /lol/match/v5/matches/{matchId}.
-- https://developer.riotgames.com/apis#match-v5
--
-- To change: the topic; the columns. A field that is missing here is declared in the first statement, where the
-- document has it, and selected in a table. Declaring more fields than the tables use costs nothing.
CREATE TABLE riot (
  metadata STRUCT<matchId: STRING>,
  info STRUCT<
    gameId: BIGINT, platformId: STRING, queueId: INT, mapId: INT, gameMode: STRING, gameType: STRING,
    gameVersion: STRING, tournamentCode: STRING, endOfGameResult: STRING,
    gameCreation: BIGINT, gameStartTimestamp: BIGINT, gameEndTimestamp: BIGINT, gameDuration: INT,
    teams: ARRAY<STRUCT<
      teamId: INT, win: BOOLEAN,
      bans: ARRAY<STRUCT<championId: INT, pickTurn: INT>>,
      objectives: STRUCT<
        baron: STRUCT<first: BOOLEAN, kills: INT>, champion: STRUCT<first: BOOLEAN, kills: INT>,
        dragon: STRUCT<first: BOOLEAN, kills: INT>, inhibitor: STRUCT<first: BOOLEAN, kills: INT>,
        riftHerald: STRUCT<first: BOOLEAN, kills: INT>, tower: STRUCT<first: BOOLEAN, kills: INT>>>>,
    participants: ARRAY<STRUCT<
      participantId: INT, puuid: STRING, riotIdGameName: STRING, riotIdTagline: STRING, summonerLevel: INT,
      teamId: INT, teamPosition: STRING, championId: INT, championName: STRING, champLevel: INT,
      kills: INT, deaths: INT, assists: INT, goldEarned: INT, goldSpent: INT,
      totalMinionsKilled: INT, neutralMinionsKilled: INT,
      totalDamageDealtToChampions: INT, totalDamageTaken: INT, totalHeal: INT,
      visionScore: INT, wardsPlaced: INT, wardsKilled: INT,
      item0: INT, item1: INT, item2: INT, item3: INT, item4: INT, item5: INT, item6: INT,
      timePlayed: INT, win: BOOLEAN,
      perks: STRUCT<styles: ARRAY<STRUCT<style: INT, selections: ARRAY<STRUCT<perk: INT>>>>>,
      challenges: STRUCT<kda: DOUBLE, killParticipation: DOUBLE, damagePerMinute: DOUBLE, goldPerMinute: DOUBLE>>>>
) USING kafka OPTIONS (
  subscribe '${KAFKA_TOPIC_RIOT:-riot-matches}',
  -- what `sample` and `--demo` draw a field's values from
  sample.metadata.matchId 'EUW1_{#}',
  sample.info.platformId 'EUW1|KR|NA1',
  sample.info.queueId '420|440|450',
  sample.info.gameMode 'CLASSIC|ARAM',
  sample.info.gameVersion '15.{1..24}.{600..699}.{1000..9999}',
  sample.info.gameStartTimestamp '1746086400000..1748764799000',
  sample.info.gameEndTimestamp '1748764800000..1748768399000',
  sample.info.gameDuration '900..2400'
);

CREATE STREAMING TABLE riot_matches (
  match_id STRING NOT NULL COMMENT 'Riot\'s identifier, such as EUW1_7212345678',
  game_id BIGINT COMMENT 'The number in match_id',
  platform_id STRING COMMENT 'Server on which the match was played, such as EUW1',
  queue_id INT COMMENT 'Queue: 420 is ranked solo, 440 ranked flex, 450 ARAM',
  map_id INT COMMENT 'Map: 11 is Summoner\'s Rift, 12 Howling Abyss',
  game_mode STRING COMMENT 'Mode, such as CLASSIC or ARAM',
  game_type STRING COMMENT 'Type, such as MATCHED_GAME',
  game_version STRING COMMENT 'Full version of the game client, such as 15.9.674.1234',
  patch STRING COMMENT 'Its first two numbers, such as 15.9',
  result STRING COMMENT 'How the match ended, such as GameComplete; null in documents before 2024',
  created_at TIMESTAMP COMMENT 'When the loading screen began',
  started_at TIMESTAMP COMMENT 'When play started',
  finished_at TIMESTAMP COMMENT 'When play ended',
  day DATE COMMENT 'Day of started_at',
  duration_s INT COMMENT 'Playing time in seconds',
  participant_count INT COMMENT 'Number of players; null if the document has no list of them',
  winner_team_id INT COMMENT 'Team that won: 100 is blue, 200 is red; null if neither did'
)
PARTITIONED BY (day)
COMMENT 'one row per match'
AS SELECT
  metadata.matchId AS match_id,
  info.gameId AS game_id,
  info.platformId AS platform_id,
  info.queueId AS queue_id,
  info.mapId AS map_id,
  info.gameMode AS game_mode,
  info.gameType AS game_type,
  info.gameVersion AS game_version,
  concat(split_part(info.gameVersion, '.', 1), '.', split_part(info.gameVersion, '.', 2)) AS patch,
  info.endOfGameResult AS result,
  timestamp_millis(info.gameCreation) AS created_at,
  timestamp_millis(info.gameStartTimestamp) AS started_at,
  -- Documents before patch 11.20 have no gameEndTimestamp, and their gameDuration is in milliseconds.
  timestamp_millis(coalesce(info.gameEndTimestamp, info.gameStartTimestamp + info.gameDuration)) AS finished_at,
  CAST(started_at AS DATE) AS day,
  CASE WHEN info.gameEndTimestamp IS NULL THEN CAST(info.gameDuration DIV 1000 AS INT)
       ELSE info.gameDuration END AS duration_s,
  CASE WHEN info.participants IS NOT NULL THEN size(info.participants) END AS participant_count,
  filter(info.teams, t -> t.win)[0].teamId AS winner_team_id
FROM STREAM riot;

CREATE STREAMING TABLE riot_participants (
  match_id STRING NOT NULL COMMENT 'Riot\'s identifier of the match',
  queue_id INT COMMENT 'Queue: 420 is ranked solo, 440 ranked flex, 450 ARAM',
  started_at TIMESTAMP COMMENT 'When play started',
  position INT COMMENT 'Place in the document\'s list, from 0',
  puuid STRING COMMENT 'Riot\'s identifier of the player',
  game_name STRING COMMENT 'Name part of the player\'s Riot ID',
  tag_line STRING COMMENT 'Tag part of the player\'s Riot ID',
  team_id INT COMMENT '100 is blue, 200 is red',
  team_position STRING COMMENT 'TOP, JUNGLE, MIDDLE, BOTTOM or UTILITY; null on maps without positions',
  champion_id INT COMMENT 'Champion',
  champion_name STRING COMMENT 'Its name',
  champion_level INT COMMENT 'Its level at the end, 1 to 18',
  kills INT COMMENT 'Kills',
  deaths INT COMMENT 'Deaths',
  assists INT COMMENT 'Assists',
  kda DOUBLE COMMENT '(kills + assists) / deaths, where no death counts as one; two decimal places',
  creep_score INT COMMENT 'Minions and monsters killed',
  gold_earned INT COMMENT 'Gold earned',
  damage_to_champions INT COMMENT 'Damage dealt to champions',
  damage_taken INT COMMENT 'Damage taken',
  vision_score INT COMMENT 'Vision score',
  items STRING COMMENT 'Identifiers of the items at the end, separated by commas; 0 is an empty slot',
  keystone INT COMMENT 'Identifier of the main rune',
  secondary_style INT COMMENT 'Identifier of the secondary rune path',
  kill_participation DOUBLE COMMENT 'Share in the kills of the team, 0 to 1; null in documents without challenges',
  damage_per_minute DOUBLE COMMENT 'Damage dealt to champions per minute, from Riot',
  time_played_s INT COMMENT 'Playing time in seconds',
  win BOOLEAN COMMENT 'Whether the player\'s team won'
)
PARTITIONED BY (queue_id)
COMMENT 'one row per match and player'
AS SELECT
  metadata.matchId AS match_id,
  info.queueId AS queue_id,
  timestamp_millis(info.gameStartTimestamp) AS started_at,
  position,
  p.puuid,
  nullif(p.riotIdGameName, '') AS game_name,
  nullif(p.riotIdTagline, '') AS tag_line,
  p.teamId AS team_id,
  nullif(p.teamPosition, '') AS team_position,
  p.championId AS champion_id,
  p.championName AS champion_name,
  p.champLevel AS champion_level,
  p.kills,
  p.deaths,
  p.assists,
  round((p.kills + p.assists) / greatest(p.deaths, 1), 2) AS kda,
  p.totalMinionsKilled + p.neutralMinionsKilled AS creep_score,
  p.goldEarned AS gold_earned,
  p.totalDamageDealtToChampions AS damage_to_champions,
  p.totalDamageTaken AS damage_taken,
  p.visionScore AS vision_score,
  concat_ws(',', p.item0, p.item1, p.item2, p.item3, p.item4, p.item5, p.item6) AS items,
  p.perks.styles[0].selections[0].perk AS keystone,
  p.perks.styles[1].style AS secondary_style,
  p.challenges.killParticipation AS kill_participation,
  p.challenges.damagePerMinute AS damage_per_minute,
  p.timePlayed AS time_played_s,
  p.win
FROM STREAM riot
LATERAL VIEW posexplode(info.participants) participants AS position, p;

CREATE STREAMING TABLE riot_teams (
  match_id STRING NOT NULL COMMENT 'Riot\'s identifier of the match',
  queue_id INT COMMENT 'Queue: 420 is ranked solo, 440 ranked flex, 450 ARAM',
  position INT COMMENT 'Place in the document\'s list, from 0',
  team_id INT COMMENT '100 is blue, 200 is red',
  win BOOLEAN COMMENT 'Whether the team won',
  champion_kills INT COMMENT 'Kills of the team',
  first_blood BOOLEAN COMMENT 'Whether the team made the first kill of the match',
  baron_kills INT COMMENT 'Barons killed',
  dragon_kills INT COMMENT 'Dragons killed',
  rift_herald_kills INT COMMENT 'Rift Heralds killed',
  tower_kills INT COMMENT 'Towers destroyed',
  inhibitor_kills INT COMMENT 'Inhibitors destroyed',
  bans STRING COMMENT 'Identifiers of the banned champions, in the order of the picks, separated by commas; -1 is a pick without a ban'
)
PARTITIONED BY (queue_id)
COMMENT 'one row per match and team'
AS SELECT
  metadata.matchId AS match_id,
  info.queueId AS queue_id,
  position,
  t.teamId AS team_id,
  t.win,
  t.objectives.champion.kills AS champion_kills,
  t.objectives.champion.first AS first_blood,
  t.objectives.baron.kills AS baron_kills,
  t.objectives.dragon.kills AS dragon_kills,
  t.objectives.riftHerald.kills AS rift_herald_kills,
  t.objectives.tower.kills AS tower_kills,
  t.objectives.inhibitor.kills AS inhibitor_kills,
  concat_ws(',', transform(t.bans, b -> CAST(b.championId AS STRING))) AS bans
FROM STREAM riot
LATERAL VIEW posexplode(info.teams) teams AS position, t;
