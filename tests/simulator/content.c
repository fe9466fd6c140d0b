/* The expectation is drawn first, and then written as JSON: each text once as it is, and once in
 * quotes with the escapes that JSON allows for it, chosen at random. The order of members, the
 * space between them, and members that the query does not know are drawn as well.
 *
 * A record that must become a reject has one fault, so that its reason is certain. */
#include "content.h"

#include <string.h>

#include "base/check.h"
#include "random.h"

/* incarnation * 10^13 + partition * 10^10 + offset: a number that JSON readers do not round. */
static const int64_t per_incarnation = 10000000000000, per_partition = 10000000000;

int64_t content_ingestion(struct content_place place) {
    return (place.incarnation + 1) * per_incarnation + place.partition * per_partition +
           place.offset;
}

bool content_place_of(int64_t ingestion, struct content_place *place) {
    if (ingestion < per_incarnation || ingestion / per_incarnation > INT32_MAX)
        return false;
    *place = (struct content_place){
        .incarnation = (int)(ingestion / per_incarnation) - 1,
        .partition = (int32_t)(ingestion % per_incarnation / per_partition),
        .offset = ingestion % per_partition,
    };
    return true;
}

const char *content_reason(enum content_kind kind) {
    static const char *const reasons[CONTENT_KINDS] = {
        [CONTENT_NULL_VALUE] = "null_value",
        [CONTENT_BLANK_VALUE] = "blank_value",
        [CONTENT_MALFORMED] = "malformed_json",
        [CONTENT_NOT_AN_OBJECT] = "not_an_object",
        [CONTENT_MISSING_IDENTIFIER] = "missing_identifier",
        [CONTENT_NULL_IDENTIFIER] = "null_identifier",
        [CONTENT_PARTITION_VALUE] = "partition_value",
        [CONTENT_KAFKA_TIME] = "kafka_timestamp",
    };
    return reasons[kind];
}

/* The record's own sequence. */
static struct random sequence_of(uint64_t seed, struct content_place place) {
    struct random random = random_fork(seed, (uint64_t)content_ingestion(place));
    (void)random_next(&random);
    return random;
}

static enum content_kind draw_kind(struct random *random, unsigned malformed) {
    bool is_reject = random_chance(random, malformed);
    uint64_t kind = random_below(random, CONTENT_KINDS - 1);
    return is_reject ? (enum content_kind)(1 + kind) : CONTENT_ROW;
}

static void draw_time(struct content *content, struct random *random) {
    uint64_t draw = random_below(random, 1000);
    content->time = draw < 900 ? CONTENT_NOW : draw < 990 ? CONTENT_OTHER_DAY : CONTENT_NO_TIME;
    content->days_ago = 1 + (int)random_below(random, 40);
    if (content->kind == CONTENT_KAFKA_TIME)
        content->time = CONTENT_BEYOND;
}

/* Returns the sequence, for what else is drawn. */
static struct random begin(struct content *content, uint64_t seed, unsigned malformed,
                           struct content_place place) {
    struct random random = sequence_of(seed, place);
    content->kind = draw_kind(&random, malformed);
    draw_time(content, &random);
    return random;
}

void content_make_kind(struct content *content, uint64_t seed, unsigned malformed,
                       struct content_place place) {
    (void)begin(content, seed, malformed, place);
}

/* ---- appending to the value ---- */

struct writer {
    struct content *content;
    struct random random;
    size_t size;
    bool is_first; // member
};

static void put(struct writer *writer, const char *bytes, size_t size) {
    check(writer->size + size <= sizeof writer->content->value_room);
    memcpy(writer->content->value_room + writer->size, bytes, size);
    writer->size += size;
}

static void put_text(struct writer *writer, const char *text) {
    put(writer, text, strlen(text));
}

static size_t print_number(char room[static 24], int64_t number) {
    char digits[24];
    size_t count = 0, used = 0;
    uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do
        digits[count++] = (char)('0' + left % 10);
    while ((left /= 10) > 0);
    if (number < 0)
        room[used++] = '-';
    while (count > 0)
        room[used++] = digits[--count];
    return used;
}

static void put_number(struct writer *writer, int64_t number) {
    char room[24];
    put(writer, room, print_number(room, number));
}

static void put_space(struct writer *writer) {
    static const char *const spaces[] = {"", "", "", "", "", " ", "\n", "\t \r\n"};
    put_text(writer, spaces[random_below(&writer->random, 8)]);
}

static void put_unicode_escape(struct writer *writer, unsigned unit) {
    static const char *const digits[] = {"0123456789abcdef", "0123456789ABCDEF"};
    const char *set = digits[random_below(&writer->random, 2)];
    char text[6] = {'\\',          'u', set[unit >> 12], set[unit >> 8 & 15], set[unit >> 4 & 15],
                    set[unit & 15]};
    put(writer, text, sizeof text);
}

/* The code point at `bytes`, which are UTF-8. */
static size_t read_point(const unsigned char *bytes, unsigned *point) {
    size_t size = *bytes < 0x80 ? 1 : *bytes < 0xe0 ? 2 : *bytes < 0xf0 ? 3 : 4;
    *point = size == 1 ? *bytes : *bytes & (0xffU >> (size + 1));
    for (size_t i = 1; i < size; i++)
        *point = *point << 6 | (bytes[i] & 0x3f);
    return size;
}

static void put_escaped(struct writer *writer, unsigned point) {
    const char *shorts = "\"\"\\\\//\bb\ff\nn\rr\tt";
    for (const char *at = shorts; *at != '\0'; at += 2)
        if ((unsigned char)*at == point && random_below(&writer->random, 4) > 0) {
            put(writer, (const char[2]){'\\', at[1]}, 2);
            return;
        }
    if (point >= 0x10000) {
        put_unicode_escape(writer, 0xd800 + ((point - 0x10000) >> 10));
        put_unicode_escape(writer, 0xdc00 + ((point - 0x10000) & 0x3ff));
    } else {
        put_unicode_escape(writer, point);
    }
}

static void put_string(struct writer *writer, struct text text) {
    put(writer, "\"", 1);
    for (size_t at = 0; at < text.length;) {
        unsigned point;
        size_t size = read_point((const unsigned char *)text.bytes + at, &point);
        if (point < 0x20 || point == '"' || point == '\\' ||
            random_chance(&writer->random, point < 0x80 ? 5 : 200))
            put_escaped(writer, point);
        else
            put(writer, text.bytes + at, size);
        at += size;
    }
    put(writer, "\"", 1);
}

static void put_name(struct writer *writer, const char *name) {
    if (!writer->is_first)
        put(writer, ",", 1);
    writer->is_first = false;
    put_space(writer);
    put(writer, "\"", 1);
    put_text(writer, name);
    put(writer, "\":", 2);
    put_space(writer);
}

/* ---- the expectation ---- */

struct piece {
    const char *bytes;
    size_t size;
};
#define PIECE(literal)                                                                             \
    { literal, sizeof(literal) - 1 }

static struct text draw_text(struct random *random, char *room, size_t size_max) {
    static const struct piece pieces[] = {
        PIECE("a"),      PIECE("Finals "), PIECE("\""),           PIECE("\\"),
        PIECE("/"),      PIECE("\n"),      PIECE("\0"),           PIECE("\x1f"),
        PIECE("\x7f"),   PIECE("\u00e9"),  PIECE("\u4eac\u4e1c"), PIECE("\U0001f3c6"),
        PIECE("\u2028"), PIECE("null"),    PIECE("{\"a\":["),     PIECE("\t\r\b\f"),
    };
    size_t size = 0;
    for (uint64_t count = random_below(random, 7); count > 0; count--) {
        struct piece piece = pieces[random_below(random, sizeof pieces / sizeof pieces[0])];
        if (size + piece.size > size_max)
            break;
        memcpy(room + size, piece.bytes, piece.size);
        size += piece.size;
    }
    return (struct text){room, (uint32_t)size};
}

static void print_place(struct text *text, char *room, const char *before,
                        struct content_place place) {
    size_t size = 0;
    for (; before[size] != '\0'; size++)
        room[size] = before[size];
    size += print_number(room + size, place.incarnation);
    room[size++] = '-';
    size += print_number(room + size, place.partition);
    room[size++] = '-';
    size += print_number(room + size, place.offset);
    *text = (struct text){room, (uint32_t)size};
}

static void draw_status(struct content *content, struct random *random) {
    static const struct piece usual[] = {PIECE("finished"), PIECE("live"), PIECE("scheduled")};
    static const struct piece rare[] = {PIECE(""), PIECE("LIVE"), PIECE("a/b=c d%"),
                                        PIECE("verschoben \u00e4"), PIECE("..")};
    struct piece piece = usual[random_below(random, 3)];
    if (random_chance(random, 60))
        piece = rare[random_below(random, 5)];
    if (random_chance(random, 50))
        piece = (struct piece){NULL, 0};
    content->status = (struct text){piece.bytes, (uint32_t)piece.size};
    if (content->kind != CONTENT_PARTITION_VALUE)
        return;
    // No name of a file: too long, or with a byte 0.
    size_t size = random_chance(random, 500) ? 300 : 3;
    memset(content->status_room, 'x', size);
    content->status_room[1] = size == 3 ? '\0' : 'y';
    content->status = (struct text){content->status_room, (uint32_t)size};
}

static void draw_key(struct content *content, struct random *random, struct content_place place) {
    static const char few[] = "k0k1k2k3k4";
    content->has_key = true;
    print_place(&content->key, content->key_room, "key ", place);
    if (content->kind == CONTENT_NULL_VALUE || content->kind == CONTENT_BLANK_VALUE)
        return; // what tells it from others
    content->has_key = !random_chance(random, 100);
    if (random_chance(random, 700))
        content->key = (struct text){few + 2 * random_below(random, 5), 2};
}

static void draw_row(struct content *content, struct random *random, struct content_place place) {
    print_place(&content->match_id, content->id_room, "match ", place);
    if (random_chance(random, 100)) // the same in many records
        content->match_id = TEXT("match 17");
    draw_status(content, random);
    content->tournament_name = draw_text(random, content->text_room, sizeof content->text_room);
    if (random_chance(random, 100))
        content->tournament_name = (struct text){NULL, 0};
    bool finished = content->status.bytes != NULL && text_equals(content->status, TEXT("finished"));
    content->winner_id = finished ? TEXT("98500011") : (struct text){NULL, 0};
    content->has_duration = !random_chance(random, 100);
    content->duration = (int32_t)random_below(random, 3600) - 100;
    if (random_chance(random, 20))
        content->duration = random_chance(random, 500) ? INT32_MAX : INT32_MIN;
    content->ingestion = content_ingestion(place);
}

int64_t content_timestamp_ms(const struct content *content, int64_t now_ms) {
    switch (content->time) {
    case CONTENT_NOW:
        return now_ms;
    case CONTENT_OTHER_DAY:
        return now_ms - content->days_ago * (int64_t)86400000;
    case CONTENT_NO_TIME:
        return -1;
    case CONTENT_BEYOND:
        return INT64_MAX - content->days_ago; // microseconds of it do not fit
    }
    return now_ms;
}

/* ---- the bytes ---- */

/* A text that is null is left out, or is null. */
static void put_text_member(struct writer *writer, const char *name, struct text text) {
    if (text.bytes == NULL && random_chance(&writer->random, 500))
        return;
    put_name(writer, name);
    if (text.bytes == NULL)
        put_text(writer, "null");
    else
        put_string(writer, text);
}

static void put_duration(struct writer *writer) {
    const struct content *content = writer->content;
    static const char *const nulls[] = {"null", "\"many\"",  "2147483648", "1.5",
                                        "[3]",  "{\"a\":1}", "true"};
    put_name(writer, "match_duration");
    if (content->has_duration)
        put_number(writer, content->duration);
    else
        put_text(writer, nulls[random_below(&writer->random, 7)]);
}

static void put_unknown(struct writer *writer) {
    static const char *const values[] = {"[1,2.5e-3,[],{}]",
                                         "{\"status\":\"live\",\"match_id\":[null]}",
                                         "\"}{][\\\"\"", "-0.0", "false"};
    if (random_chance(&writer->random, 800))
        return;
    put_name(writer, random_chance(&writer->random, 500) ? "not known" : "Status");
    put_text(writer, values[random_below(&writer->random, 5)]);
}

static void put_identifier(struct writer *writer) {
    if (writer->content->kind == CONTENT_MISSING_IDENTIFIER)
        return;
    put_name(writer, "match_id");
    if (writer->content->kind == CONTENT_NULL_IDENTIFIER)
        put_text(writer, "null");
    else
        put_string(writer, writer->content->match_id);
}

static void put_member(struct writer *writer, uint64_t number) {
    const struct content *content = writer->content;
    switch (number) {
    case 0:
        put_identifier(writer);
        break;
    case 1:
        put_text_member(writer, "status", content->status);
        break;
    case 2:
        put_text_member(writer, "tournament_name", content->tournament_name);
        break;
    case 3:
        put_text_member(writer, "winner_id", content->winner_id);
        break;
    case 4:
        put_duration(writer);
        break;
    case 5:
        put_name(writer, "ingestion_timestamp");
        put_number(writer, content->ingestion);
        break;
    default:
        put_unknown(writer);
        break;
    }
}

enum { MEMBERS = 7 };

static void put_members(struct writer *writer) {
    uint64_t first = random_below(&writer->random, MEMBERS);
    writer->is_first = true;
    for (uint64_t i = 0; i < MEMBERS; i++)
        put_member(writer, (first + i) % MEMBERS);
}

static void put_object(struct writer *writer) {
    put_space(writer);
    put(writer, "{", 1);
    put_members(writer);
    put_space(writer);
    put(writer, "}", 1);
    put_space(writer);
}

/* An object that ends too early, or has something where nothing may be. */
static void put_malformed(struct writer *writer) {
    static const struct piece ends[] = {
        PIECE(""),
        PIECE(",}"),
        PIECE(",\"open"),
        PIECE(",\"a\" 1}"),
        PIECE(",\"a\":}"),
        PIECE("]"),
        PIECE(",\"a\":tru}"),
        PIECE(",\"a\":\"\\x\"}"),
        PIECE(",\"a\":\xff\xfe\0\x01}"),
    };
    struct piece end = ends[random_below(&writer->random, sizeof ends / sizeof ends[0])];
    put(writer, "{", 1);
    put_members(writer);
    put(writer, end.bytes, end.size);
}

static void put_other_kind(struct writer *writer) {
    switch (random_below(&writer->random, 3)) {
    case 0:
        put_number(writer, writer->content->ingestion);
        break;
    case 1:
        put_string(writer, writer->content->match_id);
        break;
    default:
        put(writer, "[", 1);
        put_number(writer, writer->content->ingestion);
        put(writer, "]", 1);
        break;
    }
}

static void put_value(struct writer *writer) {
    static const char *const blanks[] = {"", " ", "\r\n", " \t \n"};
    switch (writer->content->kind) {
    case CONTENT_BLANK_VALUE:
        put_text(writer, blanks[random_below(&writer->random, 4)]);
        break;
    case CONTENT_MALFORMED:
        put_malformed(writer);
        break;
    case CONTENT_NOT_AN_OBJECT:
        put_other_kind(writer);
        break;
    case CONTENT_NULL_VALUE:
        break;
    default:
        put_object(writer);
        break;
    }
}

void content_make(struct content *content, uint64_t seed, unsigned malformed,
                  struct content_place place) {
    struct writer writer = {.content = content, .random = begin(content, seed, malformed, place)};
    draw_key(content, &writer.random, place);
    draw_row(content, &writer.random, place);
    if (content->kind == CONTENT_NOT_AN_OBJECT) // the only text that it has
        print_place(&content->match_id, content->id_room, "match ", place);
    content->has_value = content->kind != CONTENT_NULL_VALUE;
    put_value(&writer);
    content->value = (struct text){content->value_room, (uint32_t)writer.size};
}
