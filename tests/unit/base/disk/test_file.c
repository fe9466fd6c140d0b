#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/disk/disk.h"
#include "base/disk/file.h"
#include "base/system/uuid.h"

static char root[64];

static int set_up(void **state) {
    (void)state;
    (void)strcpy(root, "/tmp/file-XXXXXX");
    return mkdtemp(root) == NULL;
}

static int tear_down(void **state) {
    (void)state;
    char command[128];
    disk = &disk_real;
    (void)snprintf(command, sizeof command, "rm -r '%s'", root);
    return system(command); // NOLINT(cert-env33-c): a fixed command, on a directory of our own
}

static char *content_of(const char *name) {
    struct error err;
    char *bytes;
    size_t size;
    check(file_read(file_join(root, name).text, 1 << 20, &bytes, &size, &err));
    return bytes;
}

static void assert_content(const char *name, const char *expected) {
    char *content = content_of(name);
    check(content != NULL);
    assert_string_equal(content, expected);
    free(content);
}

static void a_published_file_is_whole_and_has_left_no_draft(void **state) {
    (void)state;
    struct error err;
    assert_true(file_publish(root, "7", "hello", 5, &err));
    assert_content("7", "hello");
    assert_int_equal(file_exists(file_join(root, ".7.tmp").text, NULL, &err), 0);
}

static void a_taken_name_is_never_overwritten(void **state) {
    (void)state;
    struct error err = {0};
    assert_true(file_publish(root, "7", "hello", 5, &err));
    assert_false(file_publish(root, "7", "other", 5, &err));
    assert_int_equal(err.kind, ERROR_STATE);
    assert_non_null(strstr(err.message, "/7' already exists. Another program writes"));
    assert_non_null(strstr(err.message, "Stop one of the two"));
    assert_content("7", "hello");
    assert_int_equal(file_exists(file_join(root, ".7.tmp").text, NULL, &err), 0);
}

static void publishing_again_needs_the_same_bytes(void **state) {
    (void)state;
    struct error err = {0};
    for (int i = 0; i < 2; i++)
        assert_true(file_publish_again(root, "7", "hello", 5, &err));
    assert_false(file_publish_again(root, "7", "hellu", 5, &err));
    assert_int_equal(err.kind, ERROR_STATE);
    assert_false(file_publish_again(root, "7", "hell", 4, &err));
    assert_int_equal(err.kind, ERROR_STATE);
    assert_content("7", "hello");
}

static void what_a_crash_left_of_a_draft_does_not_show(void **state) {
    (void)state;
    struct error err;
    FILE *out = fopen(file_join(root, ".7.tmp").text, "w");
    assert_true(out != NULL && fputs("a longer text than the next one", out) >= 0);
    assert_int_equal(fclose(out), 0);
    assert_true(file_publish(root, "7", "hello", 5, &err));
    assert_content("7", "hello");
}

static int refuse_sync(int fd) {
    (void)fd;
    errno = EIO;
    return -1;
}

static int refuse_directory_sync(int fd) {
    struct stat status;
    errno = EIO;
    return fstat(fd, &status) == 0 && S_ISDIR(status.st_mode) ? -1 : 0;
}

static int refuse_rename(const char *from, const char *to) {
    (void)from, (void)to;
    errno = EINVAL;
    return -1;
}

static bool rename_is_done; // by a call that fails

static int fail_rename(const char *from, const char *to) {
    if (rename_is_done)
        check(rename(from, to) == 0);
    errno = EIO;
    return -1;
}

static int refuse_stat(const char *path, struct stat *status) {
    (void)path, (void)status;
    errno = EIO;
    return -1;
}

static void a_rename_that_fails_is_asked_for(void **state) {
    (void)state;
    struct error err = {0};
    for (int done = 0; done < 2; done++) {
        struct disk_ops ops = disk_real;
        disk = &ops;
        rename_is_done = done == 1;
        ops.rename_new = fail_rename;
        assert_int_equal(file_publish(root, done ? "8" : "7", "hello", 5, &err), done);
        if (!done)
            assert_int_equal(err.kind, ERROR_RETRY); // nothing is published
        ops.stat = refuse_stat;
        assert_false(file_publish(root, done ? "10" : "9", "hello", 5, &err));
        assert_int_equal(err.kind, ERROR_RESTART); // nobody knows
        assert_non_null(strstr(err.message, "start again"));
        assert_non_null(strstr(err.message, "Input/output error"));
    }
    disk = &disk_real;
    assert_null(content_of("7"));
    assert_content("8", "hello");
    assert_null(content_of("9"));
    assert_content("10", "hello");
}

static void the_kind_of_an_error_says_whether_it_is_published(void **state) {
    (void)state;
    struct disk_ops ops = disk_real;
    struct error err = {0};
    disk = &ops;
    ops.fsync = refuse_sync;
    assert_false(file_publish(root, "7", "hello", 5, &err));
    assert_int_equal(err.kind, ERROR_RETRY); // nothing is
    assert_null(content_of("7"));
    assert_int_equal(file_exists(file_join(root, ".7.tmp").text, NULL, &err), 0);

    ops = disk_real;
    ops.rename_new = refuse_rename;
    assert_false(file_publish(root, "7", "hello", 5, &err));
    assert_int_equal(err.kind, ERROR_CONFIG); // and never will be, on this file system
    assert_null(content_of("7"));

    ops = disk_real;
    ops.fsync = refuse_directory_sync;
    assert_false(file_publish(root, "7", "hello", 5, &err));
    assert_int_equal(err.kind, ERROR_RESTART); // nobody knows
    assert_content("7", "hello");
    assert_false(file_publish_again(root, "7", "hello", 5, &err));
    assert_int_equal(err.kind, ERROR_RETRY); // the caller keeps trying
    disk = &disk_real;
    assert_true(file_publish_again(root, "7", "hello", 5, &err));
}

static void replacing_leaves_the_old_bytes_or_the_new_ones(void **state) {
    (void)state;
    struct disk_ops ops = disk_real;
    struct error err = {0};
    assert_true(file_replace(root, "7", "first", 5, &err));
    assert_true(file_replace(root, "7", "second", 6, &err));
    assert_content("7", "second");

    disk = &ops;
    ops.fsync = refuse_sync;
    assert_false(file_replace(root, "7", "third", 5, &err));
    assert_int_equal(err.kind, ERROR_RETRY);
    assert_content("7", "second");
    ops = disk_real;
    ops.rename = refuse_rename;
    assert_false(file_replace(root, "7", "third", 5, &err));
    assert_int_equal(err.kind, ERROR_RETRY);
    assert_content("7", "second");
    assert_int_equal(file_exists(file_join(root, ".7.tmp").text, NULL, &err), 0);
    disk = &disk_real;
}

static ssize_t write_little(int fd, const void *bytes, size_t size) {
    static int calls;
    if (++calls % 2 == 0) {
        errno = EINTR;
        return -1;
    }
    return write(fd, bytes, size < 3 ? size : 3);
}

static void short_and_interrupted_writes_are_continued(void **state) {
    (void)state;
    struct disk_ops ops = disk_real;
    struct error err;
    ops.write = write_little;
    disk = &ops;
    assert_true(file_publish(root, "7", "0123456789", 10, &err));
    assert_content("7", "0123456789");
}

static void reading_has_a_limit(void **state) {
    (void)state;
    struct error err = {0};
    char *bytes;
    size_t size;
    assert_true(file_publish(root, "7", "0123456789", 10, &err));
    assert_true(file_read(file_join(root, "7").text, 10, &bytes, &size, &err));
    assert_int_equal(size, 10);
    free(bytes);
    assert_false(file_read(file_join(root, "7").text, 9, &bytes, &size, &err));
    assert_int_equal(err.kind, ERROR_STATE);
    assert_true(file_read(file_join(root, "8").text, 9, &bytes, &size, &err));
    assert_null(bytes);
    assert_false(file_read(root, 1 << 20, &bytes, &size, &err));
}

static int stat_and_remove(const char *path, struct stat *status) {
    int result = lstat(path, status);
    (void)unlink(path);
    return result;
}

static int fstat_and_remove(int fd, struct stat *status) {
    (void)unlink(file_join(root, "7").text);
    return fstat(fd, status);
}

static void a_file_that_goes_while_it_is_read_was_there_or_was_not(void **state) {
    (void)state;
    struct disk_ops ops = disk_real;
    struct error err = {0};
    char *bytes;
    size_t size;
    ops.stat = stat_and_remove;
    ops.fstat = fstat_and_remove;
    assert_true(file_publish(root, "7", "hello", 5, &err));
    disk = &ops;
    assert_true(file_read(file_join(root, "7").text, 5, &bytes, &size, &err));
    assert_string_equal(bytes, "hello");
    free(bytes);
    assert_true(file_read(file_join(root, "7").text, 5, &bytes, &size, &err));
    assert_null(bytes);
}

static void directories_are_made_with_their_parents(void **state) {
    (void)state;
    struct error err = {0};
    struct file_path deep = file_join(root, "a/b/c");
    for (int i = 0; i < 2; i++)
        assert_true(file_make_directory(deep.text, &err));
    assert_true(file_publish(deep.text, "7", "x", 1, &err));
    assert_false(file_make_directory(file_join(deep.text, "7").text, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_false(file_make_directory(file_join(deep.text, "7/below").text, &err));
    assert_true(file_remove_directory(deep.text, &err));
    assert_true(file_remove_directory(deep.text, &err));
    assert_int_equal(file_exists(deep.text, NULL, &err), 0);
}

static int parent_error; // of each open() of a directory

static int open_with_error(const char *path, int flags, mode_t mode) {
    if ((flags & O_DIRECTORY) == 0 || parent_error == 0)
        return open(path, flags, mode);
    errno = parent_error;
    return -1;
}

/* The name of an existing directory may have come from an attempt that could not sync it. */
static void an_existing_directory_is_not_taken_for_durable(void **state) {
    (void)state;
    struct disk_ops ops = disk_real;
    struct error err = {0};
    struct file_path path = file_join(root, "made");
    ops.open = open_with_error;
    disk = &ops;
    for (int attempt = 0; attempt < 2; attempt++) {
        parent_error = EIO;
        assert_false(file_make_directory(path.text, &err));
        assert_int_equal(err.kind, ERROR_RETRY);
        assert_int_equal(file_exists(path.text, NULL, &err), attempt == 0 ? 0 : 1);
        parent_error = 0;
        assert_true(file_make_directory(path.text, &err));
    }
    static const int others[] = {EACCES, EPERM, EINVAL};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        parent_error = others[i]; // of "/" and what is between it and us
        assert_true(file_make_directory(path.text, &err));
    }
}

static void only_whole_numbers_are_listed_in_order(void **state) {
    (void)state;
    struct error err;
    static const char *const names[] = {"10", "9",  "0",  "9.compact",           "x",
                                        "7x", ".3", "-1", "99999999999999999999"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_true(file_publish(root, names[i], "x", 1, &err));
    int64_t *numbers;
    size_t count;
    assert_true(file_list_numbers(root, "", &numbers, &count, &err));
    assert_int_equal(count, 3);
    assert_int_equal(numbers[0], 0);
    assert_int_equal(numbers[1], 9);
    assert_int_equal(numbers[2], 10);
    free(numbers);
    assert_true(file_list_numbers(root, ".compact", &numbers, &count, &err));
    assert_int_equal(count, 1);
    free(numbers);
    assert_true(file_list_numbers(file_join(root, "none").text, "", &numbers, &count, &err));
    assert_int_equal(count, 0);
    free(numbers);
}

static void our_drafts_are_swept_and_spark_s_are_not(void **state) {
    (void)state;
    struct error err;
    static const struct {
        const char *name;
        int left;
    } cases[] = {{".3.tmp", 0},       {".39.compact.tmp", 0}, {".3.0a1b-77.tmp", 1},
                 {".3.crc", 1},       {"3.tmp", 1},           {"3", 1},
                 {".metadata.tmp", 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_true(file_publish(root, cases[i].name, "x", 1, &err));
    assert_true(file_remove_drafts(root, &err));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(file_exists(file_join(root, cases[i].name).text, NULL, &err),
                         cases[i].left);
}

/* A group's access list in its bytes: version 2, then tag, rights and id of each entry. */
static const unsigned char group_may_read[] = {
    2, 0, 0, 0, 1, 0, 7,  0, 255, 255, 255, 255, 4,   0,   5,  0, 255, 255, 255, 255, 8,   0,
    5, 0, 7, 0, 0, 0, 16, 0, 5,   0,   255, 255, 255, 255, 32, 0, 0,   0,   255, 255, 255, 255};

static void access_is_copied_from_one_directory_to_another(void **state) {
    (void)state;
    struct error err;
    struct file_path from = file_join(root, "from"), to = file_join(root, "to");
    struct stat status;
    assert_true(file_make_directory_name(from.text, &err));
    assert_true(file_make_directory_name(to.text, &err));
    assert_int_equal(chmod(from.text, 02710), 0);
    assert_true(file_copy_access(from.text, to.text, &err));
    assert_int_equal(disk_real.stat(to.text, &status), 0);
    assert_int_equal(status.st_mode & 07777, 02710);

    // Where the file system has access lists, they follow, too.
    unsigned char list[64];
    const char *const name = "system.posix_acl_default";
    if (disk_real.setxattr(from.text, name, group_may_read, sizeof group_may_read, 0) == 0) {
        assert_true(file_copy_access(from.text, to.text, &err));
        assert_int_equal(disk_real.getxattr(to.text, name, list, sizeof list),
                         sizeof group_may_read);
        assert_memory_equal(list, group_may_read, sizeof group_may_read);
    } else {
        assert_int_equal(errno, EOPNOTSUPP);
    }
}

static int refuse_chown(const char *path, uid_t owner, gid_t group) {
    (void)path, (void)group;
    errno = owner == (uid_t)-1 ? EPERM : 0;
    return owner == (uid_t)-1 ? -1 : 0;
}

static int stat_of_a_group(const char *path, struct stat *status) {
    int result = disk_real.stat(path, status);
    status->st_gid += strstr(path, "/from") != NULL;
    return result;
}

static void a_group_that_cannot_be_given_is_an_error(void **state) {
    (void)state;
    struct error err;
    struct file_path from = file_join(root, "from"), to = file_join(root, "to");
    struct disk_ops ops = disk_real;
    assert_true(file_make_directory_name(from.text, &err));
    assert_true(file_make_directory_name(to.text, &err));
    disk = &ops;
    ops.stat = stat_of_a_group;
    ops.chown = refuse_chown;
    assert_false(file_copy_access(from.text, to.text, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_non_null(strstr(err.message, "readers of the table could lose their access"));
}

static void uuids_are_random_and_lower_case(void **state) {
    (void)state;
    char a[37], b[37];
    uuid_new(a);
    uuid_new(b);
    assert_string_not_equal(a, b);
    assert_int_equal(strlen(a), 36);
    assert_int_equal(strspn(a, "0123456789abcdef-"), 36);
    assert_int_equal(a[14], '4');
}

#define ON_DISK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_DISK(a_published_file_is_whole_and_has_left_no_draft),
        ON_DISK(a_taken_name_is_never_overwritten),
        ON_DISK(publishing_again_needs_the_same_bytes),
        ON_DISK(what_a_crash_left_of_a_draft_does_not_show),
        ON_DISK(a_rename_that_fails_is_asked_for),
        ON_DISK(the_kind_of_an_error_says_whether_it_is_published),
        ON_DISK(replacing_leaves_the_old_bytes_or_the_new_ones),
        ON_DISK(short_and_interrupted_writes_are_continued),
        ON_DISK(reading_has_a_limit),
        ON_DISK(a_file_that_goes_while_it_is_read_was_there_or_was_not),
        ON_DISK(directories_are_made_with_their_parents),
        ON_DISK(an_existing_directory_is_not_taken_for_durable),
        ON_DISK(only_whole_numbers_are_listed_in_order),
        ON_DISK(our_drafts_are_swept_and_spark_s_are_not),
        ON_DISK(access_is_copied_from_one_directory_to_another),
        ON_DISK(a_group_that_cannot_be_given_is_an_error),
        cmocka_unit_test(uuids_are_random_and_lower_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
