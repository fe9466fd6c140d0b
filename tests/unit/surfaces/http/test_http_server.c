/* The HTTP server on a real socket, and clients that mean no good. Also under the thread sanitizer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log/log.h"
#include "base/system/clock.h"
#include "surfaces/http/http_server.h"

static struct http_server *server;
static int port;
static _Atomic int64_t now_ms; // the server's clock

static int64_t test_wall_ms(void) {
    return atomic_load(&now_ms);
}

static int64_t test_monotonic_us(void) {
    return atomic_load(&now_ms) * 1000;
}

static const struct clock_ops test_clock = {test_wall_ms, test_monotonic_us};

/* Says what it was asked. */
static void echo(void *context, const struct http_request *request,
                 struct http_response *response) {
    const char *name = http_request_argument(request, "name");
    (void)context;
    if (strcmp(request->path, "/large") == 0) {
        struct http_list *list = http_list_open("");
        for (int i = 0; i < 200000; i++)
            http_list_add(list, json_new_array());
        http_list_close(list, "", response);
        return;
    }
    http_response_text(response, HTTP_OK, "path=%s name=%s host=%s", request->path,
                       name != NULL ? name : "-", request->host != NULL ? request->host : "-");
}

static int set_up(void **state) {
    struct http_listener listener;
    struct error err = {0};
    (void)state;
    clock_source = &test_clock;
    if (!http_listen("127.0.0.1", 0, &listener, &err) ||
        !http_server_start(&server, &listener, echo, NULL, &err)) {
        print_error("%s\n", err.message);
        return -1;
    }
    port = listener.port;
    return listener.is_loopback && port > 0 ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    http_server_stop(server);
    return 0;
}

static int dial(void) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void say(int fd, const char *text) {
    (void)!send(fd, text, strlen(text), MSG_NOSIGNAL); // the server may have hung up already
}

enum { ANSWER_MAX = 4096, PATIENCE_MS = 30000, LULL_MS = 20 };

/* How the server's clock goes while a client waits. A few are hung up on by time only. */
enum pace { CLOCK_STANDS, CLOCK_RUNS };

/* Until something can be read. */
static void wait_readable(int fd, enum pace pace) {
    struct pollfd watched = {.fd = fd, .events = POLLIN};
    for (int waited = 0; poll(&watched, 1, LULL_MS) == 0; waited += LULL_MS) {
        assert_true(waited < PATIENCE_MS);
        if (pace == CLOCK_RUNS)
            atomic_fetch_add(&now_ms, HTTP_CONNECTION_MS / 10);
    }
}

/* All bytes until the server hangs up; the rest of a longer answer is dropped. */
static size_t listen_to(int fd, char answer[static ANSWER_MAX], enum pace pace) {
    size_t used = 0, all = 0;
    char rest[65536];
    for (;;) {
        wait_readable(fd, pace);
        ssize_t size = recv(fd, rest, sizeof rest, 0);
        if (size <= 0)
            break;
        size_t kept = (size_t)size < ANSWER_MAX - 1 - used ? (size_t)size : ANSWER_MAX - 1 - used;
        memcpy(answer + used, rest, kept);
        used += kept;
        all += (size_t)size;
    }
    answer[used] = '\0';
    close(fd);
    return all;
}

static char *ask_at(enum pace pace, const char *request) {
    static char answer[ANSWER_MAX];
    int fd = dial();
    say(fd, request);
    listen_to(fd, answer, pace);
    return answer;
}

static char *ask(const char *request) {
    return ask_at(CLOCK_STANDS, request);
}

#define END "\r\nHost: localhost\r\nConnection: close\r\n\r\n"

static void assert_works(void) {
    assert_non_null(strstr(ask("GET /works HTTP/1.1" END), "path=/works"));
}

static void a_request_is_answered_with_headers_that_protect(void **state) {
    (void)state;
    const char *answer = ask("GET /a%20b?name=c%26d&other HTTP/1.1" END);
    static const char *const wanted[] = {
        "HTTP/1.1 200 OK\r\n",
        "path=/a b name=c&d host=localhost",
        "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n",
        "X-Content-Type-Options: nosniff\r\n",
        "X-Frame-Options: DENY\r\n",
        "Referrer-Policy: no-referrer\r\n",
        "Cache-Control: no-store\r\n",
        "Content-Type: text/plain; charset=utf-8\r\n",
    };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        if (strstr(answer, wanted[i]) == NULL)
            fail_msg("no '%s' in %s", wanted[i], answer);
    answer = ask("HEAD /x HTTP/1.1" END);
    assert_non_null(strstr(answer, "HTTP/1.1 200 OK\r\n"));
    assert_null(strstr(answer, "path="));
}

static void only_get_and_head_are_verbs(void **state) {
    (void)state;
    static const char *const verbs[] = {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "X"};
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        char request[256];
        snprintf(request, sizeof request, "%s /x HTTP/1.1" END, verbs[i]);
        const char *answer = ask(request);
        assert_non_null(strstr(answer, "HTTP/1.1 405 "));
        assert_non_null(strstr(answer, "Allow: GET, HEAD\r\n"));
        assert_null(strstr(answer, "path="));
    }
}

static void a_body_is_refused(void **state) {
    (void)state;
    const char *answer = ask_at(CLOCK_RUNS, "GET /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
                                            "1000000000000\r\nConnection: close\r\n\r\nhello");
    assert_non_null(strstr(answer, "HTTP/1.1 413 "));
    answer = ask_at(CLOCK_RUNS, "GET /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
                                "chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n");
    assert_non_null(strstr(answer, "HTTP/1.1 413 "));
    answer =
        ask_at(CLOCK_RUNS, "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello");
    assert_non_null(strstr(answer, "HTTP/1.1 405 "));
    assert_works();
}

static void a_request_has_a_size(void **state) {
    (void)state;
    enum { LARGE = 4 * HTTP_REQUEST_MAX };
    char *large = malloc(LARGE);
    assert_non_null(large);
    memset(large, 'x', LARGE - 1);
    large[LARGE - 1] = '\0';
    memcpy(large, "GET /", 5);
    assert_null(strstr(ask_at(CLOCK_RUNS, large), " 200 "));
    memcpy(large, "GET / HTTP/1.1\r\nHost: localhost\r\nA: ", 37);
    assert_null(strstr(ask_at(CLOCK_RUNS, large), " 200 "));
    free(large);
    assert_works();
}

static void a_large_answer_arrives_whole(void **state) {
    (void)state;
    char answer[ANSWER_MAX];
    int fd = dial();
    say(fd, "GET /large HTTP/1.1" END);
    size_t size = listen_to(fd, answer, CLOCK_STANDS);
    const char *body = strstr(answer, "\r\n\r\n");
    assert_non_null(body);
    assert_int_equal(size - (size_t)(body + 4 - answer), 2 + 200000 * 3 - 1);
}

static void garbage_is_not_a_request(void **state) {
    (void)state;
    char answer[ANSWER_MAX], noise[512];
    unsigned random = 1;
    for (int round = 0; round < 300; round++) {
        for (size_t i = 0; i < sizeof noise - 1; i++) {
            random = random * 1103515245 + 12345;
            noise[i] = (char)(random >> 16);
        }
        int fd = dial();
        (void)!send(fd, noise, sizeof noise - 1, MSG_NOSIGNAL);
        say(fd, "\r\n\r\n");
        listen_to(fd, answer, CLOCK_RUNS);
        assert_null(strstr(answer, "path="));
    }
    assert_works();
}

static void one_who_never_finishes_is_hung_up_on(void **state) {
    (void)state;
    char answer[ANSWER_MAX];
    int fd = dial();
    say(fd, "GET /slow HTTP/1.1\r\nHost: loc");
    assert_works(); // by now the server has seen it
    atomic_fetch_add(&now_ms, HTTP_CONNECTION_MS + 1);
    say(fd, "a");
    listen_to(fd, answer, CLOCK_RUNS);
    assert_null(strstr(answer, "path="));
    assert_works();
}

static void a_connection_has_one_request(void **state) {
    (void)state;
    static const char *const ends[] = {"\r\n", ": x\r\n", "X: a\r\n b\r\n\r\n", "X : a\r\n\r\n",
                                       "X: a\rb\r\n\r\n"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char request[256];
        (void)snprintf(request, sizeof request,
                       "GET /first HTTP/1.1\r\nHost: localhost\r\n%sGET /second HTTP/1.1" END,
                       ends[i]);
        const char *answer = ask(request);
        assert_non_null(strstr(answer, "path=/first"));
        assert_non_null(strstr(answer, "Connection: close\r\n"));
        assert_null(strstr(answer, "path=/second"));
    }
    assert_works();
}

static void a_full_table_makes_room(void **state) {
    (void)state;
    enum { CROWD = 150 };
    int crowd[CROWD];
    for (int i = 0; i < CROWD; i++) {
        crowd[i] = dial();
        say(crowd[i], "GET /crowd HTTP/1.1\r\n");
        if (i % 10 == 0)
            atomic_fetch_add(&now_ms, 1);
    }
    assert_works();
    for (int i = 0; i < CROWD; i++)
        close(crowd[i]);
    assert_works();
}

static void a_taken_port_gives_way_to_the_next(void **state) {
    (void)state;
    struct http_listener second;
    struct error err;
    assert_true(http_listen("127.0.0.1", port, &second, &err));
    assert_in_range(second.port, port + 1, port + HTTP_PORT_RETRIES);
    close(second.fd);
}

static void a_host_that_is_not_here_is_reported(void **state) {
    (void)state;
    struct http_listener listener;
    struct error err;
    assert_false(http_listen("192.0.2.1", 4040, &listener, &err)); // an address of nobody
    assert_non_null(strstr(err.message, "192.0.2.1"));
}

/* A limit of open files below what poll() is given is an error of poll() that passes. */
static void an_error_while_it_waits_is_said_and_passes(void **state) {
    (void)state;
    char answer[ANSWER_MAX], logged[1024];
    struct rlimit limit, none = {0};
    int log[2], client = dial();
    assert_int_equal(pipe(log), 0);
    log_output_set(log[1]);
    say(client, "GET /two HTTP/1.1\r\n");
    assert_works(); // by now it has accepted
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none.rlim_max = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    say(client, "Host: x\r\n"); // it wakes up, and waits again
    ssize_t size = read(log[0], logged, sizeof logged - 1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_true(size > 0);
    logged[size] = '\0';
    assert_non_null(strstr(logged, "WARNING | The page and the API are not available"));
    assert_non_null(strstr(logged, "error=Invalid argument"));
    size = read(log[0], logged, sizeof logged - 1);
    assert_true(size > 0);
    logged[size] = '\0';
    assert_non_null(strstr(logged, "INFO | The page and the API are available again"));

    say(client, "\r\n");
    (void)listen_to(client, answer, CLOCK_STANDS);
    assert_non_null(strstr(answer, "path=/two"));
    close(client);
    log_output_set(STDOUT_FILENO);
    close(log[0]);
    close(log[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_answered_with_headers_that_protect),
        cmocka_unit_test(only_get_and_head_are_verbs),
        cmocka_unit_test(a_body_is_refused),
        cmocka_unit_test(a_request_has_a_size),
        cmocka_unit_test(a_large_answer_arrives_whole),
        cmocka_unit_test(garbage_is_not_a_request),
        cmocka_unit_test(one_who_never_finishes_is_hung_up_on),
        cmocka_unit_test(an_error_while_it_waits_is_said_and_passes),
        cmocka_unit_test(a_connection_has_one_request),
        cmocka_unit_test(a_full_table_makes_room),
        cmocka_unit_test(a_taken_port_gives_way_to_the_next),
        cmocka_unit_test(a_host_that_is_not_here_is_reported),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
