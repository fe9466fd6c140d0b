/* test_rewind_watch.c: what a reader without a lock notices of a rewind by another process. */
#include "store_fixture.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include "streaming/changes/rewind_watch.h"
#include "streaming/store/checkpoint.h"

static struct fixture fixture;

static int set_up(void **state) {
    (void)state;
    fixture_init(&fixture);
    fixture_must_advance(&fixture, 2, 0);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    fixture_clear(&fixture);
    return 0;
}

static void remove_file(const char *name) {
    check(unlink(file_join(fixture.checkpoint, name).text) == 0);
}

static void write_rewind(void) {
    fixture_write(&fixture, "checkpoints/match_stream/rewind", "v1\n");
}

/* What the disk does between two looks. */
static struct reading {
    void (*meanwhile)(void);
    int times, looks, forgotten;
    enum error_kind fails;
} reading;

static bool look(void *context, struct error *err) {
    struct reading *the = context;
    if (++the->looks <= the->times)
        the->meanwhile();
    return the->fails == ERROR_NONE || error_set(err, the->fails, "the look failed");
}

static void forget(void *context) {
    ((struct reading *)context)->forgotten++;
}

static bool read_with(struct reading wanted, struct error *err) {
    reading = wanted;
    *err = (struct error){0};
    return rewind_watch_look(fixture.checkpoint, look, forget, &reading, err);
}

static void nothing(void) {
}

static void take_back(void) {
    int64_t newest;
    struct error err;
    struct file_path commits = file_join(fixture.checkpoint, "commits");
    check(checkpoint_newest(&commits, &newest, &err));
    check(unlink(file_join_number(commits.text, newest).text) == 0);
}

/* The batch ran again since. */
static void take_back_and_commit(void) {
    static time_t seconds = 1000; // clocks of file systems are coarse
    const struct timespec times[2] = {{.tv_sec = ++seconds}, {.tv_sec = seconds}};
    take_back();
    fixture_write(&fixture, "checkpoints/match_stream/commits/2", "v1\n{}");
    struct file_path path = file_join(fixture.checkpoint, "commits/2");
    check(utimensat(AT_FDCWD, path.text, times, 0) == 0);
}

static void begin(void) {
    write_rewind();
}

static void end(void) {
    remove_file("rewind");
}

static void a_look_without_a_rewind_counts_once(void **state) {
    (void)state;
    struct error err;
    assert_true(read_with((struct reading){.meanwhile = nothing}, &err));
    assert_int_equal(reading.looks, 1);
    assert_false(read_with((struct reading){.meanwhile = nothing, .fails = ERROR_STATE}, &err));
    assert_int_equal(reading.looks, 1);
    assert_string_equal(err.message, "the look failed");
}

static void a_rewind_that_came_in_between_is_noticed(void **state) {
    (void)state;
    struct error err;
    void (*const ways[])(void) = {take_back_and_commit, take_back};
    for (size_t i = 0; i < 2; i++) {
        assert_true(read_with((struct reading){.meanwhile = ways[i], .times = 1}, &err));
        assert_int_equal(reading.looks, 2);
        assert_int_equal(reading.forgotten, 1);
    }
}

static void one_that_was_interrupted_is_not_waited_for_and_named(void **state) {
    (void)state;
    struct error err;
    assert_false(read_with((struct reading){.meanwhile = begin, .times = 1}, &err));
    assert_int_equal(err.kind, ERROR_STATE);
    assert_non_null(strstr(err.message, "a rewind is not finished"));
    assert_int_equal(reading.looks, 2);
    assert_int_equal(reading.forgotten, 2);
    // What has nothing to do with it is said as it is.
    assert_false(read_with((struct reading){.meanwhile = nothing, .fails = ERROR_RETRY}, &err));
    assert_string_equal(err.message, "the look failed");
    assert_true(read_with((struct reading){.meanwhile = end, .times = 1}, &err));
    assert_int_equal(reading.looks, 2);
}

static void what_never_settles_is_said(void **state) {
    (void)state;
    struct error err;
    assert_false(
        read_with((struct reading){.meanwhile = take_back_and_commit, .times = 1000}, &err));
    assert_int_equal(err.kind, ERROR_RETRY);
    assert_int_equal(reading.forgotten, reading.looks);
}

/* Holds the lock as a rewind does, and ends it after a byte from the parent. */
static void rewind_in_child(int told) {
    struct store *store;
    struct error err;
    char byte;
    if (!recovery_open(&fixture.options, &store, &err))
        _exit(1);
    write_rewind();
    if (write(told, "x", 1) != 1 || read(told, &byte, 1) != 1)
        _exit(2);
    take_back();
    remove_file("rewind");
    store_close(store);
    _exit(0);
}

static void the_reader_waits_for_one_that_runs(void **state) {
    (void)state;
    struct error err;
    int sockets[2], status;
    char byte;
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
    pid_t child = fork();
    check(child >= 0);
    if (child == 0)
        rewind_in_child(sockets[1]);
    check(read(sockets[0], &byte, 1) == 1 && byte == 'x');
    check(write(sockets[0], "x", 1) == 1); // it ends while we wait, or before
    assert_true(read_with((struct reading){.meanwhile = nothing}, &err));
    assert_true(waitpid(child, &status, 0) == child && WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_false(fixture_has(&fixture, "checkpoints/match_stream/rewind"));
    check(close(sockets[0]) == 0 && close(sockets[1]) == 0);
}

#define WATCH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        WATCH(a_look_without_a_rewind_counts_once),
        WATCH(a_rewind_that_came_in_between_is_noticed),
        WATCH(one_that_was_interrupted_is_not_waited_for_and_named),
        WATCH(what_never_settles_is_said),
        WATCH(the_reader_waits_for_one_that_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
