#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/disk/file.h"
#include "streaming/store/recall.h"

#define QUERY "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"

static char root[64];

static int setup(void **state) {
    (void)state;
    strcpy(root, "/tmp/test_recall.XXXXXX");
    return mkdtemp(root) != NULL ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *at) {
    (void)status, (void)type, (void)at;
    return remove(path);
}

static int teardown(void **state) {
    (void)state;
    return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void write_bytes(const char *directory, const char *name, const void *bytes, size_t size) {
    struct error err;
    struct file_path path = file_join(root, directory);
    assert_true(file_make_directory(path.text, &err));
    assert_true(file_publish(path.text, name, bytes, size, &err));
}

static void write_text(const char *directory, const char *name, const char *text) {
    write_bytes(directory, name, text, strlen(text));
}

static void write_plan(const char *name, const char *topic) {
    char text[256];
    (void)snprintf(text, sizeof text,
                   "v1\n{\"batchWatermarkMs\":0,\"batchTimestampMs\":1,\"conf\":{}}\n"
                   "{\"%s\":{\"0\":3}}",
                   topic);
    write_text("offsets", name, text);
}

static void of_a_query_that_has_only_begun_the_topic_is_known(void **state) {
    (void)state;
    struct recalled recalled;
    checkpoint_recall(root, &recalled);
    assert_null(recalled.topic);
    static const char initial[] = "\0v1\n{\"begun\":{\"0\":0}}";
    write_bytes("sources/0", "0", initial, sizeof initial - 1);
    checkpoint_recall(root, &recalled);
    assert_string_equal(recalled.topic, "begun");
    assert_null(recalled.table);
    assert_false(recalled_owns(&recalled, root));
    recalled_deinit(&recalled);
}

static void the_newest_files_that_can_be_read_count(void **state) {
    (void)state;
    struct recalled recalled;
    write_plan("8", "topic");
    write_text("offsets", "9", "v1\n{");
    write_text("manifests", "7",
               "v1\n{\"batch\":7,\"timestampMs\":1,\"query\":\"" QUERY "\",\"topic\":\"topic\","
               "\"table\":\"/lake/t\",\"rejectsTable\":\"/lake/r\",\"files\":[],\"rejects\":[],"
               "\"ranges\":[]}");
    write_text("manifests", "8", "");
    checkpoint_recall(root, &recalled);
    assert_string_equal(recalled.topic, "topic");
    assert_string_equal(recalled.table, "/lake/t");
    assert_string_equal(recalled.rejects, "/lake/r");
    assert_string_equal(recalled.query_id, QUERY);
    assert_false(recalled_owns(&recalled, root));
    write_text("", "_esports_stream",
               "{\"query\":\"" QUERY "\",\"checkpoint\":\"/c\",\"sinkLog\":true}");
    assert_true(recalled_owns(&recalled, root));
    recalled_deinit(&recalled);
}

static void directories_name_the_partition_columns(void **state) {
    (void)state;
    char *names[2];
    size_t count;
    assert_false(recall_partition_columns(root, 2, names, &count));
    write_text("_spark_metadata/a=b", "0", "v1");
    assert_false(recall_partition_columns(root, 2, names, &count));
    write_text("status=live/role=top", "part-0.parquet", "PAR1");
    assert_false(recall_partition_columns(root, 1, names, &count));
    assert_true(recall_partition_columns(root, 2, names, &count));
    assert_int_equal(count, 2);
    assert_string_equal(names[0], "status");
    assert_string_equal(names[1], "role");
    free(names[0]);
    free(names[1]);
}

static void files_in_the_root_say_that_there_are_none(void **state) {
    (void)state;
    char *names[2];
    size_t count = 7;
    write_text("_spark_metadata", "0", "v1");
    write_text("", "part-0.parquet", "PAR1");
    assert_true(recall_partition_columns(root, 2, names, &count));
    assert_int_equal(count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(of_a_query_that_has_only_begun_the_topic_is_known, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_newest_files_that_can_be_read_count, setup, teardown),
        cmocka_unit_test_setup_teardown(directories_name_the_partition_columns, setup, teardown),
        cmocka_unit_test_setup_teardown(files_in_the_root_say_that_there_are_none, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
