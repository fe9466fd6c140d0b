#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/disk/disk.h"
#include "core/reject.h"
#include "pipeline/derive.h"
#include "pipeline/json/decode_json.h"
#include "pipeline/sink/reject_table.h"
#include "pipeline/sink/sink_parquet.h"
#include "streaming/declare/stream.h"
#include "surfaces/demo/demo_report.h"
#include "surfaces/program/command_line.h"
#include "surfaces/settings/config_load.h"
#include "surfaces/terminal/output.h"

static char root[64];
static char *printed;
static struct config config;
static char **first_environ;

static void make_directory(const char *name) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    assert_int_equal(mkdir(path, 0755), 0);
}

/* Moves what a sink staged to where a commit would put it. */
static void publish(const struct file_list *files, const char *table) {
    for (size_t i = 0; i < files->count; i++) {
        char from[512], to[512];
        snprintf(from, sizeof from, "%s/staging/%s", root, files->files[i].staged);
        snprintf(to, sizeof to, "%s/%s/%s", root, table, files->files[i].path);
        char *slash = strrchr(to, '/');
        *slash = '\0';
        (void)mkdir(to, 0755); // it may be there
        *slash = '/';
        assert_int_equal(rename(from, to), 0);
    }
}

static void write_matches(const struct sink_options *options, const char *const *values) {
    struct error err;
    struct decoder *decoder;
    struct rows rows;
    struct reject reject;
    struct file_list files = {0}, rejected = {0};
    struct sink *sink = sink_create(options);
    struct reject_sink *reject_sink = reject_sink_create("esports-matches", 0, options);
    assert_true(
        decode_json_open(&decoder, stream_of("matches")->record, PARSE_REJECT, "UTC", &err));
    rows_init(&rows, options->schema, ROWS_CAPACITY, 1 << 16);
    for (int64_t i = 0; values[i] != NULL; i++) {
        struct record record = {.offset = i, .value = values[i], .value_size = strlen(values[i])};
        if (decode_record(decoder, &record, &rows, &reject) == DECODE_REJECT) {
            assert_true(reject_sink_append(reject_sink, &record, &reject, &err));
            continue;
        }
        rows.columns[options->schema->offset].valid[rows.count] = 1;
        rows.columns[options->schema->offset].int64s[rows.count] = i;
        rows.columns[options->schema->partition].valid[rows.count] = 0;
        rows.columns[options->schema->kafka_timestamp].valid[rows.count] = 0;
        rows.columns[options->schema->processing_timestamp].valid[rows.count] = 1;
        rows.columns[options->schema->processing_timestamp].int64s[rows.count] = 0;
        rows.count++;
    }
    struct derive derive;
    derive_init_all(&derive, &stream_of("matches")->plan, &rows, zone_utc);
    assert_true(derive_rows(&derive, 0, rows.count, &rows.strings));
    derive_deinit(&derive);
    assert_true(sink_append(sink, &rows, &err) && sink_finish(sink, &files, &err));
    assert_true(reject_sink_finish(reject_sink, &rejected, &err));
    publish(&files, "processed/matches");
    publish(&rejected, "rejected/matches");
    file_list_deinit(&files);
    file_list_deinit(&rejected);
    rows_deinit(&rows);
    decoder_close(decoder);
    reject_sink_destroy(reject_sink);
    sink_destroy(sink);
}

static int setup(void **state) {
    (void)state;
    first_environ = environ;
    strcpy(root, "/tmp/test_demo_report.XXXXXX");
    assert_non_null(mkdtemp(root));
    char *words[] = {"esports-stream", "--demo", "--data-lake-path", root, "--job", "matches"};
    static char *nothing[] = {NULL};
    environ = nothing;
    assert_int_equal(command_line_load(&config, 6, words, stderr), EXIT_CODE_OK);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    environ = first_environ;
    config_deinit(&config);
    free(printed);
    printed = NULL;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", root);
    return system(command); // NOLINT: our own temporary directory
}

static bool report(struct error *err) {
    size_t size;
    FILE *out = open_memstream(&printed, &size);
    bool ok = demo_report_print(out, &config, err);
    (void)fclose(out);
    return ok;
}

static void expect(const char *text) {
    if (strstr(printed, text) == NULL)
        fail_msg("no '%s' in:\n%s", text, printed);
}

/* The tables of the report fit a terminal of 80 columns; commands are as long as their paths. */
static void assert_tables_fit(void) {
    for (const char *line = printed; *line != '\0'; line += strcspn(line, "\n") + 1) {
        char text[512];
        (void)snprintf(text, sizeof text, "%.*s", (int)strcspn(line, "\n"), line);
        bool command = strstr(text, root) != NULL || strstr(text, "test_demo_report") != NULL;
        if (!command && text_columns(text) > 80)
            fail_msg("wider than 80 columns: %s", text);
    }
}

static void a_report_has_counts_rows_rejects_and_how_to_read_them(void **state) {
    (void)state;
    static const char *const directories[] = {"staging", "processed", "processed/matches",
                                              "rejected", "rejected/matches"};
    for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++)
        make_directory(directories[i]);
    struct schema schema;
    stream_schema(stream_of("matches"), &schema);
    size_t status = (size_t)schema_find(&schema, TEXT("status"));
    char staging[128];
    snprintf(staging, sizeof staging, "%s/staging", root);
    struct sink_options options = {.staging_directory = staging,
                                   .schema = &schema,
                                   .partition_columns = &status,
                                   .partition_column_count = 1,
                                   .parquet = {.codec = CODEC_SNAPPY, .delta = true},
                                   .memory_max = 1 << 20};
    write_matches(&options,
                  (const char *const[]){
                      "{\"match_id\": \"M1\", \"status\": \"live\", \"match_duration\": 125}",
                      "{\"match_id\": \"M2\", \"status\": \"finished\"}",
                      "{\"match_id\": \"M3\", \"status\": \"live\"}", "no JSON\x07 at all",
                      "{\"match_id\": ", NULL});

    struct error err = {0};
    assert_true(report(&err));
    expect("matches: 3 rows in 2 files");
    expect("  status=finished     1      1\n");
    expect("  status=live         2      1\n");
    expect("M1");
    expect("rejected matches: 2 rows in 1 file");
    expect("  malformed_json        2  no JSON\\x07 at all\n");
    expect("spark.read.parquet(");
    assert_tables_fit();
    expect("read_parquet('");
    expect("pandas.read_parquet(");
    expect(" tail --job matches\n");
    expect(" rejects show 0:13 --job matches\n");
    expect(" --demo --live --job matches\n");
    expect(root);
}

static void a_report_of_nothing_says_so(void **state) {
    (void)state;
    struct error err = {0};
    assert_true(report(&err));
    expect("matches: none\n");
    expect("rejected matches: none\n");
}

static void a_file_that_is_not_parquet_is_named(void **state) {
    (void)state;
    make_directory("processed");
    make_directory("processed/matches");
    make_directory("processed/matches/status=live");
    char path[128];
    snprintf(path, sizeof path, "%s/processed/matches/status=live/part-0.parquet", root);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs("hello", file);
    (void)fclose(file);
    struct error err = {0};
    assert_false(report(&err));
    assert_int_equal(err.kind, ERROR_STATE);
    assert_non_null(strstr(err.message, "part-0.parquet"));
}

/* Lists a directory in which each name vanishes as soon as it is listed, files and directories
 * alike. */
struct vanishing {
    const char *directory;
    bool (*visit)(void *context, const char *name);
    void *context;
};

static bool remove_and_visit(void *context, const char *name) {
    const struct vanishing *vanishing = context;
    char path[512];
    snprintf(path, sizeof path, "%s/%s", vanishing->directory, name);
    (void)remove(path);
    return vanishing->visit(vanishing->context, name);
}

static int list_and_remove(const char *path, bool (*visit)(void *context, const char *name),
                           void *context) {
    struct vanishing vanishing = {path, visit, context};
    return disk_real.list(path, remove_and_visit, &vanishing);
}

static void what_goes_while_it_is_listed_is_not_in_the_report(void **state) {
    (void)state;
    static const char *const directories[] = {"processed", "processed/matches",
                                              "processed/matches/status=live",
                                              "processed/matches/status=finished"};
    for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++)
        make_directory(directories[i]);
    char path[128];
    snprintf(path, sizeof path, "%s/processed/matches/status=live/part-0.parquet", root);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs("PAR1", file);
    (void)fclose(file);
    struct disk_ops ops = disk_real;
    struct error err = {0};
    ops.list = list_and_remove;
    disk = &ops;
    bool ok = report(&err);
    disk = &disk_real;
    if (!ok)
        fail_msg("%s", err.message);
    expect("matches: none\n");
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    streams_load();
    const struct CMUnitTest tests[] = {
        FACT(a_report_has_counts_rows_rejects_and_how_to_read_them),
        FACT(a_report_of_nothing_says_so),
        FACT(a_file_that_is_not_parquet_is_named),
        FACT(what_goes_while_it_is_listed_is_not_in_the_report),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
