#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "streaming/kafka/broker.h"

static char directory[] = "/tmp/capture-XXXXXX";
static const char *const names[] = {"t-10.ndjson", "t-2.ndjson",  "t-0.ndjson",  "t-x.ndjson",
                                    "t-1.json",    "tt-0.ndjson", "t-0-0.ndjson"};
enum { NAME_COUNT = sizeof names / sizeof names[0] };

static void path_of(size_t name, char path[static 256]) {
    snprintf(path, 256, "%s/%s", directory, names[name]);
}

static int set_up(void **state) {
    (void)state;
    assert_non_null(mkdtemp(directory));
    for (size_t i = 0; i < NAME_COUNT; i++) {
        char path[256];
        path_of(i, path);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        for (size_t line = 0; line < i; line++)
            fputs("{}\n", file);
        fclose(file);
    }
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    for (size_t i = 0; i < NAME_COUNT; i++) {
        char path[256];
        path_of(i, path);
        unlink(path);
    }
    return rmdir(directory);
}

static void a_topics_partitions_are_its_files_and_the_ends_their_lines(void **state) {
    (void)state;
    struct broker *broker;
    struct error err;
    struct topic_offsets offsets = {0};
    assert_true(capture_broker_open(directory, &broker, &err));
    assert_true(broker->ops->list_offsets(broker, "t", 0, &offsets, &err));
    const struct partition_offsets expected[] = {{0, 0, 2}, {2, 0, 1}, {10, 0, 0}};
    assert_int_equal(offsets.count, 3);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        assert_int_equal(offsets.partitions[i].partition, expected[i].partition);
        assert_int_equal(offsets.partitions[i].log_start, expected[i].log_start);
        assert_int_equal(offsets.partitions[i].end, expected[i].end);
    }
    topic_offsets_deinit(&offsets);

    struct source *source;
    struct record record;
    assert_true(broker->ops->open_source(broker, (struct source_memory){0}, &source, &err));
    assert_true(source->ops->open_range(
        source, "t", (struct offset_range){.partition = 2, .start = 0, .end = 1}, &err));
    assert_int_equal(source->ops->read(source, &record, 0, &err), SOURCE_RECORD);
    assert_int_equal(source->ops->read(source, &record, 0, &err), SOURCE_END);
    source->ops->close(source);
    broker->ops->close(broker);
}

static void a_topic_without_files_does_not_exist(void **state) {
    (void)state;
    struct broker *broker;
    struct error err;
    struct topic_offsets offsets;
    assert_true(capture_broker_open(directory, &broker, &err));
    assert_false(broker->ops->list_offsets(broker, "u", 0, &offsets, &err));
    assert_int_equal(err.kind, ERROR_BROKER);
    assert_non_null(strstr(err.message, "topic 'u' does not exist"));
    assert_non_null(strstr(err.message, "did you mean 't'?"));
    broker->ops->close(broker);
}

static void a_missing_directory_is_a_mistake_in_the_settings(void **state) {
    (void)state;
    struct broker *broker;
    struct error err;
    assert_false(capture_broker_open("/nowhere", &broker, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_topics_partitions_are_its_files_and_the_ends_their_lines),
        cmocka_unit_test(a_topic_without_files_does_not_exist),
        cmocka_unit_test(a_missing_directory_is_a_mistake_in_the_settings),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
