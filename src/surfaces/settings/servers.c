#include "surfaces/settings/servers.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"

#define DEFAULT_PORT ":9092"

/* What is being read, and what has come of it so far. */
struct reading {
    char *list;
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

static bool take_protocol(struct reading *reading, const char *name, size_t size,
                          struct error *err) {
    const char *protocol = find_protocol(name, size);
    if (protocol == NULL)
        return error_set(err, ERROR_CONFIG,
                         "want brokers as host:port, separated by commas; '%.*s://' is no protocol "
                         "of Kafka's (PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL)",
                         (int)size, name);
    if (reading->protocol != NULL && reading->protocol != protocol)
        return error_set(err, ERROR_CONFIG,
                         "want one protocol for all brokers; here are %s:// and %s://",
                         reading->protocol, protocol);
    reading->protocol = protocol;
    return true;
}

/* What is wrong with a port; NULL: nothing. */
static const char *port_fault(const char *text, size_t size) {
    long port = 0;
    if (size == 0)
        return ": it has no port";
    for (size_t i = 0; i < size; i++) {
        if (!isdigit((unsigned char)text[i]))
            return ": its port is no number";
        if (port <= 65535)
            port = 10 * port + (text[i] - '0');
    }
    return port > 0 && port <= 65535 ? NULL : ": its port is not from 1 to 65535";
}

/* What is wrong with host, host:port or [v6]:port; NULL: nothing. *has_port is set when it is one.
 */
static const char *server_fault(const char *text, size_t size, bool *has_port) {
    const char *end = text + size;
    const char *after = size > 0 && *text == '[' ? memchr(text, ']', size) : text;
    if (after == NULL)
        return "";
    const char *colon = memchr(after, ':', (size_t)(end - after));
    const char *host_end = colon != NULL ? colon : end;
    for (const char *at = text; at < host_end; at++)
        if (isspace((unsigned char)*at) || strchr("/,;@", *at) != NULL)
            return "";
    *has_port = colon != NULL;
    if (host_end == text)
        return "";
    return colon != NULL ? port_fault(colon + 1, (size_t)(end - colon - 1)) : NULL;
}

static bool take_server(struct reading *reading, const char *text, size_t size, struct error *err) {
    static const char mark[] = "://";
    const char *end = text + size;
    const char *after = memmem(text, size, mark, sizeof mark - 1);
    if (after != NULL && !take_protocol(reading, text, (size_t)(after - text), err))
        return false;
    const char *server = after != NULL ? after + sizeof mark - 1 : text;
    bool has_port;
    const char *fault = server_fault(server, (size_t)(end - server), &has_port);
    if (fault != NULL)
        return error_set(err, ERROR_CONFIG,
                         "want brokers as host:port, separated by commas; '%.*s' is none%s",
                         (int)size, text, fault);
    reading->used += (size_t)snprintf(reading->list + reading->used, reading->size - reading->used,
                                      "%s%.*s%s", reading->used > 0 ? "," : "", (int)(end - server),
                                      server, has_port ? "" : DEFAULT_PORT);
    return true;
}

static bool take_servers(struct reading *reading, const char *text, struct error *err) {
    for (const char *at = text;; at++) {
        at += strspn(at, " \t");
        size_t size = strcspn(at, ","), trimmed = size;
        while (trimmed > 0 && isspace((unsigned char)at[trimmed - 1]))
            trimmed--;
        if (trimmed > 0 && !take_server(reading, at, trimmed, err))
            return false;
        at += size;
        if (*at == '\0')
            break;
    }
    return reading->used > 0 ||
           error_set(err, ERROR_CONFIG,
                     "want brokers as host:port, separated by commas; there is none");
}

bool servers_parse(const char *text, char **list, const char **protocol, struct error *err) {
    struct reading reading = {.size = (strlen(text) + 1) * sizeof DEFAULT_PORT};
    reading.list = must_alloc(reading.size, 1);
    bool ok = true;
    if (strncmp(text, "file:", 5) != 0)
        ok = take_servers(&reading, text, err);
    else if (text[5] == '\0')
        ok = error_set(err, ERROR_CONFIG, "want a directory of captured records behind file:");
    else
        memcpy(reading.list, text, strlen(text) + 1);
    if (!ok) {
        free(reading.list);
        return false;
    }
    *list = reading.list;
    *protocol = reading.protocol;
    return true;
}
