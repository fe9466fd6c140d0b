#include "drop_checksum.h"
#include "store_fixture.h"

#include "base/scope.h"
#include "streaming/offsets/incarnation.h"
#include "streaming/offsets/offset_log.h"

static void a_new_query_writes_what_spark_4_wrote(void **state) {
    (void)state;
    struct error err;
    char *expected;
    size_t expected_size, size;
    assert_true(file_read(TEST_DATA "/spark4-offsets-0", 1 << 20, &expected, &expected_size, &err));
    struct offset_entry entry = {
        .topic = strdup("t1"),
        .timestamp_ms = 1795366899862,
        .conf = offset_log_new_conf(10),
    };
    offsets_add(&entry.ends, 1, 3);
    offsets_add(&entry.ends, 0, 3);
    offsets_sort(&entry.ends);
    scoped(scope_free) char *text = offset_log_print(&entry, &size);
    assert_int_equal(size, strlen(text));
    drop_checksum(text); // all else is Spark's, byte by byte
    assert_string_equal(text, expected);
    assert_int_equal(strlen(text), expected_size);
    free(expected);
    offset_entry_deinit(&entry);
}

static void the_first_offsets_are_spark_s_24_bytes(void **state) {
    (void)state;
    struct offsets starts = {0};
    offsets_add(&starts, 0, 0);
    offsets_add(&starts, 1, 0);
    size_t size;
    scoped(scope_free) char *text = offset_log_print_initial("t1", &starts, &size);
    assert_int_equal(size, 24);
    assert_memory_equal(text, "\0v1\n{\"t1\":{\"0\":0,\"1\":0}}", 24);
    offsets_deinit(&starts);

    struct offset_entry entry;
    struct error err;
    assert_true(offset_log_parse_initial(text, size, &entry, &err));
    assert_string_equal(entry.topic, "t1");
    assert_int_equal(entry.ends.count, 2);
    offset_entry_deinit(&entry);
}

static void every_form_that_spark_writes_is_read(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t timestamp_ms, first, second;
        const char *why;
    } cases[] = {
        {"v1\n{\"batchWatermarkMs\":0,\"batchTimestampMs\":7,\"conf\":{}}\n{\"t1\":{\"1\":5,\"0\":"
         "4}}",
         7, 4, 5, "partitions in any order"},
        {"v1\n{ \"batchTimestampMs\" : 7 , \"conf\" : { \"a\" : \"b\" } }\n{ \"t1\" : { \"0\" : 4, "
         "\"1\" : 5 } }\n",
         7, 4, 5, "blanks, and a newline at the end"},
        {"v1\n{}\n{\"t1\":{\"0\":4,\"1\":5}}", 0, 4, 5, "a line without anything"},
        {"v2\n{\"batchTimestampMs\":7,\"conf\":{}}\n0:{\"t1\":{\"0\":4,\"1\":5}}", 7, 4, 5,
         "version 2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct offset_entry entry;
        struct error err = {0};
        if (!offset_log_parse(cases[i].text, strlen(cases[i].text), &entry, &err))
            fail_msg("%s: %s", cases[i].why, err.message);
        assert_int_equal(entry.timestamp_ms, cases[i].timestamp_ms);
        assert_int_equal(offsets_find(&entry.ends, 0)->offset, cases[i].first);
        assert_int_equal(offsets_find(&entry.ends, 1)->offset, cases[i].second);
        assert_null(offsets_find(&entry.ends, 2));
        offset_entry_deinit(&entry);
    }
}

static void a_plan_that_moves_positions_has_the_ends_that_were_known(void **state) {
    (void)state;
    struct error err;
    size_t size;
    struct offset_entry entry = {.topic = strdup("t1"), .conf = json_new_object()}, again;
    offsets_add(&entry.ends, 0, 0);
    offsets_add(&entry.known_ends, 0, 120);
    offsets_add(&entry.known_ends, 1, 7);
    scoped(scope_free) char *text = offset_log_print(&entry, &size);
    assert_true(offset_log_parse(text, size, &again, &err));
    drop_checksum(text);
    assert_string_equal(text, "v1\n{\"batchWatermarkMs\":0,\"batchTimestampMs\":0,\"conf\":{},"
                              "\"knownEnds\":{\"0\":120,\"1\":7}}\n{\"t1\":{\"0\":0}}");
    assert_int_equal(again.known_ends.count, 2);
    assert_int_equal(again.known_ends.entries[1].offset, 7);
    offset_entry_deinit(&again);
    offset_entry_deinit(&entry);
}

static void a_plan_has_the_ids_that_are_known_of_its_topic(void **state) {
    (void)state;
    struct error err;
    size_t size;
    struct offset_entry entry = {.topic = strdup("t1"), .conf = json_new_object()}, again;
    offsets_add(&entry.ends, 0, 4);
    strcpy(entry.identity.cluster_id, "here");
    strcpy(entry.identity.topic_id, "one");
    scoped(scope_free) char *text = offset_log_print(&entry, &size);
    assert_true(offset_log_parse(text, size, &again, &err));
    assert_memory_equal(&again.identity, &entry.identity, sizeof again.identity);
    drop_checksum(text);
    assert_string_equal(text, "v1\n{\"batchWatermarkMs\":0,\"batchTimestampMs\":0,\"conf\":{},"
                              "\"clusterId\":\"here\",\"topicId\":\"one\"}\n{\"t1\":{\"0\":4}}");
    offset_entry_deinit(&again);
    offset_entry_deinit(&entry);
}

static void anything_else_is_refused(void **state) {
    (void)state;
    static const char long_id[] =
        "v1\n{\"conf\":{},\"topicId\":\"0123456789012345678901234567890123456789012345678\"}\n"
        "{\"t1\":{\"0\":1}}";
    static const char *const cases[] = {
        "",
        "v1",
        "v1\n{}",
        "v1\n\n{\"t1\":{\"0\":4}}",
        "v1\n{\"batchTimestampMs\":7,\"conf\":{}}\n-",
        "v1\n{\"conf\":{}}\n{\"t1\":{\"0\":4}}\n{\"t2\":{\"0\":4}}",
        "v1\n{\"conf\":{}}\n{\"t1\":{\"0\":4},\"t2\":{\"0\":4}}",
        "v1\n{\"conf\":{}}\n{\"t1\":{}}",
        "v1\n{\"conf\":{}}\n{}",
        "v1\n{\"conf\":{}}\n[1]",
        "v1\n{\"conf\":{}}\n{\"t1\":{\"0\":-1}}",
        "v1\n{\"conf\":{}}\n{\"t1\":{\"x\":1}}",
        "v1\n{\"conf\":{}}\n{\"t1\":{\"0\":1,\"00\":2}}",
        "v1\n{\"conf\":{}}\n{\"t1\":{\"0\":\"1\"}}",
        "v1\n{\"conf\":{}}\n{\"t1\":{\"0\":1",
        "v1\n{\"conf\":{\"a\":1}}\n{\"t1\":{\"0\":1}}",
        "v1\n{\"conf\":[]}\n{\"t1\":{\"0\":1}}",
        "v1\n{\"batchTimestampMs\":9223372036854776,\"conf\":{}}\n{\"t1\":{\"0\":4}}",
        "v1\n{\"conf\":{},\"knownEnds\":{\"0\":-1}}\n{\"t1\":{\"0\":1}}",
        "v1\n{\"conf\":{},\"knownEnds\":[[]]}\n{\"t1\":{\"0\":1}}",
        "v1\n{\"conf\":{},\"knownEnds\":\"0\"}\n{\"t1\":{\"0\":1}}",
        "v1\n{\"conf\":{}}\n{\"t1\":[[]]}",
        "v1\n{\"conf\":{},\"topicId\":1}\n{\"t1\":{\"0\":1}}",
        "v1\n{\"conf\":{},\"topicId\":\"\"}\n{\"t1\":{\"0\":1}}",
        long_id,
        "v2\n{\"conf\":{}}\n{\"t1\":{\"0\":1}}",
        "v3\n{\"conf\":{}}\n{\"t1\":{\"0\":1}}",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct offset_entry entry;
        struct error err = {0};
        if (offset_log_parse(cases[i], strlen(cases[i]), &entry, &err))
            fail_msg("accepted: %s", cases[i]);
        assert_int_equal(err.kind, ERROR_STATE);
        assert_true(err.message[0] != '\0');
    }
}

static void a_sum_of_damaged_offsets_stays_at_the_largest_number(void **state) {
    (void)state;
    struct incarnation_begin begin = {0};
    for (int32_t partition = 0; partition < 2; partition++) {
        offsets_add(&begin.former, partition, 1);
        offsets_add(&begin.known_ends, partition, INT64_MAX);
    }
    assert_true(incarnation_begin_lost(&begin) == INT64_MAX);
    incarnation_begin_deinit(&begin);
}

static void a_map_without_shuffle_partitions_gets_them_and_keeps_all_else(void **state) {
    (void)state;
    struct json *conf = json_new_object(), *fresh = offset_log_new_conf(7);
    json_put_text(conf, "spark.unknown", "x");
    offset_log_complete_conf(conf, fresh);
    scoped(scope_free) char *text = json_print(conf);
    assert_string_equal(text, "{\"spark.unknown\":\"x\",\"spark.sql.shuffle.partitions\":\"7\"}");
    json_put_text(conf, "spark.sql.shuffle.partitions", "200");
    offset_log_complete_conf(conf, fresh);
    assert_string_equal(json_member_text(conf, "spark.sql.shuffle.partitions"), "200");
    json_free(conf);
    json_free(fresh);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_query_writes_what_spark_4_wrote),
        cmocka_unit_test(the_first_offsets_are_spark_s_24_bytes),
        cmocka_unit_test(every_form_that_spark_writes_is_read),
        cmocka_unit_test(a_plan_that_moves_positions_has_the_ends_that_were_known),
        cmocka_unit_test(a_plan_has_the_ids_that_are_known_of_its_topic),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(a_sum_of_damaged_offsets_stays_at_the_largest_number),
        cmocka_unit_test(a_map_without_shuffle_partitions_gets_them_and_keeps_all_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
