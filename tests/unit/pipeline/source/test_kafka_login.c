#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include "pipeline/source/kafka_login.h"

#define ALL "gzip,snappy,ssl,sasl,regex,lz4,sasl_gssapi,sasl_plain,sasl_scram,plugins,zstd"

static const struct kafka_library debian_12 = {0x020002ff, "2.0.2", ALL ",sasl_oauthbearer"};
static const struct kafka_library debian_13 = {0x020800ff, "2.8.0",
                                               ALL ",sasl_oauthbearer,http,oidc"};
static const struct kafka_library bare = {0x020800ff, "2.8.0", "gzip,ssl"};

enum { MOST = 4 };

struct login {
    struct kafka_property properties[MOST];
    const struct kafka_library *library;
    size_t at;          // the property that is at fault
    const char *reason; // NULL: it can work
    bool warned;
};

#define PROTOCOL(value)                                                                            \
    { "security.protocol", value, false }
#define MECHANISM(value)                                                                           \
    { "sasl.mechanism", value, false }
#define METHOD(value)                                                                              \
    { "sasl.oauthbearer.method", value, false }

static const struct login logins[] = {
    {{{0}}, &bare, 0, NULL, false},
    {{PROTOCOL("SASL_SSL"), MECHANISM("PLAIN")}, &debian_12, 0, NULL, false},
    {{PROTOCOL("sasl_ssl"), MECHANISM("PLAIN")}, &bare, 1, "2.8.0 was built without PLAIN", false},
    {{PROTOCOL("SASL_SSL"), MECHANISM("SCRAM-SHA-512")}, &debian_12, 0, NULL, true},
    {{PROTOCOL("SASL_SSL"), {"sasl.mechanisms", "scram-sha-256", false}},
     &debian_12,
     0,
     NULL,
     true},
    {{PROTOCOL("SASL_SSL"), MECHANISM("SCRAM-SHA-512")}, &debian_13, 0, NULL, false},
    {{PROTOCOL("SASL_SSL"), MECHANISM("GSSAPI")}, &bare, 1, "without GSSAPI", false},
    // Without a log-in by SASL the mechanism means nothing.
    {{PROTOCOL("SSL"), MECHANISM("SCRAM-SHA-512")}, &debian_12, 0, NULL, false},
    {{MECHANISM("OAUTHBEARER")}, &debian_12, 0, NULL, false},
    {{PROTOCOL("SASL_SSL"), MECHANISM("OAUTHBEARER"), METHOD("oidc")}, &debian_13, 0, NULL, false},
    {{PROTOCOL("SASL_SSL"), MECHANISM("OAUTHBEARER"), METHOD("oidc")},
     &debian_12,
     2,
     "librdkafka 2.0.2 was built without OIDC: ",
     false},
    {{METHOD("default")}, &debian_12, 0, "without OIDC: ", false},
    {{{"sasl.oauthbearer.client.id", "me", false}}, &debian_12, 0, "without OIDC: ", false},
    {{PROTOCOL("SASL_SSL"), MECHANISM("oauthbearer")},
     &debian_12,
     1,
     "without OIDC, which OAUTHBEARER needs to get tokens",
     false},
    {{PROTOCOL("SASL_SSL"), MECHANISM("OAUTHBEARER")},
     &debian_13,
     1,
     "set KAFKA_SASL_OAUTHBEARER_METHOD=oidc, ",
     false},
    {{PROTOCOL("SASL_SSL"), MECHANISM("OAUTHBEARER"), {"sasl.oauthbearer.config", "sub=me", true}},
     &debian_12,
     1,
     "without OIDC, which OAUTHBEARER needs",
     false},
    {{PROTOCOL("SASL_SSL"),
      MECHANISM("OAUTHBEARER"),
      {"enable.sasl.oauthbearer.unsecure.jwt", "true", false},
      {"sasl.oauthbearer.config", "sub=me", true}},
     &debian_12,
     0,
     NULL,
     false},
};

static void a_login_that_can_not_work_is_refused_with_the_reason(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof logins / sizeof logins[0]; i++) {
        const struct login *login = &logins[i];
        size_t count = 0, at = 0;
        struct error err = {0};
        while (count < MOST && login->properties[count].name != NULL)
            count++;
        bool works = kafka_login_check(login->properties, count, login->library, &at, &err);
        assert_int_equal(works, login->reason == NULL);
        if (!works && login->reason != NULL) {
            assert_int_equal(err.kind, ERROR_CONFIG);
            assert_int_equal(at, login->at);
            assert_non_null(strstr(err.message, login->reason));
        }
        const char *warning = kafka_login_warning(login->properties, count, login->library);
        assert_int_equal(warning != NULL, login->warned);
    }
}

static void the_loaded_library_has_a_version_and_features(void **state) {
    (void)state;
    struct kafka_library library = kafka_library_loaded();
    const struct kafka_property plain[] = {PROTOCOL("SASL_SSL"), MECHANISM("PLAIN")};
    struct error err;
    size_t at;
    assert_true(library.version > 0x020000ff);
    assert_non_null(strchr(library.version_text, '.'));
    assert_true(kafka_login_check(plain, 2, &library, &at, &err));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_login_that_can_not_work_is_refused_with_the_reason),
        cmocka_unit_test(the_loaded_library_has_a_version_and_features),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
