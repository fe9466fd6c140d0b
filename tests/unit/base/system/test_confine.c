/* What a process can still do once it is confined; each test is a child, because nothing gives the
 * rights back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/system/confine.h"

static char root[64];

static char *path_of(const char *name) {
    static char paths[4][128];
    static size_t next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, sizeof paths[0], "%s/%s", root, name);
    return path;
}

static void put_file(const char *name) {
    int fd = open(path_of(name), O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static int setup(void **state) {
    (void)state;
    strcpy(root, "/tmp/test_confine.XXXXXX");
    assert_non_null(mkdtemp(root));
    static const char *const directories[] = {"lake", "lake/a", "lake/b", "seen", "other"};
    for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++)
        assert_int_equal(mkdir(path_of(directories[i]), 0700), 0);
    put_file("lake/a/file");
    put_file("seen/file");
    put_file("other/file");
    assert_int_equal(symlink(path_of("other"), path_of("lake/out")), 0);
    return 0;
}

static int teardown(void **state) {
    char command[128];
    (void)state;
    (void)snprintf(command, sizeof command, "rm -r %s", root);
    return system(command); // NOLINT(cert-env33-c)
}

/* In a child: the number of the first expectation that does not hold; 0: all do. */
#define EXPECT(condition)                                                                          \
    if (!(condition))                                                                              \
    return __LINE__

static void in_child(int (*run)(void)) {
    int pipes[2], line = -1, status;
    assert_int_equal(pipe(pipes), 0);
    pid_t pid = fork();
    if (pid == 0) {
        line = run();
        _exit(write(pipes[1], &line, sizeof line) == sizeof line ? 0 : 1);
    }
    close(pipes[1]);
    assert_int_equal(read(pipes[0], &line, sizeof line), sizeof line);
    close(pipes[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (line != 0)
        fail_msg("not so: line %d", line);
}

static int opened(const char *path, int flags) {
    int fd = open(path, flags, 0600);
    if (fd >= 0)
        close(fd);
    return fd >= 0 ? 0 : errno;
}

static int listens(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), result = 0;
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0)
        result = errno;
    close(fd);
    return result;
}

static bool confine(int first_port, int last_port, int *version) {
    struct error err;
    const struct confine_place places[] = {{path_of("lake"), true},
                                           {path_of("seen"), false},
                                           {path_of("seen/file"), false},
                                           {path_of("missing"), true}};
    const struct confine_limits limits = {
        .places = places, .place_count = 4, .first_port = first_port, .last_port = last_port};
    return confine_files(&limits, version, &err);
}

static int use_files(void) {
    int version, before = open(path_of("other/file"), O_RDWR);
    EXPECT(confine(0, -1, &version));
    EXPECT(opened(path_of("lake/new"), O_WRONLY | O_CREAT) == 0);
    EXPECT(opened(path_of("seen/file"), O_RDONLY) == 0);
    EXPECT(opened(path_of("seen"), O_RDONLY | O_DIRECTORY) == 0);
    EXPECT(opened(path_of("seen/file"), O_WRONLY) == EACCES);
    EXPECT(opened(path_of("seen/new"), O_WRONLY | O_CREAT) == EACCES);
    EXPECT(opened(path_of("other/file"), O_RDONLY) == EACCES);
    EXPECT(opened(path_of("lake/out/file"), O_RDONLY) == EACCES); // where a link leads
    EXPECT(opened(path_of("lake/out/new"), O_WRONLY | O_CREAT) == EACCES);
    EXPECT(opened("/etc/passwd", O_RDONLY) == EACCES);
    EXPECT(write(before, "x", 1) == 1); // what is open stays open
    return 0;
}

static void only_the_places_can_be_opened(void **state) {
    (void)state;
    in_child(use_files);
}

static int use_names(void) {
    int version;
    EXPECT(confine(0, -1, &version));
    EXPECT(rename(path_of("lake/a/file"), path_of("lake/b/moved")) == 0);
    EXPECT(link(path_of("lake/b/moved"), path_of("lake/a/file")) == 0);
    EXPECT(mkdir(path_of("lake/c"), 0700) == 0 && rmdir(path_of("lake/c")) == 0);
    EXPECT(unlink(path_of("lake/b/moved")) == 0);
    EXPECT(truncate(path_of("lake/a/file"), 0) == 0);
    EXPECT(rename(path_of("lake/a/file"), path_of("other/moved")) != 0);
    EXPECT(rename(path_of("lake/a/file"), path_of("lake/out/moved")) != 0);
    EXPECT(link(path_of("other/file"), path_of("lake/taken")) != 0);
    EXPECT(unlink(path_of("other/file")) != 0 && errno == EACCES);
    EXPECT(unlink(path_of("seen/file")) != 0 && errno == EACCES);
    EXPECT(symlink("/", path_of("lake/link")) != 0 && errno == EACCES);
    EXPECT(mkfifo(path_of("lake/fifo"), 0600) != 0 && errno == EACCES);
    EXPECT(version < 3 || (truncate(path_of("other/file"), 0) != 0 && errno == EACCES));
    return 0;
}

static void names_change_only_within_what_can_be_written(void **state) {
    (void)state;
    in_child(use_names);
}

static int use_ports(void) {
    int version;
    EXPECT(confine(47001, 47002, &version));
    if (version < CONFINE_PORTS_SINCE)
        return 0;
    EXPECT(listens(47001) != EACCES && listens(47002) != EACCES);
    EXPECT(listens(47003) == EACCES && listens(0) == EACCES);
    return 0;
}

static void only_the_pages_ports_can_be_listened_on(void **state) {
    (void)state;
    in_child(use_ports);
}

static void *set_flag(void *flag) {
    (void)pthread_setname_np(pthread_self(), "named");
    *(bool *)flag = true;
    return NULL;
}

static int use_calls(void) {
    struct error err;
    pthread_t thread;
    bool ran = false;
    char *arguments[] = {"true", NULL};
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    EXPECT(confine_calls(&err));
    EXPECT(pthread_create(&thread, NULL, set_flag, &ran) == 0 && pthread_join(thread, NULL) == 0);
    EXPECT(ran);
    EXPECT(fork() == -1 && errno == EPERM);
    EXPECT(execv("/bin/true", arguments) == -1 && errno == EPERM);
    EXPECT(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1 && errno == EPERM);
    EXPECT(chroot("/") == -1 && errno == EPERM);
    EXPECT(setuid(1) == -1 && errno == EPERM);
    EXPECT(symlink("/", path_of("link")) == -1 && errno == EPERM);
    EXPECT(socket(AF_PACKET, SOCK_RAW, 0) == -1 && errno == EPERM);
    EXPECT(socket(AF_INET6, SOCK_STREAM, 0) >= 0 || errno == EAFNOSUPPORT);
    EXPECT(socket(AF_UNIX, SOCK_DGRAM, 0) >= 0);
    EXPECT(ioctl(0, TIOCSTI, "x") == -1 && errno == EPERM);
    EXPECT(prctl(PR_SET_DUMPABLE, 1) == -1 && errno == EPERM);
    EXPECT(syscall(100000) == -1 && errno == ENOSYS); // newer than the list
    void *code =
        mmap(NULL, page, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT(code == MAP_FAILED && errno == EPERM);
    void *data = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT(data != MAP_FAILED && mprotect(data, page, PROT_READ) == 0);
    EXPECT(mprotect(data, page, PROT_READ | PROT_EXEC) == -1 && errno == EPERM);
    return 0;
}

static void threads_start_but_no_program_and_no_process(void **state) {
    (void)state;
    in_child(use_calls);
}

static int hide_memory(void) {
    struct error err;
    EXPECT(confine_memory(&err));
    EXPECT(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
    return 0;
}

static void memory_is_neither_dumped_nor_read(void **state) {
    (void)state;
    in_child(hide_memory);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_the_places_can_be_opened, setup, teardown),
        cmocka_unit_test_setup_teardown(names_change_only_within_what_can_be_written, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(only_the_pages_ports_can_be_listened_on, setup, teardown),
        cmocka_unit_test_setup_teardown(threads_start_but_no_program_and_no_process, setup,
                                        teardown),
        cmocka_unit_test(memory_is_neither_dumped_nor_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
