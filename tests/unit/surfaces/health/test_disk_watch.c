/* The room of the disks, also while one of them hangs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <semaphore.h>
#include <sys/vfs.h>

#include "base/check.h"
#include "base/disk/disk.h"
#include "surfaces/health/disk_watch.h"

static struct disk_ops ops;
static struct config config;
static struct disk_watch *watch;
static struct disk_look disks[DISKS_MAX];
static sem_t called, released;

static int set_up(void **state) {
    (void)state;
    ops = disk_real;
    disk = &ops;
    sem_init(&called, 0, 0);
    sem_init(&released, 0, 0);
    static char root[] = "/", proc[] = "/proc", missing[] = "/there/is/no/such";
    config =
        (struct config){.data_lake_path = root, .processed_path = proc, .checkpoint_path = missing};
    struct error err;
    assert_true(disk_watch_open(&config, &watch, &err));
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    disk_watch_close(watch);
    sem_destroy(&called);
    sem_destroy(&released);
    disk = &disk_real;
    return 0;
}

static void each_file_system_appears_once_and_a_missing_directory_does_not(void **state) {
    (void)state;
    struct statfs there;
    assert_int_equal(statfs("/", &there), 0);
    assert_int_equal(disk_watch_read(watch, disks), 2);
    assert_string_equal(disks[0].place, "data_lake");
    assert_string_equal(disks[0].path, "/");
    assert_int_equal(disks[0].size, (int64_t)there.f_blocks * there.f_frsize);
    assert_in_range(disks[0].free, 0, disks[0].size);
    assert_string_equal(disks[1].place, "processed");
    disk_watch_close(watch);
    config.processed_path = config.data_lake_path;
    struct error err;
    assert_true(disk_watch_open(&config, &watch, &err));
    assert_int_equal(disk_watch_read(watch, disks), 1);
    assert_int_equal(disk_watch_read(NULL, disks), 0);
}

static int hang(const char *path, struct statfs *status) {
    sem_post(&called);
    sem_wait(&released);
    return disk_real.statfs(path, status);
}

static void while_a_disk_hangs_nothing_is_known_and_nobody_waits_for_it(void **state) {
    (void)state;
    assert_int_equal(disk_watch_read(watch, disks), 2);
    ops.statfs = hang;
    assert_int_equal(disk_watch_read(watch, disks), 0); // waits for a moment
    sem_wait(&called);
    assert_int_equal(disk_watch_read(watch, disks), 0); // does not wait
    for (int i = 0; i < 1000; i++)
        sem_post(&released); // of this call and all that follow
    while (disk_watch_read(watch, disks) != 2)
        ; // until the hanging call has ended
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            each_file_system_appears_once_and_a_missing_directory_does_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(while_a_disk_hangs_nothing_is_known_and_nobody_waits_for_it,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
