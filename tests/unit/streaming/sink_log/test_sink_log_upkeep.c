/* The upkeep's thread during commits; the rest of the sink log is tested in test_sink_log.c. */
#include "store_fixture.h"

#include "base/scope.h"
#include "streaming/sink_log/sink_log.h"
#include "streaming/sink_log/sink_log_edit.h"

static struct fixture fixture;

static int set_up(void **state) {
    (void)state;
    fixture_init(&fixture);
    struct error err;
    check(file_make_directory(fixture.table, &err));
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    fixture_clear(&fixture);
    return 0;
}

static void write_batch(struct sink_log *log, int64_t batch, int files) {
    struct file_list list = {0};
    struct error err;
    for (int i = 0; i < files; i++)
        file_list_add(&list, fixture_file(batch, "status=live", (unsigned)i, "0123456789"));
    if (!sink_log_write(log, batch, &list, &err))
        fail_msg("%s", err.message);
    file_list_deinit(&list);
}

static void open_log(struct sink_log *log) {
    struct error err;
    if (!sink_log_open(log, fixture.table, &err))
        fail_msg("%s", err.message);
}

static char *content_of(const char *name) {
    scoped(scope_free) char *path = fixture_text("processed/matches/_spark_metadata/%s", name);
    return fixture_read(&fixture, path);
}

/* Waits until the thread has come so far. */
static void wait_for(const char *name, size_t size) {
    for (int i = 0; i < 5000; i++) {
        scoped(scope_free) char *content = content_of(name);
        if (content != NULL && strlen(content) >= size)
            return;
        (void)usleep(1000);
    }
    fail_msg("'%s' does not come", name);
}

static void the_compact_file_is_complete_except_its_last_batch(void **state) {
    (void)state;
    struct sink_log log;
    struct error err;
    open_log(&log);
    assert_true(sink_log_upkeep_start(&log.upkeep, &err));
    size_t size = strlen("v1");
    for (int64_t batch = 0; batch < 9; batch++) {
        write_batch(&log, batch, 2);
        scoped(scope_free) char *name = fixture_text("%" PRId64, batch);
        scoped(scope_free) char *content = content_of(name);
        size += strlen(content) - strlen("v1");
    }
    wait_for(".9.compact.tmp", size);
    write_batch(&log, 9, 2);
    wait_for(".19.compact.tmp", size); // the next one begins with it at once
    sink_log_close(&log);
    scoped(scope_free) char *draft = content_of(".19.compact.tmp");
    assert_null(draft);
    scoped(scope_free) char *compact = content_of("9.compact");
    size_t lines = 1;
    for (const char *at = compact; *at != '\0'; at++)
        lines += *at == '\n';
    assert_int_equal(lines, 1 + 10 * 2);
}

/* The same batches with and without the thread, which is paused, ended and started at many moments.
 */
static void the_thread_changes_no_byte(void **state) {
    (void)state;
    scoped(scope_free) char *expected = NULL;
    for (int round = 0; round < 20; round++) {
        struct error err;
        struct sink_log log;
        open_log(&log);
        for (int64_t batch = 0; batch < 40; batch++) {
            if (round > 0)
                assert_true(sink_log_upkeep_start(&log.upkeep, &err));
            sink_log_upkeep_pause(&log.upkeep, batch % 3 == 0);
            write_batch(&log, batch, 1 + (int)batch % 7 * 20);
            sink_log_upkeep_pause(&log.upkeep, false);
            if ((batch + round) % 11 == 0) {
                sink_log_close(&log);
                open_log(&log);
            }
            if ((batch + round) % 5 == 0)
                (void)usleep(300);
        }
        sink_log_close(&log);
        char *compact = content_of("39.compact");
        assert_non_null(compact);
        if (round == 0)
            expected = compact;
        else
            assert_string_equal(compact, expected);
        if (round > 0)
            free(compact);
        fixture_clear(&fixture);
        check(file_make_directory(fixture.table, &err));
    }
}

static void a_draft_that_cannot_be_made_does_no_harm(void **state) {
    (void)state;
    struct sink_log log;
    struct error err;
    open_log(&log);
    write_batch(&log, 0, 1);
    // A directory has the name: it is neither opened nor removed.
    struct file_path path = file_join(log.directory.text, ".9.compact.tmp");
    assert_int_equal(mkdir(path.text, 0755), 0);
    for (int64_t batch = 1; batch < 9; batch++) {
        write_batch(&log, batch, 1);
        sink_log_upkeep_work(&log.upkeep);
    }
    struct file_list none = {0};
    assert_false(sink_log_write(&log, 9, &none, &err));
    assert_int_equal(err.kind, ERROR_RETRY);
    assert_int_equal(rmdir(path.text), 0);
    assert_true(sink_log_write(&log, 9, &none, &err));
    sink_log_close(&log);
}

/* A compact file published by somebody else makes the draft for it worthless. */
static void a_draft_for_another_batch_is_thrown_away(void **state) {
    (void)state;
    struct sink_log log;
    open_log(&log);
    for (int64_t batch = 0; batch < 5; batch++)
        write_batch(&log, batch, 1);
    sink_log_upkeep_work(&log.upkeep);
    assert_int_equal(log.upkeep.next.batch_id, 9);
    for (int64_t batch = 5; batch < 9; batch++)
        write_batch(&log, batch, 1);
    struct sink_log other;
    open_log(&other);
    write_batch(&other, 9, 1);
    sink_log_close(&other);
    write_batch(&log, 9, 1); // is there, and says the same
    sink_log_upkeep_work(&log.upkeep);
    assert_int_equal(log.upkeep.next.batch_id, 19);
    sink_log_close(&log);
}

/* Two files become one in the newest compact file while the thread may be copying it. */
static void a_draft_of_what_was_rewritten_is_made_again(void **state) {
    (void)state;
    for (int round = 0; round < 60; round++) {
        struct sink_log log;
        struct error err;
        open_log(&log);
        assert_true(sink_log_upkeep_start(&log.upkeep, &err));
        for (int64_t batch = 0; batch < 12; batch++)
            write_batch(&log, batch, 300);
        if (round % 3 > 0)
            (void)usleep((useconds_t)(100 * round));

        struct file_list left = {0}, added = {0};
        file_list_add(&left, fixture_file(2, "status=live", 7, ""));
        file_list_add(&left, fixture_file(3, "status=live", 8, ""));
        file_list_add(&added, fixture_file(77, "status=live", 1, "merged"));
        const struct sink_log_edit edit = {.left = &left, .added = &added};
        const char *missing;
        assert_true(sink_log_edit_check(&log, &edit, &missing, &err));
        assert_null(missing);
        sink_log_upkeep_hold(&log.upkeep);
        assert_true(sink_log_edit_apply(&log, &edit, &err));
        sink_log_upkeep_release(&log.upkeep);

        for (int64_t batch = 12; batch < 20; batch++)
            write_batch(&log, batch, 1);
        sink_log_close(&log);
        scoped(scope_free) char *compact = content_of("19.compact");
        assert_non_null(strstr(compact, "part-00077-1."));
        assert_null(strstr(compact, "part-00002-7."));
        assert_null(strstr(compact, "part-00003-8."));
        assert_non_null(strstr(compact, "part-00003-9."));
        file_list_deinit(&left);
        file_list_deinit(&added);
        fixture_clear(&fixture);
        check(file_make_directory(fixture.table, &err));
    }
}

#define ON_DISK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_DISK(the_compact_file_is_complete_except_its_last_batch),
        ON_DISK(the_thread_changes_no_byte),
        ON_DISK(a_draft_that_cannot_be_made_does_no_harm),
        ON_DISK(a_draft_for_another_batch_is_thrown_away),
        ON_DISK(a_draft_of_what_was_rewritten_is_made_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
