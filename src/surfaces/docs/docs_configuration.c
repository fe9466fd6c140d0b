/* What holds for all settings is text here, with links for the web; what holds for one setting
 * is in its row of the table, so that this document, --help and the man page can't differ in
 * it. */
#include <string.h>

#include "surfaces/docs/docs.h"
#include "surfaces/settings/options.h"
#include "surfaces/settings/settings.h"
#include "surfaces/terminal/exit_code.h"
#include "surfaces/terminal/output.h"

static const char intro[] =
    "# Configuration\n"
    "\n"
    "*Printed by `esports-stream docs configuration` from the program's own tables; a test "
    "compares them.*\n"
    "\n"
    "Every setting is an environment variable and, except for secrets, an option: `TRIGGER` is "
    "`--trigger`. If a setting is given more than once, an\n"
    "option overrides the environment, the environment overrides `--env-file`, and `--env-file` "
    "overrides the default. An empty\n"
    "variable counts as not set, because Docker Compose passes empty variables. (The PySpark job "
    "used them as values.) An empty\n"
    "option is a value; it is refused unless the default is empty, too. A property in a query file "
    "is "
    "in place of a setting for its table\n"
    "([queries.md](queries.md#properties)). `esports-stream --explain` shows the settings in "
    "effect\n"
    "and where each value comes from; it starts nothing. All problems are reported at once, one "
    "per line, before anything is\n"
    "started. The exit code is then 2.\n";

static const char forms[] =
    "\n"
    "## How values are written\n"
    "\n"
    "| value | forms |\n"
    "|---|---|\n"
    "| DURATION | A number and its unit, as in Spark's triggers (`10 seconds`, `1 minute 30 "
    "seconds`, `500 milliseconds`) or short (`10s`, `500ms`, `5m`, `2h`). A number without a unit "
    "is refused. |\n"
    "| SIZE | A whole number and its unit: `512m`, `2g`, `2 GB`. The units k, m, g, t and p are "
    "powers of 1024. A number without a unit is refused, because Spark and the JVM read it "
    "differently. |\n"
    "| DIRECTORY | A path on a local file system or a `file:///` URI; a relative path begins at "
    "the current directory. `s3a://`, `hdfs://` and others are refused. |\n"
    "| COLUMN,… | Names of columns of the table ([schema.md](schema.md)), separated by commas. |\n"
    "| words | In any case: `JSON` is `json`. Booleans may also be `yes`, `no`, `1`, `0`. |\n"
    "\n"
    "An `--env-file` has lines of `NAME=value`, with or without `export`, empty lines and comments "
    "(`#`). A value can be in single\n"
    "quotes (no escapes) or double quotes (with the escapes `\\n`, `\\t`, `\\\"`, `\\\\`, `\\$`). "
    "Variables are not expanded. Unix and\n"
    "Windows line ends are both accepted.\n";

static const char properties[] =
    "\n"
    "## Properties for librdkafka\n"
    "\n"
    "| variable | property |\n"
    "|---|---|\n"
    "| `KAFKA_CONF_<NAME>` | any property, with underscores for dots: `KAFKA_CONF_CLIENT_ID` is "
    "`client.id` |\n"
    "| `KAFKA_SECURITY_PROTOCOL` | `security.protocol` |\n"
    "| `KAFKA_SASL_*` | `sasl.*`: `KAFKA_SASL_MECHANISM`, `KAFKA_SASL_USERNAME`, "
    "`KAFKA_SASL_PASSWORD`, … |\n"
    "| `KAFKA_SSL_*` | `ssl.*`: `KAFKA_SSL_CA_LOCATION`, `KAFKA_SSL_CERTIFICATE_LOCATION`, … |\n"
    "\n"
    "Set them in the environment or in an `--env-file`. They are not accepted as options, because "
    "every user of the machine can\n"
    "read a command line. What works depends on the installed librdkafka: Debian 12's (2.0.2) has "
    "no OAUTHBEARER with OIDC and no\n"
    "SCRAM for Kafka 4 ([operations.md](operations.md#secure)).\n"
    "\n"
    "Passwords, tokens and keys are never printed. Two kinds of properties are refused, and the "
    "error says what to set instead:\n"
    "those that the engine sets itself (such as `enable.auto.commit`, `auto.offset.reset` and "
    "`queued.max.messages.kbytes`), and\n"
    "those that only the Java client has (`ssl.truststore.location`, `sasl.jaas.config`). Other "
    "`KAFKA_*` variables are logged\n"
    "once and ignored, because Kubernetes and container images set many of them.\n"
    "\n"
    "On a cluster, the program passes these properties to Spark under their names in the Java "
    "client: PEM files as text, user and\n"
    "password as `sasl.jaas.config`. Properties that only librdkafka has are left out, and "
    "`--explain` shows which. A property that\n"
    "affects security is refused instead of left out, for example "
    "`enable.ssl.certificate.verification=false` or cipher suites.\n"
    "OAUTHBEARER is only possible without a cluster.\n"
    "\n"
    "## Properties for Spark\n"
    "\n"
    "| variable | property |\n"
    "|---|---|\n"
    "| `SPARK_CONF_spark_<name>` | any property, with underscores for dots, in the same case: "
    "`SPARK_CONF_spark_driver_extraClassPath` is `spark.driver.extraClassPath`; two underscores "
    "mean one |\n"
    "\n"
    "They have an effect on a cluster only, and with `sc://` only if they begin with `spark.sql.`. "
    "The others are logged\n"
    "once and ignored. These properties override `spark-defaults.conf`. Properties with secrets "
    "(recognised by their names, as in\n"
    "Spark) are never printed, and never passed on a command line. Three kinds of properties are "
    "refused: those that have a setting\n"
    "of their own; those that the program needs to control its Spark server "
    "(`spark.connect.grpc.binding.*`,\n"
    "`spark.submit.deployMode`, `spark.log.level`); and those that it sets in each session, so "
    "that rows and files are the same\n"
    "as without a cluster (such as `spark.sql.ansi.enabled`, `spark.sql.caseSensitive`, "
    "`spark.sql.legacy.timeParserPolicy`).\n"
    "\n"
    "## The demo\n"
    "\n"
    "`--demo` brings its own Kafka, writes to a new directory in `TMPDIR` (or `/tmp`), and prints "
    "its path. It takes the settings\n"
    "marked † from options only, and logs a warning if the environment has one of them. So it "
    "cannot touch existing data.\n";

static void print_options(FILE *out) {
    (void)fprintf(out, "\n## Options without a variable\n\n| option | meaning |\n|---|---|\n");
    for (enum option_id id = 0; id < OPTION_COUNT; id++) {
        const struct option_entry *entry = &option_entries[id];
        if (entry->use == OPTION_WITH_COMMANDS)
            continue; // docs/commands.md
        char placeholder[OPTION_TEXT_MAX];
        option_placeholder(entry, placeholder);
        (void)fprintf(out, "| `%s%s", entry->name, *placeholder != '\0' ? " " : "");
        markdown_cell(out, placeholder);
        (void)fprintf(out, "` | ");
        markdown_cell(out, entry->doc);
        (void)fprintf(out, " |\n");
    }
    (void)fprintf(out,
                  "\nIf the program is called by the name of a query, such as `match_stream` or "
                  "`player_stream`, it runs that query alone, as with `--await-termination`.\n"
                  "Commands and their options are in [commands.md](commands.md).\n");
}

static void print_setting(FILE *out, const struct setting *setting) {
    (void)fprintf(out, "| `%s`%s | ", setting->name, setting->location ? " †" : "");
    if (setting->fallback != NULL && *setting->fallback == '\0')
        (void)fprintf(out, "none");
    else if (setting->fallback == NULL)
        (void)fprintf(out, "required");
    else
        (void)fprintf(out, "`%s`", setting->fallback);
    (void)fprintf(out, " | `");
    markdown_cell(out, setting->values);
    (void)fprintf(out, "` | ");
    markdown_cell(out, setting->doc);
    (void)fprintf(out, " |\n");
}

static void print_settings(FILE *out) {
    size_t count;
    const struct setting *settings = settings_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || strcmp(settings[i].group, settings[i - 1].group) != 0)
            (void)fprintf(out,
                          "\n## %s\n\n| setting | default | value | meaning |\n|---|---|---|---|\n",
                          settings[i].group);
        print_setting(out, &settings[i]);
    }
}

static void print_exit_codes(FILE *out) {
    (void)fprintf(out, "\n## Exit codes\n\n| code | what happened | meaning | what to do |\n"
                       "|---|---|---|---|\n");
    for (size_t i = 0; i < exit_code_count; i++) {
        const struct exit_code_entry *entry = &exit_codes[i];
        (void)fprintf(out, "| %d%s | %s | %s | %s |\n", (int)entry->code,
                      entry->code == EXIT_CODE_SIGNAL ? " + n" : "", entry->name, entry->meaning,
                      entry->cure);
    }
}

void docs_print_configuration(FILE *out) {
    (void)fputs(intro, out);
    print_options(out);
    print_settings(out);
    (void)fputs(forms, out);
    (void)fputs(properties, out);
    print_exit_codes(out);
}
