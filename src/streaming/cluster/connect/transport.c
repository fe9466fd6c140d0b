#include "streaming/cluster/connect/transport.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "streaming/cluster/connect/tcp.h"
#include "streaming/cluster/connect/tls.h"

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
    (void)error_set(err, ERROR_CLUSTER, "the connection broke: %s", strerror(errno));
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
        (void)error_set(err, ERROR_CLUSTER, "the server hung up");
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
