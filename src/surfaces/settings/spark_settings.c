#include "surfaces/settings/spark_settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { PROPERTY_NAME_MAX = 256 };

static const char prefix[] = "SPARK_CONF_";

/* Properties that are not the operator's to set this way, and what to do instead. */
static const struct {
    const char *name;
    const char *why;
} own_properties[] = {
    {"spark.master", "set SPARK_MASTER_URL"},
    {"spark.remote", "set SPARK_MASTER_URL to sc://HOST:PORT"},
    {"spark.submit.deployMode", "the driver runs on this machine, where it can be ended with us"},
    {"spark.driver.memory", "set SPARK_DRIVER_MEMORY"},
    {"spark.executor.memory", "set SPARK_EXECUTOR_MEMORY"},
    {"spark.connect.grpc.binding.address", "the server listens for this program alone"},
    {"spark.connect.grpc.binding.port", "a free port is taken at each start"},
    {"spark.connect.authenticate.token", "a token is made at each start"},
    {"spark.log.level", "Spark's lines say when it is up; set LOG_LEVEL, which counts for them"},
    {"spark.sql.shuffle.partitions", "set SPARK_SHUFFLE_PARTITIONS"},
    {"spark.sql.session.timeZone", "set SPARK_SQL_SESSION_TIMEZONE"},
    {"spark.sql.parquet.compression.codec", "set PARQUET_COMPRESSION"},
    {"spark.sql.parquet.outputTimestampType", "set PARQUET_TIMESTAMP_TYPE"},
};

bool spark_property_is_secret(const char *name) {
    // Spark's own list (spark.redaction.regex), and what a header may be called.
    static const char *const words[] = {"secret",     "password",   "token",     "access.key",
                                        "access-key", "access_key", "accesskey", "authorization",
                                        "api-key",    "credential"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasestr(name, words[i]) != NULL)
            return true;
    return false;
}

/* Writes the property that the variable's rest stands for. False: it is too long. */
static bool property_name(const char *rest, char property[static PROPERTY_NAME_MAX]) {
    size_t used = 0;
    for (; *rest != '\0' && used < PROPERTY_NAME_MAX - 1; rest++) {
        bool doubled = rest[0] == '_' && rest[1] == '_';
        property[used++] = (char)(*rest == '_' && !doubled ? '.' : *rest);
        rest += doubled ? 1 : 0;
    }
    property[used] = '\0';
    return *rest == '\0';
}

/* Whether the property is the operator's to set; otherwise adds a fault with the cure. */
static bool may_set(const char *name, const char *variable, const char *where,
                    struct faults *faults) {
    if (strncmp(name, "spark.", 6) != 0 || name[6] == '\0') {
        faults_add(faults,
                   "%s (%s): '%s' is no property of Spark's, which begin with 'spark.': "
                   "SPARK_CONF_spark_sql_x is spark.sql.x",
                   variable, where, name);
        return false;
    }
    for (size_t i = 0; i < sizeof own_properties / sizeof own_properties[0]; i++) {
        if (strcmp(own_properties[i].name, name) != 0)
            continue;
        faults_add(faults, "%s (%s): Spark's property '%s' can't be set: %s", variable, where, name,
                   own_properties[i].why);
        return false;
    }
    return true;
}

static void add_property(struct config *config, const char *name, const char *value,
                         const char *variable, const char *where) {
    size_t count = config->spark_property_count++;
    void *properties =
        realloc(config->spark_properties, (count + 1) * sizeof config->spark_properties[0]);
    void *places = realloc(config->spark_places, (count + 1) * sizeof config->spark_places[0]);
    check(properties != NULL && places != NULL);
    config->spark_properties = properties;
    config->spark_places = places;
    config->spark_properties[count] =
        (struct spark_property){strdup(name), strdup(value), spark_property_is_secret(name)};
    check(config->spark_properties[count].name != NULL);
    check(config->spark_properties[count].value != NULL);
    check(asprintf(&config->spark_places[count], "%s, %s", variable, where) >= 0);
}

static void add_ignored(struct config *config, const char *variable) {
    char *list = NULL;
    const char *before = config->ignored_spark_variables;
    check(asprintf(&list, "%s%s%s", before != NULL ? before : "", before != NULL ? ", " : "",
                   variable) >= 0);
    free(config->ignored_spark_variables);
    config->ignored_spark_variables = list;
}

/* A server that runs already has its properties; only those of a session can be set. */
static bool has_effect(const struct config *config, const char *name) {
    return config->master_kind == MASTER_SERVER ||
           (config->master_kind == MASTER_CONNECT && strncmp(name, "spark.sql.", 10) == 0);
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
    char name[PROPERTY_NAME_MAX] = "";
    if (strncmp(variable, prefix, sizeof prefix - 1) != 0 || *value == '\0' ||
        strcmp(variable, "SPARK_CONF_DIR") == 0)
        return;
    if (config->master_kind == MASTER_LOCAL) {
        add_ignored(config, variable);
        return;
    }
    if (!property_name(variable + sizeof prefix - 1, name)) {
        faults_add(faults, "%s (%s): the name is too long", variable, where);
        return;
    }
    if (!may_set(name, variable, where, faults))
        return;
    if (has_effect(config, name))
        add_property(config, name, value, variable, where);
    else
        add_ignored(config, variable);
}

void spark_settings_read(struct config *config, char *const *environment,
                         const struct variables *variables, struct faults *faults) {
    struct reading reading = {config, faults};
    variables_each(environment, variables, read_variable, &reading);
}

void spark_settings_deinit(struct config *config) {
    for (size_t i = 0; i < config->spark_property_count; i++) {
        free(config->spark_properties[i].name);
        free(config->spark_properties[i].value);
        free(config->spark_places[i]);
    }
    free(config->spark_properties);
    free(config->spark_places);
    free(config->ignored_spark_variables);
    config->spark_properties = NULL;
    config->spark_places = NULL;
    config->spark_property_count = 0;
    config->ignored_spark_variables = NULL;
}
