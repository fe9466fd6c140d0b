/* grpc_server.h: a gRPC server in a thread, which answers each call as a test says: well, in
 * pieces, with an error, with nonsense, or not at all. */
#ifndef TESTS_GRPC_SERVER_H
#define TESTS_GRPC_SERVER_H

#include <arpa/inet.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "streaming/cluster/connect/connect_url.h"

enum { FIELDS_TEXT_MAX = 4096, BODY_MAX = 1 << 20 };

/* What came: fields as "name: value\n", and the message behind its prefix. */
struct request {
    int number; // of the calls so far, from 0
    char path[128];
    char fields[FIELDS_TEXT_MAX];
    uint8_t body[BODY_MAX];
    size_t size;
};

enum reply_end {
    END_TRAILERS,      // after the body
    END_TRAILERS_ONLY, // no body, no headers before
    END_NOTHING,       // no status: the stream just ends
    END_RESET,
    END_HANG_UP,     // the connection is closed behind the body
    END_GO_AWAY,     // answered well, and no further call is taken on this connection
    END_STAY_OPEN,   // the stream stays open, but nothing comes; PING is answered
    END_FREEZE,      // not even that
    END_MANY_FIELDS, // more of them than anybody would send
};

struct reply {
    enum reply_end end;
    const char *http_status;  // NULL: "200"
    const char *content_type; // NULL: "application/grpc"
    uint8_t *body;            // frames; owned by the reply, malloc()ed
    size_t size;
    size_t piece;            // bytes to a DATA frame; 0: as many as fit
    const char *grpc_status; // NULL: "0"
    const char *grpc_message, *details;
};

struct grpc_server {
    struct reply (*answer)(const struct request *request); // NULL: see raw
    void (*raw)(int connection);                           // does all with a connection
    int listener, port;
    pthread_t thread;
    atomic_bool ended;
    atomic_int connections, calls, pings;
    struct request request; // the one under way
    struct connect_url url;
    char host[16];
};

struct server_call {
    struct grpc_server *server;
    nghttp2_session *session;
    struct reply reply;
    size_t sent;
    bool over; // nothing more is done with the connection
};

/* Adds a message to a reply's body. */
static inline void reply_add(struct reply *reply, const void *message, size_t size) {
    reply->body = realloc(reply->body, reply->size + 5 + size);
    check(reply->body != NULL);
    const uint8_t prefix[5] = {0, (uint8_t)(size >> 24), (uint8_t)(size >> 16),
                               (uint8_t)(size >> 8), (uint8_t)size};
    memcpy(reply->body + reply->size, prefix, 5);
    if (size > 0)
        memcpy(reply->body + reply->size + 5, message, size);
    reply->size += 5 + size;
}

static inline nghttp2_nv server_field(const char *name, const char *value) {
    return (nghttp2_nv){.name = (uint8_t *)name,
                        .value = (uint8_t *)value,
                        .namelen = strlen(name),
                        .valuelen = strlen(value)};
}

static inline size_t server_trailers(const struct reply *reply, nghttp2_nv *fields) {
    size_t count = 0;
    fields[count++] =
        server_field("grpc-status", reply->grpc_status == NULL ? "0" : reply->grpc_status);
    if (reply->grpc_message != NULL)
        fields[count++] = server_field("grpc-message", reply->grpc_message);
    if (reply->details != NULL)
        fields[count++] = server_field("grpc-status-details-bin", reply->details);
    return count;
}

static inline void server_end(struct server_call *call, int32_t stream, uint32_t *flags) {
    nghttp2_nv trailers[3];
    switch (call->reply.end) {
    case END_TRAILERS:
    case END_GO_AWAY:
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        check(nghttp2_submit_trailer(call->session, stream, trailers,
                                     server_trailers(&call->reply, trailers)) == 0);
        if (call->reply.end == END_GO_AWAY)
            check(nghttp2_submit_goaway(call->session, NGHTTP2_FLAG_NONE, stream, NGHTTP2_NO_ERROR,
                                        NULL, 0) == 0);
        break;
    case END_RESET:
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        check(nghttp2_submit_rst_stream(call->session, NGHTTP2_FLAG_NONE, stream,
                                        NGHTTP2_INTERNAL_ERROR) == 0);
        break;
    case END_HANG_UP:
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        call->over = true;
        break;
    case END_STAY_OPEN:
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        break;
    default:
        break;
    }
}

static inline ssize_t server_read(nghttp2_session *session, int32_t stream, uint8_t *to,
                                  size_t size, uint32_t *flags, nghttp2_data_source *source,
                                  void *context) {
    (void)session, (void)source;
    struct server_call *call = context;
    size_t left = call->reply.size - call->sent;
    size_t taken = size < left ? size : left;
    if (call->reply.piece > 0 && call->reply.piece < taken)
        taken = call->reply.piece;
    if (taken > 0)
        memcpy(to, call->reply.body + call->sent, taken);
    call->sent += taken;
    if (call->sent == call->reply.size) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        server_end(call, stream, flags);
    }
    return (ssize_t)taken;
}

static inline void server_freeze(const struct server_call *call) {
    while (!call->server->ended)
        usleep(1000);
}

static inline void server_many_fields(struct server_call *call, int32_t stream) {
    static char value[2000];
    memset(value, 'x', sizeof value - 1);
    nghttp2_nv fields[60];
    fields[0] = server_field(":status", "200");
    for (size_t i = 1; i < sizeof fields / sizeof *fields; i++) {
        fields[i] = server_field("x-more", value);
        fields[i].flags = NGHTTP2_NV_FLAG_NO_INDEX; // or they would be a byte each
    }
    // nghttp2 itself sends no more than this at once; twice of it is beyond any limit.
    check(nghttp2_submit_headers(call->session, NGHTTP2_FLAG_NONE, stream, NULL, fields, 30,
                                 NULL) == 0);
    check(nghttp2_submit_trailer(call->session, stream, fields + 1, 30) == 0);
}

static inline void server_answer(struct server_call *call, int32_t stream) {
    free(call->reply.body);
    call->reply = call->server->answer(&call->server->request);
    call->sent = 0;
    call->server->request.number = ++call->server->calls;
    const struct reply *reply = &call->reply;
    nghttp2_nv fields[5] = {
        server_field(":status", reply->http_status == NULL ? "200" : reply->http_status),
        server_field("content-type",
                     reply->content_type == NULL ? "application/grpc" : reply->content_type)};
    nghttp2_data_provider provider = {.read_callback = server_read};
    if (reply->end == END_FREEZE)
        server_freeze(call);
    else if (reply->end == END_MANY_FIELDS)
        server_many_fields(call, stream);
    else if (reply->end == END_TRAILERS_ONLY)
        check(nghttp2_submit_response(call->session, stream, fields,
                                      2 + server_trailers(reply, fields + 2), NULL) == 0);
    else
        check(nghttp2_submit_response(call->session, stream, fields, 2, &provider) == 0);
}

static inline int server_on_header(nghttp2_session *session, const nghttp2_frame *frame,
                                   const uint8_t *name, size_t name_size, const uint8_t *value,
                                   size_t value_size, uint8_t flags, void *context) {
    (void)session, (void)frame, (void)flags;
    struct request *request = &((struct server_call *)context)->server->request;
    size_t used = strlen(request->fields);
    snprintf(request->fields + used, sizeof request->fields - used, "%.*s: %.*s\n", (int)name_size,
             (const char *)name, (int)value_size, (const char *)value);
    if (name_size == 5 && memcmp(name, ":path", 5) == 0)
        snprintf(request->path, sizeof request->path, "%.*s", (int)value_size, (const char *)value);
    return 0;
}

static inline int server_on_data(nghttp2_session *session, uint8_t flags, int32_t stream,
                                 const uint8_t *bytes, size_t size, void *context) {
    (void)session, (void)flags, (void)stream;
    struct request *request = &((struct server_call *)context)->server->request;
    check(request->size + size <= BODY_MAX);
    memcpy(request->body + request->size, bytes, size);
    request->size += size;
    return 0;
}

static inline int server_on_begin(nghttp2_session *session, const nghttp2_frame *frame,
                                  void *context) {
    (void)session, (void)frame;
    struct request *request = &((struct server_call *)context)->server->request;
    request->fields[0] = '\0';
    request->size = 0;
    return 0;
}

static inline int server_on_frame(nghttp2_session *session, const nghttp2_frame *frame,
                                  void *context) {
    (void)session;
    struct server_call *call = context;
    struct request *request = &call->server->request;
    bool asked = frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0;
    call->server->pings += asked;
    bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (!ends || (frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS))
        return 0;
    check(request->size >= 5);
    memmove(request->body, request->body + 5, request->size - 5);
    request->size -= 5;
    server_answer(call, frame->hd.stream_id);
    return 0;
}

static inline bool server_flush(struct server_call *call, int connection) {
    const uint8_t *bytes;
    for (;;) {
        ssize_t size = nghttp2_session_mem_send(call->session, &bytes);
        if (size <= 0)
            return size == 0;
        for (ssize_t sent = 0; sent < size;) {
            ssize_t more = send(connection, bytes + sent, (size_t)(size - sent), MSG_NOSIGNAL);
            if (more < 0)
                return false;
            sent += more;
        }
    }
}

/* Hangs up so that all that was sent arrives: a close with something unread would be a reset. */
static inline void server_hang_up(const struct grpc_server *server, int connection) {
    char bytes[4096];
    struct pollfd polled = {.fd = connection, .events = POLLIN};
    shutdown(connection, SHUT_WR);
    while (!server->ended &&
           (poll(&polled, 1, 10) == 0 || recv(connection, bytes, sizeof bytes, 0) > 0))
        continue;
}

static inline void server_serve(struct grpc_server *server, int connection) {
    struct server_call call = {.server = server};
    nghttp2_session_callbacks *callbacks;
    check(nghttp2_session_callbacks_new(&callbacks) == 0);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, server_on_begin);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, server_on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, server_on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, server_on_frame);
    check(nghttp2_session_server_new(&call.session, callbacks, &call) == 0);
    nghttp2_session_callbacks_del(callbacks);
    check(nghttp2_submit_settings(call.session, NGHTTP2_FLAG_NONE, NULL, 0) == 0);
    while (!server->ended && server_flush(&call, connection) && !call.over) {
        uint8_t bytes[16384];
        struct pollfd polled = {.fd = connection, .events = POLLIN};
        if (poll(&polled, 1, 10) == 0)
            continue;
        ssize_t got = recv(connection, bytes, sizeof bytes, 0);
        if (got <= 0 || nghttp2_session_mem_recv(call.session, bytes, (size_t)got) < 0)
            break;
    }
    server_hang_up(server, connection);
    nghttp2_session_del(call.session);
    free(call.reply.body);
}

static inline void *server_main(void *argument) {
    struct grpc_server *server = argument;
    for (;;) {
        int connection = accept(server->listener, NULL, NULL);
        if (server->ended)
            return NULL;
        check(connection >= 0);
        server->connections++;
        if (server->raw != NULL)
            server->raw(connection);
        else
            server_serve(server, connection);
        close(connection);
    }
}

static inline void server_start(struct grpc_server *server,
                                struct reply (*answer)(const struct request *request),
                                void (*raw)(int connection)) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    memset(server, 0, sizeof *server);
    server->answer = answer;
    server->raw = raw;
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(bind(server->listener, (struct sockaddr *)&address, sizeof address) == 0);
    check(listen(server->listener, 16) == 0);
    check(getsockname(server->listener, (struct sockaddr *)&address, &size) == 0);
    server->port = ntohs(address.sin_port);
    snprintf(server->host, sizeof server->host, "127.0.0.1");
    server->url =
        (struct connect_url){.host = server->host, .port = server->port, .user_id = (char *)"ann"};
    check(pthread_create(&server->thread, NULL, server_main, server) == 0);
}

static inline void server_stop(struct grpc_server *server) {
    server->ended = true;
    shutdown(server->listener, SHUT_RDWR); // wakes accept()
    check(pthread_join(server->thread, NULL) == 0);
    close(server->listener);
}

#endif
