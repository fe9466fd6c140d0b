#include <string.h>

#include "surfaces/docs/docs.h"
#include "surfaces/metrics/metrics.h"

static const char intro[] =
    "# Metrics\n"
    "\n"
    "*Printed by `esports-stream docs metrics` from the program's own table; a test keeps it "
    "true.*\n"
    "\n"
    "`/metrics` on `SPARK_UI_PORT` answers in Prometheus' text format (0.0.4). "
    "`deploy/prometheus/prometheus.yml` scrapes it,\n"
    "`deploy/prometheus/alerts.yml` has alerts on it ([alerts.md](alerts.md) says what to do), and "
    "`deploy/grafana/` a dashboard. With `UI_TOKEN`\n"
    "set, Prometheus sends it as `authorization: credentials`.\n"
    "\n"
    "Names and labels follow Prometheus' conventions: base units, `_total` for what only grows, "
    "and labels whose values are few and\n"
    "known. What only grows begins at 0 with the program; `rate()` and `increase()` see through "
    "that. A batch counts when it is\n"
    "committed, so that the sums are exact: after `availableNow`, rows and rejects are what the "
    "table and its rejects got.\n"
    "\n"
    "`query` is `match_stream` or `player_stream`; `worker` is a thread's number from 0, each with "
    "a connection to Kafka of its own.\n";

void docs_print_metrics(FILE *out) {
    (void)fputs(intro, out);
    for (size_t i = 0; i < metric_family_count; i++) {
        const struct metric_family *family = &metric_families[i];
        if (i == 0 || strcmp(family->group, metric_families[i - 1].group) != 0)
            (void)fprintf(out,
                          "\n## %s\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n",
                          family->group);
        (void)fprintf(out, "| `%s` | %s | %s%s%s | %s |\n", family->name,
                      metric_type_name(family->type), *family->labels != '\0' ? "`" : "",
                      family->labels, *family->labels != '\0' ? "`" : "", family->help);
    }
}
