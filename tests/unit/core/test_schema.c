#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/rows.h"
#include "core/schema.h"

static const struct column record_columns[] = {{"id", TYPE_STRING}, {"n", TYPE_INT32}};
static const struct record_schema record = {"thing", record_columns, 2};
static const struct column derived[] = {
    {"twice", TYPE_INT32},
    {"both", TYPE_STRING},
};

static void a_table_has_record_then_kafka_then_derived_columns(void **state) {
    (void)state;
    static const char *const names[] = {"id",        "n",      "kafka_timestamp",
                                        "partition", "offset", "processing_timestamp",
                                        "twice",     "both"};
    struct schema schema;
    schema_init(&schema, &record, derived, 2);
    assert_int_equal(schema.count, 8);
    for (size_t i = 0; i < 8; i++)
        assert_string_equal(schema.columns[i].name, names[i]);
    assert_int_equal(schema.record_count, 2);
    assert_int_equal(schema.derived_first, 6);
    assert_int_equal(schema.offset, 4);
}

static void a_column_is_found_by_its_exact_name(void **state) {
    (void)state;
    struct schema schema;
    schema_init(&schema, &record, derived, 2);
    assert_int_equal(schema_find(&schema, TEXT("partition")), 3);
    assert_int_equal(schema_find(&schema, TEXT("Partition")), -1);
    assert_int_equal(schema_find(&schema, TEXT("partitio")), -1);
}

static void vectors_of_rows_do_not_overlap(void **state) {
    (void)state;
    struct schema schema;
    schema_init(&schema, &record, derived, 2);
    struct rows rows;
    rows_init(&rows, &schema, 100, 1000);
    for (size_t c = 0; c < schema.count; c++)
        for (size_t r = 0; r < 100; r++) {
            rows.columns[c].valid[r] = (uint8_t)(c + 1);
            if (rows.columns[c].type == TYPE_INT32)
                rows.columns[c].int32s[r] = (int32_t)(c * 1000 + r);
        }
    for (size_t c = 0; c < schema.count; c++)
        for (size_t r = 0; r < 100; r++) {
            assert_int_equal(rows.columns[c].valid[r], c + 1);
            if (rows.columns[c].type == TYPE_INT32)
                assert_int_equal(rows.columns[c].int32s[r], c * 1000 + r);
        }
    rows_deinit(&rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_has_record_then_kafka_then_derived_columns),
        cmocka_unit_test(a_column_is_found_by_its_exact_name),
        cmocka_unit_test(vectors_of_rows_do_not_overlap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
