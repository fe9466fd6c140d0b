#include "records.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* clang-format off: lists of names read better as lists */
static const char *const teams[] = {
    "T1",
    "Gen.G",
    "KT Rolster",
    "Hanwha Life Esports",
    "Dplus KIA",
    "G2 Esports",
    "Fnatic",
    "MAD Lions KOI",
    "Team Vitality",
    "Karmine Corp",
    "SK Gaming",
    "Team BDS",
    "Rogue",
    "Team Heretics",
    "GIANTX",
    "Cloud9",
    "Team Liquid Honda",
    "FlyQuest",
    "100 Thieves",
    "Shopify Rebellion",
    "NRG Kia",
    "Bilibili Gaming",
    "Top Esports",
    "JD Gaming",
    "Weibo Gaming",
    "LNG Esports",
    "Ninjas in Pyjamas",
    "PSG Talon",
    "GAM Esports",
    "LOUD",
    "paiN Gaming",
    "Movistar R7",
    "Fukuoka SoftBank HAWKS",
    "Léviatan",
    "Beşiktaş Esports",
    "Kırmızı \"KZ\" Akademi",
    "京东 JDG",
};
static const char *const tournaments[] = {
    "LCK Spring 2024",
    "LEC Summer 2024",
    "LPL Spring 2024",
    "LCS Summer 2024",
    "Worlds 2024",
    "MSI 2024",
    "CBLOL 2024 - 2ª Etapa",
    "LFL Spring 2024",
    "PCS Summer 2024",
    "VCS Spring 2024",
    "La Ligue Française - Été 2024",
    "EMEA Masters Summer 2024",
};
static const char *const first_names[] = {
    "Sang-hyeok", "Min-hyung", "Rasmus",   "Martin",  "Luka",   "Mihael",   "Steven",   "Jörg",
    "François",   "Iván",      "Elías",    "José",    "Marcin", "Nils",     "Barney",   "Yiliang",
    "Duong Duy",  "Ji-hoon",   "Jae-hyuk", "Zhao",    "明凯",   "Nemanja",  "Zdravets", "Oskar",
    "Adrian",     "Kim",       "Alois",    "Ibrahim", "Kacper", "Philippe", "Matyáš",   "Ask",
};
static const char *const last_names[] = {
    "Lee",     "Winther",    "Hansen", "Perković", "Mehle",    "Müller",
    "García",  "Jankowski",  "Rau",    "Morris",   "Peng",     "Nguyen",
    "Kim",     "Park",       "Jeong",  "Li",       "Wang",     "Iliev",
    "Galabov", "Bogdańczuk", "Trybus", "Kang",     "Nelissen", "Samir Al-Rashid",
    "Słoma",   "Laflèche",   "Orság",  "O'Brien",  "Sørensen", "Çelik",
    "Horák",   "Seo",
};
static const char *const nicknames[] = {
    "Faker",       "Caps",  "Rekkles", "Perkz",     "Mikyx",    "Jankos",   "Yike",   "Hans Sama",
    "BrokenBlade", "Deft",  "Chovy",   "ShowMaker", "Canyon",   "Gumayusi", "Keria",  "Oner",
    "Zeus",        "Ruler", "Knight",  "Elk",       "Bin",      "Xun",      "ON",     "Doublelift",
    "Bwipo",       "Busio", "Massu",   "Quad",      "Inspired", "Upset",    "페이커", "🔥Razork🔥",
};
static const char *const nations[] = {
    "KR", "DK", "SE", "HR", "SI", "PL", "DE", "ES", "FR", "CN", "US", "VN", "TW", "BR", "CZ", "TR",
};
static const char *const roles[] = {"Top", "Jungle", "Mid", "ADC", "Support"};
static const char *const match_types[] = {"best_of_1", "best_of_3", "best_of_5", "regular"};
static const char *const data_sources[] = {"riot_api", "leaguepedia", "pandascore"};

const char *const spoil_kind_names[SPOIL_KIND_COUNT] = {
    "truncated", "text", "wrong-type", "empty", "array", "null", "no-brace", "number",
};
/* clang-format on */

static const int64_t base_ms = 1717200000000; // 2024-06-01T00:00:00Z

/* The record under construction. */
struct maker {
    char *at; // where the next byte goes
    uint64_t random;
    bool python_style;
    bool first; // no key written yet
};

/* splitmix64: small, and the same everywhere. */
static uint64_t draw_bits(struct maker *m) {
    uint64_t z = (m->random += 0x9E3779B97F4A7C15U);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
}

static uint32_t draw(struct maker *m, size_t below) {
    return (uint32_t)(((draw_bits(m) >> 32) * below) >> 32);
}

static bool draw_percent(struct maker *m, double percent) {
    return (double)(draw_bits(m) >> 11) * (100.0 / 9007199254740992.0) < percent;
}

static void put_bytes(struct maker *m, const char *bytes, size_t size) {
    memcpy(m->at, bytes, size);
    m->at += size;
}

static void put(struct maker *m, const char *text) {
    put_bytes(m, text, strlen(text));
}

static void put_char(struct maker *m, unsigned c) {
    *m->at++ = (char)c;
}

static void put_number(struct maker *m, int64_t value) {
    char text[24];
    put_bytes(m, text, (size_t)snprintf(text, sizeof text, "%" PRId64, value));
}

static void put_padded(struct maker *m, int64_t value, int width) {
    char text[24];
    put_bytes(m, text, (size_t)snprintf(text, sizeof text, "%0*" PRId64, width, value));
}

/* value / 10^digits, zeros at the end dropped as Python does, one digit kept. */
static void put_decimal(struct maker *m, int64_t value, int digits) {
    int64_t one = digits == 1 ? 10 : 100;
    put_number(m, value / one);
    put(m, ".");
    put_padded(m, value % one, digits);
    while (m->at[-1] == '0' && m->at[-2] != '.')
        m->at--;
}

/* The code point of the UTF-8 sequence at *bytes, which is moved past it. */
static uint32_t next_code_point(const unsigned char **bytes) {
    const unsigned char *b = *bytes;
    if (b[0] < 0xE0) {
        *bytes += 2;
        return (b[0] & 31U) << 6 | (b[1] & 63U);
    }
    if (b[0] < 0xF0) {
        *bytes += 3;
        return (b[0] & 15U) << 12 | (b[1] & 63U) << 6 | (b[2] & 63U);
    }
    *bytes += 4;
    return (b[0] & 7U) << 18 | (b[1] & 63U) << 12 | (b[2] & 63U) << 6 | (b[3] & 63U);
}

static void put_escape(struct maker *m, uint32_t unit) {
    char text[8];
    put_bytes(m, text, (size_t)snprintf(text, sizeof text, "\\u%04x", unit));
}

static void put_string(struct maker *m, const char *text) {
    const unsigned char *bytes = (const unsigned char *)text;
    put(m, "\"");
    while (*bytes) {
        if (*bytes == '"' || *bytes == '\\')
            put(m, "\\");
        if (*bytes < 0x80 || !m->python_style) {
            put_char(m, *bytes++);
            continue;
        }
        uint32_t point = next_code_point(&bytes);
        if (point > 0xFFFF) {
            point -= 0x10000;
            put_escape(m, 0xD800 | point >> 10);
            point = 0xDC00 | (point & 0x3FF);
        }
        put_escape(m, point);
    }
    put(m, "\"");
}

static void key(struct maker *m, const char *name) {
    if (!m->first)
        put(m, m->python_style ? ", " : ",");
    m->first = false;
    put(m, "\"");
    put(m, name);
    put(m, m->python_style ? "\": " : "\":");
}

static void null_field(struct maker *m, const char *name) {
    key(m, name);
    put(m, "null");
}

/* 2.5 % of the fields are absent, 2.5 % null. True: the key has been written, its value must
 * follow. */
static bool optional(struct maker *m, const char *name) {
    uint32_t lot = draw(m, 1000);
    if (lot < 25)
        return false;
    key(m, name);
    if (lot >= 50)
        return true;
    put(m, "null");
    return false;
}

static void string_field(struct maker *m, const char *name, const char *value) {
    if (optional(m, name))
        put_string(m, value);
}

static void int_field(struct maker *m, const char *name, int64_t value) {
    if (optional(m, name))
        put_number(m, value);
}

static void decimal_field(struct maker *m, const char *name, int64_t value, int digits) {
    if (optional(m, name))
        put_decimal(m, value, digits);
}

__attribute__((format(printf, 2, 3))) static void put_format(struct maker *m, const char *format,
                                                             ...) {
    char text[128];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    put_string(m, text);
}

static void team_id_field(struct maker *m, const char *name, uint32_t team) {
    if (optional(m, name))
        put_format(m, "985%015u", team * 7919 + 13);
}

/* ISO 8601 in three spellings that producers use. */
static void put_time(struct maker *m, int64_t ms) {
    int64_t seconds = ms / 1000, of_day = seconds % 86400;
    int64_t z = seconds / 86400 + 719468; // days since 0000-03-01
    int64_t era = z / 146097, day_of_era = z - era * 146097;
    int64_t year =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    int64_t march_month = (5 * day_of_year + 2) / 153;
    int64_t month = march_month < 10 ? march_month + 3 : march_month - 9;

    char text[32];
    int length = snprintf(
        text, sizeof text,
        "%04" PRId64 "-%02" PRId64 "-%02" PRId64 "T%02" PRId64 ":%02" PRId64 ":%02" PRId64,
        year + era * 400 + (month <= 2), month, day_of_year - (153 * march_month + 2) / 5 + 1,
        of_day / 3600, of_day / 60 % 60, of_day % 60);
    put(m, "\"");
    put_bytes(m, text, (size_t)length);
    uint32_t lot = draw(m, 10);
    if (lot >= 6 && lot < 9) {
        put(m, ".");
        put_padded(m, ms % 1000, 3);
    }
    put(m, lot < 9 ? "Z\"" : "+00:00\"");
}

static void time_field(struct maker *m, const char *name, int64_t ms) {
    if (optional(m, name))
        put_time(m, ms);
}

static void match_identity(struct maker *m, uint64_t number, size_t tournament, uint32_t patch) {
    key(m, "match_id");
    put_format(m, "ESPORTSTMNT%02u_%09" PRIu64, 1 + draw(m, 6), number);
    if (optional(m, "game_id"))
        put_format(m, "%018" PRIu64, 110000000000000000U + number * 7);
    if (optional(m, "platform_game_id"))
        put_format(m, "ESPORTSTMNT0%u:%" PRIu64, 1 + draw(m, 6), 3000000U + number);
    if (optional(m, "tournament_id"))
        put_format(m, "11%016zu", (size_t)1998244520000 + tournament * 977);
    string_field(m, "tournament_name", tournaments[tournament]);
    if (optional(m, "game_version")) {
        uint32_t build = 1000 + draw(m, 8999);
        put_format(m, "14.%u.%u.%u", patch, 500 + draw(m, 200), build);
    }
    if (optional(m, "patch"))
        put_format(m, "14.%u", patch);
}

static void match_score(struct maker *m, bool played, int64_t seconds) {
    if (!played) {
        null_field(m, "match_duration");
        return;
    }
    int_field(m, "match_duration", seconds);
    int_field(m, "team_1_kills", draw(m, 35));
    int_field(m, "team_2_kills", draw(m, 35));
    int_field(m, "team_1_gold", 30000 + draw(m, 50000));
    int_field(m, "team_2_gold", 30000 + draw(m, 50000));
    int_field(m, "team_1_towers", draw(m, 12));
    int_field(m, "team_2_towers", draw(m, 12));
}

static void make_match(struct maker *m, uint64_t number, int64_t ingested_ms) {
    uint32_t lot = draw(m, 100);
    bool finished = lot < 80, played = lot < 92;
    const char *status = finished ? "finished" : played ? "live" : "scheduled";
    uint32_t home = draw(m, COUNT(teams));
    uint32_t guest = (home + 1 + draw(m, COUNT(teams) - 1)) % COUNT(teams);
    size_t tournament = draw(m, COUNT(tournaments));
    uint32_t patch = 8 + draw(m, 12);
    uint32_t winner = draw(m, 2) ? home : guest;
    int64_t seconds = 1200 + draw(m, 1500);
    int64_t start_ms = base_ms + (int64_t)(number % 50000000) * 1000 + draw(m, 1000);

    put(m, "{");
    match_identity(m, number, tournament, patch);
    team_id_field(m, "team_1_id", home);
    string_field(m, "team_1_name", teams[home]);
    team_id_field(m, "team_2_id", guest);
    string_field(m, "team_2_name", teams[guest]);
    if (finished) {
        team_id_field(m, "winner_id", winner);
        string_field(m, "winner_name", teams[winner]);
    } else {
        null_field(m, "winner_id");
        null_field(m, "winner_name");
    }
    match_score(m, played, seconds);
    string_field(m, "status", status);
    time_field(m, "started_at", start_ms);
    if (finished)
        time_field(m, "finished_at", start_ms + seconds * 1000);
    else
        null_field(m, "finished_at");
    string_field(m, "match_type", match_types[draw(m, COUNT(match_types))]);
    int_field(m, "game_number", 1 + draw(m, 5));
    string_field(m, "data_source", data_sources[draw(m, COUNT(data_sources))]);
    key(m, "ingestion_timestamp");
    put_number(m, ingested_ms);
    put(m, "}");
}

/* A rate that 15 % of the records leave out and 15 % leave null: the program calculates it then. */
static void rate_field(struct maker *m, const char *name, int64_t value) {
    uint32_t lot = draw(m, 100);
    if (lot >= 30) {
        key(m, name);
        put_decimal(m, value, 2);
    } else if (lot < 15) {
        null_field(m, name);
    }
}

static void player_identity(struct maker *m, uint64_t number, uint32_t nickname, uint32_t team) {
    key(m, "player_id");
    put_format(m, "puuid-%016" PRIx64 "-%09" PRIu64, draw_bits(m), number);
    if (optional(m, "summoner_name"))
        put_format(m, "%s %u", nicknames[nickname], draw(m, 10000));
    string_field(m, "game_name", nicknames[nickname]);
    if (optional(m, "tag_line")) {
        uint32_t digit = 1 + draw(m, 9);
        put_format(m, "%s%u", nations[draw(m, COUNT(nations))], digit);
    }
    string_field(m, "first_name", first_names[draw(m, COUNT(first_names))]);
    string_field(m, "last_name", last_names[draw(m, COUNT(last_names))]);
    string_field(m, "nickname", nicknames[nickname]);
    string_field(m, "nationality", nations[draw(m, COUNT(nations))]);
    team_id_field(m, "current_team_id", team);
    string_field(m, "current_team_name", teams[team]);
    string_field(m, "role", roles[draw(m, COUNT(roles))]);
    if (optional(m, "active"))
        put(m, draw_percent(m, 85) ? "true" : "false");
    if (optional(m, "professional"))
        put(m, draw_percent(m, 90) ? "true" : "false");
}

static void put_form(struct maker *m) {
    put(m, "\"");
    for (int game = 0; game < 5; game++)
        put(m, draw(m, 2) ? "W" : "L");
    put(m, "\"");
}

static void make_player(struct maker *m, uint64_t number, int64_t ingested_ms) {
    uint32_t nickname = draw(m, COUNT(nicknames)), team = draw(m, COUNT(teams));
    int64_t games = draw_percent(m, 2) ? 0 : 1 + draw(m, 1200);
    int64_t wins = games ? draw(m, (size_t)games + 1) : 0;
    int64_t kills = draw(m, 900); // averages are hundredths
    int64_t deaths = draw_percent(m, 1) ? 0 : 50 + draw(m, 500);
    int64_t assists = draw(m, 1400);

    put(m, "{");
    player_identity(m, number, nickname, team);
    int_field(m, "total_games", games);
    int_field(m, "total_wins", wins);
    int_field(m, "total_losses", games - wins);
    rate_field(m, "win_rate", games ? wins * 10000 / games : 0);
    decimal_field(m, "avg_kills", kills, 2);
    decimal_field(m, "avg_deaths", deaths, 2);
    decimal_field(m, "avg_assists", assists, 2);
    rate_field(m, "kda_ratio", deaths ? (kills + assists) * 100 / deaths : 9999);
    decimal_field(m, "avg_cs_per_min", 100 + draw(m, 950), 2);
    decimal_field(m, "avg_gold_per_min", 2500 + draw(m, 3000), 1);
    if (optional(m, "last_match_date"))
        put_time(m, base_ms - (int64_t)draw(m, 7776000) * 1000);
    if (optional(m, "recent_form"))
        put_form(m);
    string_field(m, "data_source", data_sources[draw(m, COUNT(data_sources))]);
    if (optional(m, "profile_updated_at"))
        put_time(m, base_ms + draw(m, 86400000));
    key(m, "ingestion_timestamp");
    put_number(m, ingested_ms);
    put(m, "}");
}

static void replace(struct maker *m, char *from, const char *text) {
    m->at = from;
    put(m, text);
}

/* Spoils the good record from `value` to m->at. */
static enum spoil_kind spoil(struct maker *m, char *value) {
    static const char last_key[] = "\"ingestion_timestamp\"";
    enum spoil_kind kind = draw(m, SPOIL_KIND_COUNT);
    size_t size = (size_t)(m->at - value);
    switch (kind) {
    case SPOIL_TRUNCATED:
        m->at = value + size / 2;
        break;
    case SPOIL_TEXT:
        replace(m, value, "this is not json");
        break;
    case SPOIL_WRONG_TYPE: {
        char *found = memmem(value, size, last_key, sizeof last_key - 1);
        replace(m, found + sizeof last_key - 1, ":\"yesterday\"}");
        break;
    }
    case SPOIL_EMPTY:
        m->at = value;
        break;
    case SPOIL_ARRAY:
        memmove(value + 1, value, size);
        value[0] = '[';
        replace(m, value + 1 + size, "]");
        break;
    case SPOIL_NULL:
        replace(m, value, "null");
        break;
    case SPOIL_NO_BRACE:
        m->at--;
        break;
    case SPOIL_NUMBER:
    case SPOIL_KIND_COUNT:
        replace(m, value, "42");
        break;
    }
    return kind;
}

/* The identifier is the first value of a good record. */
static void take_key(struct made_record *record) {
    const char *colon = memchr(record->value + 2, ':', RECORD_KEY_SIZE);
    const char *start = strchr(colon, '"') + 1;
    record->key_size = (size_t)(strchr(start, '"') - start);
    memcpy(record->key, start, record->key_size);
}

void make_record(const struct record_options *options, uint64_t number, int64_t ingested_ms,
                 struct made_record *record) {
    struct maker m = {
        .at = record->value,
        .random = (options->seed * 2 + options->match) * 0xD1342543DE82EF95U +
                  number * 0x2545F4914F6CDD1DU,
        .python_style = options->python_style,
        .first = true,
    };
    (void)draw_bits(&m);

    int64_t ingested = ingested_ms == INGESTED_BY_NUMBER ? base_ms + (int64_t)number : ingested_ms;
    if (options->match)
        make_match(&m, number, ingested);
    else
        make_player(&m, number, ingested);
    take_key(record);

    record->spoiled = -1;
    if (options->spoiled > 0 && draw_percent(&m, options->spoiled))
        record->spoiled = (int)spoil(&m, record->value);
    record->size = (size_t)(m.at - record->value);
}
