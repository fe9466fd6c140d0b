#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "streaming/kafka/starting_offsets.h"

static struct partition_offsets partitions[] = {{0, 10, 100}, {1, 0, 50}};
static const struct topic_offsets topic = {2, partitions};

static void words_and_numbers_become_offsets_of_every_partition(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t first, second;
    } cases[] = {
        {"earliest", 10, 0},
        {"LATEST", 100, 50},
        {"{\"t\":{\"0\":23,\"1\":-2}}", 23, 0},
        {"{\"t\":{\"1\":-1,\"0\":100},\"other\":{\"7\":1}}", 100, 50},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct offset_range *starts;
        struct error err = {0};
        if (!starting_offsets_resolve(cases[i].text, "t", &topic, &starts, &err))
            fail_msg("%s: %s", cases[i].text, err.message);
        assert_int_equal(starts[0].start, cases[i].first);
        assert_int_equal(starts[0].end, cases[i].first);
        assert_int_equal(starts[1].end, cases[i].second);
        free(starts);
    }
}

static void what_does_not_fit_the_topic_is_refused_with_its_reason(void **state) {
    (void)state;
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"newest", "expected 'earliest'"},
        {"{}", "the topic is missing"},
        {"{\"t\":{}}", "needs an object"},
        {"{\"t\":[1]}", "needs an object"},
        {"{\"t\":{\"x\":1}}", "not a partition number"},
        {"{\"t\":{\"0\":-3,\"1\":0}}", "needs an offset"},
        {"{\"t\":{\"0\":1.5,\"1\":0}}", "needs an offset"},
        {"{\"t\":{\"0\":20}}", "partition 1 of topic 't' is not named"},
        {"{\"t\":{\"0\":20,\"1\":0,\"2\":0}}", "has no partition 2"},
        {"{\"t\":{\"2\":0,\"0\":20,\"1\":0}}", "has no partition 2"},
        {"{\"t\":{\"0\":20,\"1\":0,\"10\":0}}", "has no partition 10"},
        {"{\"t\":{\"0\":20,\"1\":0,\"2147483647\":0}}", "has no partition 2147483647"},
        {"{\"t\":{\"2147483648\":0}}", "'2147483648' of topic 't' is not a partition number"},
        {"{\"t\":{\"00000000001\":0}}", "'00000000001' of topic 't' is not a partition number"},
        {"{\"t\":{\"0\":5,\"1\":0}}", "has offsets 10 to 100, not 5"},
        {"{\"t\":{\"0\":101,\"1\":0}}", "has offsets 10 to 100, not 101"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct offset_range *starts;
        struct error err = {0};
        assert_false(starting_offsets_resolve(cases[i].text, "t", &topic, &starts, &err));
        assert_int_equal(err.kind, ERROR_CONFIG);
        if (strstr(err.message, cases[i].reason) == NULL)
            fail_msg("%s: %s", cases[i].text, err.message);
    }
}

static void a_topics_name_may_have_255_bytes(void **state) {
    (void)state;
    char text[300];
    struct error err = {0};
    (void)snprintf(text, sizeof text, "{\"%0255d\":{\"0\":1}}", 0);
    assert_true(starting_offsets_check(text, &err));
    (void)snprintf(text, sizeof text, "{\"%0256d\":{\"0\":1}}", 0);
    assert_false(starting_offsets_check(text, &err));
    assert_non_null(strstr(err.message, "needs an object"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_and_numbers_become_offsets_of_every_partition),
        cmocka_unit_test(a_topics_name_may_have_255_bytes),
        cmocka_unit_test(what_does_not_fit_the_topic_is_refused_with_its_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
