/* No matter what a record's bytes are: no crash, no read past them, and
 *   - in permissive mode everything but a blank value is a row;
 *   - a row's texts are UTF-8 and lie in the rows' arena, its booleans are 0 or 1;
 *   - the same bytes give the same row again, no matter which order of keys the decoder has
 * learned, how often it had to start over for lack of room, with the instructions of any machine,
 * and in the general way, without any of the shortcuts for records in the usual form. The first
 * byte picks schema and mode; of the schemas with arrays and maps, which are drawn, the second byte
 * is the seed. */
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "base/utf8.h"
#include "core/data_type.h"
#include "pipeline/derive.h"
#include "pipeline/json/decode_json.h"
#include "pipeline/json/stops.h"
#include "streaming/declare/stream.h"

enum { ROOM_SMALL = 16, ROOM_LARGE = 1 << 14, BATCH_MS = 1717200000 };

static const char match_sample[] =
    "{\"match_id\":\"m\",\"game_id\":\"g\",\"winner_id\":null,\"match_duration\":1,\"status\":"
    "\"live\","
    "\"started_at\":\"2024-06-01T00:00:00Z\",\"ingestion_timestamp\":1717200000000}";
static const char player_sample[] =
    "{\"player_id\": \"p\", \"role\": \"Mid\", \"active\": true, \"total_games\": 3, "
    "\"win_rate\": 1.5, \"last_match_date\": \"2024-06-01\", \"ingestion_timestamp\": 1}";

static const char match_backwards[] =
    "{\"ingestion_timestamp\":1717200000000,\"started_at\":\"2024-06-01T00:00:00Z\",\"status\":"
    "\"live\",\"match_duration\":1,\"winner_id\":null,\"game_id\":\"g\",\"match_id\":\"m\"}";
static const char player_backwards[] =
    "{\"ingestion_timestamp\": 1, \"last_match_date\": \"2024-06-01\", \"win_rate\": 1.5, "
    "\"total_games\": 3, \"active\": true, \"role\": \"Mid\", \"player_id\": \"p\"}";

static const char nested_sample[] =
    "{\"v\":1,\"s\":{\"id\":\"i\",\"n\":2,\"t\":{\"x\":\"X\",\"u\":{\"d\":1.5}}},\"z\":true,"
    "\"q\":[{\"a\":1}],\"m\":{\"at\":\"2024-06-01\"}}";
static const char nested_backwards[] = "{\"m\":{\"at\":\"2024-06-01\"},\"z\":true,\"s\":{\"t\":{"
                                       "\"u\":{\"d\":1.5},\"x\":\"X\"},\"n\":2,"
                                       "\"id\":\"i\"},\"v\":1}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PATH(...)                                                                                  \
    .path = (const char *const[]){__VA_ARGS__},                                                    \
    .path_length = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)

static const struct column nested_columns[] = {
    {"id", TYPE_STRING, PATH("s", "id")},
    {"v", TYPE_INT64},
    {"n", TYPE_INT32, PATH("s", "n")},
    {"x", TYPE_STRING, PATH("s", "t", "x")},
    {"d", TYPE_DOUBLE, PATH("s", "t", "u", "d")},
    {"at", TYPE_TIMESTAMP, PATH("m", "at")},
    {"z", TYPE_BOOL, PATH("z")},
    {"t8", TYPE_INT8, PATH("y", "t8")},
    {"t16", TYPE_INT16, PATH("y", "t16")},
    {"f", TYPE_FLOAT, PATH("y", "f")},
    {"dec", TYPE_DECIMAL, .precision = 20, .scale = 3, PATH("y", "dec")},
    {"day", TYPE_DATE, PATH("y", "day")},
    {"local", TYPE_TIMESTAMP_NTZ, PATH("y", "local")},
    {"raw", TYPE_BINARY},
};
static const struct record_schema nested_schema = {"nested", nested_columns,
                                                   sizeof nested_columns / sizeof nested_columns[0],
                                                   .has_identifier = true};

enum kind { MATCH, PLAYER, NESTED, LISTS, KIND_COUNT };

static const char lists_sample[] =
    "{\"id\":\"i\",\"a\":null,\"q\":[1],\"b\":null,\"c\":{\"k\":null}}";
static const char lists_backwards[] = "{\"c\":{\"k\":null},\"b\":null,\"a\":null,\"id\":\"i\"}";

static const char *const samples[KIND_COUNT] = {match_sample, player_sample, nested_sample,
                                                lists_sample};
static const char *const backwards[KIND_COUNT] = {match_backwards, player_backwards,
                                                  nested_backwards, lists_backwards};

/* ---- schemas with arrays and maps ---- */

enum { LIST_COLUMNS = 4, LIST_DEPTH = 3, LIST_FIELDS = 3 };

static struct {
    struct pool pool;
    uint64_t state;
    struct column columns[LIST_COLUMNS];
    struct record_schema record;
} lists;

static uint64_t draw(uint64_t bound) {
    lists.state = lists.state * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (lists.state >> 33) % bound;
}

static struct data_type draw_type(int depth);

static struct data_type draw_struct(int depth) {
    static const char *const names[LIST_FIELDS] = {"k", "a", "q"};
    size_t count = 1 + draw(LIST_FIELDS);
    struct data_field *fields = pool_alloc(&lists.pool, count, sizeof *fields);
    for (size_t i = 0; i < count; i++)
        fields[i] = (struct data_field){names[i], draw_type(depth - 1), NULL};
    return (struct data_type){.kind = TYPE_STRUCT, .fields = fields, .field_count = count};
}

static struct data_type draw_list(int depth) {
    struct data_type *element = pool_alloc(&lists.pool, 1, sizeof *element);
    *element = draw_type(depth - 1);
    return (struct data_type){.kind = draw(3) == 0 ? TYPE_MAP : TYPE_ARRAY, .element = element};
}

/* Recursion is as deep as LIST_DEPTH. */
static struct data_type draw_type(int depth) {
    static const enum type scalars[] = {TYPE_BOOL, TYPE_INT32,   TYPE_STRING, TYPE_STRING,
                                        TYPE_INT8, TYPE_DOUBLE,  TYPE_BINARY, TYPE_TIMESTAMP,
                                        TYPE_DATE, TYPE_DECIMAL, TYPE_FLOAT};
    if (depth > 0 && draw(4) > 0)
        return draw(2) == 0 ? draw_list(depth) : draw_struct(depth);
    return (struct data_type){
        .kind = scalars[draw(sizeof scalars / sizeof scalars[0])], .precision = 9, .scale = 2};
}

static void draw_lists(uint8_t seed) {
    static const char *const path[] = {"c", "k"};
    pool_deinit(&lists.pool);
    pool_init(&lists.pool);
    lists.state = seed;
    lists.columns[0] = (struct column){"id", TYPE_STRING};
    for (size_t i = 1; i < LIST_COLUMNS; i++) {
        struct data_type *type = pool_alloc(&lists.pool, 1, sizeof *type);
        *type = draw_list(LIST_DEPTH);
        lists.columns[i] = (struct column){i == 1 ? "a" : "b", type->kind, .nested = type,
                                           .readable_or_reject = draw(2) == 0};
    }
    lists.columns[3].name = "c.k";
    lists.columns[3].path = path;
    lists.columns[3].path_length = 2;
    lists.record =
        (struct record_schema){"lists", lists.columns, LIST_COLUMNS, .has_identifier = true};
}

static void check_text(struct text text, const struct rows *rows) {
    const char *base = (const char *)rows->strings.base;
    check(text.length == 0 ||
          (text.bytes >= base && text.bytes + text.length <= base + rows->strings.used));
    for (const char *at = text.bytes, *end = at + text.length; at < end;) {
        size_t bytes;
        bool valid;
        (void)utf8_decode(at, end, &bytes, &valid);
        check(valid);
        at += bytes;
    }
}

static void check_value(const struct vector *vector, size_t row, const struct rows *rows) {
    check(vector->valid[row] <= 1);
    if (!vector->valid[row])
        return;
    if (vector->type == TYPE_STRING)
        check_text(vector->texts[row], rows);
    if (vector->type == TYPE_BOOL)
        check(vector->booleans[row] <= 1);
    bool is_list = vector->type == TYPE_ARRAY || vector->type == TYPE_MAP;
    struct list list = is_list ? vector->lists[row] : (struct list){(uint32_t)row, 1};
    for (size_t i = 0; i < vector->child_count; i++)
        for (uint32_t k = 0; k < list.count; k++)
            check_value(&vector->children[i], list.first + k, rows);
}

static void check_row(const struct rows *rows, size_t row) {
    for (size_t i = 0; i < rows->schema->record_count; i++)
        check_value(&rows->inputs[i], row, rows);
}

static void check_same_value(const struct vector *left, size_t at, const struct vector *right,
                             size_t there) {
    check(left->valid[at] == right->valid[there]);
    if (!left->valid[at])
        return;
    size_t width = type_width(left->type), count = 1;
    if (left->type == TYPE_ARRAY || left->type == TYPE_MAP) {
        count = left->lists[at].count;
        check(count == right->lists[there].count);
        at = left->lists[at].first;
        there = right->lists[there].first;
    } else if (type_is_text(left->type)) {
        check(text_equals(left->texts[at], right->texts[there]));
    } else if (width > 0) {
        check(memcmp((const char *)left->values + at * width,
                     (const char *)right->values + there * width, width) == 0);
    }
    for (size_t i = 0; i < left->child_count; i++)
        for (size_t k = 0; k < count; k++)
            check_same_value(&left->children[i], at + k, &right->children[i], there + k);
}

static void check_same(const struct rows *a, const struct rows *b) {
    for (size_t i = 0; i < a->schema->record_count; i++)
        check_same_value(&a->inputs[i], 0, &b->inputs[i], 0);
}

/* Row 0, and the expressions of its query. */
struct target {
    struct rows rows;
    struct derive derive; // of no columns: the kind has none
};

static const struct schema *schema_of(enum kind kind) {
    static struct schema schemas[KIND_COUNT];
    if (schemas[0].input_count == 0) {
        streams_load();
        stream_schema(stream_of("matches"), &schemas[MATCH]);
        stream_schema(stream_of("players"), &schemas[PLAYER]);
        schema_init_record(&schemas[NESTED], &nested_schema);
    }
    if (kind == LISTS)
        schema_init_record(&schemas[LISTS], &lists.record);
    return &schemas[kind];
}

static const struct record_schema *record_of(enum kind kind) {
    (void)schema_of(kind); // loads the streams
    if (kind == NESTED || kind == LISTS)
        return kind == NESTED ? &nested_schema : &lists.record;
    return stream_of(kind == MATCH ? "matches" : "players")->record;
}

static void target_init(struct target *target, enum kind kind) {
    rows_init(&target->rows, schema_of(kind), 1, ROOM_SMALL);
    target->derive = (struct derive){0};
    if (kind == MATCH || kind == PLAYER)
        derive_init_all(&target->derive, &stream_of(kind == MATCH ? "matches" : "players")->plan,
                        &target->rows, zone_utc);
}

static void target_deinit(struct target *target) {
    derive_deinit(&target->derive);
    rows_deinit(&target->rows);
}

/* Decodes into row 0, with more room each time it does not fit. */
static enum decode_result decode(struct decoder *decoder, const struct record *record,
                                 struct target *target, struct reject *reject) {
    struct rows *rows = &target->rows;
    rows_reset(rows);
    for (;;) {
        enum decode_result result = decode_record(decoder, record, rows, reject);
        if (result == DECODE_REJECT ||
            (result == DECODE_ROW && derive_rows(&target->derive, 0, 1, &rows->strings)))
            return result;
        if (rows_grow_elements(rows))
            continue;
        check(rows->strings.capacity < 8 * (record->value_size + ROOM_LARGE));
        rows_resize_strings(rows, rows->strings.capacity * 4);
    }
}

static void train(struct decoder *decoder, const char *sample, int times, struct target *target) {
    struct reject reject;
    struct record record = {.value = sample, .value_size = strlen(sample)};
    for (int i = 0; i < times; i++)
        check(decode(decoder, &record, target, &reject) == DECODE_ROW);
}

/* A decoder in the state that many records of one kind leave it in. */
enum training { FRESH, IN_ORDER, IN_NO_ORDER, TRAINING_COUNT };

static struct decoder *create(const struct record_schema *record, enum parse_mode mode,
                              enum decode_path path) {
    struct decoder *decoder;
    struct error err;
    check(decode_json_open(&decoder, record, mode, "UTC", &err));
    decoder->batch_time_ms = BATCH_MS;
    decode_json_set_path(decoder, path);
    return decoder;
}

static void check_same_reject(const struct reject *a, const struct reject *b) {
    check(a->reason == b->reason && a->position == b->position);
    check(strcmp(a->detail, b->detail) == 0);
}

static void check_same_counts(const struct decode_counts *a, const struct decode_counts *before,
                              const struct decode_counts *after) {
    check(a->unknown_keys == after->unknown_keys - before->unknown_keys);
    check(a->trailing_bytes == after->trailing_bytes - before->trailing_bytes);
    for (size_t i = 0; i < SCHEMA_FIELDS_MAX; i++)
        check(a->field_faults[i] == after->field_faults[i] - before->field_faults[i]);
}

/* What a record came to. */
struct verdict {
    enum decode_result result;
    struct target target;
    struct reject reject;
    struct decode_counts counts;
};

/* With room for all that the record can become, so that it is counted once. */
static void judge(struct decoder *decoder, const struct record *record, struct target *target,
                  struct reject *reject, enum decode_result *result) {
    rows_reset(&target->rows);
    rows_resize_strings(&target->rows, 4 * (record->value_size + ROOM_LARGE));
    *result = decode(decoder, record, target, reject);
}

/* The record again with another decoder. */
static void check_again(struct decoder *decoder, enum kind kind, enum training training,
                        const struct record *record, const struct verdict *expected) {
    struct target target;
    target_init(&target, kind);
    if (training != FRESH)
        train(decoder, samples[kind], 6, &target);
    if (training == IN_NO_ORDER)
        train(decoder, backwards[kind], 1, &target);

    struct decode_counts before = decoder->counts;
    struct reject reject;
    enum decode_result result;
    judge(decoder, record, &target, &reject, &result);
    check(result == expected->result);
    if (result == DECODE_ROW) {
        check_same(&expected->target.rows, &target.rows);
        check_same_counts(&expected->counts, &before, &decoder->counts);
    } else {
        check_same_reject(&expected->reject, &reject);
    }
    rows_reset(&target.rows);
    rows_resize_strings(&target.rows, ROOM_SMALL);
    check(decode(decoder, record, &target, &reject) == result);
    if (result == DECODE_ROW)
        check_same(&expected->target.rows, &target.rows);
    target_deinit(&target);
}

static void run(enum kind kind, enum parse_mode mode, const struct record *record) {
    struct verdict verdict;
    target_init(&verdict.target, kind);
    struct decoder *general = create(record_of(kind), mode, DECODE_GENERAL);
    judge(general, record, &verdict.target, &verdict.reject, &verdict.result);
    verdict.counts = general->counts;
    decoder_close(general);
    if (verdict.result == DECODE_ROW) {
        check_row(&verdict.target.rows, 0);
    } else {
        check(verdict.reject.detail[0] != '\0' && verdict.reject.position <= record->value_size);
        check(mode != PARSE_PERMISSIVE || verdict.reject.reason == REJECT_BLANK_VALUE);
    }
    for (int training = FRESH; training < TRAINING_COUNT; training++) {
        for (size_t kernel = 0; kernel < json_stops_kernel_count; kernel++) {
            struct decoder *decoder = create(record_of(kind), mode, DECODE_FASTEST);
            if (decode_json_set_kernel(decoder, kernel))
                check_again(decoder, kind, (enum training)training, record, &verdict);
            decoder_close(decoder);
        }
    }
    target_deinit(&verdict.target);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    enum kind kind = (data[0] & 4) != 0 ? NESTED : (data[0] & 1) == 0 ? MATCH : PLAYER;
    enum parse_mode mode = (data[0] & 2) == 0 ? PARSE_PERMISSIVE : PARSE_REJECT;
    size_t head = 1;
    if ((data[0] & 8) != 0 && size > 1) {
        kind = LISTS;
        draw_lists(data[head++]);
    }
    // Its own allocation, so that the sanitizer sees reads before it, too.
    size_t value_size = size - head;
    char *value = must_alloc(value_size + 1, 1);
    memcpy(value, data + head, value_size);
    char *exact = realloc(value, value_size == 0 ? 1 : value_size);
    check(exact != NULL);
    struct record record = {.value = exact, .value_size = value_size};
    run(kind, mode, &record);
    free(exact);
    return 0;
}
