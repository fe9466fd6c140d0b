/* A variable that counts is turned into a property's name; then it is refused, with the fix, or
 * kept with its value and where it came from, or only its name is noted for the log. Two variables
 * can name one property of librdkafka (KAFKA_SASL_USERNAME, KAFKA_CONF_SASL_USERNAME): they must
 * agree, because no order between them would be clear. */
#include "surfaces/settings/properties.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/scope.h"
#include "base/text.h"
#include "pipeline/source/kafka_client.h"
#include "pipeline/source/kafka_login.h"
#include "streaming/cluster/spark/spark_session.h"
#include "surfaces/settings/addresses.h"
#include "surfaces/settings/settings.h"

enum { PROPERTY_NAME_MAX = 256 };

/* A property that is not the operator's to set this way, and what to do instead. */
struct refused_property {
    const char *name;
    const char *cure;
};

static const char *cure_of(const struct refused_property *refused, const char *name) {
    for (; refused->name != NULL; refused++)
        if (strcmp(refused->name, name) == 0)
            return refused->cure;
    return NULL;
}

/* One more row at the end of an array. */
static void *grow(void *rows, size_t count, size_t size) {
    void *grown = reallocarray(rows, count + 1, size);
    check(grown != NULL);
    return grown;
}

static void note_origin(char ***origins, size_t count, const char *name, const char *where) {
    *origins = grow(*origins, count, sizeof **origins);
    (*origins)[count] = text_format("%s, %s", name, where);
}

static void note_ignored(char **list, const char *variable) {
    char *longer =
        text_format("%s%s%s", *list != NULL ? *list : "", *list != NULL ? ", " : "", variable);
    free(*list);
    *list = longer;
}

/* Whether it sets something: it is not empty, and no other of its name wins over it. */
static bool counts(const struct variables *variables, const struct variable *variable) {
    return *variable->value != '\0' && variables_find(variables, variable->name) == variable;
}

/* ---- librdkafka ---- */

/* Those of Java's client that librdkafka does not have. */
static const struct refused_property java_properties[] = {
    {"ssl.truststore.location", "KAFKA_SSL_CA_LOCATION, a PEM file"},
    {"ssl.truststore.password", "KAFKA_SSL_CA_LOCATION, a PEM file without a password"},
    {"ssl.truststore.type", "KAFKA_SSL_CA_LOCATION, a PEM file"},
    {"ssl.keystore.type", "KAFKA_SSL_KEYSTORE_LOCATION, a PKCS#12 file"},
    {"sasl.jaas.config", "KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD"},
    {NULL},
};

/* Whether the property's name says that its value must not be printed. */
static bool kafka_property_is_secret(const char *name) {
    static const char *const words[] = {"password", "secret", "token",
                                        "jaas",     ".pem",   "oauthbearer.config"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strstr(name, words[i]) != NULL)
            return true;
    return false;
}

/* Writes the property that a variable sets. False: it sets none. */
static bool kafka_property_name(const char *variable, char property[static PROPERTY_NAME_MAX]) {
    static const char own[] = "KAFKA_CONF_", plain[] = "KAFKA_";
    const char *name = "";
    if (strncmp(variable, own, sizeof own - 1) == 0)
        name = variable + sizeof own - 1;
    else if (strcmp(variable, "KAFKA_SECURITY_PROTOCOL") == 0 ||
             strncmp(variable, "KAFKA_SASL_", 11) == 0 || strncmp(variable, "KAFKA_SSL_", 10) == 0)
        name = variable + sizeof plain - 1;
    size_t size = strlen(name);
    if (size == 0 || size >= PROPERTY_NAME_MAX)
        return false;
    for (size_t i = 0; i <= size; i++)
        property[i] = (char)(name[i] == '_' ? '.' : tolower((unsigned char)name[i]));
    if (strcmp(property, "log.level") == 0)
        property[3] = '_'; // the only one to be set by text that has an underscore
    return true;
}

static const struct kafka_property *find_kafka_property(const struct config *config,
                                                        const char *name) {
    for (size_t i = 0; i < config->kafka_property_count; i++)
        if (strcmp(config->kafka_properties[i].name, name) == 0)
            return &config->kafka_properties[i];
    return NULL;
}

static void add_kafka_property(struct config *config, const char *name, const char *value,
                               const char *variable, const char *where) {
    size_t count = config->kafka_property_count++;
    config->kafka_properties = grow(config->kafka_properties, count, sizeof(struct kafka_property));
    config->kafka_properties[count] =
        (struct kafka_property){text_copy(name), text_copy(value), kafka_property_is_secret(name)};
    note_origin(&config->kafka_origins, count, variable, where);
}

/* Whether the property is the operator's to set; otherwise adds a problem with the fix. */
static bool may_set_kafka(const char *name, const struct variable *variable,
                          struct problems *problems) {
    const char *why, *cure = cure_of(java_properties, name);
    bool ours = kafka_property_is_ours(name, &why);
    if (ours)
        problems_add(problems, "%s (%s): the Kafka property '%s' cannot be set: %s", variable->name,
                     variable->where, name, why);
    else if (cure != NULL)
        problems_add(problems,
                     "%s (%s): only Kafka's Java client has the property '%s': set %s instead",
                     variable->name, variable->where, name, cure);
    return !ours && cure == NULL;
}

static void read_kafka_variable(struct config *config, const struct variable *variable,
                                struct problems *problems) {
    char name[PROPERTY_NAME_MAX];
    if (strncmp(variable->name, "KAFKA_", 6) != 0 || settings_find(variable->name) >= 0)
        return;
    if (!kafka_property_name(variable->name, name)) {
        if (variable->in_environment) // one of a file is warned of
            note_ignored(&config->ignored_kafka_variables, variable->name);
        return;
    }
    if (!may_set_kafka(name, variable, problems))
        return;
    struct kafka_property property = {name, variable->value, kafka_property_is_secret(name)};
    struct error err;
    struct kafka_library library = kafka_library_loaded();
    if (!kafka_login_refuses(name, &library) && !kafka_property_check(&property, &err)) {
        problems_add(problems, "%s (%s): %s", variable->name, variable->where, err.message);
        return;
    }
    const struct kafka_property *known = find_kafka_property(config, name);
    if (known == NULL)
        add_kafka_property(config, name, variable->value, variable->name, variable->where);
    else if (strcmp(known->value, variable->value) != 0)
        problems_add(problems,
                     "%s (%s): another variable sets %s to a different value: remove one of them",
                     variable->name, variable->where, name);
}

/* SSL://broker:9093 sets the protocol, as far as nobody has set another. */
static void read_protocol(struct config *config, struct problems *problems) {
    static const char setting[] = "KAFKA_BOOTSTRAP_SERVERS", property[] = "security.protocol";
    const struct setting_value *value = settings_value(config, setting);
    if (config->bootstrap_servers == NULL)
        return;
    scoped(scope_free) char *list = NULL;
    const char *protocol;
    struct error err;
    bool ok = servers_parse(value->text, &list, &protocol, &err);
    check(ok); // it was parsed before
    if (protocol == NULL)
        return;
    const struct kafka_property *known = find_kafka_property(config, property);
    if (known == NULL)
        add_kafka_property(config, property, protocol, setting, value->where);
    else if (strcasecmp(known->value, protocol) != 0)
        problems_add(problems,
                     "%s (%s): '%s': the protocol is %s, but %s sets %s: remove one of them",
                     setting, value->where, value->text, protocol,
                     config->kafka_origins[known - config->kafka_properties], known->value);
}

void properties_read_kafka(struct config *config, const struct variables *variables,
                           struct problems *problems) {
    for (size_t i = 0; i < variables->count; i++)
        if (counts(variables, &variables->items[i]))
            read_kafka_variable(config, &variables->items[i], problems);
    read_protocol(config, problems);
}

/* The variable that sets the property which the message names first; "": it names none. */
static const char *find_origin(const struct config *config, const char *message) {
    const char *found = "", *first = NULL;
    for (size_t i = 0; i < config->kafka_property_count; i++) {
        const char *at = strstr(message, config->kafka_properties[i].name);
        if (at == NULL || (first != NULL && at >= first))
            continue;
        first = at;
        found = config->kafka_origins[i];
    }
    return found;
}

void properties_try_kafka(const struct config *config, struct problems *problems) {
    struct error err;
    if (kafka_properties_try(config->kafka_properties, config->kafka_property_count, &err) ||
        err.kind != ERROR_CONFIG)
        return;
    const char *origin = find_origin(config, err.message);
    problems_add(problems, "%s%s%s", origin, *origin != '\0' ? ": " : "", err.message);
}

/* ---- Spark ---- */

static const struct refused_property own_properties[] = {
    {"spark.master", "set SPARK_MASTER_URL"},
    {"spark.remote", "set SPARK_MASTER_URL to sc://HOST:PORT"},
    {"spark.submit.deployMode", "the driver runs on this machine and ends with this program"},
    {"spark.driver.memory", "set SPARK_DRIVER_MEMORY"},
    {"spark.executor.memory", "set SPARK_EXECUTOR_MEMORY"},
    {"spark.connect.grpc.binding.address", "the server listens for this program only"},
    {"spark.connect.grpc.binding.port", "each start takes a free port"},
    {"spark.connect.authenticate.token", "each start makes a new token"},
    {"spark.log.level", "its log shows when Spark is up; set LOG_LEVEL, which applies to it too"},
    {"spark.sql.shuffle.partitions", "set SPARK_SHUFFLE_PARTITIONS"},
    {"spark.sql.session.timeZone", "set SPARK_SQL_SESSION_TIMEZONE"},
    {"spark.sql.parquet.compression.codec", "set PARQUET_COMPRESSION"},
    {"spark.sql.parquet.outputTimestampType", "set PARQUET_TIMESTAMP_TYPE"},
    {NULL},
};

/* Writes the property that the variable's rest stands for. False: it is too long. */
static bool spark_property_name(const char *rest, char property[static PROPERTY_NAME_MAX]) {
    size_t used = 0;
    for (; *rest != '\0' && used < PROPERTY_NAME_MAX - 1; rest++) {
        bool doubled = rest[0] == '_' && rest[1] == '_';
        property[used++] = (char)(*rest == '_' && !doubled ? '.' : *rest);
        rest += doubled ? 1 : 0;
    }
    property[used] = '\0';
    return *rest == '\0';
}

static void add_spark_property(struct config *config, const char *name,
                               const struct variable *variable) {
    size_t count = config->spark_property_count++;
    config->spark_properties = grow(config->spark_properties, count, sizeof(struct spark_property));
    config->spark_properties[count] = (struct spark_property){
        text_copy(name), text_copy(variable->value), spark_property_is_secret(name)};
    note_origin(&config->spark_origins, count, variable->name, variable->where);
}

/* Whether the property is the operator's to set; otherwise adds a problem with the fix. */
static bool may_set_spark(const char *name, const struct variable *variable,
                          struct problems *problems) {
    const char *cure = cure_of(own_properties, name);
    if (cure == NULL && spark_session_is_fixed(name))
        cure = "the program relies on the value that it sets in each session";
    bool is_sparks = strncmp(name, "spark.", 6) == 0 && name[6] != '\0';
    if (!is_sparks)
        problems_add(problems,
                     "%s (%s): '%s' is not a Spark property: they begin with 'spark.', and "
                     "SPARK_CONF_spark_sql_x sets spark.sql.x",
                     variable->name, variable->where, name);
    else if (cure != NULL)
        problems_add(problems, "%s (%s): the Spark property '%s' cannot be set: %s", variable->name,
                     variable->where, name, cure);
    return is_sparks && cure == NULL;
}

/* A server that runs already has its properties; only those of a session can be set. */
static bool has_effect(const struct config *config, const char *name) {
    return config->master_kind == MASTER_SERVER ||
           (config->master_kind == MASTER_CONNECT && strncmp(name, "spark.sql.", 10) == 0);
}

static void read_spark_variable(struct config *config, const struct variable *variable,
                                struct problems *problems) {
    static const char prefix[] = "SPARK_CONF_";
    char name[PROPERTY_NAME_MAX] = "";
    if (strncmp(variable->name, prefix, sizeof prefix - 1) != 0 ||
        strcmp(variable->name, "SPARK_CONF_DIR") == 0)
        return;
    bool local = config->master_kind == MASTER_LOCAL;
    if (!local && !spark_property_name(variable->name + sizeof prefix - 1, name)) {
        problems_add(problems, "%s (%s): the name is too long", variable->name, variable->where);
        return;
    }
    if (!local && !may_set_spark(name, variable, problems))
        return;
    if (has_effect(config, name))
        add_spark_property(config, name, variable);
    else
        note_ignored(&config->ignored_spark_variables, variable->name);
}

void properties_read_spark(struct config *config, const struct variables *variables,
                           struct problems *problems) {
    for (size_t i = 0; i < variables->count; i++)
        if (counts(variables, &variables->items[i]))
            read_spark_variable(config, &variables->items[i], problems);
}

bool properties_has_name(const char *variable) {
    char property[PROPERTY_NAME_MAX];
    return kafka_property_name(variable, property) || strncmp(variable, "SPARK_CONF_", 11) == 0;
}

void properties_deinit(struct config *config) {
    for (size_t i = 0; i < config->kafka_property_count; i++) {
        free(config->kafka_properties[i].name);
        free(config->kafka_properties[i].value);
        free(config->kafka_origins[i]);
    }
    for (size_t i = 0; i < config->spark_property_count; i++) {
        free(config->spark_properties[i].name);
        free(config->spark_properties[i].value);
        free(config->spark_origins[i]);
    }
    free(config->kafka_properties);
    free(config->kafka_origins);
    free(config->ignored_kafka_variables);
    free(config->spark_properties);
    free(config->spark_origins);
    free(config->ignored_spark_variables);
}
