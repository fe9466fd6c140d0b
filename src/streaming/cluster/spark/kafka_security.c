#include "streaming/cluster/spark/kafka_security.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/disk/file.h"

enum { PEM_SIZE_MAX = 1 << 20, PROTOCOL_MAX = 32 };

struct given {
    const struct kafka_property *properties;
    size_t count;
    struct kafka_options *options;
};

static const char *find(const struct given *given, const char *name) {
    const char *value = kafka_property_find(given->properties, given->count, name);
    return value != NULL && *value != '\0' ? value : NULL;
}

/* ---- TLS ---- */

/* The text of a PEM file, or of the property that has it itself; NULL in *text: neither is set. */
static bool read_pem(const struct given *given, const char *pem, const char *location, char **text,
                     struct error *err) {
    const char *value = find(given, pem), *path = find(given, location);
    size_t size;
    *text = NULL;
    if (value != NULL) {
        *text = strdup(value);
        check(*text != NULL);
        return true;
    }
    if (path == NULL || strcmp(path, "probe") == 0) // "probe": the system's own; Java has its own
        return true;
    struct error why;
    if (!file_read(path, PEM_SIZE_MAX, text, &size, &why))
        return error_set(err, ERROR_CONFIG,
                         "%s is '%s', whose text is handed on to Spark, but it can't be read: %s",
                         location, path, why.message);
    if (*text != NULL && strstr(*text, "-----BEGIN ") != NULL)
        return true;
    bool there = *text != NULL;
    free(*text);
    *text = NULL;
    return error_set(err, ERROR_CONFIG, "%s is '%s', which %s", location, path,
                     there ? "is no PEM file ('-----BEGIN …'), as Spark wants it"
                           : "does not exist");
}

static bool add_authorities(const struct given *given, struct error *err) {
    char *text;
    if (!read_pem(given, "ssl.ca.pem", "ssl.ca.location", &text, err))
        return false;
    if (text == NULL)
        return true;
    kafka_options_add(given->options, "ssl.truststore.type", "PEM", false);
    kafka_options_add(given->options, "ssl.truststore.certificates", text, false);
    free(text);
    return true;
}

/* The first bytes of what stands behind a PEM file's line `begin`. */
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
static bool add_key(const struct given *given, const char *text, struct error *err) {
    static const char begin[] = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
    const char *password = find(given, "ssl.key.password");
    bool encrypted = strstr(text, begin) != NULL;
    if (!encrypted && strstr(text, "-----BEGIN PRIVATE KEY-----") == NULL)
        return error_set(err, ERROR_CONFIG,
                         "the key of ssl.key.location is not PKCS#8 ('BEGIN PRIVATE KEY' or 'BEGIN "
                         "ENCRYPTED PRIVATE KEY'), the only form that Spark's client reads; "
                         "convert it: openssl pkcs8 -topk8 -nocrypt -in old.pem -out new.pem");
    if (encrypted && password == NULL)
        return error_set(err, ERROR_CONFIG,
                         "the key of ssl.key.location is encrypted: set KAFKA_SSL_KEY_PASSWORD");
    if (encrypted && is_pbes2(text, begin))
        return error_set(err, ERROR_CONFIG,
                         "the key of ssl.key.location is encrypted by PBES2, which Spark's client "
                         "can't read; convert it: openssl pkcs8 -topk8 -nocrypt -in old.pem -out "
                         "new.pem, or with -v1 PBE-SHA1-3DES in the place of -nocrypt, or use "
                         "KAFKA_SSL_KEYSTORE_LOCATION");
    kafka_options_add(given->options, "ssl.keystore.key", text, true);
    if (encrypted)
        kafka_options_add(given->options, "ssl.key.password", password, true);
    return true;
}

/* Both of them or neither; each may be NULL. */
static bool add_pair(const struct given *given, const char *certificate, const char *key,
                     struct error *err) {
    if (certificate == NULL && key == NULL)
        return true;
    if (certificate == NULL || key == NULL)
        return error_set(err, ERROR_CONFIG,
                         "only one of ssl.certificate.location and ssl.key.location is set; a "
                         "client's certificate needs both");
    kafka_options_add(given->options, "ssl.keystore.type", "PEM", false);
    kafka_options_add(given->options, "ssl.keystore.certificate.chain", certificate, false);
    return add_key(given, key, err);
}

static bool add_certificate(const struct given *given, struct error *err) {
    char *certificate = NULL, *key = NULL;
    bool ok =
        read_pem(given, "ssl.certificate.pem", "ssl.certificate.location", &certificate, err) &&
        read_pem(given, "ssl.key.pem", "ssl.key.location", &key, err) &&
        add_pair(given, certificate, key, err);
    free(certificate);
    free(key);
    return ok;
}

/* A PKCS#12 file is handed on as its path: it must be there on every executor, too. */
static bool add_keystore(const struct given *given, struct error *err) {
    const char *location = find(given, "ssl.keystore.location");
    const char *password = find(given, "ssl.keystore.password");
    if (location == NULL)
        return true;
    if (find(given, "ssl.key.location") != NULL || find(given, "ssl.key.pem") != NULL)
        return error_set(err, ERROR_CONFIG,
                         "ssl.keystore.location and ssl.key.location are both set; leave one out");
    kafka_options_add(given->options, "ssl.keystore.type", "PKCS12", false);
    kafka_options_add(given->options, "ssl.keystore.location", location, false);
    if (password != NULL)
        kafka_options_add(given->options, "ssl.keystore.password", password, true);
    return true;
}

static bool is_false(const char *text) {
    static const char *const words[] = {"false", "f", "0"}; // as librdkafka reads it
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasecmp(words[i], text) == 0)
            return true;
    return false;
}

bool kafka_security_add_tls(const struct kafka_property *properties, size_t count,
                            struct kafka_options *options, struct error *err) {
    struct given given = {properties, count, options};
    const char *protocol = find(&given, "security.protocol");
    if (protocol == NULL || (strcasecmp(protocol, "ssl") != 0 &&
                             strcasecmp(protocol, "sasl_ssl") != 0)) // then ssl.* means nothing
        return true;
    const char *verification = find(&given, "enable.ssl.certificate.verification");
    const char *identification = find(&given, "ssl.endpoint.identification.algorithm");
    if (verification != NULL && is_false(verification))
        return error_set(err, ERROR_CONFIG,
                         "Kafka property 'enable.ssl.certificate.verification' can't be false on a "
                         "cluster: Java's client always verifies the brokers' certificates; set "
                         "KAFKA_SSL_CA_LOCATION to the authority that has signed them");
    // Java has no word for "none"; librdkafka before 2.0 had none as its default, and so may say
    // it.
    if (identification != NULL)
        kafka_options_add(options, "ssl.endpoint.identification.algorithm",
                          strcasecmp(identification, "none") == 0 ? "" : "https", false);
    return add_authorities(&given, err) && add_certificate(&given, err) &&
           add_keystore(&given, err);
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
    check(fclose(out) == 0);
    kafka_options_add(options, "sasl.jaas.config", text, true);
    free(text);
}

static bool add_password(const struct given *given, const char *mechanism, const char *module,
                         struct error *err) {
    const char *user = find(given, "sasl.username"), *password = find(given, "sasl.password");
    if (user == NULL || password == NULL)
        return error_set(err, ERROR_CONFIG,
                         "sasl.mechanism is %s, and %s is not set: set KAFKA_SASL_USERNAME and "
                         "KAFKA_SASL_PASSWORD",
                         mechanism, user == NULL ? "sasl.username" : "sasl.password");
    const struct jaas_pair pairs[] = {{"username", user, false}, {"password", password, false}};
    add_jaas(given->options, module, pairs, sizeof pairs / sizeof pairs[0]);
    return true;
}

/* The keytab is handed on as its path: it must be there on every executor, too. */
static bool add_kerberos(const struct given *given, struct error *err) {
    const char *principal = find(given, "sasl.kerberos.principal");
    const char *keytab = find(given, "sasl.kerberos.keytab");
    if (principal == NULL || keytab == NULL)
        return error_set(err, ERROR_CONFIG,
                         "sasl.mechanism is GSSAPI: on a cluster set KAFKA_SASL_KERBEROS_PRINCIPAL "
                         "and KAFKA_SASL_KERBEROS_KEYTAB, a file that is on every executor");
    const struct jaas_pair pairs[] = {{"useKeyTab", "true", true},
                                      {"storeKey", "true", true},
                                      {"keyTab", keytab, false},
                                      {"principal", principal, false}};
    add_jaas(given->options, "com.sun.security.auth.module.Krb5LoginModule", pairs,
             sizeof pairs / sizeof pairs[0]);
    return true;
}

static bool add_mechanism(const struct given *given, const char *mechanism, struct error *err) {
    static const char plain[] = "org.apache.kafka.common.security.plain.PlainLoginModule";
    static const char scram[] = "org.apache.kafka.common.security.scram.ScramLoginModule";
    kafka_options_add(given->options, "sasl.mechanism", mechanism, false);
    if (strcmp(mechanism, "PLAIN") == 0)
        return add_password(given, mechanism, plain, err);
    if (strncmp(mechanism, "SCRAM-", 6) == 0)
        return add_password(given, mechanism, scram, err);
    if (strcmp(mechanism, "GSSAPI") == 0)
        return add_kerberos(given, err);
    return error_set(err, ERROR_CONFIG,
                     "sasl.mechanism is '%s': only PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and GSSAPI "
                     "can be handed on to Spark",
                     mechanism);
}

bool kafka_security_add_login(const struct kafka_property *properties, size_t count,
                              struct kafka_options *options, struct error *err) {
    struct given given = {properties, count, options};
    const char *asked = find(&given, "security.protocol");
    const char *mechanism = find(&given, "sasl.mechanism");
    char protocol[PROTOCOL_MAX];
    if (mechanism == NULL)
        mechanism = find(&given, "sasl.mechanisms");
    if (asked == NULL) // librdkafka logs in nowhere then, whatever sasl.* says
        return true;
    (void)snprintf(protocol, sizeof protocol, "%s", asked);
    for (char *at = protocol; *at != '\0'; at++)
        *at = (char)toupper((unsigned char)*at);
    kafka_options_add(options, "security.protocol", protocol, false);
    if (strncmp(protocol, "SASL_", 5) != 0)
        return true;
    return add_mechanism(&given, mechanism != NULL ? mechanism : "GSSAPI", err);
}
