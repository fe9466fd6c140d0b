#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/disk/disk_error.h"
#include "base/limit.h"

static void an_errno_is_a_limit_or_passes_or_lasts(void **state) {
    (void)state;
    static const struct {
        int error_number;
        enum error_kind kind;
        bool lasting;
    } cases[] = {
        {ENOSPC, ERROR_RETRY, false},      {EDQUOT, ERROR_RETRY, false},
        {EFBIG, ERROR_RETRY, false},       {EIO, ERROR_RETRY, false},
        {ESTALE, ERROR_RETRY, false},      {ENOLCK, ERROR_RETRY, false},
        {ETIMEDOUT, ERROR_RETRY, false},   {EACCES, ERROR_RETRY, true},
        {EPERM, ERROR_RETRY, true},        {EROFS, ERROR_RETRY, true},
        {EXDEV, ERROR_RETRY, true},        {ENOTDIR, ERROR_RETRY, true},
        {EISDIR, ERROR_RETRY, true},       {ELOOP, ERROR_RETRY, true},
        {ENAMETOOLONG, ERROR_RETRY, true}, {EMFILE, ERROR_LIMIT, false},
        {ENFILE, ERROR_LIMIT, false},      {ENOMEM, ERROR_LIMIT, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error err = {.lasting = true};
        errno = cases[i].error_number;
        assert_false(disk_error(&err, "open", "/lake"));
        assert_int_equal(err.kind, cases[i].kind);
        assert_int_equal(err.lasting, cases[i].lasting);
        assert_true(disk_error_may_pass(&err));
        assert_ptr_equal(strstr(err.message, "cannot open '/lake': "), err.message);
        assert_non_null(strstr(err.message, strerror(cases[i].error_number)));
    }
}

static void lasting_errors_say_what_to_do(void **state) {
    (void)state;
    static const struct {
        int error_number;
        const char *cure; // "": none
    } cases[] = {
        {EACCES, ": give user "},
        {EPERM, ": give user "},
        {EROFS, ": mount it read-write"},
        {ENOTDIR, ": a file is where a directory is expected: move the file away"},
        {ENAMETOOLONG, ": choose a shorter path"},
        {EIO, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error err;
        char expected[128];
        (void)snprintf(expected, sizeof expected, "cannot open '/lake': %s%s",
                       strerror(cases[i].error_number), cases[i].cure);
        errno = cases[i].error_number;
        assert_false(disk_error(&err, "open", "/lake"));
        assert_memory_equal(err.message, expected, strlen(expected));
    }
}

static void a_limit_is_named_with_its_height(void **state) {
    (void)state;
    static const struct {
        int error_number, resource;
        rlim_t height;
        const char *expected;
    } cases[] = {
        {EMFILE, RLIMIT_NOFILE, 200, "RLIMIT_NOFILE (ulimit -n, LimitNOFILE=) is 200 open files"},
        {EFBIG, RLIMIT_FSIZE, 123456789,
         "RLIMIT_FSIZE (ulimit -f, LimitFSIZE=) is 123456789 bytes"},
        {EAGAIN, RLIMIT_NPROC, 5000, "RLIMIT_NPROC (ulimit -u, LimitNPROC=) is 5000 threads"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rlimit before, now;
        char text[LIMIT_TEXT_MAX];
        assert_int_equal(getrlimit(cases[i].resource, &before), 0);
        now = (struct rlimit){cases[i].height, before.rlim_max};
        assert_int_equal(setrlimit(cases[i].resource, &now), 0);
        limit_describe(cases[i].error_number, text);
        assert_int_equal(setrlimit(cases[i].resource, &before), 0);
        if (strstr(text, cases[i].expected) == NULL)
            fail_msg("%s", text);
    }
}

static void other_errors_are_not_called_limits(void **state) {
    (void)state;
    char text[LIMIT_TEXT_MAX];
    limit_describe(EIO, text);
    assert_string_equal(text, "");
    limit_describe(ENFILE, text);
    assert_non_null(strstr(text, "fs.file-max"));
    limit_describe(ENOMEM, text); // whether or not there is one
    assert_true(strlen(text) > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_errno_is_a_limit_or_passes_or_lasts),
        cmocka_unit_test(lasting_errors_say_what_to_do),
        cmocka_unit_test(a_limit_is_named_with_its_height),
        cmocka_unit_test(other_errors_are_not_called_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
