/* connect_url.c: the URL is split first (host and port, then name=value pairs between semicolons),
 * and percent-encoding is undone only within a value, so that an encoded ';' does not end one.
 *
 * No error quotes a value, because it may be a secret. A token is never sent in the clear, except
 * to this machine. */
#include "streaming/cluster/connect/connect_url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/check.h"
#include "base/system/uuid.h"
#include "base/text.h"

enum { HOST_MAX = 253 }; // of a name (RFC 1035, 2.3.4)

static const char scheme[] = "sc://";

static int hexadecimal(char letter) {
    static const char digits[] = "0123456789abcdef";
    if (letter >= 'A' && letter <= 'F')
        letter = (char)(letter - 'A' + 'a');
    const char *found = letter == '\0' ? NULL : strchr(digits, letter);
    return found == NULL ? -1 : (int)(found - digits);
}

char *percent_decode(const char *text, size_t size, bool *whole) {
    char *decoded = must_alloc(size + 1, 1), *to = decoded;
    *whole = true;
    for (size_t i = 0; i < size; i++) {
        int high = text[i] == '%' && size - i > 2 ? hexadecimal(text[i + 1]) : -1;
        int low = high >= 0 ? hexadecimal(text[i + 2]) : -1;
        if (low < 0 || 16 * high + low == 0) {
            // %00 is left as it is, too: it would end the text.
            *whole = *whole && text[i] != '%';
            *to++ = text[i];
        } else {
            *to++ = (char)(16 * high + low);
            i += 2;
        }
    }
    return decoded;
}

static bool is_this_machine(const char *host) {
    struct in_addr four;
    struct in6_addr six;
    if (inet_pton(AF_INET, host, &four) == 1)
        return ntohl(four.s_addr) >> 24 == 127;
    return strcasecmp(host, "localhost") == 0 ||
           (inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six));
}

static char *copy_part(const char *text, size_t size) {
    char *made = strndup(text, size);
    check(made != NULL);
    return made;
}

static char *process_user(void) {
    char room[4096];
    struct passwd entry, *found = NULL;
    // A container's number has no name as a rule: then the program's stands for it.
    if (getpwuid_r(geteuid(), &entry, room, sizeof room, &found) != 0 || found == NULL ||
        *found->pw_name == '\0')
        return text_copy("esports-stream");
    return text_copy(found->pw_name);
}

static bool read_port(const char *text, size_t size, int *port) {
    int number = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9' || number > 65535)
            return false;
        number = 10 * number + (text[i] - '0');
    }
    *port = number;
    return size > 0 && number > 0 && number <= 65535;
}

/* [from, end) is "host", "host:port" or "[address]:port". */
static bool read_place(const char *from, const char *end, struct connect_url *url,
                       struct error *err) {
    const char *host = from, *host_end = memchr(from, ':', (size_t)(end - from)), *rest;
    if (from < end && *from == '[') {
        host = from + 1;
        host_end = memchr(from, ']', (size_t)(end - from));
        if (host_end == NULL)
            return error_set(err, ERROR_CONFIG,
                             "an address that begins with '[' must end with ']'");
        rest = host_end + 1;
    } else {
        host_end = host_end == NULL ? end : host_end;
        rest = host_end;
    }
    if (host_end - host > HOST_MAX)
        return error_set(err, ERROR_CONFIG, "the host has more than %d characters", HOST_MAX);
    if (host_end == host)
        return error_set(err, ERROR_CONFIG,
                         "expected sc://host[:port][/;name=value;…]: the host is missing");
    for (const char *at = host; at < host_end; at++)
        if (!isalnum((unsigned char)*at) && strchr(".-_:%", *at) == NULL)
            return error_set(err, ERROR_CONFIG,
                             "expected sc://host[:port][/;name=value;…]: the host contains an "
                             "invalid character");
    url->host = copy_part(host, (size_t)(host_end - host));
    url->port = CONNECT_PORT;
    if (rest == end)
        return true;
    if (*rest != ':' || !read_port(rest + 1, (size_t)(end - rest - 1), &url->port))
        return error_set(err, ERROR_CONFIG, "expected a port from 1 to 65535 after '%s'",
                         url->host);
    return true;
}

static bool is_printable(const char *text) {
    for (; *text != '\0'; text++)
        if (*text < 0x20 || *text > 0x7e)
            return false;
    return true;
}

/* What a header's name may be: those that the call itself sends are ours. */
static bool may_be_header(const char *name) {
    static const char *const ours[] = {"authorization", "content-type", "te",
                                       "user-agent",    "host",         "connection"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (strcmp(name, ours[i]) == 0)
            return false;
    size_t size = strlen(name);
    return strncmp(name, "grpc-", 5) != 0 && size == strspn(name, "abcdefghijklmnopqrstuvwxyz"
                                                                  "0123456789_.-");
}

static bool add_header(struct connect_url *url, const char *name, const char *value,
                       struct error *err) {
    char *lower = text_copy(name);
    for (char *at = lower; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
    bool fits = may_be_header(lower) && is_printable(value);
    if (!fits || url->header_count == CONNECT_HEADERS_MAX) {
        free(lower);
        return error_set(err, ERROR_CONFIG,
                         fits ? "%s: too many parameters" : "%s: cannot be an HTTP header", name);
    }
    url->headers[url->header_count++] =
        (struct connect_header){.name = lower, .value = text_copy(value)};
    return true;
}

static void replace(char **at, const char *value) {
    free(*at);
    *at = text_copy(value);
}

/* The value is never printed: it may be a secret under any name. */
static bool take_pair(struct connect_url *url, const char *name, const char *value,
                      struct error *err) {
    if (strcmp(name, "use_ssl") == 0) {
        url->use_ssl = strcasecmp(value, "true") == 0;
        return url->use_ssl || strcasecmp(value, "false") == 0 ||
               error_set(err, ERROR_CONFIG, "use_ssl: expected true or false");
    }
    if (*value == '\0')
        return error_set(err, ERROR_CONFIG, "%s: the value is missing", name);
    if (strcmp(name, "token") == 0) {
        replace(&url->token, value);
        return (is_printable(value) && strchr(value, ' ') == NULL) ||
               error_set(err, ERROR_CONFIG, "token: contains an invalid character");
    }
    if (strcmp(name, "user_id") == 0) {
        replace(&url->user_id, value);
        return true;
    }
    if (strcmp(name, "session_id") == 0) {
        replace(&url->session_id, value);
        return uuid_is_valid(value) || error_set(err, ERROR_CONFIG, "session_id: expected a UUID");
    }
    return add_header(url, name, value, err);
}

/* [from, end) is "name=value". */
static bool read_pair(struct connect_url *url, const char *from, const char *end,
                      struct error *err) {
    const char *equals = memchr(from, '=', (size_t)(end - from));
    if (equals == NULL || equals == from)
        // Not quoted: it may be the rest of a token with a ';' in it.
        return error_set(
            err, ERROR_CONFIG,
            "expected name=value between the semicolons (write ';' in a value as %%3B)");
    bool whole;
    char *name = copy_part(from, (size_t)(equals - from));
    char *value = percent_decode(equals + 1, (size_t)(end - equals - 1), &whole);
    bool taken = whole ? take_pair(url, name, value, err)
                       : error_set(err, ERROR_CONFIG,
                                   "%s: in a value, '%%' must be followed by two hexadecimal "
                                   "digits (write '%%' as %%25)",
                                   name);
    free(name);
    free(value);
    return taken;
}

/* `text` is what follows host and port: "", "/" or "/;name=value;…". */
static bool read_pairs(struct connect_url *url, const char *text, struct error *err) {
    if (*text == '\0' || strcmp(text, "/") == 0)
        return true;
    if (strncmp(text, "/;", 2) != 0)
        return error_set(err, ERROR_CONFIG,
                         "expected '/;' between the host and the parameters, and no path");
    for (const char *at = text + 2; *at != '\0';) {
        const char *end = strchrnul(at, ';');
        if (end > at && !read_pair(url, at, end, err))
            return false;
        at = *end == ';' ? end + 1 : end;
    }
    return true;
}

static bool read_url(const char *text, struct connect_url *url, struct error *err) {
    if (strncmp(text, scheme, strlen(scheme)) != 0)
        return error_set(err, ERROR_CONFIG, "expected sc://host[:port][/;name=value;…]");
    const char *place = text + strlen(scheme), *end = place + strcspn(place, "/;");
    if (!read_place(place, end, url, err) || !read_pairs(url, end, err))
        return false;
    check(url->host != NULL);
    if (url->token != NULL && !url->use_ssl && !is_this_machine(url->host))
        return error_set(err, ERROR_CONFIG,
                         "the token would be sent to '%s' unencrypted: add use_ssl=true",
                         url->host);
    if (url->user_id == NULL)
        url->user_id = process_user();
    return true;
}

bool connect_url_parse(const char *text, struct connect_url *url, struct error *err) {
    struct connect_url read = {0};
    if (!read_url(text, &read, err)) {
        connect_url_deinit(&read);
        return false;
    }
    *url = read;
    return true;
}

void connect_url_deinit(struct connect_url *url) {
    for (size_t i = 0; i < url->header_count; i++) {
        free(url->headers[i].name);
        free(url->headers[i].value);
    }
    free(url->host);
    free(url->token);
    free(url->user_id);
    free(url->session_id);
    *url = (struct connect_url){0};
}
