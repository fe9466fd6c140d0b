/* Whatever a record's bytes are: no crash, no read past them, and
 *   - in permissive mode everything but a blank value is a row;
 *   - a row's texts are UTF-8 and lie in the rows' arena, its booleans are 0 or 1;
 *   - the same bytes give the same row again, whatever order of keys the decoder has learned, and
 *     however often it had to start over for want of room.
 * The first byte picks schema and mode. */
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "base/utf8.h"
#include "pipeline/decode_json.h"
#include "pipeline/derive.h"
#include "schemas/schemas.h"

enum { ROOM_SMALL = 16, ROOM_LARGE = 1 << 14, BATCH_MS = 1717200000 };

static const char match_sample[] =
    "{\"match_id\":\"m\",\"game_id\":\"g\",\"winner_id\":null,\"match_duration\":1,\"status\":"
    "\"live\","
    "\"started_at\":\"2024-06-01T00:00:00Z\",\"ingestion_timestamp\":1717200000000}";
static const char player_sample[] =
    "{\"player_id\": \"p\", \"role\": \"Mid\", \"active\": true, \"total_games\": 3, "
    "\"win_rate\": 1.5, \"last_match_date\": \"2024-06-01\", \"ingestion_timestamp\": 1}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct column match_derived[] = {
    {"duration_minutes", TYPE_INT32, .derive = derive_duration_minutes,
     .inputs = {"match_duration"}},
    {"is_completed", TYPE_BOOL, .derive = derive_is_completed, .inputs = {"status"}},
};

static const struct column player_derived[] = {
    {"calculated_win_rate", TYPE_DOUBLE, .derive = derive_calculated_win_rate,
     .inputs = {"total_games", "total_wins", "win_rate"}},
    {"calculated_kda", TYPE_DOUBLE, .derive = derive_calculated_kda,
     .inputs = {"kda_ratio", "avg_kills", "avg_deaths", "avg_assists"}},
    {"full_name", TYPE_STRING, .derive = derive_full_name, .inputs = {"first_name", "last_name"}},
};

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

static void check_row(const struct rows *rows, size_t row) {
    for (size_t i = 0; i < rows->schema->record_count; i++) {
        const struct vector *vector = &rows->columns[i];
        check(vector->valid[row] <= 1);
        if (vector->valid[row] && vector->type == TYPE_STRING)
            check_text(vector->texts[row], rows);
        if (vector->valid[row] && vector->type == TYPE_BOOL)
            check(vector->booleans[row] <= 1);
    }
}

static void check_same(const struct rows *a, const struct rows *b) {
    for (size_t i = 0; i < a->schema->record_count; i++) {
        const struct vector *left = &a->columns[i], *right = &b->columns[i];
        check(left->valid[0] == right->valid[0]);
        if (!left->valid[0])
            continue;
        if (left->type == TYPE_STRING)
            check(text_equals(left->texts[0], right->texts[0]));
        else
            check(memcmp(left->values, right->values, type_width(left->type)) == 0);
    }
}

/* Decodes into row 0, with more room each time it does not fit. */
static enum decode_result decode(struct decoder *decoder, const struct record *record,
                                 struct rows *rows, struct reject *reject) {
    for (;;) {
        rows_reset(rows);
        enum decode_result result = decode_record(decoder, record, rows, reject);
        if (result != DECODE_FULL && (result == DECODE_REJECT || derive_rows(rows, 0, 1)))
            return result;
        check(rows->strings.capacity < 8 * (record->value_size + ROOM_LARGE));
        rows_resize_strings(rows, rows->strings.capacity * 4);
    }
}

static void train(struct decoder *decoder, const char *sample, size_t size, struct rows *rows) {
    struct reject reject;
    struct record record = {.value = sample, .value_size = size};
    for (int i = 0; i < 2; i++)
        check(decode(decoder, &record, rows, &reject) == DECODE_ROW);
}

static struct decoder *create(const struct schema *schema, enum parse_mode mode) {
    struct decoder *decoder;
    struct error err;
    check(decoder_create(&decoder, schema, mode, "UTC", &err));
    decoder_set_batch_time(decoder, BATCH_MS);
    return decoder;
}

static void run(const struct schema *schema, enum parse_mode mode, const struct record *record,
                bool is_match) {
    struct rows first, second;
    rows_init(&first, schema, 1, ROOM_LARGE);
    rows_init(&second, schema, 1, ROOM_SMALL);
    struct decoder *fresh = create(schema, mode), *trained = create(schema, mode);
    train(trained, is_match ? match_sample : player_sample,
          is_match ? sizeof match_sample - 1 : sizeof player_sample - 1, &second);
    rows_resize_strings((rows_reset(&second), &second), ROOM_SMALL);

    struct reject reject, same_reject;
    enum decode_result result = decode(fresh, record, &first, &reject);
    check(decode(trained, record, &second, &same_reject) == result);
    if (result == DECODE_ROW) {
        check_row(&first, 0);
        check_same(&first, &second);
        check(decode(fresh, record, &second, &same_reject) == result);
        check_same(&first, &second);
    } else {
        check(reject.detail[0] != '\0' && reject.position <= record->value_size);
        check(same_reject.reason == reject.reason && same_reject.position == reject.position);
        check(mode != PARSE_PERMISSIVE || reject.reason == REJECT_BLANK_VALUE);
    }
    decoder_destroy(fresh);
    decoder_destroy(trained);
    rows_deinit(&first);
    rows_deinit(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct schema schemas[2];
    if (schemas[0].count == 0) {
        schema_init(&schemas[0], &match_schema, match_derived,
                    sizeof match_derived / sizeof match_derived[0]);
        schema_init(&schemas[1], &player_schema, player_derived,
                    sizeof player_derived / sizeof player_derived[0]);
    }
    if (size == 0)
        return 0;
    bool is_match = (data[0] & 1) == 0;
    enum parse_mode mode = (data[0] & 2) == 0 ? PARSE_PERMISSIVE : PARSE_REJECT;
    // Its own allocation, so that the sanitizer sees reads before it, too.
    size_t value_size = size - 1;
    char *value = must_alloc(value_size + 1, 1);
    memcpy(value, data + 1, value_size);
    char *exact = realloc(value, value_size == 0 ? 1 : value_size);
    check(exact != NULL);
    struct record record = {.value = exact, .value_size = value_size};
    run(&schemas[is_match ? 0 : 1], mode, &record, is_match);
    free(exact);
    return 0;
}
