#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/scope.h"
#include "base/text.h"
#include "streaming/cluster/connect/connect.h"
#include "streaming/cluster/spark/spark_distribution.h"
#include "surfaces/doctor/doctor_checks.h"

static void check_distribution(const struct config *config, struct doctor_report *report) {
    struct error err;
    struct spark_distribution found;
    struct spark_server_options options = config_spark_server_options(config);
    if (spark_distribution_check(&options, &found, &err))
        doctor_ok(report, "Spark", NULL,
                  "version %s in %s, with Spark Connect and the Kafka connector", found.version,
                  config->spark_home);
    else // the message has its cure in it
        doctor_fail_error(report, EXIT_CODE_CLUSTER, "Spark", NULL, NULL, &err);
}

/* Each master of spark://HOST:PORT,HOST:PORT. */
static void check_masters(const struct config *config, struct doctor_report *report) {
    scoped(scope_free) char *list = text_copy(config->master + strlen("spark://"));
    for (char *rest = list, *master; (master = strsep(&rest, ",")) != NULL;) {
        scoped(scope_free) char *name = text_copy(master);
        char *colon = strrchr(master, ':'); // there is one: the setting was checked
        *colon = '\0';
        if (*master == '[')
            master[strcspn(master, "]")] = '\0';
        const struct doctor_address address = {
            .what = "master",
            .name = name,
            .host = *master == '[' ? master + 1 : master,
            .port = colon + 1,
            .setting = "SPARK_MASTER_URL",
            .look_at = "the master runs and listens there (its page shows its URL)",
            .code = EXIT_CODE_CLUSTER,
        };
        (void)doctor_try_address(&address, report);
    }
}

/* Whether what listens is a Spark 4 that lets us in. */
static void check_session(const struct connect_url *url, struct doctor_report *report) {
    struct error err;
    struct connect_session *session;
    struct connect_options options = {
        .url = url, .logger = "doctor", .timeout_ms = DOCTOR_BROKER_MS};
    if (!connect_open(&options, &session, &err)) { // the message has its cure in it
        doctor_fail_error(report, EXIT_CODE_CLUSTER, "Spark Connect session", NULL, NULL, &err);
        return;
    }
    const char *version = connect_spark_version(session);
    if (strncmp(version, "4.", 2) == 0)
        doctor_ok(report, "Spark Connect session", NULL, "Spark %s lets us in", version);
    else
        doctor_fail(report, EXIT_CODE_CLUSTER, "Spark Connect session", NULL,
                    "use a server of Spark 4", "is Spark %s", version);
    connect_close(session);
}

static void check_server(const struct config *config, struct doctor_report *report) {
    struct error err;
    struct connect_url url;
    char port[8];
    bool ok = connect_url_parse(config->master, &url, &err);
    check(ok); // the setting was checked
    (void)snprintf(port, sizeof port, "%d", url.port);
    scoped(scope_free) char *name = text_format("%s:%d", url.host, url.port);
    const struct doctor_address address = {
        .what = "Spark Connect server",
        .name = name,
        .host = url.host,
        .port = port,
        .setting = "SPARK_MASTER_URL",
        .look_at = "the server runs and listens there",
        .code = EXIT_CODE_CLUSTER,
    };
    if (doctor_try_address(&address, report))
        check_session(&url, report);
    connect_url_deinit(&url);
}

void doctor_check_cluster(const struct config *config, struct doctor_report *report) {
    if (config->master_kind == MASTER_SERVER)
        check_distribution(config, report);
    if (config->master_kind == MASTER_SERVER && strncmp(config->master, "spark://", 8) == 0)
        check_masters(config, report);
    if (config->master_kind == MASTER_CONNECT)
        check_server(config, report);
}
