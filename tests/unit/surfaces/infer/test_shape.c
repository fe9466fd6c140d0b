#include "infer/infer_rig.h"

#define ASSERT_TYPE(record, type)                                                                  \
    do {                                                                                           \
        RECORDS("{\"x\":" record "}");                                                             \
        assert_string_equal(shape_type_name(field("x")), type);                                    \
        end(NULL);                                                                                 \
    } while (0)

#define ASSERT_TYPES(first, second, type)                                                          \
    do {                                                                                           \
        RECORDS("{\"x\":" first "}", "{\"x\":" second "}");                                        \
        assert_string_equal(shape_type_name(field("x")), type);                                    \
        end(NULL);                                                                                 \
    } while (0)

static void a_whole_number_of_more_than_eight_digits_is_bigint(void **state) {
    (void)state;
    ASSERT_TYPE("0", "INT");
    ASSERT_TYPE("-99999999", "INT");
    ASSERT_TYPE("99999999", "INT");
    ASSERT_TYPE("100000000", "BIGINT");
    ASSERT_TYPE("-100000000", "BIGINT");
    ASSERT_TYPE("9223372036854775807", "BIGINT");
    ASSERT_TYPE("9223372036854775808", "DECIMAL(38,0)");
    ASSERT_TYPE("123456789012345678901234567890123456789", "DOUBLE");
    ASSERT_TYPES("1", "3000000000", "BIGINT");
    ASSERT_TYPES("3000000000", "1", "BIGINT");
    ASSERT_TYPES("12345678901234567890", "-1", "DECIMAL(38,0)");
}

static void other_numbers_are_double(void **state) {
    (void)state;
    ASSERT_TYPE("1.0", "DOUBLE");
    ASSERT_TYPE("1e2", "DOUBLE");
    ASSERT_TYPE("NaN", "DOUBLE");
    ASSERT_TYPES("1", "0.5", "DOUBLE");
    ASSERT_TYPES("12345678901234567890", "0.5", "DOUBLE");
}

static void texts_are_dates_or_timestamps_only_if_all_are(void **state) {
    (void)state;
    ASSERT_TYPE("\"2024-06-01\"", "DATE");
    ASSERT_TYPE("\"2024-06-01T12:00:00Z\"", "TIMESTAMP");
    ASSERT_TYPE("\"2024-06-01 12:00:00.123+02:00\"", "TIMESTAMP");
    ASSERT_TYPES("\"2024-06-01\"", "\"2024-06-01T12:00:00Z\"", "TIMESTAMP");
    ASSERT_TYPES("\"2024-06-01\"", "\"soon\"", "STRING");
    ASSERT_TYPES("\"2024-06-01\"", "\"\"", "STRING");
    ASSERT_TYPES("\"2024-06-01\"", "null", "DATE");
}

static void texts_that_only_spark_reads_as_times_stay_texts(void **state) {
    (void)state;
    ASSERT_TYPE("\"2024\"", "STRING");
    ASSERT_TYPE("\"12:30\"", "STRING");
    ASSERT_TYPE("\"2024-13-01\"", "STRING");
    ASSERT_TYPE("\"2024-02-30T12:00:00Z\"", "STRING");
    ASSERT_TYPE("\"2024-06-01T12:00:00+2\\u0030\"", "STRING");
    ASSERT_TYPE("\"2024-06-01Thursday, at noon\"", "STRING");
}

static void values_of_several_types_are_string(void **state) {
    (void)state;
    ASSERT_TYPES("1", "\"a\"", "STRING");
    ASSERT_TYPES("true", "1", "STRING");
    ASSERT_TYPES("{\"a\":1}", "[1]", "STRING");
    ASSERT_TYPES("{\"a\":1}", "1", "STRING");
    ASSERT_TYPE("null", "STRING");
    ASSERT_TYPE("{}", "STRING");
    ASSERT_TYPES("true", "null", "BOOLEAN");
}

static void objects_and_arrays_are_merged_at_every_level(void **state) {
    (void)state;
    RECORDS("{\"x\":{\"a\":[{\"n\":1},{\"t\":\"x\"}]}}", "{\"x\":{\"a\":[],\"b\":true}}",
            "{\"x\":{\"a\":[{\"n\":0.5}]}}", "{\"x\":null}");
    const struct shape *x = field("x");
    assert_int_equal(shape_type(x), TYPE_STRUCT);
    assert_int_equal(x->field_count, 2);
    assert_int_equal(x->nulls, 1);
    const struct shape *a = &x->fields->shape;
    assert_int_equal(shape_type(a), TYPE_ARRAY);
    assert_int_equal(a->counts[SHAPE_ARRAY], 3);
    assert_int_equal(a->element->counts[SHAPE_OBJECT], 3);
    assert_string_equal(shape_type_name(&a->element->fields->shape), "DOUBLE");
    assert_string_equal(a->element->fields->next->key, "t");
    end(NULL);
}

static void an_object_whose_keys_are_numbers_or_identifiers_is_a_map(void **state) {
    (void)state;
    RECORDS("{\"x\":{\"1\":{\"gold\":1},\"2\":{\"gold\":0.5}},"
            "\"y\":{\"5f1c2b9a-0000-4000-8000-a1b2c3d4e5f6\":1,"
            "\"6a1c2b9a-1111-4000-8000-a1b2c3d4e5f7\":2},"
            "\"z\":{\"1\":1,\"total\":2},\"one\":{\"1\":1}}",
            "{\"x\":{\"3\":{\"kills\":1}}}");
    const struct shape *x = field("x");
    assert_int_equal(shape_type(x), TYPE_MAP);
    assert_int_equal(x->element->counts[SHAPE_OBJECT], 3);
    assert_int_equal(x->element->field_count, 2);
    assert_string_equal(shape_type_name(&x->element->fields->shape), "DOUBLE");
    assert_int_equal(shape_type(field("y")), TYPE_MAP);
    assert_int_equal(shape_type(field("z")), TYPE_STRUCT);
    assert_int_equal(shape_type(field("one")), TYPE_STRUCT);
    end(NULL);
}

static void an_object_with_many_rare_keys_is_a_map(void **state) {
    (void)state;
    begin();
    for (int i = 0; i < 60; i++) {
        char *record = text_format("{\"rare\":{\"%c%c\":%d},\"usual\":{\"a\":%d,\"b\":1}}",
                                   'a' + i / 26, 'a' + i % 26, i, i);
        add(record);
        free(record);
    }
    shapes_finish(&shapes);
    assert_int_equal(shape_type(field("rare")), TYPE_MAP);
    assert_int_equal(field("rare")->element->counts[SHAPE_NUMBER], 60);
    assert_int_equal(field("rare")->element->most, 59);
    assert_int_equal(shape_type(field("usual")), TYPE_STRUCT);
    end(NULL);
}

static void add_wide(const char *format, int count) {
    char *record;
    size_t size;
    FILE *out = open_memstream(&record, &size);
    (void)fputs("{\"x\":{", out);
    for (int i = 0; i < count; i++) {
        (void)fputs(i > 0 ? "," : "", out);
        (void)fprintf(out, format, i); // NOLINT: one of ours
    }
    (void)fputs("}}", out);
    (void)fclose(out);
    add(record);
    free(record);
}

static void many_keys_take_bounded_memory(void **state) {
    (void)state;
    begin();
    for (int i = 0; i < 3; i++) {
        add_wide("\"k%d\":1", 20000);
        add_wide("\"%d\":{\"a\":{\"b\":1}}", 20000);
    }
    shapes_finish(&shapes);
    assert_int_equal(shape_type(field("x")), TYPE_MAP);
    assert_true(shapes.count <= SHAPES_MAX);
    assert_true(shapes.pool.total < 32U << 20);
    end(NULL);
}

static void memory_does_not_depend_on_the_number_of_records(void **state) {
    (void)state;
    static const char record[] =
        "{\"a\":1,\"b\":\"x\",\"c\":[{\"d\":true,\"e\":null}],\"f\":{\"1\":0,\"2\":0}}";
    begin();
    add(record);
    size_t total = shapes.pool.total;
    for (int i = 0; i < 1000; i++)
        add(record);
    assert_int_equal(shapes.pool.total, total);
    end(NULL);
}

static void a_root_with_too_many_keys_keeps_the_first(void **state) {
    (void)state;
    begin();
    char *record;
    size_t size;
    FILE *out = open_memstream(&record, &size);
    for (int i = 0; i < 2000; i++)
        (void)fprintf(out, "%s\"k%d\":1", i > 0 ? "," : "{", i);
    (void)fputs("}", out);
    (void)fclose(out);
    add(record);
    free(record);
    shapes_finish(&shapes);
    assert_int_equal(shapes.root.field_count, SHAPE_FIELDS_MAX);
    assert_int_equal(shapes.root.left_out, 2000 - SHAPE_FIELDS_MAX);
    assert_string_equal(shapes.root.fields->key, "k0");
    end(NULL);
}

static void what_is_nested_too_deep_is_text(void **state) {
    (void)state;
    begin();
    char record[1200];
    size_t used = text_append(record, sizeof record, 0, "{\"x\":");
    for (int i = 0; i < 500; i++)
        used = text_append(record, sizeof record, used, "[");
    for (int i = 0; i < 500; i++)
        used = text_append(record, sizeof record, used, "]");
    (void)text_append(record, sizeof record, used, "}");
    add(record);
    shapes_finish(&shapes);
    const struct shape *shape = field("x");
    int levels = 0;
    for (; shape_type(shape) == TYPE_ARRAY; levels++)
        shape = shape->element;
    assert_string_equal(shape_type_name(shape), "STRING");
    assert_int_equal(levels, SHAPE_DEPTH_MAX - 1);
    end(NULL);
}

static void keys_that_differ_only_in_case_leave_the_most_frequent(void **state) {
    (void)state;
    RECORDS("{\"Status\":1,\"status\":1}", "{\"status\":2,\"other\":3}");
    assert_true(shapes.root.fields->is_hidden);
    assert_string_equal(shapes.root.fields->key, "Status");
    assert_false(shapes.root.fields->next->is_hidden);
    end(NULL);
}

static void keys_that_cannot_be_names_are_counted(void **state) {
    (void)state;
    RECORDS("{\"\":1,\"a\\nb\":1,\"\\u0000\":1,\"\xff\":1,\"\\ud800\":1,\"ok\":1,\"\\u00e9\":1}");
    assert_int_equal(shapes.root.field_count, 3);
    assert_string_equal(shapes.root.fields->key, "?"); // as the decoder reads it
    assert_string_equal(shapes.root.last_field->key, "é");
    assert_int_equal(shapes.root.left_out, 4);
    end(NULL);
}

static void other_records_than_objects_are_counted_and_leave_no_trace(void **state) {
    (void)state;
    begin();
    shapes_add(&shapes, NULL, 0);
    add("");
    add(" \r\n");
    add("[1]");
    add("\"text\"");
    add("{\"a\":1,\"b\":[1,2");
    add("{\"a\":tru}");
    add("{\"c\":1}");
    shapes_finish(&shapes);
    assert_int_equal(shapes.nulls, 1);
    assert_int_equal(shapes.blanks, 2);
    assert_int_equal(shapes.not_objects, 2);
    assert_int_equal(shapes.not_json, 2);
    assert_int_equal(shapes.objects, 1);
    assert_int_equal(shapes.root.field_count, 1);
    assert_string_equal(shapes.root.fields->key, "c");
    end(NULL);
}

static void epochs_are_known_by_range_and_name(void **state) {
    (void)state;
    static const struct {
        const char *record, *key;
        enum epoch epoch;
    } cases[] = {
        {"{\"gameStartTimestamp\":1717200000000}", "gameStartTimestamp", EPOCH_MILLIS},
        {"{\"created_at\":1717200000}", "created_at", EPOCH_SECONDS},
        {"{\"start\":0}", "start", EPOCH_NONE},
        {"{\"score\":1717200000}", "score", EPOCH_NONE},
        {"{\"timePlayed\":1800}", "timePlayed", EPOCH_NONE},
        {"{\"time\":1717200000.5}", "time", EPOCH_NONE},
        {"{\"time\":\"1717200000\"}", "time", EPOCH_NONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        RECORDS(cases[i].record);
        assert_int_equal(shape_epoch(field(cases[i].key), cases[i].key), cases[i].epoch);
        end(NULL);
    }
    RECORDS("{\"end_time\":1717200000000}", "{\"end_time\":0}");
    assert_int_equal(shape_epoch(field("end_time"), "end_time"), EPOCH_MILLIS);
    end(NULL);
    RECORDS("{\"end_time\":1717200000000}", "{\"end_time\":5}");
    assert_int_equal(shape_epoch(field("end_time"), "end_time"), EPOCH_NONE);
    end(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_number_of_more_than_eight_digits_is_bigint),
        cmocka_unit_test(other_numbers_are_double),
        cmocka_unit_test(texts_are_dates_or_timestamps_only_if_all_are),
        cmocka_unit_test(texts_that_only_spark_reads_as_times_stay_texts),
        cmocka_unit_test(values_of_several_types_are_string),
        cmocka_unit_test(objects_and_arrays_are_merged_at_every_level),
        cmocka_unit_test(an_object_whose_keys_are_numbers_or_identifiers_is_a_map),
        cmocka_unit_test(an_object_with_many_rare_keys_is_a_map),
        cmocka_unit_test(many_keys_take_bounded_memory),
        cmocka_unit_test(memory_does_not_depend_on_the_number_of_records),
        cmocka_unit_test(a_root_with_too_many_keys_keeps_the_first),
        cmocka_unit_test(what_is_nested_too_deep_is_text),
        cmocka_unit_test(keys_that_differ_only_in_case_leave_the_most_frequent),
        cmocka_unit_test(keys_that_cannot_be_names_are_counted),
        cmocka_unit_test(other_records_than_objects_are_counted_and_leave_no_trace),
        cmocka_unit_test(epochs_are_known_by_range_and_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
