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
    "*Printed by `esports-stream docs configuration` from the program's own tables; a test keeps "
    "it true.*\n"
    "\n"
    "Every setting is an environment variable and an option: `TRIGGER` is `--trigger`. Where it "
    "is given more than once, the\n"
    "option wins over the environment, the environment over `--env-file`, that over the default. "
    "An empty variable counts as not\n"
    "set (Docker Compose passes empty ones; the PySpark job took them for values); an empty "
    "option is a value, and refused\n"
    "unless the default is empty, too. `esports-stream --explain` shows what is in effect and "
    "where each value comes from; it starts nothing.\n"
    "All problems are reported at once, one per line, before anything is started; the exit code is "
    "then 2.\n";

static const char forms[] =
    "\n"
    "## How values are written\n"
    "\n"
    "| value | forms |\n"
    "|---|---|\n"
    "| DURATION | A number and its unit, as Spark's triggers take them, `10 seconds`, `1 minute "
    "30 seconds`, `500 milliseconds`, or short, `10s`, `500ms`, `5m`, `2h`. A number without a "
    "unit is refused. |\n"
    "| SIZE | A whole number and its unit: `512m`, `2g`, `2 GB`; k, m, g, t, p are 1024 times "
    "the one before. A number without a unit is refused, because Spark and the JVM read it "
    "differently. |\n"
    "| DIRECTORY | A path on a local file system or a `file:///` URI; a relative path begins at "
    "the current directory. `s3a://`, `hdfs://` and others are refused. |\n"
    "| COLUMN,… | Names separated by commas; every one a string column of the table "
    "([schema.md](schema.md)). |\n"
    "| words | In any case: `JSON` is `json`. Booleans may also be `yes`, `no`, `1`, `0`. |\n"
    "\n"
    "An `--env-file` has lines of `NAME=value`, with or without `export`, empty lines and "
    "comments (`#`). A value can be in\n"
    "single quotes (taken as it is) or double quotes (`\\n"
    "`, `\\t`, `\\\"`, `\\\\`, `\\$` mean what they say); nothing is expanded. Unix and\n"
    "Windows line ends are both fine.\n";

static const char properties[] =
    "\n"
    "## Properties for librdkafka\n"
    "\n"
    "| variable | property |\n"
    "|---|---|\n"
    "| `KAFKA_CONF_<NAME>` | any, dots as underscores: `KAFKA_CONF_CLIENT_ID` is `client.id` |\n"
    "| `KAFKA_SECURITY_PROTOCOL` | `security.protocol` |\n"
    "| `KAFKA_SASL_*` | `sasl.*`: `KAFKA_SASL_MECHANISM`, `KAFKA_SASL_USERNAME`, "
    "`KAFKA_SASL_PASSWORD`, … |\n"
    "| `KAFKA_SSL_*` | `ssl.*`: `KAFKA_SSL_CA_LOCATION`, `KAFKA_SSL_CERTIFICATE_LOCATION`, … |\n"
    "\n"
    "They come from the environment or `--env-file`, not from options: a command line can be "
    "read by everybody on the machine.\n"
    "Passwords, tokens and keys are never printed. Properties that the engine relies on "
    "(`enable.auto.commit`, `auto.offset.reset`,\n"
    "`queued.max.messages.kbytes` and their kin) and those that only Java's client has "
    "(`ssl.truststore.location`, `sasl.jaas.config`)\n"
    "are refused with what to set instead. Other `KAFKA_*` variables, of which Kubernetes and "
    "images set many, are named once in the log\n"
    "and ignored.\n"
    "\n"
    "On a cluster they are handed on to Spark in the words of Java's client: PEM files as their "
    "text, a user and a password as\n"
    "`sasl.jaas.config`. What only librdkafka has is left out, as `--explain` shows; what would "
    "weaken a log-in or a check by being left\n"
    "out (`enable.ssl.certificate.verification=false`, cipher suites, OAUTHBEARER) is refused.\n"
    "\n"
    "## Properties for Spark\n"
    "\n"
    "| variable | property |\n"
    "|---|---|\n"
    "| `SPARK_CONF_spark_<name>` | any, dots as underscores, case kept: "
    "`SPARK_CONF_spark_driver_extraClassPath` is `spark.driver.extraClassPath`; two underscores "
    "are one |\n"
    "\n"
    "They have an effect on a cluster only, on one of `sc://` only those that begin with "
    "`spark.sql.`; others are named once in the log and\n"
    "ignored. They win over `spark-defaults.conf`. Secret ones (by their names, as Spark knows "
    "them) are never printed, and are not on a command\n"
    "line. Properties that have a setting of their own, and those by which the program drives "
    "its server (`spark.connect.grpc.binding.*`,\n"
    "`spark.submit.deployMode`, `spark.log.level`), are refused.\n"
    "\n"
    "## The demo\n"
    "\n"
    "`--demo` brings its own Kafka and writes below a new directory in `TMPDIR` (or `/tmp`), "
    "which it names. So that it can touch\n"
    "nothing that is in use, it takes the settings marked † from options only, and warns when "
    "the environment has one of them.\n";

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
    (void)fprintf(out, "\nCalled as `match_stream` or `player_stream`, the program runs that query "
                       "alone and awaits its end.\n"
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
