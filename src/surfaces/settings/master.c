#include "surfaces/settings/master.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/system/processors.h"
#include "streaming/cluster/connect/connect_url.h"

enum { PORT_MAX = 65535 };

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

static bool parse_local(const char *text, int *workers) {
    if (strcmp(text, "local") == 0) {
        *workers = 1;
        return true;
    }
    const char *at = text + strlen("local[");
    int number = 0;
    if (*at == '*') {
        number = processors_available();
        at++;
    } else {
        number = read_number(&at);
    }
    if (*at == ',' && isdigit((unsigned char)at[1]))
        at += 1 + strspn(at + 1, "0123456789");
    *workers = number;
    return strcmp(at, "]") == 0 && number >= 1 && number <= MASTER_WORKERS_MAX;
}

/* HOST:PORT of [text, end). */
static bool is_address(const char *text, const char *end) {
    const char *colon = memrchr(text, ':', (size_t)(end - text));
    if (colon == NULL || colon == text)
        return false;
    for (const char *at = text; at < colon; at++)
        if (isspace((unsigned char)*at) || strchr("/,;@", *at) != NULL)
            return false;
    const char *at = colon + 1;
    int port = read_number(&at);
    return at == end && port >= 1 && port <= PORT_MAX;
}

static bool is_standalone(const char *text) {
    const char *at = text + strlen("spark://");
    for (;; at++) {
        const char *end = at + strcspn(at, ",");
        if (!is_address(at, end))
            return false;
        at = end;
        if (*at == '\0')
            return true;
    }
}

/* local-cluster[N,CORES,MEMORY], blanks between them allowed. */
static bool is_local_cluster(const char *text) {
    const char *at = text + strlen("local-cluster[");
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

static bool parse_server(const char *text, struct error *err) {
    if (begins_with(text, "spark://"))
        return is_standalone(text) ||
               error_set(err, ERROR_CONFIG,
                         "want spark://HOST:PORT, as the master's page shows it; several masters "
                         "of one cluster are separated by commas");
    if (begins_with(text, "local-cluster["))
        return is_local_cluster(text) ||
               error_set(err, ERROR_CONFIG,
                         "want local-cluster[N,CORES,MEMORY]: executors, cores and MiB of each");
    if (begins_with(text, "k8s://"))
        return text[strlen("k8s://")] != '\0' ||
               error_set(err, ERROR_CONFIG, "want k8s://https://HOST:PORT, the API server's URL");
    if (strcmp(text, "yarn") == 0)
        return true;
    return error_set(err, ERROR_CONFIG,
                     "want local, local[*] or local[N] with N from 1 to %d, or a cluster: "
                     "spark://HOST:PORT, local-cluster[N,CORES,MEMORY], yarn, k8s://URL, or "
                     "sc://HOST:PORT of a Spark Connect server",
                     MASTER_WORKERS_MAX);
}

bool master_parse(const char *text, enum master_kind *kind, int *workers, struct error *err) {
    if (strcmp(text, "local") == 0 || begins_with(text, "local[")) {
        *kind = MASTER_LOCAL;
        return parse_local(text, workers) ||
               error_set(err, ERROR_CONFIG, "want local, local[*] or local[N] with N from 1 to %d",
                         MASTER_WORKERS_MAX);
    }
    *workers = processors_available();
    if (!begins_with(text, "sc://")) {
        *kind = MASTER_SERVER;
        return parse_server(text, err);
    }
    *kind = MASTER_CONNECT;
    struct connect_url url;
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
    check(fclose(out) == 0);
    return shown;
}
