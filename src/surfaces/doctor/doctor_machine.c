/* What the machine gives, compared with what a run needs of it, and each query's checkpoint. What
 * would end a run is a failure, with the exit code of that end; what it would continue without,
 * such as the page's port, is a warning. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <sys/timex.h>
#include <unistd.h>

#include "base/limit.h"
#include "base/scope.h"
#include "base/system/clock.h"
#include "base/text.h"
#include "core/zone.h"
#include "streaming/recovery/inspect.h"
#include "streaming/store/table_types.h"
#include "surfaces/confinement/confinement.h"
#include "surfaces/doctor/doctor_checks.h"
#include "surfaces/health/health_ask.h"
#include "surfaces/terminal/quantity.h"

enum {
    FILES_FEW = 1024,
    YEAR_PLAUSIBLE = 2024, // a clock that shows an earlier one was never set
    MIB_SHIFT = 20,
};

static void check_memory(const struct config *config, struct doctor_report *report) {
    struct sysinfo info;
    int64_t limit = control_group_memory(CONTROL_GROUP_MEMBERSHIP, CONTROL_GROUP_ROOT);
    bool grouped = limit != INT64_MAX;
    if (sysinfo(&info) == 0 && (int64_t)info.totalram * info.mem_unit < limit) {
        limit = (int64_t)info.totalram * info.mem_unit;
        grouped = false;
    }
    // A server that is started here has its driver on this machine, in the same control group.
    int64_t needed = config_memory_budget(config) +
                     (config->master_kind == MASTER_SERVER ? config->driver_memory : 0);
    char budget[SIZE_TEXT_MAX];
    size_format(needed, budget);
    scoped(scope_free) char *text =
        text_format("the budget is %s%s, %s %" PRId64 " MiB", budget,
                    config->master_kind == MASTER_SERVER ? " with Spark's driver" : "",
                    grouped ? "the control group's limit" : "the machine has", limit >> MIB_SHIFT);
    if (needed > limit)
        doctor_fail(report, EXIT_CODE_USAGE, "memory", NULL,
                    "lower SPARK_DRIVER_MEMORY, or raise the limit: the kernel kills a process "
                    "that exceeds it",
                    "%s", text);
    else if (needed > limit / 10 * 9)
        doctor_warn(report, "memory", NULL,
                    "leave 10 % for the system: lower SPARK_DRIVER_MEMORY, or raise the limit",
                    "%s", text);
    else
        doctor_ok(report, "memory", NULL, "%s", text);
}

static void check_files(struct doctor_report *report) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    scoped(scope_free) char *text =
        text_format("the limit is %llu open files", (unsigned long long)limit.rlim_cur);
    if (limit.rlim_cur < FILES_FEW)
        doctor_warn(report, "file limit", NULL,
                    "raise it (ulimit -n 65536, or LimitNOFILE= in the unit): a worker has one "
                    "open file per partition value and one connection per broker",
                    "%s", text);
    else
        doctor_ok(report, "file limit", NULL, "%s", text);
}

static void check_clock(struct doctor_report *report) {
    struct timex state = {0};
    char now[MOMENT_TEXT_MAX];
    time_t seconds = (time_t)(clock_wall_ms() / 1000);
    struct tm utc;
    moment_format_ms(clock_wall_ms(), now);
    bool plausible = gmtime_r(&seconds, &utc) != NULL && utc.tm_year + 1900 >= YEAR_PLAUSIBLE;
    bool synchronized = adjtimex(&state) >= 0 && (state.status & STA_UNSYNC) == 0;
    if (!plausible)
        doctor_fail(report, EXIT_CODE_UNEXPECTED, "clock", NULL,
                    "set the clock: processing_timestamp uses it", "it shows %s", now);
    else if (!synchronized)
        doctor_warn(report, "clock", NULL,
                    "run chrony or systemd-timesyncd (in a container: on its host): "
                    "processing_timestamp uses the clock",
                    "%s; not synchronised (no NTP)", now);
    else
        doctor_ok(report, "clock", NULL, "%s, synchronised", now);
}

/* 0, or why the address can't be listened on, as an errno. */
static int try_to_listen(const struct addrinfo *address) {
    int on = 1;
    scoped(scope_close) int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    // As the server asks for it: connections that have just ended don't count.
    bool open = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, 1) == 0;
    return open ? 0 : errno;
}

/* Whether a query's process on this machine listens on the port, by the lock of its checkpoint;
 * `holder` then says which. */
static bool is_our_port(const struct config *config, char holder[static CHECKPOINT_HOLDER_MAX]) {
    char address[HEALTH_ADDRESS_MAX], port[16], host[256], self[HOST_NAME_MAX + 1] = "";
    (void)gethostname(self, sizeof self - 1);
    (void)snprintf(port, sizeof port, ":%d", config->ui_port);
    (void)snprintf(host, sizeof host, "host=%s ", self);
    for (size_t i = 0; streams[i] != NULL; i++) {
        struct error ignored;
        bool held;
        scoped(scope_free) char *path = config_path(config, PATH_CHECKPOINT, streams[i]);
        if (!checkpoint_holder(path, &held, holder, &ignored) || !held)
            continue;
        health_address(holder, address);
        if (text_ends_with(address, port) && strncmp(holder, host, strlen(host)) == 0)
            return true;
    }
    return false;
}

static void tell_taken(const struct config *config, const char *service,
                       struct doctor_report *report) {
    char holder[CHECKPOINT_HOLDER_MAX];
    if (is_our_port(config, holder))
        doctor_ok(report, "port", service, "in use by this program's own process: %s", holder);
    else
        doctor_warn(
            report, "port", service,
            "another program uses it: set SPARK_UI_PORT, otherwise the next free port is used",
            "in use");
}

static void check_port(const struct config *config, struct doctor_report *report) {
    char service[16];
    struct error err;
    struct addrinfo *addresses = NULL;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    if (config->ui_port == 0)
        return; // no page is wanted
    (void)snprintf(service, sizeof service, "%d", config->ui_port);
    int code = getaddrinfo(config->ui_host, service, &hints, &addresses);
    int reason = code == 0 ? try_to_listen(addresses) : 0;
    if (code != 0)
        doctor_warn(report, "port", service,
                    "set SPARK_UI_HOST to an address of this machine; otherwise the queries run "
                    "without a page",
                    "'%s': %s", config->ui_host, gai_strerror(code));
    else if (reason == EADDRINUSE)
        tell_taken(config, service, report);
    else if (limit_is_behind(reason) && !limit_error(&err, "cannot listen", reason))
        doctor_fail_error(report, EXIT_CODE_LIMIT, "port", service, NULL, &err);
    else if (reason != 0)
        doctor_warn(
            report, "port", service,
            "set SPARK_UI_HOST and SPARK_UI_PORT to an address that this user may listen on", "%s",
            strerror(reason));
    else
        doctor_ok(report, "port", service, "free, on %s", config->ui_host);
    if (addresses != NULL)
        freeaddrinfo(addresses);
}

static void check_zones(struct doctor_report *report) {
    struct zone_lack lack = zone_data_lack();
    if (lack.text != NULL)
        doctor_warn(report, "time zones", NULL, lack.cure, "%s", lack.text);
    else
        doctor_ok(report, "time zones", NULL, "available by name");
}

/* Whether a peer's certificate is to be verified by the system's authorities. */
static bool wants_authorities(const struct config *config) {
    bool is_tls = false, has_own = false;
    for (size_t i = 0; i < config->kafka_property_count; i++) {
        const struct kafka_property *property = &config->kafka_properties[i];
        is_tls = is_tls || (strcmp(property->name, "security.protocol") == 0 &&
                            strcasestr(property->value, "ssl") != NULL &&
                            strcasestr(property->value, "plaintext") == NULL);
        has_own = has_own || strcmp(property->name, "ssl.ca.location") == 0 ||
                  strcmp(property->name, "ssl.ca.pem") == 0;
    }
    return (is_tls && !has_own) || strncmp(config->alert_webhook_url, "https:", 6) == 0 ||
           (config->master_kind == MASTER_CONNECT && strstr(config->master, "use_ssl=true"));
}

static bool has_entries(const char *path) {
    DIR *directory = opendir(path);
    bool found = false;
    for (const struct dirent *entry; directory != NULL && !found;) {
        entry = readdir(directory);
        if (entry == NULL)
            break;
        found = entry->d_name[0] != '.';
    }
    if (directory != NULL)
        (void)closedir(directory);
    return found;
}

/* Where Debian and where Red Hat keep them. */
static void check_authorities(const struct config *config, struct doctor_report *report) {
    const char *own = getenv("SSL_CERT_FILE");
    if ((own != NULL && *own != '\0') || !wants_authorities(config))
        return;
    if (has_entries("/etc/ssl/certs") || has_entries("/etc/pki/tls/certs"))
        return;
    doctor_warn(report, "authorities", NULL,
                "install the package ca-certificates, or name your certificate authority: "
                "KAFKA_SSL_CA_LOCATION for Kafka, SSL_CERT_FILE for the others",
                "TLS needs the system's certificate authorities, but /etc/ssl/certs has none");
}

/* This process has given up what a run would give up. */
static void check_confinement(struct doctor_report *report) {
    doctor_ok(report, "confinement", NULL, "%s", confinement_text());
}

void doctor_check_machine(const struct config *config, struct doctor_report *report) {
    check_memory(config, report);
    check_files(report);
    check_clock(report);
    check_zones(report);
    check_authorities(config, report);
    check_confinement(report);
    check_port(config, report);
}

/* ---- queries ---- */

/* What to do first about a fault; owned by the caller. */
static char *cure_of_fault(const char *name, const struct error *fault) {
    if (strstr(fault->message, "`esports-stream relocate`") != NULL)
        return text_format("if the lake was moved, run `esports-stream relocate --job %s`; if not, "
                           "set the paths back; `checkpoint show` lists all problems",
                           name);
    return text_copy("follow the message; `checkpoint show` lists all problems");
}

/* The first that holds counts: if a part cannot be read, the others say little, and a running query
 * needs no fix from outside. */
static void check_inspection(const struct stream *stream, const struct inspection *inspection,
                             struct doctor_report *report) {
    const char *name = stream->name;
    scoped(scope_free) char *cure =
        inspection->fault_count > 0 ? cure_of_fault(stream->job, inspection->faults[0]) : NULL;
    if (inspection->fault_count > 0)
        doctor_fail_error(report, EXIT_CODE_STATE, "checkpoint", name, cure, inspection->faults[0]);
    else if (!inspection->there)
        doctor_ok(report, "checkpoint", name, "does not exist yet: the query is new");
    else if (inspection->locked)
        doctor_ok(report, "checkpoint", name, "in use by the running query: %s",
                  inspection->holder);
    else if (inspection->cure != NULL)
        doctor_fail(report, EXIT_CODE_STATE, "checkpoint", name, inspection->cure, "%s",
                    inspection->state);
    else
        doctor_ok(report, "checkpoint", name, "%s: %s", inspection->state, inspection->next);
}

static void tell_health(const char *name, const struct health_answer *answer,
                        struct doctor_report *report) {
    const struct json *health = json_member(answer->query, "health");
    const char *reason = json_member_text(health, "reason");
    const char *cure = json_member_text(health, "action");
    const char *state = health_state_name(answer->state);
    if (cure != NULL && *cure == '\0')
        cure = NULL;
    if (answer->trouble != NULL)
        doctor_fail(report, EXIT_CODE_NOT_READY, "query", name, cure, "%s: %s", state,
                    answer->trouble);
    else if (answer->state == HEALTH_DEGRADED)
        doctor_warn(report, "query", name, cure, "%s: %s", state, reason != NULL ? reason : "");
    else
        doctor_ok(report, "query", name, "%s%s%s", state, reason != NULL ? ": " : "",
                  reason != NULL ? reason : "");
}

/* The query that runs is asked how it is: its verdict is that of `status`. */
static void check_running(const struct config *config, const char *name, const char *holder,
                          struct doctor_report *report) {
    char address[HEALTH_ADDRESS_MAX];
    struct health_answer answer;
    health_address(holder, address);
    if (address[0] == '\0') {
        doctor_warn(
            report, "query", name,
            "set SPARK_UI_PORT for it, so that it can report its state; until then, see its log",
            "running, state unknown: it has no HTTP port, or has just started");
        return;
    }
    health_ask(address, config->ui_token, name, &answer);
    if (answer.query != NULL)
        tell_health(name, &answer, report);
    else
        doctor_warn(report, "query", name,
                    "see its log; if it has a UI_TOKEN, set the same one for `doctor`",
                    "running, state unknown: %s", answer.trouble);
    health_answer_deinit(&answer);
}

/* A few files of the table: as a start looks at them, also with a new checkpoint. */
static void check_types(const char *name, const struct store_options *options,
                        struct doctor_report *report) {
    struct error err, unreadable;
    if (!table_types_check_few(options, &unreadable, &err))
        doctor_fail_error(report, EXIT_CODE_STATE, "table", name, NULL, &err);
    else if (unreadable.kind == ERROR_LIMIT) // it says nothing of the file
        doctor_fail_error(report, EXIT_CODE_STATE, "table", name, NULL, &unreadable);
    else if (unreadable.kind != ERROR_NONE)
        doctor_warn(report, "table", name, table_types_unreadable_cure, "%s", unreadable.message);
}

void doctor_check_queries(const struct config *config, struct doctor_report *report) {
    for (size_t i = 0; streams[i] != NULL; i++) {
        if (!config_runs(config, streams[i]))
            continue;
        struct error err;
        struct inspection inspection;
        struct store_options options = config_store_options(config, streams[i]);
        if (inspect(&options, &inspection, &err)) {
            check_inspection(streams[i], &inspection, report);
            if (inspection.locked)
                check_running(config, streams[i]->name, inspection.holder, report);
            check_types(streams[i]->name, &options, report);
            inspection_deinit(&inspection);
        } else {
            doctor_fail_error(report, EXIT_CODE_USAGE, "checkpoint", streams[i]->name, NULL, &err);
        }
        config_store_options_deinit(&options);
    }
}
