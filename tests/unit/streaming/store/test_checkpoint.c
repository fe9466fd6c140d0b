#include "drop_checksum.h"
#include "store_fixture.h"

#include "../faulty_reads.h"

#include <sys/wait.h>

#include "base/scope.h"
#include "streaming/store/checkpoint.h"

static struct fixture fixture;

static int set_up(void **state) {
    (void)state;
    fixture_init(&fixture);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    disk = &disk_real;
    fixture_clear(&fixture);
    return 0;
}

static void open_checkpoint(struct checkpoint *checkpoint) {
    struct error err;
    checkpoint_init(checkpoint, fixture.checkpoint, "t1");
    if (!checkpoint_open(checkpoint, &err))
        fail_msg("%s", err.message);
}

static void metadata_is_spark_s_45_bytes_and_is_kept(void **state) {
    (void)state;
    struct checkpoint checkpoint;
    struct error err;
    char id[37];
    open_checkpoint(&checkpoint);
    assert_false(fixture_has(&fixture, "checkpoints/match_stream/metadata"));
    assert_true(checkpoint_create(&checkpoint, &err));
    memcpy(id, checkpoint.query_id, sizeof id);
    checkpoint_close(&checkpoint);

    scoped(scope_free) char *text = fixture_read(&fixture, "checkpoints/match_stream/metadata");
    scoped(scope_free) char *expected = fixture_text("{\"id\":\"%s\"}", id);
    assert_int_equal(strlen(text), 45);
    assert_string_equal(text, expected);
    open_checkpoint(&checkpoint);
    assert_string_equal(checkpoint.query_id, id);
    checkpoint_close(&checkpoint);
}

static void metadata_of_spark_is_read_with_all_its_liberties(void **state) {
    (void)state;
    struct checkpoint checkpoint;
    open_checkpoint(&checkpoint);
    checkpoint_close(&checkpoint);
    fixture_write(&fixture, "checkpoints/match_stream/metadata",
                  "{\"x\":1, \"id\":\"DA77E58C-99E0-4B75-B7D5-D1673DCB880C\"}\n");
    open_checkpoint(&checkpoint);
    assert_string_equal(checkpoint.query_id, "da77e58c-99e0-4b75-b7d5-d1673dcb880c");
    checkpoint_close(&checkpoint);

    static const char *const refused[] = {"", "{}", "{\"id\":\"hello-world\"}", "{\"id\":7}", "x"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct error err = {0};
        fixture_write(&fixture, "checkpoints/match_stream/metadata", refused[i]);
        checkpoint_init(&checkpoint, fixture.checkpoint, "t1");
        assert_false(checkpoint_open(&checkpoint, &err));
        assert_int_equal(err.kind, ERROR_STATE);
    }
}

static void a_second_process_is_refused_and_told_the_holder(void **state) {
    (void)state;
    struct checkpoint checkpoint;
    open_checkpoint(&checkpoint);
    char expected[64];
    (void)snprintf(expected, sizeof expected, "pid=%ld ", (long)getpid());
    pid_t child = fork();
    if (child == 0) {
        struct checkpoint second;
        struct error err = {0};
        checkpoint_init(&second, fixture.checkpoint, "t1");
        bool refused = !checkpoint_open(&second, &err) && err.kind == ERROR_LOCKED &&
                       strstr(err.message, expected) != NULL &&
                       strstr(err.message, " since=2") != NULL &&
                       strstr(err.message, "host=") != NULL;
        _exit(refused ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    checkpoint_close(&checkpoint);
}

static void a_crash_releases_the_lock(void **state) {
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        struct checkpoint first;
        struct error err;
        checkpoint_init(&first, fixture.checkpoint, "t1");
        if (!checkpoint_open(&first, &err))
            _exit(1);
        (void)raise(SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    struct checkpoint checkpoint;
    open_checkpoint(&checkpoint);
    checkpoint_close(&checkpoint);
}

static void a_lock_that_the_disk_refuses_names_its_file(void **state) {
    (void)state;
    struct checkpoint checkpoint;
    struct error err = {0};
    faulty_reads_begin("/lock", EIO, 0);
    checkpoint_init(&checkpoint, fixture.checkpoint, "t1");
    assert_false(checkpoint_open(&checkpoint, &err));
    assert_int_equal(err.kind, ERROR_RETRY);
    scoped(scope_free) char *expected = fixture_text("lock '%s/lock'", fixture.checkpoint);
    assert_non_null(strstr(err.message, expected));
}

static void a_hundred_batches_are_kept_as_spark_keeps_them(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 129, 0);
    static const char *const logs[] = {"offsets", "commits", "manifests"};
    for (size_t i = 0; i < 3; i++) {
        int64_t *numbers;
        size_t count;
        struct error err;
        struct file_path log = file_join(fixture.checkpoint, logs[i]);
        assert_true(file_list_numbers(log.text, "", &numbers, &count, &err));
        assert_int_equal(count, 101);
        assert_int_equal(numbers[0], 29);
        assert_int_equal(numbers[100], 129);
        free(numbers);
    }
    assert_true(fixture_has(&fixture, "checkpoints/match_stream/coverage/28"));
}

static void a_commit_is_spark_s_29_bytes(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 0, 0);
    scoped(scope_free) char *text = fixture_read(&fixture, "checkpoints/match_stream/commits/0");
    assert_string_equal(text, "v1\n{\"nextBatchWatermarkMs\":0}");
}

static void the_settings_of_the_batch_before_are_copied(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 0, 0);
    fixture_write(&fixture, "checkpoints/match_stream/offsets/0",
                  "v1\n{\"batchWatermarkMs\":0,\"batchTimestampMs\":5,\"conf\":{\"z\":\"1\","
                  "\"spark.sql.shuffle.partitions\":\"200\",\"a\":\"/\\u00e9\"}}\n"
                  "{\"t1\":{\"1\":3,\"0\":3}}");
    fixture_must_advance(&fixture, 1, 0);
    scoped(scope_free) char *text = fixture_read(&fixture, "checkpoints/match_stream/offsets/1");
    drop_checksum(text);
    assert_string_equal(text, "v1\n{\"batchWatermarkMs\":0,\"batchTimestampMs\":1795366883121,"
                              "\"conf\":{\"z\":\"1\",\"spark.sql.shuffle.partitions\":\"200\","
                              "\"a\":\"/\xc3\xa9\"}}\n{\"t1\":{\"0\":6,\"1\":6}}");
}

/* A caller that tries again must not take the newest of those before it for the newest of all. */
static void a_plan_that_cannot_be_read_gives_no_newest_timestamp(void **state) {
    (void)state;
    struct checkpoint checkpoint;
    struct error err;
    int64_t latest_ms = -1;
    for (int64_t batch = 0; batch < 3; batch++)
        fixture_must_advance(&fixture, batch, 0);
    open_checkpoint(&checkpoint);
    assert_true(checkpoint_latest_plan(&checkpoint, &latest_ms, &err));
    assert_int_equal(latest_ms, 1795366883122);
    fixture_write(&fixture, "checkpoints/match_stream/offsets/2", "v1\n{");
    latest_ms = -1;
    assert_false(checkpoint_latest_plan(&checkpoint, &latest_ms, &err));
    assert_int_equal(latest_ms, -1);
    checkpoint_close(&checkpoint);
}

/* ---- which directories are synced ---- */

static char *opened[1024]; // owned; by descriptor
static char synced[4096];  // the last names of the directories, in order

static int note_open(const char *path, int flags, mode_t mode) {
    int fd = disk_real.open(path, flags, mode);
    if (fd >= 0) {
        free(opened[fd]);
        opened[fd] = strdup(path);
    }
    return fd;
}

static int note_fsync(int fd) {
    size_t used = strlen(synced);
    (void)snprintf(synced + used, sizeof synced - used, "%s ", strrchr(opened[fd], '/'));
    return disk_real.fsync(fd);
}

/* A process may have died between a name and its sync: what is built on it must not outlive it. */
static void names_that_exist_are_made_durable(void **state) {
    (void)state;
    static struct disk_ops noting;
    struct checkpoint checkpoint;
    struct error err;
    open_checkpoint(&checkpoint);
    noting = disk_real;
    noting.open = note_open;
    noting.fsync = note_fsync;
    disk = &noting;
    assert_true(checkpoint_sync_names(&checkpoint, &err)); // of a new query: there is nothing
    assert_string_equal(synced, "");
    assert_true(checkpoint_create(&checkpoint, &err));
    synced[0] = '\0';
    assert_true(checkpoint_sync_names(&checkpoint, &err));
    assert_string_equal(synced, "/0 /offsets /manifests /commits ");
    disk = &disk_real;
    checkpoint_close(&checkpoint);
    for (size_t i = 0; i < sizeof opened / sizeof opened[0]; i++)
        free(opened[i]);
}

#define ON_DISK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_DISK(metadata_is_spark_s_45_bytes_and_is_kept),
        ON_DISK(metadata_of_spark_is_read_with_all_its_liberties),
        ON_DISK(a_second_process_is_refused_and_told_the_holder),
        ON_DISK(a_crash_releases_the_lock),
        ON_DISK(a_lock_that_the_disk_refuses_names_its_file),
        ON_DISK(a_hundred_batches_are_kept_as_spark_keeps_them),
        ON_DISK(a_commit_is_spark_s_29_bytes),
        ON_DISK(the_settings_of_the_batch_before_are_copied),
        ON_DISK(a_plan_that_cannot_be_read_gives_no_newest_timestamp),
        ON_DISK(names_that_exist_are_made_durable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
