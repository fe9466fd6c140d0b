#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/system/clock.h"
#include "base/text.h"
#include "grpc_server.h"
#include "streaming/cluster/connect/grpc.h"

enum { LARGE = 20 << 20, SILENCE_MS = 300, SEVERAL_SILENCES_MS = 8 * SILENCE_MS };

static struct grpc_server server;
static struct grpc *connection;
static struct stop stop;

static struct reply answer_well(const struct request *request) {
    struct reply reply = {0};
    (void)request;
    reply_add(&reply, "answer", 6);
    return reply;
}

static struct reply stay_open(const struct request *request) {
    struct reply reply = answer_well(request);
    reply.end = END_STAY_OPEN;
    return reply;
}

static struct reply freeze(const struct request *request) {
    (void)request;
    return (struct reply){.end = END_FREEZE};
}

static void open_to(struct reply (*answer)(const struct request *), void (*raw)(int)) {
    server_start(&server, answer, raw);
    struct grpc_options options = grpc_defaults(&server.url);
    struct patience patience = patience_for(5000, NULL, NULL);
    struct error err;
    // Short only where it is what the test is about: a busy machine is silent, too.
    if (answer == stay_open || answer == freeze)
        options.silence_ms = SILENCE_MS;
    assert_int_equal(grpc_open(&options, &patience, &connection, &err), CALL_DONE);
}

static int close_all(void **state) {
    (void)state;
    grpc_close(connection);
    connection = NULL;
    if (server.port != 0)
        server_stop(&server);
    memset(&server, 0, sizeof server);
    return 0;
}

/* Calls, and expects the messages, if any, as texts; what came in the end. */
static enum call_outcome call(int64_t ms, const char *const *expected, size_t count,
                              struct error *err) {
    struct patience patience = patience_for(ms, NULL, &stop);
    struct grpc_message message = {0};
    enum call_outcome outcome;
    size_t came = 0;
    grpc_begin(connection, "/package.Service/Method", "question", 8, &patience);
    *err = (struct error){0};
    while ((outcome = grpc_receive(connection, &patience, &message, err)) == CALL_DONE &&
           message.bytes != NULL) {
        check(came < count && expected != NULL);
        assert_int_equal(message.size, strlen(expected[came]));
        assert_memory_equal(message.bytes, expected[came], message.size);
        came++;
    }
    assert_int_equal(came, count);
    grpc_end(connection);
    return outcome;
}

static const char *const one[] = {"answer"};
static const char *const three[] = {"first", "", "third"};

static void a_call_sends_what_gRPC_needs_and_gets_its_answer(void **state) {
    (void)state;
    struct error err;
    server_start(&server, answer_well, NULL);
    server.url.token = (char *)"s3cr3t";
    server.url.header_count = 1;
    server.url.headers[0] = (struct connect_header){(char *)"x-team", (char *)"blue"};
    struct grpc_options options = grpc_defaults(&server.url);
    struct patience patience = patience_for(5000, NULL, NULL);
    assert_int_equal(grpc_open(&options, &patience, &connection, &err), CALL_DONE);
    for (int i = 0; i < 3; i++)
        assert_int_equal(call(5000, one, 1, &err), CALL_DONE);
    assert_int_equal(server.connections, 1);
    grpc_close(connection);
    connection = NULL;
    server_stop(&server); // the thread is gone: what it wrote may be read
    server.port = 0;
    assert_string_equal(server.request.path, "/package.Service/Method");
    assert_int_equal(server.request.size, 8);
    assert_memory_equal(server.request.body, "question", 8);
    static const char *const fields[] = {":method: POST\n",
                                         ":scheme: http\n",
                                         "te: trailers\n",
                                         "content-type: application/grpc\n",
                                         "user-agent: esports-stream/",
                                         "grpc-timeout: ",
                                         "authorization: Bearer s3cr3t\n",
                                         "x-team: blue\n"};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        assert_non_null(strstr(server.request.fields, fields[i]));
}

static struct reply answer_in_pieces(const struct request *request) {
    struct reply reply = {.piece = (size_t)request->number + 1};
    for (int i = 0; i < 3; i++)
        reply_add(&reply, three[i], strlen(three[i]));
    return reply;
}

static void messages_are_whole_however_they_were_cut(void **state) {
    (void)state;
    struct error err;
    open_to(answer_in_pieces, NULL);
    for (int i = 0; i < 12; i++)
        assert_int_equal(call(5000, three, 3, &err), CALL_DONE);
}

static struct reply answer_large(const struct request *request) {
    struct reply reply = {0};
    char *large = must_alloc(LARGE, 1);
    (void)request;
    memset(large, 'x', LARGE - 1);
    reply_add(&reply, large, LARGE - 1);
    free(large);
    return reply;
}

static void a_large_message_comes_through(void **state) {
    (void)state;
    struct error err;
    open_to(answer_large, NULL);
    char *large = must_alloc(LARGE, 1);
    memset(large, 'x', LARGE - 1);
    const char *const expected[] = {large};
    assert_int_equal(call(20000, expected, 1, &err), CALL_DONE);
    free(large);
}

static struct reply answer_too_large(const struct request *request) {
    static const uint8_t prefix[] = {0, 0x7f, 0xff, 0xff, 0xff, 'x'};
    struct reply reply = {.body = must_alloc(sizeof prefix, 1), .size = sizeof prefix};
    (void)request;
    memcpy(reply.body, prefix, sizeof prefix);
    reply.end = END_STAY_OPEN;
    return reply;
}

static void a_message_without_measure_is_not_waited_for(void **state) {
    (void)state;
    struct error err;
    open_to(answer_too_large, NULL);
    assert_int_equal(call(20000, NULL, 0, &err), CALL_FOREIGN);
    assert_non_null(strstr(err.message, "too many HTTP/2 control frames"));
}

static struct reply answer_many_fields(const struct request *request) {
    (void)request;
    return (struct reply){.end = END_MANY_FIELDS};
}

static void headers_without_measure_are_not_waited_for(void **state) {
    (void)state;
    struct error err;
    open_to(answer_many_fields, NULL);
    assert_int_equal(call(20000, NULL, 0, &err), CALL_FOREIGN);
}

static struct reply answer_compressed(const struct request *request) {
    struct reply reply = answer_well(request);
    reply.body[0] = 1;
    return reply;
}

static void a_compressed_message_is_not_taken_for_a_plain_one(void **state) {
    (void)state;
    struct error err;
    struct grpc_message message;
    struct patience patience = patience_for(5000, NULL, NULL);
    open_to(answer_compressed, NULL);
    grpc_begin(connection, "/a/b", "", 0, &patience);
    assert_int_equal(grpc_receive(connection, &patience, &message, &err), CALL_FOREIGN);
    assert_non_null(strstr(err.message, "compressed"));
}

static char *details;

static struct reply answer_error(const struct request *request) {
    struct reply reply = {.end = request->number % 2 == 0 ? END_TRAILERS_ONLY : END_TRAILERS,
                          .grpc_status = "13",
                          .grpc_message = "gr%C3%B6%C3%9Fer 100%%!",
                          .details = details};
    return reply;
}

static void an_error_has_its_code_message_and_details(void **state) {
    (void)state;
    struct error err;
    details = base64_encode("\0\1\2\3", 4);
    details[strcspn(details, "=")] = '\0'; // as most servers do
    open_to(answer_error, NULL);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(call(5000, NULL, 0, &err), CALL_STATUS);
        struct grpc_status status = grpc_status(connection);
        assert_int_equal(status.code, GRPC_CODE_INTERNAL);
        assert_string_equal(status.message, "größer 100%%!");
        assert_int_equal(status.details_size, 4);
        assert_memory_equal(status.details, "\0\1\2\3", 4);
        assert_non_null(strstr(err.message, "größer"));
    }
    assert_int_equal(server.connections, 1);
    free(details);
}

static struct reply answer_error_after_messages(const struct request *request) {
    struct reply reply = answer_in_pieces(request);
    reply.grpc_status = "14";
    return reply;
}

static void what_came_before_an_error_is_handed_out(void **state) {
    (void)state;
    struct error err;
    open_to(answer_error_after_messages, NULL);
    assert_int_equal(call(5000, three, 3, &err), CALL_STATUS);
    assert_int_equal(grpc_status(connection).code, GRPC_CODE_UNAVAILABLE);
}

static struct reply answer_no_status(const struct request *request) {
    static const enum reply_end ends[] = {END_NOTHING, END_RESET};
    struct reply reply = answer_well(request);
    reply.end = ends[request->number % 2];
    return reply;
}

static void an_answer_without_a_status_is_broken_off(void **state) {
    (void)state;
    struct error err;
    open_to(answer_no_status, NULL);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(call(5000, one, 1, &err), CALL_BROKEN);
        assert_non_null(strstr(err.message, "was cut off"));
    }
    assert_true(grpc_is_usable(connection));
}

static struct reply hang_up(const struct request *request) {
    struct reply reply = answer_well(request);
    reply.end = END_HANG_UP;
    return reply;
}

static void a_connection_that_ends_in_the_middle_is_broken(void **state) {
    (void)state;
    struct error err;
    open_to(hang_up, NULL);
    assert_int_equal(call(5000, one, 1, &err), CALL_BROKEN);
    assert_false(grpc_is_usable(connection));
}

static struct reply go_away(const struct request *request) {
    struct reply reply = answer_well(request);
    reply.end = END_GO_AWAY;
    return reply;
}

static void a_server_that_goes_away_still_answers_but_is_asked_no_more(void **state) {
    (void)state;
    struct error err;
    open_to(go_away, NULL);
    assert_int_equal(call(5000, one, 1, &err), CALL_DONE);
    for (int i = 0; i < 2000 && grpc_is_usable(connection); i++)
        usleep(1000);
    assert_false(grpc_is_usable(connection));
}

static struct reply answer_page(const struct request *request) {
    static const char *const statuses[] = {"200", "404", "503", "401"};
    struct reply reply = {.http_status = statuses[request->number % 4],
                          .content_type = "text/html",
                          .end = request->number % 2 == 0 ? END_NOTHING : END_STAY_OPEN};
    reply_add(&reply, "<html>", 6);
    return reply;
}

static void another_service_that_answers_is_recognised(void **state) {
    (void)state;
    struct error err;
    open_to(answer_page, NULL);
    assert_int_equal(call(5000, NULL, 0, &err), CALL_FOREIGN);
    assert_non_null(strstr(err.message, "not Spark Connect"));
    assert_non_null(strstr(err.message, "text/html"));
    assert_int_equal(call(5000, NULL, 0, &err), CALL_FOREIGN);
    // What a proxy in front of the server says.
    assert_int_equal(call(5000, NULL, 0, &err), CALL_STATUS);
    assert_int_equal(grpc_status(connection).code, GRPC_CODE_UNAVAILABLE);
    assert_int_equal(call(5000, NULL, 0, &err), CALL_STATUS);
    assert_int_equal(grpc_status(connection).code, GRPC_CODE_UNAUTHENTICATED);
}

static void a_slow_server_has_until_the_deadline(void **state) {
    (void)state;
    struct error err;
    open_to(stay_open, NULL);
    int64_t began_ms = clock_monotonic_ms();
    // It answers PING; but a third would be too many for gRPC's servers.
    assert_int_equal(call(SEVERAL_SILENCES_MS, one, 1, &err), CALL_LATE);
    int64_t took_ms = clock_monotonic_ms() - began_ms;
    assert_true(took_ms >= SEVERAL_SILENCES_MS && took_ms < 10000);
    assert_int_equal(server.pings, 2);
    assert_int_equal(call(SILENCE_MS, one, 1, &err), CALL_LATE); // it is as good as new
}

static void a_server_that_says_nothing_any_more_is_noticed(void **state) {
    (void)state;
    struct error err;
    open_to(freeze, NULL);
    int64_t began_ms = clock_monotonic_ms();
    assert_int_equal(call(20000, NULL, 0, &err), CALL_BROKEN);
    assert_true(clock_monotonic_ms() - began_ms < 10000);
    assert_non_null(strstr(err.message, "stopped responding"));
}

static void *stop_soon(void *unused) {
    (void)unused;
    usleep(50000);
    stop_request(&stop, STOP_AFTER_BATCH); // not meant for us
    usleep(50000);
    stop_request(&stop, STOP_NOW);
    return NULL;
}

static void a_wait_hears_that_it_is_to_stop_at_once(void **state) {
    (void)state;
    struct error err;
    pthread_t thread;
    open_to(stay_open, NULL);
    stop_init(&stop);
    int64_t began_ms = clock_monotonic_ms();
    assert_int_equal(pthread_create(&thread, NULL, stop_soon, NULL), 0);
    assert_int_equal(call(20000, one, 1, &err), CALL_STOPPED);
    int64_t took_ms = clock_monotonic_ms() - began_ms;
    assert_true(took_ms >= 90 && took_ms < 5000);
    assert_int_equal(err.kind, ERROR_STOPPED);
    assert_int_equal(pthread_join(thread, NULL), 0);
    stop_deinit(&stop);
    stop_init(&stop);
}

static void send_text(int peer, const char *text, size_t size) {
    char bytes[4096];
    (void)recv(peer, bytes, sizeof bytes, 0);
    check(send(peer, text, size, MSG_NOSIGNAL) == (ssize_t)size);
    while (recv(peer, bytes, sizeof bytes, 0) > 0) // until the client has had enough
        continue;
}

static void say_http1(int peer) {
    static const char text[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
    send_text(peer, text, sizeof text - 1);
}

static void say_tls(int peer) {
    send_text(peer, "\x15\x03\x03\x00\x02\x02\x46", 7);
}

static void say_garbage(int peer) {
    static char noise[2000];
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (char)(i * 7919 >> 3);
    send_text(peer, noise, sizeof noise);
}

/* SETTINGS, then HEADERS of a stream that nobody has asked for. */
static void say_half_garbage(int peer) {
    send_text(peer, "\0\0\0\4\0\0\0\0\0\0\0\5\1\4\0\0\0\7\xff\xff\xff\xff\xff", 23);
}

static void a_server_without_http2_is_recognised(void **state) {
    (void)state;
    static const struct {
        void (*raw)(int);
        enum call_outcome outcome;
        const char *says;
    } cases[] = {{say_http1, CALL_FOREIGN, "HTTP/1"},
                 {say_tls, CALL_FOREIGN, "use_ssl=true"},
                 {say_garbage, CALL_FOREIGN, "does not speak HTTP/2"},
                 {say_half_garbage, CALL_BROKEN, ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err;
        open_to(NULL, cases[i].raw);
        assert_int_equal(call(10000, NULL, 0, &err), cases[i].outcome);
        assert_non_null(strstr(err.message, cases[i].says));
        close_all(NULL);
    }
}

static void hang_up_at_once(int peer) {
    (void)peer;
}

static void a_server_that_hangs_up_at_once_is_broken(void **state) {
    (void)state;
    struct error err;
    open_to(NULL, hang_up_at_once);
    assert_int_equal(call(10000, NULL, 0, &err), CALL_BROKEN);
}

static void without_a_server_there_is_no_connection(void **state) {
    (void)state;
    struct error err;
    server_start(&server, answer_well, NULL);
    int port = server.port;
    server_stop(&server);
    server.port = 0;
    static const char *const hosts[] = {"127.0.0.1", "::1", "localhost", "nowhere.invalid"};
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        struct connect_url url = {.host = (char *)hosts[i], .port = port};
        struct grpc_options options = grpc_defaults(&url);
        struct patience patience = patience_for(2000, NULL, NULL);
        enum call_outcome outcome = grpc_open(&options, &patience, &connection, &err);
        // A resolver may be slow to say that it knows of no such host.
        assert_true(outcome == CALL_BROKEN || outcome == CALL_LATE);
    }
}

static void ignore(int peer) {
    char bytes[4096];
    while (recv(peer, bytes, sizeof bytes, 0) > 0)
        continue;
}

static void tls_with_a_server_that_says_nothing_ends_at_the_deadline(void **state) {
    (void)state;
    struct error err;
    server_start(&server, NULL, ignore);
    server.url.use_ssl = true;
    struct grpc_options options = grpc_defaults(&server.url);
    struct patience patience = patience_for(200, NULL, NULL);
    assert_int_equal(grpc_open(&options, &patience, &connection, &err), CALL_LATE);
}

static void tls_with_a_server_that_knows_none_is_refused_at_once(void **state) {
    (void)state;
    struct error err;
    server_start(&server, NULL, say_http1);
    server.url.use_ssl = true;
    struct grpc_options options = grpc_defaults(&server.url);
    struct patience patience = patience_for(10000, NULL, NULL);
    assert_int_equal(grpc_open(&options, &patience, &connection, &err), CALL_REFUSED);
    assert_non_null(strstr(err.message, "does not speak TLS"));
}

int main(void) {
    stop_init(&stop);
#define TEST(name) cmocka_unit_test_teardown(name, close_all)
    const struct CMUnitTest tests[] = {
        TEST(a_call_sends_what_gRPC_needs_and_gets_its_answer),
        TEST(messages_are_whole_however_they_were_cut),
        TEST(a_large_message_comes_through),
        TEST(a_message_without_measure_is_not_waited_for),
        TEST(headers_without_measure_are_not_waited_for),
        TEST(a_compressed_message_is_not_taken_for_a_plain_one),
        TEST(an_error_has_its_code_message_and_details),
        TEST(what_came_before_an_error_is_handed_out),
        TEST(an_answer_without_a_status_is_broken_off),
        TEST(a_connection_that_ends_in_the_middle_is_broken),
        TEST(a_server_that_goes_away_still_answers_but_is_asked_no_more),
        TEST(another_service_that_answers_is_recognised),
        TEST(a_slow_server_has_until_the_deadline),
        TEST(a_server_that_says_nothing_any_more_is_noticed),
        TEST(a_wait_hears_that_it_is_to_stop_at_once),
        TEST(a_server_without_http2_is_recognised),
        TEST(a_server_that_hangs_up_at_once_is_broken),
        TEST(without_a_server_there_is_no_connection),
        TEST(tls_with_a_server_that_says_nothing_ends_at_the_deadline),
        TEST(tls_with_a_server_that_knows_none_is_refused_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
