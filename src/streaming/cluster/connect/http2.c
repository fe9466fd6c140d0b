/* http2.c: nghttp2 keeps the protocol's state and turns frames into bytes and back; it does no I/O.
 * http2_advance() is the loop around it: send what the session wants to send, read what has come
 * and feed it in, and otherwise wait for the socket, the deadline, or the time to ask whether the
 * server is still there.
 *
 * A server that is silent for `silence_ms` is sent a PING, and is given up if nothing at all comes
 * back within as long. gRPC servers hang up on clients that ping too often, so the second ping
 * waits twice as long, and each after that for five minutes, until a frame of an answer comes.
 *
 * Frames of any stream but the one under way are ignored: those of a call that was given up may
 * still come. What the server sends is bounded: headers here, data by the listener. */
#include "streaming/cluster/connect/http2.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/system/clock.h"
#include "streaming/cluster/connect/transport.h"

enum {
    CONNECT_MS = 10000,
    WINDOW_SIZE = 4 << 20, // what the server may send before we say that we have taken it
    READ_SIZE = 64 << 10,
    FIELDS_SIZE_MAX = 64 << 10, // headers and trailers of an answer
    FIELDS_MAX = 40,            // that we send
    IDLE_READS_MAX = 16,        // of what nobody has asked for
    // gRPC's servers count as abuse what comes more often than every five minutes, and forgive but
    // two pings since they last sent anything (gRPC A8; Spark's hangs up at the third).
    PINGS_FORGIVEN = 2,
    PING_REST_MS = 310000,
};

struct http2 {
    struct transport *transport;
    nghttp2_session *session;
    struct http2_listener listener;
    uint8_t *room; // READ_SIZE bytes
    char authority[300];
    bool use_ssl;

    const uint8_t *unsent; // the session's, until it is asked for more
    size_t unsent_size;
    const uint8_t *body; // the caller's; what of it is not sent yet
    size_t body_size;

    int32_t stream; // of the request under way; 0: none
    bool ended;
    uint32_t reset; // NGHTTP2_NO_ERROR: it ended well
    size_t fields_size;
    bool too_much;    // more came than anybody should send
    bool going_away;  // the server takes no further request
    uint8_t first[8]; // of all that came
    size_t first_size;

    int64_t silence_ms;
    int64_t heard_ms;  // when something came last, or was asked
    int64_t pinged_ms; // 0: no PING is under way
    int pings;         // since the server has sent anything but answers to them
};

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags,
                     void *context) {
    (void)session, (void)flags;
    struct http2 *connection = context;
    if (frame->hd.stream_id != connection->stream)
        return 0;
    connection->fields_size += name_size + value_size + 32;
    if (connection->fields_size > FIELDS_SIZE_MAX) {
        connection->too_much = true;
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    connection->listener.field(
        connection->listener.context,
        (struct text){.bytes = (const char *)name, .length = (uint32_t)name_size},
        (struct text){.bytes = (const char *)value, .length = (uint32_t)value_size});
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *bytes,
                   size_t size, void *context) {
    (void)session, (void)flags;
    struct http2 *connection = context;
    if (stream != connection->stream)
        return 0;
    if (connection->listener.data(connection->listener.context, bytes, size))
        return 0;
    connection->too_much = true;
    return NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context) {
    (void)session;
    struct http2 *connection = context;
    if (frame->hd.type == NGHTTP2_GOAWAY)
        connection->going_away = true;
    if (frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS)
        connection->pings = 0;
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream, uint32_t reset,
                           void *context) {
    (void)session;
    struct http2 *connection = context;
    if (stream == connection->stream) {
        connection->ended = true;
        connection->reset = reset;
    }
    return 0;
}

static ssize_t read_body(nghttp2_session *session, int32_t stream, uint8_t *to, size_t size,
                         uint32_t *flags, nghttp2_data_source *source, void *context) {
    (void)session, (void)source;
    struct http2 *connection = context;
    if (stream != connection->stream) // it was given up
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    size_t taken = size < connection->body_size ? size : connection->body_size;
    if (taken > 0)
        memcpy(to, connection->body, taken);
    connection->body += taken;
    connection->body_size -= taken;
    if (connection->body_size == 0)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)taken;
}

static void start_session(struct http2 *connection) {
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW_SIZE},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, FIELDS_SIZE_MAX},
    };
    nghttp2_session_callbacks *callbacks;
    check(nghttp2_session_callbacks_new(&callbacks) == 0);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    check(nghttp2_session_client_new(&connection->session, callbacks, connection) == 0);
    nghttp2_session_callbacks_del(callbacks);
    check(nghttp2_submit_settings(connection->session, NGHTTP2_FLAG_NONE, settings,
                                  sizeof settings / sizeof *settings) == 0);
    check(nghttp2_session_set_local_window_size(connection->session, NGHTTP2_FLAG_NONE, 0,
                                                WINDOW_SIZE) == 0);
}

enum call_outcome http2_open(const struct connect_url *url, int64_t silence_ms,
                             const struct http2_listener *listener, const struct patience *patience,
                             struct http2 **connection, struct error *err) {
    struct patience limited = patience_for(CONNECT_MS, patience, patience->stop);
    struct transport *transport;
    enum call_outcome outcome = transport_open(url, &limited, &transport, err);
    if (outcome == CALL_LATE && patience_state(patience) == CALL_DONE)
        return CALL_BROKEN;
    if (outcome != CALL_DONE)
        return outcome;
    struct http2 *opened = must_alloc(1, sizeof *opened);
    *opened = (struct http2){.transport = transport,
                             .listener = *listener,
                             .use_ssl = url->use_ssl,
                             .room = must_alloc(1, READ_SIZE),
                             .silence_ms = silence_ms,
                             .heard_ms = clock_monotonic_ms()};
    snprintf(opened->authority, sizeof opened->authority,
             strchr(url->host, ':') == NULL ? "%s:%d" : "[%s]:%d", url->host, url->port);
    start_session(opened);
    *connection = opened;
    return CALL_DONE;
}

/* CALL_DONE: all that may be sent now is with the system, or it takes no more for now. */
static enum call_outcome send_some(struct http2 *connection, struct error *err) {
    for (;;) {
        if (connection->unsent_size == 0) {
            ssize_t made = nghttp2_session_mem_send(connection->session, &connection->unsent);
            if (made < 0) {
                (void)error_set(err, ERROR_CLUSTER, "HTTP/2: %s", nghttp2_strerror((int)made));
                return CALL_BROKEN;
            }
            if (made == 0)
                return CALL_DONE;
            connection->unsent_size = (size_t)made;
        }
        ssize_t sent = transport_write(connection->transport, connection->unsent,
                                       connection->unsent_size, err);
        if (sent < 0)
            return CALL_BROKEN;
        if (sent == 0)
            return CALL_DONE;
        connection->unsent += sent;
        connection->unsent_size -= (size_t)sent;
    }
}

/* What a server that does not speak HTTP/2 says first tells what it is. */
static const char *tell_foreigner(const struct http2 *connection) {
    if (connection->first_size >= 5 && memcmp(connection->first, "HTTP/", 5) == 0)
        return "it is an HTTP/1 server, not Spark Connect";
    if (connection->first_size >= 2 && connection->first[0] == 0x15 && connection->first[1] == 3)
        return "the server requires TLS: add use_ssl=true";
    return "the server is not Spark Connect (it does not speak HTTP/2)";
}

/* A frame's type follows its size: the first from a server is SETTINGS. */
static bool is_foreign(const struct http2 *connection) {
    return connection->first_size > 3 && connection->first[3] != NGHTTP2_SETTINGS;
}

static void remember_first(struct http2 *connection, size_t size) {
    size_t room = sizeof connection->first - connection->first_size;
    size_t more = size < room ? size : room;
    memcpy(connection->first + connection->first_size, connection->room, more);
    connection->first_size += more;
}

static enum call_outcome feed(struct http2 *connection, size_t size, struct error *err) {
    remember_first(connection, size);
    ssize_t taken = nghttp2_session_mem_recv(connection->session, connection->room, size);
    if (is_foreign(connection)) {
        (void)error_set(err, ERROR_CLUSTER, "%s", tell_foreigner(connection));
        return CALL_FOREIGN;
    }
    if (connection->too_much) {
        (void)error_set(err, ERROR_CLUSTER, "the server sent too many HTTP/2 control frames");
        return CALL_FOREIGN; // and would again
    }
    if (taken >= 0)
        return CALL_DONE;
    (void)error_set(err, ERROR_CLUSTER, "HTTP/2: %s", nghttp2_strerror((int)taken));
    return CALL_BROKEN;
}

/* The connection broke: by the look of it a TLS server, if it has said nothing. */
static enum call_outcome end_without_a_word(const struct http2 *connection, struct error *err) {
    if (connection->first_size == 0 && !connection->use_ssl)
        (void)error_wrap(err, "the server sent nothing (if it requires TLS, add use_ssl=true)");
    return CALL_BROKEN;
}

/* *got false: nothing is there at the moment. */
static enum call_outcome receive_some(struct http2 *connection, bool *got, struct error *err) {
    ssize_t size = transport_read(connection->transport, connection->room, READ_SIZE, err);
    *got = size > 0;
    if (size == 0)
        return CALL_DONE;
    if (size < 0)
        return end_without_a_word(connection, err);
    connection->heard_ms = clock_monotonic_ms();
    connection->pinged_ms = 0; // any byte is a sign of life
    return feed(connection, (size_t)size, err);
}

/* When the server must be asked, or must have answered; asks if it is time to. CALL_BROKEN: it
 * has not answered. */
static enum call_outcome watch_silence(struct http2 *connection, int64_t *until_ms,
                                       struct error *err) {
    int64_t now_ms = clock_monotonic_ms();
    if (connection->pinged_ms != 0) {
        *until_ms = connection->pinged_ms + connection->silence_ms;
        if (now_ms < *until_ms)
            return CALL_DONE;
        (void)error_set(err, ERROR_CLUSTER, "the server stopped responding");
        return CALL_BROKEN;
    }
    int64_t rest_ms = connection->pings < PINGS_FORGIVEN
                          ? connection->silence_ms << connection->pings
                          : PING_REST_MS;
    *until_ms = connection->heard_ms + rest_ms;
    if (now_ms < *until_ms)
        return CALL_DONE;
    check(nghttp2_submit_ping(connection->session, NGHTTP2_FLAG_NONE, NULL) == 0);
    connection->pinged_ms = now_ms;
    connection->pings++;
    *until_ms = now_ms + connection->silence_ms;
    return send_some(connection, err);
}

/* After a breach of the protocol the session has sent its reason, and nothing comes any more. */
static enum call_outcome check_life(struct http2 *connection, struct error *err) {
    if (nghttp2_session_want_read(connection->session) != 0 ||
        nghttp2_session_want_write(connection->session) != 0 || connection->unsent_size > 0)
        return CALL_DONE;
    (void)error_set(err, ERROR_CLUSTER, "the server closed the connection (HTTP/2)");
    return CALL_BROKEN;
}

/* A server that refuses us may have said why before it closed the connection: what it said counts
 * more than that we can't write any more. */
static enum call_outcome send_or_hear_why(struct http2 *connection, struct error *err) {
    enum call_outcome outcome = send_some(connection, err);
    if (outcome != CALL_BROKEN)
        return outcome;
    struct error refusal;
    bool got;
    if (receive_some(connection, &got, &refusal) != CALL_FOREIGN)
        return end_without_a_word(connection, err);
    *err = refusal;
    return CALL_FOREIGN;
}

enum call_outcome http2_advance(struct http2 *connection, const struct patience *patience,
                                struct error *err) {
    bool got = false;
    while (!got) {
        enum call_outcome outcome = send_or_hear_why(connection, err);
        if (outcome == CALL_DONE)
            outcome = check_life(connection, err);
        if (outcome == CALL_DONE)
            outcome = receive_some(connection, &got, err);
        if (outcome != CALL_DONE || got)
            return outcome;
        int64_t until_ms;
        outcome = watch_silence(connection, &until_ms, err);
        if (outcome != CALL_DONE)
            return outcome;
        outcome = transport_wait(connection->transport, patience, until_ms);
        if (outcome != CALL_DONE)
            return patience_error(outcome, "waiting for the server", err);
    }
    return CALL_DONE;
}

bool http2_is_usable(struct http2 *connection) {
    struct error err;
    bool got = true;
    for (int reads = 0; got; reads++)
        if (reads == IDLE_READS_MAX || receive_some(connection, &got, &err) != CALL_DONE)
            return false;
    return !connection->going_away && send_some(connection, &err) == CALL_DONE &&
           nghttp2_session_check_request_allowed(connection->session) != 0;
}

static nghttp2_nv to_send(const char *name, const char *value) {
    return (nghttp2_nv){.name = (uint8_t *)name,
                        .value = (uint8_t *)value,
                        .namelen = strlen(name),
                        .valuelen = strlen(value),
                        // A token is not put into the compression's table.
                        .flags = strcmp(name, "authorization") == 0 ? NGHTTP2_NV_FLAG_NO_INDEX
                                                                    : NGHTTP2_NV_FLAG_NONE};
}

void http2_request(struct http2 *connection, const char *path, const struct http2_field *fields,
                   size_t field_count, const uint8_t *body, size_t body_size) {
    nghttp2_nv list[FIELDS_MAX] = {
        to_send(":method", "POST"), to_send(":scheme", connection->use_ssl ? "https" : "http"),
        to_send(":path", path), to_send(":authority", connection->authority)};
    size_t count = 4;
    check(field_count <= FIELDS_MAX - count && connection->stream == 0);
    for (size_t i = 0; i < field_count; i++)
        list[count++] = to_send(fields[i].name, fields[i].value);
    connection->body = body;
    connection->body_size = body_size;
    connection->ended = false;
    connection->reset = NGHTTP2_NO_ERROR;
    connection->fields_size = 0;
    connection->heard_ms = clock_monotonic_ms(); // its silence counts from the question on
    connection->pinged_ms = 0;
    nghttp2_data_provider provider = {.read_callback = read_body};
    connection->stream =
        nghttp2_submit_request(connection->session, NULL, list, count, &provider, NULL);
    check(connection->stream > 0); // see http2_is_usable()
}

bool http2_has_ended(const struct http2 *connection, const char **reset) {
    *reset =
        connection->reset == NGHTTP2_NO_ERROR ? NULL : nghttp2_http2_strerror(connection->reset);
    return connection->ended;
}

void http2_finish(struct http2 *connection) {
    struct error err;
    if (connection->stream != 0 && !connection->ended) {
        (void)nghttp2_submit_rst_stream(connection->session, NGHTTP2_FLAG_NONE, connection->stream,
                                        NGHTTP2_CANCEL);
        (void)send_some(connection, &err); // whether that works, the next request will see
    }
    connection->stream = 0;
    connection->body = NULL;
    connection->body_size = 0;
}

void http2_close(struct http2 *connection) {
    if (connection == NULL)
        return;
    struct error err;
    if (nghttp2_session_terminate_session(connection->session, NGHTTP2_NO_ERROR) == 0)
        (void)send_some(connection, &err); // best effort
    nghttp2_session_del(connection->session);
    transport_close(connection->transport);
    free(connection->room);
    free(connection);
}
