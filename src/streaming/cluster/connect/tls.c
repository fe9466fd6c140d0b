/* tls.c: OpenSSL over a socket that does not block, through a BIO of our own, because OpenSSL's
 * socket BIO writes without MSG_NOSIGNAL and a broken connection would end the process.
 *
 * What must stay true: the chain and the name (or address) are verified in every handshake, no
 * setting turns that off, and a peer that does not choose "h2" by ALPN is refused. TLS may want to
 * write in order to read, and the reverse; so every call says which event to wait for. */
#include "streaming/cluster/connect/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/check.h"

struct tls {
    SSL_CTX *context;
    SSL *session;
    BIO_METHOD *method;
    int fd;
};

static int clamp(size_t size) {
    return size > INT_MAX ? INT_MAX : (int)size;
}

/* OpenSSL's own socket BIO writes without MSG_NOSIGNAL. */
static int socket_write(BIO *bio, const char *bytes, int size) {
    const struct tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t sent = send(tls->fd, bytes, (size_t)size, MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_write(bio);
    return (int)sent;
}

static int socket_read(BIO *bio, char *bytes, int size) {
    const struct tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t got = recv(tls->fd, bytes, (size_t)size, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_read(bio);
    return (int)got;
}

static long socket_control(BIO *bio, int command, long number, void *pointer) {
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static BIO *socket_bio(struct tls *tls) {
    int index = BIO_get_new_index();
    check(index != -1);
    tls->method = BIO_meth_new(index | BIO_TYPE_SOURCE_SINK, "socket");
    check(tls->method != NULL);
    check(BIO_meth_set_write(tls->method, socket_write) == 1);
    check(BIO_meth_set_read(tls->method, socket_read) == 1);
    check(BIO_meth_set_ctrl(tls->method, socket_control) == 1);
    BIO *bio = BIO_new(tls->method);
    check(bio != NULL);
    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    return bio;
}

/* Who the certificate must be for: a name, or an address. */
static void expect_host(SSL *session, const char *host) {
    unsigned char address[sizeof(struct in6_addr)];
    if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1) {
        check(X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host) == 1);
        return;
    }
    SSL_set_hostflags(session, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    check(SSL_set1_host(session, host) == 1);
    check(SSL_set_tlsext_host_name(session, host) == 1);
}

static void set_up(struct tls *tls, const char *host) {
    static const unsigned char protocols[] = {2, 'h', '2'};
    tls->context = SSL_CTX_new(TLS_client_method());
    check(tls->context != NULL);
    check(SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION) == 1);
    // Authorities that can't be read are none: the verification says so.
    (void)SSL_CTX_set_default_verify_paths(tls->context);
    SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(tls->context,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    check(SSL_CTX_set_alpn_protos(tls->context, protocols, sizeof protocols) == 0); // 0: done
    tls->session = SSL_new(tls->context);
    check(tls->session != NULL);
    expect_host(tls->session, host);
    BIO *bio = socket_bio(tls);
    SSL_set_bio(tls->session, bio, bio); // takes it over
}

/* What OpenSSL's call came to: -1 and errno EAGAIN with *events, another errno, or 0 at the end. */
static ssize_t translate(struct tls *tls, int result, short *events) {
    int cause = SSL_get_error(tls->session, result);
    int system = errno;
    *events = cause == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN;
    if (cause == SSL_ERROR_ZERO_RETURN)
        return 0;
    if (cause == SSL_ERROR_WANT_READ || cause == SSL_ERROR_WANT_WRITE)
        errno = EAGAIN;
    else
        errno = cause == SSL_ERROR_SYSCALL && system != 0 && system != EAGAIN ? system : ECONNRESET;
    return -1;
}

/* An error of TLS itself: what it was, and what to do. */
static enum call_outcome handshake_failed(struct tls *tls, const char *host, struct error *err) {
    long verified = SSL_get_verify_result(tls->session);
    unsigned long code = ERR_peek_error();
    const char *reason = ERR_reason_error_string(code);
    if (verified != X509_V_OK)
        (void)error_set(err, ERROR_CLUSTER,
                        "the certificate of '%s' was rejected: %s (name your own certificate "
                        "authority in SSL_CERT_FILE)",
                        host, X509_verify_cert_error_string(verified));
    else if (ERR_GET_REASON(code) == SSL_R_WRONG_VERSION_NUMBER)
        (void)error_set(err, ERROR_CLUSTER,
                        "the server does not speak TLS: remove use_ssl=true, or use its TLS port");
    else
        (void)error_set(err, ERROR_CLUSTER, "TLS: %s", reason == NULL ? "not possible" : reason);
    return CALL_REFUSED;
}

static enum call_outcome check_protocol(struct tls *tls, struct error *err) {
    const unsigned char *chosen;
    unsigned size;
    SSL_get0_alpn_selected(tls->session, &chosen, &size);
    if (size == 2 && memcmp(chosen, "h2", 2) == 0)
        return CALL_DONE;
    (void)error_set(err, ERROR_CLUSTER,
                    "the server speaks TLS, but not HTTP/2 (ALPN): it is not Spark Connect");
    return CALL_REFUSED;
}

static enum call_outcome shake_hands(struct tls *tls, const char *host,
                                     const struct patience *patience, struct error *err) {
    for (;;) {
        ERR_clear_error();
        errno = 0;
        int result = SSL_connect(tls->session);
        if (result == 1)
            return check_protocol(tls, err);
        if (SSL_get_error(tls->session, result) == SSL_ERROR_SSL &&
            ERR_GET_REASON(ERR_peek_error()) != SSL_R_UNEXPECTED_EOF_WHILE_READING)
            return handshake_failed(tls, host, err);
        short events;
        if (translate(tls, result, &events) == 0 || errno != EAGAIN) {
            (void)error_set(err, ERROR_CLUSTER,
                            "the server closed the connection during the TLS handshake");
            return CALL_BROKEN;
        }
        enum call_outcome outcome = patience_poll(patience, tls->fd, events, INT64_MAX);
        if (outcome != CALL_DONE)
            return patience_error(outcome, "TLS handshake", err);
    }
}

enum call_outcome tls_open(int fd, const char *host, const struct patience *patience,
                           struct tls **tls, struct error *err) {
    struct tls *opened = must_alloc(1, sizeof *opened);
    opened->fd = fd;
    set_up(opened, host);
    enum call_outcome outcome = shake_hands(opened, host, patience, err);
    if (outcome == CALL_DONE)
        *tls = opened;
    else
        tls_close(opened);
    ERR_clear_error();
    return outcome;
}

void tls_close(struct tls *tls) {
    if (tls == NULL)
        return;
    if (SSL_is_init_finished(tls->session))
        (void)SSL_shutdown(tls->session); // best effort: the peer notices the end in any case
    ERR_clear_error();
    SSL_free(tls->session);
    SSL_CTX_free(tls->context);
    BIO_meth_free(tls->method);
    free(tls);
}

ssize_t tls_read(struct tls *tls, void *bytes, size_t size, short *events) {
    ERR_clear_error();
    errno = 0;
    int got = SSL_read(tls->session, bytes, clamp(size));
    return got > 0 ? got : translate(tls, got, events);
}

ssize_t tls_write(struct tls *tls, const void *bytes, size_t size, short *events) {
    ERR_clear_error();
    errno = 0;
    int sent = SSL_write(tls->session, bytes, clamp(size));
    ssize_t result = sent > 0 ? sent : translate(tls, sent, events);
    if (result != 0)
        return result;
    errno = EPIPE;
    return -1;
}
