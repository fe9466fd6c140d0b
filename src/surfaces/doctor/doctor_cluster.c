#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/scope.h"
#include "streaming/cluster/connect/connect.h"
#include "streaming/cluster/spark/spark_distribution.h"
#include "surfaces/doctor/doctor.h"
#include "surfaces/doctor/reach.h"

/* Whether somebody listens at an address that the work will come from or go to. */
static bool check_address(char *what, const char *host, const char *port, const char *cure,
                          struct findings *findings) {
    char reason[REACH_REASON_MAX];
    enum reach reach = reach_try(host, port, reason);
    switch (reach) {
    case REACH_OK:
        findings_ok(findings, what, findings_text("takes connections"));
        break;
    case REACH_NO_NAME:
        findings_fail(findings, EXIT_CODE_CLUSTER, what,
                      findings_text("the name '%s': %s", host, reason),
                      findings_text("correct SPARK_MASTER_URL, or the name service (in a "
                                    "container: its network)"));
        break;
    case REACH_NO_ANSWER:
        findings_fail(findings, EXIT_CODE_CLUSTER, what, findings_text("connect: %s", reason),
                      findings_text("%s", cure));
        break;
    case REACH_LIMIT:
        findings_limit(findings, what, findings_text("connect: %s", reason));
        break;
    }
    return reach == REACH_OK;
}

static void check_distribution(const struct config *config, struct findings *findings) {
    struct error err;
    struct spark_distribution found;
    struct spark_server_options options = config_spark_server_options(config);
    char *what = findings_text("Spark");
    if (spark_distribution_check(&options, &found, &err))
        findings_ok(findings, what,
                    findings_text("version %s in %s, with Spark Connect and the Kafka connector",
                                  found.version, config->spark_home));
    else // the message has its cure in it
        findings_fail_error(findings, EXIT_CODE_CLUSTER, what, &err, NULL);
}

/* Each master of spark://HOST:PORT,HOST:PORT. */
static void check_masters(const struct config *config, struct findings *findings) {
    scoped(scope_free) char *list = strdup(config->master + strlen("spark://"));
    check(list != NULL);
    for (char *rest = list, *master; (master = strsep(&rest, ",")) != NULL;) {
        char *what = findings_text("master %s", master);
        char *colon = strrchr(master, ':'); // there is one: the setting was checked
        *colon = '\0';
        if (*master == '[')
            master[strcspn(master, "]")] = '\0';
        (void)check_address(
            what, *master == '[' ? master + 1 : master, colon + 1,
            "see whether the master runs and listens there (its page shows its URL), "
            "and whether a firewall or network policy lets us through",
            findings);
    }
}

/* Whether what listens is a Spark 4 that lets us in. */
static void check_session(const struct connect_url *url, struct findings *findings) {
    struct error err;
    struct connect_session *session;
    struct connect_options options = {
        .url = url, .logger = "doctor", .timeout_ms = DOCTOR_BROKER_MS};
    char *what = findings_text("Spark Connect session");
    if (!connect_open(&options, &session, &err)) { // the message has its cure in it
        findings_fail_error(findings, EXIT_CODE_CLUSTER, what, &err, NULL);
        return;
    }
    const char *version = connect_spark_version(session);
    if (strncmp(version, "4.", 2) == 0)
        findings_ok(findings, what, findings_text("Spark %s lets us in", version));
    else
        findings_fail(findings, EXIT_CODE_CLUSTER, what, findings_text("is Spark %s", version),
                      findings_text("use a server of Spark 4"));
    connect_close(session);
}

static void check_server(const struct config *config, struct findings *findings) {
    struct error err;
    struct connect_url url;
    char port[8];
    bool ok = connect_url_parse(config->master, &url, &err);
    check(ok); // the setting was checked
    (void)snprintf(port, sizeof port, "%d", url.port);
    if (check_address(findings_text("Spark Connect server %s:%d", url.host, url.port), url.host,
                      port,
                      "see whether the server runs and listens there, and whether a firewall or "
                      "network policy lets us through",
                      findings))
        check_session(&url, findings);
    connect_url_deinit(&url);
}

void doctor_check_cluster(const struct config *config, struct findings *findings) {
    if (config->master_kind == MASTER_SERVER)
        check_distribution(config, findings);
    if (config->master_kind == MASTER_SERVER && strncmp(config->master, "spark://", 8) == 0)
        check_masters(config, findings);
    if (config->master_kind == MASTER_CONNECT)
        check_server(config, findings);
}
