#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log/log.h"
#include "base/system/clock.h"
#include "surfaces/settings/addresses.h"
#include "surfaces/webhook/webhook.h"

enum { REQUESTS_MAX = 64, REQUEST_MAX = 4096 };

/* What a receiver can do with a connection instead of answering with a status. */
enum { HANG_UP = -1, SAY_NOTHING = -2, END = 0 };

/* An HTTP server that handles each connection as its script says. The last line of the script
 * applies to all later connections. */
struct receiver {
    int listener;
    char url[128];
    pthread_t thread;
    const int *script;
    int open[REQUESTS_MAX]; // connections that get no answer
    size_t open_count;
    char requests[REQUESTS_MAX][REQUEST_MAX]; // complete, as received
    atomic_size_t count;
    atomic_bool ended;
};

static struct receiver receiver;

static void read_request(int connection, char request[static REQUEST_MAX]) {
    size_t used = 0, wanted = SIZE_MAX;
    while (used < wanted && used < REQUEST_MAX - 1) {
        ssize_t got = recv(connection, request + used, REQUEST_MAX - 1 - used, 0);
        if (got <= 0)
            break;
        used += (size_t)got;
        request[used] = '\0';
        const char *body = strstr(request, "\r\n\r\n");
        const char *size = strcasestr(request, "Content-Length: ");
        if (body != NULL && size != NULL)
            wanted = (size_t)(body + 4 - request) + strtoul(size + 16, NULL, 10);
    }
}

static void serve(int connection, int what) {
    size_t number = receiver.count;
    check(number < REQUESTS_MAX);
    read_request(connection, receiver.requests[number]);
    char answer[256];
    if (what > 0) {
        snprintf(answer, sizeof answer,
                 "HTTP/1.1 %d Status\r\nLocation: /elsewhere\r\nContent-Length: 3\r\nConnection: "
                 "close\r\n\r\nyes",
                 what);
        check(send(connection, answer, strlen(answer), MSG_NOSIGNAL) > 0);
    }
    if (what == SAY_NOTHING)
        receiver.open[receiver.open_count++] = connection;
    else
        close(connection);
    receiver.count = number + 1; // last: once the number is visible, the request may be read
}

static void *receive(void *unused) {
    (void)unused;
    const int *line = receiver.script;
    for (;;) {
        int connection = accept(receiver.listener, NULL, NULL);
        if (receiver.ended)
            return NULL;
        check(connection >= 0);
        serve(connection, *line);
        line += line[1] != END;
    }
}

static void receiver_start(const int *script) {
    receiver = (struct receiver){.script = script};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    receiver.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(bind(receiver.listener, (struct sockaddr *)&address, sizeof address) == 0);
    check(listen(receiver.listener, 16) == 0);
    check(getsockname(receiver.listener, (struct sockaddr *)&address, &size) == 0);
    snprintf(receiver.url, sizeof receiver.url, "http://127.0.0.1:%d/hooks/s3cret-token",
             ntohs(address.sin_port));
    check(pthread_create(&receiver.thread, NULL, receive, NULL) == 0);
}

static void receiver_stop(void) {
    receiver.ended = true;
    shutdown(receiver.listener, SHUT_RDWR); // wakes accept()
    check(pthread_join(receiver.thread, NULL) == 0);
    for (size_t i = 0; i < receiver.open_count; i++)
        close(receiver.open[i]);
    close(receiver.listener);
}

static void wait_for_requests(size_t count) {
    for (int i = 0; i < 6000 && receiver.count < count; i++)
        usleep(5000);
    assert_true(receiver.count >= count);
}

static void wait_for_count(struct webhook *webhook, int64_t delivered, int64_t dropped) {
    struct webhook_counts counts;
    for (int i = 0; i < 6000; i++) {
        counts = webhook_counts(webhook);
        if (counts.delivered == delivered && counts.dropped == dropped)
            return;
        usleep(5000);
    }
    fail_msg("%d delivered, %d dropped", (int)counts.delivered, (int)counts.dropped);
}

static struct webhook *open_webhook(int64_t give_up_ms) {
    struct webhook_options options = {.url = receiver.url,
                                      .attempt_timeout_ms = 3000, // on a busy machine, too
                                      .backoff_first_ms = 1,
                                      .backoff_max_ms = 10,
                                      .give_up_ms = give_up_ms};
    struct webhook *webhook;
    struct error err;
    assert_true(webhook_open(&webhook, &options, &err));
    return webhook;
}

static bool post(struct webhook *webhook, const char *body) {
    return webhook_post(webhook, "test", strdup(body), NULL, NULL);
}

static const char *body_of(size_t request) {
    return strstr(receiver.requests[request], "\r\n\r\n") + 4;
}

static void a_notification_is_posted_until_the_receiver_accepts_it(void **state) {
    (void)state;
    static const int script[] = {503, HANG_UP, SAY_NOTHING, 429, 200, END};
    receiver_start(script);
    struct webhook *webhook = open_webhook(60000);
    assert_true(post(webhook, "{\"event\":\"failed\"}"));
    wait_for_count(webhook, 1, 0);
    assert_int_equal(receiver.count, 5);
    assert_int_equal(webhook_counts(webhook).failed_attempts, 4);
    for (size_t i = 0; i < 5; i++) {
        const char *request = receiver.requests[i];
        assert_memory_equal(request, "POST /hooks/s3cret-token HTTP/1.1\r\n", 35);
        assert_non_null(strcasestr(request, "\r\nContent-Type: application/json\r\n"));
        assert_string_equal(body_of(i), "{\"event\":\"failed\"}");
    }
    webhook_close(webhook, 1000);
    receiver_stop();
}

static void a_refused_notification_is_not_posted_again_but_the_next_one_is(void **state) {
    (void)state;
    static const int script[] = {404, 302, 200, END};
    receiver_start(script);
    struct webhook *webhook = open_webhook(60000);
    assert_true(post(webhook, "1") && post(webhook, "2") && post(webhook, "3"));
    wait_for_count(webhook, 1, 2);
    assert_int_equal(receiver.count, 3);
    for (size_t i = 0; i < 3; i++) // in order, none twice, none at another address
        assert_int_equal(*body_of(i), '1' + (int)i);
    webhook_close(webhook, 1000);
    receiver_stop();
}

static void posting_to_a_receiver_that_never_accepts_is_abandoned(void **state) {
    (void)state;
    static const int script[] = {500, END};
    receiver_start(script);
    struct webhook *webhook = open_webhook(400);
    assert_true(post(webhook, "1"));
    wait_for_count(webhook, 0, 1);
    assert_true(receiver.count > 1);
    webhook_close(webhook, 1000);
    receiver_stop();
}

static void the_queue_is_bounded_and_posting_never_waits(void **state) {
    (void)state;
    static const int script[] = {SAY_NOTHING, END};
    receiver_start(script);
    struct webhook_options options = webhook_defaults(receiver.url);
    struct webhook *webhook;
    struct error err;
    assert_true(webhook_open(&webhook, &options, &err));
    for (int i = 0; i < WEBHOOK_QUEUE_MAX; i++)
        assert_true(post(webhook, "1"));
    assert_false(post(webhook, "1"));
    wait_for_requests(1);
    assert_int_equal(webhook_counts(webhook).delivered, 0);
    webhook_close(webhook, 0);
    receiver_stop();
}

static void closing_delivers_the_rest_if_the_receiver_accepts_it(void **state) {
    (void)state;
    static const int script[] = {503, 200, END};
    receiver_start(script);
    struct webhook *webhook = open_webhook(60000);
    assert_true(post(webhook, "1") && post(webhook, "2"));
    webhook_close(webhook, 20000);
    assert_int_equal(receiver.count, 3);
    assert_int_equal(*body_of(1), '1');
    assert_int_equal(*body_of(2), '2');
    receiver_stop();
}

static void closing_cancels_an_attempt_that_hangs(void **state) {
    (void)state;
    static const int script[] = {SAY_NOTHING, END};
    receiver_start(script);
    struct webhook_options options = webhook_defaults(receiver.url);
    options.attempt_timeout_ms = 600000;
    struct webhook *webhook;
    struct error err;
    assert_true(webhook_open(&webhook, &options, &err));
    assert_true(post(webhook, "1") && post(webhook, "2"));
    wait_for_requests(1);
    webhook_close(webhook, 100); // otherwise ctest's time limit ends this test
    assert_int_equal(receiver.count, 1);
    receiver_stop();
}

static void note_delivery(void *context) {
    ++*(atomic_int *)context;
}

static void the_sender_is_notified_of_accepted_notifications_only(void **state) {
    (void)state;
    static const int script[] = {400, 204, END};
    receiver_start(script);
    struct webhook *webhook = open_webhook(60000);
    atomic_int refused = 0, taken = 0;
    assert_true(webhook_post(webhook, "a", strdup("1"), note_delivery, &refused));
    assert_true(webhook_post(webhook, "b", strdup("2"), note_delivery, &taken));
    webhook_close(webhook, 20000);
    assert_int_equal(refused, 0);
    assert_int_equal(taken, 1);
    receiver_stop();
}

/* The log between begin_log() and end_log(). */
static struct {
    int ends[2]; // of a pipe
    char text[1 << 14];
} logged;

static void begin_log(void) {
    assert_int_equal(pipe(logged.ends), 0);
    log_output_set(logged.ends[1]);
}

static const char *end_log(void) {
    log_output_set(STDOUT_FILENO);
    close(logged.ends[1]);
    size_t size = 0, room = sizeof logged.text - 1;
    for (ssize_t got; (got = read(logged.ends[0], logged.text + size, room - size)) > 0;)
        size += (size_t)got;
    close(logged.ends[0]);
    logged.text[size] = '\0';
    return logged.text;
}

static void the_log_names_the_receiver_but_not_the_url(void **state) {
    (void)state;
    static const int script[] = {503, HANG_UP, 200, 404, END};
    receiver_start(script);
    begin_log();
    struct webhook *webhook = open_webhook(60000);
    bool posted = post(webhook, "1") && post(webhook, "2");
    webhook_close(webhook, 20000);
    const char *output = end_log();
    receiver_stop();
    assert_true(posted);
    assert_non_null(strstr(output, "HTTP 503"));
    assert_non_null(strstr(output, "Alert delivered | alert=test | receiver=http://127.0.0.1 | "
                                   "attempts=3"));
    assert_non_null(strstr(output, "Alert dropped: delivery failed | alert=test"));
    assert_null(strstr(output, "s3cret"));
}

static void an_attempt_cancelled_at_the_end_does_not_hide_the_previous_error(void **state) {
    (void)state;
    static const int script[] = {503, SAY_NOTHING, END};
    receiver_start(script);
    begin_log();
    struct webhook_options options = webhook_defaults(receiver.url);
    options.attempt_timeout_ms = 600000;
    options.backoff_first_ms = 1;
    struct webhook *webhook;
    struct error err;
    bool posted = webhook_open(&webhook, &options, &err) && post(webhook, "1");
    wait_for_requests(2);
    webhook_close(webhook, 100);
    const char *output = end_log();
    receiver_stop();
    assert_true(posted);
    assert_non_null(strstr(output, "attempts=2 | error=the receiver answered HTTP 503"));
}

static void only_http_urls_with_a_host_can_be_posted_to(void **state) {
    (void)state;
    static const char *const good[] = {"https://hooks.example.com/T0/B0/x?y=1#z",
                                       "http://[::1]:8080", "https://user:pass@host/"};
    static const char *const bad[] = {"",
                                      "hooks.example.com",
                                      "ftp://host/",
                                      "https://",
                                      "file:///etc/passwd",
                                      "https://a b/",
                                      "https://host:99999/"};
    struct error err;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(http_url_check(good[i], &err));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(http_url_check(bad[i], &err));
        assert_int_equal(err.kind, ERROR_CONFIG);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_notification_is_posted_until_the_receiver_accepts_it),
        cmocka_unit_test(a_refused_notification_is_not_posted_again_but_the_next_one_is),
        cmocka_unit_test(posting_to_a_receiver_that_never_accepts_is_abandoned),
        cmocka_unit_test(the_queue_is_bounded_and_posting_never_waits),
        cmocka_unit_test(closing_delivers_the_rest_if_the_receiver_accepts_it),
        cmocka_unit_test(closing_cancels_an_attempt_that_hangs),
        cmocka_unit_test(the_sender_is_notified_of_accepted_notifications_only),
        cmocka_unit_test(the_log_names_the_receiver_but_not_the_url),
        cmocka_unit_test(an_attempt_cancelled_at_the_end_does_not_hide_the_previous_error),
        cmocka_unit_test(only_http_urls_with_a_host_can_be_posted_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
