/* tls.h: TLS 1.2 or later over a connected, non-blocking socket, as HTTP/2 requires (ALPN "h2").
 *
 * The server's certificate and name are always verified, by the system's authorities or those of
 * SSL_CERT_FILE. The adapter of OpenSSL. */
#ifndef STREAMING_CLUSTER_CONNECT_TLS_H
#define STREAMING_CLUSTER_CONNECT_TLS_H

#include <sys/types.h>

#include "base/error.h"
#include "streaming/cluster/connect/patience.h"

struct tls;

/* Shakes hands. The socket stays the caller's. CALL_DONE, _BROKEN, _REFUSED (the certificate, or
 * no TLS that we can speak), _LATE or _STOPPED. */
enum call_outcome tls_open(int fd, const char *host, const struct patience *patience,
                           struct tls **tls, struct error *err);
void tls_close(struct tls *tls); // says good-bye if that can be done at once; accepts NULL

/* As recv() and send() would, with -1 and EAGAIN; *events is then what to poll() for. -1 and
 * another errno: broken; 0 from tls_read(): the peer has closed. */
ssize_t tls_read(struct tls *tls, void *bytes, size_t size, short *events);
ssize_t tls_write(struct tls *tls, const void *bytes, size_t size, short *events);

#endif
