/* tcp.h: a connection to a host by name or address, made without waiting longer than we want. */
#ifndef STREAMING_CLUSTER_CONNECT_TCP_H
#define STREAMING_CLUSTER_CONNECT_TCP_H

#include "base/error.h"
#include "streaming/cluster/connect/patience.h"

/* *fd: connected, non-blocking, without Nagle's delay, and watched by the kernel's keep-alive. All
 * addresses of the host are tried. CALL_DONE, _BROKEN (errno says why; 0: there is no such
 * host), _LATE or _STOPPED. */
enum call_outcome tcp_connect(const char *host, int port, const struct patience *patience, int *fd,
                              struct error *err);

#endif
