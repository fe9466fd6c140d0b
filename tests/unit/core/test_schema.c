#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/rows.h"
#include "core/schema.h"

/* Two inputs of a record, and one of Kafka; a table whose first and third column are computed. */
static const struct column inputs[] = {
    {"id", TYPE_STRING}, {"s.n", TYPE_INT32}, {"offset", TYPE_INT64}};
static const struct column columns[] = {
    {"twice", TYPE_INT32}, {"offset", TYPE_INT64}, {"both", TYPE_STRING}, {"id", TYPE_STRING}};
static const size_t sources[] = {SCHEMA_COMPUTED, 2, SCHEMA_COMPUTED, 0};
static const struct schema schema = {.name = "thing",
                                     .columns = columns,
                                     .count = 4,
                                     .inputs = inputs,
                                     .input_count = 3,
                                     .record_count = 2,
                                     .sources = sources};

static void a_column_is_decoded_computed_or_from_kafka(void **state) {
    (void)state;
    static const bool computed[] = {true, false, true, false};
    static const bool decoded[] = {false, false, false, true};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(schema_is_computed(&schema, i), computed[i]);
        assert_int_equal(schema_is_decoded(&schema, i), decoded[i]);
    }
}

static void fields_are_inputs_of_the_record_then_columns(void **state) {
    (void)state;
    static const char *const names[] = {"id", "s.n", "twice", "offset", "both", "id"};
    assert_int_equal(schema_field_count(&schema), 6);
    for (size_t i = 0; i < 6; i++)
        assert_string_equal(schema_field_name(&schema, i), names[i]);
    assert_string_equal(schema_field_name(&schema, schema_field_of_column(&schema, 2)), "both");
}

static void a_column_is_found_by_its_exact_name(void **state) {
    (void)state;
    assert_int_equal(schema_find(&schema, TEXT("both")), 2);
    assert_int_equal(schema_find(&schema, TEXT("Both")), -1);
    assert_int_equal(schema_find(&schema, TEXT("bot")), -1);
}

/* Writes something else into each value of the vectors, and expects it there afterwards. */
static void check_vectors(struct vector *const *vectors, size_t count) {
    for (size_t v = 0; v < count; v++)
        for (size_t r = 0; r < 100; r++) {
            vectors[v]->valid[r] = (uint8_t)(v + 1);
            if (vectors[v]->type == TYPE_INT32)
                vectors[v]->int32s[r] = (int32_t)(v * 1000 + r);
        }
    for (size_t v = 0; v < count; v++)
        for (size_t r = 0; r < 100; r++) {
            assert_int_equal(vectors[v]->valid[r], v + 1);
            if (vectors[v]->type == TYPE_INT32)
                assert_int_equal(vectors[v]->int32s[r], v * 1000 + r);
        }
}

static void vectors_do_not_overlap_unless_a_column_is_an_input(void **state) {
    (void)state;
    struct rows rows;
    rows_init(&rows, &schema, 100, 1000);
    struct vector *own[] = {&rows.inputs[0], &rows.inputs[1], &rows.inputs[2], &rows.columns[0],
                            &rows.columns[2]};
    check_vectors(own, 5);
    assert_ptr_equal(rows.columns[1].values, rows.inputs[2].values);
    assert_ptr_equal(rows.columns[3].valid, rows.inputs[0].valid);
    rows_deinit(&rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_column_is_decoded_computed_or_from_kafka),
        cmocka_unit_test(fields_are_inputs_of_the_record_then_columns),
        cmocka_unit_test(a_column_is_found_by_its_exact_name),
        cmocka_unit_test(vectors_do_not_overlap_unless_a_column_is_an_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
