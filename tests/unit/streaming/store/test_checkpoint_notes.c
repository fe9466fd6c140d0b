#include "store_fixture.h"

#include "streaming/store/checkpoint_notes.h"

static struct fixture fixture;

static int set_up(void **state) {
    (void)state;
    fixture_init(&fixture);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    fixture_clear(&fixture);
    return 0;
}

#define NOTE "checkpoints/match_stream/cluster"

static const struct run_note example = {
    .first_batch = 12,
    .started_ms = 1795366883120,
    .parse_mode = PARSE_PERMISSIVE,
    .master = "sc://spark.example:15002",
    .pid = 0,
    .host = "spark.example",
    .port = 15002,
    .use_ssl = true,
    .user_id = "etl",
    .session_id = "da77e58c-99e0-4b75-b7d5-d1673dcb880c",
    .query_id = "0e1f8e3c-0000-4b75-b7d5-d1673dcb880c",
    .run_id = "",
};

static void what_is_written_is_read_again(void **state) {
    (void)state;
    struct run_note note;
    struct error err;
    bool found;
    assert_true(run_note_read(fixture.checkpoint, &note, &found, &err));
    assert_false(found);
    for (int round = 0; round < 2; round++) { // it replaces an existing one
        assert_true(run_note_write(fixture.checkpoint, &example, &err));
        assert_true(run_note_read(fixture.checkpoint, &note, &found, &err));
        assert_true(found);
        assert_memory_equal(&note, &example, sizeof note);
    }
    assert_true(run_note_remove(fixture.checkpoint, &err));
    assert_false(fixture_has(&fixture, NOTE));
    assert_true(run_note_remove(fixture.checkpoint, &err));
}

static void a_damaged_one_is_refused_and_says_what_to_do(void **state) {
    (void)state;
    static const char *const texts[] = {"",      "v1", "v1\n{}", "v2\n{}", "v1\n{\"firstBatch\":1}",
                                        "v1\n[1"};
    struct run_note note;
    struct error err;
    bool found;
    assert_true(run_note_write(fixture.checkpoint, &example, &err));
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        fixture_write(&fixture, NOTE, texts[i]);
        assert_false(run_note_read(fixture.checkpoint, &note, &found, &err));
        assert_int_equal(err.kind, ERROR_STATE);
        assert_non_null(strstr(err.message, "restore it from a backup"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_is_read_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_one_is_refused_and_says_what_to_do, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
