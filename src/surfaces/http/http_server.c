/* How the server works. libmicrohttpd parses requests, but does not own a thread: ours polls the
 * library's epoll descriptor and an event descriptor that ends it, and sleeps while nobody is
 * connected. Every handler runs on that thread, one after the other, and answers from copies.
 *
 * A connection has one request. libmicrohttpd is generous with headers that are folded, or have no
 * name or a blank behind it, and a proxy in front of us may see the end of such a request
 * elsewhere: what follows must never be answered as another request (request smuggling).
 *
 * Limits keep strangers from holding it up. A request's line and headers have HTTP_REQUEST_MAX
 * bytes, a body is refused before it is read. The library's own limits would turn new callers away
 * when the table of connections is full; instead we give up the connection that has waited longest
 * (of one address, if it has too many), by shutting its socket down, which the library then finds
 * closed. */
#include "surfaces/http/http_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/limit.h"
#include "base/log/log.h"
#include "base/system/clock.h"
#include "base/system/thread.h"

/* --- the port --------------------------------------------------------------------------------- */

/* A burst of callers that does not fit is made to wait for a second by their own systems. */
enum { BACKLOG = 1024, PORT_MAX = 65535 };

/* A socket for IPv6 that takes IPv4, too, sees 127.0.0.1 as ::ffff:127.0.0.1. */
static bool is_loopback(const struct sockaddr *address) {
    if (address->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
    const struct in6_addr *v6 = &((const struct sockaddr_in6 *)address)->sin6_addr;
    return IN6_IS_ADDR_LOOPBACK(v6) || (IN6_IS_ADDR_V4MAPPED(v6) && v6->s6_addr[12] == 127);
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
            return error_set(err, ERROR_CONFIG, "cannot open port %d on %s: %s", one, host,
                             strerror(errno));
        if (one < last)
            log_write(LOG_WARNING, "main",
                      "Service 'SparkUI' could not bind on port %d. Attempting port %d.", one,
                      one + 1);
    }
    return error_set(err, ERROR_CONFIG, "ports %d to %d on %s are all in use", port, last, host);
}

bool http_listen(const char *host, int port, struct http_listener *listener, struct error *err) {
    struct addrinfo wanted = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    int failure = getaddrinfo(host, NULL, &wanted, &found);
    if (failure != 0)
        return error_set(err, ERROR_CONFIG, "cannot resolve '%s': %s", host, gai_strerror(failure));
    bool done = try_ports(found, host, port, listener, err);
    freeaddrinfo(found);
    return done;
}

/* --- answers ---------------------------------------------------------------------------------- */

/* The library accepts some connections in a row before it tells us: so many more than are kept. */
enum { BURST = 16, CONNECTIONS_MAX = HTTP_CONNECTIONS_KEPT + BURST };

enum {
    LOOK_EVERY_MS = 1000, // at connections that wait too long
    RETRY_MS = 500,
};

struct connection {
    int fd; // of the library
    struct sockaddr_storage address;
    int64_t since_ms; // it was opened
    bool given_up;
};

/* All of it belongs to the server's thread, but `wake`. */
struct http_server {
    struct MHD_Daemon *daemon;
    http_handler *handle;
    void *context;
    struct connection *connections[CONNECTIONS_MAX]; // owned, in no order
    size_t connection_count;
    int wake; // an event descriptor: the thread is to end
    pthread_t thread;
};

static const struct {
    const char *name, *value;
} fixed_headers[] = {
    {MHD_HTTP_HEADER_CACHE_CONTROL, "no-store"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {MHD_HTTP_HEADER_CONNECTION, "close"},
};

static const char nothing_policy[] = "default-src 'none'; frame-ancestors 'none'";

static bool add_headers(struct MHD_Response *answer, const struct http_response *response) {
    bool added = true;
    for (size_t i = 0; i < sizeof fixed_headers / sizeof fixed_headers[0]; i++)
        added = added && MHD_add_response_header(answer, fixed_headers[i].name,
                                                 fixed_headers[i].value) == MHD_YES;
    const char *policy = response->policy != NULL ? response->policy : nothing_policy;
    added =
        added && MHD_add_response_header(answer, "Content-Security-Policy", policy) == MHD_YES &&
        MHD_add_response_header(answer, MHD_HTTP_HEADER_CONTENT_TYPE, response->type) == MHD_YES;
    if (response->encoding != NULL)
        added = added && MHD_add_response_header(answer, MHD_HTTP_HEADER_CONTENT_ENCODING,
                                                 response->encoding) == MHD_YES;
    if (response->status == HTTP_UNAUTHORIZED)
        added = added && MHD_add_response_header(answer, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
                                                 "Bearer") == MHD_YES;
    if (response->status == HTTP_METHOD_NOT_ALLOWED)
        added =
            added && MHD_add_response_header(answer, MHD_HTTP_HEADER_ALLOW, "GET, HEAD") == MHD_YES;
    return added;
}

/* Takes the response over. MHD_NO: the library closes the connection. */
static enum MHD_Result send_response(struct MHD_Connection *connection,
                                     struct http_response *response) {
    const void *bytes = response->body != NULL ? response->body : response->constant;
    enum MHD_ResponseMemoryMode mode =
        response->body != NULL ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT;
    struct MHD_Response *answer =
        MHD_create_response_from_buffer(response->size, (void *)bytes, mode);
    if (answer == NULL) {
        http_response_deinit(response);
        return MHD_NO;
    }
    enum MHD_Result sent = MHD_NO;
    if (add_headers(answer, response))
        sent = MHD_queue_response(connection, response->status, answer);
    MHD_destroy_response(answer); // and with it the body, once it is sent
    return sent;
}

static enum MHD_Result take_argument(void *context, enum MHD_ValueKind kind, const char *name,
                                     const char *value) {
    struct http_request *request = context;
    (void)kind;
    if (request->argument_count == HTTP_ARGUMENTS_MAX)
        return MHD_NO;
    request->names[request->argument_count] = name;
    request->values[request->argument_count++] = value != NULL ? value : "";
    return MHD_YES;
}

/* The headers that say where a request ends, and whom it is for. */
struct framing {
    size_t hosts, lengths, codings;
    bool has_body;
};

static enum MHD_Result take_framing(void *context, enum MHD_ValueKind kind, const char *name,
                                    const char *value) {
    struct framing *framing = context;
    (void)kind;
    if (strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0)
        framing->hosts++;
    if (strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0)
        framing->codings++;
    if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0) {
        framing->lengths++;
        framing->has_body = framing->has_body || value == NULL || strcmp(value, "0") != 0;
    }
    return MHD_YES;
}

/* What is refused before anybody looks at the path. A request whose end or host a proxy in front of
 * us may read otherwise than we do is refused, too. */
static bool refuse(struct MHD_Connection *connection, const char *method,
                   struct http_response *response) {
    struct framing framing = {0};
    (void)MHD_get_connection_values(connection, MHD_HEADER_KIND, take_framing, &framing);
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        http_response_error(response, HTTP_METHOD_NOT_ALLOWED,
                            "only GET and HEAD are allowed: nothing can be changed here");
    else if (framing.hosts > 1 || framing.lengths > 1 || framing.codings > 1 ||
             (framing.lengths > 0 && framing.codings > 0))
        http_response_error(response, HTTP_BAD_REQUEST,
                            "Host, Content-Length and Transfer-Encoding may be there only once, "
                            "and not the last two together");
    else if (framing.has_body || framing.codings > 0)
        http_response_error(response, HTTP_CONTENT_TOO_LARGE,
                            "a request must not have a body here");
    else
        return false;
    return true;
}

/* The library calls it twice: when the headers are there, and when the request is. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **state) {
    static int seen;
    struct http_server *server = context;
    struct http_response response = {0};
    (void)version, (void)upload;
    if (*state == NULL) {
        *state = &seen;
        return refuse(connection, method, &response) ? send_response(connection, &response)
                                                     : MHD_YES;
    }
    if (*upload_size != 0) {
        *upload_size = 0; // a body that was not announced: thrown away
        return MHD_YES;
    }
    const union MHD_ConnectionInfo *client =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct http_request request = {
        .path = url,
        .from_loopback = client != NULL && is_loopback(client->client_addr),
        .host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST),
        .authorization =
            MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION),
        .accept_encoding = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                                       MHD_HTTP_HEADER_ACCEPT_ENCODING)};
    (void)MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, take_argument, &request);
    server->handle(server->context, &request, &response);
    return send_response(connection, &response);
}

/* --- connections ------------------------------------------------------------------------------ */

static bool is_same_address(const struct sockaddr_storage *a, const struct sockaddr_storage *b) {
    if (a->ss_family != b->ss_family)
        return false;
    if (a->ss_family == AF_INET6)
        return memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr,
                      &((const struct sockaddr_in6 *)b)->sin6_addr, sizeof(struct in6_addr)) == 0;
    return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
           ((const struct sockaddr_in *)b)->sin_addr.s_addr;
}

/* The library finds it closed, and ends it. */
static void give_up(struct connection *connection) {
    connection->given_up = true;
    (void)shutdown(connection->fd, SHUT_RDWR);
}

/* If more than `kept` connections (of the address, unless it is NULL) are open, gives up the one
 * that has waited longest. */
static void keep_room(struct http_server *server, const struct sockaddr_storage *address,
                      size_t kept) {
    struct connection *oldest = NULL;
    size_t count = 0;
    for (size_t i = 0; i < server->connection_count; i++) {
        struct connection *one = server->connections[i];
        if (one->given_up || (address != NULL && !is_same_address(&one->address, address)))
            continue;
        count++;
        if (oldest == NULL || one->since_ms < oldest->since_ms)
            oldest = one;
    }
    if (count > kept)
        give_up(oldest);
}

static void add_connection(struct http_server *server, struct MHD_Connection *connection,
                           void **state) {
    check(server->connection_count < CONNECTIONS_MAX);
    struct connection *added = must_alloc(1, sizeof *added);
    // An answer holds until the next question: libmicrohttpd 1.0 keeps them in one place.
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    check(info != NULL);
    added->fd = info->connect_fd;
    info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    check(info != NULL);
    memcpy(&added->address, info->client_addr,
           info->client_addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                    : sizeof(struct sockaddr_in));
    added->since_ms = clock_monotonic_ms();
    server->connections[server->connection_count++] = added;
    *state = added;
    keep_room(server, &added->address, HTTP_CONNECTIONS_OF_ONE);
    keep_room(server, NULL, HTTP_CONNECTIONS_KEPT);
}

static void remove_connection(struct http_server *server, struct connection *removed) {
    for (size_t i = 0; i < server->connection_count; i++)
        if (server->connections[i] == removed)
            server->connections[i] = server->connections[--server->connection_count];
    free(removed);
}

static void on_connection(void *context, struct MHD_Connection *connection, void **state,
                          enum MHD_ConnectionNotificationCode code) {
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        add_connection(context, connection, state);
    else if (*state != NULL)
        remove_connection(context, *state);
}

static void give_up_waiting(struct http_server *server) {
    int64_t now_ms = clock_monotonic_ms();
    for (size_t i = 0; i < server->connection_count; i++) {
        struct connection *one = server->connections[i];
        if (!one->given_up && now_ms - one->since_ms > HTTP_CONNECTION_MS)
            give_up(one);
    }
}

/* --- the thread ------------------------------------------------------------------------------- */

static bool is_to_end(const struct http_server *server) {
    uint64_t count;
    return read(server->wake, &count, sizeof count) == (ssize_t)sizeof count;
}

/* Waits until there is something to do. An error (ENOMEM) may pass, so it is retried; false:
 * there is one. */
static bool wait_for_work(struct pollfd watched[static 2], int timeout_ms, bool *failing) {
    bool failed = poll(watched, 2, timeout_ms) < 0 && errno != EINTR;
    if (failed && !*failing)
        log_write(LOG_WARNING, "main",
                  "The page and the API are not available: cannot wait for requests; retrying | "
                  "error=%s",
                  strerror(errno));
    if (!failed && *failing)
        log_write(LOG_INFO, "main", "The page and the API are available again");
    *failing = failed;
    const struct timespec pause = {.tv_nsec = failed ? RETRY_MS * 1000000L : 0};
    if (failed)
        (void)nanosleep(&pause, NULL);
    return !failed;
}

static void *server_main(void *argument) {
    struct http_server *server = argument;
    bool failing = false;
    (void)pthread_setname_np(pthread_self(), "http"); // only for people
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    check(info != NULL);
    struct pollfd watched[] = {{.fd = info->epoll_fd, .events = POLLIN},
                               {.fd = server->wake, .events = POLLIN}};
    while (!is_to_end(server)) {
        MHD_UNSIGNED_LONG_LONG wait_ms;
        int timeout_ms = server->connection_count > 0 ? LOOK_EVERY_MS : -1;
        if (MHD_get_timeout(server->daemon, &wait_ms) == MHD_YES && timeout_ms >= 0 &&
            wait_ms < LOOK_EVERY_MS)
            timeout_ms = (int)wait_ms;
        if (!wait_for_work(watched, timeout_ms, &failing))
            continue;
        give_up_waiting(server);
        if (MHD_run(server->daemon) != MHD_YES) {
            log_write(LOG_WARNING, "main",
                      "The page and the API have stopped: the HTTP library failed. The queries "
                      "continue; restart the program to get the page back");
            break;
        }
    }
    return NULL;
}

static void server_free(struct http_server *server) {
    if (server->daemon != NULL)
        MHD_stop_daemon(server->daemon); // tells us of each connection that it closes
    if (server->wake >= 0)
        close(server->wake);
    free(server);
}

static bool start_thread(struct http_server *server, struct error *err) {
    server->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (server->wake < 0)
        return limit_error(err, "cannot create an event descriptor", errno);
    return thread_start(&server->thread, server_main, server,
                        "cannot start the HTTP server's thread", err);
}

bool http_server_start(struct http_server **out, const struct http_listener *listener,
                       http_handler *handle, void *context, struct error *err) {
    struct http_server *server = must_alloc(1, sizeof *server);
    *server = (struct http_server){.handle = handle, .context = context, .wake = -1};
    unsigned flags = MHD_USE_EPOLL | (listener->family == AF_INET6 ? MHD_USE_IPv6 : 0);
    server->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, server, MHD_OPTION_LISTEN_SOCKET, listener->fd,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)HTTP_REQUEST_MAX, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, server, MHD_OPTION_END);
    if (server->daemon == NULL) {
        close(listener->fd);
        server_free(server);
        return limit_error(err, "cannot start the HTTP server", errno);
    }
    if (!start_thread(server, err)) {
        server_free(server);
        return false;
    }
    *out = server;
    return true;
}

void http_server_stop(struct http_server *server) {
    uint64_t one = 1;
    check(write(server->wake, &one, sizeof one) == sizeof one);
    check(pthread_join(server->thread, NULL) == 0);
    server_free(server);
}
