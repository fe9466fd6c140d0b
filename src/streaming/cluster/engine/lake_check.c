#include "streaming/cluster/engine/lake_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/disk/file.h"
#include "base/scope.h"
#include "base/system/uuid.h"
#include "base/text.h"

#define PROBE_NAME "probe-"

enum { PROBES = 32, HOST_MAX = 100, HOSTS_MAX = 600, PROBE_SIZE_MAX = 4096 };

/* What was found of the files that Spark wrote. */
struct findings {
    const char *directory;
    int count;
    char hosts[HOSTS_MAX]; // that wrote them, "a/10.0.0.1, b/10.0.0.2"
};

static bool is_probe(const char *name) {
    return strncmp(name, "part-", 5) == 0;
}

static void note_host(struct findings *findings, char *host) {
    host[strcspn(host, "\n")] = '\0';
    host[strnlen(host, HOST_MAX)] = '\0';
    size_t used = strlen(findings->hosts);
    if (strstr(findings->hosts, host) == NULL)
        (void)text_append(findings->hosts, sizeof findings->hosts, used, "%s%s",
                          used > 0 ? ", " : "", host);
}

static bool look_at(void *context, const char *name) {
    struct findings *findings = context;
    struct file_path path = file_join(findings->directory, name);
    scoped(scope_free) char *host = NULL;
    struct error ignored;
    size_t size;
    if (is_probe(name) && file_read(path.text, PROBE_SIZE_MAX, &host, &size, &ignored) &&
        host != NULL) {
        findings->count++;
        note_host(findings, host);
    }
    return true;
}

static bool remove_probe(void *context, const char *name) {
    if (strncmp(name, PROBE_NAME, sizeof PROBE_NAME - 1) == 0)
        file_discard_tree(file_join(context, name).text);
    return true;
}

void lake_check_sweep(const char *staging) {
    struct error ignored; // not there: nothing is left
    (void)file_list(staging, remove_probe, (void *)staging, &ignored);
}

static bool judge(const struct findings *findings, const char *staging, struct error *err) {
    if (findings->count == PROBES)
        return true;
    return error_set(err, ERROR_CLUSTER,
                     "Spark's executors wrote %d test files to '%s', but only %d are on this "
                     "machine%s%s: every node of the cluster, and the node of Spark's driver, must "
                     "mount the lake at this path, as this machine does",
                     PROBES, staging, findings->count,
                     findings->count > 0 ? ", from the nodes " : "", findings->hosts);
}

/* What Java says of a name that its locale has no bytes for. */
static const char *hint(const struct error *err) {
    return strstr(err->message, "unmappable characters") == NULL
               ? ""
               : " (set LC_ALL=C.UTF-8 for Spark's driver, master and workers)";
}

bool lake_check(struct connect_session *session, const char *staging, struct error *err) {
    static const char *const expressions[] = {
        // A function of Java's that is called where the task runs.
        "reflect('java.net.InetAddress', 'getLocalHost') AS host"};
    const struct connect_step step = {
        .kind = CONNECT_SELECT, .expressions = expressions, .count = 1};
    const struct connect_frame frame = {
        .rows = PROBES, .partitions = PROBES, .steps = &step, .step_count = 1};
    char uuid[37], name[64];
    uuid_new(uuid);
    snprintf(name, sizeof name, PROBE_NAME "\u00e9-%s", uuid);
    struct file_path probe = file_join(staging, name);
    scoped(scope_free) char *uri = NULL;
    if (asprintf(&uri, "file:%s", probe.text) < 0)
        abort();
    bool written = connect_write(session, &frame, "text", uri, err);
    if (!written)
        (void)error_wrap(err, "Spark cannot write to '%s'%s", staging, hint(err));
    struct findings findings = {.directory = probe.text};
    struct error ignored; // not there: nothing was found
    (void)file_list(probe.text, look_at, &findings, &ignored);
    bool ok = written && judge(&findings, staging, err);
    file_discard_tree(probe.text);
    return ok;
}
