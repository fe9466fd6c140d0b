#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"

/* A process whose check fails, with that stderr. Returns how it ended. */
static int failing_with(int errors) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct rlimit no_core = {0};
        (void)setrlimit(RLIMIT_CORE, &no_core);
        (void)signal(SIGABRT, SIG_DFL);
        (void)dup2(errors, STDERR_FILENO);
        check(errors < 0);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void a_check_that_fails_says_which_and_aborts(void **state) {
    (void)state;
    int ends[2];
    char said[256] = "";
    assert_int_equal(pipe(ends), 0);
    int status = failing_with(ends[1]);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_true(read(ends[0], said, sizeof said - 1) > 0);
    assert_non_null(strstr(said, "test_check.c:"));
    assert_non_null(strstr(said, ": check failed: errors < 0\n"));
    close(ends[0]);
    close(ends[1]);
}

static void it_aborts_also_if_nobody_reads_what_it_says(void **state) {
    (void)state;
    int ends[2];
    static char filling[1 << 16];
    assert_int_equal(pipe(ends), 0);
    int size = fcntl(ends[1], F_SETPIPE_SZ, 4096);
    assert_int_equal(write(ends[1], filling, (size_t)size), size);
    int status = failing_with(ends[1]);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    close(ends[0]);
    close(ends[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_check_that_fails_says_which_and_aborts),
        cmocka_unit_test(it_aborts_also_if_nobody_reads_what_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
