#include "streaming/cluster/spark_reason.h"

#include <string.h>

#define CONNECTOR                                                                                  \
    "the server has no Kafka connector: start it with --packages or --jars of "                    \
    "spark-sql-kafka-0-10 for its version"

/* Classes of Spark 4 (its error-conditions.json), or how they begin. */
static const struct {
    const char *error_class;
    enum error_kind kind;
    const char *cure;
} reasons[] = {
    {"KAFKA_DATA_LOSS", ERROR_DATA_LOSS,
     "set FAIL_ON_DATA_LOSS=false to go on without what is gone"},
    {"CONCURRENT_STREAM_LOG_UPDATE", ERROR_STATE,
     "another writer runs this query: end it, then start again"},
    {"DATA_SOURCE_NOT_FOUND", ERROR_CLUSTER, CONNECTOR},
    {"_LEGACY_ERROR_TEMP_1140", ERROR_CLUSTER, CONNECTOR}, // "Failed to find data source: kafka"
};

bool spark_reason_add(const char *error_class, struct error *err) {
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (strncmp(error_class, reasons[i].error_class, strlen(reasons[i].error_class)) != 0)
            continue;
        struct error why = *err;
        return error_set(err, reasons[i].kind, "%.800s; %s", why.message, reasons[i].cure);
    }
    return false;
}
