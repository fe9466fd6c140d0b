#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/system/process.h"
#include "streaming/declare/stream.h"
#include "surfaces/program/command_line.h"
#include "surfaces/settings/config_load.h"
#include "surfaces/settings/path_origin.h"
#include "surfaces/settings/settings.h"

enum { WORDS_MAX = 32 };

static struct config config;
static char errors[1 << 16];

/* Runs command_line_load() with exactly this environment and command line. Both end with NULL. */
static enum exit_code load_as(const char *program, const char *const *environment,
                              const char *const *arguments) {
    char *words[WORDS_MAX] = {(char *)program};
    int count = 1;
    for (; arguments != NULL && arguments[count - 1] != NULL; count++)
        words[count] = (char *)arguments[count - 1];
    static char *nothing[] = {NULL};
    environ = environment != NULL ? (char **)environment : nothing;
    memset(errors, 0, sizeof errors);
    FILE *out = fmemopen(errors, sizeof errors, "w");
    enum exit_code code = command_line_load(&config, count, words, out);
    (void)fclose(out);
    return code;
}

static enum exit_code load(const char *const *environment, const char *const *arguments) {
    return load_as("/usr/bin/esports-stream", environment, arguments);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define BROKER "KAFKA_BOOTSTRAP_SERVERS=broker:9092"

static size_t line_count(void) {
    size_t count = 0;
    for (const char *at = errors; *at != '\0'; at++)
        count += *at == '\n';
    return count;
}

static const struct setting_value *value_of(const char *name) {
    return &config.values[settings_find(name)];
}

static char **first_environ;

static int setup(void **state) {
    (void)state;
    first_environ = environ;
    return 0;
}

static int teardown(void **state) {
    (void)state;
    config_deinit(&config);
    environ = first_environ;
    return 0;
}

static void defaults_are_those_of_the_old_job(void **state) {
    (void)state;
    assert_int_equal(load(WORDS(BROKER), NULL), EXIT_CODE_OK);
    assert_string_equal(errors, "");
    assert_int_equal(config.action, ACTION_RUN);
    assert_null(config.job);
    assert_false(config.await_termination);
    assert_string_equal(config.bootstrap_servers, "broker:9092");
    assert_string_equal(config_topic(&config, stream_of("matches")), "esports-matches");
    assert_string_equal(config_topic(&config, stream_of("players")), "esports-players");
    assert_int_equal(config.workers, processors_available());
    assert_string_equal(config.data_lake_path, "/workspaces/esport-bigdata-pipeline/data");
    assert_string_equal(config.processed_path,
                        "/workspaces/esport-bigdata-pipeline/data/processed");
    assert_string_equal(config.checkpoint_path,
                        "/workspaces/esport-bigdata-pipeline/data/checkpoints");
    assert_int_equal(config_partition_by(&config, stream_of("matches"))->count, 1);
    assert_string_equal(config_partition_by(&config, stream_of("players"))->names[1], "role");
    assert_int_equal(config.log_level, LOG_INFO);
    assert_false(config.log_json);
    assert_int_equal(config.driver_memory, 2LL << 30);
    assert_int_equal(config.executor_memory, 2LL << 30);
    assert_int_equal(config.shuffle_partitions, 10);
    assert_int_equal(config.ui_port, 4040);
    assert_string_equal(config.ui_host, "127.0.0.1");
    assert_string_equal(config.ui_token, "");
    assert_false(config.query.trigger.available_now);
    assert_int_equal(config.query.trigger.interval_ms, 60000);
    assert_int_equal(config.query.max_offsets_per_trigger, 1000000);
    assert_int_equal(config.query.min_offsets_per_trigger, 0);
    assert_int_equal(config.query.max_trigger_delay_ms, 900000);
    assert_string_equal(config.query.starting_offsets, "earliest");
    assert_true(config.query.fail_on_data_loss);
    assert_int_equal(config.query.parse_mode, PARSE_REJECT);
    assert_int_equal(config.query.parquet.codec, CODEC_SNAPPY);
    assert_int_equal(config.query.parquet.timestamp, TIMESTAMP_AS_MICROS);
    assert_string_equal(config.query.time_zone, "UTC");
    assert_int_equal(config.status_interval_ms, 30000);
    assert_true(config.shutdown_timeout_ms < 10000);
    assert_int_equal(config.sink_log, SINK_LOG_AUTO);
}

static void a_flag_precedes_the_environment_then_the_file_then_the_default(void **state) {
    (void)state;
    char path[] = "/tmp/test_config.XXXXXX";
    static const char text[] = "TRIGGER=1 second\nSINK_LOG=on\nPARSE_MODE=failfast\n";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);
    enum exit_code code = load(WORDS(BROKER, "TRIGGER=2 seconds", "SINK_LOG=off"),
                               WORDS("--env-file", path, "--trigger=3 seconds"));
    unlink(path);
    assert_int_equal(code, EXIT_CODE_OK);
    assert_int_equal(config.query.trigger.interval_ms, 3000);
    assert_string_equal(value_of("TRIGGER")->where, "--trigger");
    assert_int_equal(config.sink_log, SINK_LOG_OFF);
    assert_string_equal(value_of("SINK_LOG")->where, "environment");
    assert_int_equal(config.query.parse_mode, PARSE_FAILFAST);
    assert_int_equal(value_of("PARSE_MODE")->origin, ORIGIN_ENV_FILE);
    assert_non_null(strstr(value_of("PARSE_MODE")->where, ":3"));
    assert_string_equal(value_of("LOG_LEVEL")->where, "default");
}

static void an_empty_variable_counts_as_not_set(void **state) {
    (void)state;
    assert_int_equal(
        load(WORDS(BROKER, "TRIGGER=", "DATA_LAKE_PATH=", "KAFKA_SASL_PASSWORD="), NULL),
        EXIT_CODE_OK);
    assert_int_equal(config.query.trigger.interval_ms, 60000);
    assert_int_equal(config.kafka_property_count, 0);
    config_deinit(&config);
    assert_int_equal(load(WORDS("KAFKA_BOOTSTRAP_SERVERS="), NULL), EXIT_CODE_USAGE);
}

struct wrong {
    const char *variable, *wanted;
};

/* It must be refused with one line that names the setting and what was expected. */
static void expect_refusal(const struct wrong *wrong) {
    bool broker = strncmp(wrong->variable, "KAFKA_BOOT", 10) == 0;
    enum exit_code code = load(WORDS(wrong->variable, broker ? "A=b" : BROKER), NULL);
    char name[64];
    (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(wrong->variable, "="), wrong->variable);
    if (code != EXIT_CODE_USAGE || line_count() != 1 || strstr(errors, name) == NULL ||
        strstr(errors, wrong->wanted) == NULL)
        fail_msg("%s gave %d: %s", wrong->variable, (int)code, errors);
    config_deinit(&config);
}

static void wrong_masters_are_refused_with_the_expected_form(void **state) {
    (void)state;
    static const struct wrong cases[] = {
        {"SPARK_MASTER_URL=local[0]", "local[N]"},
        {"SPARK_MASTER_URL=local[4", "local[N]"},
        {"SPARK_MASTER_URL=everywhere", "local[N]"},
        {"SPARK_MASTER_URL=spark://", "spark://HOST:PORT"},
        {"SPARK_MASTER_URL=spark://a", "spark://HOST:PORT"},
        {"SPARK_MASTER_URL=spark://a:7077,", "spark://HOST:PORT"},
        {"SPARK_MASTER_URL=spark://a:7077/b", "spark://HOST:PORT"},
        {"SPARK_MASTER_URL=local-cluster[2,1]", "local-cluster[N,CORES,MEMORY]"},
        {"SPARK_MASTER_URL=local-cluster[0,1,1024]", "local-cluster[N,CORES,MEMORY]"},
        {"SPARK_MASTER_URL=k8s://", "k8s://https://HOST:PORT"},
        {"SPARK_MASTER_URL=yarn-client", "yarn"},
        {"SPARK_MASTER_URL=mesos://a:5050", "sc://HOST:PORT"},
        {"SPARK_MASTER_URL=sc://", "host"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_refusal(&cases[i]);
}

static void wrong_values_are_refused_with_what_was_expected(void **state) {
    (void)state;
    static const struct wrong cases[] = {
        {"KAFKA_BOOTSTRAP_SERVERS=, ,", "there is none"},
        {"KAFKA_BOOTSTRAP_SERVERS=a:9092,:9092", "':9092' is not host:port"},
        {"KAFKA_BOOTSTRAP_SERVERS=SSL://", "'SSL://' is not host:port"},
        {"KAFKA_BOOTSTRAP_SERVERS=http://a:9092", "'http://' is not one of Kafka's protocols"},
        {"KAFKA_BOOTSTRAP_SERVERS=EXTERNAL://a:9092", "SASL_PLAINTEXT and SASL_SSL"},
        {"KAFKA_BOOTSTRAP_SERVERS=SSL://a:1,PLAINTEXT://b:1", "one protocol for all brokers"},
        {"KAFKA_BOOTSTRAP_SERVERS=file:", "after file:"},
        {"DATA_LAKE_PATH= ", "expected a directory"},
        {"KAFKA_BOOTSTRAP_SERVERS=a:99999", "'a:99999' has a port outside 1 to 65535"},
        {"KAFKA_BOOTSTRAP_SERVERS=a:0", "'a:0' has a port outside 1 to 65535"},
        {"KAFKA_BOOTSTRAP_SERVERS=a:", "'a:' has no port"},
        {"KAFKA_BOOTSTRAP_SERVERS=a:b", "'a:b' has a port that is not a number"},
        {"KAFKA_BOOTSTRAP_SERVERS=a b:9092", "host:port"},
        {"KAFKA_BOOTSTRAP_SERVERS=http://a/b", "host:port"},
        {"KAFKA_TOPIC_MATCHES=two words", "topic name"},
        {"KAFKA_TOPIC_MATCHES=a,b", "expected one topic name"},
        {"KAFKA_TOPIC_PLAYERS=..", "topic name"},
        {"SPARK_CONNECT_TIMEOUT=0 seconds", "from 1 second to"},
        {"DATA_LAKE_PATH=s3a://bucket/lake", "local directory"},
        {"DATA_LAKE_PATH=hdfs://name/lake", "local directory"},
        {"DATA_LAKE_PATH=file://host/lake", "local directory"},
        {"MATCHES_PARTITION_BY=nothing", "the table has no column"},
        {"MATCHES_PARTITION_BY=started_at", "'started_at' is TIMESTAMP and cannot partition"},
        {"MATCHES_PARTITION_BY=partition", "must be in every file"},
        {"MATCHES_PARTITION_BY=offset", "must be in every file"},
        {"MATCHES_PARTITION_BY=none,status", "the table has no column 'none'"},
        {"MATCHES_PARTITION_BY=status,none", "the table has no column 'none'"},
        {"MATCHES_PARTITION_BY=status,status", "twice"},
        {"MATCHES_PARTITION_BY=status,", "empty"},
        {"PLAYERS_PARTITION_BY=is_completed", "the table has no column"},
        {"LOG_LEVEL=LOUD", "DEBUG, INFO, WARNING, ERROR or CRITICAL"},
        {"LOG_FORMAT=xml", "text or json"},
        {"SPARK_DRIVER_MEMORY=2048", "unit"},
        {"SPARK_DRIVER_MEMORY=512k", "from 1m"},
        {"SPARK_DRIVER_MEMORY=32m", "at least 64m"},
        {"SPARK_SHUFFLE_PARTITIONS=0", "from 1 to"},
        {"SPARK_UI_PORT=65536", "from 0 to 65535"},
        {"SPARK_UI_PORT=-1", "from 0 to 65535"},
        {"SPARK_UI_PORT=0x50", "from 0 to 65535"},
        {"SPARK_UI_HOST=http://here", "a host name"},
        {"SPARK_UI_HOST=two words", "a host name"},
        {"UI_TOKEN=short", "'********' (expected at least 16"},
        {"UI_TOKEN=long enough but with blanks", "'********' (expected at least 16"},
        {"TRIGGER=10", "availableNow"},
        {"TRIGGER=continuous", "availableNow"},
        {"MAX_OFFSETS_PER_TRIGGER=-5", "of at least 0"},
        {"MAX_OFFSETS_PER_TRIGGER=1e6", "of at least 0"},
        {"MIN_OFFSETS_PER_TRIGGER=few", "of at least 0"},
        {"MIN_OFFSETS_PER_TRIGGER=1000001", "MIN_OFFSETS_PER_TRIGGER is 1000001, "
                                            "but MAX_OFFSETS_PER_TRIGGER is 1000000"},
        {"MAX_TRIGGER_DELAY=15", "unit"},
        {"MATCHES_PARTITION_BY=ingest_date,ingest_date", "column 'ingest_date' is listed twice"},
        {"STARTING_OFFSETS=noon", "earliest"},
        {"FAIL_ON_DATA_LOSS=maybe", "true or false"},
        {"PARSE_MODE=lenient", "reject, permissive or failfast"},
        {"SPARK_SQL_SESSION_TIMEZONE=Mars/Olympus", "time zone"},
        {"PARQUET_COMPRESSION=gzip", "snappy, zstd, lz4_raw or none"},
        {"PARQUET_TIMESTAMP_TYPE=TIMESTAMP_MILLIS", "TIMESTAMP_MICROS or INT96"},
        {"KAFKA_STARTUP_TIMEOUT=5", "unit"},
        {"SHUTDOWN_TIMEOUT=2 days", "from 0 seconds to 1 hour)"},
        {"STATUS_INTERVAL=0", "from 1 second to"},
        {"LAG_INTERVAL=0", "from 1 second to"},
        {"SINK_LOG=maybe", "auto, on or off"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_refusal(&cases[i]);
}

struct asked_protocol {
    const char *servers, *setting; // in the environment; NULL: none
    const char *list, *protocol;   // the result; NULL: none
};

static void expect_protocol(const struct asked_protocol *asked) {
    assert_int_equal(load(WORDS(asked->servers, asked->setting), NULL), EXIT_CODE_OK);
    assert_string_equal(config.bootstrap_servers, asked->list);
    assert_int_equal(config.kafka_property_count, asked->protocol != NULL);
    if (asked->protocol != NULL) {
        assert_string_equal(config.kafka_properties[0].name, "security.protocol");
        assert_string_equal(config.kafka_properties[0].value, asked->protocol);
        const char *setting = asked->setting != NULL ? "KAFKA_SECURITY_PROTOCOL, environment"
                                                     : "KAFKA_BOOTSTRAP_SERVERS, environment";
        assert_string_equal(config.kafka_origins[0], setting);
    }
    config_deinit(&config);
}

static void a_protocol_in_front_of_a_broker_is_the_security_protocol(void **state) {
    (void)state;
    static const struct asked_protocol cases[] = {
        {"KAFKA_BOOTSTRAP_SERVERS=a:1", NULL, "a:1", NULL},
        {"KAFKA_BOOTSTRAP_SERVERS=SASL_SSL://a:1", NULL, "a:1", "SASL_SSL"},
        {"KAFKA_BOOTSTRAP_SERVERS=ssl://a,SSL://[::1]", NULL, "a:9092,[::1]:9092", "SSL"},
        {"KAFKA_BOOTSTRAP_SERVERS=SSL://a:1", "KAFKA_SECURITY_PROTOCOL=ssl", "a:1", "ssl"},
        {"KAFKA_BOOTSTRAP_SERVERS=PLAINTEXT://a:1,b:2", NULL, "a:1,b:2", "PLAINTEXT"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_protocol(&cases[i]);
    assert_int_equal(
        load(WORDS("KAFKA_BOOTSTRAP_SERVERS=PLAINTEXT://a:1", "KAFKA_SECURITY_PROTOCOL=SASL_SSL"),
             NULL),
        EXIT_CODE_USAGE);
    assert_non_null(strstr(errors, "the protocol is PLAINTEXT, but "
                                   "KAFKA_SECURITY_PROTOCOL, environment sets SASL_SSL"));
}

static void empty_brokers_are_skipped(void **state) {
    (void)state;
    assert_int_equal(load(WORDS("KAFKA_BOOTSTRAP_SERVERS=, a:1 ,, \t,b,"), NULL), EXIT_CODE_OK);
    assert_string_equal(config.bootstrap_servers, "a:1,b:9092");
}

/* Also options with an empty default: "" means the same as leaving them out. */
static bool may_be_empty(const struct setting *setting) {
    return setting->secret || (setting->fallback != NULL && *setting->fallback == '\0');
}

static void an_option_without_a_value_is_refused_and_named(void **state) {
    (void)state;
    size_t count;
    const struct setting *settings = settings_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (may_be_empty(&settings[i]))
            continue;
        const char *option = settings[i].option;
        assert_int_equal(load(WORDS(BROKER), WORDS(option, "")), EXIT_CODE_USAGE);
        char named[OPTION_NAME_MAX + 40];
        (void)snprintf(named, sizeof named, "(%s): invalid value '' (expected", option);
        if (strstr(errors, named) == NULL)
            fail_msg("%s: %s", option, errors);
        config_deinit(&config);
    }
}

static void a_table_can_be_partitioned_by_several_types_or_not_at_all(void **state) {
    (void)state;
    assert_int_equal(load(WORDS("KAFKA_BOOTSTRAP_SERVERS=a:1",
                                "MATCHES_PARTITION_BY=game_number,is_completed,ingestion_timestamp",
                                "PLAYERS_PARTITION_BY= NONE "),
                          NULL),
                     EXIT_CODE_OK);
    assert_int_equal(config_partition_by(&config, stream_of("matches"))->count, 3);
    assert_int_equal(config_partition_by(&config, stream_of("players"))->count, 0);
    config_deinit(&config);
    assert_int_equal(load(WORDS("KAFKA_BOOTSTRAP_SERVERS=a:1", "PLAYERS_PARTITION_BY="), NULL),
                     EXIT_CODE_OK); // empty counts as not set
    assert_int_equal(config_partition_by(&config, stream_of("players"))->count, 2);
}

static void valid_values_are_accepted(void **state) {
    (void)state;
    assert_int_equal(
        load(WORDS("KAFKA_BOOTSTRAP_SERVERS=a, b:9093,[::1]:9092,SSL://c:9094",
                   "SPARK_MASTER_URL=local[3]", "DATA_LAKE_PATH=file:///lake//x/./y/",
                   "PROCESSED_DATA_PATH=file:/p", "CHECKPOINT_PATH=relative",
                   "MATCHES_PARTITION_BY= match_type , status", "PLAYERS_PARTITION_BY=full_name",
                   "LOG_LEVEL=warn", "LOG_FORMAT=JSON", "TRIGGER=AvailableNow",
                   "MAX_OFFSETS_PER_TRIGGER=0", "FAIL_ON_DATA_LOSS=no", "PARSE_MODE=DROPMALFORMED",
                   "PARQUET_COMPRESSION=UNCOMPRESSED", "PARQUET_TIMESTAMP_TYPE=int96",
                   "SPARK_UI_PORT=0", "SINK_LOG=ON", "SPARK_DRIVER_MEMORY=64m"),
             NULL),
        EXIT_CODE_OK);
    assert_int_equal(config.workers, 3);
    assert_string_equal(config.data_lake_path, "/lake/x/y");
    assert_string_equal(config.processed_path, "/p");
    assert_int_equal(config.checkpoint_path[0], '/');
    assert_string_equal(strrchr(config.checkpoint_path, '/'), "/relative");
    assert_string_equal(config_partition_by(&config, stream_of("matches"))->names[0], "match_type");
    assert_string_equal(config_partition_by(&config, stream_of("matches"))->names[1], "status");
    assert_int_equal(config.log_level, LOG_WARNING);
    assert_true(config.log_json);
    assert_true(config.query.trigger.available_now);
    assert_int_equal(config.query.max_offsets_per_trigger, 0);
    assert_false(config.query.fail_on_data_loss);
    assert_int_equal(config.query.parse_mode, PARSE_REJECT);
    assert_int_equal(config.query.parquet.codec, CODEC_NONE);
    assert_int_equal(config.query.parquet.timestamp, TIMESTAMP_AS_INT96);
    assert_int_equal(config.ui_port, 0);
    assert_int_equal(config.sink_log, SINK_LOG_ON);
}

static void all_faults_are_reported_at_once(void **state) {
    (void)state;
    assert_int_equal(load(WORDS("TRIGGER=10 parsecs", "PARSE_MODE=maybe"),
                          WORDS("--job", "sports", "--triger", "1s", "stray", "--demo=1",
                                "--spark-ui-port=no", "--log-level")),
                     EXIT_CODE_USAGE);
    assert_int_equal(line_count(), 9);
    for (size_t i = 0; i < 9; i++) {
        static const char *const faults[] = {
            "esports-stream: --job: invalid value 'sports' (expected all, matches or players; "
            "QUERIES_PATH adds tables of query files)\n",
            "esports-stream: --triger: unknown option; did you mean --trigger?\n",
            "esports-stream: 'stray': unexpected argument; --help lists commands and options\n",
            "esports-stream: --demo takes no value\n",
            "SPARK_UI_PORT (--spark-ui-port): invalid value 'no' (expected a whole number from 0 "
            "to 65535)\n",
            "esports-stream: --log-level needs a value\n",
            "KAFKA_BOOTSTRAP_SERVERS is missing: set it, or give --kafka-bootstrap-servers",
            "TRIGGER (environment): invalid value '10 parsecs' (expected availableNow or an "
            "interval",
            "PARSE_MODE (environment): invalid value 'maybe' (expected reject, permissive or "
            "failfast)\n",
        };
        if (strstr(errors, faults[i]) == NULL)
            fail_msg("no '%s' in:\n%s", faults[i], errors);
    }
}

static void a_secret_is_not_an_option_and_is_not_shown(void **state) {
    (void)state;
    assert_int_equal(load(WORDS(BROKER), WORDS("--ui-token", "0123456789abcdefg")),
                     EXIT_CODE_USAGE);
    assert_non_null(
        strstr(errors, "--ui-token: every user of this machine can read a command line"));
    assert_null(strstr(errors, "0123456789abcdefg"));
    config_deinit(&config);

    assert_int_equal(load(WORDS(BROKER, "UI_TOKEN=0123456789abcdefg"), NULL), EXIT_CODE_OK);
    assert_string_equal(config.ui_token, "0123456789abcdefg");
    assert_string_equal(settings_shown(&config, (size_t)settings_find("UI_TOKEN")), "********");
}

static void a_cluster_is_a_server_to_start_or_a_running_one(void **state) {
    (void)state;
    static const struct {
        const char *variable;
        enum master_kind kind;
    } cases[] = {
        {"SPARK_MASTER_URL=local", MASTER_LOCAL},
        {"SPARK_MASTER_URL=local[2,3]", MASTER_LOCAL},
        {"SPARK_MASTER_URL=spark://a:7077", MASTER_SERVER},
        {"SPARK_MASTER_URL=spark://a:7077,b:7077", MASTER_SERVER},
        {"SPARK_MASTER_URL=spark://[::1]:7077", MASTER_SERVER},
        {"SPARK_MASTER_URL=local-cluster[2, 1, 1024]", MASTER_SERVER},
        {"SPARK_MASTER_URL=yarn", MASTER_SERVER},
        {"SPARK_MASTER_URL=k8s://https://a:6443", MASTER_SERVER},
        {"SPARK_MASTER_URL=sc://a", MASTER_CONNECT},
        {"SPARK_MASTER_URL=sc://a:15002/;use_ssl=true;token=x", MASTER_CONNECT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (load(WORDS(BROKER, cases[i].variable), NULL) != EXIT_CODE_OK)
            fail_msg("%s: %s", cases[i].variable, errors);
        assert_int_equal(config.master_kind, cases[i].kind);
        if (cases[i].kind != MASTER_LOCAL)
            assert_int_equal(config.workers, processors_available());
        config_deinit(&config);
    }
}

#define YARN "SPARK_MASTER_URL=yarn"

static void settings_that_only_our_engine_supports_are_refused_on_a_cluster(void **state) {
    (void)state;
    static const struct {
        const char *variable, *expected;
    } cases[] = {
        {"PARSE_MODE=failfast", "PARSE_MODE is failfast"},
        {"SINK_LOG=off", "SINK_LOG is off"},
        {"KAFKA_BOOTSTRAP_SERVERS=file:/captured", "captured records"},
        {"KAFKA_CONF_SSL_CIPHER_SUITES=x", "'ssl.cipher.suites' cannot be passed to Spark"},
        {"SPARK_DRIVER_MEMORY=256m", "SPARK_DRIVER_MEMORY is 256m"},
        {"SPARK_EXECUTOR_MEMORY=256m", "SPARK_EXECUTOR_MEMORY is 256m"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool broker = strncmp(cases[i].variable, "KAFKA_BOOT", 10) == 0;
        enum exit_code code = load(WORDS(YARN, cases[i].variable, broker ? "A=b" : BROKER), NULL);
        if (code != EXIT_CODE_USAGE || line_count() != 1 ||
            strstr(errors, cases[i].expected) == NULL)
            fail_msg("%s gave %d: %s", cases[i].variable, (int)code, errors);
        config_deinit(&config);
    }
    assert_int_equal(load(NULL, WORDS("--demo", "--spark-master-url", "yarn")), EXIT_CODE_USAGE);
    assert_non_null(strstr(errors, "--demo"));
    config_deinit(&config);
    // They have no effect on a server that is already running.
    assert_int_equal(
        load(WORDS(BROKER, "SPARK_MASTER_URL=sc://a", "SPARK_EXECUTOR_MEMORY=256m"), NULL),
        EXIT_CODE_OK);
}

static void the_token_of_a_server_is_never_shown(void **state) {
    (void)state;
    static const char url[] = "sc://a:1/;use_ssl=true;token=geheim;x-api-key=geheim;user_id=me";
    char variable[128];
    snprintf(variable, sizeof variable, "SPARK_MASTER_URL=%s", url);
    assert_int_equal(load(WORDS(BROKER, variable), NULL), EXIT_CODE_OK);
    assert_string_equal(config.master, url);
    static const char shown[] =
        "sc://a:1/;use_ssl=true;token=********;x-api-key=********;user_id=me";
    assert_string_equal(config_master_shown(&config), shown);
    assert_string_equal(settings_shown(&config, (size_t)settings_find("SPARK_MASTER_URL")), shown);
    config_deinit(&config);

    assert_int_equal(load(WORDS(BROKER), WORDS("--spark-master-url", url)), EXIT_CODE_USAGE);
    assert_non_null(strstr(errors, "every user of this machine can read a command line"));
    assert_null(strstr(errors, "geheim"));
    config_deinit(&config);

    assert_int_equal(load(WORDS(BROKER, "SPARK_MASTER_URL=sc://a:99999/;token=geheim"), NULL),
                     EXIT_CODE_USAGE);
    assert_non_null(strstr(errors, "token=********"));
    assert_null(strstr(errors, "geheim"));
}

static void properties_for_spark_come_from_their_variables(void **state) {
    (void)state;
    char path[] = "/tmp/test_config.XXXXXX";
    static const char text[] = "SPARK_CONF_spark_jars=/other.jar\nSPARK_CONF_spark_x_y=1\n";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);
    enum exit_code code =
        load(WORDS(BROKER, YARN, "SPARK_CONF_spark_jars=/a.jar,/b.jar",
                   "SPARK_CONF_spark_driver_extraClassPath=/c", "SPARK_CONF_DIR=/etc/spark",
                   "SPARK_CONF_spark_executorEnv_MY__NAME=v", "SPARK_CONF_spark_empty=",
                   "SPARK_CONF_spark_hadoop_fs_s3a_secret_key=geheim", "SPARK_HOME=/opt//spark/"),
             WORDS("--env-file", path));
    unlink(path);
    assert_int_equal(code, EXIT_CODE_OK);
    static const struct {
        const char *name, *value;
        bool secret;
    } expected[] = {
        {"spark.jars", "/a.jar,/b.jar", false},
        {"spark.driver.extraClassPath", "/c", false},
        {"spark.executorEnv.MY_NAME", "v", false},
        {"spark.hadoop.fs.s3a.secret.key", "geheim", true},
        {"spark.x.y", "1", false},
    };
    assert_int_equal(config.spark_property_count, sizeof expected / sizeof expected[0]);
    for (size_t i = 0; i < config.spark_property_count; i++) {
        assert_string_equal(config.spark_properties[i].name, expected[i].name);
        assert_string_equal(config.spark_properties[i].value, expected[i].value);
        assert_int_equal(config.spark_properties[i].secret, expected[i].secret);
    }
    assert_string_equal(config.spark_origins[0], "SPARK_CONF_spark_jars, environment");
    assert_null(config.ignored_spark_variables);
    assert_string_equal(config.spark_home, "/opt/spark");
    assert_int_equal(config.spark_connect_timeout_ms, 120000);
}

#define RELIED_ON "cannot be set: the program relies on the value that it sets in each session"

static void properties_for_spark_that_users_cannot_set_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *variable, *expected;
    } cases[] = {
        {"SPARK_CONF_sql_x=geheim",
         "SPARK_CONF_sql_x (environment): 'sql.x' is not a Spark property"},
        {"SPARK_CONF_=geheim", "'' is not a Spark property"},
        {"SPARK_CONF_spark_=geheim", "'spark.' is not a Spark property"},
        {"SPARK_CONF_spark_master=geheim", "set SPARK_MASTER_URL"},
        {"SPARK_CONF_spark_connect_grpc_binding_address=geheim", "for this program only"},
        {"SPARK_CONF_spark_driver_memory=geheim", "set SPARK_DRIVER_MEMORY"},
        {"SPARK_CONF_spark_sql_session_timeZone=geheim", "set SPARK_SQL_SESSION_TIMEZONE"},
        {"SPARK_CONF_spark_sql_ansi_enabled=geheim", RELIED_ON},
        {"SPARK_CONF_spark_sql_caseSensitive=geheim", RELIED_ON},
        {"SPARK_CONF_spark_sql_variable_substitute=geheim", RELIED_ON},
        {"SPARK_CONF_spark_sql_parser_escapedStringLiterals=geheim", RELIED_ON},
        {"SPARK_CONF_spark_sql_legacy_sizeOfNull=geheim", RELIED_ON},
        {"SPARK_CONF_spark_sql_legacy_timeParserPolicy=geheim", RELIED_ON},
        {"SPARK_CONF_spark_sql_json_enablePartialResults=geheim", RELIED_ON},
        {"SPARK_CONF_spark_sql_optimizer_enableJsonExpressionOptimization=geheim", RELIED_ON},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum exit_code code = load(WORDS(BROKER, YARN, cases[i].variable), NULL);
        if (code != EXIT_CODE_USAGE || line_count() != 1 ||
            strstr(errors, cases[i].expected) == NULL)
            fail_msg("%s gave %d: %s", cases[i].variable, (int)code, errors);
        assert_null(strstr(errors, "geheim"));
        config_deinit(&config);
    }
}

static void properties_for_spark_without_an_effect_are_named(void **state) {
    (void)state;
    static const char jars[] = "SPARK_CONF_spark_jars=/a.jar", sql[] = "SPARK_CONF_spark_sql_x=1",
                      wrong[] = "SPARK_CONF_of_nobody=1";
    assert_int_equal(load(WORDS(BROKER, jars, sql, wrong), NULL), EXIT_CODE_OK);
    assert_string_equal(config.ignored_spark_variables,
                        "SPARK_CONF_spark_jars, SPARK_CONF_spark_sql_x, SPARK_CONF_of_nobody");
    assert_int_equal(config.spark_property_count, 0);
    config_deinit(&config);
    assert_int_equal(load(WORDS(BROKER, "SPARK_MASTER_URL=sc://a", jars, sql), NULL), EXIT_CODE_OK);
    assert_string_equal(config.ignored_spark_variables, "SPARK_CONF_spark_jars");
    assert_string_equal(config.spark_properties[0].name, "spark.sql.x");
}

static void on_a_cluster_the_budget_is_fixed_and_the_memory_settings_are_for_spark(void **state) {
    (void)state;
    assert_int_equal(load(WORDS(BROKER, "SPARK_DRIVER_MEMORY=3g"), NULL), EXIT_CODE_OK);
    assert_int_equal(config_memory_budget(&config), 3LL << 30);
    config_deinit(&config);
    assert_int_equal(load(WORDS(BROKER, YARN, "SPARK_DRIVER_MEMORY=3g", "SPARK_HOME="), NULL),
                     EXIT_CODE_OK);
    assert_int_equal(config_memory_budget(&config), CLUSTER_MEMORY);
    struct spark_server_options options = config_spark_server_options(&config);
    assert_int_equal(options.driver_memory, 3LL << 30);
    assert_string_equal(options.master, "yarn");
    assert_null(options.spark_home);
}

static void under_the_name_of_a_query_the_program_runs_it_and_waits(void **state) {
    (void)state;
    assert_int_equal(load_as("./match_stream", WORDS(BROKER), NULL), EXIT_CODE_OK);
    assert_ptr_equal(config.job, stream_of("matches"));
    assert_true(config.await_termination);
    assert_true(config_runs(&config, stream_of("matches")));
    assert_false(config_runs(&config, stream_of("players")));
    config_deinit(&config);
    assert_int_equal(load_as("player_stream", WORDS(BROKER), WORDS("--job", "players")),
                     EXIT_CODE_OK);
    assert_ptr_equal(config.job, stream_of("players"));
    config_deinit(&config);
    assert_int_equal(load_as("player_stream", WORDS(BROKER), WORDS("--job", "matches")),
                     EXIT_CODE_USAGE);
}

static void a_job_is_one_query_or_all(void **state) {
    (void)state;
    assert_int_equal(load(WORDS(BROKER), WORDS("--job=matches", "--await-termination")),
                     EXIT_CODE_OK);
    assert_ptr_equal(config.job, stream_of("matches"));
    assert_true(config.await_termination);
    config_deinit(&config);
    assert_int_equal(load(WORDS(BROKER), WORDS("--job", "all")), EXIT_CODE_OK);
    assert_null(config.job);
}

static void jobs_add_up_and_have_two_names(void **state) {
    (void)state;
    assert_int_equal(load(WORDS(BROKER), WORDS("--job", "matches", "--job", "players")),
                     EXIT_CODE_OK);
    assert_null(config.job);
    assert_true(config_runs(&config, stream_of("matches")) &&
                config_runs(&config, stream_of("players")));
    config_deinit(&config);
    assert_int_equal(load(WORDS(BROKER), WORDS("--job", "players", "--job=player_stream")),
                     EXIT_CODE_OK);
    assert_ptr_equal(config.job, stream_of("players"));
    assert_false(config_runs(&config, stream_of("matches")));
    config_deinit(&config);
    // One wrong name among right ones is still wrong.
    assert_int_equal(load(WORDS(BROKER), WORDS("--job", "match", "--job", "players")),
                     EXIT_CODE_USAGE);
    assert_string_equal(errors,
                        "esports-stream: --job: invalid value 'match' (did you mean matches?)\n");
}

static void a_list_of_jobs_names_each_once(void **state) {
    (void)state;
    assert_int_equal(load(WORDS(BROKER), WORDS("--job", "players,matches")), EXIT_CODE_OK);
    assert_null(config.job);
    assert_true(config_runs(&config, stream_of("matches")) &&
                config_runs(&config, stream_of("players")));
    config_deinit(&config);
    assert_int_equal(load(WORDS(BROKER), WORDS("--job", "players,matches,player_stream")),
                     EXIT_CODE_USAGE);
    assert_string_equal(errors, "esports-stream: --job: 'player_stream' is listed twice\n");
    config_deinit(&config);
    assert_int_equal(load(WORDS(BROKER), WORDS("--job", "matches,,payers")), EXIT_CODE_USAGE);
    assert_string_equal(errors,
                        "esports-stream: --job: invalid value '' (expected all, matches or "
                        "players; QUERIES_PATH adds tables of query files)\n"
                        "esports-stream: --job: invalid value 'payers' (did you mean players?)\n");
}

/* ---- tables of query files ---- */

#define FLAT_TABLE(name, topic_setting)                                                            \
    "CREATE TABLE `" name "_records` (id STRING, venue STRING, n INT) USING kafka OPTIONS ("       \
    "subscribe '${" topic_setting ":-" name "}', sample.id 'T-{#}', sample.venue 'A|B', "          \
    "sample.n '1..9');\n"                                                                          \
    "CREATE STREAMING TABLE `" name "` (id STRING NOT NULL, venue STRING, n INT) "                 \
    "PARTITIONED BY (venue) AS SELECT * FROM STREAM `" name "_records`;\n"

static char files[] = "/tmp/test_config.XXXXXX";

static void write_file(const char *name, const char *text) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", files, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int make_files(void **state) {
    (void)state;
    assert_non_null(mkdtemp(files));
    write_file("b.sql", FLAT_TABLE("trades", "KAFKA_TOPIC_TRADES"));
    write_file("a.sql", FLAT_TABLE("my-quotes", "QUOTES_FROM"));
    write_file(".hidden.sql", "no");
    write_file("note.txt", "no");
    return setup(state);
}

static int remove_files(void **state) {
    char command[64];
    int result = teardown(state);
    streams_unload_files();
    settings_renew();
    snprintf(command, sizeof command, "rm -r %s", files);
    assert_int_equal(system(command), 0);
    memset(files + sizeof files - 7, 'X', 6);
    return result;
}

/* As another start of the program. */
static enum exit_code load_again(const char *paths, const char *const *arguments) {
    char setting[256];
    snprintf(setting, sizeof setting, "QUERIES_PATH=%s", paths);
    config_deinit(&config);
    streams_unload_files();
    settings_renew();
    return load(WORDS(BROKER, setting), arguments);
}

static void the_tables_of_query_files_are_jobs_with_settings(void **state) {
    (void)state;
    char paths[128];
    assert_int_equal(load_again(files, NULL), EXIT_CODE_OK);
    assert_string_equal(errors, "");
    // The built-in ones are first, then files by name.
    assert_string_equal(streams[0]->job, "matches");
    assert_string_equal(streams[2]->job, "my-quotes");
    assert_string_equal(streams[3]->job, "trades");
    assert_null(streams[4]);
    assert_true(config_runs(&config, stream_of("trades")) &&
                config_runs(&config, stream_of("players")));
    assert_string_equal(config_topic(&config, stream_of("trades")), "trades");

    snprintf(paths, sizeof paths, ":%s/b.sql::%s/a.sql:", files, files);
    assert_int_equal(load_again(paths, WORDS("--job", "trades,my-quotes", "--kafka-topic-trades",
                                             "other", "--my-quotes-partition-by=none")),
                     EXIT_CODE_OK);
    assert_string_equal(streams[2]->job, "trades");
    assert_false(config_runs(&config, stream_of("matches")));
    assert_string_equal(config_topic(&config, stream_of("trades")), "other");
    assert_string_equal(config_topic(&config, stream_of("my-quotes")), "my-quotes");
    assert_int_equal(config_partition_by(&config, stream_of("my-quotes"))->count, 0);
    assert_int_equal(config_partition_by(&config, stream_of("trades"))->count, 1);

    assert_int_equal(load_again("", WORDS("--job", "trades")), EXIT_CODE_USAGE);
}

static void the_path_of_queries_is_a_setting_like_others(void **state) {
    (void)state;
    char environment[128], file[128];
    write_file("q.env", "");
    snprintf(file, sizeof file, "%s/q.env", files);
    snprintf(environment, sizeof environment, "QUERIES_PATH=%s/a.sql\n", files);
    write_file("q.env", environment);
    assert_int_equal(load(WORDS(BROKER), WORDS("--job=my-quotes", "--env-file", file)),
                     EXIT_CODE_OK);
    assert_ptr_equal(config.job, stream_of("my-quotes"));
    config_deinit(&config);
    streams_unload_files();
    settings_renew();
    assert_int_equal(
        load(WORDS(BROKER), WORDS("--job=trades", "--env-file", file, "--queries-path", files)),
        EXIT_CODE_OK);
    assert_ptr_equal(config.job, stream_of("trades"));
}

/* ---- what a file says of settings ---- */

static void write_table(const char *topic, const char *properties) {
    char text[1024];
    snprintf(text, sizeof text,
             "CREATE TABLE r (id STRING) USING kafka\nOPTIONS (subscribe '%s');\n"
             "CREATE STREAMING TABLE t (id STRING NOT NULL)\nTBLPROPERTIES (%s)\n"
             "AS SELECT id FROM STREAM r;\n"
             "CREATE STREAMING TABLE u (id STRING NOT NULL) AS SELECT id FROM STREAM r;\n",
             topic, properties);
    write_file("own.sql", text);
}

static enum exit_code load_own(const char *const *environment, const char *const *arguments) {
    const char *words[WORDS_MAX] = {"--queries-path", "own.sql"};
    for (size_t i = 0; arguments != NULL && arguments[i] != NULL; i++)
        words[i + 2] = arguments[i];
    config_deinit(&config);
    streams_unload_files();
    settings_renew();
    assert_int_equal(chdir(files), 0);
    enum exit_code code = load(environment, words);
    assert_int_equal(chdir("/"), 0);
    return code;
}

static struct query_options options_of(const char *job) {
    struct query_options options = config_query_options(&config, stream_of(job));
    config_store_options_deinit(&options.store);
    return options;
}

static void a_property_of_the_file_is_in_place_of_the_setting(void **state) {
    (void)state;
    write_table("${TOPIC:-x}", "trigger = '${EVERY:-1 minute}', startingOffsets = 'latest', "
                               "maxOffsetsPerTrigger = 500, minOffsetsPerTrigger = 400, "
                               "maxTriggerDelay = '2 minutes', parseMode = 'permissive', "
                               "path = '${DATA_LAKE_PATH}/t', rejectsPath = '/r/t', "
                               "checkpointLocation = '/c/t'");
    assert_int_equal(load_own(WORDS(BROKER, "TRIGGER=2 seconds", "PARSE_MODE=failfast"),
                              WORDS("--data-lake-path=/lake", "--checkpoint-path=/elsewhere")),
                     EXIT_CODE_OK);
    assert_int_equal(options_of("t").trigger.interval_ms, 60000);
    assert_string_equal(options_of("t").starting_offsets, "latest");
    assert_int_equal(options_of("t").max_offsets_per_trigger, 500);
    assert_int_equal(options_of("t").min_offsets_per_trigger, 400);
    assert_int_equal(options_of("t").max_trigger_delay_ms, 120000);
    assert_int_equal(query_pause_ms(&(struct query_options){.trigger.interval_ms = 60000,
                                                            .min_offsets_per_trigger = 1,
                                                            .max_trigger_delay_ms = 120000}),
                     180000);
    assert_int_equal(options_of("t").parse_mode, PARSE_PERMISSIVE);
    static const char *const expected[] = {"/lake/t", "/r/t", "/c/t"};
    for (enum config_path path = PATH_TABLE; path <= PATH_CHECKPOINT; path++) {
        char *text = config_path(&config, path, stream_of("t"));
        assert_string_equal(text, expected[path]);
        free(text);
    }
    assert_string_equal(config_property(&config, stream_of("t"), TABLE_TRIGGER)->where,
                        "own.sql:4");
    // Another table of the file has the settings.
    assert_int_equal(options_of("u").trigger.interval_ms, 2000);
    assert_int_equal(options_of("u").parse_mode, PARSE_FAILFAST);
    assert_null(config_property(&config, stream_of("u"), TABLE_TRIGGER));
    // Both read one topic, by one setting.
    assert_string_equal(config_topic(&config, stream_of("t")), "x");
    assert_string_equal(config_topic(&config, stream_of("u")), "x");
}

/* ---- COMPACT and RETENTION ---- */

static void compact_is_off_closed_or_an_age(void **state) {
    (void)state;
    assert_int_equal(load(WORDS(BROKER), NULL), EXIT_CODE_OK);
    assert_int_equal(options_of("matches").care.compact.mode, COMPACT_OFF);
    assert_int_equal(options_of("matches").care.grace_ms, 3600000);
    assert_int_equal(options_of("matches").care.target_size, 128 << 20);
    assert_int_equal(options_of("matches").care.cpu_percent, 50);
    assert_int_equal(options_of("matches").care.retention_days, 0);
    assert_int_equal(options_of("matches").care.memory_max, MERGE_MEMORY);
    config_deinit(&config);
    assert_int_equal(load(WORDS(BROKER, "COMPACT=1h"), NULL), EXIT_CODE_OK);
    assert_int_equal(options_of("players").care.compact.mode, COMPACT_LIVE);
    assert_int_equal(options_of("players").care.compact.older_than_ms, 3600000);
    config_deinit(&config);
    assert_int_equal(load(WORDS(BROKER, "COMPACT=sometimes"), NULL), EXIT_CODE_USAGE);
    assert_non_null(strstr(errors,
                           "COMPACT (environment): invalid value 'sometimes' (expected off, "
                           "closed or the age"));
    config_deinit(&config);
    assert_int_equal(load(WORDS(BROKER, "RETENTION=36 hours"), NULL), EXIT_CODE_USAGE);
    assert_non_null(strstr(errors, "expected off or whole days"));
}

static void closed_and_retention_need_a_date(void **state) {
    (void)state;
    assert_int_equal(load(WORDS(BROKER, "COMPACT=closed"), WORDS("--job", "matches")),
                     EXIT_CODE_USAGE);
    assert_non_null(strstr(errors, "COMPACT is closed, but the table of match_stream has no "
                                   "partition column of type DATE"));
    assert_non_null(strstr(errors, "(MATCHES_PARTITION_BY=ingest_date,status)"));
    assert_null(strstr(errors, "player_stream"));
    config_deinit(&config);
    assert_int_equal(load(WORDS(BROKER, "RETENTION=30 days"), WORDS("--job", "players")),
                     EXIT_CODE_USAGE);
    assert_non_null(strstr(errors, "RETENTION is set, but the table of player_stream has no"));
}

static void a_retention_may_be_of_one_table(void **state) {
    (void)state;
    write_table("x", "compact = 'closed', retention = '7 days'");
    assert_int_equal(load_own(WORDS(BROKER, "RETENTION=30 days", "MATCHES_RETENTION=off",
                                    "PLAYERS_RETENTION=off", "COMPACT=1h"),
                              WORDS("--job", "matches")),
                     EXIT_CODE_OK);
    assert_int_equal(options_of("matches").care.retention_days, 0);
    assert_int_equal(options_of("t").care.retention_days, 7);
    assert_int_equal(options_of("u").care.retention_days, 30);
    assert_int_equal(options_of("t").care.compact.mode, COMPACT_CLOSED);
    assert_int_equal(options_of("u").care.compact.mode, COMPACT_LIVE);
}

static void a_cluster_takes_care_of_no_table(void **state) {
    (void)state;
    assert_int_equal(load(WORDS(BROKER, "COMPACT=1h", "SPARK_MASTER_URL=sc://h:1"), NULL),
                     EXIT_CODE_USAGE);
    assert_non_null(strstr(errors, "COMPACT of match_stream cannot be used on a Spark cluster"));
}

static void an_option_and_a_demo_come_before_the_file(void **state) {
    (void)state;
    write_table("x", "trigger = '1 minute', parseMode = 'permissive', path = '/own/t'");
    assert_int_equal(load_own(WORDS(BROKER), WORDS("--trigger", "availableNow")), EXIT_CODE_OK);
    assert_true(options_of("t").trigger.available_now);
    assert_int_equal(options_of("t").parse_mode, PARSE_PERMISSIVE);
    assert_int_equal(load_own(NULL, WORDS("--demo")), EXIT_CODE_OK);
    assert_true(options_of("t").trigger.available_now);
    assert_int_equal(options_of("t").parse_mode, PARSE_PERMISSIVE);
    char *text = config_path(&config, PATH_TABLE, stream_of("t"));
    assert_null(strstr(text, "/own"));
    free(text);
}

static void names_in_a_file_are_settings(void **state) {
    (void)state;
    write_table("${SITE}-${KIND:-x}", "trigger = '${EVERY:-1 minute}'");
    assert_int_equal(load_own(WORDS(BROKER, "SITE=a", "EVERY=3s"), WORDS("--kind", "b")),
                     EXIT_CODE_OK);
    assert_string_equal(config_topic(&config, stream_of("t")), "a-b");
    assert_int_equal(options_of("t").trigger.interval_ms, 3000);
    assert_string_equal(value_of("EVERY")->where, "environment");
    // Needed only if a chosen table uses it.
    assert_int_equal(load_own(WORDS(BROKER), WORDS("--job", "matches")), EXIT_CODE_OK);
    assert_int_equal(load_own(WORDS(BROKER), WORDS("--job", "u")), EXIT_CODE_USAGE);
    assert_string_equal(errors, "esports-stream: SITE is missing: subscribe of table 'u' needs it "
                                "(own.sql:2:10): set it, or write ${SITE:-default}\n");
}

static void assert_own_refused(const char *const *environment, const char *expected) {
    char text[512];
    snprintf(text, sizeof text, "esports-stream: %s\n", expected);
    assert_int_equal(load_own(environment, WORDS("--job", "t")), EXIT_CODE_USAGE);
    assert_string_equal(errors, text);
}

static void values_in_a_file_are_checked_like_settings(void **state) {
    (void)state;
    write_table("x", "trigger = 'soon'");
    assert_own_refused(WORDS(BROKER),
                       "own.sql:4:16: trigger: invalid value 'soon' (expected availableNow or an "
                       "interval such as '10 seconds', '1 minute', '500 milliseconds' or '0 "
                       "seconds')");
    write_table("x", "maxOffsetsPerTrigger = '${MOST:-1}'");
    assert_own_refused(WORDS(BROKER, "MOST=many"),
                       "own.sql:4:16: maxOffsetsPerTrigger: invalid value 'many' (expected a whole "
                       "number of at least 0)");
    write_table("x", "maxOffsetsPerTrigger = 5, minOffsetsPerTrigger = 6");
    assert_own_refused(WORDS(BROKER),
                       "own.sql:4: MIN_OFFSETS_PER_TRIGGER is 6, but MAX_OFFSETS_PER_TRIGGER "
                       "is 5: no batch could have so many offsets; lower the one or raise the "
                       "other");
    write_table("x", "path = 's3://bucket/t'");
    assert_own_refused(WORDS(BROKER),
                       "own.sql:4:16: path: invalid value 's3://bucket/t' (expected a local "
                       "directory, as a path or as file:///…; other file systems are not "
                       "supported: mount them, or copy the files)");
    write_table("x", "startingOffsets = '{\"y\": {\"0\": 5}}'");
    assert_own_refused(WORDS(BROKER),
                       "own.sql:4: startingOffsets does not name topic 'x' of t: add "
                       "an offset for each of its partitions");
    write_table("${TOPIC}", "trigger = '1s'");
    assert_own_refused(WORDS(BROKER, "TOPIC=no topic"),
                       "TOPIC (environment): invalid value 'no topic' (expected one topic name: "
                       "letters, digits, '.', '_' and '-')");
    write_table("${KAFKA_SASL_PASSWORD}", "trigger = '1s'");
    assert_own_refused(WORDS(BROKER), "own.sql: ${KAFKA_SASL_PASSWORD} can be a secret, which a "
                                      "query file cannot use");
}

static void two_tables_of_one_topic_cannot_share_a_group(void **state) {
    (void)state;
    write_table("x", "trigger = '1s'");
    assert_int_equal(load_own(WORDS(BROKER), WORDS("--job", "t,u")), EXIT_CODE_OK);
    assert_int_equal(load_own(WORDS(BROKER, "KAFKA_COMMIT_GROUP=g"), WORDS("--job", "t,u")),
                     EXIT_CODE_USAGE);
    assert_non_null(strstr(errors, "KAFKA_COMMIT_GROUP: t and u both read topic 'x'"));
}

static void assert_refused(const char *paths, const char *expected) {
    char text[512];
    snprintf(text, sizeof text, "esports-stream: QUERIES_PATH (environment): %s\n", expected);
    assert_int_equal(load_again(paths, WORDS("--job", "trades")), EXIT_CODE_USAGE);
    assert_string_equal(errors, text);
}

static void mistakes_in_query_files_are_reported_with_their_place(void **state) {
    (void)state;
    assert_int_equal(chdir(files), 0);
    write_file("twice.sql", FLAT_TABLE("TRADES", "X"));
    write_file("matches.sql", FLAT_TABLE("Matches", "X"));
    write_file("alike.sql", FLAT_TABLE("my_quotes", "X"));
    write_file("broken.sql", "CREATE STREAMING TABLE");
    write_file("topics.sql", "CREATE TABLE r (id STRING) USING kafka OPTIONS (subscribe 'x')");
    assert_refused("b.sql:twice.sql", "twice.sql:2:24: the table 'TRADES' is also in b.sql:2");
    assert_refused("b.sql:b.sql", "b.sql:2:24: the table 'trades' is also in b.sql:2");
    assert_refused("matches.sql", "matches.sql:2:24: the table 'Matches' is also in the built-in "
                                  "queries/matches.sql:62: choose another name");
    assert_refused("a.sql:alike.sql",
                   "alike.sql:2:24: the setting 'MY_QUOTES_PARTITION_BY' is also in a.sql:2");
    assert_refused("broken.sql", "broken.sql:1:23: found the end of the text, expected a name");
    assert_refused("topics.sql", "topics.sql: the file declares no streaming table (CREATE "
                                 "STREAMING TABLE …)");
    assert_refused("none.sql", "none.sql: no such file");
    assert_int_equal(mkdir("empty", 0700), 0);
    assert_refused("empty", "empty: the directory has no file *.sql");
    assert_int_equal(chdir("/"), 0);
}

static void help_works_with_any_query_file(void **state) {
    (void)state;
    assert_int_equal(load_again("/nowhere.sql", WORDS("--help")), EXIT_CODE_OK);
    assert_int_equal(load_again("/nowhere.sql", WORDS("check", "/nowhere.sql")), EXIT_CODE_OK);
    assert_int_equal(load_again("/nowhere.sql", WORDS("schema")), EXIT_CODE_USAGE);
}

static void there_can_be_64_tables(void **state) {
    (void)state;
    char name[32], text[1024];
    for (int i = 0; i < 63; i++) {
        snprintf(name, sizeof name, "n%02d.sql", i);
        snprintf(text, sizeof text,
                 "CREATE TABLE r (id STRING) USING kafka OPTIONS (subscribe '${TOPIC_%d:-t%d}', "
                 "sample.id 'T-{#}');"
                 "CREATE STREAMING TABLE n%d (id STRING NOT NULL, kafka_timestamp TIMESTAMP, "
                 "partition INT, offset BIGINT, processing_timestamp TIMESTAMP) AS SELECT * FROM "
                 "STREAM r;",
                 i, i, i);
        write_file(name, text);
    }
    assert_int_equal(chdir(files), 0);
    assert_int_equal(unlink("a.sql") + unlink("b.sql"), 0);
    assert_refused(".", "./n62.sql:1:121: table 'n62' is one too many: there can be 64, the "
                        "built-in ones included");
    assert_int_equal(unlink("n62.sql"), 0);
    enum exit_code code = load_again(files, WORDS("--job", "matches,n61"));
    assert_string_equal(errors, "");
    assert_int_equal(code, EXIT_CODE_OK);
    assert_true(config_runs(&config, stream_of("n61")));
    assert_false(config_runs(&config, stream_of("n60")));
    assert_int_equal(chdir("/"), 0);
}

static void every_path_is_normalised_as_hadoop_does(void **state) {
    (void)state;
    static const struct {
        const char *given, *path;
    } cases[] = {
        {"/a/./b/../c", "/a/c"},
        {"/a//b/", "/a/b"},
        {"/..", "/"},
        {"/a/b/../../..", "/"},
        {"/../a", "/a"},
        {"/a/...", "/a/..."},
        {"file:///a/x/../b", "/a/b"},
        {"/a/..b/c..", "/a/..b/c.."},
    };
    static const char *const names[] = {"DATA_LAKE_PATH", "PROCESSED_DATA_PATH", "CHECKPOINT_PATH"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t j = 0; j < 3; j++) {
            char variable[128];
            (void)snprintf(variable, sizeof variable, "%s=%s", names[j], cases[i].given);
            assert_int_equal(load(WORDS(BROKER, variable), NULL), EXIT_CODE_OK);
            const char *path = j == 0   ? config.data_lake_path
                               : j == 1 ? config.processed_path
                                        : config.checkpoint_path;
            assert_string_equal(path, cases[i].path);
            config_deinit(&config);
        }
    }
}

static void text_that_only_a_shell_expands_is_refused_in_every_path(void **state) {
    (void)state;
    static const char *const names[] = {
        "DATA_LAKE_PATH=", "PROCESSED_DATA_PATH=", "CHECKPOINT_PATH=", "SPARK_HOME=",
        "KAFKA_BOOTSTRAP_SERVERS=file:"};
    static const struct {
        const char *path, *reason;
    } cases[] = {{"~/lake", "'~' is not expanded here: write the full path"},
                 {"~", "'~' is not expanded here"},
                 {"~spark/lake", "'~' is not expanded here"},
                 {"$HOME/lake", "variables are not expanded here"},
                 {"/data/${USER}/lake", "variables are not expanded here"},
                 {"/data/lake-${STAGE}", "variables are not expanded here"},
                 {"\"/data/lake\"", "the quotes are part of the value"},
                 {"'/data/lake'", "the quotes are part of the value"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        for (size_t j = 0; j < sizeof cases / sizeof cases[0]; j++) {
            char variable[128];
            (void)snprintf(variable, sizeof variable, "%s%s", names[i], cases[j].path);
            expect_refusal(&(struct wrong){variable, cases[j].reason});
        }
    }
    assert_int_equal(load(WORDS(BROKER, "DATA_LAKE_PATH=/data/a~b/$/c$d"), NULL), EXIT_CODE_OK);
    assert_string_equal(config.data_lake_path, "/data/a~b/$/c$d");
}

static void a_path_that_is_not_a_directory_is_refused(void **state) {
    (void)state;
    char directory[] = "/tmp/test_config.XXXXXX", file[64], link[64], variable[128];
    assert_non_null(mkdtemp(directory));
    (void)snprintf(file, sizeof file, "%s/file", directory);
    (void)snprintf(link, sizeof link, "%s/link", directory);
    int fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(symlink(file, link), 0);
    static const char *const names[] = {"DATA_LAKE_PATH", "PROCESSED_DATA_PATH", "CHECKPOINT_PATH"};
    for (size_t i = 0; i < 3; i++) {
        char reason[128];
        (void)snprintf(reason, sizeof reason, "'%s' is not a directory", file);
        (void)snprintf(variable, sizeof variable, "%s=%s", names[i], file);
        expect_refusal(&(struct wrong){variable, reason});
        (void)snprintf(variable, sizeof variable, "%s=%s/below/it", names[i], file);
        expect_refusal(&(struct wrong){variable, reason});
        (void)snprintf(variable, sizeof variable, "%s=%s", names[i], link);
        expect_refusal(&(struct wrong){variable, "is not a directory"});
    }
    assert_int_equal(unlink(link), 0);
    assert_int_equal(symlink(directory, link), 0); // a link to a directory is accepted
    (void)snprintf(variable, sizeof variable, "DATA_LAKE_PATH=%s", link);
    assert_int_equal(load(WORDS(BROKER, variable), NULL), EXIT_CODE_OK);
    unlink(link);
    unlink(file);
    rmdir(directory);
}

static void an_unusable_path_is_reported_with_its_setting(void **state) {
    (void)state;
    static const struct {
        const char *variable, *path, *expected;
    } cases[] = {
        {"A=b", "/workspaces",
         "DATA_LAKE_PATH is not set, so its default is used: set "
         "it to a directory"},
        {"A=b", "/workspaces/esport-bigdata-pipeline/data/checkpoints/match_stream",
         "; DATA_LAKE_PATH is not set"},
        {"DATA_LAKE_PATH=/lake", "/lake/processed/matches",
         "; or change DATA_LAKE_PATH (environment), which this path"},
        {"CHECKPOINT_PATH=/cp/here", "/cp",
         "; or change CHECKPOINT_PATH (environment), which this path"},
        {"CHECKPOINT_PATH=/cp", "/cp/match_stream", "; or change CHECKPOINT_PATH"},
        {"PROCESSED_DATA_PATH=/tables", "/tables/matches", "; or change PROCESSED_DATA_PATH"},
        {"CHECKPOINT_PATH=/cp", "/cpu/match_stream", NULL},
        {"DATA_LAKE_PATH=/lake", "/etc/ssl", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(load(WORDS(BROKER, cases[i].variable), NULL), EXIT_CODE_OK);
        struct error err;
        (void)error_set(&err, ERROR_CONFIG, "make directory '%s': Permission denied",
                        cases[i].path);
        err.lasting = true;
        char *before = strdup(err.message);
        path_origin_add(&config, &err);
        if (cases[i].expected != NULL && strstr(err.message, cases[i].expected) == NULL)
            fail_msg("%s", err.message);
        if (cases[i].expected == NULL)
            assert_string_equal(err.message, before);
        (void)snprintf(err.message, sizeof err.message, "%s", before);
        err.lasting = false; // as with a full disk, which may pass
        path_origin_add(&config, &err);
        assert_string_equal(err.message, before);
        free(before);
        config_deinit(&config);
    }

    assert_int_equal(load(WORDS("A=b"), WORDS("--demo")), EXIT_CODE_OK);
    struct error err;
    (void)error_set(&err, ERROR_CONFIG, "make directory '%s': Permission denied",
                    config.data_lake_path);
    err.lasting = true;
    path_origin_add(&config, &err);
    assert_non_null(strstr(err.message, "; set TMPDIR, or --data-lake-path, to a directory"));
}

static void a_default_lake_is_a_warning(void **state) {
    (void)state;
    char warning[LAKE_WARNING_MAX];
    assert_int_equal(load(WORDS(BROKER), NULL), EXIT_CODE_OK);
    settings_lake_warning(&config, warning);
    assert_string_equal(warning,
                        "DATA_LAKE_PATH is not set: data goes to the default path "
                        "'/workspaces/esport-bigdata-pipeline/data'; set DATA_LAKE_PATH to where "
                        "the lake should be");
    config_deinit(&config);
    assert_int_equal(load(WORDS(BROKER, "DATA_LAKE_PATH=/lake"), NULL), EXIT_CODE_OK);
    settings_lake_warning(&config, warning);
    assert_string_equal(warning, "");
    config_deinit(&config);
    assert_int_equal(load(NULL, WORDS("--demo")), EXIT_CODE_OK); // it has its own lake
    settings_lake_warning(&config, warning);
    assert_string_equal(warning, "");
}

static void every_setting_but_a_secret_is_an_option(void **state) {
    (void)state;
    size_t count;
    const struct setting *settings = settings_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (settings[i].secret)
            continue;
        const char *option = settings[i].option;
        const char *value = settings[i].fallback != NULL ? settings[i].fallback : "a:1";
        if (strchr(value, '{') != NULL)
            value = "/somewhere";
        assert_int_equal(load(WORDS(BROKER), WORDS(option, value)), EXIT_CODE_OK);
        assert_int_equal(config.values[i].origin, ORIGIN_FLAG);
        config_deinit(&config);
    }
}

static void help_version_and_docs_need_no_settings(void **state) {
    (void)state;
    const struct {
        const char *const *words;
        enum action action;
    } cases[] = {
        {(const char *const[]){"--help", NULL}, ACTION_HELP},
        {(const char *const[]){"--wrong", "-h", NULL}, ACTION_HELP},
        {(const char *const[]){"--version", NULL}, ACTION_VERSION},
        {(const char *const[]){"-V", NULL}, ACTION_VERSION},
        {(const char *const[]){"rewind", "-h", NULL}, ACTION_HELP},
        {(const char *const[]){"docs", "configuration", NULL}, ACTION_COMMAND},
        {(const char *const[]){"docs", "schema", NULL}, ACTION_COMMAND},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(load(WORDS("TRIGGER=wrong"), cases[i].words), EXIT_CODE_OK);
        assert_int_equal(config.action, cases[i].action);
        assert_string_equal(errors, "");
        config_deinit(&config);
    }
    assert_int_equal(load(NULL, WORDS("docs", "poetry")), EXIT_CODE_USAGE);
    config_deinit(&config);
    assert_int_equal(load(NULL, WORDS("--explain")), EXIT_CODE_USAGE); // it checks the settings
}

static void properties_for_librdkafka_come_from_their_variables(void **state) {
    (void)state;
    assert_int_equal(load(WORDS(BROKER, "KAFKA_CONF_CLIENT_ID=me",
                                "KAFKA_SECURITY_PROTOCOL=SASL_SSL", "KAFKA_SASL_PASSWORD=geheim",
                                "KAFKA_SSL_CA_LOCATION=/ca.pem", "KAFKA_CONF_fetch_wait_max_ms=50",
                                "KAFKA_SSL_KEY_PEM=----", "KAFKA_CONF_LOG_LEVEL=7"),
                          NULL),
                     EXIT_CODE_OK);
    static const struct {
        const char *name, *value, *place;
        bool secret;
    } expected[] = {
        {"client.id", "me", "KAFKA_CONF_CLIENT_ID, environment", false},
        {"security.protocol", "SASL_SSL", "KAFKA_SECURITY_PROTOCOL, environment", false},
        {"sasl.password", "geheim", "KAFKA_SASL_PASSWORD, environment", true},
        {"ssl.ca.location", "/ca.pem", "KAFKA_SSL_CA_LOCATION, environment", false},
        {"fetch.wait.max.ms", "50", "KAFKA_CONF_fetch_wait_max_ms, environment", false},
        {"ssl.key.pem", "----", "KAFKA_SSL_KEY_PEM, environment", true},
        {"log_level", "7", "KAFKA_CONF_LOG_LEVEL, environment", false},
    };
    assert_int_equal(config.kafka_property_count, sizeof expected / sizeof expected[0]);
    for (size_t i = 0; i < config.kafka_property_count; i++) {
        assert_string_equal(config.kafka_properties[i].name, expected[i].name);
        assert_string_equal(config.kafka_properties[i].value, expected[i].value);
        assert_string_equal(config.kafka_origins[i], expected[i].place);
        assert_int_equal(config.kafka_properties[i].secret, expected[i].secret);
    }
    assert_null(config.ignored_kafka_variables);
}

static void properties_that_users_cannot_set_are_refused(void **state) {
    (void)state;
    static const char *const variables[] = {
        "KAFKA_CONF_ENABLE_AUTO_COMMIT=true", "KAFKA_CONF_AUTO_OFFSET_RESET=latest",
        "KAFKA_CONF_BOOTSTRAP_SERVERS=x",     "KAFKA_CONF_QUEUED_MAX_MESSAGES_KBYTES=1",
        "KAFKA_SASL_JAAS_CONFIG=geheim",      "KAFKA_SSL_TRUSTSTORE_LOCATION=/x"};
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        assert_int_equal(load(WORDS(BROKER, variables[i]), NULL), EXIT_CODE_USAGE);
        assert_int_equal(line_count(), 1);
        assert_null(strstr(errors, "geheim"));
        config_deinit(&config);
    }
    assert_int_equal(
        load(WORDS(BROKER, "KAFKA_SASL_USERNAME=a", "KAFKA_CONF_SASL_USERNAME=b"), NULL),
        EXIT_CODE_USAGE);
    config_deinit(&config);
    assert_int_equal(
        load(WORDS(BROKER, "KAFKA_SASL_USERNAME=a", "KAFKA_CONF_SASL_USERNAME=a"), NULL),
        EXIT_CODE_OK);
    assert_int_equal(config.kafka_property_count, 1);
}

static void a_property_that_librdkafka_refuses_is_named_by_its_variable(void **state) {
    (void)state;
    static const struct wrong cases[] = {
        {"KAFKA_CONF_fetch_wait_max=5",
         "KAFKA_CONF_fetch_wait_max (environment): librdkafka has no "
         "property 'fetch.wait.max'; did you mean "
         "'fetch.wait.max.ms'?"},
        {"KAFKA_CONF_quite_something_else=5",
         "librdkafka has no property 'quite.something.else'\n"},
        {"KAFKA_CONF_FETCH_WAIT_MAX_MS=soon", "Kafka property 'fetch.wait.max.ms'"},
        {"KAFKA_SECURITY_PROTOCOL=TLS", "Kafka property 'security.protocol'"},
        {"KAFKA_SASL_USER_NAME=me", "did you mean 'sasl.username'?"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_refusal(&cases[i]);
    // Errors that only librdkafka's start detects are found by --explain, too.
    assert_int_equal(
        load(WORDS(BROKER, "KAFKA_SECURITY_PROTOCOL=SSL", "KAFKA_SSL_CA_LOCATION=/no/such/ca.pem"),
             WORDS("--explain")),
        EXIT_CODE_USAGE);
    assert_int_equal(line_count(), 1);
    assert_non_null(strstr(errors, "KAFKA_SSL_CA_LOCATION, environment: Kafka client: "));
}

static void foreign_kafka_variables_are_named_and_ignored(void **state) {
    (void)state;
    assert_int_equal(load(WORDS(BROKER, "KAFKA_PORT=tcp://10.0.0.1:9092", "KAFKA_HEAP_OPTS=-Xmx1g",
                                "KAFKA_CONF_=x"),
                          NULL),
                     EXIT_CODE_OK);
    assert_string_equal(config.ignored_kafka_variables, "KAFKA_PORT, KAFKA_HEAP_OPTS, KAFKA_CONF_");
}

static void near_misses_are_warnings(void **state) {
    (void)state;
    assert_int_equal(load(WORDS(BROKER, "MAX_OFFSET_PER_TRIGGER=5", "HOME=/root"), NULL),
                     EXIT_CODE_OK);
    assert_int_equal(config.warning_count, 1);
    assert_non_null(strstr(config.warnings[0], "did you mean MAX_OFFSETS_PER_TRIGGER?"));
    config_deinit(&config);
    assert_int_equal(load(WORDS("KAFKA_BOOTSTRAP_SERVER=x:1"), NULL), EXIT_CODE_USAGE);
    assert_non_null(strstr(errors, "KAFKA_BOOTSTRAP_SERVER "));
}

/* Loads an env file with this text. */
static enum exit_code load_file(const char *text, char path[static 32]) {
    (void)snprintf(path, 32, "/tmp/test_config.XXXXXX");
    int fd = mkstemp(path);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    enum exit_code code = load(WORDS(BROKER), WORDS("--env-file", path));
    unlink(path);
    return code;
}

static void every_unknown_name_in_an_env_file_is_a_warning(void **state) {
    (void)state;
    char path[32], expected[4][128];
    assert_int_equal(load_file("TRIGER=1 minute\nTRIGGER=2 minutes\nJAVA_HOME=/java\n"
                               "KAFKA_HEAP_OPTS=-Xmx1g\ntrigger=1 minute\n"
                               "KAFKA_CONF_CLIENT_ID=me\nSPARK_CONF_spark_x=1\n",
                               path),
                     EXIT_CODE_OK);
    static const char *const lines[] = {
        "unknown setting TRIGER (%s:1) ignored; did you mean TRIGGER?",
        "unknown setting JAVA_HOME (%s:3) ignored",
        "unknown setting KAFKA_HEAP_OPTS (%s:4) ignored",
        "unknown setting trigger (%s:5) ignored; did you mean TRIGGER?"};
    assert_int_equal(config.warning_count, 4);
    for (size_t i = 0; i < 4; i++) {
        const char *place = strstr(lines[i], "%s");
        (void)snprintf(expected[i], sizeof expected[i], "%.*s%s%s", (int)(place - lines[i]),
                       lines[i], path, place + 2);
        assert_string_equal(config.warnings[i], expected[i]);
    }
    assert_null(config.ignored_kafka_variables); // there was a warning instead
}

static void in_the_environment_only_near_misses_are_warnings(void **state) {
    (void)state;
    static const char *const near[] = {
        "TRIGER",        "TRIGGERS", "TIRGGER", "trigger",   "DATALAKE_PATH",     "DATA_LAKE_PTAH",
        "ATA_LAKE_PATH", "LOGLEVEL", "SINKLOG", "PARSEMODE", "KAFKA_TOPIC_MATCH", "UITOKEN"};
    for (size_t i = 0; i < sizeof near / sizeof near[0]; i++) {
        char variable[64];
        (void)snprintf(variable, sizeof variable, "%s=x", near[i]);
        assert_int_equal(load(WORDS(BROKER, variable), NULL), EXIT_CODE_OK);
        if (config.warning_count != 1)
            fail_msg("%s: %zu warnings", near[i], config.warning_count);
        config_deinit(&config);
    }
    static const char *const foreign[] = {BROKER,
                                          "PATH=/bin",
                                          "HOME=/root",
                                          "SHELL=/bin/sh",
                                          "SHLVL=1",
                                          "PWD=/",
                                          "OLDPWD=/",
                                          "_=x",
                                          "USER=me",
                                          "LOGNAME=me",
                                          "HOSTNAME=here",
                                          "TERM=xterm",
                                          "LANG=C",
                                          "LC_ALL=C",
                                          "TZ=UTC",
                                          "EDITOR=vi",
                                          "PAGER=less",
                                          "MAIL=/m",
                                          "DISPLAY=:0",
                                          "TMPDIR=/tmp",
                                          "XDG_RUNTIME_DIR=/run",
                                          "SSH_AUTH_SOCK=/s",
                                          "GH_TOKEN=x",
                                          "CI_TOKEN=x",
                                          "HF_TOKEN=x",
                                          "CI_JOB_TOKEN=x",
                                          "JAVA_HOME=/j",
                                          "KAFKA_HOME=/k",
                                          "HADOOP_HOME=/h",
                                          "SPARK_MASTER_HOST=h",
                                          "SPARK_LOCAL_IP=1",
                                          "SPARK_LOG_DIR=/",
                                          "SPARK_WORKER_MEMORY=1g",
                                          "SPARK_EXECUTOR_CORES=2",
                                          "SPARK_CONF_DIR=/c",
                                          "LOG_FILE=/l",
                                          "LOG_DIR=/l",
                                          "LOG_FORMATTER=x",
                                          "RUST_LOG=x",
                                          "PYTHONPATH=/p",
                                          "LD_LIBRARY_PATH=/l",
                                          "KUBERNETES_PORT=tcp://x",
                                          "NO_COLOR=1",
                                          "DEBUG=1",
                                          "PORT=80",
                                          "HOST=x",
                                          "DATA_PATH=/d",
                                          "LAKE_PATH=/l",
                                          "TRIGGERED_BY=x",
                                          "ALERTMANAGER_URL=x",
                                          "LINES=24",
                                          "COLUMNS=80",
                                          NULL};
    assert_int_equal(load(foreign, NULL), EXIT_CODE_OK);
    if (config.warning_count != 0)
        fail_msg("false alarm: %s", config.warnings[0]);
}

static void two_queries_never_share_a_topic_or_a_directory(void **state) {
    (void)state;
    assert_int_equal(load(WORDS(BROKER, "KAFKA_TOPIC_MATCHES=x", "KAFKA_TOPIC_PLAYERS=x"), NULL),
                     EXIT_CODE_USAGE);
    config_deinit(&config);
    assert_int_equal(load(WORDS(BROKER, "KAFKA_TOPIC_MATCHES=x", "KAFKA_TOPIC_PLAYERS=x"),
                          WORDS("--job", "matches")),
                     EXIT_CODE_OK);
    config_deinit(&config);
    assert_int_equal(
        load(WORDS(BROKER, "DATA_LAKE_PATH=/l", "PROCESSED_DATA_PATH=/l/rejected"), NULL),
        EXIT_CODE_USAGE);
    config_deinit(&config);
    assert_int_equal(
        load(WORDS(BROKER, "DATA_LAKE_PATH=/l", "CHECKPOINT_PATH=/l/processed/matches"), NULL),
        EXIT_CODE_USAGE);
    config_deinit(&config);
    assert_int_equal(
        load(WORDS(BROKER, "DATA_LAKE_PATH=/", "PROCESSED_DATA_PATH=/", "CHECKPOINT_PATH=/"), NULL),
        EXIT_CODE_OK);
}

static void starting_offsets_in_json_name_the_topics_that_are_read(void **state) {
    (void)state;
    static const char both[] =
        "STARTING_OFFSETS={\"esports-matches\": {\"0\": -2}, \"esports-players\": {\"0\": 5}}";
    static const char one[] = "STARTING_OFFSETS={\"esports-matches\": {\"0\": -2}}";
    static const char other[] =
        "STARTING_OFFSETS={\"esports-matches\": {\"0\": 1}, \"typo\": {\"0\": 1}}";
    assert_int_equal(load(WORDS(BROKER, both), NULL), EXIT_CODE_OK);
    config_deinit(&config);
    assert_int_equal(load(WORDS(BROKER, one), NULL), EXIT_CODE_USAGE);
    assert_non_null(strstr(errors, "'esports-players'"));
    config_deinit(&config);
    assert_int_equal(load(WORDS(BROKER, both), WORDS("--job", "matches")), EXIT_CODE_OK);
    config_deinit(&config);
    assert_int_equal(load(WORDS(BROKER, other), WORDS("--job", "matches")), EXIT_CODE_USAGE);
    assert_non_null(strstr(errors, "'typo'"));
}

static void the_demo_does_not_touch_what_the_environment_names(void **state) {
    (void)state;
    assert_int_equal(
        load(WORDS(BROKER, "DATA_LAKE_PATH=/lake", "KAFKA_SASL_PASSWORD=x", "SPARK_MASTER_URL=yarn",
                   "TMPDIR=/var/tmp", "PARSE_MODE=permissive"),
             WORDS("--demo")),
        EXIT_CODE_OK);
    assert_true(config.demo);
    assert_null(config.bootstrap_servers);
    assert_non_null(strstr(config.data_lake_path, "/var/tmp/esports-stream-demo-"));
    assert_true(config.query.trigger.available_now);
    assert_int_equal(config.ui_port, 0); // a run of one second has no page and occupies no port
    assert_int_equal(config.kafka_property_count, 0);
    assert_int_equal(config.query.parse_mode, PARSE_PERMISSIVE);
    assert_int_equal(config.warning_count, 2); // about the lake and the master
    config_deinit(&config);
    assert_int_equal(load(NULL, WORDS("--demo", "--data-lake-path", "/demo")), EXIT_CODE_OK);
    assert_string_equal(config.processed_path, "/demo/processed");
    config_deinit(&config);
    assert_int_equal(load(NULL, WORDS("--demo", "--spark-ui-port", "4050")), EXIT_CODE_OK);
    assert_int_equal(config.ui_port, 4050);
    config_deinit(&config);
    assert_int_equal(load(NULL, WORDS("--demo", "--kafka-bootstrap-servers", "a:1")),
                     EXIT_CODE_USAGE);
}

static void the_memory_floor_grows_with_workers_and_large_record_batches(void **state) {
    (void)state;
    assert_int_equal(load(WORDS(BROKER, "SPARK_MASTER_URL=local[2]"), NULL), EXIT_CODE_OK);
    assert_int_equal(config_memory_floor(&config, 1 << 20), 64 << 20);
    assert_int_equal(config_memory_floor(&config, 1000), 64 << 20);
    assert_int_equal(config_memory_floor(&config, 11 << 20), (64 + 2 * 4 * 10) << 20);
}

static void paths_are_below_their_roots(void **state) {
    (void)state;
    assert_int_equal(load(WORDS(BROKER, "DATA_LAKE_PATH=/l", "CHECKPOINT_PATH=/"), NULL),
                     EXIT_CODE_OK);
    static const char *const expected[] = {"/l/processed/matches", "/l/rejected/matches",
                                           "/match_stream"};
    for (enum config_path path = PATH_TABLE; path <= PATH_CHECKPOINT; path++) {
        char *text = config_path(&config, path, stream_of("matches"));
        assert_string_equal(text, expected[path]);
        free(text);
    }
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define FILES(name) cmocka_unit_test_setup_teardown(name, make_files, remove_files)

int main(void) {
    streams_load();
    const struct CMUnitTest tests[] = {
        FACT(defaults_are_those_of_the_old_job),
        FACT(a_flag_precedes_the_environment_then_the_file_then_the_default),
        FACT(an_empty_variable_counts_as_not_set),
        FACT(wrong_masters_are_refused_with_the_expected_form),
        FACT(wrong_values_are_refused_with_what_was_expected),
        FACT(a_table_can_be_partitioned_by_several_types_or_not_at_all),
        FACT(valid_values_are_accepted),
        FACT(a_protocol_in_front_of_a_broker_is_the_security_protocol),
        FACT(empty_brokers_are_skipped),
        FACT(an_option_without_a_value_is_refused_and_named),
        FACT(all_faults_are_reported_at_once),
        FACT(a_secret_is_not_an_option_and_is_not_shown),
        FACT(a_cluster_is_a_server_to_start_or_a_running_one),
        FACT(settings_that_only_our_engine_supports_are_refused_on_a_cluster),
        FACT(the_token_of_a_server_is_never_shown),
        FACT(properties_for_spark_come_from_their_variables),
        FACT(properties_for_spark_that_users_cannot_set_are_refused),
        FACT(properties_for_spark_without_an_effect_are_named),
        FACT(on_a_cluster_the_budget_is_fixed_and_the_memory_settings_are_for_spark),
        FACT(under_the_name_of_a_query_the_program_runs_it_and_waits),
        FACT(a_job_is_one_query_or_all),
        FACT(every_setting_but_a_secret_is_an_option),
        FACT(help_version_and_docs_need_no_settings),
        FACT(properties_for_librdkafka_come_from_their_variables),
        FACT(properties_that_users_cannot_set_are_refused),
        FACT(foreign_kafka_variables_are_named_and_ignored),
        FACT(near_misses_are_warnings),
        FACT(every_unknown_name_in_an_env_file_is_a_warning),
        FACT(in_the_environment_only_near_misses_are_warnings),
        FACT(a_property_that_librdkafka_refuses_is_named_by_its_variable),
        FACT(jobs_add_up_and_have_two_names),
        FACT(a_list_of_jobs_names_each_once),
        FILES(the_tables_of_query_files_are_jobs_with_settings),
        FILES(the_path_of_queries_is_a_setting_like_others),
        FILES(mistakes_in_query_files_are_reported_with_their_place),
        FILES(a_property_of_the_file_is_in_place_of_the_setting),
        FACT(compact_is_off_closed_or_an_age),
        FACT(closed_and_retention_need_a_date),
        FILES(a_retention_may_be_of_one_table),
        FACT(a_cluster_takes_care_of_no_table),
        FILES(an_option_and_a_demo_come_before_the_file),
        FILES(names_in_a_file_are_settings),
        FILES(values_in_a_file_are_checked_like_settings),
        FILES(two_tables_of_one_topic_cannot_share_a_group),
        FILES(help_works_with_any_query_file),
        FILES(there_can_be_64_tables),
        FACT(every_path_is_normalised_as_hadoop_does),
        FACT(text_that_only_a_shell_expands_is_refused_in_every_path),
        FACT(a_path_that_is_not_a_directory_is_refused),
        FACT(an_unusable_path_is_reported_with_its_setting),
        FACT(a_default_lake_is_a_warning),
        FACT(two_queries_never_share_a_topic_or_a_directory),
        FACT(starting_offsets_in_json_name_the_topics_that_are_read),
        FACT(the_demo_does_not_touch_what_the_environment_names),
        FACT(the_memory_floor_grows_with_workers_and_large_record_batches),
        FACT(paths_are_below_their_roots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
