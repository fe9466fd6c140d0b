#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "streaming/cluster/spark/kafka_options.h"

enum { PROPERTIES_MAX = 8, TEXT_MAX = 4096 };

struct pair {
    const char *name, *value;
};

static struct kafka_options options;
static struct error err;

static bool make(const struct pair *pairs) {
    struct kafka_property properties[PROPERTIES_MAX];
    size_t count = 0;
    for (; pairs[count].name != NULL; count++)
        properties[count] =
            (struct kafka_property){(char *)pairs[count].name, (char *)pairs[count].value, false};
    err = (struct error){0};
    return kafka_options_make(properties, count, &options, &err);
}

#define PAIRS(...) ((const struct pair[]){__VA_ARGS__, {NULL, NULL}})

static int teardown(void **state) {
    (void)state;
    kafka_options_deinit(&options);
    return 0;
}

/* All options, "name=value" and '\n' each. */
static const char *listed(void) {
    static char text[TEXT_MAX];
    size_t used = 0;
    for (size_t i = 0; i < options.count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s=%s\n",
                                 options.options[i].name, options.options[i].value);
    return text;
}

static bool is_secret(const char *name) {
    for (size_t i = 0; i < options.count; i++)
        if (strcmp(options.options[i].name, name) == 0)
            return options.options[i].secret;
    fail_msg("no option %s", name);
    return false;
}

/* A file with this text; the caller removes it. */
static char *write_file(const char *text) {
    static char paths[4][64];
    static int next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, sizeof paths[0], "/tmp/test_kafka_options.XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    return path;
}

static void each_property_has_its_name_in_java(void **state) {
    (void)state;
    static const struct {
        struct pair given[3];
        const char *expected; // besides isolation.level
    } cases[] = {
        {{{"client.id", "me"}}, "kafka.client.id=me\n"},
        {{{"client.rack", "a"}}, "kafka.client.rack=a\n"},
        {{{"fetch.wait.max.ms", "50"}}, "kafka.fetch.max.wait.ms=50\n"},
        {{{"fetch.min.bytes", "9"}}, "kafka.fetch.min.bytes=9\n"},
        {{{"session.timeout.ms", "9"}}, "kafka.session.timeout.ms=9\n"},
        {{{"reconnect.backoff.max.ms", "9"}}, "kafka.reconnect.backoff.max.ms=9\n"},
        {{{"security.protocol", "ssl"}}, "kafka.security.protocol=SSL\n"},
        {{{"security.protocol", "ssl"}, {"ssl.endpoint.identification.algorithm", "none"}},
         "kafka.ssl.endpoint.identification.algorithm=\nkafka.security.protocol=SSL\n"},
        {{{"security.protocol", "ssl"}, {"ssl.endpoint.identification.algorithm", "https"}},
         "kafka.ssl.endpoint.identification.algorithm=https\nkafka.security.protocol=SSL\n"},
        {{{"security.protocol", "ssl"}, {"enable.ssl.certificate.verification", "true"}},
         "kafka.security.protocol=SSL\n"},
        {{{"security.protocol", "ssl"}, {"ssl.ca.location", "probe"}},
         "kafka.security.protocol=SSL\n"},
        {{{"security.protocol", "plaintext"}, {"ssl.ca.location", "/nowhere"}},
         "kafka.security.protocol=PLAINTEXT\n"},
        {{{"sasl.username", "u"}, {"sasl.password", "p"}}, ""}, // no protocol: no log-in
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char expected[TEXT_MAX];
        if (!make(cases[i].given))
            fail_msg("%s: %s", cases[i].given[0].name, err.message);
        const char *level = "kafka.isolation.level=read_committed\n";
        bool tls = strstr(cases[i].expected, "security.protocol") != NULL;
        snprintf(expected, sizeof expected, "%s%s", tls ? level : cases[i].expected,
                 tls ? cases[i].expected : level);
        assert_string_equal(listed(), expected);
        kafka_options_deinit(&options);
    }
}

static void committed_records_alone_are_read_unless_asked_otherwise(void **state) {
    (void)state;
    assert_true(make(PAIRS({"isolation.level", "read_uncommitted"})));
    assert_string_equal(listed(), "kafka.isolation.level=read_uncommitted\n");
    kafka_options_deinit(&options);
    assert_true(make((const struct pair[]){{NULL, NULL}}));
    assert_string_equal(listed(), "kafka.isolation.level=read_committed\n");
}

static void what_only_librdkafka_has_is_left_out_by_name(void **state) {
    (void)state;
    assert_true(make(PAIRS({"socket.timeout.ms", "9"}, {"debug", "all"}, {"log_level", "7"},
                           {"statistics.interval.ms", "9"}, {"client.id", "me"})));
    assert_string_equal(listed(), "kafka.client.id=me\nkafka.isolation.level=read_committed\n");
    assert_int_equal(options.left_out_count, 4);
    assert_string_equal(options.left_out[0], "socket.timeout.ms");
    assert_string_equal(options.left_out[3], "statistics.interval.ms");
}

static void a_password_becomes_a_jaas_configuration_with_every_byte_of_it(void **state) {
    (void)state;
    assert_true(
        make(PAIRS({"security.protocol", "SASL_SSL"}, {"sasl.mechanism", "SCRAM-SHA-512"},
                   {"sasl.username", "us\"er"}, {"sasl.password", "a\\b\"c;\td=\xc3\xa4"})));
    assert_non_null(strstr(listed(), "kafka.security.protocol=SASL_SSL\n"
                                     "kafka.sasl.mechanism=SCRAM-SHA-512\n"
                                     "kafka.sasl.jaas.config=org.apache.kafka.common.security.scram"
                                     ".ScramLoginModule required username=\"us\\\"er\" "
                                     "password=\"a\\\\b\\\"c;\\011d=\xc3\xa4\";\n"));
    assert_true(is_secret("kafka.sasl.jaas.config"));
    kafka_options_deinit(&options);

    assert_true(make(PAIRS({"security.protocol", "sasl_plaintext"}, {"sasl.mechanisms", "PLAIN"},
                           {"sasl.username", "u"}, {"sasl.password", "p"})));
    assert_non_null(strstr(listed(), "plain.PlainLoginModule required username=\"u\" "
                                     "password=\"p\";\n"));
}

static void kerberos_logs_in_with_a_keytab(void **state) {
    (void)state;
    assert_true(make(PAIRS({"security.protocol", "SASL_SSL"}, {"sasl.kerberos.keytab", "/k"},
                           {"sasl.kerberos.principal", "me@REALM"},
                           {"sasl.kerberos.service.name", "kafka"})));
    assert_non_null(strstr(listed(), "kafka.sasl.kerberos.service.name=kafka\n"));
    assert_non_null(strstr(listed(), "kafka.sasl.mechanism=GSSAPI\n"));
    assert_non_null(strstr(listed(), "Krb5LoginModule required useKeyTab=true storeKey=true "
                                     "keyTab=\"/k\" principal=\"me@REALM\";\n"));
}

static void pem_files_are_handed_on_as_their_text(void **state) {
    (void)state;
    char *ca = write_file("-----BEGIN CERTIFICATE-----\nCA\n-----END CERTIFICATE-----\n");
    char *chain = write_file("-----BEGIN CERTIFICATE-----\nME\n-----END CERTIFICATE-----\n");
    char *key = write_file("-----BEGIN ENCRYPTED PRIVATE KEY-----\nK\n-----END ENCRYPTED PRIVATE "
                           "KEY-----\n");
    bool ok = make(PAIRS({"security.protocol", "ssl"}, {"ssl.ca.location", ca},
                         {"ssl.certificate.location", chain}, {"ssl.key.location", key},
                         {"ssl.key.password", "geheim"}));
    unlink(ca);
    unlink(chain);
    unlink(key);
    assert_true(ok);
    assert_non_null(strstr(listed(), "kafka.ssl.truststore.type=PEM\n"));
    assert_non_null(strstr(listed(), "kafka.ssl.truststore.certificates=-----BEGIN CERTIFICATE"
                                     "-----\nCA\n"));
    assert_non_null(strstr(listed(), "kafka.ssl.keystore.type=PEM\n"));
    assert_non_null(strstr(listed(), "kafka.ssl.keystore.certificate.chain=-----BEGIN CERTIFICATE"
                                     "-----\nME\n"));
    assert_non_null(strstr(listed(), "kafka.ssl.keystore.key=-----BEGIN ENCRYPTED PRIVATE KEY"));
    assert_non_null(strstr(listed(), "kafka.ssl.key.password=geheim\n"));
    assert_true(is_secret("kafka.ssl.keystore.key"));
    assert_true(is_secret("kafka.ssl.key.password"));
    assert_false(is_secret("kafka.ssl.truststore.certificates"));
}

static void a_keystore_of_pkcs12_is_handed_on_as_its_path(void **state) {
    (void)state;
    assert_true(make(PAIRS({"security.protocol", "ssl"}, {"ssl.keystore.location", "/k.p12"},
                           {"ssl.keystore.password", "geheim"})));
    assert_non_null(strstr(listed(), "kafka.ssl.keystore.type=PKCS12\n"
                                     "kafka.ssl.keystore.location=/k.p12\n"
                                     "kafka.ssl.keystore.password=geheim\n"));
    assert_true(is_secret("kafka.ssl.keystore.password"));
}

#define RSA_KEY "-----BEGIN RSA PRIVATE KEY-----\ngeheim\n-----END RSA PRIVATE KEY-----\n"
#define PBES2_KEY                                                                                  \
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAi\n"
#define LOCKED "-----BEGIN ENCRYPTED PRIVATE KEY-----\ngeheim\n"

static void what_would_be_weaker_is_refused_without_a_secret(void **state) {
    (void)state;
    static const struct {
        struct pair given[PROPERTIES_MAX];
        const char *expected;
    } cases[] = {
        {{{"security.protocol", "ssl"}, {"enable.ssl.certificate.verification", "false"}},
         "always verifies"},
        {{{"ssl.cipher.suites", "x"}}, "Java uses other names for ciphers"},
        {{{"ssl.crl.location", "x"}}, "Java does not read revocation lists"},
        {{{"ssl.engine.id", "x"}}, "OpenSSL engines"},
        {{{"ssl.of.tomorrow", "geheim"}}, "'ssl.of.tomorrow'"},
        {{{"sasl.oauthbearer.method", "oidc"}}, "'sasl.oauthbearer.method'"},
        {{{"security.protocol", "sasl_ssl"}, {"sasl.mechanism", "OAUTHBEARER"}}, "OAUTHBEARER"},
        {{{"security.protocol", "sasl_ssl"}}, "KAFKA_SASL_KERBEROS_KEYTAB"},
        {{{"security.protocol", "sasl_ssl"},
          {"sasl.mechanism", "PLAIN"},
          {"sasl.password", "geheim"}},
         "sasl.username is not set"},
        {{{"security.protocol", "ssl"}, {"ssl.ca.location", "/no/such/file"}}, "does not exist"},
        {{{"security.protocol", "ssl"}, {"ssl.ca.location", "/tmp"}}, "'/tmp'"},
        {{{"security.protocol", "ssl"}, {"ssl.ca.location", "/etc/hostname"}}, "is not a PEM file"},
        {{{"security.protocol", "ssl"}, {"ssl.key.pem", RSA_KEY}}, "needs both"},
        {{{"security.protocol", "ssl"}, {"ssl.key.pem", RSA_KEY}, {"ssl.certificate.pem", "x"}},
         "openssl pkcs8 -topk8"},
        {{{"security.protocol", "ssl"}, {"ssl.key.pem", LOCKED}, {"ssl.certificate.pem", "x"}},
         "KAFKA_SSL_KEY_PASSWORD"},
        {{{"security.protocol", "ssl"},
          {"ssl.key.pem", PBES2_KEY},
          {"ssl.key.password", "geheim"},
          {"ssl.certificate.pem", "x"}},
         "encrypted with PBES2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool made = make(cases[i].given);
        if (made || err.kind != ERROR_CONFIG || strstr(err.message, cases[i].expected) == NULL)
            fail_msg("case %zu, expected '%s': %s", i, cases[i].expected, err.message);
        assert_null(strstr(err.message, "geheim"));
        assert_int_equal(options.count, 0);
    }
}

#define FACT(name) cmocka_unit_test_teardown(name, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        FACT(each_property_has_its_name_in_java),
        FACT(committed_records_alone_are_read_unless_asked_otherwise),
        FACT(what_only_librdkafka_has_is_left_out_by_name),
        FACT(a_password_becomes_a_jaas_configuration_with_every_byte_of_it),
        FACT(kerberos_logs_in_with_a_keytab),
        FACT(pem_files_are_handed_on_as_their_text),
        FACT(a_keystore_of_pkcs12_is_handed_on_as_its_path),
        FACT(what_would_be_weaker_is_refused_without_a_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
