/* transport.h: bytes to and from a server over TCP, in the clear or by TLS. Nothing here waits
 * without limit. For one thread. */
#ifndef STREAMING_CLUSTER_CONNECT_TRANSPORT_H
#define STREAMING_CLUSTER_CONNECT_TRANSPORT_H

#include <sys/types.h>

#include "base/error.h"
#include "streaming/cluster/connect/connect_url.h"
#include "streaming/cluster/connect/patience.h"

/* A bare connection. *fd: connected, non-blocking, without Nagle's delay, and watched by the
 * kernel's keep-alive. All addresses of the host are tried. CALL_DONE, _BROKEN (errno says why; 0:
 * there is no such host), _LATE or _STOPPED. */
enum call_outcome tcp_connect(const char *host, int port, const struct patience *patience, int *fd,
                              struct error *err);

struct transport;

/* CALL_DONE, _BROKEN, _REFUSED (TLS), _LATE or _STOPPED. */
enum call_outcome transport_open(const struct connect_url *url, const struct patience *patience,
                                 struct transport **transport, struct error *err);
void transport_close(struct transport *transport); // accepts NULL

/* How many bytes, perhaps fewer than asked for; 0: none at this moment. -1: broken, or closed by
 * the peer, and *err says how. */
ssize_t transport_read(struct transport *transport, void *bytes, size_t size, struct error *err);
ssize_t transport_write(struct transport *transport, const void *bytes, size_t size,
                        struct error *err);

/* Waits until there may be something to read, or, if the last write was not taken whole, until
 * more can be written; at most until `until_ms`. CALL_DONE, _LATE or _STOPPED. */
enum call_outcome transport_wait(struct transport *transport, const struct patience *patience,
                                 int64_t until_ms);

#endif
