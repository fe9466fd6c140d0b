#include "streaming/cluster/engine/spark_reason.h"

#include <string.h>

#define CONNECTOR                                                                                  \
    "the server has no Kafka connector: start it with --packages or --jars for "                   \
    "spark-sql-kafka-0-10 of its version"

#define LOSS                                                                                       \
    "set FAIL_ON_DATA_LOSS=false to skip the lost records (Spark does not report how many; "       \
    "`esports-stream verify` does)"

#define TIMESTAMP                                                                                  \
    "Spark's Kafka source only accepts timestamps in milliseconds: process the "                   \
    "record with SPARK_MASTER_URL=local[*] and TRIGGER=availableNow, which rejects it, "           \
    "then continue on the cluster"

/* By how Spark's error class begins (its error-conditions.json), or by a part of the message, where
 * an executor's exception has no class. */
static const struct {
    const char *error_class, *words; // NULL: not by this
    enum error_kind kind;
    const char *cure;
} reasons[] = {
    {"KAFKA_DATA_LOSS", NULL, ERROR_DATA_LOSS, LOSS},
    {NULL, "not available in Kafka any more", ERROR_DATA_LOSS, LOSS},
    {NULL, "ArithmeticException: long overflow", ERROR_RECORD, TIMESTAMP},
    {"CONCURRENT_STREAM_LOG_UPDATE", NULL, ERROR_STATE,
     "another writer runs this query: stop it, then start again"},
    {"DATA_SOURCE_NOT_FOUND", NULL, ERROR_CLUSTER, CONNECTOR},
    {NULL, "Failed to find data source: kafka", ERROR_CLUSTER, CONNECTOR},
};

static bool begins_with(const char *text, const char *start) {
    return start != NULL && strncmp(text, start, strlen(start)) == 0;
}

bool spark_reason_add(const char *error_class, struct error *err) {
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        bool said = reasons[i].words != NULL && strstr(err->message, reasons[i].words) != NULL;
        if (!said && !begins_with(error_class, reasons[i].error_class))
            continue;
        struct error why = *err;
        return error_set(err, reasons[i].kind, "%.800s; %s", why.message, reasons[i].cure);
    }
    return false;
}
