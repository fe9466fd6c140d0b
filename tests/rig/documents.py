"""Documents in the shapes in which providers of esports data send them, as texts of JSON. The same seed gives the
same documents. Some values of `odd` ones are missing, null, of another type or too large, as in real data, only more often."""

import json
import random
import re

START_MS = 1746086400000  # 2025-05-01T08:00:00Z
COUNT = 120  # records of each kind, of which 1 in 20 is not an object that can be read
CHALLENGES = [f"challenge{number}" for number in range(110)]
CHAMPIONS = {27: "Singed", 64: "LeeSin", 103: "Ahri", 222: "Jinx", 412: "Thresh", 897: "KSante"}
POSITIONS = ["TOP", "JUNGLE", "MIDDLE", "BOTTOM", "UTILITY", ""]
NAMES = ["Faker", "Caps “the” 2nd", "Jos\u00e9", "\u4eac\u4e1c", "tab\there", 'quote "Q"', "", " blank "]
# Written into the text as they are.
NUMBERS = ["1.0", "2e2", "-0", "1.5", "1e400", "2147483648", "9000000000000000000", "123456789012345678901234567890"]
RAW = re.compile('"RAW ([^"]+)"')
DELETED = object()


def text_of(document, chance=None):
    """Half of them compact, half as Python writes them."""
    compact = chance is not None and chance.random() < 0.5
    text = json.dumps(
        document, separators=(",", ":") if compact else None, ensure_ascii=chance is None or chance.random() < 0.5
    )
    return RAW.sub(r"\1", text)


def odd_value(chance):
    """Instead of what should be there."""
    kinds = [
        lambda: DELETED,
        lambda: DELETED,
        lambda: None,
        lambda: None,
        lambda: "RAW " + chance.choice(NUMBERS),
        lambda: str(chance.randint(-5, 5)),
        lambda: chance.choice(NAMES),
        lambda: chance.random() < 0.5,
        lambda: [],
        lambda: {},
        lambda: [1, "two"],
        lambda: {"id": 1},
    ]
    return chance.choice(kinds)()


def spoil(chance, value, rate):
    """A copy in which each value is odd with this probability; that of an array's elements is a tenth of it."""
    if isinstance(value, dict):
        copy = {name: odd_value(chance) if chance.random() < rate else spoil(chance, one, rate) for name, one in value.items()}
        return {name: one for name, one in copy.items() if one is not DELETED}
    if isinstance(value, list):
        copy = [odd_value(chance) if chance.random() < rate / 10 else spoil(chance, one, rate) for one in value]
        return [one for one in copy if one is not DELETED]
    return value


def places(value, depth):
    """(container, key) of each value down to this depth."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        if depth > 1:
            yield from places(value[key], depth - 1)


def spoil_one(chance, found):
    """Makes one of the values odd; what is missing is null here."""
    if found:
        container, key = chance.choice(found)
        value = odd_value(chance)
        container[key] = None if value is DELETED else value


def spoil_more(chance, document):
    """What is too rare otherwise: something near the root, or an element of an array."""
    if chance.random() < 0.3:
        spoil_one(chance, list(places(document, 2)))
    if chance.random() < 0.3:
        spoil_one(chance, [place for place in places(document, 6) if isinstance(place[0], list)])


def records(make, seed, count=COUNT):
    """What a topic holds: documents of which about half are odd, and records that are none."""
    chance = random.Random(seed)
    found = []
    for number in range(count):
        document = make(chance, number)
        if number % 2:
            document = spoil(chance, document, chance.choice([0.003, 0.01, 0.05]))
            spoil_more(chance, document)
        text = text_of(document, chance)
        if number % 20 == 19:
            text = chance.choice([None, " ", "[1]", "null", "no JSON", text[: len(text) // 2]])
        found.append(text)
    return found


# ---- Riot ----


def puuid(chance):
    return "".join(chance.choices("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", k=78))


def perks(chance):
    styles = [("primaryStyle", 4), ("subStyle", 2)]
    return {
        "statPerks": {"defense": 5002, "flex": 5008, "offense": 5005},
        "styles": [
            {
                "description": description,
                "selections": [
                    {"perk": chance.randint(8000, 8500), "var1": chance.randint(0, 2000), "var2": 0, "var3": 0}
                    for _ in range(count)
                ],
                "style": chance.choice([8000, 8100, 8200, 8300, 8400]),
            }
            for description, count in styles
        ],
    }


def challenges(chance):
    found = {
        "12AssistStreakCount": 0,
        "damagePerMinute": chance.uniform(100, 1500),
        "goldPerMinute": chance.uniform(200, 600),
        "kda": chance.randint(0, 60) / 3,
        "killParticipation": chance.random(),
    }
    found.update((name, chance.choice([0, chance.randint(0, 300)])) for name in CHALLENGES)
    return found


def participant(chance, number, teams):
    champion = chance.choice(list(CHAMPIONS))
    found = {
        "assists": chance.randint(0, 25),
        "champLevel": chance.randint(1, 18),
        "championId": champion,
        "championName": CHAMPIONS[champion],
        "deaths": chance.choice([0, chance.randint(0, 15)]),
        "goldEarned": chance.randint(4000, 22000),
        "goldSpent": chance.randint(4000, 20000),
        **{f"item{slot}": chance.choice([0, chance.randint(1001, 7000)]) for slot in range(7)},
        "kills": chance.randint(0, 20),
        "neutralMinionsKilled": chance.randint(0, 200),
        "participantId": number + 1,
        "perks": perks(chance),
        "profileIcon": chance.randint(0, 6000),
        "puuid": puuid(chance),
        "riotIdGameName": chance.choice(NAMES),
        "riotIdTagline": chance.choice(["EUW", "KR1", ""]),
        "summonerLevel": chance.randint(1, 1500),
        "teamId": teams[number * 2 // 10 % 2],
        "teamPosition": chance.choice(POSITIONS),
        "timePlayed": chance.randint(200, 3000),
        "totalDamageDealtToChampions": chance.randint(1000, 70000),
        "totalDamageTaken": chance.randint(1000, 90000),
        "totalHeal": chance.randint(0, 40000),
        "totalMinionsKilled": chance.randint(0, 350),
        "visionScore": chance.randint(0, 120),
        "wardsKilled": chance.randint(0, 20),
        "wardsPlaced": chance.randint(0, 60),
        "win": number < 5,
    }
    if chance.random() < 0.9:
        found["challenges"] = challenges(chance)
    return found


def team(chance, number, wins):
    objectives = ["atakhan", "baron", "champion", "dragon", "horde", "inhibitor", "riftHerald", "tower"]
    return {
        "bans": [
            {"championId": chance.choice([-1, *CHAMPIONS]), "pickTurn": turn + 1} for turn in range(chance.choice([0, 5]))
        ],
        "objectives": {
            name: {"first": chance.random() < 0.5, "kills": chance.randint(0, 12)}
            for name in objectives
            if chance.random() < 0.9
        },
        "teamId": number,
        "win": wins,
    }


def riot_match(chance, number):
    """match-v5: 0 to 16 participants."""
    players = chance.choice([0, 2, 10, 10, 10, 10, 16])
    started = START_MS + number * 5_000_000
    seconds = chance.randint(200, 3000)
    info = {
        "endOfGameResult": "GameComplete",
        "gameCreation": started - 30_000,
        "gameDuration": seconds,
        "gameEndTimestamp": started + seconds * 1000 + 12,
        "gameId": 7_212_345_678 + number,
        "gameMode": chance.choice(["CLASSIC", "ARAM", "CHERRY"]),
        "gameName": "teambuilder-match",
        "gameStartTimestamp": started,
        "gameType": "MATCHED_GAME",
        "gameVersion": chance.choice(["15.9.674.1234", "15.10.678.2", "14", "", "15.11."]),
        "mapId": chance.choice([11, 12, 30]),
        "participants": [participant(chance, place, (100, 200)) for place in range(players)],
        "platformId": "EUW1",
        "queueId": chance.choice([420, 440, 450, 0]),
        "teams": [team(chance, 100, True), team(chance, 200, False)] if players else [],
        "tournamentCode": chance.choice(["", "EUW04a23-1a2b"]),
    }
    if number % 10 == 3:  # before patch 11.20
        del info["gameEndTimestamp"], info["endOfGameResult"]
        info["gameDuration"] *= 1000
    identifier = f"EUW1_{info['gameId']}"
    metadata = {"dataVersion": "2", "matchId": identifier, "participants": [puuid(chance) for _ in range(players)]}
    return {"metadata": metadata, "info": info}


def riot_league(chance, number):
    """league-v4: a ladder, with each player in it."""
    return {
        "tier": chance.choice(["CHALLENGER", "GRANDMASTER", "MASTER"]),
        "leagueId": f"0b0b0b0b-1111-2222-3333-{number:012}",
        "queue": chance.choice(["RANKED_SOLO_5x5", "RANKED_FLEX_SR"]),
        "name": "Zed's Wardens",
        "entries": [
            {
                "puuid": puuid(chance),
                "leaguePoints": chance.randint(0, 2000),
                "rank": "I",
                "wins": chance.choice([0, chance.randint(0, 900)]),
                "losses": chance.choice([0, chance.randint(0, 900)]),
                "veteran": chance.random() < 0.5,
                "inactive": chance.random() < 0.1,
                "freshBlood": chance.random() < 0.1,
                "hotStreak": chance.random() < 0.2,
            }
            for _ in range(chance.choice([0, 1, 30]))
        ],
    }


def frame(chance, minute, started):
    """`participantFrames` is an object whose keys are the players' numbers."""
    kinds = ["CHAMPION_KILL", "CHAMPION_KILL", "ITEM_PURCHASED", "WARD_PLACED", "BUILDING_KILL"]
    events = [{"realTimestamp": started, "timestamp": 0, "type": "PAUSE_END"}] if minute == 0 else []
    for _ in range(chance.randint(0, 6)):
        event = {"timestamp": minute * 60_000 + chance.randint(0, 59_999), "type": chance.choice(kinds)}
        if event["type"] == "CHAMPION_KILL":
            event |= {
                "bounty": chance.randint(50, 1000),
                "killerId": chance.randint(0, 10),
                "victimId": chance.randint(1, 10),
                "position": {"x": chance.randint(0, 15000), "y": chance.randint(0, 15000)},
            }
            if chance.random() < 0.6:
                event["assistingParticipantIds"] = chance.sample(range(1, 11), chance.randint(1, 4))
        events.append(event)
    players = {
        str(player): {
            "championStats": {"abilityHaste": 0, "armor": 38, "health": 640 + minute},
            "currentGold": chance.randint(0, 3000),
            "damageStats": {"magicDamageDone": chance.randint(0, 9000)},
            "jungleMinionsKilled": chance.randint(0, 100),
            "level": chance.randint(1, 18),
            "minionsKilled": chance.randint(0, 200),
            "participantId": player,
            "position": {"x": chance.randint(0, 15000), "y": chance.randint(0, 15000)},
            "totalGold": 500 + minute * 350,
            "xp": minute * 400,
        }
        for player in range(1, 11)
    }
    return {"events": events, "participantFrames": players, "timestamp": minute * 60_000 + chance.randint(0, 30)}


def riot_timeline(chance, number):
    started = START_MS + number * 5_000_000
    return {
        "metadata": {"dataVersion": "2", "matchId": f"EUW1_{7_212_345_678 + number}", "participants": []},
        "info": {
            "frameInterval": 60_000,
            "frames": [frame(chance, minute, started) for minute in range(chance.choice([0, 1, 8]))],
            "gameId": 7_212_345_678 + number,
            "participants": [{"participantId": player, "puuid": puuid(chance)} for player in range(1, 11)],
        },
    }


# ---- others ----


def moment(hours, form="2025-05-{:02}T{:02}:00:12Z"):
    return form.format(1 + hours // 24 % 28, hours % 24)


def pandascore_match(chance, number):
    status = chance.choice(["finished", "finished", "finished", "running", "not_started", "canceled"])
    teams = [{"id": 126061, "name": "T1", "acronym": "T1", "location": "KR"}, {"id": 2882, "name": "Gen.G", "acronym": "GEN", "location": "KR"}]
    known = teams[: chance.choice([0, 1, 2, 2, 2])]
    begun, ended = status in ("finished", "running"), status == "finished"
    winner = chance.choice(known) if known and ended else None
    results = [{"team_id": one["id"], "score": chance.randint(0, 3)} for one in known]
    chance.shuffle(results)
    return {
        "id": 1001234 + number,
        "name": "Upper bracket final: T1 vs GEN",
        "slug": "t1-vs-gen-2025-05-01",
        "status": status,
        "scheduled_at": moment(number),
        "begin_at": moment(number + 1) if begun else None,
        "end_at": moment(number + 3) if ended else None,
        "modified_at": moment(number + 4),
        "match_type": "best_of",
        "number_of_games": 5,
        "draw": False,
        "forfeit": chance.random() < 0.1,
        "rescheduled": False,
        "winner_id": winner["id"] if winner and chance.random() < 0.5 else None,
        "winner_type": "Team",
        "winner": winner,
        "opponents": [{"type": "Team", "opponent": one} for one in known],
        "results": results,
        "games": [
            {
                "id": 250001 + place,
                "position": place + 1,
                "status": "finished" if place < 3 else "not_played",
                "length": chance.randint(900, 3600) if place < 3 else None,
                "complete": place < 3,
                "forfeit": False,
                "winner": {"id": chance.choice([126061, 2882, None]), "type": "Team"},
                "begin_at": moment(number + 1) if place < 3 else None,
                "end_at": moment(number + 2) if place < 3 else None,
            }
            for place in range(chance.choice([0, 1, 5]))
        ],
        "league": {"id": 293, "name": "LCK", "slug": "league-of-legends-lck-champions-korea"},
        "serie": {"id": 8001, "full_name": "Spring 2025", "year": 2025},
        "tournament": {"id": 14001, "name": "Playoffs", "tier": "s"},
        "videogame": {"id": 1, "name": "LoL", "slug": "league-of-legends"},
        "videogame_version": {"name": "15.9.1", "current": True} if chance.random() < 0.7 else None,
        "streams_list": [{"language": "ko", "main": True, "raw_url": "https://example.invalid/lck"}],
    }


def opendota_match(chance, number):
    players = [
        {
            "account_id": chance.choice([None, 100_000_001 + slot]),
            "personaname": chance.choice(NAMES),
            "player_slot": slot if slot < 5 else 123 + slot,
            "hero_id": chance.randint(1, 140),
            "level": chance.randint(1, 30),
            **{name: chance.choice([0, chance.randint(0, 30)]) for name in ("kills", "deaths", "assists", "denies")},
            **{name: chance.randint(100, 900) for name in ("gold_per_min", "xp_per_min", "last_hits")},
            **{name: chance.randint(0, 60000) for name in ("hero_damage", "tower_damage", "hero_healing", "net_worth")},
            "leaver_status": chance.choice([0, 0, 0, 1, 2]),
            "rank_tier": chance.choice([None, 80]),
            "win": int(slot < 5),
            "purchase_log": [{"time": 12, "key": "tango"}],
        }
        for slot in range(chance.choice([0, 10, 10]))
    ]
    found = {
        "match_id": 8_012_345_678 + number,
        "match_seq_num": 6_712_345_678 + number,
        "start_time": START_MS // 1000 + number * 9000,
        "duration": chance.randint(900, 4000),
        "patch": chance.choice([56, 57]),
        "region": 3,
        "game_mode": 2,
        "lobby_type": 1,
        "leagueid": chance.choice([0, 16935]),
        "radiant_win": chance.random() < 0.5,
        "radiant_score": chance.randint(0, 60),
        "dire_score": chance.randint(0, 60),
        "first_blood_time": chance.randint(-60, 400),
        "picks_bans": [
            {"is_pick": chance.random() < 0.5, "hero_id": chance.randint(1, 140), "team": place % 2, "order": place}
            for place in range(chance.choice([0, 24]))
        ],
        "players": players,
        "objectives": [{"time": 301, "type": "CHAT_MESSAGE_FIRSTBLOOD", "slot": 3}],
    }
    if chance.random() < 0.6:  # its replay was parsed
        found["version"] = 21
        found["radiant_gold_adv"] = [minute * chance.randint(-90, 90) for minute in range(chance.choice([5, 40]))]
    if found["leagueid"]:
        found["radiant_team"] = {"team_id": 7119388, "name": "Team Spirit", "tag": "TSpirit"}
        found["dire_team"] = {"team_id": 8599101, "name": "Gaimin Gladiators", "tag": "GG"}
    return found


def leaguepedia_game(chance, number):
    """All values are texts."""

    def count(least, most):
        return chance.choice([str(chance.randint(least, most)), str(chance.randint(least, most)), "", " 7 ", "n/a", "7.9"])

    sides = chance.sample(["T1", "Gen.G", "Jos\u00e9 Gaming", "G2 Esports"], 2)
    length = chance.uniform(15, 60)
    found = {
        "GameId": f"LCK/2025 Season/Spring Playoffs_Final_{number}",
        "MatchId": "LCK/2025 Season/Spring Playoffs_Final",
        "Tournament": "LCK 2025 Spring Playoffs",
        "Team1": sides[0],
        "Team2": sides[1],
        "WinTeam": chance.choice([*sides, ""]),
        "LossTeam": sides[1],
        "DateTime UTC": chance.choice([moment(number, "2025-05-{:02} {:02}:05:00"), "", "2025-05-32 08:00:00", "2025-05-01"]),
        "DateTime UTC__precision": "0",
        "Gamelength": f"{int(length)}:33",
        "Gamelength Number": chance.choice([f"{length:.2f}", f"{length}", "", "NaN"]),
        "N GameInMatch": count(1, 5),
        "Patch": chance.choice(["15.8", ""]),
    }
    for side in ("Team1", "Team2"):
        for name, most in (("Kills", 40), ("Gold", 90000), ("Towers", 11), ("Dragons", 6), ("Barons", 3)):
            found[f"{side}{name}"] = count(0, most)
    return found


# The topics that the example query files read, by the variable that names them.
TOPICS = {
    "KAFKA_TOPIC_RIOT": riot_match,
    "KAFKA_TOPIC_RIOT_LEAGUE": riot_league,
    "KAFKA_TOPIC_RIOT_TIMELINES": riot_timeline,
    "KAFKA_TOPIC_PANDASCORE": pandascore_match,
    "KAFKA_TOPIC_OPENDOTA": opendota_match,
    "KAFKA_TOPIC_LEAGUEPEDIA": leaguepedia_game,
}
