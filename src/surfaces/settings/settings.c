/* A setting is a row of `common`; one that each query has for itself is a row without a name, of
 * which the table gets a copy per query. A new setting is one row, and its field in struct config.
 */
#include "surfaces/settings/settings.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/pool.h"
#include "base/text.h"
#include "surfaces/settings/config.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

enum { MIB = 1 << 20 };

/* One setting per paragraph reads better than the formatter's layout. */
/* clang-format off */
static const struct choice log_levels[] = {
    {"DEBUG", LOG_DEBUG}, {"INFO", LOG_INFO}, {"WARNING", LOG_WARNING}, {"ERROR", LOG_ERROR},
    {"CRITICAL", LOG_CRITICAL}, {"WARN", LOG_WARNING, .alias = true}, {NULL}};
static const struct choice log_formats[] = {{"text", 0}, {"json", 1}, {NULL}};
static const struct choice booleans[] = {
    {"true", 1}, {"false", 0}, {"yes", 1, .alias = true}, {"no", 0, .alias = true},
    {"1", 1, .alias = true}, {"0", 0, .alias = true}, {NULL}};
static const struct choice switches[] = {{"on", 1}, {"off", 0}, {NULL}};
static const struct choice parse_modes[] = {
    {"reject", PARSE_REJECT}, {"permissive", PARSE_PERMISSIVE}, {"failfast", PARSE_FAILFAST},
    {"dropmalformed", PARSE_REJECT, .alias = true}, {NULL}};
static const struct choice codecs[] = {
    {"snappy", CODEC_SNAPPY}, {"zstd", CODEC_ZSTD}, {"lz4_raw", CODEC_LZ4_RAW},
    {"none", CODEC_NONE}, {"lz4raw", CODEC_LZ4_RAW, .alias = true},
    {"uncompressed", CODEC_NONE, .alias = true}, {NULL}};
static const struct choice timestamp_types[] = {
    {"TIMESTAMP_MICROS", TIMESTAMP_AS_MICROS}, {"INT96", TIMESTAMP_AS_INT96}, {NULL}};
static const struct choice missing_files[] = {
    {"report", MISSING_FILES_REPORT}, {"stop", MISSING_FILES_STOP}, {NULL}};
static const struct choice sink_logs[] = {
    {"auto", SINK_LOG_AUTO}, {"on", SINK_LOG_ON}, {"off", SINK_LOG_OFF}, {NULL}};

static const char queries[] = "Queries", kafka[] = "Kafka", where[] = "Where it runs", lake[] = "Data lake",
                  batches[] = "Batches", records[] = "Records", parquet[] = "Parquet files", care[] = "Care of the tables",
                  logging[] = "Logging and status", page[] = "Page, API, metrics",
                  alerts[] = "Alerts", limits[] = "Time limits";

#define FIELD(name) offsetof(struct config, name)

static const struct setting common[] = {
    {kafka, "KAFKA_BOOTSTRAP_SERVERS", &type_servers, FIELD(bootstrap_servers), NULL,
     "Brokers to connect to first: host:port, separated by commas; empty entries are skipped. An "
     "address can begin with a protocol (SASL_SSL://host:port). This sets KAFKA_SECURITY_PROTOCOL; "
     "it is an error if that has another value. `file:DIRECTORY` reads captured records instead of "
     "a broker: one file `<topic>-<partition>.ndjson` per partition, one record per line.",
     .location = true},
    {kafka, NULL, &type_topic, FIELD(variables[0]), NULL, "Topic that %s reads.", .is_variable = true},
    {kafka, "STARTING_OFFSETS", &type_offsets, FIELD(query.starting_offsets), "earliest",
     "Where a query without a checkpoint begins: `earliest`, `latest`, or JSON in Spark's "
     "form, {\"topic\": {\"0\": 23, \"1\": -2}}, where -2 is the earliest and -1 the latest "
     "offset. The JSON must name the topic of every query that runs. Partitions that appear "
     "later are always read from their start.",
     .location = true},
    {kafka, "KAFKA_COMMIT_GROUP", &type_group, FIELD(query.commit_group), "",
     "Consumer group to which each query also commits its offsets after every batch, for tools "
     "such as kafka-consumer-groups, Burrow, AKHQ and KEDA (docs/kafka.md). Empty: none. "
     "Progress is kept in the checkpoint; the group's offsets are never read."},
    {kafka, "FAIL_ON_DATA_LOSS", &type_boolean, FIELD(query.fail_on_data_loss), "true",
     "What to do when the next offsets are gone from Kafka (retention, or a topic that was "
     "deleted, created again or truncated): `true` stops the query; `false` logs a warning, "
     "records what is lost and continues. A topic that was created again is read from its "
     "beginning.",
     .choices = booleans},
    {kafka, "LAG_INTERVAL", &type_duration, FIELD(query.lag_interval_ms), "10 seconds",
     "How often the program asks Kafka for a topic's end offsets, to compute the lag. It does this "
     "with any trigger, also while a batch runs or is retried, but not if the query itself has "
     "listed the topic within the interval. If no answer has come for this interval plus 5 "
     "seconds, the lag is shown as unknown.",
     SECOND, DAY},

    {queries, "QUERIES_PATH", &type_paths, FIELD(queries_path), "",
     "Query files with tables of your own (docs/queries.md), in addition to the built-in queries: "
     "files and directories, separated by colons. A directory stands for all its `*.sql` files. "
     "There can be 64 tables, the built-in ones included. All of them run unless --job chooses some. A command "
     "needs the same value as the run that it is about."},
    {queries, NULL, &type_value, FIELD(variables[0]), NULL, "For the tables of %s.", .is_variable = true},

    {where, "SPARK_MASTER_URL", &type_master, FIELD(master), "local[*]",
     "`local` runs one worker of the program's own engine, `local[N]` N workers, `local[*]` "
     "one per processor (CPU affinity and the cgroup quota count). On a cluster, Spark does "
     "the work: `spark://HOST:PORT`, `yarn`, `k8s://URL` and `local-cluster[N,CORES,MEMORY]` "
     "start a Spark Connect server from SPARK_HOME on that master; `sc://HOST:PORT` uses a "
     "server that is already running. Its `;token=` is never shown and is not accepted as an "
     "option.",
     .location = true},
    {where, "SPARK_HOME", &type_home, FIELD(spark_home), "",
     "On a cluster, except with sc://: the Spark 4 distribution to start. It needs Spark "
     "Connect and the Kafka connector among its jars, or the connector in "
     "SPARK_CONF_spark_jars."},
    {where, "SPARK_DRIVER_MEMORY", &type_size, FIELD(driver_memory), "2g",
     "Memory budget of the whole process, including librdkafka. A value below the minimum that "
     "--explain prints is refused. On a cluster it is the memory of Spark's driver, and the "
     "program itself uses 256m.",
     MIB, (int64_t)MIB *MIB},
    {where, "SPARK_EXECUTOR_MEMORY", &type_size, FIELD(executor_memory), "2g",
     "Memory of one executor on a cluster. The program's own engine has no executors.", MIB,
     (int64_t)MIB *MIB},
    {where, "SPARK_SHUFFLE_PARTITIONS", &type_int, FIELD(shuffle_partitions), "10",
     "Used on a cluster only; these queries never shuffle. It is written into a new checkpoint, "
     "because Spark needs it to resume from that checkpoint.",
     1, 1000000},
    {where, "CONFINEMENT", &type_boolean, FIELD(confinement), "on",
     "`on`: at its start the program gives up every right that it does not need, as far as the kernel "
     "can take it away (docs/security.md). It then can change files only in the lake and the "
     "checkpoints, can start no other program, and leaves no core dump. `off` is for debuggers and "
     "profilers. It has no effect where a child process is needed: with a Spark server that the program "
     "starts, and with Kerberos (GSSAPI).",
     .choices = switches},
    {page, "SPARK_UI_PORT", &type_int, FIELD(ui_port), "4040",
     "Port of the status page, the API and the metrics (docs/http.md); 0 turns them off. If "
     "the port is taken, the next free one of the following 16 is used, with a line in the "
     "log, as Spark does. If none is free, the queries run without a page.",
     0, 65535, .demo_fallback = "0", .live_fallback = "4040"},
    {page, "SPARK_UI_HOST", &type_host, FIELD(ui_host), "127.0.0.1",
     "Address to listen on: a name or an address of this machine; `0.0.0.0` means all networks "
     "(`::` with IPv6). On any address except loopback, and without UI_TOKEN, samples of rejected "
     "records are shown only on the machine itself."},
    {page, "UI_HOSTS", &type_hosts, FIELD(ui_hosts), "",
     "Host names under which the page may be opened without UI_TOKEN, separated by commas, such as "
     "`lake.example.org`. The name in SPARK_UI_HOST, `localhost` and IP addresses are always accepted. "
     "Requests for other names are refused (docs/security.md), except for /healthz, /readyz and "
     "/metrics."},
    {page, "UI_TOKEN", &type_token, FIELD(ui_token), "",
     "If set, everything except /, /healthz and /readyz requires the header `Authorization: "
     "Bearer` with this token, of at least 16 printable characters. It comes from the "
     "environment or --env-file, never from an option, because other users can read a command "
     "line.",
     .secret = true},
    {alerts, "ALERT_WEBHOOK_URL", &type_url, FIELD(alert_webhook_url), "",
     "Receives one JSON POST when a query fails, makes no progress, falls behind or rejects many "
     "records, and when it has recovered (docs/alerts.md). An http or https URL; its certificate "
     "is verified against the system's authorities (or SSL_CERT_FILE). It comes from the "
     "environment or --env-file, never from an option, because such URLs contain tokens.",
     .secret = true},
    {alerts, "ALERT_AFTER", &type_duration, FIELD(alert_after_ms), "2 minutes",
     "How long a problem must last before a query counts as stuck or falling behind (docs/http.md) "
     "and ALERT_WEBHOOK_URL is notified. Stuck: its retries have failed for this long. Falling "
     "behind: records that were in the topic this long ago are not committed, and the backlog has "
     "not shrunk. If two trigger intervals are longer, they count instead. A failed query is "
     "reported at once.",
     SECOND, DAY},
    {alerts, "ALERT_REJECTS_PERCENT", &type_int, FIELD(alert_rejects_percent), "5",
     "A query counts as rejecting (docs/http.md), and ALERT_WEBHOOK_URL is notified, when more "
     "than this percentage of the records of the newest 5 minutes were rejected, and at least 10. "
     "It stops rejecting at half of that percentage. With a trigger longer than 2.5 minutes, the "
     "period is two triggers. 100: never.",
     0, 100},

    {lake, "DATA_LAKE_PATH", &type_path, FIELD(data_lake_path),
     "/workspaces/esport-bigdata-pipeline/data",
     "Root of the data lake, a local directory. Rejected records go to `rejected/` below it. If it "
     "is not set, a warning is logged at startup. In all paths, `~`, `$NAME` and quotes around the path are refused, and "
     "`..` is resolved without following symbolic links, as in Hadoop.",
     .demo_fallback = "{DEMO_DIRECTORY}", .location = true},
    {lake, "PROCESSED_DATA_PATH", &type_path, FIELD(processed_path), "{DATA_LAKE_PATH}/processed",
     "Where the tables are: `matches/` and `players/` below it.", .location = true},
    {lake, "CHECKPOINT_PATH", &type_path, FIELD(checkpoint_path), "{DATA_LAKE_PATH}/checkpoints",
     "Where the checkpoints are: `match_stream/` and `player_stream/` below it. A file system "
     "that does not survive a restart (tmpfs, a container's overlay) causes a warning.",
     .location = true},
    {lake, NULL, &type_names, FIELD(queries[0].partition_by), NULL,
     "Partition columns of the table of %s, outermost directory first: any of its columns of the types "
     PARTITION_TYPES ", separated by commas, and `ingest_date`, the date of the Kafka timestamp in "
     "the session's time zone. `none`: no directories, the files are in the table's "
     "root. An existing table keeps its columns: others are refused."},
    {lake, "SINK_LOG", &type_choice, FIELD(sink_log), "auto",
     "Whether a table gets Spark's sink log (`_spark_metadata`). `auto` gives one to a new "
     "table and leaves an existing table as it is: a table that has files but no log continues "
     "without a log.",
     .choices = sink_logs},
    {lake, "MISSING_FILES", &type_choice, FIELD(query.missing_files), "report",
     "What the program does at startup if files of the table are missing (files in its sink log "
     "or, without one, in the newest manifests). `report` checks in the background, logs one ERROR "
     "and continues; `stop` checks before the first batch and ends with exit code 5.",
     .choices = missing_files},

    {batches, "TRIGGER", &type_trigger, FIELD(query.trigger), "1 minute",
     "When a batch begins: at an interval (`1 minute`), as soon as there is something new "
     "(`0 seconds`), or `availableNow`: process all records that exist at the start, then exit.",
     .most = 365LL * DAY, .demo_fallback = "availableNow", .live_fallback = "2 seconds",
     .location = true},
    {batches, "MAX_OFFSETS_PER_TRIGGER", &type_int64, FIELD(query.max_offsets_per_trigger),
     "1000000",
     "Maximum number of offsets per batch, shared among the partitions in proportion to their "
     "backlog; 0 means no limit. It does not affect memory.",
     0, INT64_MAX},
    {batches, "MIN_OFFSETS_PER_TRIGGER", &type_int64, FIELD(query.min_offsets_per_trigger), "0",
     "Number of new offsets that a batch waits for, so that a quiet topic gets fewer and larger "
     "files; 0 means none. A batch begins with fewer offsets when MAX_TRIGGER_DELAY is over. The "
     "first trigger after a start does not wait, and `availableNow` ignores this setting.",
     0, INT64_MAX},
    {batches, "MAX_TRIGGER_DELAY", &type_duration, FIELD(query.max_trigger_delay_ms), "15 minutes",
     "How long MIN_OFFSETS_PER_TRIGGER holds a batch back at most. The time counts from the last "
     "trigger that was not held back, not from the first record that waits.",
     0, 365LL * DAY},

    {records, "PARSE_MODE", &type_choice, FIELD(query.parse_mode), "reject",
     "What happens to a record without a readable identifier. `reject` (also: DROPMALFORMED) "
     "writes it to the rejects table with the reason. `permissive` makes it a row of nulls, as "
     "Spark does; null and blank values are still rejects. `failfast` stops the query at the first "
     "reject.",
     .choices = parse_modes},
    {records, "SPARK_SQL_SESSION_TIMEZONE", &type_zone, FIELD(query.time_zone), "UTC",
     "Time zone of timestamps without a zone: a name from the system's tzdata (Europe/Paris) or an "
     "offset (+02:00)."},

    {parquet, "PARQUET_COMPRESSION", &type_choice, FIELD(query.parquet.codec), "snappy",
     "Compression of the Parquet files.", .choices = codecs},
    {parquet, "PARQUET_TIMESTAMP_TYPE", &type_choice, FIELD(query.parquet.timestamp),
     "TIMESTAMP_MICROS",
     "How timestamps are stored. INT96 is what the PySpark job wrote; use it if all files of a "
     "table must have the same type.",
     .choices = timestamp_types},
    {parquet, "PARQUET_DELTA_ENCODING", &type_boolean, FIELD(query.parquet.delta), "true",
     "Store integers and timestamps as differences (DELTA_BINARY_PACKED) where a dictionary "
     "does not help: files are about a tenth smaller and faster to write. Spark from 3.3 on, "
     "DuckDB, pyarrow, Polars and pandas read them. Use `false` for older readers.",
     .choices = booleans},

    {care, "COMPACT", &type_compact, FIELD(query.care.compact), "off",
     "Whether small files are merged while a query runs (docs/operations.md). `closed` merges the "
     "files of a date once the date is over, and needs a partition column of type DATE. A duration, "
     "such as `1 hour`, merges files older than that, and the merged files once more when their "
     "date is over. A query file can set it for its table (`compact`). Not on a Spark cluster.",
     SECOND, 365LL * DAY},
    {care, "COMPACT_GRACE", &type_duration, FIELD(query.care.grace_ms), "1 hour",
     "How long files that were merged or have expired stay readable next to the table before they "
     "are deleted: for readers that still have their names.",
     0, 365LL * DAY},
    {care, "COMPACT_TARGET_FILE_SIZE", &type_size, FIELD(query.care.target_size), "128m",
     "Approximate size of a merged file. Only files below three quarters of it are merged.",
     MIB / 16, 16LL * 1024 * MIB},
    {care, "COMPACT_CPU_SHARE", &type_int, FIELD(query.care.cpu_percent), "50",
     "How much of one processor merging may use while queries run, in percent, for all queries "
     "together.",
     1, 100},
    {care, "RETENTION", &type_retention, FIELD(query.care.retention_days), "off",
     "How many days a date stays in a table; then its partition is removed with its rows "
     "(docs/operations.md). Needs a partition column of type DATE. A query file can set it for its "
     "table (`retention`). Not on a Spark cluster."},
    {care, NULL, &type_retention, FIELD(queries[0].retention_days), "",
     "The same for the table of %s. Empty: the value of RETENTION."},

    {logging, "LOG_LEVEL", &type_choice, FIELD(log_level), "INFO",
     "Lowest level that is logged.", .choices = log_levels, .demo_fallback = "ERROR"},
    {logging, "LOG_FORMAT", &type_boolean, FIELD(log_json), "text",
     "`text` for people (local time), or `json`: one JSON object per line (UTC with offset).",
     .choices = log_formats},
    {logging, "STATUS_INTERVAL", &type_duration, FIELD(status_interval_ms), "30 seconds",
     "How often each query logs a status line, unless --await-termination is given. Changes of "
     "status between them are logged at DEBUG.",
     SECOND, DAY},

    {limits, "KAFKA_STARTUP_TIMEOUT", &type_duration, FIELD(query.kafka_startup_timeout_ms),
     "120 seconds",
     "How long a start waits for brokers and topics before it exits with code 4. After the "
     "start, the program waits for Kafka without limit.",
     0, 365LL * DAY},
    {limits, "SPARK_CONNECT_TIMEOUT", &type_duration, FIELD(spark_connect_timeout_ms), "2 minutes",
     "On a cluster: how long to wait for Spark to start, to answer or to come back, before the "
     "program exits with code 9.",
     SECOND, 365LL * DAY},
    {limits, "WRITE_RETRY_TIMEOUT", &type_duration, FIELD(query.write_retry_timeout_ms),
     "5 minutes",
     "How long a failing write (disk full, I/O error) is retried before the query stops with "
     "exit code 7, or with 12 if a limit of the machine (open files, threads, memory) is the "
     "cause.",
     0, 365LL * DAY},
    {limits, "REWIND_RETENTION", &type_duration, FIELD(rewind_retention_ms), "7 days",
     "How far back `rewind` can go, if Kafka still has the records. What it needs of older batches "
     "is kept in the checkpoint's directory `history` (docs/operations.md). 0: only the newest 100 "
     "batches, whose plans Spark keeps, too.",
     0, 3650LL * DAY},
    {limits, "SHUTDOWN_TIMEOUT", &type_duration, FIELD(shutdown_timeout_ms), "8 seconds",
     "How long a running batch may take to finish after SIGINT, SIGTERM or SIGHUP before it is "
     "abandoned; the next start runs it again. Docker kills a container after 10 seconds.",
     0, HOUR},
};
/* clang-format on */

/* Filled on first use, before there are threads. Rows of `common` without a name are there once per
 * name of ${NAME} in query files, as a topic or as another text, and once per query. */
static struct setting table[SETTINGS_MAX];
static size_t table_count;
static struct pool texts; // of the table

/* The text with the query's name for "%s". */
static const char *fill_in(const char *doc, const char *name) {
    const char *gap = strstr(doc, "%s");
    return pool_format(&texts, "%.*s%s%s", (int)(gap - doc), doc, name, gap + 2);
}

/* "--trigger", of TRIGGER. */
static const char *option_of(const char *name) {
    size_t size = sizeof "--" + strlen(name);
    char *option = pool_alloc(&texts, size, 1);
    (void)snprintf(option, size, "--%s", name);
    for (char *at = option; *at != '\0'; at++)
        *at = *at == '_' ? '-' : (char)tolower((unsigned char)*at);
    return option;
}

/* Adds a setting to the table, and returns it. */
static struct setting *add(const struct setting *pattern, const char *name) {
    char values[256];
    check(table_count < SETTINGS_MAX);
    struct setting *setting = &table[table_count++];
    *setting = *pattern;
    setting->name = name;
    setting->option = option_of(setting->name);
    if (setting->choices != NULL)
        choices_list(setting->choices, false, values, sizeof values);
    setting->values =
        setting->choices != NULL ? pool_format(&texts, "%s", values) : setting->type->placeholder;
    return setting;
}

/* Tables of query files have a property instead. */
static void add_retentions(const struct setting *pattern) {
    static const char suffix[] = "PARTITION_BY";
    for (size_t i = 0; streams[i] != NULL && streams[i]->is_builtin; i++) {
        const char *name = streams[i]->partition_by_setting;
        int prefix = (int)(strlen(name) - sizeof suffix + 1);
        struct setting *setting = add(pattern, pool_format(&texts, "%.*sRETENTION", prefix, name));
        setting->doc = fill_in(pattern->doc, streams[i]->name);
        setting->stream = streams[i];
        setting->offset += i * sizeof(struct query_settings);
    }
}

static void add_of_queries(const struct setting *pattern) {
    for (size_t i = 0; streams[i] != NULL; i++) {
        struct setting *setting = add(pattern, streams[i]->partition_by_setting);
        setting->doc = fill_in(pattern->doc, streams[i]->name);
        setting->stream = streams[i];
        setting->fallback = streams[i]->partition_by;
        // The row names the first query's field.
        setting->offset += i * sizeof(struct query_settings);
    }
}

/* A query file can also use the value of a setting that there is anyway. */
static bool is_common(const char *name) {
    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++)
        if (common[i].name != NULL && strcmp(common[i].name, name) == 0)
            return true;
    return false;
}

static void add_variables(const struct setting *pattern) {
    struct query_variable variables[QUERY_VARIABLES_MAX];
    size_t count = query_variables(variables, &texts);
    for (size_t i = 0; i < count && i < QUERY_VARIABLES_MAX; i++) {
        if (variables[i].is_topic != (pattern->type == &type_topic) || is_common(variables[i].name))
            continue;
        struct setting *setting = add(pattern, variables[i].name);
        setting->doc = fill_in(pattern->doc, variables[i].users);
        setting->fallback = variables[i].otherwise;
        setting->offset += i * sizeof(char *);
    }
}

static void build_table(void) {
    pool_init(&texts);
    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++) {
        if (common[i].name != NULL)
            (void)add(&common[i], common[i].name);
        else if (common[i].is_variable)
            add_variables(&common[i]);
        else if (common[i].type == &type_retention)
            add_retentions(&common[i]);
        else
            add_of_queries(&common[i]);
    }
}

const struct setting *settings_table(size_t *count) {
    if (table_count == 0)
        build_table();
    *count = table_count;
    return table;
}

void settings_renew(void) {
    if (table_count > 0)
        pool_deinit(&texts);
    table_count = 0;
}

int settings_find(const char *name) {
    size_t count;
    const struct setting *settings = settings_table(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(settings[i].name, name) == 0)
            return (int)i;
    return -1;
}

const struct setting_value *settings_value(const struct config *config, const char *name) {
    int index = settings_find(name);
    check(index >= 0);
    return &config->values[index];
}

const char *settings_shown(const struct config *config, size_t index) {
    size_t count;
    const struct setting *setting = &settings_table(&count)[index];
    check(index < count);
    const char *text = config->values[index].text;
    if (text == NULL || *text == '\0')
        return "";
    if (setting->secret)
        return SECRET_SHOWN;
    if (setting->type == &type_master)
        return config_master_shown(config);
    return setting->type == &type_path ? *(char *const *)((const char *)config + setting->offset)
                                       : text;
}

bool settings_lake_is_default(const struct config *config) {
    return !config->demo && settings_value(config, "DATA_LAKE_PATH")->origin == ORIGIN_DEFAULT &&
           settings_value(config, "CHECKPOINT_PATH")->origin == ORIGIN_DEFAULT;
}

void settings_lake_warning(const struct config *config, char text[static LAKE_WARNING_MAX]) {
    text[0] = '\0';
    if (!config->demo && settings_value(config, "DATA_LAKE_PATH")->origin == ORIGIN_DEFAULT)
        (void)snprintf(text, LAKE_WARNING_MAX,
                       "DATA_LAKE_PATH is not set: data goes to the default path '%s'; set "
                       "DATA_LAKE_PATH to where the lake should be",
                       config->data_lake_path);
}
