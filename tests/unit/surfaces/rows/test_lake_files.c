#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/disk/disk.h"
#include "base/disk/file.h"
#include "surfaces/rows/lake_files.h"

static char root[64];

static int set_up(void **state) {
    (void)state;
    (void)strcpy(root, "/tmp/lake-files-XXXXXX");
    return mkdtemp(root) == NULL;
}

static int tear_down(void **state) {
    (void)state;
    char command[128];
    disk = &disk_real;
    (void)snprintf(command, sizeof command, "rm -r '%s'", root);
    return system(command); // NOLINT(cert-env33-c): a fixed command, on a directory of our own
}

static int remove_and_stat(const char *path, struct stat *status) {
    (void)remove(path); // a directory, too
    return lstat(path, status);
}

static int stat_and_remove(const char *path, struct stat *status) {
    int result = lstat(path, status);
    (void)remove(path);
    return result;
}

static void what_goes_while_it_is_listed_is_not_in_the_list(void **state) {
    (void)state;
    struct error err = {0};
    for (int round = 0; round < 2; round++) {
        struct disk_ops ops = disk_real;
        struct lake_files files;
        assert_true(file_publish(root, "part-0.parquet", "PAR1", 4, &err));
        assert_true(file_make_directory_name(file_join(root, "status=live").text, &err));
        ops.stat = round == 0 ? remove_and_stat : stat_and_remove;
        disk = &ops;
        if (!lake_files_list(root, &files, &err))
            fail_msg("%s", err.message);
        disk = &disk_real;
        assert_int_equal(files.count, 0);
        lake_files_deinit(&files);
    }
}

static void a_broken_file_that_is_there_is_an_error(void **state) {
    (void)state;
    struct error err = {0};
    struct lake_files files;
    assert_true(file_publish(root, "part-0.parquet", "PAR1", 4, &err));
    assert_false(lake_files_list(root, &files, &err));
    assert_int_equal(err.kind, ERROR_STATE);
    assert_non_null(strstr(err.message, "part-0.parquet"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_goes_while_it_is_listed_is_not_in_the_list, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_broken_file_that_is_there_is_an_error, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
