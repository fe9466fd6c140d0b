#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "streaming/cluster/connect/connect_fault.h"
#include "streaming/cluster/connect/grpc.h"
#include "streaming/cluster/connect/rpc_status.pb-c.h"
#include "streaming/cluster/connect/spark_connect.pb-c.h"

typedef Spark__Connect__FetchErrorDetailsResponse__Error detail;
typedef Spark__Connect__FetchErrorDetailsResponse__SparkThrowable throwable;

enum { BYTES_MAX = 4096 };

/* A google.rpc.Status with an ErrorInfo of these pairs. */
static size_t pack_status(uint8_t *bytes, char *message, char *pairs[][2], size_t count) {
    Google__Rpc__ErrorInfo__MetadataEntry entries[4], *entries_at[4];
    uint8_t info_bytes[BYTES_MAX];
    for (size_t i = 0; i < count; i++) {
        google__rpc__error_info__metadata_entry__init(&entries[i]);
        entries[i].key = pairs[i][0];
        entries[i].value = pairs[i][1];
        entries_at[i] = &entries[i];
    }
    Google__Rpc__ErrorInfo info = GOOGLE__RPC__ERROR_INFO__INIT;
    info.metadata = entries_at;
    info.n_metadata = count;
    Google__Rpc__Any any = GOOGLE__RPC__ANY__INIT, *any_at = &any;
    any.type_url = (char *)"type.googleapis.com/google.rpc.ErrorInfo";
    any.has_value = 1;
    any.value.data = info_bytes;
    any.value.len = google__rpc__error_info__pack(&info, info_bytes);
    Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
    status.message = message;
    status.details = &any_at;
    status.n_details = 1;
    return google__rpc__status__pack(&status, bytes);
}

static void the_status_names_class_and_id(void **state) {
    (void)state;
    uint8_t bytes[BYTES_MAX];
    char *pairs[][2] = {{(char *)"errorId", (char *)"e-1"},
                        {(char *)"stackTrace", (char *)"at org.apache"},
                        {(char *)"errorClass", (char *)"DATA_SOURCE_NOT_FOUND"},
                        {(char *)"sqlState", NULL}};
    const struct grpc_status status = {
        .code = 13,
        .message = "short",
        .details = bytes,
        .details_size =
            pack_status(bytes, (char *)"\n [DATA_SOURCE_NOT_FOUND] None.\nat x", pairs, 4)};
    struct connect_fault fault = connect_fault_of_status(&status);
    assert_string_equal(fault.error_class, "DATA_SOURCE_NOT_FOUND");
    assert_string_equal(fault.error_id, "e-1");
    assert_string_equal(fault.message, "[DATA_SOURCE_NOT_FOUND] None.");
}

static void details_that_cannot_be_read_take_nothing_away(void **state) {
    (void)state;
    static const uint8_t noise[] = "\xff\xff\xff\x01 no message at all";
    const struct grpc_status status = {
        .message = "what Spark says", .details = noise, .details_size = sizeof noise};
    struct connect_fault fault = connect_fault_of_status(&status);
    connect_fault_add_details(&fault, noise, sizeof noise);
    assert_string_equal(fault.message, "what Spark says");
    assert_string_equal(fault.error_class, "");
}

/* A chain of errors, the first the outermost; each is the cause of the one before. */
static size_t pack_chain(uint8_t *bytes, const char *const errors[][3], size_t count,
                         int32_t last_cause) {
    detail list[8], *list_at[8];
    throwable throwables[8];
    char *types[8];
    for (size_t i = 0; i < count; i++) {
        spark__connect__fetch_error_details_response__error__init(&list[i]);
        spark__connect__fetch_error_details_response__spark_throwable__init(&throwables[i]);
        types[i] = (char *)errors[i][0];
        list[i].error_type_hierarchy = &types[i];
        list[i].n_error_type_hierarchy = 1;
        list[i].message = (char *)errors[i][1];
        throwables[i].error_class = (char *)errors[i][2];
        list[i].spark_throwable = errors[i][2] == NULL ? NULL : &throwables[i];
        list[i].has_cause_idx = i + 1 < count || last_cause >= 0;
        list[i].cause_idx = i + 1 < count ? (int32_t)i + 1 : last_cause;
        list_at[i] = &list[i];
    }
    Spark__Connect__FetchErrorDetailsResponse response =
        SPARK__CONNECT__FETCH_ERROR_DETAILS_RESPONSE__INIT;
    response.has_root_error_idx = 1;
    response.errors = list_at;
    response.n_errors = count;
    return spark__connect__fetch_error_details_response__pack(&response, bytes);
}

static const char *const chain[][3] = {
    {"org.apache.spark.SparkException", "Job aborted.\n\tat x", "JOB"},
    {"org.apache.spark.sql.kafka010.KafkaIllegalStateException", "lost", "KAFKA_DATA_LOSS.X"},
    {"java.util.concurrent.TimeoutException", "\n Timed out\nat y", NULL}};

static void the_root_cause_is_reported_with_the_deepest_class_of_sparks(void **state) {
    (void)state;
    uint8_t bytes[BYTES_MAX];
    struct connect_fault fault = {.message = "cut", .error_class = "JOB"};
    struct error err;
    connect_fault_add_details(&fault, bytes, pack_chain(bytes, chain, 3, -1));
    assert_string_equal(fault.error_class, "KAFKA_DATA_LOSS.X");
    connect_fault_print(&fault, &err);
    assert_int_equal(err.kind, ERROR_CLUSTER);
    assert_string_equal(err.message, "Spark: Job aborted. (cause: TimeoutException: Timed out)");
}

static void a_chain_that_bites_its_tail_or_leads_nowhere_ends(void **state) {
    (void)state;
    static const int32_t causes[] = {0, 2, 3, 1000, INT32_MAX};
    for (size_t i = 0; i < sizeof causes / sizeof *causes; i++) {
        uint8_t bytes[BYTES_MAX];
        struct connect_fault fault = {.message = "cut"};
        connect_fault_add_details(&fault, bytes, pack_chain(bytes, chain, 3, causes[i]));
        assert_string_equal(fault.message, "Job aborted.");
    }
}

static void an_error_without_a_cause_is_its_message(void **state) {
    (void)state;
    uint8_t bytes[BYTES_MAX];
    struct connect_fault fault = {0};
    struct error err;
    connect_fault_add_details(&fault, bytes, pack_chain(bytes, chain, 1, -1));
    connect_fault_print(&fault, &err);
    assert_string_equal(err.message, "Spark: Job aborted.");
    fault = (struct connect_fault){0};
    connect_fault_print(&fault, &err);
    assert_string_equal(err.message, "Spark: an error without a message");
}

static void a_query_that_ended_is_reported_with_the_last_cause_of_its_trace(void **state) {
    (void)state;
    struct error err;
    struct connect_fault fault = connect_fault_of_query(
        "org.apache.spark.sql.streaming.StreamingQueryException: Writing job aborted\n=== S ===",
        "STREAM_FAILED",
        "org.apache.spark.sql.streaming.StreamingQueryException: Writing job aborted\n\tat x\n"
        "Caused by: org.apache.spark.SparkException: [KAFKA_DATA_LOSS.COULD_NOT_READ_OFFSET_RANGE] "
        "Some data may have been lost\n\tat y\n"
        "Caused by: java.io.IOException: No space left on device\n\tat z\n\t... 3 more\n");
    assert_string_equal(fault.error_class, "KAFKA_DATA_LOSS.COULD_NOT_READ_OFFSET_RANGE");
    connect_fault_print(&fault, &err);
    assert_string_equal(err.message,
                        "Spark: Writing job aborted (cause: IOException: No space left on device)");
}

static void what_the_message_says_already_is_not_repeated(void **state) {
    (void)state;
    struct error err;
    struct connect_fault fault = connect_fault_of_query(
        "a.b.StreamingQueryException: [X_Y] asked for", "STREAM_FAILED",
        "a.b.StreamingQueryException: [X_Y] asked for\nCaused by: a.b.C: [X_Y] asked for\n");
    assert_string_equal(fault.error_class, "X_Y");
    connect_fault_print(&fault, &err);
    assert_string_equal(err.message, "Spark: [X_Y] asked for");
}

static void a_query_that_tells_nothing_is_an_error_still(void **state) {
    (void)state;
    struct connect_fault fault = connect_fault_of_query(NULL, NULL, NULL);
    assert_string_equal(fault.message, "");
    fault = connect_fault_of_query("Caused by: ", "", "Caused by: Caused by: \nCaused by: [");
    assert_string_equal(fault.error_class, "");
}

static void a_long_line_is_cut_between_characters(void **state) {
    (void)state;
    char text[2000];
    for (size_t i = 0; i + 2 < sizeof text; i += 2)
        memcpy(text + i, "ü", 3);
    struct connect_fault fault = connect_fault_of_query(text, NULL, NULL);
    assert_int_equal(strlen(fault.message), CONNECT_FAULT_TEXT_MAX - 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_status_names_class_and_id),
        cmocka_unit_test(details_that_cannot_be_read_take_nothing_away),
        cmocka_unit_test(the_root_cause_is_reported_with_the_deepest_class_of_sparks),
        cmocka_unit_test(a_chain_that_bites_its_tail_or_leads_nowhere_ends),
        cmocka_unit_test(an_error_without_a_cause_is_its_message),
        cmocka_unit_test(a_query_that_ended_is_reported_with_the_last_cause_of_its_trace),
        cmocka_unit_test(what_the_message_says_already_is_not_repeated),
        cmocka_unit_test(a_query_that_tells_nothing_is_an_error_still),
        cmocka_unit_test(a_long_line_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
