/* kafka_options.c: a table says for each of librdkafka's properties what happens to it. Most are
 * handed on, or left out because nothing is lost without them. Those of TLS and of the log-in are
 * gathered, because several of them make one of Java's: a PEM file becomes its text, a user and a
 * password become a JAAS configuration.
 *
 * What must stay true: security is never weakened silently. A property of security that has no
 * counterpart is refused, and so is every unknown one whose name says that it has to do with it. */
#include "streaming/cluster/spark/kafka_options.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/disk/file.h"
#include "base/text.h"

enum { PEM_SIZE_MAX = 1 << 20, PROTOCOL_MAX = 32 };

static const char only_this_engine[] =
    "only the native engine (SPARK_MASTER_URL=local[*]) supports it";

enum fate {
    HAND_ON,  // under Java's name, or the same
    GATHER,   // several make one of Java's, for TLS or the log-in
    REFUSE,   // leaving it out would weaken what was asked for
    LEAVE_OUT // nothing is lost without it
};

/* What happens to librdkafka's properties. One that is not here is left out, unless its name says
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
    {"ssl.cipher.suites", REFUSE, "Java uses other names for ciphers"},
    {"ssl.curves.list", REFUSE, "Java has no such property"},
    {"ssl.sigalgs.list", REFUSE, "Java has no such property"},
    {"ssl.crl.location", REFUSE, "Java does not read revocation lists"},
    {"ssl.engine.location", REFUSE, "Java does not use OpenSSL engines"},
    {"ssl.engine.id", REFUSE, "Java does not use OpenSSL engines"},
    {"ssl.providers", REFUSE, "Java does not use OpenSSL providers"},
};

/* The newest value of the property; NULL: it is not set. */
static const char *find_property(const struct kafka_property *properties, size_t count,
                                 const char *name) {
    for (size_t i = count; i > 0; i--)
        if (strcmp(properties[i - 1].name, name) == 0)
            return properties[i - 1].value;
    return NULL;
}

/* `name` is Java's, without "kafka.". */
static void add_option(struct kafka_options *options, const char *name, const char *value,
                       bool secret) {
    struct kafka_option *list =
        realloc(options->options, (options->count + 1) * sizeof *options->options);
    check(list != NULL);
    options->options = list;
    struct kafka_option *option = &options->options[options->count++];
    *option = (struct kafka_option){.value = text_copy(value), .secret = secret};
    option->name = text_format("kafka.%s", name);
}

/* ---- What is gathered: log-in and TLS ---- */

/* The properties of librdkafka, and those for Java's client. */
struct translation {
    const struct kafka_property *properties;
    size_t count;
    struct kafka_options *options;
};

static const char *find(const struct translation *translation, const char *name) {
    const char *value = find_property(translation->properties, translation->count, name);
    return value != NULL && *value != '\0' ? value : NULL;
}

/* ---- TLS ---- */

/* The text of a PEM file, or of the property that has it itself; NULL in *text: neither is set. */
static bool read_pem(const struct translation *translation, const char *pem, const char *location,
                     char **text, struct error *err) {
    const char *value = find(translation, pem), *path = find(translation, location);
    size_t size;
    *text = NULL;
    if (value != NULL) {
        *text = text_copy(value);
        return true;
    }
    if (path == NULL || strcmp(path, "probe") == 0) // "probe": the system's own; Java has its own
        return true;
    struct error why;
    if (!file_read(path, PEM_SIZE_MAX, text, &size, &why))
        return error_set(
            err, ERROR_CONFIG,
            "%s is '%s', whose content must be passed to Spark, but the file cannot be read: %s",
            location, path, why.message);
    if (*text != NULL && strstr(*text, "-----BEGIN ") != NULL)
        return true;
    bool there = *text != NULL;
    free(*text);
    *text = NULL;
    return error_set(err, ERROR_CONFIG, "%s is '%s', which %s", location, path,
                     there ? "is not a PEM file ('-----BEGIN …'), which Spark requires"
                           : "does not exist");
}

static bool add_authorities(const struct translation *translation, struct error *err) {
    char *text;
    if (!read_pem(translation, "ssl.ca.pem", "ssl.ca.location", &text, err))
        return false;
    if (text == NULL)
        return true;
    add_option(translation->options, "ssl.truststore.type", "PEM", false);
    add_option(translation->options, "ssl.truststore.certificates", text, false);
    free(text);
    return true;
}

/* The first bytes after a PEM file's line `begin`. */
static size_t decode_start(const char *text, const char *begin, unsigned char *bytes, size_t size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = strstr(text, begin);
    unsigned value = 0;
    size_t bits = 0, used = 0;
    for (at += strlen(begin); *at != '\0' && *at != '-' && used < size; at++) {
        const char *digit = strchr(digits, *at);
        if (digit == NULL) // a line's end
            continue;
        value = value << 6 | (unsigned)(digit - digits);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes[used++] = (unsigned char)(value >> bits);
        }
    }
    return used;
}

/* Encrypted as PKCS#5 v2 (PBES2), which OpenSSL does unless told otherwise, and of which Java's
 * client says "PBES2 SecretKeyFactory not available". */
static bool is_pbes2(const char *text, const char *begin) {
    static const unsigned char oid[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                        0xf7, 0x0d, 0x01, 0x05, 0x0d};
    unsigned char start[48];
    size_t size = decode_start(text, begin, start, sizeof start);
    return memmem(start, size, oid, sizeof oid) != NULL;
}

/* Java reads keys as PKCS#8 only. */
static bool add_key(const struct translation *translation, const char *text, struct error *err) {
    static const char begin[] = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
    const char *password = find(translation, "ssl.key.password");
    bool encrypted = strstr(text, begin) != NULL;
    if (!encrypted && strstr(text, "-----BEGIN PRIVATE KEY-----") == NULL)
        return error_set(err, ERROR_CONFIG,
                         "the key of ssl.key.location is not PKCS#8 ('BEGIN PRIVATE KEY' or 'BEGIN "
                         "ENCRYPTED PRIVATE KEY'), the only format that Spark's client reads; "
                         "convert it: openssl pkcs8 -topk8 -nocrypt -in old.pem -out new.pem");
    if (encrypted && password == NULL)
        return error_set(err, ERROR_CONFIG,
                         "the key of ssl.key.location is encrypted: set KAFKA_SSL_KEY_PASSWORD");
    if (encrypted && is_pbes2(text, begin))
        return error_set(
            err, ERROR_CONFIG,
            "the key of ssl.key.location is encrypted with PBES2, which Spark's client cannot "
            "read; convert it: openssl pkcs8 -topk8 -nocrypt -in old.pem -out new.pem, or with -v1 "
            "PBE-SHA1-3DES instead of -nocrypt, or use KAFKA_SSL_KEYSTORE_LOCATION");
    add_option(translation->options, "ssl.keystore.key", text, true);
    if (encrypted)
        add_option(translation->options, "ssl.key.password", password, true);
    return true;
}

/* Both of them or neither; each may be NULL. */
static bool add_pair(const struct translation *translation, const char *certificate,
                     const char *key, struct error *err) {
    if (certificate == NULL && key == NULL)
        return true;
    if (certificate == NULL || key == NULL)
        return error_set(err, ERROR_CONFIG,
                         "only one of ssl.certificate.location and ssl.key.location is set; a "
                         "client certificate needs both");
    add_option(translation->options, "ssl.keystore.type", "PEM", false);
    add_option(translation->options, "ssl.keystore.certificate.chain", certificate, false);
    return add_key(translation, key, err);
}

static bool add_certificate(const struct translation *translation, struct error *err) {
    char *certificate = NULL, *key = NULL;
    bool ok = read_pem(translation, "ssl.certificate.pem", "ssl.certificate.location", &certificate,
                       err) &&
              read_pem(translation, "ssl.key.pem", "ssl.key.location", &key, err) &&
              add_pair(translation, certificate, key, err);
    free(certificate);
    free(key);
    return ok;
}

/* A PKCS#12 file is handed on as its path: it must be there on every executor, too. */
static bool add_keystore(const struct translation *translation, struct error *err) {
    const char *location = find(translation, "ssl.keystore.location");
    const char *password = find(translation, "ssl.keystore.password");
    if (location == NULL)
        return true;
    if (find(translation, "ssl.key.location") != NULL || find(translation, "ssl.key.pem") != NULL)
        return error_set(err, ERROR_CONFIG,
                         "ssl.keystore.location and ssl.key.location are both set; remove one");
    add_option(translation->options, "ssl.keystore.type", "PKCS12", false);
    add_option(translation->options, "ssl.keystore.location", location, false);
    if (password != NULL)
        add_option(translation->options, "ssl.keystore.password", password, true);
    return true;
}

static bool is_false(const char *text) {
    static const char *const words[] = {"false", "f", "0"}; // as librdkafka reads it
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasecmp(words[i], text) == 0)
            return true;
    return false;
}

static bool add_tls(const struct translation *translation, struct error *err) {
    const char *protocol = find(translation, "security.protocol");
    if (protocol == NULL || (strcasecmp(protocol, "ssl") != 0 &&
                             strcasecmp(protocol, "sasl_ssl") != 0)) // then ssl.* means nothing
        return true;
    const char *verification = find(translation, "enable.ssl.certificate.verification");
    const char *identification = find(translation, "ssl.endpoint.identification.algorithm");
    if (verification != NULL && is_false(verification))
        return error_set(err, ERROR_CONFIG,
                         "Kafka property 'enable.ssl.certificate.verification' cannot be false on "
                         "a cluster: the Java client always verifies broker certificates; set "
                         "KAFKA_SSL_CA_LOCATION to the authority that signed them");
    // Java has no word for "none"; librdkafka before 2.0 had none as its default, and so may say
    // it.
    if (identification != NULL)
        add_option(translation->options, "ssl.endpoint.identification.algorithm",
                   strcasecmp(identification, "none") == 0 ? "" : "https", false);
    return add_authorities(translation, err) && add_certificate(translation, err) &&
           add_keystore(translation, err);
}

/* ---- SASL ---- */

/* A value of a JAAS configuration, as java.io.StreamTokenizer reads it. */
static void write_quoted(FILE *out, const char *text) {
    (void)fputc('"', out);
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\')
            (void)fprintf(out, "\\%c", byte);
        else if (byte < ' ')
            (void)fprintf(out, "\\%03o", byte);
        else
            (void)fputc(byte, out);
    }
    (void)fputc('"', out);
}

struct jaas_pair {
    const char *name, *value; // a NULL value is left out
    bool word;                // as it is, without quotes
};

static void add_jaas(struct kafka_options *options, const char *module,
                     const struct jaas_pair *pairs, size_t count) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    check(out != NULL);
    (void)fprintf(out, "%s required", module);
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(out, " %s=", pairs[i].name);
        if (pairs[i].word)
            (void)fputs(pairs[i].value, out);
        else
            write_quoted(out, pairs[i].value);
    }
    (void)fputc(';', out);
    must_close_text(out, &text);
    add_option(options, "sasl.jaas.config", text, true);
    free(text);
}

static bool add_password(const struct translation *translation, const char *mechanism,
                         const char *module, struct error *err) {
    const char *user = find(translation, "sasl.username"),
               *password = find(translation, "sasl.password");
    if (user == NULL || password == NULL)
        return error_set(err, ERROR_CONFIG,
                         "sasl.mechanism is %s, but %s is not set: set KAFKA_SASL_USERNAME and "
                         "KAFKA_SASL_PASSWORD",
                         mechanism, user == NULL ? "sasl.username" : "sasl.password");
    const struct jaas_pair pairs[] = {{"username", user, false}, {"password", password, false}};
    add_jaas(translation->options, module, pairs, sizeof pairs / sizeof pairs[0]);
    return true;
}

/* The keytab is handed on as its path: it must be there on every executor, too. */
static bool add_kerberos(const struct translation *translation, struct error *err) {
    const char *principal = find(translation, "sasl.kerberos.principal");
    const char *keytab = find(translation, "sasl.kerberos.keytab");
    if (principal == NULL || keytab == NULL)
        return error_set(
            err, ERROR_CONFIG,
            "sasl.mechanism is GSSAPI: on a cluster, set KAFKA_SASL_KERBEROS_PRINCIPAL and "
            "KAFKA_SASL_KERBEROS_KEYTAB (a file that exists on every executor)");
    const struct jaas_pair pairs[] = {{"useKeyTab", "true", true},
                                      {"storeKey", "true", true},
                                      {"keyTab", keytab, false},
                                      {"principal", principal, false}};
    add_jaas(translation->options, "com.sun.security.auth.module.Krb5LoginModule", pairs,
             sizeof pairs / sizeof pairs[0]);
    return true;
}

static bool add_mechanism(const struct translation *translation, const char *mechanism,
                          struct error *err) {
    static const char plain[] = "org.apache.kafka.common.security.plain.PlainLoginModule";
    static const char scram[] = "org.apache.kafka.common.security.scram.ScramLoginModule";
    add_option(translation->options, "sasl.mechanism", mechanism, false);
    if (strcmp(mechanism, "PLAIN") == 0)
        return add_password(translation, mechanism, plain, err);
    if (strncmp(mechanism, "SCRAM-", 6) == 0)
        return add_password(translation, mechanism, scram, err);
    if (strcmp(mechanism, "GSSAPI") == 0)
        return add_kerberos(translation, err);
    return error_set(err, ERROR_CONFIG,
                     "sasl.mechanism is '%s': only PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and GSSAPI "
                     "can be passed to Spark",
                     mechanism);
}

static bool add_login(const struct translation *translation, struct error *err) {
    const char *asked = find(translation, "security.protocol");
    const char *mechanism = find(translation, "sasl.mechanism");
    char protocol[PROTOCOL_MAX];
    if (mechanism == NULL)
        mechanism = find(translation, "sasl.mechanisms");
    if (asked == NULL) // librdkafka logs in nowhere then, no matter what sasl.* says
        return true;
    (void)snprintf(protocol, sizeof protocol, "%s", asked);
    for (char *at = protocol; *at != '\0'; at++)
        *at = (char)toupper((unsigned char)*at);
    add_option(translation->options, "security.protocol", protocol, false);
    if (strncmp(protocol, "SASL_", 5) != 0)
        return true;
    return add_mechanism(translation, mechanism != NULL ? mechanism : "GSSAPI", err);
}

/* ---- Property by property ---- */

static const struct rule *find_rule(const char *name) {
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (strcmp(rules[i].name, name) == 0)
            return &rules[i];
    return NULL;
}

static void leave_out(struct kafka_options *options, const char *name) {
    char **list =
        realloc(options->left_out, (options->left_out_count + 1) * sizeof *options->left_out);
    check(list != NULL);
    options->left_out = list;
    list[options->left_out_count++] = text_copy(name);
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
        return error_set(
            err, ERROR_CONFIG,
            "Kafka property '%s' cannot be passed to Spark and must not be ignored: %s; %s",
            property->name, rule != NULL ? rule->text : "Java has no such property",
            only_this_engine);
    if (rule == NULL || rule->fate == LEAVE_OUT)
        leave_out(options, property->name);
    else if (rule->fate == HAND_ON)
        add_option(options, rule->text != NULL ? rule->text : property->name, property->value,
                   property->secret);
    return true;
}

bool kafka_options_make(const struct kafka_property *properties, size_t count,
                        struct kafka_options *options, struct error *err) {
    *options = (struct kafka_options){0};
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++)
        ok = take(&properties[i], options, err);
    if (ok && find_property(properties, count, "isolation.level") == NULL)
        add_option(options, "isolation.level", "read_committed", false);
    struct translation translation = {properties, count, options};
    ok = ok && add_tls(&translation, err) && add_login(&translation, err);
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
