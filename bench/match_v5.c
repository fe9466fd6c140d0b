#include "match_v5.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"

struct output {
    char *at;
    uint64_t state;
    const char *separator; // before the next member
};

static uint64_t draw(struct output *out, uint64_t bound) {
    out->state = out->state * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (out->state >> 33) % bound;
}

static void put(struct output *out, const char *text) {
    out->at = stpcpy(out->at, text);
}

static void put_key(struct output *out, const char *key) {
    out->at += sprintf(out->at, "%s\"%s\":", out->separator, key);
    out->separator = ",";
}

static void put_integer(struct output *out, const char *key, uint64_t bound) {
    put_key(out, key);
    out->at += sprintf(out->at, "%llu", (unsigned long long)draw(out, bound));
}

static void put_text(struct output *out, const char *key, const char *text) {
    put_key(out, key);
    out->at += sprintf(out->at, "\"%s\"", text);
}

static void put_bool(struct output *out, const char *key) {
    put_key(out, key);
    put(out, draw(out, 2) == 0 ? "false" : "true");
}

static void put_double(struct output *out, const char *key) {
    put_key(out, key);
    out->at += sprintf(out->at, "%.16g", (double)draw(out, 1000000007) / 123456789.0);
}

static void open_level(struct output *out, const char *bracket) {
    put(out, bracket);
    out->separator = "";
}

static void close_level(struct output *out, const char *bracket) {
    put(out, bracket);
    out->separator = ",";
}

static void put_random_text(struct output *out, const char *key, size_t length) {
    static const char characters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    char text[128];
    for (size_t i = 0; i < length; i++)
        text[i] = characters[draw(out, 64)];
    text[length] = '\0';
    put_text(out, key, text);
}

static const char *const champions[] = {"Aatrox", "Ahri",  "LeeSin",  "Jinx",  "Thresh",
                                        "KSante", "Viego", "Orianna", "Kaisa", "Nautilus"};
static const int queues[] = {400, 420, 440, 450, 1700};
static const char *const positions[] = {"TOP", "JUNGLE", "MIDDLE", "BOTTOM", "UTILITY"};

/* In alphabetical order, as Riot sends them; the value is drawn by the name's first bytes. */
static const char *const challenge_names[] = {"12AssistStreakCount",
                                              "HealFromMapSources",
                                              "InfernalScalePickup",
                                              "SWARM_DefeatAatrox",
                                              "SWARM_DefeatBriar",
                                              "SWARM_DefeatMiniBosses",
                                              "SWARM_EvolveWeapon",
                                              "SWARM_Have3Passives",
                                              "SWARM_KillEnemy",
                                              "SWARM_PickupGold",
                                              "SWARM_ReachLevel50",
                                              "SWARM_Survive15Min",
                                              "SWARM_WinWith5EvolvedWeapons",
                                              "abilityUses",
                                              "acesBefore15Minutes",
                                              "alliedJungleMonsterKills",
                                              "baronTakedowns",
                                              "blastConeOppositeOpponentCount",
                                              "bountyGold",
                                              "buffsStolen",
                                              "completeSupportQuestInTime",
                                              "controlWardTimeCoverageInRiverOrEnemyHalf",
                                              "controlWardsPlaced",
                                              "damagePerMinute",
                                              "damageTakenOnTeamPercentage",
                                              "dancedWithRiftHerald",
                                              "deathsByEnemyChamps",
                                              "dodgeSkillShotsSmallWindow",
                                              "doubleAces",
                                              "dragonTakedowns",
                                              "earliestDragonTakedown",
                                              "earlyLaningPhaseGoldExpAdvantage",
                                              "effectiveHealAndShielding",
                                              "elderDragonKillsWithOpposingSoul",
                                              "elderDragonMultikills",
                                              "enemyChampionImmobilizations",
                                              "enemyJungleMonsterKills",
                                              "epicMonsterKillsNearEnemyJungler",
                                              "epicMonsterKillsWithin30SecondsOfSpawn",
                                              "epicMonsterSteals",
                                              "epicMonsterStolenWithoutSmite",
                                              "firstTurretKilled",
                                              "fistBumpParticipation",
                                              "flawlessAces",
                                              "fullTeamTakedown",
                                              "gameLength",
                                              "getTakedownsInAllLanesEarlyJungleAsLaner",
                                              "goldPerMinute",
                                              "hadOpenNexus",
                                              "immobilizeAndKillWithAlly",
                                              "initialBuffCount",
                                              "initialCrabCount",
                                              "jungleCsBefore10Minutes",
                                              "junglerTakedownsNearDamagedEpicMonster",
                                              "kTurretsDestroyedBeforePlatesFall",
                                              "kda",
                                              "killAfterHiddenWithAlly",
                                              "killParticipation",
                                              "killedChampTookFullTeamDamageSurvived",
                                              "killingSprees",
                                              "killsNearEnemyTurret",
                                              "killsOnOtherLanesEarlyJungleAsLaner",
                                              "killsOnRecentlyHealedByAramPack",
                                              "killsUnderOwnTurret",
                                              "killsWithHelpFromEpicMonster",
                                              "knockEnemyIntoTeamAndKill",
                                              "landSkillShotsEarlyGame",
                                              "laneMinionsFirst10Minutes",
                                              "laningPhaseGoldExpAdvantage",
                                              "legendaryCount",
                                              "lostAnInhibitor",
                                              "maxCsAdvantageOnLaneOpponent",
                                              "maxKillDeficit",
                                              "maxLevelLeadLaneOpponent",
                                              "mejaisFullStackInTime",
                                              "moreEnemyJungleThanOpponent",
                                              "multiKillOneSpell",
                                              "multiTurretRiftHeraldCount",
                                              "multikills",
                                              "multikillsAfterAggressiveFlash",
                                              "outerTurretExecutesBefore10Minutes",
                                              "outnumberedKills",
                                              "outnumberedNexusKill",
                                              "perfectDragonSoulsTaken",
                                              "perfectGame",
                                              "pickKillWithAlly",
                                              "playedChampSelectPosition",
                                              "poroExplosions",
                                              "quickCleanse",
                                              "quickFirstTurret",
                                              "quickSoloKills",
                                              "riftHeraldTakedowns",
                                              "saveAllyFromDeath",
                                              "scuttleCrabKills",
                                              "shortestTimeToAceFromFirstTakedown",
                                              "skillshotsDodged",
                                              "skillshotsHit",
                                              "snowballsHit",
                                              "soloBaronKills",
                                              "soloKills",
                                              "stealthWardsPlaced",
                                              "survivedSingleDigitHpCount",
                                              "survivedThreeImmobilizesInFight",
                                              "takedownOnFirstTurret",
                                              "takedowns",
                                              "takedownsAfterGainingLevelAdvantage",
                                              "takedownsBeforeJungleMinionSpawn",
                                              "takedownsFirstXMinutes",
                                              "takedownsInAlcove",
                                              "takedownsInEnemyFountain",
                                              "teamBaronKills",
                                              "teamDamagePercentage",
                                              "teamElderDragonKills",
                                              "teamRiftHeraldKills",
                                              "tookLargeDamageSurvived",
                                              "turretPlatesTaken",
                                              "turretTakedowns",
                                              "turretsTakenWithRiftHerald",
                                              "twentyMinionsIn3SecondsCount",
                                              "unseenRecalls",
                                              "visionScoreAdvantageLaneOpponent",
                                              "visionScorePerMinute",
                                              "voidMonsterKill",
                                              "wardTakedowns",
                                              "wardTakedownsBefore20M",
                                              "wardsGuarded"};

static const char *const participant_names[] = {"PlayerScore0",
                                                "PlayerScore1",
                                                "PlayerScore10",
                                                "PlayerScore11",
                                                "PlayerScore2",
                                                "PlayerScore3",
                                                "PlayerScore4",
                                                "PlayerScore5",
                                                "PlayerScore6",
                                                "PlayerScore7",
                                                "PlayerScore8",
                                                "PlayerScore9",
                                                "allInPings",
                                                "assistMePings",
                                                "assists",
                                                "baronKills",
                                                "basicPings",
                                                "bountyLevel",
                                                "champExperience",
                                                "champLevel",
                                                "championId",
                                                "=championName",
                                                "championTransform",
                                                "+challenges",
                                                "commandPings",
                                                "consumablesPurchased",
                                                "damageDealtToBuildings",
                                                "damageDealtToObjectives",
                                                "damageDealtToTurrets",
                                                "damageSelfMitigated",
                                                "dangerPings",
                                                "deaths",
                                                "detectorWardsPlaced",
                                                "doubleKills",
                                                "dragonKills",
                                                "?eligibleForProgression",
                                                "enemyMissingPings",
                                                "enemyVisionPings",
                                                "?firstBloodAssist",
                                                "?firstBloodKill",
                                                "?firstTowerAssist",
                                                "?firstTowerKill",
                                                "?gameEndedInEarlySurrender",
                                                "?gameEndedInSurrender",
                                                "getBackPings",
                                                "goldEarned",
                                                "goldSpent",
                                                "holdPings",
                                                "=individualPosition",
                                                "inhibitorKills",
                                                "inhibitorTakedowns",
                                                "inhibitorsLost",
                                                "item0",
                                                "item1",
                                                "item2",
                                                "item3",
                                                "item4",
                                                "item5",
                                                "item6",
                                                "itemsPurchased",
                                                "killingSprees",
                                                "kills",
                                                "=lane",
                                                "largestCriticalStrike",
                                                "largestKillingSpree",
                                                "largestMultiKill",
                                                "longestTimeSpentLiving",
                                                "magicDamageDealt",
                                                "magicDamageDealtToChampions",
                                                "magicDamageTaken",
                                                "+missions",
                                                "needVisionPings",
                                                "neutralMinionsKilled",
                                                "nexusKills",
                                                "nexusLost",
                                                "nexusTakedowns",
                                                "objectivesStolen",
                                                "objectivesStolenAssists",
                                                "onMyWayPings",
                                                "participantId",
                                                "pentaKills",
                                                "+perks",
                                                "physicalDamageDealt",
                                                "physicalDamageDealtToChampions",
                                                "physicalDamageTaken",
                                                "placement",
                                                "playerAugment1",
                                                "playerAugment2",
                                                "playerAugment3",
                                                "playerAugment4",
                                                "playerSubteamId",
                                                "profileIcon",
                                                "pushPings",
                                                "*puuid",
                                                "quadraKills",
                                                "=riotIdGameName",
                                                "=riotIdTagline",
                                                "=role",
                                                "sightWardsBoughtInGame",
                                                "spell1Casts",
                                                "spell2Casts",
                                                "spell3Casts",
                                                "spell4Casts",
                                                "subteamPlacement",
                                                "summoner1Casts",
                                                "summoner1Id",
                                                "summoner2Casts",
                                                "summoner2Id",
                                                "*summonerId",
                                                "summonerLevel",
                                                "=summonerName",
                                                "?teamEarlySurrendered",
                                                "teamId",
                                                "=teamPosition",
                                                "timeCCingOthers",
                                                "timePlayed",
                                                "totalAllyJungleMinionsKilled",
                                                "totalDamageDealt",
                                                "totalDamageDealtToChampions",
                                                "totalDamageShieldedOnTeammates",
                                                "totalDamageTaken",
                                                "totalEnemyJungleMinionsKilled",
                                                "totalHeal",
                                                "totalHealsOnTeammates",
                                                "totalMinionsKilled",
                                                "totalTimeCCDealt",
                                                "totalTimeSpentDead",
                                                "totalUnitsHealed",
                                                "tripleKills",
                                                "trueDamageDealt",
                                                "trueDamageDealtToChampions",
                                                "trueDamageTaken",
                                                "turretKills",
                                                "turretTakedowns",
                                                "turretsLost",
                                                "unrealKills",
                                                "visionClearedPings",
                                                "visionScore",
                                                "visionWardsBoughtInGame",
                                                "wardsKilled",
                                                "wardsPlaced",
                                                "?win"};

static void put_challenges(struct output *out) {
    put_key(out, "challenges");
    open_level(out, "{");
    for (size_t i = 0; i < sizeof challenge_names / sizeof challenge_names[0]; i++) {
        if (i % 7 == 0)
            put_double(out, challenge_names[i]);
        else
            put_integer(out, challenge_names[i], i % 5 == 0 ? 1000 : 4);
    }
    put_key(out, "legendaryItemUsed");
    put(out, "[3142,6692,3036]");
    close_level(out, "}");
}

static void put_missions(struct output *out) {
    put_key(out, "missions");
    open_level(out, "{");
    for (int i = 0; i < 12; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "playerScore%d", i);
        put_integer(out, name, 10);
    }
    close_level(out, "}");
}

static void put_style(struct output *out, const char *description, int selections) {
    put(out, out->separator);
    open_level(out, "{");
    put_text(out, "description", description);
    put_key(out, "selections");
    open_level(out, "[");
    for (int i = 0; i < selections; i++) {
        put(out, i > 0 ? "," : "");
        open_level(out, "{");
        put_integer(out, "perk", 9000);
        put_integer(out, "var1", 3000);
        put_integer(out, "var2", 500);
        put_integer(out, "var3", 2);
        close_level(out, "}");
    }
    close_level(out, "]");
    put_integer(out, "style", 8500);
    close_level(out, "}");
}

static void put_perks(struct output *out) {
    put_key(out, "perks");
    open_level(out, "{");
    put_key(out, "statPerks");
    open_level(out, "{");
    put_integer(out, "defense", 5010);
    put_integer(out, "flex", 5010);
    put_integer(out, "offense", 5010);
    close_level(out, "}");
    put_key(out, "styles");
    open_level(out, "[");
    put_style(out, "primaryStyle", 4);
    put_style(out, "subStyle", 2);
    close_level(out, "]");
    close_level(out, "}");
}

static void put_object(struct output *out, const char *name) {
    if (strcmp(name, "challenges") == 0)
        put_challenges(out);
    else if (strcmp(name, "missions") == 0)
        put_missions(out);
    else
        put_perks(out);
}

static void put_participant(struct output *out) {
    open_level(out, "{");
    for (size_t i = 0; i < sizeof participant_names / sizeof participant_names[0]; i++) {
        const char *name = participant_names[i];
        if (*name == '+')
            put_object(out, name + 1);
        else if (*name == '*')
            put_random_text(out, name + 1, 78);
        else if (*name == '?')
            put_bool(out, name + 1);
        else if (*name == '=')
            put_text(out, name + 1,
                     draw(out, 3) == 0 ? positions[draw(out, 5)] : champions[draw(out, 10)]);
        else
            put_integer(out, name, i % 3 == 0 ? 40000 : 12);
    }
    close_level(out, "}");
}

static void put_team(struct output *out) {
    static const char *const objectives[] = {"atakhan", "baron",     "champion",   "dragon",
                                             "horde",   "inhibitor", "riftHerald", "tower"};
    open_level(out, "{");
    put_key(out, "bans");
    open_level(out, "[");
    for (int i = 0; i < 5; i++) {
        put(out, i > 0 ? "," : "");
        open_level(out, "{");
        put_integer(out, "championId", 950);
        put_integer(out, "pickTurn", 10);
        close_level(out, "}");
    }
    close_level(out, "]");
    put_key(out, "objectives");
    open_level(out, "{");
    for (size_t i = 0; i < sizeof objectives / sizeof objectives[0]; i++) {
        put_key(out, objectives[i]);
        open_level(out, "{");
        put_bool(out, "first");
        put_integer(out, "kills", 12);
        close_level(out, "}");
    }
    close_level(out, "}");
    put_integer(out, "teamId", 200);
    put_bool(out, "win");
    close_level(out, "}");
}

static void put_metadata(struct output *out, uint64_t number) {
    char id[32];
    (void)snprintf(id, sizeof id, "EUW1_%llu", (unsigned long long)(7000000000 + number));
    put_key(out, "metadata");
    open_level(out, "{");
    put_text(out, "dataVersion", "2");
    put_text(out, "matchId", id);
    put_key(out, "participants");
    open_level(out, "[");
    for (int i = 0; i < 10; i++) {
        out->at += sprintf(out->at, "%s\"%078llu\"", i > 0 ? "," : "",
                           (unsigned long long)draw(out, 1 << 30));
    }
    close_level(out, "]");
    close_level(out, "}");
}

size_t match_v5_write(uint64_t number, char *to) {
    struct output out = {.at = to, .state = number + 1};
    open_level(&out, "{");
    put_metadata(&out, number);
    put_key(&out, "info");
    open_level(&out, "{");
    put_text(&out, "endOfGameResult", "GameComplete");
    put_key(&out, "gameCreation");
    out.at += sprintf(out.at, "%llu", 1717243200000 + (unsigned long long)number * 1000);
    put_integer(&out, "gameDuration", 2400);
    put_key(&out, "gameStartTimestamp");
    out.at += sprintf(out.at, "%llu", 1717243230000 + (unsigned long long)number * 1000);
    put_text(&out, "gameMode", "CLASSIC");
    put_text(&out, "gameVersion", "14.11.589.9418");
    put_key(&out, "participants");
    open_level(&out, "[");
    for (int i = 0; i < 10; i++) {
        put(&out, i > 0 ? "," : "");
        put_participant(&out);
    }
    close_level(&out, "]");
    put_text(&out, "platformId", "EUW1");
    put_key(&out, "queueId");
    out.at += sprintf(out.at, "%d", queues[draw(&out, sizeof queues / sizeof queues[0])]);
    put_key(&out, "teams");
    open_level(&out, "[");
    put_team(&out);
    put(&out, ",");
    put_team(&out);
    close_level(&out, "]");
    close_level(&out, "}");
    close_level(&out, "}");
    check(out.at - to < MATCH_V5_SIZE_MAX);
    return (size_t)(out.at - to);
}
