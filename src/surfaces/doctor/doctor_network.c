/* Who can be reached: brokers, and Spark's master or server. Each is tried by a connection of its
 * own, which is closed at once. This distinguishes a wrong name, a port without a listener, and a
 * limit of this machine, where a client library only says that it failed. One broker is enough:
 * once one answers, others that do not are warnings. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/check.h"
#include "base/limit.h"
#include "base/scope.h"
#include "base/system/clock.h"
#include "base/text.h"
#include "streaming/cluster/connect/connect.h"
#include "streaming/cluster/spark/spark_distribution.h"
#include "surfaces/doctor/doctor_checks.h"

/* ---- one address ---- */

enum { CONNECT_MS = 3000, REASON_MAX = 640 };

/* An address that the work will come from or go to. */
struct address {
    const char *what, *name; // of the result
    const char *host, *port;
    const char *setting; // that names it
    const char *look_at; // "the broker is running and listening there", of what to do
    enum exit_code code;
    bool is_timed; // whether to report how long it took
};

enum reach {
    REACH_OK,
    REACH_NO_NAME,   // the name service does not know the host
    REACH_NO_ANSWER, // nothing takes the connection
    REACH_LIMIT,     // a limit of this machine, which the reason names
};

/* 0, or what keeps us from connecting, as an errno. */
static int connect_to(const struct addrinfo *address) {
    scoped(scope_close) int fd =
        socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return errno;
    if (connect(fd, address->ai_addr, address->ai_addrlen) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return errno;
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    int reason = 0;
    socklen_t size = sizeof reason;
    if (poll(&ready, 1, CONNECT_MS) != 1)
        return ETIMEDOUT;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &reason, &size) == 0 ? reason : errno;
}

static enum reach reach_limit(int error_number, char reason[static REASON_MAX]) {
    char limit[LIMIT_TEXT_MAX];
    limit_describe(error_number, limit);
    (void)snprintf(reason, REASON_MAX, "%s: %s", strerror(error_number), limit);
    return REACH_LIMIT;
}

/* Tries each address of the host, CONNECT_MS for each, and hangs up at once. `reason` says why not.
 */
static enum reach reach_host(const char *host, const char *port, char reason[static REASON_MAX]) {
    struct addrinfo *addresses = NULL;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    int code = getaddrinfo(host, port, &hints, &addresses);
    if (code != 0) {
        int error_number = errno;
        if (code == EAI_SYSTEM && limit_is_behind(error_number))
            return reach_limit(error_number, reason);
        (void)snprintf(reason, REASON_MAX, "%s", gai_strerror(code));
        return REACH_NO_NAME;
    }
    int failure = 0;
    for (const struct addrinfo *at = addresses; at != NULL; at = at->ai_next)
        if ((failure = connect_to(at)) == 0)
            break;
    freeaddrinfo(addresses);
    if (limit_is_behind(failure))
        return reach_limit(failure, reason);
    (void)snprintf(reason, REASON_MAX, "%s", failure != 0 ? strerror(failure) : "");
    return failure == 0 ? REACH_OK : REACH_NO_ANSWER;
}

static bool try_address(const struct address *address, struct doctor_report *report) {
    char reason[REASON_MAX], took[48] = "", cure[256];
    const char *what = address->what, *name = address->name;
    int64_t began_us = clock_monotonic_us();
    enum reach reach = reach_host(address->host, address->port, reason);
    if (address->is_timed)
        (void)snprintf(took, sizeof took, ", after %.1f ms",
                       (double)(clock_monotonic_us() - began_us) / 1000);
    switch (reach) {
    case REACH_OK:
        doctor_ok(report, what, name, "accepts connections%s", took);
        break;
    case REACH_NO_NAME:
        (void)snprintf(cure, sizeof cure,
                       "correct %s, or fix name resolution (in a container: its network)",
                       address->setting);
        doctor_fail(report, address->code, what, name, cure, "cannot resolve '%s': %s",
                    address->host, reason);
        break;
    case REACH_NO_ANSWER:
        (void)snprintf(
            cure, sizeof cure,
            "check that %s, and that no firewall or network policy blocks the connection",
            address->look_at);
        doctor_fail(report, address->code, what, name, cure, "cannot connect: %s", reason);
        break;
    case REACH_LIMIT:
        doctor_fail_limit(report, what, name, "cannot connect: %s", reason);
        break;
    }
    return reach == REACH_OK;
}

/* ---- brokers ---- */

/* Takes host and port of one of the servers apart: host:port, [v6]:port. */
static void split_server(char *server, const char **host, const char **port) {
    char *bracket = *server == '[' ? strchr(server, ']') : NULL;
    *host = bracket != NULL ? server + 1 : server;
    char *colon = strchr(bracket != NULL ? bracket : server, ':');
    check(colon != NULL); // surfaces/settings/addresses.h
    *port = colon + 1;
    *colon = '\0';
    if (bracket != NULL)
        *bracket = '\0';
}

static void check_broker(char *server, struct doctor_report *report) {
    scoped(scope_free) char *name = text_copy(server);
    struct address address = {
        .what = "broker",
        .name = name,
        .setting = "KAFKA_BOOTSTRAP_SERVERS",
        .look_at = "the broker is running and listening there",
        .code = EXIT_CODE_KAFKA,
        .is_timed = true,
    };
    split_server(server, &address.host, &address.port);
    (void)try_address(&address, report);
}

static void check_isolation(const struct config *config, struct doctor_report *report) {
    const char *level = "read_committed";
    for (size_t i = 0; i < config->kafka_property_count; i++)
        if (strcmp(config->kafka_properties[i].name, "isolation.level") == 0)
            level = config->kafka_properties[i].value;
    if (strcmp(level, "read_committed") == 0)
        doctor_ok(report, "isolation", NULL, "%s", level);
    else
        doctor_warn(report, "isolation", NULL,
                    "remove KAFKA_CONF_ISOLATION_LEVEL unless this is intended",
                    "%s: records of aborted transactions are read", level);
}

/* As long as one broker can be reached, the others are not needed for a start. */
static void soften(struct doctor_report *report) {
    bool reached = false;
    for (size_t i = 0; i < report->count; i++)
        reached = reached || report->items[i].verdict == VERDICT_OK;
    for (size_t i = 0; reached && i < report->count; i++)
        if (report->items[i].verdict == VERDICT_FAIL)
            report->items[i].verdict = VERDICT_WARN;
}

static bool is_capture(const struct config *config) {
    return strncmp(config->bootstrap_servers, "file:", 5) == 0;
}

bool doctor_reaches_broker(const struct config *config) {
    char reason[REASON_MAX], *rest = NULL;
    if (is_capture(config))
        return true;
    bool reached = false;
    char *servers = text_copy(config->bootstrap_servers);
    for (char *server = strtok_r(servers, ",", &rest); server != NULL && !reached;
         server = strtok_r(NULL, ",", &rest)) {
        const char *host, *port;
        split_server(server, &host, &port);
        reached = reach_host(host, port, reason) == REACH_OK;
    }
    free(servers);
    return reached;
}

void doctor_check_brokers(const struct config *config, struct doctor_report *report) {
    if (is_capture(config))
        return;
    char *servers = text_copy(config->bootstrap_servers);
    char *rest = NULL;
    for (char *server = strtok_r(servers, ",", &rest); server != NULL;
         server = strtok_r(NULL, ",", &rest))
        check_broker(server, report);
    free(servers);
    soften(report);
    check_isolation(config, report);
}

/* ---- Spark ---- */

static void check_distribution(const struct config *config, struct doctor_report *report) {
    struct error err;
    struct spark_distribution found;
    struct spark_server_options options = config_spark_server_options(config);
    if (spark_distribution_check(&options, &found, &err))
        doctor_ok(report, "Spark", NULL,
                  "version %s in %s, with Spark Connect and the Kafka connector", found.version,
                  config->spark_home);
    else // the message says what to do
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
        const struct address address = {
            .what = "master",
            .name = name,
            .host = *master == '[' ? master + 1 : master,
            .port = colon + 1,
            .setting = "SPARK_MASTER_URL",
            .look_at = "the master is running and listening there (its page shows its URL)",
            .code = EXIT_CODE_CLUSTER,
        };
        (void)try_address(&address, report);
    }
}

/* Whether what listens is a Spark 4 that lets us in. */
static void check_session(const struct connect_url *url, struct doctor_report *report) {
    struct error err;
    struct connect_session *session;
    struct connect_options options = {
        .url = url, .logger = "doctor", .timeout_ms = DOCTOR_BROKER_MS};
    if (!connect_open(&options, &session, &err)) { // the message says what to do
        doctor_fail_error(report, EXIT_CODE_CLUSTER, "Spark Connect session", NULL, NULL, &err);
        return;
    }
    const char *version = connect_spark_version(session);
    if (strncmp(version, "4.", 2) == 0)
        doctor_ok(report, "Spark Connect session", NULL, "Spark %s accepts a session", version);
    else
        doctor_fail(report, EXIT_CODE_CLUSTER, "Spark Connect session", NULL,
                    "use a Spark 4 server", "the server is Spark %s", version);
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
    const struct address address = {
        .what = "Spark Connect server",
        .name = name,
        .host = url.host,
        .port = port,
        .setting = "SPARK_MASTER_URL",
        .look_at = "the server is running and listening there",
        .code = EXIT_CODE_CLUSTER,
    };
    if (try_address(&address, report))
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
