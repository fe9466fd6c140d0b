/* grpc.c: a gRPC call is one HTTP/2 request. Each message has a prefix of five bytes: whether it is
 * compressed (we ask for none), and its size, big endian. The status comes last, in the trailers
 * grpc-status and grpc-message; a stream that ends without one has broken off.
 *
 * Bytes are kept only until a message is complete and handed out, so there is never much more than
 * one message in memory. An answer that is not gRPC (another content type or HTTP status) is not
 * read: it comes from a proxy, or from another server. */
#include "streaming/cluster/connect/grpc.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "streaming/cluster/connect/http2.h"

enum {
    SILENCE_MS = 10000,
    MESSAGE_SIZE_MAX = 32 << 20,
    GRACE_MS = 5000,
    ROOM_KEPT = 1 << 20, // between two calls
    PREFIX_SIZE = 5,     // of a message: whether it is compressed, and its size
    HTTP_STATUS_OK = 200,
};

struct buffer {
    uint8_t *bytes; // owned
    size_t size, capacity;
};

struct grpc {
    struct grpc_options options;
    struct http2 *http2;
    char *authorization; // "Bearer …"; NULL: none
    struct buffer request;
    struct buffer answer; // what came and is not handed out yet, from `taken` on
    size_t taken;

    // What headers and trailers say.
    int http_status; // 0: nothing yet
    bool is_grpc;    // by its content type
    bool is_page;    // bytes came that are not messages
    char content_type[64];
    int code; // -1: no status came
    char *message;
    uint8_t *details; // NULL: none
    size_t details_size;
};

struct grpc_options grpc_defaults(const struct connect_url *url) {
    return (struct grpc_options){
        .url = url, .silence_ms = SILENCE_MS, .message_size_max = MESSAGE_SIZE_MAX};
}

static void buffer_append(struct buffer *to, const void *from, size_t size) {
    if (to->size + size > to->capacity) {
        to->capacity = 2 * (to->size + size);
        to->bytes = realloc(to->bytes, to->capacity);
        check(to->bytes != NULL);
    }
    if (size > 0)
        memcpy(to->bytes + to->size, from, size);
    to->size += size;
}

static int read_number(struct text text) {
    int number = 0;
    if (text.length == 0 || text.length > 4)
        return -1;
    for (uint32_t i = 0; i < text.length; i++) {
        if (text.bytes[i] < '0' || text.bytes[i] > '9')
            return -1;
        number = 10 * number + (text.bytes[i] - '0');
    }
    return number;
}

static void take_content_type(struct grpc *connection, struct text value) {
    static const char wanted[] = "application/grpc"; // "+proto" may follow
    connection->is_grpc =
        value.length >= sizeof wanted - 1 && memcmp(value.bytes, wanted, sizeof wanted - 1) == 0;
    snprintf(connection->content_type, sizeof connection->content_type, "%.*s", (int)value.length,
             value.bytes);
}

static void take_field(void *context, struct text name, struct text value) {
    struct grpc *connection = context;
    bool whole;
    if (text_equals(name, TEXT(":status"))) {
        connection->http_status = read_number(value);
    } else if (text_equals(name, TEXT("content-type"))) {
        take_content_type(connection, value);
    } else if (text_equals(name, TEXT("grpc-status"))) {
        connection->code = read_number(value);
    } else if (text_equals(name, TEXT("grpc-message"))) {
        free(connection->message);
        connection->message = percent_decode(value.bytes, value.length, &whole);
    } else if (text_equals(name, TEXT("grpc-status-details-bin"))) {
        free(connection->details);
        connection->details = base64_decode(value.bytes, value.length, &connection->details_size);
    }
}

static size_t message_size(const uint8_t *prefix) {
    return (size_t)prefix[1] << 24 | (size_t)prefix[2] << 16 | (size_t)prefix[3] << 8 | prefix[4];
}

/* Messages are taken as soon as they are complete, so that there is never much more than one. */
static bool take_data(void *context, const uint8_t *bytes, size_t size) {
    struct grpc *connection = context;
    if (connection->http_status != HTTP_STATUS_OK || !connection->is_grpc) {
        connection->is_page = true; // of somebody else; nobody reads it
        return true;
    }
    buffer_append(&connection->answer, bytes, size);
    size_t waiting = connection->answer.size - connection->taken;
    return waiting < PREFIX_SIZE || message_size(connection->answer.bytes + connection->taken) <=
                                        connection->options.message_size_max;
}

enum call_outcome grpc_open(const struct grpc_options *options, const struct patience *patience,
                            struct grpc **connection, struct error *err) {
    static const char scheme[] = "Bearer ";
    struct grpc *opened = must_alloc(1, sizeof *opened);
    opened->options = *options;
    const struct http2_listener listener = {
        .field = take_field, .data = take_data, .context = opened};
    enum call_outcome outcome =
        http2_open(options->url, options->silence_ms, &listener, patience, &opened->http2, err);
    if (outcome != CALL_DONE) {
        free(opened);
        return outcome;
    }
    if (options->url->token != NULL) {
        size_t size = sizeof scheme + strlen(options->url->token);
        opened->authorization = must_alloc(size, 1);
        snprintf(opened->authorization, size, "%s%s", scheme, options->url->token);
    }
    *connection = opened;
    return CALL_DONE;
}

static void forget_answer(struct grpc *connection) {
    free(connection->message);
    free(connection->details);
    connection->message = NULL;
    connection->details = NULL;
    connection->details_size = 0;
    connection->answer.size = 0;
    connection->taken = 0;
    if (connection->answer.capacity > ROOM_KEPT) { // a large answer is the exception
        free(connection->answer.bytes);
        connection->answer = (struct buffer){0};
    }
    connection->http_status = 0;
    connection->is_grpc = connection->is_page = false;
    connection->content_type[0] = '\0';
    connection->code = -1;
}

void grpc_close(struct grpc *connection) {
    if (connection == NULL)
        return;
    http2_close(connection->http2);
    forget_answer(connection);
    free(connection->request.bytes);
    free(connection->answer.bytes);
    free(connection->authorization);
    free(connection);
}

bool grpc_is_usable(struct grpc *connection) {
    return http2_is_usable(connection->http2);
}

static void frame_request(struct grpc *connection, const void *message, size_t size) {
    check(size <= UINT32_MAX);
    const uint8_t prefix[PREFIX_SIZE] = {0, (uint8_t)(size >> 24), (uint8_t)(size >> 16),
                                         (uint8_t)(size >> 8), (uint8_t)size};
    connection->request.size = 0;
    buffer_append(&connection->request, prefix, sizeof prefix);
    buffer_append(&connection->request, message, size);
}

void grpc_begin(struct grpc *connection, const char *method, const void *message, size_t size,
                const struct patience *patience) {
    const struct connect_url *url = connection->options.url;
    char timeout[16]; // eight digits at most
    // A little later than ours: we give up first, and know then why.
    int64_t left_ms = patience_left_ms(patience) + GRACE_MS;
    snprintf(timeout, sizeof timeout, "%" PRId64 "m", left_ms < 99999999 ? left_ms : 99999999);
    struct http2_field fields[CONNECT_HEADERS_MAX + 5] = {
        {"grpc-timeout", timeout},
        {"content-type", "application/grpc"},
        {"te", "trailers"},
        {"user-agent", "esports-stream/" PROGRAM_VERSION},
    };
    size_t count = 4;
    if (connection->authorization != NULL)
        fields[count++] = (struct http2_field){"authorization", connection->authorization};
    for (size_t i = 0; i < url->header_count; i++)
        fields[count++] = (struct http2_field){url->headers[i].name, url->headers[i].value};
    forget_answer(connection);
    frame_request(connection, message, size);
    http2_request(connection->http2, method, fields, count, connection->request.bytes,
                  connection->request.size);
}

/* Hands out the next message, if it is complete. */
static bool take_message(struct grpc *connection, struct grpc_message *message) {
    struct buffer *answer = &connection->answer;
    if (answer->size - connection->taken < PREFIX_SIZE)
        return false;
    size_t size = message_size(answer->bytes + connection->taken);
    if (answer->size - connection->taken - PREFIX_SIZE < size)
        return false;
    message->bytes = answer->bytes + connection->taken + PREFIX_SIZE;
    message->size = size;
    connection->taken += PREFIX_SIZE + size;
    return true;
}

/* What was handed out is dropped. */
static void make_room(struct grpc *connection) {
    struct buffer *answer = &connection->answer;
    if (connection->taken == 0)
        return;
    memmove(answer->bytes, answer->bytes + connection->taken, answer->size - connection->taken);
    answer->size -= connection->taken;
    connection->taken = 0;
}

/* gRPC's "HTTP to gRPC Status Code Mapping", for proxies in front of a server. */
static int code_of_http(int status) {
    switch (status) {
    case 401:
        return GRPC_CODE_UNAUTHENTICATED;
    case 403:
        return GRPC_CODE_PERMISSION_DENIED;
    case 429:
    case 502:
    case 503:
    case 504:
        return GRPC_CODE_UNAVAILABLE;
    default:
        return -1;
    }
}

static enum call_outcome not_grpc(struct grpc *connection, struct error *err) {
    if (connection->code < 0 && connection->http_status != HTTP_STATUS_OK)
        connection->code = code_of_http(connection->http_status);
    if (connection->code > 0) {
        (void)error_set(err, ERROR_CLUSTER, "the server answered with HTTP status %d",
                        connection->http_status);
        return CALL_STATUS;
    }
    (void)error_set(
        err, ERROR_CLUSTER,
        "the server is not Spark Connect: it answered with HTTP status %d, content type '%s'",
        connection->http_status, connection->content_type);
    return CALL_FOREIGN;
}

/* The stream is over, and so are the messages. */
static enum call_outcome conclude(struct grpc *connection, const char *reset, struct error *err) {
    // A status counts, even if the stream was reset behind it (a server that does not care to read
    // the request to its end).
    if (connection->http_status > 0 &&
        (connection->http_status != HTTP_STATUS_OK || !connection->is_grpc))
        return not_grpc(connection, err);
    if (connection->code == GRPC_CODE_OK && connection->answer.size == connection->taken)
        return CALL_DONE;
    if (connection->code > GRPC_CODE_OK) {
        (void)error_set(err, ERROR_CLUSTER, "gRPC status %d%s%s", connection->code,
                        connection->message == NULL ? "" : ": ",
                        connection->message == NULL ? "" : connection->message);
        return CALL_STATUS;
    }
    (void)error_set(err, ERROR_CLUSTER, "the answer was cut off%s%s", reset == NULL ? "" : ": ",
                    reset == NULL ? "" : reset);
    return CALL_BROKEN;
}

enum call_outcome grpc_receive(struct grpc *connection, const struct patience *patience,
                               struct grpc_message *message, struct error *err) {
    *message = (struct grpc_message){0};
    make_room(connection);
    while (!take_message(connection, message)) {
        const char *reset;
        if (http2_has_ended(connection->http2, &reset) || connection->is_page)
            return conclude(connection, reset, err);
        // Also while bytes come all the time.
        enum call_outcome outcome = patience_state(patience);
        if (outcome != CALL_DONE)
            return patience_error(outcome, "waiting for the server", err);
        outcome = http2_advance(connection->http2, patience, err);
        if (outcome != CALL_DONE)
            return outcome;
    }
    // Compression is for those who ask for it.
    if (message->bytes[-PREFIX_SIZE] == 0)
        return CALL_DONE;
    (void)error_set(err, ERROR_CLUSTER,
                    "the server sent a compressed message, which was not requested");
    return CALL_FOREIGN;
}

struct grpc_status grpc_status(const struct grpc *connection) {
    return (struct grpc_status){.code = connection->code,
                                .message = connection->message == NULL ? "" : connection->message,
                                .details = connection->details,
                                .details_size = connection->details_size};
}

void grpc_end(struct grpc *connection) {
    http2_finish(connection->http2);
}
