#include "surfaces/http/http_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log/log.h"

/* A burst of callers that does not fit is made to wait for a second by their own systems. */
enum { BACKLOG = 1024, PORT_MAX = 65535 };

static bool is_loopback(const struct sockaddr *address) {
    if (address->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
    return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

static void set_port(struct sockaddr *address, int port) {
    if (address->sa_family == AF_INET)
        ((struct sockaddr_in *)address)->sin_port = htons((uint16_t)port);
    else
        ((struct sockaddr_in6 *)address)->sin6_port = htons((uint16_t)port);
}

/* The descriptor, or -1 with errno. */
static int open_socket(const struct addrinfo *at) {
    int on = 1;
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    // A port whose last connections are still remembered is free; one that is listened on is not.
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

static int port_of(int fd) {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address = {.v6 = {0}};
    socklen_t size = sizeof address;
    if (getsockname(fd, &address.any, &size) != 0)
        return 0;
    return ntohs(address.any.sa_family == AF_INET ? address.v4.sin_port : address.v6.sin6_port);
}

static bool try_ports(const struct addrinfo *at, const char *host, int port,
                      struct http_listener *listener, struct error *err) {
    int last = port + HTTP_PORT_RETRIES < PORT_MAX ? port + HTTP_PORT_RETRIES : PORT_MAX;
    for (int one = port; one <= last; one++) {
        set_port(at->ai_addr, one);
        int fd = open_socket(at);
        if (fd >= 0) {
            *listener = (struct http_listener){.fd = fd,
                                               .port = port_of(fd),
                                               .family = at->ai_addr->sa_family,
                                               .is_loopback = is_loopback(at->ai_addr)};
            return true;
        }
        if (errno != EADDRINUSE)
            return error_set(err, ERROR_CONFIG, "open port %d on %s: %s", one, host,
                             strerror(errno));
        if (one < last)
            log_write(LOG_WARNING, "main",
                      "Service 'SparkUI' could not bind on port %d. Attempting port %d.", one,
                      one + 1);
    }
    return error_set(err, ERROR_CONFIG, "ports %d to %d on %s are all taken", port, last, host);
}

bool http_listen(const char *host, int port, struct http_listener *listener, struct error *err) {
    struct addrinfo wanted = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    int failure = getaddrinfo(host, NULL, &wanted, &found);
    if (failure != 0)
        return error_set(err, ERROR_CONFIG, "find '%s': %s", host, gai_strerror(failure));
    bool done = try_ports(found, host, port, listener, err);
    freeaddrinfo(found);
    return done;
}
