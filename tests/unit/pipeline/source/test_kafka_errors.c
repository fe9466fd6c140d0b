#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <librdkafka/rdkafka.h>
#include <string.h>

#include "pipeline/source/kafka_errors.h"

static void expect(const char *report, const char *begin, const char *part) {
    char text[512];
    kafka_report_text(report, text, sizeof text);
    if (strncmp(text, begin, strlen(begin)) != 0 || strstr(text, part) == NULL)
        fail_msg("'%s' does not begin with '%s' and say '%s'", text, begin, part);
    assert_null(strstr(text, "api.version.request"));
    assert_null(strstr(text, "identical error"));
    assert_null(strstr(text, "ms in state"));
}

static void a_broker_that_is_frozen_is_described_in_our_words(void **state) {
    (void)state;
    static const char *const reports[] = {
        "k:9092/bootstrap: ApiVersionRequest failed: Local: Timed out: probably due to broker "
        "version < 0.10 (see api.version.request configuration) (after 10004ms in state "
        "APIVERSION_QUERY, 115 identical error(s) suppressed)",
        "k:9092/1: 3 request(s) timed out: disconnect (average rtt 60.123ms) (after 90000ms in "
        "state UP)",
        "sasl_ssl://k:9092/1: Connection setup timed out in state SSL_HANDSHAKE (after 30025ms in "
        "state SSL_HANDSHAKE)",
    };
    expect(reports[0], "k:9092/bootstrap: the broker accepted the connection but does not answer",
           "check its log, CPU and disk");
    expect(reports[1], "k:9092/1: the broker accepted the connection but does not answer",
           "raise KAFKA_CONF_socket_timeout_ms");
    expect(reports[2], "sasl_ssl://k:9092/1: the broker accepted the connection but does not ", "");
    expect("k:9092/1: Connection setup timed out in state CONNECT (after 30025ms in state CONNECT)",
           "k:9092/1: the connection was not accepted in time", "firewall");
}

static void tls_and_plaintext_at_one_port_are_named(void **state) {
    (void)state;
    expect("ssl://k:9092/bootstrap: SSL handshake failed: error:0A000126:SSL routines::unexpected "
           "eof while reading: (after 3ms in state SSL_HANDSHAKE)",
           "ssl://k:9092/bootstrap: SSL handshake failed: error:0A000126:SSL routines::unexpected ",
           "a plaintext listener");
    expect("ssl://k:9092/bootstrap: SSL handshake failed: Disconnected: connecting to a PLAINTEXT "
           "broker listener? (after 68ms in state SSL_HANDSHAKE)",
           "ssl://k:9092/bootstrap: the broker closed the connection during the TLS handshake; ",
           "KAFKA_SECURITY_PROTOCOL");
    expect("k:9093/bootstrap: Disconnected while requesting ApiVersion: might be caused by "
           "incorrect security.protocol configuration (connecting to a SSL listener?) or broker "
           "version is < 0.10 (see api.version.request) (after 8ms in state APIVERSION_QUERY)",
           "k:9093/bootstrap: the broker closed the connection", "KAFKA_SECURITY_PROTOCOL");
}

static void an_answer_of_an_impossible_size_may_be_no_brokers(void **state) {
    (void)state;
    expect("k:8080/bootstrap: Receive failed: Invalid response size 1213486160 (0..67108864): "
           "increase receive.message.max.bytes (after 2ms in state APIVERSION_QUERY)",
           "k:8080/bootstrap: Receive failed: Invalid response size 1213486160",
           "check that a Kafka broker listens there");
}

static void other_reasons_stay_without_times_and_counts(void **state) {
    (void)state;
    char text[512];
    kafka_report_text("[::1]:9092/2: Connect to ipv6#[::1]:9092 failed: Connection refused (after "
                      "0ms in state CONNECT, 4 identical error(s) suppressed)",
                      text, sizeof text);
    assert_string_equal(text,
                        "[::1]:9092/2: Connect to ipv6#[::1]:9092 failed: Connection refused");
    kafka_report_text("the broker fell (after lunch)", text, sizeof text);
    assert_string_equal(text, "the broker fell (after lunch)");
    kafka_report_text("short", text, 4);
    assert_string_equal(text, "sho");
}

static void a_request_that_was_not_answered_or_not_sent_is_not_damage(void **state) {
    (void)state;
    assert_int_equal(kafka_error_kind(RD_KAFKA_RESP_ERR__TIMED_OUT), ERROR_BROKER);
    assert_int_equal(kafka_error_kind(RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE), ERROR_BROKER);
    assert_string_equal(kafka_error_text(RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE),
                        "no broker answered in time");
}

static void a_code_without_an_answer_is_not_shown_in_librdkafkas_words(void **state) {
    (void)state;
    assert_string_equal(kafka_error_text(RD_KAFKA_RESP_ERR__TIMED_OUT),
                        "no broker answered in time");
    assert_string_equal(kafka_error_text(RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE),
                        "Broker: Leader not available");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broker_that_is_frozen_is_described_in_our_words),
        cmocka_unit_test(tls_and_plaintext_at_one_port_are_named),
        cmocka_unit_test(an_answer_of_an_impossible_size_may_be_no_brokers),
        cmocka_unit_test(other_reasons_stay_without_times_and_counts),
        cmocka_unit_test(a_request_that_was_not_answered_or_not_sent_is_not_damage),
        cmocka_unit_test(a_code_without_an_answer_is_not_shown_in_librdkafkas_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
