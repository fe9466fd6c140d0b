/* No matter what a Spark Connect server sends, the client neither crashes nor waits forever. The
 * first byte says what the rest is: g, all bytes of a connection (HTTP/2); s, a status's details;
 * d, an error's details; t, a query's stack trace; u, a URL, which is the operator's. */
#include <arpa/inet.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/scope.h"
#include "streaming/cluster/connect/connect_fault.h"
#include "streaming/cluster/connect/grpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The process is its own server: the kernel connects what nobody has accepted yet. */
static int listen_once(int *port) {
    static int listener = -1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    if (listener < 0) {
        listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        check(bind(listener, (struct sockaddr *)&address, sizeof address) == 0);
        check(listen(listener, 8) == 0);
    }
    check(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
    *port = ntohs(address.sin_port);
    return listener;
}

static void read_answers(struct grpc *connection) {
    struct patience patience = patience_for(5000, NULL, NULL);
    struct grpc_message message;
    struct error err;
    enum call_outcome outcome;
    grpc_begin(connection, "/a.B/C", "question", 8, &patience);
    do
        outcome = grpc_receive(connection, &patience, &message, &err);
    while (outcome == CALL_DONE && message.bytes != NULL);
    check(outcome != CALL_LATE);
    struct grpc_status status = grpc_status(connection);
    (void)connect_fault_of_status(&status);
    grpc_end(connection);
}

static void serve(const uint8_t *bytes, size_t size) {
    struct connect_url url = {.host = (char *)"127.0.0.1", .user_id = (char *)"ann"};
    int listener = listen_once(&url.port);
    struct grpc_options options = grpc_defaults(&url);
    struct patience patience = patience_for(5000, NULL, NULL);
    struct grpc *connection;
    struct error err;
    options.message_size_max = 1 << 16;
    check(grpc_open(&options, &patience, &connection, &err) == CALL_DONE);
    scoped(scope_close) int peer = accept(listener, NULL, NULL);
    check(peer >= 0);
    // A socket takes this much at once, read or not.
    size = size < 1 << 16 ? size : 1 << 16;
    check(send(peer, bytes, size, MSG_NOSIGNAL) == (ssize_t)size);
    check(shutdown(peer, SHUT_WR) == 0);
    read_answers(connection);
    (void)grpc_is_usable(connection);
    grpc_close(connection);
}

static void read_text(int what, const char *text) {
    struct connect_url url;
    struct error err;
    if (what == 't') {
        struct connect_fault fault = connect_fault_of_query(text, "", text);
        connect_fault_print(&fault, &err);
    } else if (connect_url_parse(text, &url, &err)) {
        check(url.host[0] != '\0' && url.port > 0 && url.user_id != NULL);
        connect_url_deinit(&url);
    } else {
        check(err.kind == ERROR_CONFIG);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    const uint8_t *rest = data + 1;
    size_t left = size - 1;
    struct connect_fault fault = {0};
    const struct grpc_status status = {.message = "", .details = rest, .details_size = left};
    char *text;
    switch (data[0]) {
    case 'g':
        serve(rest, left);
        break;
    case 's':
        (void)connect_fault_of_status(&status);
        break;
    case 'd':
        connect_fault_add_details(&fault, rest, left);
        break;
    case 't':
    case 'u':
        text = must_alloc(left + 1, 1);
        memcpy(text, rest, left);
        read_text(data[0], text);
        free(text);
        break;
    default:
        break;
    }
    return 0;
}
