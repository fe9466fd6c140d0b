/* confinement.c: the list of what the program needs.
 *
 * Written are the lake and the checkpoints only. What the C library, TLS and librdkafka read is
 * allowed as directories, not as files: a resolver's or a certificate's file is replaced while the
 * program runs, and the new one is another file. For the same reason the directory of each file
 * that a setting names can be read. /proc is allowed as a whole, since an entry of it may be made
 * again at any time; what is secret there is another process's, which a confined one cannot read.
 */
#include "surfaces/confinement/confinement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/check.h"
#include "base/disk/file.h"
#include "base/disk/filesystem.h"
#include "base/log/log.h"
#include "base/poison.h"
#include "base/pool.h"
#include "base/scope.h"
#include "base/system/confine.h"
#include "streaming/store/recall.h"
#include "surfaces/http/http_server.h"
#include "surfaces/settings/command.h"

#if HAS_ADDRESS_SANITIZER || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER true // they read the process from outside, and start a program of their own
#else
#define HAS_SANITIZER false
#endif

enum { PORT_MAX = 65535 };

enum { CONFINEMENT_TEXT_MAX = 1024 };

/* What was given up. */
static struct level {
    char files[CONFINEMENT_TEXT_MAX]; // "Landlock 7", or "not confined: " and why; "": all is off
    char calls[CONFINEMENT_TEXT_MAX]; // "seccomp", or likewise
    char off[CONFINEMENT_TEXT_MAX];   // why nothing was; "": it was
} reached;

struct places {
    struct confine_place *list; // owned
    size_t count, capacity;
    struct pool texts;
};

static void add(struct places *places, const char *path, bool is_writable) {
    if (places->count == places->capacity) {
        places->capacity = places->capacity == 0 ? 64 : 2 * places->capacity;
        places->list = realloc(places->list, places->capacity * sizeof *places->list);
        check(places->list != NULL);
    }
    places->list[places->count++] =
        (struct confine_place){pool_copy(&places->texts, text_borrow(path)), is_writable};
}

/* The directory of a file, and the file: the directory would be too much if it is the root. */
static void add_file(struct places *places, const char *path) {
    const char *slash = strrchr(path, '/');
    if (*path != '/')
        return;
    add(places, path, false);
    if (slash > path)
        add(places, pool_format(&places->texts, "%.*s", (int)(slash - path), path), false);
}

/* ---- read ---- */

static const char *const system_places[] = {
    // libraries that are loaded late, time zones, certificates; settings of resolver and TLS
    "/usr",
    "/lib",
    "/lib64",
    "/etc",
    "/var/lib/ca-certificates",
    "/var/lib/sss",
    // what /etc/resolv.conf leads to
    "/run/systemd/resolve",
    "/run/resolvconf",
    "/run/NetworkManager",
    "/run/connman",
    // the process and the machine
    "/proc",
    "/sys",
    "/dev/urandom",
    "/dev/random",
};

/* Variables of libraries, each a file, a directory, or some of them by colons. */
static const char *const system_variables[] = {
    "SSL_CERT_FILE",   "SSL_CERT_DIR", "OPENSSL_CONF", "OPENSSL_MODULES",
    "LD_LIBRARY_PATH", "TZDIR",        "KRB5_CONFIG",  "LOCPATH",
};

static void add_system(struct places *places) {
    for (size_t i = 0; i < sizeof system_places / sizeof system_places[0]; i++)
        add(places, system_places[i], false);
    add(places, "/dev/null", true);
    scoped(scope_free) char *resolver = filesystem_real_path("/etc/resolv.conf");
    add_file(places, resolver);
    for (size_t i = 0; i < sizeof system_variables / sizeof system_variables[0]; i++) {
        const char *at = getenv(system_variables[i]);
        while (at != NULL && *at != '\0') {
            size_t size = strcspn(at, ":");
            add_file(places, pool_format(&places->texts, "%.*s", (int)size, at));
            at += size + (at[size] == ':');
        }
    }
}

/* Files that settings and the command line name. */
static void add_named(struct places *places, const struct config *config) {
    static const char capture[] = "file:";
    for (size_t i = 0; i < config->kafka_property_count; i++)
        add_file(places, config->kafka_properties[i].value);
    const char *servers = config->bootstrap_servers;
    if (servers != NULL && strncmp(servers, capture, sizeof capture - 1) == 0)
        add(places, servers + sizeof capture - 1, false);
    for (size_t i = 0; i < config->arguments.operand_count; i++)
        add(places, config->arguments.operands[i], false);
}

/* ---- written ---- */

static bool is_below(const char *path, const char *root) {
    size_t size = strcmp(root, "/") == 0 ? 0 : strlen(root);
    return strncmp(path, root, size) == 0 && (path[size] == '/' || path[size] == '\0');
}

/* What does not exist and cannot be made may still come, such as a mount: then its nearest parent
 * is kept, where this user can make nothing now. */
static void add_parent(struct places *places, const char *path) {
    struct error ignored;
    struct file_path parent;
    (void)snprintf(parent.text, sizeof parent.text, "%s", path);
    while (file_exists(parent.text, NULL, &ignored) != 1 && strlen(parent.text) > 1) {
        char *slash = strrchr(parent.text, '/');
        slash[slash == parent.text ? 1 : 0] = '\0';
    }
    add(places, parent.text, true);
}

/* The directory of the settings that `path` lies in. One of its own file has its parent: files that
 * are merged are prepared next to a table, and its directory is exchanged as a whole. */
static void add_written(struct places *places, const struct config *config, const char *path) {
    struct error ignored;
    const char *slash = strrchr(path, '/');
    const char *const roots[] = {config->data_lake_path, config->processed_path,
                                 config->checkpoint_path};
    const char *root =
        slash > path ? pool_format(&places->texts, "%.*s", (int)(slash - path), path) : path;
    for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++)
        if (roots[i] != NULL && is_below(path, roots[i]) && strlen(roots[i]) <= strlen(root))
            root = roots[i];
    for (size_t i = 0; i < places->count; i++)
        if (places->list[i].is_writable && strcmp(places->list[i].path, root) == 0)
            return;
    bool made = config->action == ACTION_RUN && file_make_directory(root, &ignored);
    if (made || file_exists(root, NULL, &ignored) == 1)
        add(places, root, true);
    else
        add_parent(places, root);
}

/* What the checkpoint says of the table, which commands go by if no setting does. It was written by
 * anyone who may write the checkpoint: one that changes nothing only reads there. */
static void add_recalled(struct places *places, const struct config *config,
                         const char *checkpoint) {
    struct recalled recalled;
    checkpoint_recall(checkpoint, &recalled);
    const char *const paths[] = {recalled.table, recalled.rejects};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        if (paths[i] != NULL && config->command->changes)
            add_written(places, config, paths[i]);
        else if (paths[i] != NULL)
            add(places, paths[i], false);
    }
    recalled_deinit(&recalled);
}

static void add_lake(struct places *places, const struct config *config) {
    const struct command *command = config->command;
    if (command != NULL && command->needs_nothing)
        return;
    for (size_t i = 0; streams[i] != NULL; i++) {
        if (!config_runs(config, streams[i]))
            continue;
        struct store_options store = config_store_options(config, streams[i]);
        add_written(places, config, store.table);
        add_written(places, config, store.rejects);
        add_written(places, config, store.checkpoint);
        if (command != NULL)
            add_recalled(places, config, store.checkpoint);
        config_store_options_deinit(&store);
    }
}

/* ---- all of it ---- */

static bool has_kerberos(const struct config *config) {
    for (size_t i = 0; i < config->kafka_property_count; i++)
        if (strcmp(config->kafka_properties[i].name, "sasl.mechanism") == 0)
            return strcasecmp(config->kafka_properties[i].value, "GSSAPI") == 0;
    for (size_t i = 0; i < config->kafka_property_count; i++) // librdkafka's default
        if (strcmp(config->kafka_properties[i].name, "security.protocol") == 0)
            return strncasecmp(config->kafka_properties[i].value, "SASL", 4) == 0;
    return false;
}

/* NULL: nothing speaks against it. */
static const char *why_not(const struct config *config) {
    if (HAS_SANITIZER)
        return "this program was built with a sanitizer";
    if (config->master_kind == MASTER_SERVER)
        return "it starts a Spark server";
    if (has_kerberos(config))
        return "Kerberos starts kinit";
    return NULL;
}

static void give_up(const struct config *config, const struct places *places) {
    struct error err;
    int version = 0, port = config->ui_port;
    struct confine_limits limits = {.places = places->list, .place_count = places->count};
    limits.any_port = config->demo; // its Kafka takes any
    limits.first_port = port;
    limits.last_port = port == 0                             ? -1 // there is no page
                       : port > PORT_MAX - HTTP_PORT_RETRIES ? PORT_MAX
                                                             : port + HTTP_PORT_RETRIES;
    if (confine_files(&limits, &version, &err))
        (void)snprintf(reached.files, sizeof reached.files, "Landlock %d", version);
    else
        (void)snprintf(reached.files, sizeof reached.files, "not confined: %s", err.message);
    bool memory = confine_memory(&err); // which cannot fail on Linux
    (void)memory;
    if (confine_calls(&err))
        (void)snprintf(reached.calls, sizeof reached.calls, "seccomp");
    else
        (void)snprintf(reached.calls, sizeof reached.calls, "not confined: %s", err.message);
}

void confinement_begin(const struct config *config) {
    const char *reason = why_not(config);
    reached = (struct level){0};
    if (!config->confinement)
        reason = "CONFINEMENT=off";
    if (reason != NULL) {
        (void)snprintf(reached.off, sizeof reached.off, "%s", reason);
        return;
    }
    struct places places = {0};
    pool_init(&places.texts);
    add_system(&places);
    add_named(&places, config);
    add_lake(&places, config);
    give_up(config, &places);
    pool_deinit(&places.texts);
    free(places.list);
}

const char *confinement_text(void) {
    static char text[2 * CONFINEMENT_TEXT_MAX + 64];
    if (reached.off[0] != '\0')
        (void)snprintf(text, sizeof text, "none (%s)", reached.off);
    else
        (void)snprintf(text, sizeof text, "files: %s; system calls: %s", reached.files,
                       reached.calls);
    return text;
}
