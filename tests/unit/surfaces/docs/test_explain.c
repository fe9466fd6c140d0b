#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "streaming/declare/stream.h"
#include "surfaces/docs/explain.h"
#include "surfaces/program/command_line.h"
#include "surfaces/program/commands.h"
#include "surfaces/settings/config_load.h"
#include "surfaces/settings/settings.h"
#include "surfaces/terminal/exit_code.h"
#include "surfaces/terminal/output.h"

static char *printed; // by print_as()
static char *extra;   // one more variable; NULL: none

/* What the program prints for this command line in a small environment. */
static const char *print_as(int count, char **words) {
    static char *small[6] = {"KAFKA_BOOTSTRAP_SERVERS=broker:9092", "KAFKA_SASL_PASSWORD=geheim",
                             "DATA_LAKE_PATH=/lake", "TRIGGER=5 seconds"};
    small[4] = extra;
    environ = small;
    struct config config;
    size_t size;
    assert_int_equal(command_line_load(&config, count, words, stderr), EXIT_CODE_OK);
    free(printed);
    FILE *out = open_memstream(&printed, &size);
    enum exit_code code = EXIT_CODE_UNEXPECTED;
    assert_true(commands_print(&config, out, stderr, &code));
    assert_int_equal(code, EXIT_CODE_OK);
    (void)fclose(out);
    config_deinit(&config);
    return printed;
}

#define PRINT(...)                                                                                 \
    print_as((int)(sizeof((char *[]){"esports-stream", __VA_ARGS__}) / sizeof(char *)),            \
             (char *[]){"esports-stream", __VA_ARGS__})

static char **first_environ;

static int setup(void **state) {
    (void)state;
    first_environ = environ;
    return 0;
}

static int teardown(void **state) {
    (void)state;
    environ = first_environ;
    free(printed);
    printed = NULL;
    extra = NULL;
    return 0;
}

static void explain_shows_settings_with_their_origin_and_no_secret(void **state) {
    (void)state;
    const char *text = PRINT("--explain", "--job", "matches", "--log-level", "DEBUG");
    assert_non_null(strstr(text, "TRIGGER                     5 seconds"));
    assert_non_null(strstr(text, "environment\n"));
    assert_non_null(strstr(text, "--log-level\n"));
    assert_non_null(strstr(text, "default\n"));
    assert_non_null(strstr(text, "sasl.password               ***"));
    assert_null(strstr(text, "geheim"));
}

static const struct json *setting_of(const struct json *object, const char *name) {
    const struct json *settings = json_member(object, "settings");
    for (size_t i = 0; i < json_count(settings); i++)
        if (strcmp(json_member_text(json_at(settings, i), "name"), name) == 0)
            return json_at(settings, i);
    fail_msg("no setting %s", name);
    return NULL;
}

static void explain_is_one_json_object_without_secrets(void **state) {
    (void)state;
    struct error err;
    int64_t number;
    const char *text = PRINT("--explain", "--json", "--job", "matches", "--log-level", "DEBUG");
    assert_null(strstr(text, "geheim"));
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    struct json *object = json_parse(text, strlen(text), &err);
    assert_non_null(object);
    assert_string_equal(json_member_text(object, "engine"), "native");
    assert_string_equal(json_member_text(object, "job"), "matches");
    assert_string_equal(json_member_text(setting_of(object, "TRIGGER"), "value"), "5 seconds");
    assert_string_equal(json_member_text(setting_of(object, "TRIGGER"), "origin"), "environment");
    assert_string_equal(json_member_text(setting_of(object, "LOG_LEVEL"), "origin"), "--log-level");
    const struct json *password = json_at(json_member(object, "kafkaProperties"), 0);
    assert_string_equal(json_member_text(password, "value"), "***");
    assert_int_equal(json_count(json_member(object, "queries")), 1);
    const struct json *query = json_at(json_member(object, "queries"), 0);
    assert_string_equal(json_member_text(json_member(query, "table"), "path"),
                        "/lake/processed/matches");
    assert_string_equal(json_text(json_at(json_member(query, "partitionBy"), 0)), "status");
    const struct json *column = json_at(json_member(query, "columns"), 0);
    assert_string_equal(json_member_text(column, "name"), "match_id");
    assert_true(json_count(json_member(query, "forecast")) > 1);
    assert_true(json_member_int(json_member(object, "memory"), "floorBytes", &number));
    json_free(object);
}

static void explain_shows_engine_plan_schema_paths_and_memory_floor(void **state) {
    (void)state;
    const char *text = PRINT("--explain", "--job", "matches", "--spark-master-url", "local[3]");
    static const char *const expected[] = {
        "Engine: native, this program's own, 3 workers",
        "Query match_stream: topic esports-matches -> table /lake/processed/matches",
        "/lake/rejected/matches",
        "/lake/checkpoints/match_stream",
        "partitioned   by status",
        "duration_minutes     INT                 CAST(match_duration / 60 AS INT)",
        "floor   64m = 64 MiB + 3 workers * 4 * ",
        "Nothing was started.",
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        if (strstr(text, expected[i]) == NULL)
            fail_msg("no '%s' in:\n%s", expected[i], text);
    assert_null(strstr(text, "player_stream:"));
}

static void explain_names_the_cluster_and_what_it_lacks(void **state) {
    (void)state;
    extra = "SPARK_CONF_spark_hadoop_fs_s3a_secret_key=geheim";
    const char *text = PRINT("--explain", "--spark-master-url", "spark://a:7077", "--spark-home",
                             "/no/such/spark");
    assert_non_null(strstr(text, "Engine: Spark, on a server started on spark://a:7077 with "
                                 "SPARK_HOME=/no/such/spark (of no known version)\n"));
    assert_non_null(strstr(text, "Warning: SPARK_HOME is '/no/such/spark': No such file"));
    assert_non_null(strstr(text, "spark.hadoop.fs.s3a.secret.key"));
    assert_non_null(strstr(text, "budget  256m (this process;"));
    assert_null(strstr(text, "geheim"));

    extra = "SPARK_MASTER_URL=sc://there:77/;use_ssl=true;token=geheim";
    text = PRINT("--explain");
    assert_non_null(strstr(text, "Engine: Spark, by the Spark Connect server at there:77 "
                                 "(SPARK_MASTER_URL=sc://there:77/;use_ssl=true;token=********)"));
    assert_null(strstr(text, "geheim"));

    extra = "SPARK_CONF_spark_jars=/a.jar";
    text = PRINT("--explain");
    assert_non_null(strstr(text, "Without an effect with this SPARK_MASTER_URL: "
                                 "SPARK_CONF_spark_jars\n"));
}

static void explain_forecasts_files_and_warns_of_small_ones(void **state) {
    (void)state;
    const char *text = PRINT("--explain", "--job", "matches", "--spark-master-url", "local[2]",
                             "--trigger", "10 seconds");
    assert_non_null(strstr(text, "forecast for 4 partition values (4 per column); the rate is "
                                 "unknown before the first batches"));
    assert_non_null(strstr(text,
                           "           1 000       34 560     184 kB    2851 MB  warning: many "
                           "small files; TRIGGER=\"15 minutes\" makes 768 of 8 MB\n"));
    text = PRINT("--explain", "--job", "matches", "--trigger", "15 minutes");
    assert_non_null(strstr(text, "           1 000          768       8 MB      63 MB\n"));
    assert_null(strstr(PRINT("--explain", "--trigger", "availableNow"), "files/day"));
    // The defaults are not blamed, and a date does not make a day's files smaller.
    text = PRINT("--explain", "--trigger", "1 minute");
    assert_non_null(strstr(text, "          100        5 760     114 kB     475 MB\n"));
    assert_null(strstr(text, "warning: many small files"));
    extra = "MATCHES_PARTITION_BY=ingest_date,status";
    text = PRINT("--explain", "--job", "matches", "--trigger", "1 minute");
    assert_non_null(strstr(text, "partitioned   by ingest_date/status\n"));
    assert_non_null(strstr(text, "          100        5 760     114 kB     475 MB\n"));
    assert_non_null(
        strstr(text, "    ingest_date          DATE                CAST(kafka_timestamp AS DATE)"));
    extra = "MATCHES_PARTITION_BY=status,data_source";
    text = PRINT("--explain", "--job", "matches", "--trigger", "1 minute");
    assert_non_null(strstr(text, "  warning: many small files; "));
}

static void assert_no_line_is_wider(const char *text, int columns) {
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
        char copy[512];
        snprintf(copy, sizeof copy, "%.*s", (int)strcspn(line, "\n"), line);
        if (text_columns(copy) > columns)
            fail_msg("wider than %d columns: %s", columns, copy);
    }
}

static void help_is_one_screen_with_every_command(void **state) {
    (void)state;
    const char *text = PRINT("--help");
    for (const struct command *at = program_commands; at->name != NULL; at++) {
        assert_non_null(strstr(text, at->name));
        assert_non_null(strstr(text, at->brief));
    }
    assert_no_line_is_wider(text, 80);
}

static void help_of_settings_and_exit_codes_names_every_one(void **state) {
    (void)state;
    const char *text = PRINT("help", "settings");
    size_t count;
    const struct setting *settings = settings_table(&count);
    for (size_t i = 0; i < count; i++) {
        const char *option = settings[i].option;
        assert_non_null(strstr(text, settings[i].name));
        assert_true(settings[i].secret == (strstr(text, option) == NULL));
    }
    assert_no_line_is_wider(text, PARAGRAPH_WIDTH);
    text = PRINT("help", "exit-codes");
    for (size_t i = 0; i < exit_code_count; i++)
        assert_non_null(strstr(text, exit_codes[i].name));
    assert_no_line_is_wider(text, PARAGRAPH_WIDTH);
}

static void version_is_one_line(void **state) {
    (void)state;
    assert_string_equal(PRINT("--version"), "esports-stream " PROGRAM_VERSION "\n");
}

static void every_kind_of_error_has_an_exit_code_that_is_documented(void **state) {
    (void)state;
    static const struct {
        enum error_kind kind;
        int code;
    } cases[] = {{ERROR_NONE, 0},   {ERROR_STOPPED, 0}, {ERROR_CONFIG, 2},    {ERROR_LOCKED, 3},
                 {ERROR_BROKER, 4}, {ERROR_STATE, 5},   {ERROR_DATA_LOSS, 6}, {ERROR_RETRY, 7},
                 {ERROR_RECORD, 8}, {ERROR_CLUSTER, 9}, {ERROR_LIMIT, 12},    {ERROR_RESTART, 7}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(exit_code_of(cases[i].kind), cases[i].code);
        bool documented = false;
        for (size_t j = 0; j < exit_code_count; j++)
            documented = documented || (int)exit_codes[j].code == cases[i].code;
        assert_true(documented);
    }
}

int main(void) {
    streams_load();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(explain_shows_settings_with_their_origin_and_no_secret,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(explain_is_one_json_object_without_secrets, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(explain_shows_engine_plan_schema_paths_and_memory_floor,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(explain_names_the_cluster_and_what_it_lacks, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(explain_forecasts_files_and_warns_of_small_ones, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(help_is_one_screen_with_every_command, setup, teardown),
        cmocka_unit_test_setup_teardown(help_of_settings_and_exit_codes_names_every_one, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(version_is_one_line, setup, teardown),
        cmocka_unit_test(every_kind_of_error_has_an_exit_code_that_is_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
