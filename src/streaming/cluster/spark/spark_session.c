#include "streaming/cluster/spark/spark_session.h"

#include <string.h>

/* The names and defaults were checked with Spark 4.2 (tests/stories/test_cluster.py). */
const struct connect_pair spark_session_fixed[] = {
    // What the texts of a plan mean.
    {"spark.sql.ansi.enabled", "false"},
    {"spark.sql.caseSensitive", "false"},
    {"spark.sql.variable.substitute", "false"}, // "${…}" in a literal stays as it is
    {"spark.sql.parser.escapedStringLiterals", "false"},
    {"spark.sql.legacy.sizeOfNull", "true"},
    {"spark.sql.legacy.timeParserPolicy", "CORRECTED"},
    {"spark.sql.json.enablePartialResults", "true"},
    // from_json gets the schema that was printed; a shorter one gives other values.
    {"spark.sql.optimizer.enableJsonExpressionOptimization", "false"},
    // Dates and times are written as they are, not as the calendar of Spark 2 would count them.
    {"spark.sql.parquet.int96RebaseModeInWrite", "CORRECTED"},
    {"spark.sql.parquet.datetimeRebaseModeInWrite", "CORRECTED"},
    // How many batches may end between two looks of ours without their counts being lost; lost
    // ones cost a reading of the whole batch.
    {"spark.sql.streaming.numRecentProgressUpdates", "20"},
    // A run that a former process of ours has left behind ends, instead of refusing this one.
    {"spark.sql.streaming.stopActiveRunOnRestart", "true"},
};
const size_t spark_session_fixed_count = sizeof spark_session_fixed / sizeof spark_session_fixed[0];

bool spark_session_is_fixed(const char *name) {
    for (size_t i = 0; i < spark_session_fixed_count; i++)
        if (strcmp(spark_session_fixed[i].name, name) == 0)
            return true;
    return false;
}
