/* transport.c: getaddrinfo() has no time limit, so a name is looked up by a detached thread, which
 * we stop waiting for when our patience ends; the last of the two to leave frees what they share.
 * Then the addresses are tried in order, each for its share of the time that is left. The socket
 * never blocks: all waiting is patience_poll()'s, so a request to stop is heard. TLS may have to
 * read before it can write and the other way round, so each side notes what it waits for. */
#include "streaming/cluster/connect/transport.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/scope.h"
#include "base/system/clock.h"
#include "streaming/cluster/connect/tls.h"

/* ---- TCP ---- */

enum {
    LOOKUP_POLL_MS = 10,
    // A host that has vanished is noticed about 25 s after its last sign, whether or not something
    // is being sent to it.
    KEEP_ALIVE_IDLE_S = 10,
    KEEP_ALIVE_INTERVAL_S = 5,
    KEEP_ALIVE_COUNT = 3,
    UNACKNOWLEDGED_MS = 25000,
};

/* A name that a separate thread looks up, because getaddrinfo() may take as long as the system's
 * resolver likes. The last user frees it. */
struct lookup {
    pthread_mutex_t lock; // guards what follows, except the question
    bool done, abandoned;
    int failure;
    struct addrinfo *found;
    char host[256], service[8];
};

static int look_up(const char *host, const char *service, int flags, struct addrinfo **found) {
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};
    *found = NULL;
    return getaddrinfo(host, service, &hints, found);
}

static void lookup_free(struct lookup *lookup) {
    if (lookup->found != NULL)
        freeaddrinfo(lookup->found);
    check(pthread_mutex_destroy(&lookup->lock) == 0);
    free(lookup);
}

static void *lookup_main(void *argument) {
    struct lookup *lookup = argument;
    struct addrinfo *found;
    int failure = look_up(lookup->host, lookup->service, 0, &found);
    pthread_mutex_lock(&lookup->lock);
    lookup->failure = failure;
    lookup->found = found;
    lookup->done = true;
    bool abandoned = lookup->abandoned;
    pthread_mutex_unlock(&lookup->lock);
    if (abandoned)
        lookup_free(lookup);
    return NULL;
}

static bool lookup_is_done(struct lookup *lookup) {
    pthread_mutex_lock(&lookup->lock);
    bool done = lookup->done;
    pthread_mutex_unlock(&lookup->lock);
    return done;
}

/* Takes what was found, and leaves; the thread may still be at it. */
static int lookup_leave(struct lookup *lookup, struct addrinfo **found) {
    pthread_mutex_lock(&lookup->lock);
    bool done = lookup->done;
    int failure = lookup->failure;
    *found = lookup->found;
    lookup->found = NULL;
    lookup->abandoned = true;
    pthread_mutex_unlock(&lookup->lock);
    if (done)
        lookup_free(lookup);
    return failure;
}

static enum call_outcome look_up_in_time(const char *host, const char *service,
                                         const struct patience *patience, struct addrinfo **found,
                                         int *failure) {
    *failure = look_up(host, service, AI_NUMERICHOST, found); // needs nobody
    if (*failure == 0)
        return CALL_DONE;
    struct lookup *lookup = must_alloc(1, sizeof *lookup);
    snprintf(lookup->host, sizeof lookup->host, "%s", host);
    snprintf(lookup->service, sizeof lookup->service, "%s", service);
    check(pthread_mutex_init(&lookup->lock, NULL) == 0);
    pthread_attr_t detached;
    pthread_t thread;
    check(pthread_attr_init(&detached) == 0);
    check(pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED) == 0);
    bool started = pthread_create(&thread, &detached, lookup_main, lookup) == 0;
    check(pthread_attr_destroy(&detached) == 0);
    if (!started) {
        lookup_free(lookup);
        *failure = EAI_AGAIN;
        return CALL_DONE;
    }
    enum call_outcome outcome = CALL_DONE;
    while (outcome == CALL_DONE && !lookup_is_done(lookup))
        outcome = patience_sleep(patience, LOOKUP_POLL_MS);
    *failure = lookup_leave(lookup, found);
    return outcome;
}

/* Best effort: a connection without these is slower, or its end is noticed later. */
static void set_up(int fd) {
    static const struct {
        int level, name, value;
    } settings[] = {
        {IPPROTO_TCP, TCP_NODELAY, 1},
        {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, KEEP_ALIVE_IDLE_S},
        {IPPROTO_TCP, TCP_KEEPINTVL, KEEP_ALIVE_INTERVAL_S},
        {IPPROTO_TCP, TCP_KEEPCNT, KEEP_ALIVE_COUNT},
        {IPPROTO_TCP, TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS},
    };
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        (void)setsockopt(fd, settings[i].level, settings[i].name, &settings[i].value,
                         sizeof settings[i].value);
}

/* CALL_BROKEN: *failure is an errno. */
static enum call_outcome try_address(const struct addrinfo *address,
                                     const struct patience *patience, int64_t until_ms, int *fd,
                                     int *failure) {
    int made = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    *failure = errno;
    if (made < 0)
        return CALL_BROKEN;
    set_up(made);
    enum call_outcome outcome = CALL_DONE;
    *failure = connect(made, address->ai_addr, address->ai_addrlen) == 0 ? 0 : errno;
    if (*failure == EINPROGRESS) {
        socklen_t size = sizeof *failure;
        outcome = patience_poll(patience, made, POLLOUT, until_ms);
        struct pollfd polled = {.fd = made, .events = POLLOUT};
        if (poll(&polled, 1, 0) == 0)
            *failure = ETIMEDOUT;
        else if (getsockopt(made, SOL_SOCKET, SO_ERROR, failure, &size) != 0)
            *failure = errno;
    }
    if (outcome == CALL_DONE && *failure == 0) {
        *fd = made;
        return CALL_DONE;
    }
    scope_close(&made);
    return outcome == CALL_DONE ? CALL_BROKEN : outcome;
}

/* Each address gets its share of the time, so that one that answers nothing leaves some. */
static enum call_outcome try_addresses(const struct addrinfo *found,
                                       const struct patience *patience, int *fd, int *failure) {
    int64_t left = 0;
    for (const struct addrinfo *address = found; address != NULL; address = address->ai_next)
        left++;
    enum call_outcome outcome = CALL_BROKEN;
    for (const struct addrinfo *address = found; address != NULL && outcome == CALL_BROKEN;
         address = address->ai_next) {
        int64_t until_ms = clock_monotonic_ms() + patience_left_ms(patience) / left--;
        outcome = try_address(address, patience, until_ms, fd, failure);
    }
    return outcome;
}

enum call_outcome tcp_connect(const char *host, int port, const struct patience *patience, int *fd,
                              struct error *err) {
    char service[8];
    snprintf(service, sizeof service, "%d", port);
    struct addrinfo *found = NULL;
    int failure;
    enum call_outcome outcome = look_up_in_time(host, service, patience, &found, &failure);
    if (outcome != CALL_DONE)
        return patience_error(outcome, "looking up the host", err);
    if (failure != 0) {
        (void)error_set(err, ERROR_CLUSTER, "cannot look up '%s': %s", host, gai_strerror(failure));
        errno = 0;
        return CALL_BROKEN;
    }
    outcome = try_addresses(found, patience, fd, &failure);
    freeaddrinfo(found);
    if (outcome == CALL_BROKEN)
        (void)error_set(err, ERROR_CLUSTER, "connect: %s", strerror(failure));
    else if (outcome != CALL_DONE)
        (void)patience_error(outcome, "connecting", err);
    errno = failure;
    return outcome;
}

/* ---- with TLS or without ---- */

struct transport {
    int fd;
    struct tls *tls;                 // NULL: in the clear
    short read_events, write_events; // what the next read waits for, and the next write; 0: nothing
};

enum call_outcome transport_open(const struct connect_url *url, const struct patience *patience,
                                 struct transport **transport, struct error *err) {
    struct transport *opened = must_alloc(1, sizeof *opened);
    opened->fd = -1;
    opened->read_events = POLLIN;
    enum call_outcome outcome = tcp_connect(url->host, url->port, patience, &opened->fd, err);
    if (outcome == CALL_DONE && url->use_ssl)
        outcome = tls_open(opened->fd, url->host, patience, &opened->tls, err);
    if (outcome == CALL_DONE)
        *transport = opened;
    else
        transport_close(opened);
    return outcome;
}

void transport_close(struct transport *transport) {
    if (transport == NULL)
        return;
    tls_close(transport->tls);
    if (transport->fd >= 0)
        close(transport->fd);
    free(transport);
}

/* 0 when there is only to wait, or the error. */
static ssize_t failed(struct error *err) {
    if (errno == EAGAIN || errno == EINTR)
        return 0;
    (void)error_set(err, ERROR_CLUSTER, "the connection was lost: %s", strerror(errno));
    return -1;
}

ssize_t transport_read(struct transport *transport, void *bytes, size_t size, struct error *err) {
    transport->read_events = POLLIN;
    ssize_t got = transport->tls == NULL
                      ? recv(transport->fd, bytes, size, 0)
                      : tls_read(transport->tls, bytes, size, &transport->read_events);
    if (got < 0)
        return failed(err);
    if (got == 0) {
        (void)error_set(err, ERROR_CLUSTER, "the server closed the connection");
        return -1;
    }
    return got;
}

ssize_t transport_write(struct transport *transport, const void *bytes, size_t size,
                        struct error *err) {
    short events = POLLOUT;
    ssize_t sent = transport->tls == NULL ? send(transport->fd, bytes, size, MSG_NOSIGNAL)
                                          : tls_write(transport->tls, bytes, size, &events);
    transport->write_events = sent == (ssize_t)size ? 0 : sent >= 0 ? POLLOUT : events;
    return sent < 0 ? failed(err) : sent;
}

enum call_outcome transport_wait(struct transport *transport, const struct patience *patience,
                                 int64_t until_ms) {
    short events = (short)(transport->read_events | transport->write_events);
    return patience_poll(patience, transport->fd, events, until_ms);
}
