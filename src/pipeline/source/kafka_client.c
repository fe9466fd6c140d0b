/* librdkafka's reports arrive while it is polled, which is done when somebody asks for trouble.
 * The newest one is kept, with the number of those since the last record, until a record comes or
 * it has not been repeated for long. Some facts are only in the text of a report: which limit of
 * the machine was met, that a response was too large, that the broker requires a certificate. */
#include "pipeline/source/kafka_client.h"

#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/limit.h"
#include "base/nearest.h"
#include "base/scope.h"
#include "base/system/clock.h"
#include "pipeline/source/kafka_errors.h"
#include "pipeline/source/kafka_login.h"

/* librdkafka repeats a standing trouble at least every 30 s; one that it has not repeated for twice
 * as long is over. */
enum { TROUBLE_STALE_MS = 60000 };

/* How often an answer must have an impossible size: once or twice, the network may have damaged it.
 */
enum { TOO_LARGE_TIMES = 3 };

/* The engine's own properties. With a value: always set so. Without: not to be set by anybody,
 * because it would break a promise or do nothing. */
static const struct own_property {
    const char *name;
    const char *value;
    const char *why;
} own_properties[] = {
    {"bootstrap.servers", NULL, "set KAFKA_BOOTSTRAP_SERVERS"},
    {"metadata.broker.list", NULL, "set KAFKA_BOOTSTRAP_SERVERS"},
    {"group.id", NULL, "offsets are in the checkpoint; no consumer group is joined"},
    {"group.instance.id", NULL, "offsets are in the checkpoint; no consumer group is joined"},
    {"enable.auto.commit", "false", "offsets are in the checkpoint"},
    {"auto.commit.enable", "false", "offsets are in the checkpoint"},
    {"enable.auto.offset.store", "false", "offsets are in the checkpoint"},
    {"offset.store.method", NULL, "offsets are in the checkpoint"},
    {"auto.offset.reset", "error",
     "set STARTING_OFFSETS instead; a lost offset must never be skipped"},
    {"smallest.offset.reset", NULL, "set STARTING_OFFSETS"},
    {"enable.partition.eof", "true", "the program needs it to find the end of a batch"},
    {"check.crcs", "true", "checksums are always verified"},
    {"allow.auto.create.topics", "false", "reading must not create a topic"},
    {"queued.max.messages.kbytes", NULL, "set SPARK_DRIVER_MEMORY"},
    {"queued.min.messages", NULL, "set SPARK_DRIVER_MEMORY"},
    {"fetch.message.max.bytes", NULL, "set SPARK_DRIVER_MEMORY"},
    {"max.partition.fetch.bytes", NULL, "set SPARK_DRIVER_MEMORY"},
    {"fetch.max.bytes", NULL, "set SPARK_DRIVER_MEMORY"},
    {"receive.message.max.bytes", NULL, "set SPARK_DRIVER_MEMORY"},
    {"log.queue", NULL, "the program handles log lines itself"},
    {"enabled_events", NULL, "the program handles events itself"},
};

/* What we think better than librdkafka's defaults; the user may set them. */
static const struct {
    const char *name, *value;
} preferred_properties[] = {
    {"client.id", "esports-stream"},
    {"isolation.level", "read_committed"},
    // A connection has one fetch under way. While the broker holds its answer back because the
    // partitions asked for have nothing new, all others of the connection wait: those just started,
    // and those whose queues have been read. Measured, six partitions with 100,000 records each,
    // read one after the other: 1,735 ms with 100 here, 907 with 20, 832 with 10, 696 with 5.
    // Asking 50 times a second takes 0.5 % of a core; the source's rest() ends it.
    {"fetch.wait.max.ms", "20"},
    {"fetch.error.backoff.ms", "100"},
    {"reconnect.backoff.max.ms", "2000"},
    // How long a topic that the cluster does not know is hoped for before it is reported. We only
    // read topics whose offsets were listed.
    {"topic.metadata.propagation.max.ms", "1000"},
    {"socket.nagle.disable", "true"},
    {"log.connection.close", "false"}, // brokers hang up on idle clients; not worth a line
};

bool kafka_property_is_ours(const char *name, const char **why) {
    for (size_t i = 0; i < sizeof own_properties / sizeof own_properties[0]; i++) {
        if (strcmp(own_properties[i].name, name) != 0)
            continue;
        if (why != NULL)
            *why = own_properties[i].why;
        return true;
    }
    return false;
}

/* TLS 1.3 has an alert of its own for it (RFC 8446 §6.2); brokers on older Java call it bad. */
static bool misses_certificate(const char *reason) {
    return strstr(reason, "alert certificate required") != NULL ||
           strstr(reason, "alert bad certificate") != NULL;
}

/* Of a log-in by OAUTHBEARER: the token server's answer, or the broker's to the token. */
static const char *hint_of_token(const char *reason) {
    if (strstr(reason, "invalid_token") != NULL)
        return "the broker refuses the token because of its issuer, audience, scope or expiry: see "
               "the broker's log";
    if (strstr(reason, "acquire SASL OAUTHBEARER token") == NULL)
        return "";
    if (strstr(reason, "certificate") != NULL)
        return "add the authority of the token server's certificate to the system's "
               "(update-ca-certificates)";
    return "check KAFKA_SASL_OAUTHBEARER_CLIENT_ID, KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET and "
           "KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL";
}

/* What librdkafka's report leaves to be guessed. */
static const char *hint_of(const struct kafka_client *client, int code, const char *reason) {
    if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION && client->login_warning != NULL)
        return client->login_warning;
    if (!client->certificate && misses_certificate(reason))
        return "the broker requires a client certificate: set KAFKA_SSL_CERTIFICATE_LOCATION and "
               "KAFKA_SSL_KEY_LOCATION";
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        return "the brokers close the connection without an error: check that "
               "KAFKA_SECURITY_PROTOCOL "
               "matches the listener";
    return code == RD_KAFKA_RESP_ERR__AUTHENTICATION ? hint_of_token(reason) : "";
}

/* The limit that a report names, as an errno; 0: none. Only its text has the errno. */
static int limit_of(int code, const char *reason) {
    static const int limits[] = {EMFILE, ENFILE, ENOMEM};
    if (code == RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE)
        return EAGAIN;
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        if (strstr(reason, strerror(limits[i])) != NULL)
            return limits[i];
    return 0;
}

/* Called from kafka_client_trouble(), by way of rd_kafka_poll(). */
static void on_error(rd_kafka_t *handle, int code, const char *reason, void *opaque) {
    (void)handle;
    struct kafka_client *client = opaque;
    pthread_mutex_lock(&client->lock);
    client->trouble_count++;
    client->trouble_ms = clock_monotonic_ms();
    if (kafka_error_is_refusal(code))
        client->refused = true;
    if (client->limit != EAGAIN && code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        client->limit = limit_of(code, reason);
    if (code == RD_KAFKA_RESP_ERR__BAD_MSG && strstr(reason, "receive.message.max.bytes") != NULL)
        client->too_large++;
    const char *hint = hint_of(client, code, reason), *mark = *hint != '\0' ? "; " : "";
    char report[KAFKA_TROUBLE_MAX];
    kafka_report_text(reason, report, sizeof report);
    // "2/2 brokers are down" follows the report that says why, which is worth more.
    if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        snprintf(client->trouble, sizeof client->trouble, "%s%s%s", report, mark, hint);
    else if (client->trouble[0] == '\0')
        snprintf(client->trouble, sizeof client->trouble, "%s: %s%s%s", client->servers, reason,
                 mark, hint);
    pthread_mutex_unlock(&client->lock);
}

/* Any thread of librdkafka's. */
static void on_log(const rd_kafka_t *handle, int severity, const char *facility, const char *text) {
    const struct kafka_client *client = rd_kafka_opaque(handle);
    char line[1024];
    snprintf(line, sizeof line, "%s: %s", facility, text);
    client->log(severity, line);
}

/* By way of rd_kafka_poll(), too. The text stays librdkafka's. */
static int on_statistics(rd_kafka_t *handle, char *text, size_t size, void *opaque) {
    (void)handle;
    const struct kafka_client *client = opaque;
    kafka_statistics_take(client->statistics, text, size);
    return 0;
}

static void must_set(rd_kafka_conf_t *conf, const char *name, const char *value) {
    char reason[256];
    check(rd_kafka_conf_set(conf, name, value, reason, sizeof reason) == RD_KAFKA_CONF_OK);
}

static void must_set_size(rd_kafka_conf_t *conf, const char *name, size_t value) {
    char text[24];
    snprintf(text, sizeof text, "%zu", value);
    must_set(conf, name, text);
}

static size_t clamp(size_t value, size_t least, size_t most) {
    return value < least ? least : value > most ? most : value;
}

size_t kafka_limits_records(const struct kafka_limits *limits) {
    enum { OVERHEAD = 512 }; // bytes that librdkafka keeps for each record, roughly
    return clamp(limits->queue / OVERHEAD, 100, 100000);
}

static void set_limits(rd_kafka_conf_t *conf, const struct kafka_limits *limits) {
    size_t response = clamp(limits->response, 1 << 20, 256 << 20);
    must_set_size(conf, "queued.max.messages.kbytes", clamp(limits->queue / 1024, 1, 2097151));
    must_set_size(conf, "queued.min.messages", kafka_limits_records(limits));
    must_set_size(conf, "fetch.message.max.bytes", clamp(limits->fetch, 1024, 1000000000));
    must_set_size(conf, "fetch.max.bytes", response);
    must_set_size(conf, "receive.message.max.bytes",
                  clamp(limits->largest, response * 2, INT32_MAX));
}

/* The names are only in a table that librdkafka prints, at the beginning of its lines. */
static bool unknown_property(const char *name, struct error *err) {
    struct nearest nearest = {.given = name};
    scoped(scope_free) char *table = NULL;
    size_t size;
    FILE *out = open_memstream(&table, &size);
    check(out != NULL);
    rd_kafka_conf_properties_show(out);
    must_close_text(out, &table);
    char *rest = table;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        line[strcspn(line, " ")] = '\0';
        nearest_offer(&nearest, line);
    }
    const char *word = nearest.word;
    return error_set(err, ERROR_CONFIG, "librdkafka has no property '%s'%s%s%s", name,
                     *word != '\0' ? "; did you mean '" : "", word, *word != '\0' ? "'?" : "");
}

static bool set_property(rd_kafka_conf_t *conf, const struct kafka_property *property,
                         struct error *err) {
    const char *why;
    if (kafka_property_is_ours(property->name, &why))
        return error_set(err, ERROR_CONFIG, "Kafka property '%s' cannot be set: %s", property->name,
                         why);
    char reason[512];
    rd_kafka_conf_res_t result =
        rd_kafka_conf_set(conf, property->name, property->value, reason, sizeof reason);
    if (result == RD_KAFKA_CONF_OK)
        return true;
    if (result == RD_KAFKA_CONF_UNKNOWN)
        return unknown_property(property->name, err);
    return error_set(err, ERROR_CONFIG, "Kafka property '%s': %s", property->name,
                     property->secret ? "the value is rejected" : reason);
}

bool kafka_property_check(const struct kafka_property *property, struct error *err) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    bool ok = set_property(conf, property, err);
    rd_kafka_conf_destroy(conf);
    return ok;
}

static bool set_properties(rd_kafka_conf_t *conf, const struct kafka_settings *settings,
                           struct error *err) {
    for (size_t i = 0; i < sizeof own_properties / sizeof own_properties[0]; i++) {
        if (own_properties[i].value != NULL)
            must_set(conf, own_properties[i].name, own_properties[i].value);
    }
    for (size_t i = 0; i < sizeof preferred_properties / sizeof preferred_properties[0]; i++)
        must_set(conf, preferred_properties[i].name, preferred_properties[i].value);
    if (settings->statistics != NULL)
        must_set_size(conf, "statistics.interval.ms", (size_t)settings->statistics_ms);

    char reason[512];
    if (settings->bootstrap_servers != NULL &&
        rd_kafka_conf_set(conf, "bootstrap.servers", settings->bootstrap_servers, reason,
                          sizeof reason) != RD_KAFKA_CONF_OK)
        return error_set(err, ERROR_CONFIG, "KAFKA_BOOTSTRAP_SERVERS '%s': %s",
                         settings->bootstrap_servers, reason);
    for (size_t i = 0; i < settings->property_count; i++) {
        if (!set_property(conf, &settings->properties[i], err))
            return false;
    }
    return true;
}

static const char *property_or_empty(const struct kafka_settings *settings, const char *name) {
    const char *value = "";
    for (size_t i = 0; i < settings->property_count; i++) {
        if (strcmp(settings->properties[i].name, name) == 0)
            value = settings->properties[i].value;
    }
    return value;
}

static bool has_certificate(const struct kafka_settings *settings) {
    static const char *const names[] = {"ssl.certificate.location", "ssl.certificate.pem",
                                        "ssl.keystore.location"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (property_or_empty(settings, names[i])[0] != '\0')
            return true;
    return false;
}

/* Then it is GSSAPI's, Kerberos, which is seldom meant. */
static bool lacks_mechanism(const struct kafka_settings *settings) {
    return strncasecmp(property_or_empty(settings, "security.protocol"), "SASL_", 5) == 0 &&
           property_or_empty(settings, "sasl.mechanism")[0] == '\0' &&
           property_or_empty(settings, "sasl.mechanisms")[0] == '\0';
}

/* Tokens of OAUTHBEARER are fetched by a thread of librdkafka's: they run out whether or not
 * somebody polls the handle. */
static bool fetch_tokens(struct kafka_client *client, const struct kafka_settings *settings,
                         struct error *err) {
    if (!kafka_login_is_by(settings->properties, settings->property_count, "OAUTHBEARER"))
        return true;
    rd_kafka_error_t *error = rd_kafka_sasl_background_callbacks_enable(client->handle);
    if (error == NULL)
        return true;
    rd_kafka_error_destroy(error);
    kafka_client_close(client);
    return limit_error(err, "start a thread of the Kafka client", EAGAIN);
}

static void set_callbacks(rd_kafka_conf_t *conf, struct kafka_client *client) {
    rd_kafka_conf_set_opaque(conf, client);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_log_cb(conf, client->log != NULL ? on_log : NULL);
    rd_kafka_conf_enable_sasl_queue(conf, 1);
    if (client->statistics != NULL) {
        rd_kafka_conf_set_stats_cb(conf, on_statistics);
        kafka_statistics_restart(client->statistics);
    }
}

bool kafka_client_open(struct kafka_client *client, const struct kafka_settings *settings,
                       const struct kafka_limits *limits, struct error *err) {
    struct kafka_library library = kafka_library_loaded();
    *client = (struct kafka_client){
        .servers = settings->bootstrap_servers,
        .log = settings->log,
        .statistics = settings->statistics,
        .sasl_username = property_or_empty(settings, "sasl.username"),
        .sasl_password = property_or_empty(settings, "sasl.password"),
        .login_warning =
            kafka_login_warning(settings->properties, settings->property_count, &library),
        .certificate = has_certificate(settings),
    };
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char reason[512];
    client->refills_itself = rd_kafka_conf_set(conf, "fetch.queue.backoff.ms", "1", reason,
                                               sizeof reason) == RD_KAFKA_CONF_OK;
    set_limits(conf, limits);
    if (!set_properties(conf, settings, err)) {
        rd_kafka_conf_destroy(conf);
        return false;
    }
    check(pthread_mutex_init(&client->lock, NULL) == 0);
    set_callbacks(conf, client);
    client->handle = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof reason);
    if (client->handle != NULL)
        return fetch_tokens(client, settings, err);
    int error_number = errno;
    bool starved = rd_kafka_last_error() == RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE;
    rd_kafka_conf_destroy(conf); // rd_kafka_new() takes it over only when it succeeds
    pthread_mutex_destroy(&client->lock);
    if (starved)
        return limit_error(err, "cannot start a thread of the Kafka client", error_number);
    const char *servers = settings->bootstrap_servers;
    return error_set(err, ERROR_CONFIG, "Kafka client%s%s%s: %s%s", servers != NULL ? " for '" : "",
                     servers != NULL ? servers : "", servers != NULL ? "'" : "",
                     lacks_mechanism(settings)
                         ? "set KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD; "
                           "without a mechanism, Kerberos is used: "
                         : "",
                     reason);
}

bool kafka_properties_try(const struct kafka_property *properties, size_t count,
                          struct error *err) {
    const struct kafka_settings settings = {.properties = properties, .property_count = count};
    const struct kafka_limits limits = {.queue = 1 << 20, .fetch = 1 << 20, .response = 1 << 20};
    struct kafka_client client;
    bool ok = kafka_client_open(&client, &settings, &limits, err);
    if (ok)
        kafka_client_close(&client);
    return ok;
}

void kafka_client_close(struct kafka_client *client) {
    if (client->handle == NULL)
        return;
    rd_kafka_destroy(client->handle);
    pthread_mutex_destroy(&client->lock);
    *client = (struct kafka_client){0};
}

void kafka_client_refill(struct kafka_client *client) {
    if (client->refills_itself)
        return;
    // Up to librdkafka 2.1 a broker's thread that found every queue full sleeps for a second,
    // however fast the queues are emptied meanwhile (2.2 has fetch.queue.backoff.ms for it). The
    // one call that wakes the threads without disturbing anything is this; the credentials are
    // those it has.
    rd_kafka_error_t *error =
        rd_kafka_sasl_set_credentials(client->handle, client->sasl_username, client->sasl_password);
    check(error == NULL); // only for a missing argument
}

void kafka_client_tend(struct kafka_client *client) {
    if (client->handle != NULL && client->statistics != NULL)
        (void)rd_kafka_poll(client->handle, 0); // the number of callbacks served
}

int kafka_client_trouble(struct kafka_client *client, char *text, size_t size) {
    (void)rd_kafka_poll(client->handle, 0); // the number of callbacks served
    pthread_mutex_lock(&client->lock);
    bool current =
        client->trouble_count > 0 && clock_monotonic_ms() - client->trouble_ms < TROUBLE_STALE_MS;
    int count = current ? client->trouble_count : 0;
    snprintf(text, size, "%s", current ? client->trouble : "");
    pthread_mutex_unlock(&client->lock);
    return count;
}

void kafka_client_note_trouble(struct kafka_client *client, const char *text) {
    pthread_mutex_lock(&client->lock);
    client->trouble_count++;
    client->trouble_ms = clock_monotonic_ms();
    snprintf(client->trouble, sizeof client->trouble, "%s", text);
    if (client->limit != EAGAIN)
        client->limit = 0;
    pthread_mutex_unlock(&client->lock);
}

void kafka_client_forget_trouble(struct kafka_client *client) {
    pthread_mutex_lock(&client->lock);
    client->trouble[0] = '\0';
    client->trouble_count = 0;
    client->refused = false;
    client->limit = 0;
    client->too_large = 0;
    pthread_mutex_unlock(&client->lock);
}

bool kafka_client_was_refused(struct kafka_client *client) {
    pthread_mutex_lock(&client->lock);
    bool refused = client->refused;
    pthread_mutex_unlock(&client->lock);
    return refused;
}

int kafka_client_limit(struct kafka_client *client) {
    pthread_mutex_lock(&client->lock);
    int limit = client->limit;
    pthread_mutex_unlock(&client->lock);
    return limit;
}

bool kafka_client_met_too_large(struct kafka_client *client) {
    (void)rd_kafka_poll(client->handle, 0); // the number of callbacks served
    pthread_mutex_lock(&client->lock);
    bool met = client->too_large >= TOO_LARGE_TIMES;
    pthread_mutex_unlock(&client->lock);
    return met;
}
