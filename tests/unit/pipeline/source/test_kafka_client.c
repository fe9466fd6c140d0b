#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>
#include <string.h>

#include "base/system/clock.h"
#include "pipeline/source/kafka_client.h"

static const struct kafka_limits limits = {1 << 20, 1 << 20, 1 << 20, 1 << 20};

static bool open_with(struct kafka_property property, struct kafka_client *client,
                      struct error *err) {
    struct kafka_settings settings = {
        .bootstrap_servers = "127.0.0.1:1", .properties = &property, .property_count = 1};
    return kafka_client_open(client, &settings, &limits, err);
}

static void what_the_engine_rests_on_cannot_be_set(void **state) {
    (void)state;
    const char *const ours[] = {
        "group.id",        "enable.auto.commit",         "auto.offset.reset",
        "check.crcs",      "enable.partition.eof",       "bootstrap.servers",
        "fetch.max.bytes", "queued.max.messages.kbytes", "enabled_events"};
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        struct kafka_client client;
        struct error err;
        const char *why = NULL;
        assert_true(kafka_property_is_ours(ours[i], &why));
        assert_non_null(why);
        assert_false(open_with((struct kafka_property){.name = (char *)ours[i], .value = "1"},
                               &client, &err));
        assert_int_equal(err.kind, ERROR_CONFIG);
        assert_non_null(strstr(err.message, ours[i]));
        assert_non_null(strstr(err.message, why));
    }
    const char *const theirs[] = {
        "security.protocol", "sasl.username", "isolation.level", "client.id", "fetch.wait.max.ms",
        "socket.timeout.ms", "debug"};
    for (size_t i = 0; i < sizeof theirs / sizeof theirs[0]; i++)
        assert_false(kafka_property_is_ours(theirs[i], NULL));
}

static void a_refused_property_is_named_and_a_secret_value_is_not(void **state) {
    (void)state;
    const struct {
        struct kafka_property property;
        const char *says, *says_not;
    } cases[] = {
        {{.name = "no.such.thing", .value = "x"}, "no.such.thing", NULL},
        {{.name = "isolation.level", .value = "dirty"}, "dirty", NULL},
        {{.name = "security.protocol", .value = "hunter2", .secret = true},
         "security.protocol",
         "hunter2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kafka_client client;
        struct error err;
        assert_false(open_with(cases[i].property, &client, &err));
        assert_int_equal(err.kind, ERROR_CONFIG);
        assert_non_null(strstr(err.message, cases[i].says));
        assert_true(cases[i].says_not == NULL || strstr(err.message, cases[i].says_not) == NULL);
    }
}

static void a_log_in_without_a_mechanism_says_what_to_set(void **state) {
    (void)state;
    struct kafka_client client;
    struct error err;
    assert_false(
        open_with((struct kafka_property){.name = "security.protocol", .value = "sasl_plaintext"},
                  &client, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_non_null(strstr(err.message, "set KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and "));
}

static atomic_int lines;

static void count_line(int severity, const char *text) {
    (void)severity, (void)text;
    atomic_fetch_add(&lines, 1);
}

static void trouble_names_broker_and_error_until_it_is_forgotten(void **state) {
    (void)state;
    struct kafka_property debug = {.name = "debug", .value = "broker"};
    struct kafka_settings settings = {.bootstrap_servers = "127.0.0.1:1",
                                      .properties = &debug,
                                      .property_count = 1,
                                      .log = count_line};
    struct kafka_client client;
    struct error err;
    char text[KAFKA_TROUBLE_MAX];
    assert_true(kafka_client_open(&client, &settings, &limits, &err));
    int64_t until = clock_monotonic_ms() + 20000;
    while (kafka_client_trouble(&client, text, sizeof text) == 0 && clock_monotonic_ms() < until)
        kafka_client_refill(&client); // harmless in every state
    assert_non_null(strstr(text, "127.0.0.1:1"));
    assert_true(atomic_load(&lines) > 0);
    assert_false(kafka_client_was_refused(&client));
    assert_false(kafka_client_met_too_large(&client));

    kafka_client_note_trouble(&client, "the roof is on fire");
    assert_true(kafka_client_trouble(&client, text, sizeof text) >= 2);
    assert_string_equal(text, "the roof is on fire");
    kafka_client_forget_trouble(&client);
    assert_int_equal(kafka_client_trouble(&client, text, 4), 0);
    assert_string_equal(text, "");
    kafka_client_close(&client);
    kafka_client_close(&client); // and again
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_engine_rests_on_cannot_be_set),
        cmocka_unit_test(a_refused_property_is_named_and_a_secret_value_is_not),
        cmocka_unit_test(a_log_in_without_a_mechanism_says_what_to_set),
        cmocka_unit_test(trouble_names_broker_and_error_until_it_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
