#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/disk/file.h"
#include "streaming/care/request.h"

static char root[64];

static int make(void **state) {
    (void)state;
    (void)snprintf(root, sizeof root, "/tmp/request-XXXXXX");
    check(mkdtemp(root) != NULL);
    return 0;
}

static int clear(void **state) {
    (void)state;
    file_discard_tree(root);
    return 0;
}

static void write_text(const char *name, const char *text) {
    struct error err;
    assert_true(file_replace(root, name, text, strlen(text), &err));
}

static void a_request_is_read_as_it_was_written(void **state) {
    (void)state;
    struct error err;
    struct care_request read,
        request = {.kind = REQUEST_COMPACT, .older_than_ms = 3600000, .target_size = 128 << 20};
    bool found;
    assert_false(request_is_there(root));
    assert_true(request_read(root, &read, &found, &err));
    assert_false(found);
    assert_true(request_write(root, &request, &err));
    assert_true(request_is_there(root));
    assert_true(request_read(root, &read, &found, &err));
    assert_true(found);
    assert_string_equal(read.id, request.id);
    assert_int_equal(read.kind, REQUEST_COMPACT);
    assert_int_equal(read.older_than_ms, 3600000);
    assert_int_equal(read.target_size, 128 << 20);
    request_remove(root);
    request = (struct care_request){.kind = REQUEST_EXPIRE, .before = -3};
    assert_true(request_write(root, &request, &err));
    assert_true(request_read(root, &read, &found, &err));
    assert_int_equal(read.kind, REQUEST_EXPIRE);
    assert_int_equal(read.before, -3);
}

static void there_is_one_request_at_a_time(void **state) {
    (void)state;
    struct error err;
    struct care_request request = {.target_size = 1};
    assert_true(request_write(root, &request, &err));
    assert_false(request_write(root, &request, &err));
    assert_int_equal(err.kind, ERROR_LOCKED);
    assert_non_null(strstr(err.message, "is waiting for the query"));
    request_remove(root);
    assert_true(request_write(root, &request, &err));
}

static void what_is_not_a_request_is_refused(void **state) {
    (void)state;
    static const char *const texts[] = {
        "",
        "v2\n{}",
        "v1\n{}",
        "v1\n{\"id\":\"7\",\"kind\":\"expire\",\"before\":1}",
        "v1\n{\"id\":\"123e4567-e89b-42d3-a456-426614174000\",\"kind\":\"drop\",\"before\":1}",
        "v1\n{\"id\":\"123e4567-e89b-42d3-a456-426614174000\",\"kind\":\"expire\"}",
        "v1\n{\"id\":\"123e4567-e89b-42d3-a456-426614174000\",\"kind\":\"expire\",\"before\":"
        "3000000000}",
        "v1\n{\"id\":\"123e4567-e89b-42d3-a456-426614174000\",\"kind\":\"compact\",\"olderThanMs\":"
        "0,\"targetFileSize\":0}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct care_request request;
        struct error err;
        bool found;
        write_text(CHECKPOINT_REQUEST, texts[i]);
        assert_false(request_read(root, &request, &found, &err));
        assert_int_equal(err.kind, ERROR_STATE);
        assert_non_null(strstr(err.message, root));
    }
}

static void an_answer_is_for_its_request_only(void **state) {
    (void)state;
    struct error err;
    struct care_answer read,
        answer = {.id = "123e4567-e89b-42d3-a456-426614174000", .state = ANSWER_WORKING};
    bool found;
    assert_true(answer_read(root, answer.id, &read, &found, &err));
    assert_false(found);
    answer_add(&answer, "one");
    answer_add(&answer, "bytes \xff");
    assert_true(answer_write(root, &answer, &err));
    assert_true(answer_read(root, "123e4567-e89b-42d3-a456-426614174001", &read, &found, &err));
    assert_false(found);
    assert_true(answer_read(root, answer.id, &read, &found, &err));
    assert_true(found);
    assert_int_equal(read.state, ANSWER_WORKING);
    assert_int_equal(read.line_count, 2);
    assert_string_equal(read.lines[0], "one");
    answer_deinit(&read);
    answer_deinit(&answer);
    answer_remove(root);
    assert_true(answer_read(root, "123e4567-e89b-42d3-a456-426614174000", &read, &found, &err));
    assert_false(found);
}

static void a_failure_keeps_its_kind(void **state) {
    (void)state;
    static const enum error_kind kinds[][2] = {
        {ERROR_RETRY, ERROR_RETRY},     {ERROR_CONFIG, ERROR_CONFIG},   {ERROR_STATE, ERROR_STATE},
        {ERROR_LIMIT, ERROR_LIMIT},     {ERROR_STOPPED, ERROR_STOPPED}, {ERROR_BROKER, ERROR_STATE},
        {ERROR_RESTART, ERROR_RESTART}, {ERROR_LOCKED, ERROR_LOCKED}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct error err;
        struct care_answer read,
            answer = {.id = "123e4567-e89b-42d3-a456-426614174000", .state = ANSWER_FAILED};
        bool found;
        (void)error_set(&answer.error, kinds[i][0], "the disk is full");
        assert_true(answer_write(root, &answer, &err));
        assert_true(answer_read(root, answer.id, &read, &found, &err));
        assert_int_equal(read.error.kind, kinds[i][1]);
        assert_string_equal(read.error.message, "the disk is full");
        answer_deinit(&read);
    }
    struct error err;
    struct care_answer read;
    bool found;
    write_text(CHECKPOINT_ANSWER, "v1\n{\"state\":\"done\"}");
    assert_false(answer_read(root, "x", &read, &found, &err));
    assert_int_equal(err.kind, ERROR_STATE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, clear)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_request_is_read_as_it_was_written),
        TEST(there_is_one_request_at_a_time),
        TEST(what_is_not_a_request_is_refused),
        TEST(an_answer_is_for_its_request_only),
        TEST(a_failure_keeps_its_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
