/* Records with as many columns as there can be, and keys as long as they can be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "pipeline/json/decode_json.h"

enum { STRING_BYTES = 1 << 17 };

static void a_record_can_have_a_thousand_columns(void **state) {
    (void)state;
    enum { KEY_SIZE = 24, JSON_MAX = SCHEMA_COLUMNS_MAX * (KEY_SIZE + 16) };
    static char names[SCHEMA_COLUMNS_MAX][KEY_SIZE], json[JSON_MAX];
    static const char *paths[SCHEMA_COLUMNS_MAX][2];
    static struct column wide[SCHEMA_COLUMNS_MAX];
    for (int is_nested = 0; is_nested < 2; is_nested++) {
        char *at = stpcpy(json, is_nested ? "{\"o\":{" : "{");
        for (int i = 0; i < SCHEMA_COLUMNS_MAX; i++) {
            (void)snprintf(names[i], KEY_SIZE, "column_%d", i);
            paths[i][0] = "o";
            paths[i][1] = names[i];
            wide[i] = (struct column){names[i], TYPE_INT32, .path = is_nested ? paths[i] : NULL,
                                      .path_length = is_nested ? 2 : 0};
            at += sprintf(at, "%s\"%s\":%d", i > 0 ? "," : "", names[i], i);
        }
        (void)stpcpy(at, is_nested ? "},\"q\":1}" : ",\"q\":1}");
        const struct record_schema declared = {"wide", wide, SCHEMA_COLUMNS_MAX,
                                               .has_identifier = true};
        struct schema schema;
        struct rows rows;
        struct reject reject;
        schema_init_record(&schema, &declared);
        rows_init(&rows, &schema, 1, STRING_BYTES);
        for (int path = DECODE_GENERAL; path <= DECODE_FASTEST; path++) {
            struct decoder *decoder;
            struct error err;
            assert_true(decode_json_open(&decoder, &declared, PARSE_REJECT, "UTC", &err));
            decode_json_set_path(decoder, (enum decode_path)path);
            struct record record = {.value = json, .value_size = strlen(json)};
            for (int again = 0; again < 2; again++) {
                assert_int_equal(decode_record(decoder, &record, &rows, &reject), DECODE_ROW);
                for (int i = 0; i < SCHEMA_COLUMNS_MAX; i++) {
                    assert_int_equal(rows.inputs[i].valid[0], 1);
                    assert_int_equal(rows.inputs[i].int32s[0], i);
                }
                assert_int_equal(decoder->counts.unknown_keys, again + 1);
            }
            decoder_close(decoder);
        }
        rows_deinit(&rows);
    }
}

static void a_key_can_have_a_thousand_bytes(void **state) {
    (void)state;
    static char key[SCHEMA_KEY_MAX + 1], json[3 * SCHEMA_KEY_MAX + 100];
    memset(key, 'k', SCHEMA_KEY_MAX);
    const char *const path[] = {"o", key};
    const struct column long_columns[] = {{key, TYPE_INT32},
                                          {"second", TYPE_INT32, .path = path, .path_length = 2}};
    const struct record_schema declared = {"long", long_columns, 2, .has_identifier = true};
    struct schema schema;
    struct rows rows;
    struct reject reject;
    struct error err;
    schema_init_record(&schema, &declared);
    rows_init(&rows, &schema, 1, STRING_BYTES);
    struct decoder *decoder;
    assert_true(decode_json_open(&decoder, &declared, PARSE_REJECT, "UTC", &err));
    // The last key is one byte longer.
    struct record record = {.value = json};
    record.value_size = (size_t)snprintf(
        json, sizeof json, "{\"%s\":1,\"o\":{\"\\u006b%s\":2},\"%sk\":3}", key, key + 1, key);
    assert_int_equal(decode_record(decoder, &record, &rows, &reject), DECODE_ROW);
    assert_int_equal(rows.inputs[0].int32s[0], 1);
    assert_int_equal(rows.inputs[1].valid[0], 1);
    assert_int_equal(rows.inputs[1].int32s[0], 2);
    assert_int_equal(decoder->counts.unknown_keys, 1);
    decoder_close(decoder);
    rows_deinit(&rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_can_have_a_thousand_columns),
        cmocka_unit_test(a_key_can_have_a_thousand_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
