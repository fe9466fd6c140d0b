#include "surfaces/settings/kafka_settings.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/scope.h"
#include "pipeline/source/kafka_client.h"
#include "surfaces/settings/servers.h"
#include "surfaces/settings/settings.h"

enum { PROPERTY_NAME_MAX = 256 };

/* Properties of Java's client that librdkafka does not have, and what to set instead. */
static const struct {
    const char *name;
    const char *cure;
} java_properties[] = {
    {"ssl.truststore.location", "KAFKA_SSL_CA_LOCATION, a PEM file"},
    {"ssl.truststore.password", "KAFKA_SSL_CA_LOCATION, a PEM file without a password"},
    {"ssl.truststore.type", "KAFKA_SSL_CA_LOCATION, a PEM file"},
    {"ssl.keystore.type", "KAFKA_SSL_KEYSTORE_LOCATION, a PKCS#12 file"},
    {"sasl.jaas.config", "KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD"},
};

/* What in a property's name says that its value must not be printed. */
static const char *const secret_words[] = {"password", "secret", "token",
                                           "jaas",     ".pem",   "oauthbearer.config"};

static bool is_secret(const char *property) {
    for (size_t i = 0; i < sizeof secret_words / sizeof secret_words[0]; i++)
        if (strstr(property, secret_words[i]) != NULL)
            return true;
    return false;
}

/* Writes the property that a variable sets. False: it sets none. */
static bool property_name(const char *variable, char property[static PROPERTY_NAME_MAX]) {
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

static struct kafka_property *find_property(const struct config *config, const char *name) {
    for (size_t i = 0; i < config->kafka_property_count; i++)
        if (strcmp(config->kafka_properties[i].name, name) == 0)
            return &config->kafka_properties[i];
    return NULL;
}

static void add_property(struct config *config, const char *name, const char *value,
                         const char *variable, const char *where) {
    size_t count = config->kafka_property_count++;
    void *properties =
        realloc(config->kafka_properties, (count + 1) * sizeof config->kafka_properties[0]);
    void *places = realloc(config->kafka_places, (count + 1) * sizeof config->kafka_places[0]);
    check(properties != NULL && places != NULL);
    config->kafka_properties = properties;
    config->kafka_places = places;
    struct kafka_property *property = &config->kafka_properties[count];
    *property = (struct kafka_property){strdup(name), strdup(value), is_secret(name)};
    check(property->name != NULL && property->value != NULL);
    check(asprintf(&config->kafka_places[count], "%s, %s", variable, where) >= 0);
}

static void add_ignored(struct config *config, const char *variable) {
    char *list = NULL;
    const char *before = config->ignored_kafka_variables;
    check(asprintf(&list, "%s%s%s", before != NULL ? before : "", before != NULL ? ", " : "",
                   variable) >= 0);
    free(config->ignored_kafka_variables);
    config->ignored_kafka_variables = list;
}

/* Whether the property is the operator's to set; otherwise adds a fault with the cure. */
static bool may_set(const char *name, const char *variable, const char *where,
                    struct faults *faults) {
    const char *why;
    if (kafka_property_is_ours(name, &why)) {
        faults_add(faults, "%s (%s): Kafka property '%s' can't be set: %s", variable, where, name,
                   why);
        return false;
    }
    for (size_t i = 0; i < sizeof java_properties / sizeof java_properties[0]; i++) {
        if (strcmp(java_properties[i].name, name) != 0)
            continue;
        faults_add(faults, "%s (%s): only Java's client has '%s'; set %s", variable, where, name,
                   java_properties[i].cure);
        return false;
    }
    return true;
}

struct reading {
    struct config *config;
    struct faults *faults;
};

/* One variable that the environment or a file has. */
static void read_variable(void *context, const char *variable, const char *value,
                          const char *where) {
    const struct reading *reading = context;
    struct config *config = reading->config;
    struct faults *faults = reading->faults;
    if (strncmp(variable, "KAFKA_", 6) != 0 || settings_find(variable) >= 0 || *value == '\0')
        return;
    char name[PROPERTY_NAME_MAX];
    if (!property_name(variable, name)) {
        add_ignored(config, variable);
        return;
    }
    if (!may_set(name, variable, where, faults))
        return;
    const struct kafka_property *known = find_property(config, name);
    if (known == NULL)
        add_property(config, name, value, variable, where);
    else if (strcmp(known->value, value) != 0)
        faults_add(faults, "%s (%s): another variable sets %s to something else; leave one out",
                   variable, where, name);
}

/* SSL://broker:9093 sets the protocol, as far as nobody has set another. */
static void read_protocol(struct config *config, struct faults *faults) {
    static const char setting[] = "KAFKA_BOOTSTRAP_SERVERS", property[] = "security.protocol";
    const struct setting_value *value = &config->values[settings_find(setting)];
    if (config->bootstrap_servers == NULL)
        return;
    scoped(scope_free) char *list = NULL;
    const char *protocol;
    struct error err;
    bool ok = servers_parse(value->text, &list, &protocol, &err);
    check(ok); // it was parsed before
    if (protocol == NULL)
        return;
    const struct kafka_property *known = find_property(config, property);
    if (known == NULL)
        add_property(config, property, protocol, setting, value->where);
    else if (strcasecmp(known->value, protocol) != 0)
        faults_add(faults, "%s (%s): '%s': the protocol is %s, but that of %s is %s; leave one out",
                   setting, value->where, value->text, protocol,
                   config->kafka_places[known - config->kafka_properties], known->value);
}

void kafka_settings_read(struct config *config, char *const *environment,
                         const struct variables *variables, struct faults *faults) {
    struct reading reading = {config, faults};
    variables_each(environment, variables, read_variable, &reading);
    read_protocol(config, faults);
}

void kafka_settings_deinit(struct config *config) {
    for (size_t i = 0; i < config->kafka_property_count; i++) {
        free(config->kafka_properties[i].name);
        free(config->kafka_properties[i].value);
        free(config->kafka_places[i]);
    }
    free(config->kafka_properties);
    free(config->kafka_places);
    free(config->ignored_kafka_variables);
    config->kafka_properties = NULL;
    config->kafka_places = NULL;
    config->kafka_property_count = 0;
    config->ignored_kafka_variables = NULL;
}
