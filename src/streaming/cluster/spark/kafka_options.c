#include "streaming/cluster/spark/kafka_options.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "streaming/cluster/spark/kafka_security.h"

static const char only_this_engine[] =
    "only the program's own engine, SPARK_MASTER_URL=local[*], can do that";

enum fate {
    HAND_ON,  // under Java's name, or the same
    GATHER,   // several make one of Java's: kafka_security.c
    REFUSE,   // leaving it out would weaken what was asked for
    LEAVE_OUT // nothing is lost without it
};

/* What becomes of librdkafka's properties. One that is not here is left out, unless its name says
 * that it has to do with security. */
static const struct rule {
    const char *name;
    enum fate fate;
    const char *text; // Java's name, or why it is refused
} rules[] = {
    {"client.id", HAND_ON, NULL},
    {"client.rack", HAND_ON, NULL},
    {"client.dns.lookup", HAND_ON, NULL},
    {"isolation.level", HAND_ON, NULL},
    {"fetch.min.bytes", HAND_ON, NULL},
    {"fetch.wait.max.ms", HAND_ON, "fetch.max.wait.ms"},
    {"session.timeout.ms", HAND_ON, NULL},
    {"heartbeat.interval.ms", HAND_ON, NULL},
    {"max.poll.interval.ms", HAND_ON, NULL},
    {"metadata.max.age.ms", HAND_ON, NULL},
    {"reconnect.backoff.ms", HAND_ON, NULL},
    {"reconnect.backoff.max.ms", HAND_ON, NULL},
    {"retry.backoff.ms", HAND_ON, NULL},
    {"retry.backoff.max.ms", HAND_ON, NULL},
    {"socket.connection.setup.timeout.ms", HAND_ON, NULL},
    {"enable.metrics.push", HAND_ON, NULL},

    {"security.protocol", GATHER, NULL},
    {"sasl.mechanism", GATHER, NULL},
    {"sasl.mechanisms", GATHER, NULL},
    {"sasl.username", GATHER, NULL},
    {"sasl.password", GATHER, NULL},
    {"sasl.kerberos.principal", GATHER, NULL},
    {"sasl.kerberos.keytab", GATHER, NULL},
    {"sasl.kerberos.service.name", HAND_ON, NULL},
    {"sasl.kerberos.min.time.before.relogin", HAND_ON, NULL},
    {"sasl.kerberos.kinit.cmd", LEAVE_OUT, NULL}, // Java logs in by itself

    {"ssl.ca.location", GATHER, NULL},
    {"ssl.ca.pem", GATHER, NULL},
    {"ssl.certificate.location", GATHER, NULL},
    {"ssl.certificate.pem", GATHER, NULL},
    {"ssl.key.location", GATHER, NULL},
    {"ssl.key.pem", GATHER, NULL},
    {"ssl.key.password", GATHER, NULL},
    {"ssl.keystore.location", GATHER, NULL},
    {"ssl.keystore.password", GATHER, NULL},
    {"ssl.endpoint.identification.algorithm", GATHER, NULL},
    {"enable.ssl.certificate.verification", GATHER, NULL},
    {"ssl.ca.certificate.stores", LEAVE_OUT, NULL}, // of Windows
    {"ssl.cipher.suites", REFUSE, "Java calls ciphers by other names"},
    {"ssl.curves.list", REFUSE, "Java has no such property"},
    {"ssl.sigalgs.list", REFUSE, "Java has no such property"},
    {"ssl.crl.location", REFUSE, "Java takes no list of revoked certificates"},
    {"ssl.engine.location", REFUSE, "Java has no engines of OpenSSL"},
    {"ssl.engine.id", REFUSE, "Java has no engines of OpenSSL"},
    {"ssl.providers", REFUSE, "Java has no providers of OpenSSL"},
};

static const struct rule *find_rule(const char *name) {
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (strcmp(rules[i].name, name) == 0)
            return &rules[i];
    return NULL;
}

const char *kafka_property_find(const struct kafka_property *properties, size_t count,
                                const char *name) {
    for (size_t i = count; i > 0; i--)
        if (strcmp(properties[i - 1].name, name) == 0)
            return properties[i - 1].value;
    return NULL;
}

void kafka_options_add(struct kafka_options *options, const char *name, const char *value,
                       bool secret) {
    struct kafka_option *list =
        realloc(options->options, (options->count + 1) * sizeof *options->options);
    check(list != NULL);
    options->options = list;
    struct kafka_option *option = &options->options[options->count++];
    *option = (struct kafka_option){.value = strdup(value), .secret = secret};
    check(option->value != NULL && asprintf(&option->name, "kafka.%s", name) >= 0);
}

static void leave_out(struct kafka_options *options, const char *name) {
    char **list =
        realloc(options->left_out, (options->left_out_count + 1) * sizeof *options->left_out);
    check(list != NULL);
    options->left_out = list;
    list[options->left_out_count] = strdup(name);
    check(list[options->left_out_count] != NULL);
    options->left_out_count++;
}

static bool is_about_security(const char *name) {
    static const char *const starts[] = {"ssl.", "sasl.", "security."};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
        if (strncmp(name, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}

static bool take(const struct kafka_property *property, struct kafka_options *options,
                 struct error *err) {
    const struct rule *rule = find_rule(property->name);
    bool unknown_security = rule == NULL && is_about_security(property->name);
    if (unknown_security || (rule != NULL && rule->fate == REFUSE))
        return error_set(err, ERROR_CONFIG,
                         "Kafka property '%s' can't be handed on to Spark, and must not be left "
                         "out: %s; %s",
                         property->name, rule != NULL ? rule->text : "Java has no such property",
                         only_this_engine);
    if (rule == NULL || rule->fate == LEAVE_OUT)
        leave_out(options, property->name);
    else if (rule->fate == HAND_ON)
        kafka_options_add(options, rule->text != NULL ? rule->text : property->name,
                          property->value, property->secret);
    return true;
}

bool kafka_options_make(const struct kafka_property *properties, size_t count,
                        struct kafka_options *options, struct error *err) {
    *options = (struct kafka_options){0};
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++)
        ok = take(&properties[i], options, err);
    if (ok && kafka_property_find(properties, count, "isolation.level") == NULL)
        kafka_options_add(options, "isolation.level", "read_committed", false);
    ok = ok && kafka_security_add_tls(properties, count, options, err) &&
         kafka_security_add_login(properties, count, options, err);
    if (!ok)
        kafka_options_deinit(options);
    return ok;
}

void kafka_options_deinit(struct kafka_options *options) {
    for (size_t i = 0; i < options->count; i++) {
        free(options->options[i].name);
        free(options->options[i].value);
    }
    for (size_t i = 0; i < options->left_out_count; i++)
        free(options->left_out[i]);
    free(options->options);
    free(options->left_out);
    *options = (struct kafka_options){0};
}
