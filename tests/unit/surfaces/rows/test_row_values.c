/* A value of each type, as the commands and the API show it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/decimal.h"
#include "surfaces/rows/table_rows.h"
#include "surfaces/terminal/text_table.h"

static void assert_shown(const struct vector *vector, const char *cell, const char *json) {
    char text[CELL_TEXT_MAX];
    int digits = 0;
    cell_text(vector, 0, text);
    assert_string_equal(text, cell);
    struct json *object = json_new_object();
    table_rows_put(object, "v", vector, 0, &digits);
    char *printed = json_print_digits(object, digits);
    assert_string_equal(printed, json);
    free(printed);
    json_free(object);
}

static void values_of_every_type_are_shown(void **state) {
    (void)state;
    uint8_t valid = 1;
    int8_t small = -128;
    int16_t wide = 32767;
    float ratio = 0.1F;
    int32_t day = -719893;
    int64_t micros = 1704164645600000;
    int128_t decimal = -5, whole = decimal_power(37);
    assert_shown(&(struct vector){.type = TYPE_INT8, .valid = &valid, .int8s = &small}, "-128",
                 "{\"v\":-128}");
    assert_shown(&(struct vector){.type = TYPE_INT16, .valid = &valid, .int16s = &wide}, "32767",
                 "{\"v\":32767}");
    assert_shown(&(struct vector){.type = TYPE_FLOAT, .valid = &valid, .floats = &ratio}, "0.1",
                 "{\"v\":0.1}");
    assert_shown(&(struct vector){.type = TYPE_DATE, .valid = &valid, .int32s = &day},
                 "-0001-01-01", "{\"v\":\"-0001-01-01\"}");
    assert_shown(&(struct vector){.type = TYPE_TIMESTAMP_NTZ, .valid = &valid, .int64s = &micros},
                 "2024-01-02T03:04:05.600", "{\"v\":\"2024-01-02T03:04:05.600\"}");
    assert_shown(&(struct vector){.type = TYPE_TIMESTAMP, .valid = &valid, .int64s = &micros},
                 "2024-01-02T03:04:05.600Z", "{\"v\":\"2024-01-02T03:04:05.600Z\"}");
    assert_shown(
        &(struct vector){.type = TYPE_DECIMAL, .valid = &valid, .decimals = &decimal, .scale = 2},
        "-0.05", "{\"v\":\"-0.05\"}");
    assert_shown(&(struct vector){.type = TYPE_DECIMAL, .valid = &valid, .decimals = &whole},
                 "10000000000000000000000000000000000000",
                 "{\"v\":\"10000000000000000000000000000000000000\"}");
}

/* fixed-bytes.parquet: by pyarrow, one column of three bytes, which is not a type of ours. */
static void a_file_without_a_column_to_read_is_refused_by_name(void **state) {
    (void)state;
    struct table_rows rows;
    struct error err = {0};
    const struct rows_source source = {.root = TEST_DATA};
    assert_false(table_rows_open(&rows, &source, "fixed-bytes.parquet", NULL, 0, &err));
    assert_int_equal(err.kind, ERROR_STATE);
    assert_non_null(strstr(err.message, "fixed-bytes.parquet' has no column of a type"));
    table_rows_close(&rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_every_type_are_shown),
        cmocka_unit_test(a_file_without_a_column_to_read_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
