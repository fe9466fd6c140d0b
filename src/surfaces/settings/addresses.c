/* Brokers are taken one by one from between the commas: blanks are trimmed, a protocol is noted and
 * taken off, and the default port is added, so that librdkafka and Spark get the same list. Of a
 * master, the beginning says which form it has, and then the rest must have that form to the end; a
 * form that is not Spark's must not get as far as a server that is started with it. */
#include "surfaces/settings/addresses.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/system/process.h"
#include "streaming/cluster/connect/connect_url.h"

#define KAFKA_PORT ":9092" // where none is given

static bool begins_with(const char *text, const char *start) {
    return strncmp(text, start, strlen(start)) == 0;
}

/* Digits at *at, which moves behind them; 0: there are none. Large numbers stay large. */
static int read_number(const char **at) {
    int number = 0;
    for (; isdigit((unsigned char)**at); (*at)++)
        if (number < 1 << 24)
            number = 10 * number + (**at - '0');
    return number;
}

/* Whether [text, end) holds nothing that a host's name can't. */
static bool is_host(const char *text, const char *end) {
    for (const char *at = text; at < end; at++)
        if (isspace((unsigned char)*at) || strchr("/,;@", *at) != NULL)
            return false;
    return text < end;
}

/* What is wrong with a port; NULL: nothing. */
static const char *port_fault(const char *text, const char *end) {
    const char *at = text;
    int port = read_number(&at);
    return text == end                 ? "has no port"
           : at < end                  ? "has a port that is not a number"
           : port < 1 || port > 0xffff ? "has a port outside 1 to 65535"
                                       : NULL;
}

/* ---- paths ---- */

/* A shell would have expanded these; an env file, systemd and `--option=~/x` hand them over as they
 * are. Docker's --env-file does so with quotes. */
bool shell_syntax_check(const char *path, struct error *err) {
    if (*path == '"' || *path == '\'')
        return error_set(err, ERROR_CONFIG,
                         "the quotes are part of the value: write the path without them");
    if (strstr(path, "${") != NULL)
        return error_set(err, ERROR_CONFIG, "variables are not expanded here: write the full path");
    for (const char *at = path; at != NULL; at = strchr(at, '/')) {
        at += *at == '/' ? 1 : 0;
        if (*at == '~' && at == path)
            return error_set(err, ERROR_CONFIG, "'~' is not expanded here: write the full path");
        if (*at == '$' && (isalpha((unsigned char)at[1]) || at[1] == '_'))
            return error_set(err, ERROR_CONFIG,
                             "variables are not expanded here: write the full path");
    }
    return true;
}

/* ---- KAFKA_BOOTSTRAP_SERVERS ---- */

/* What has been read of it so far. */
struct server_list {
    char *text;
    size_t used, size;
    const char *protocol;
};

/* Kafka's security protocols. */
static const char *find_protocol(const char *name, size_t size) {
    static const char *const protocols[] = {"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"};
    for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++)
        if (strlen(protocols[i]) == size && strncasecmp(protocols[i], name, size) == 0)
            return protocols[i];
    return NULL;
}

static bool take_protocol(struct server_list *list, const char *name, size_t size,
                          struct error *err) {
    const char *protocol = find_protocol(name, size);
    if (protocol == NULL)
        return error_set(
            err, ERROR_CONFIG,
            "expected brokers as host:port, separated by commas; '%.*s://' is not one of "
            "Kafka's protocols PLAINTEXT, SSL, SASL_PLAINTEXT and SASL_SSL",
            (int)size, name);
    if (list->protocol != NULL && list->protocol != protocol)
        return error_set(err, ERROR_CONFIG,
                         "expected one protocol for all brokers, found %s:// and %s://",
                         list->protocol, protocol);
    list->protocol = protocol;
    return true;
}

/* What is wrong with host, host:port or [v6]:port; NULL: nothing. */
static const char *server_fault(const char *text, const char *end, bool *has_port) {
    const char *after = *text == '[' ? memchr(text, ']', (size_t)(end - text)) : text;
    const char *colon = after != NULL ? memchr(after, ':', (size_t)(end - after)) : NULL;
    *has_port = colon != NULL;
    if (after == NULL || !is_host(text, colon != NULL ? colon : end))
        return "is not host:port";
    return colon != NULL ? port_fault(colon + 1, end) : NULL;
}

static bool take_server(struct server_list *list, const char *text, size_t size,
                        struct error *err) {
    static const char mark[] = "://";
    const char *end = text + size;
    const char *after = memmem(text, size, mark, sizeof mark - 1);
    if (after != NULL && !take_protocol(list, text, (size_t)(after - text), err))
        return false;
    const char *server = after != NULL ? after + sizeof mark - 1 : text;
    bool has_port;
    const char *fault = server_fault(server, end, &has_port);
    if (fault != NULL)
        return error_set(err, ERROR_CONFIG,
                         "expected brokers as host:port, separated by commas; '%.*s' %s", (int)size,
                         text, fault);
    list->used += (size_t)snprintf(list->text + list->used, list->size - list->used, "%s%.*s%s",
                                   list->used > 0 ? "," : "", (int)(end - server), server,
                                   has_port ? "" : KAFKA_PORT);
    return true;
}

static bool take_servers(struct server_list *list, const char *text, struct error *err) {
    for (const char *at = text;; at++) {
        at += strspn(at, " \t");
        size_t size = strcspn(at, ","), trimmed = size;
        while (trimmed > 0 && isspace((unsigned char)at[trimmed - 1]))
            trimmed--;
        if (trimmed > 0 && !take_server(list, at, trimmed, err))
            return false;
        at += size;
        if (*at == '\0')
            break;
    }
    return list->used > 0 ||
           error_set(err, ERROR_CONFIG,
                     "expected brokers as host:port, separated by commas; there is none");
}

static bool check_capture(const char *directory, struct error *err) {
    if (*directory == '\0')
        return error_set(err, ERROR_CONFIG, "expected a directory of captured records after file:");
    return shell_syntax_check(directory, err);
}

bool servers_parse(const char *text, char **list, const char **protocol, struct error *err) {
    struct server_list servers = {.size = (strlen(text) + 1) * sizeof KAFKA_PORT};
    servers.text = must_alloc(servers.size, 1);
    bool captured = begins_with(text, "file:");
    bool ok = captured ? check_capture(text + 5, err) : take_servers(&servers, text, err);
    if (!ok) {
        free(servers.text);
        return false;
    }
    if (captured)
        memcpy(servers.text, text, strlen(text) + 1);
    *list = servers.text;
    *protocol = servers.protocol;
    return true;
}

/* ---- SPARK_MASTER_URL ---- */

static bool is_local(const char *text, int *workers) {
    const char *at = text + strlen("local");
    *workers = 1;
    if (*at == '\0')
        return true;
    at++;
    *workers = *at == '*' ? processors_available() : read_number(&at);
    at += *at == '*' ? 1 : 0;
    if (*at == ',' && isdigit((unsigned char)at[1]))
        at += 1 + strspn(at + 1, "0123456789");
    return strcmp(at, "]") == 0 && *workers >= 1 && *workers <= MASTER_WORKERS_MAX;
}

/* HOST:PORT,HOST:PORT */
static bool is_standalone(const char *text) {
    for (const char *at = text;; at++) {
        const char *end = at + strcspn(at, ",");
        const char *colon = memrchr(at, ':', (size_t)(end - at));
        if (colon == NULL || !is_host(at, colon) || port_fault(colon + 1, end) != NULL)
            return false;
        at = end;
        if (*at == '\0')
            return true;
    }
}

/* N,CORES,MEMORY], blanks between them allowed. */
static bool is_local_cluster(const char *text) {
    const char *at = text;
    for (int i = 0; i < 3; i++) {
        at += strspn(at, " ");
        if (read_number(&at) < 1)
            return false;
        at += strspn(at, " ");
        if (*at++ != (i < 2 ? ',' : ']'))
            return false;
    }
    return *at == '\0';
}

static bool is_any(const char *text) {
    return *text != '\0';
}

/* Masters that a server is started on: their prefix, and what may follow it. */
static const struct {
    const char *start;
    bool (*accepts)(const char *rest);
    const char *wanted;
} clusters[] = {
    {"spark://", is_standalone,
     "expected spark://HOST:PORT, as the master's page shows it; separate several masters of one "
     "cluster by commas"},
    {"local-cluster[", is_local_cluster,
     "expected local-cluster[N,CORES,MEMORY]: number of executors, cores and MiB of each"},
    {"k8s://", is_any, "expected k8s://https://HOST:PORT, the URL of the API server"},
};

static bool check_server(const char *text, struct error *err) {
    for (size_t i = 0; i < sizeof clusters / sizeof clusters[0]; i++)
        if (begins_with(text, clusters[i].start))
            return clusters[i].accepts(text + strlen(clusters[i].start)) ||
                   error_set(err, ERROR_CONFIG, "%s", clusters[i].wanted);
    return strcmp(text, "yarn") == 0 ||
           error_set(err, ERROR_CONFIG,
                     "expected local, local[*] or local[N] with N from 1 to %d, or a cluster: "
                     "spark://HOST:PORT, local-cluster[N,CORES,MEMORY], yarn, k8s://URL, or "
                     "sc://HOST:PORT of a Spark Connect server",
                     MASTER_WORKERS_MAX);
}

bool master_parse(const char *text, enum master_kind *kind, int *workers, struct error *err) {
    struct connect_url url;
    if (strcmp(text, "local") == 0 || begins_with(text, "local[")) {
        *kind = MASTER_LOCAL;
        return is_local(text, workers) ||
               error_set(err, ERROR_CONFIG,
                         "expected local, local[*] or local[N] with N from 1 to %d",
                         MASTER_WORKERS_MAX);
    }
    *workers = processors_available();
    *kind = begins_with(text, "sc://") ? MASTER_CONNECT : MASTER_SERVER;
    if (*kind == MASTER_SERVER)
        return check_server(text, err);
    if (!connect_url_parse(text, &url, err))
        return false;
    connect_url_deinit(&url);
    return true;
}

bool spark_property_is_secret(const char *name) {
    // Spark's own list (spark.redaction.regex), and what a header may be called.
    static const char *const words[] = {"secret",     "password",   "token",     "access.key",
                                        "access-key", "access_key", "accesskey", "authorization",
                                        "api-key",    "credential"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasestr(name, words[i]) != NULL)
            return true;
    return false;
}

char *master_shown(const char *text) {
    char *shown = NULL;
    size_t size;
    FILE *out = open_memstream(&shown, &size);
    check(out != NULL);
    const char *at = text + (begins_with(text, "sc://") ? strcspn(text, ";") : strlen(text));
    (void)fwrite(text, 1, (size_t)(at - text), out);
    while (*at == ';') {
        const char *end = at + 1 + strcspn(at + 1, ";");
        const char *equals = memchr(at, '=', (size_t)(end - at));
        char name[64] = "";
        if (equals != NULL)
            (void)snprintf(name, sizeof name, "%.*s", (int)(equals - at - 1), at + 1);
        bool secret = equals != NULL && spark_property_is_secret(name);
        (void)fwrite(at, 1, (size_t)((secret ? equals + 1 : end) - at), out);
        (void)fputs(secret ? SECRET_SHOWN : "", out);
        at = end;
    }
    must_close_text(out, &shown);
    return shown;
}

/* ---- what something is posted to ---- */

bool http_url_server(const char *url, char *server, size_t size) {
    char *scheme = NULL, *host = NULL;
    CURLU *parts = curl_url();
    check(parts != NULL);
    bool usable = curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
                  curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                  curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK && *host != '\0' &&
                  (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
    if (usable)
        snprintf(server, size, "%s://%s", scheme, host);
    curl_free(scheme);
    curl_free(host);
    curl_url_cleanup(parts);
    return usable;
}

bool http_url_check(const char *url, struct error *err) {
    char server[8]; // not of interest
    return http_url_server(url, server, sizeof server) ||
           error_set(err, ERROR_CONFIG,
                     "expected a URL that begins with https:// or http:// and a host");
}
