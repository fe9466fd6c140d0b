#include "surfaces/kafka_settings.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/scope.h"
#include "surfaces/settings.h"

/* Properties that are not the operator's to set, and what to do instead. */
static const struct {
    const char *name;
    const char *cure;
} refused[] = {
    {"bootstrap.servers", "set KAFKA_BOOTSTRAP_SERVERS"},
    {"metadata.broker.list", "set KAFKA_BOOTSTRAP_SERVERS"},
    {"enable.auto.commit", "the engine relies on it: offsets are kept in the checkpoint"},
    {"enable.auto.offset.store", "the engine relies on it: offsets are kept in the checkpoint"},
    {"auto.offset.reset", "the engine relies on it; set STARTING_OFFSETS or FAIL_ON_DATA_LOSS"},
    {"enable.partition.eof", "the engine relies on it"},
    {"queued.max.messages.kbytes", "it follows from SPARK_DRIVER_MEMORY"},
    {"queued.min.messages", "it follows from SPARK_DRIVER_MEMORY"},
    {"ssl.truststore.location",
     "only Java's client has it; set KAFKA_SSL_CA_LOCATION to a PEM file"},
    {"ssl.truststore.password", "only Java's client has it; a PEM file in KAFKA_SSL_CA_LOCATION "
                                "needs none"},
    {"ssl.truststore.type", "only Java's client has it; KAFKA_SSL_CA_LOCATION takes PEM"},
    {"ssl.keystore.type", "only Java's client has it; KAFKA_SSL_KEYSTORE_LOCATION takes PKCS#12"},
    {"sasl.jaas.config", "only Java's client has it; set KAFKA_SASL_USERNAME and "
                         "KAFKA_SASL_PASSWORD"},
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

/* The property that a variable sets, owned by the caller; NULL: none. */
static char *property_name(const char *variable) {
    static const char own[] = "KAFKA_CONF_", plain[] = "KAFKA_";
    const char *name = NULL;
    if (strncmp(variable, own, sizeof own - 1) == 0)
        name = variable + sizeof own - 1;
    else if (strcmp(variable, "KAFKA_SECURITY_PROTOCOL") == 0 ||
             strncmp(variable, "KAFKA_SASL_", 11) == 0 || strncmp(variable, "KAFKA_SSL_", 10) == 0)
        name = variable + sizeof plain - 1;
    if (name == NULL || *name == '\0')
        return NULL;
    char *property = strdup(name);
    check(property != NULL);
    for (char *at = property; *at != '\0'; at++)
        *at = (char)(*at == '_' ? '.' : tolower((unsigned char)*at));
    return property;
}

static struct kafka_property *find_property(const struct config *config, const char *name) {
    for (size_t i = 0; i < config->kafka_property_count; i++)
        if (strcmp(config->kafka_properties[i].name, name) == 0)
            return &config->kafka_properties[i];
    return NULL;
}

static void add_property(struct config *config, const char *name, const char *value) {
    void *grown = realloc(config->kafka_properties,
                          (config->kafka_property_count + 1) * sizeof config->kafka_properties[0]);
    check(grown != NULL);
    config->kafka_properties = grown;
    struct kafka_property *property = &config->kafka_properties[config->kafka_property_count++];
    *property = (struct kafka_property){strdup(name), strdup(value), is_secret(name)};
    check(property->name != NULL && property->value != NULL);
}

static void add_ignored(struct config *config, const char *variable) {
    char *list = NULL;
    const char *before = config->ignored_kafka_variables;
    check(asprintf(&list, "%s%s%s", before != NULL ? before : "", before != NULL ? ", " : "",
                   variable) >= 0);
    free(config->ignored_kafka_variables);
    config->ignored_kafka_variables = list;
}

/* One variable that the environment or a file has. */
static void read_variable(struct config *config, const char *variable, const char *value,
                          const char *where, struct faults *faults) {
    if (strncmp(variable, "KAFKA_", 6) != 0 || settings_find(variable) >= 0 || *value == '\0')
        return;
    scoped(scope_free) char *name = property_name(variable);
    if (name == NULL) {
        add_ignored(config, variable);
        return;
    }
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (strcmp(refused[i].name, name) == 0) {
            faults_add(faults, "%s (%s): %s can't be set: %s", variable, where, name,
                       refused[i].cure);
            return;
        }
    }
    const struct kafka_property *known = find_property(config, name);
    if (known == NULL)
        add_property(config, name, value);
    else if (strcmp(known->value, value) != 0)
        faults_add(faults, "%s (%s): another variable sets %s to something else; leave one out",
                   variable, where, name);
}

/* Whether the environment has the variable, and not empty. */
static bool is_set(char *const *environment, const char *variable) {
    size_t size = strlen(variable);
    for (char *const *entry = environment; *entry != NULL; entry++)
        if (strncmp(*entry, variable, size) == 0 && (*entry)[size] == '=' &&
            (*entry)[size + 1] != '\0')
            return true;
    return false;
}

void kafka_settings_read(struct config *config, char *const *environment,
                         const struct variables *variables, struct faults *faults) {
    for (char *const *entry = environment; *entry != NULL; entry++) {
        const char *equals = strchr(*entry, '=');
        if (equals == NULL)
            continue;
        scoped(scope_free) char *name = strndup(*entry, (size_t)(equals - *entry));
        check(name != NULL);
        read_variable(config, name, equals + 1, "environment", faults);
    }
    for (size_t i = 0; i < variables->count; i++) {
        const struct variable *variable = &variables->items[i];
        if (variables_find(variables, variable->name) == variable &&
            !is_set(environment, variable->name))
            read_variable(config, variable->name, variable->value, variable->where, faults);
    }
}

void kafka_settings_deinit(struct config *config) {
    for (size_t i = 0; i < config->kafka_property_count; i++) {
        free(config->kafka_properties[i].name);
        free(config->kafka_properties[i].value);
    }
    free(config->kafka_properties);
    free(config->ignored_kafka_variables);
    config->kafka_properties = NULL;
    config->kafka_property_count = 0;
    config->ignored_kafka_variables = NULL;
}
