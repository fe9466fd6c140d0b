#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/disk/file.h"
#include "base/log/log.h"
#include "streaming/care/caretaker.h"
#include "streaming/care/request.h"

/* A query whose table cannot be opened: what the thread does about that, and how it ends. */
static char root[64];
static struct query query;
static struct query_options options;

static int make(void **state) {
    (void)state;
    (void)snprintf(root, sizeof root, "/tmp/caretaker-XXXXXX");
    check(mkdtemp(root) != NULL);
    options = (struct query_options){
        .time_zone = "UTC",
        .store = {.query = "match_stream",
                  .topic = "t",
                  .checkpoint = root,
                  .table = "/nowhere/table",
                  .rejects = "/nowhere/rejects"},
        .care = {.target_size = 128 << 20, .cpu_percent = 100, .memory_max = 8 << 20}};
    query = (struct query){.definition = {.options = &options}};
    query_report_init(&query.report, "match_stream", "matches", NULL);
    query.stop = must_alloc(1, sizeof *query.stop);
    stop_init(query.stop);
    return 0;
}

static int clear(void **state) {
    (void)state;
    stop_deinit(query.stop);
    free(query.stop);
    query_report_deinit(&query.report);
    file_discard_tree(root);
    return 0;
}

static struct care_request ask(void) {
    struct error err;
    struct care_request request = {.kind = REQUEST_COMPACT, .target_size = 1 << 20};
    assert_true(request_write(root, &request, &err));
    return request;
}

static struct care_answer await_answer(const char *id) {
    struct care_answer answer;
    struct error err;
    bool found = false;
    while (!found || answer.state == ANSWER_WORKING) {
        if (found)
            answer_deinit(&answer);
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        assert_true(answer_read(root, id, &answer, &found, &err));
    }
    return answer;
}

static void a_request_of_a_former_run_is_removed(void **state) {
    (void)state;
    (void)ask();
    struct caretaker *caretaker = caretaker_start(&query);
    assert_non_null(caretaker);
    assert_false(request_is_there(root));
    caretaker_stop(caretaker);
}

static void a_request_that_fails_is_answered_with_the_reason(void **state) {
    (void)state;
    struct caretaker *caretaker = caretaker_start(&query);
    for (int i = 0; i < 2; i++) {
        struct care_request request = ask();
        struct care_answer answer = await_answer(request.id);
        assert_int_equal(answer.state, ANSWER_FAILED);
        assert_int_equal(answer.error.kind, ERROR_STATE);
        assert_non_null(strstr(answer.error.message, root));
        answer_deinit(&answer);
        while (request_is_there(root))
            (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        answer_remove(root);
    }
    caretaker_stop(caretaker);
}

static void a_pass_that_fails_is_in_the_status_and_ends_a_run_all_the_same(void **state) {
    (void)state;
    struct error err;
    options.care.compact.mode = COMPACT_CLOSED;
    options.care.retention_days = 30;
    struct caretaker *caretaker = caretaker_start(&query);
    assert_true(caretaker_finish(caretaker, &err));
    struct care_view view = care_status_read(&query.report.care);
    assert_true(view.compacts && view.expires);
    assert_false(view.is_busy);
    assert_non_null(strstr(view.error, root));
    assert_true(view.error_ms > 0 && view.next_look_ms > 0);
    assert_int_equal(view.compactions, 0);
    caretaker_stop(caretaker);
}

static void without_settings_there_is_nothing_to_wait_for(void **state) {
    (void)state;
    struct error err;
    struct caretaker *caretaker = caretaker_start(&query);
    assert_true(caretaker_finish(caretaker, &err));
    assert_string_equal(care_status_read(&query.report.care).error, "");
    caretaker_stop(caretaker);
    caretaker_stop(NULL);
    assert_true(caretaker_attend(NULL, &err) && caretaker_finish(NULL, &err));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, clear)

int main(void) {
    log_configure(LOG_CRITICAL, false);
    const struct CMUnitTest tests[] = {
        TEST(a_request_of_a_former_run_is_removed),
        TEST(a_request_that_fails_is_answered_with_the_reason),
        TEST(a_pass_that_fails_is_in_the_status_and_ends_a_run_all_the_same),
        TEST(without_settings_there_is_nothing_to_wait_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
