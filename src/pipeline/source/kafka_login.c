/* Each mechanism of SASL, and OIDC, is a feature that librdkafka was built with or without
 * ("builtin.features"). OAUTHBEARER also needs somebody who gets tokens, which is OIDC, or the
 * unsecured tokens that brokers take for tests. */
#include "pipeline/source/kafka_login.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"

enum {
    SCRAM_AT_KAFKA_4 = 0x020601ff, // before, it sends its nonce twice, which Kafka 4 refuses
    FEATURES_MAX = 1024,
};

static const struct {
    const char *mechanism, *feature;
} mechanisms[] = {
    {"PLAIN", "sasl_plain"},   {"SCRAM-SHA-256", "sasl_scram"},     {"SCRAM-SHA-512", "sasl_scram"},
    {"GSSAPI", "sasl_gssapi"}, {"OAUTHBEARER", "sasl_oauthbearer"},
};

static const char another_way[] = "run the program on Debian 13 or from the container image, which "
                                  "support it, or use another mechanism or a client certificate";

static char features[FEATURES_MAX];
static pthread_once_t features_once = PTHREAD_ONCE_INIT;

static void read_features(void) {
    size_t size = sizeof features;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    check(rd_kafka_conf_get(conf, "builtin.features", features, &size) == RD_KAFKA_CONF_OK);
    rd_kafka_conf_destroy(conf);
}

struct kafka_library kafka_library_loaded(void) {
    check(pthread_once(&features_once, read_features) == 0);
    return (struct kafka_library){rd_kafka_version(), rd_kafka_version_str(), features};
}

static bool has_feature(const struct kafka_library *library, const char *name) {
    size_t size = strlen(name);
    const char *at = library->features;
    for (; at != NULL; at = strchr(at, ',')) {
        at += *at == ',' ? 1 : 0;
        if (strncmp(at, name, size) == 0 && (at[size] == ',' || at[size] == '\0'))
            return true;
    }
    return false;
}

/* Its place, or `count`. */
static size_t find(const struct kafka_property *properties, size_t count, const char *name) {
    size_t at = 0;
    while (at < count && strcmp(properties[at].name, name) != 0)
        at++;
    return at;
}

static bool has_value(const struct kafka_property *properties, size_t count, const char *name,
                      const char *value) {
    size_t at = find(properties, count, name);
    return at < count && strcasecmp(properties[at].value, value) == 0;
}

/* The property that names the mechanism, by either of its names; `count`: none, or no log-in by
 * SASL is asked for. */
static size_t find_mechanism(const struct kafka_property *properties, size_t count) {
    size_t protocol = find(properties, count, "security.protocol");
    if (protocol == count || strncasecmp(properties[protocol].value, "SASL_", 5) != 0)
        return count;
    size_t at = find(properties, count, "sasl.mechanism");
    return at < count ? at : find(properties, count, "sasl.mechanisms");
}

bool kafka_login_is_by(const struct kafka_property *properties, size_t count,
                       const char *mechanism) {
    size_t at = find_mechanism(properties, count), size = strlen(mechanism);
    return at < count && strncasecmp(properties[at].value, mechanism, size) == 0;
}

/* Whether only a librdkafka with OIDC has the property. */
static bool is_of_oidc(const char *name) {
    static const char prefix[] = "sasl.oauthbearer.";
    return strncmp(name, prefix, sizeof prefix - 1) == 0 &&
           strcmp(name, "sasl.oauthbearer.config") != 0;
}

bool kafka_login_refuses(const char *name, const struct kafka_library *library) {
    return is_of_oidc(name) && !has_feature(library, "oidc");
}

/* The first that is of OIDC; `count`: none. */
static size_t find_oidc(const struct kafka_property *properties, size_t count) {
    size_t at = 0;
    while (at < count && !is_of_oidc(properties[at].name))
        at++;
    return at;
}

static bool set_not_built(const struct kafka_library *library, const char *what,
                          struct error *err) {
    return error_set(err, ERROR_CONFIG, "librdkafka %s was built without %s: %s",
                     library->version_text, what, another_way);
}

static bool check_tokens(const struct kafka_property *properties, size_t count,
                         const struct kafka_library *library, struct error *err) {
    if (has_value(properties, count, "sasl.oauthbearer.method", "oidc") ||
        has_value(properties, count, "enable.sasl.oauthbearer.unsecure.jwt", "true"))
        return true;
    if (!has_feature(library, "oidc"))
        return set_not_built(library, "OIDC, which OAUTHBEARER needs to get tokens", err);
    return error_set(
        err, ERROR_CONFIG,
        "OAUTHBEARER gets its tokens through OIDC: set KAFKA_SASL_OAUTHBEARER_METHOD=oidc, "
        "KAFKA_SASL_OAUTHBEARER_CLIENT_ID, KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET and "
        "KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL");
}

bool kafka_login_check(const struct kafka_property *properties, size_t count,
                       const struct kafka_library *library, size_t *at, struct error *err) {
    *at = find_oidc(properties, count);
    if (*at < count && !has_feature(library, "oidc"))
        return set_not_built(library, "OIDC", err);
    *at = find_mechanism(properties, count);
    if (*at == count)
        return true;
    for (size_t i = 0; i < sizeof mechanisms / sizeof mechanisms[0]; i++)
        if (strcasecmp(properties[*at].value, mechanisms[i].mechanism) == 0 &&
            !has_feature(library, mechanisms[i].feature))
            return set_not_built(library, mechanisms[i].mechanism, err);
    return !kafka_login_is_by(properties, count, "OAUTHBEARER") ||
           check_tokens(properties, count, library, err);
}

const char *kafka_login_warning(const struct kafka_property *properties, size_t count,
                                const struct kafka_library *library) {
    if (library->version >= SCRAM_AT_KAFKA_4 || !kafka_login_is_by(properties, count, "SCRAM-"))
        return NULL;
    return "librdkafka before 2.6.1 cannot log in to Kafka 4 with SCRAM, even with the right "
           "password: "
           "run the program on Debian 13 or from the container image, which have a newer one, or "
           "use PLAIN over TLS or a client certificate";
}
