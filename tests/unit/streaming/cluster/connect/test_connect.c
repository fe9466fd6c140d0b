#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>

#include "base/log/log.h"
#include "base/system/clock.h"
#include "base/text.h"
#include "grpc_server.h"
#include "streaming/cluster/connect/connect.h"
#include "streaming/cluster/connect/rpc_status.pb-c.h"
#include "streaming/cluster/connect/spark_connect.pb-c.h"

#define SERVER_SIDE "server-side-id"

static struct grpc_server server;
static struct connect_session *session;
static char operation[64]; // id, from the first ExecutePlan

/* The requests that Spark gets, in order, and its responses. */
struct line {
    const char *method; // NULL: the end
    struct reply (*answer)(const struct request *request);
};

static const struct line *script;
static atomic_size_t at; // the next line

static struct reply follow_script(const struct request *request) {
    const struct line *line = &script[at];
    const char *method = strrchr(request->path, '/') + 1;
    if (line->method == NULL || strcmp(method, line->method) != 0) {
        fprintf(stderr, "line %zu: %s was called, not %s\n", (size_t)at, method,
                line->method == NULL ? "nothing" : line->method);
        abort();
    }
    struct reply reply = line->answer(request);
    at++;
    return reply;
}

static void add_message(struct reply *reply, const void *message) {
    uint8_t bytes[4096];
    reply_add(reply, bytes, protobuf_c_message_pack(message, bytes));
}

static struct reply nothing(const struct request *request) {
    struct reply reply = {0};
    (void)request;
    reply_add(&reply, NULL, 0);
    return reply;
}

static struct reply version(const struct request *request) {
    Spark__Connect__AnalyzePlanResponse__SparkVersion told =
        SPARK__CONNECT__ANALYZE_PLAN_RESPONSE__SPARK_VERSION__INIT;
    Spark__Connect__AnalyzePlanResponse response = SPARK__CONNECT__ANALYZE_PLAN_RESPONSE__INIT;
    struct reply reply = {0};
    (void)request;
    told.version = (char *)"4.2.0";
    response.server_side_session_id = (char *)SERVER_SIDE;
    response.result_case = SPARK__CONNECT__ANALYZE_PLAN_RESPONSE__RESULT_SPARK_VERSION;
    response.spark_version = &told;
    add_message(&reply, &response);
    return reply;
}

static void check_plan(const struct request *request) {
    Spark__Connect__ExecutePlanRequest *plan =
        spark__connect__execute_plan_request__unpack(NULL, request->size, request->body);
    check(plan != NULL && plan->client_observed_server_side_session_id != NULL);
    check(strcmp(plan->client_observed_server_side_session_id, SERVER_SIDE) == 0);
    check(operation[0] == '\0' || strcmp(operation, plan->operation_id) == 0);
    snprintf(operation, sizeof operation, "%s", plan->operation_id);
    spark__connect__execute_plan_request__free_unpacked(plan, NULL);
}

static void check_attach(const struct request *request, const char *last) {
    Spark__Connect__ReattachExecuteRequest *attach =
        spark__connect__reattach_execute_request__unpack(NULL, request->size, request->body);
    check(attach != NULL && strcmp(attach->operation_id, operation) == 0);
    check(last == NULL ? attach->last_response_id == NULL
                       : strcmp(attach->last_response_id, last) == 0);
    spark__connect__reattach_execute_request__free_unpacked(attach, NULL);
}

static void add_started(struct reply *reply) {
    Spark__Connect__StreamingQueryInstanceId id = SPARK__CONNECT__STREAMING_QUERY_INSTANCE_ID__INIT;
    Spark__Connect__WriteStreamOperationStartResult result =
        SPARK__CONNECT__WRITE_STREAM_OPERATION_START_RESULT__INIT;
    Spark__Connect__ExecutePlanResponse response = SPARK__CONNECT__EXECUTE_PLAN_RESPONSE__INIT;
    id.id = (char *)"query-id";
    id.run_id = (char *)"run-id";
    result.query_id = &id;
    response.response_id = (char *)"first";
    response.response_type_case =
        SPARK__CONNECT__EXECUTE_PLAN_RESPONSE__RESPONSE_TYPE_WRITE_STREAM_OPERATION_START_RESULT;
    response.write_stream_operation_start_result = &result;
    add_message(reply, &response);
}

static void add_complete(struct reply *reply) {
    Spark__Connect__ExecutePlanResponse__ResultComplete complete =
        SPARK__CONNECT__EXECUTE_PLAN_RESPONSE__RESULT_COMPLETE__INIT;
    Spark__Connect__ExecutePlanResponse response = SPARK__CONNECT__EXECUTE_PLAN_RESPONSE__INIT;
    response.response_id = (char *)"last";
    response.response_type_case =
        SPARK__CONNECT__EXECUTE_PLAN_RESPONSE__RESPONSE_TYPE_RESULT_COMPLETE;
    response.result_complete = &complete;
    add_message(reply, &response);
}

static struct reply all(const struct request *request) {
    struct reply reply = {0};
    if (strstr(request->path, "ExecutePlan") != NULL)
        check_plan(request);
    else
        check_attach(request, NULL);
    add_started(&reply);
    add_complete(&reply);
    return reply;
}

static struct reply half(const struct request *request) {
    struct reply reply = {0};
    check_plan(request);
    add_started(&reply);
    return reply;
}

static struct reply half_and_break(const struct request *request) {
    struct reply reply = half(request);
    reply.end = END_HANG_UP;
    return reply;
}

static struct reply break_at_once(const struct request *request) {
    check_plan(request);
    return (struct reply){.end = END_HANG_UP};
}

static struct reply rest(const struct request *request) {
    struct reply reply = {0};
    check_attach(request, "first");
    add_complete(&reply);
    return reply;
}

/* An error as Spark sends it. */
static struct reply error_of(const char *message, const char *error_class, const char *error_id) {
    static uint8_t info_bytes[1024], bytes[2048];
    static char *encoded;
    Google__Rpc__ErrorInfo__MetadataEntry entries[2] = {
        GOOGLE__RPC__ERROR_INFO__METADATA_ENTRY__INIT,
        GOOGLE__RPC__ERROR_INFO__METADATA_ENTRY__INIT};
    Google__Rpc__ErrorInfo__MetadataEntry *entries_at[2] = {&entries[0], &entries[1]};
    Google__Rpc__ErrorInfo info = GOOGLE__RPC__ERROR_INFO__INIT;
    entries[0].key = (char *)"errorClass";
    entries[0].value = (char *)error_class;
    entries[1].key = (char *)"errorId";
    entries[1].value = (char *)error_id;
    info.metadata = entries_at;
    info.n_metadata = error_id == NULL ? 1 : 2;
    Google__Rpc__Any any = GOOGLE__RPC__ANY__INIT, *any_at = &any;
    any.type_url = (char *)"type.googleapis.com/google.rpc.ErrorInfo";
    any.has_value = 1;
    any.value.data = info_bytes;
    any.value.len = google__rpc__error_info__pack(&info, info_bytes);
    Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
    status.message = (char *)message;
    status.details = &any_at;
    status.n_details = 1;
    free(encoded);
    encoded = base64_encode(bytes, google__rpc__status__pack(&status, bytes));
    return (struct reply){
        .end = END_TRAILERS_ONLY, .grpc_status = "13", .grpc_message = "cut", .details = encoded};
}

static struct reply operation_not_found(const struct request *request) {
    check_attach(request, NULL);
    return error_of("[INVALID_HANDLE.OPERATION_NOT_FOUND] The handle is invalid.",
                    "INVALID_HANDLE.OPERATION_NOT_FOUND", NULL);
}

static struct reply session_changed(const struct request *request) {
    (void)request;
    return error_of("[INVALID_HANDLE.SESSION_CHANGED] The server restarted.",
                    "INVALID_HANDLE.SESSION_CHANGED", NULL);
}

static struct reply parse_error(const struct request *request) {
    (void)request;
    return error_of("[PARSE_SYNTAX_ERROR] Syntax error.\n== SQL ==\nx", "PARSE_SYNTAX_ERROR",
                    "e-1");
}

static struct reply details(const struct request *request) {
    Spark__Connect__FetchErrorDetailsRequest *asked =
        spark__connect__fetch_error_details_request__unpack(NULL, request->size, request->body);
    check(asked != NULL && strcmp(asked->error_id, "e-1") == 0);
    spark__connect__fetch_error_details_request__free_unpacked(asked, NULL);
    Spark__Connect__FetchErrorDetailsResponse__Error
        outer = SPARK__CONNECT__FETCH_ERROR_DETAILS_RESPONSE__ERROR__INIT,
        inner = SPARK__CONNECT__FETCH_ERROR_DETAILS_RESPONSE__ERROR__INIT,
        *errors[] = {&inner, &outer};
    char *type = (char *)"a.b.InnerException";
    outer.message = (char *)"[PARSE_SYNTAX_ERROR] Syntax error, in full.";
    outer.has_cause_idx = 1; // 0: the first in the list
    inner.message = (char *)"the reason";
    inner.error_type_hierarchy = &type;
    inner.n_error_type_hierarchy = 1;
    Spark__Connect__FetchErrorDetailsResponse response =
        SPARK__CONNECT__FETCH_ERROR_DETAILS_RESPONSE__INIT;
    response.has_root_error_idx = 1;
    response.root_error_idx = 1;
    response.errors = errors;
    response.n_errors = 2;
    struct reply reply = {0};
    add_message(&reply, &response);
    return reply;
}

static struct reply unavailable(const struct request *request) {
    (void)request;
    return (struct reply){.end = END_TRAILERS_ONLY, .grpc_status = "14", .grpc_message = "busy"};
}

static struct reply unavailable_later(const struct request *request) {
    check_plan(request);
    return unavailable(request);
}

static struct reply unauthenticated(const struct request *request) {
    (void)request;
    return (struct reply){
        .end = END_TRAILERS_ONLY, .grpc_status = "16", .grpc_message = "Invalid token"};
}

static struct reply unimplemented(const struct request *request) {
    (void)request;
    return (struct reply){
        .end = END_TRAILERS_ONLY, .grpc_status = "12", .grpc_message = "Method not found"};
}

static struct reply never(const struct request *request) {
    (void)request;
    return (struct reply){.end = END_STAY_OPEN};
}

static bool open_session(const struct line *lines, int64_t timeout_ms, struct error *err) {
    script = lines;
    at = 0;
    operation[0] = '\0';
    server_start(&server, follow_script, NULL);
    server.url.token = (char *)"s3cr3t";
    const struct connect_options options = {
        .url = &server.url, .logger = "test", .timeout_ms = timeout_ms};
    return connect_open(&options, &session, err);
}

static void must_open(const struct line *lines, int64_t timeout_ms) {
    struct error err;
    if (!open_session(lines, timeout_ms, &err))
        fail_msg("%s", err.message);
}

static int end(void **state) {
    (void)state;
    connect_abandon(session);
    session = NULL;
    if (server.port != 0)
        server_stop(&server);
    server.port = 0;
    return 0;
}

/* The whole script has been played. */
static void assert_over(void) {
    for (int i = 0; i < 2000 && script[at].method != NULL; i++)
        usleep(1000);
    assert_null(script[at].method);
}

static bool start(struct error *err) {
    const struct connect_frame frame = {.format = "rate"};
    const struct connect_stream stream = {
        .name = "probe", .frame = &frame, .format = "parquet", .path = "/table"};
    struct connect_query query;
    *err = (struct error){0};
    if (!connect_start(session, &stream, &query, err))
        return false;
    assert_string_equal(query.id, "query-id");
    assert_string_equal(query.run_id, "run-id");
    return true;
}

static void must_start(void) {
    struct error err;
    if (!start(&err))
        fail_msg("%s", err.message);
}

static void a_session_is_opened_configured_and_released(void **state) {
    (void)state;
    static const struct line lines[] = {
        {"AnalyzePlan", version}, {"Config", nothing}, {"ReleaseSession", nothing}, {NULL}};
    static const struct connect_pair pairs[] = {{"a", "b"}};
    struct error err;
    must_open(lines, 10000);
    assert_string_equal(connect_spark_version(session), "4.2.0");
    assert_int_equal(strlen(connect_session_id(session)), 36);
    assert_true(connect_configure(session, pairs, 1, &err));
    connect_close(session);
    session = NULL;
    assert_over();
}

static void an_executed_operation_is_released(void **state) {
    (void)state;
    static const struct line lines[] = {
        {"AnalyzePlan", version}, {"ExecutePlan", all}, {"ReleaseExecute", nothing}, {NULL}};
    must_open(lines, 10000);
    must_start();
    assert_over();
}

static void a_broken_operation_is_reattached_after_its_last_response(void **state) {
    (void)state;
    static const struct line lines[] = {{"AnalyzePlan", version},
                                        {"ExecutePlan", half_and_break},
                                        {"ReattachExecute", rest},
                                        {"ReleaseExecute", nothing},
                                        {NULL}};
    must_open(lines, 10000);
    must_start();
    assert_over();
    assert_int_equal(server.connections, 2);
}

static void a_stream_that_the_server_ends_early_continues_in_another(void **state) {
    (void)state;
    static const struct line lines[] = {{"AnalyzePlan", version},
                                        {"ExecutePlan", half},
                                        {"ReattachExecute", rest},
                                        {"ReleaseExecute", nothing},
                                        {NULL}};
    must_open(lines, 10000);
    must_start();
    assert_over();
    assert_int_equal(server.connections, 1);
}

static void an_operation_that_arrived_is_not_sent_again(void **state) {
    (void)state;
    static const struct line lines[] = {{"AnalyzePlan", version},
                                        {"ExecutePlan", break_at_once},
                                        {"ReattachExecute", all},
                                        {"ReleaseExecute", nothing},
                                        {NULL}};
    must_open(lines, 10000);
    must_start();
    assert_over();
}

static void an_operation_that_never_arrived_is_sent_again_with_the_same_id(void **state) {
    (void)state;
    static const struct line lines[] = {{"AnalyzePlan", version},
                                        {"ExecutePlan", break_at_once},
                                        {"ReattachExecute", operation_not_found},
                                        {"ExecutePlan", all},
                                        {"ReleaseExecute", nothing},
                                        {NULL}};
    must_open(lines, 10000);
    must_start();
    assert_over();
}

static void a_session_waits_for_a_server_that_is_unavailable_for_a_while(void **state) {
    (void)state;
    static const struct line lines[] = {{"AnalyzePlan", unavailable},
                                        {"AnalyzePlan", version},
                                        {"ExecutePlan", unavailable_later},
                                        {"ReattachExecute", unavailable},
                                        {"ReattachExecute", all},
                                        {"ReleaseExecute", unavailable},
                                        {NULL}};
    char said[4096] = "", name[] = "/tmp/test_connect.XXXXXX";
    int log = mkstemp(name);
    assert_true(log >= 0);
    log_output_set(log);
    must_open(lines, 10000);
    must_start();
    assert_over();
    assert_true(pread(log, said, sizeof said - 1, 0) > 0);
    log_output_set(STDOUT_FILENO);
    close(log);
    unlink(name);
    const char *next =
        strstr(said, "test | WARNING | Spark does not answer yet; retrying at 127.0.0.1:");
    assert_non_null(next);
    next = strstr(next, "busy");
    assert_non_null(next);
    next = strstr(next, " | since=2");
    assert_non_null(next);
    next = strstr(next, " | attempt=1 | retry_in_ms=100 | until=2");
    assert_non_null(next);
    assert_non_null(strstr(next, " (SPARK_CONNECT_TIMEOUT)\n"));
    next = strstr(next, "test | INFO | Connection to Spark restored | server=");
    assert_non_null(next);
    next = strstr(next, "test | WARNING | Connection to Spark lost; retrying at 127.0.0.1:");
    assert_non_null(next);
    next = strstr(next, "test | INFO | Connection to Spark restored | server=");
    assert_non_null(next);
    assert_null(strstr(next, "WARNING"));
    assert_null(strstr(said, "s3cr3t"));
}

static void a_server_that_restarted_has_lost_the_session(void **state) {
    (void)state;
    static const struct line lines[] = {{"AnalyzePlan", version},
                                        {"ExecutePlan", session_changed},
                                        {"ReleaseExecute", nothing},
                                        {NULL}};
    struct error err;
    must_open(lines, 10000);
    assert_false(start(&err));
    assert_int_equal(connect_failure_of(session), CONNECT_SESSION_GONE);
    assert_string_equal(connect_error_class(session), "INVALID_HANDLE.SESSION_CHANGED");
    assert_int_equal(err.kind, ERROR_CLUSTER);
    assert_over();
}

static void an_error_is_reported_with_its_cause(void **state) {
    (void)state;
    static const struct line lines[] = {{"AnalyzePlan", version},
                                        {"ExecutePlan", parse_error},
                                        {"FetchErrorDetails", details},
                                        {"ReleaseExecute", nothing},
                                        {NULL}};
    struct error err;
    must_open(lines, 10000);
    assert_false(start(&err));
    assert_int_equal(connect_failure_of(session), CONNECT_SPARK);
    assert_string_equal(connect_error_class(session), "PARSE_SYNTAX_ERROR");
    assert_string_equal(err.message, "Spark: [PARSE_SYNTAX_ERROR] Syntax error, in full. (cause: "
                                     "InnerException: the reason)");
    assert_over();
}

static void without_details_an_error_is_reported_as_received(void **state) {
    (void)state;
    static const struct line lines[] = {{"AnalyzePlan", version},
                                        {"Config", parse_error},
                                        {"FetchErrorDetails", unavailable},
                                        {NULL}};
    struct error err;
    must_open(lines, 10000);
    assert_false(connect_configure(session, NULL, 0, &err));
    assert_string_equal(err.message, "Spark: [PARSE_SYNTAX_ERROR] Syntax error.");
    assert_over();
}

static void a_token_that_is_not_accepted_is_refused_at_once_and_not_printed(void **state) {
    (void)state;
    static const struct line lines[] = {{"AnalyzePlan", unauthenticated}, {NULL}};
    struct error err;
    assert_false(open_session(lines, 60000, &err));
    assert_int_equal(err.kind, ERROR_CLUSTER);
    assert_non_null(strstr(err.message, "Invalid token"));
    assert_non_null(strstr(err.message, "refused access"));
    assert_null(strstr(err.message, "s3cr3t"));
    assert_over();
}

static void a_service_other_than_spark_connect_is_recognised(void **state) {
    (void)state;
    static const struct line lines[] = {{"AnalyzePlan", unimplemented}, {NULL}};
    struct error err;
    assert_false(open_session(lines, 60000, &err));
    assert_non_null(strstr(err.message, "not Spark Connect: Method not found"));
    assert_over();
}

static void a_call_to_a_server_that_does_not_answer_times_out(void **state) {
    (void)state;
    static const struct line lines[] = {{"AnalyzePlan", version}, {"Config", never}, {NULL}};
    struct error err;
    must_open(lines, 300);
    int64_t began_ms = clock_monotonic_ms();
    assert_false(connect_configure(session, NULL, 0, &err));
    assert_true(clock_monotonic_ms() - began_ms < 5000);
    assert_int_equal(connect_failure_of(session), CONNECT_UNREACHABLE);
    assert_non_null(strstr(err.message, "has not answered for 300 ms"));
}

static void a_response_to_another_request_is_an_error(void **state) {
    (void)state;
    static const struct line lines[] = {
        {"AnalyzePlan", version}, {"ExecutePlan", all}, {"ReleaseExecute", nothing}, {NULL}};
    const struct connect_query query = {.id = "query-id", .run_id = "run-id"};
    struct connect_status status;
    struct error err;
    must_open(lines, 10000);
    assert_false(connect_status(session, &query, &status, &err));
    assert_int_equal(connect_failure_of(session), CONNECT_SPARK);
    assert_over();
}

int main(void) {
#define TEST(name) cmocka_unit_test_teardown(name, end)
    const struct CMUnitTest tests[] = {
        TEST(a_session_is_opened_configured_and_released),
        TEST(an_executed_operation_is_released),
        TEST(a_broken_operation_is_reattached_after_its_last_response),
        TEST(a_stream_that_the_server_ends_early_continues_in_another),
        TEST(an_operation_that_arrived_is_not_sent_again),
        TEST(an_operation_that_never_arrived_is_sent_again_with_the_same_id),
        TEST(a_session_waits_for_a_server_that_is_unavailable_for_a_while),
        TEST(a_server_that_restarted_has_lost_the_session),
        TEST(an_error_is_reported_with_its_cause),
        TEST(without_details_an_error_is_reported_as_received),
        TEST(a_token_that_is_not_accepted_is_refused_at_once_and_not_printed),
        TEST(a_service_other_than_spark_connect_is_recognised),
        TEST(a_call_to_a_server_that_does_not_answer_times_out),
        TEST(a_response_to_another_request_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
