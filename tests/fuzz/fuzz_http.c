/* No matter what a client sends: the server answers or hangs up, and serves others;
 * it never gives UI_TOKEN away, and without it nothing that is not open to all. The first byte says
 * what the rest is: s, all bytes of a connection; d, a request as the server hands it to the
 * routes, whose lines are path, Host, Authorization, Accept-Encoding, and name=value of each
 * argument; a capital letter: with UI_TOKEN set. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log/log.h"
#include "base/scope.h"
#include "base/text.h"
#include "streaming/declare/stream.h"
#include "surfaces/api/http_api.h"
#include "surfaces/health/disk_watch.h"
#include "surfaces/http/http_server.h"
#include "surfaces/program/command_line.h"
#include "surfaces/settings/config_load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TOKEN "t0ken-t0ken-t0ken"

/* ---- a program that serves nobody else ---- */

static struct config config;
static struct schema schema;
static struct query_options options;
static struct query_status status;
static struct query_history history;
static struct care_status care;
static struct program_view program;
static struct http_server *server;
static int port;

static struct streaming_memory some_memory(struct streaming *streaming) {
    (void)streaming;
    return (struct streaming_memory){.budget = 1 << 30};
}

static size_t no_sources(struct streaming *streaming, size_t most,
                         bool *found, // NOLINT(readability-non-const-parameter): a seam's type
                         struct kafka_statistics *statistics) {
    (void)streaming, (void)most, (void)found, (void)statistics;
    return 0;
}

static struct webhook_counts no_notifications(struct alerts *alerts) {
    (void)alerts;
    return (struct webhook_counts){0};
}

static void stop_server(void) {
    http_server_stop(server);
}

static void start_program(void) {
    char *words[] = {(char *)"esports-stream", (char *)"--kafka-bootstrap-servers",
                     (char *)"kafka:9092", NULL};
    struct http_listener listener;
    struct error err = {0};
    log_configure(LOG_CRITICAL, false);
    streams_load();
    check(command_line_load(&config, 3, words, stderr) == EXIT_CODE_OK);
    stream_schema(stream_of("matches"), &schema);
    options = (struct query_options){
        .stream = stream_of("matches"),
        .store = {.topic = "t1", .table = "/lake/processed/matches", .checkpoint = "/lake/c"}};
    query_status_init(&status, "match_stream");
    query_history_init(&history);
    care_status_init(&care);
    program = (struct program_view){.config = &config,
                                    .started_ms = 1,
                                    .query_count = 1,
                                    .queries = {{&options, &schema, &status, &history, &care}},
                                    .memory = some_memory,
                                    .sources = no_sources,
                                    .notifications = no_notifications};
    program.health = health_watch_open(&config, program.queries, 1);
    check(disk_watch_open(&config, &program.disks, &err));
    check(http_listen("127.0.0.1", 0, &listener, &err));
    port = listener.port;
    check(http_server_start(&server, &listener, http_api_answer, &program, &err));
    check(atexit(stop_server) == 0);
}

/* ---- what comes back ---- */

static void check_secret(const char *bytes, size_t size, const uint8_t *asked, size_t asked_size) {
    bool told = memmem(bytes, size, TOKEN, sizeof TOKEN - 1) != NULL;
    check(!told || memmem(asked, asked_size, TOKEN, sizeof TOKEN - 1) != NULL);
}

enum { ANSWER_MAX = 1 << 20, LULL_MS = 20, PATIENCE_MS = 20000, PROBE_EVERY = 256 };

static int dial(void) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    return fd;
}

/* Until the server hangs up, or says nothing for so long. False: it says nothing. */
static bool listen_to(int fd, int patience_ms, char *answer, size_t *used) {
    struct pollfd watched = {.fd = fd, .events = POLLIN};
    ssize_t got = 1;
    *used = 0;
    while (got > 0 && poll(&watched, 1, patience_ms) > 0) {
        got = recv(fd, answer + *used, ANSWER_MAX - *used, 0);
        *used += got > 0 ? (size_t)got : 0;
    }
    return *used > 0;
}

static char answer[ANSWER_MAX];

/* No matter what was sent before, others are served. */
static void probe(void) {
    static const char request[] = "GET /healthz HTTP/1.0\r\n\r\n";
    size_t used;
    scoped(scope_close) int fd = dial();
    check(send(fd, request, sizeof request - 1, MSG_NOSIGNAL) == sizeof request - 1);
    check(listen_to(fd, PATIENCE_MS, answer, &used) && strncmp(answer, "HTTP/1.", 7) == 0);
}

static void converse(const uint8_t *bytes, size_t size) {
    static unsigned conversations;
    size_t used;
    scoped(scope_close) int fd = dial();
    // The server may hang up before it has read all.
    (void)!send(fd, bytes, size < 1 << 16 ? size : 1 << 16, MSG_NOSIGNAL);
    (void)shutdown(fd, SHUT_WR);
    (void)listen_to(fd, LULL_MS, answer, &used);
    check(used < 9 || strncmp(answer, "HTTP/1.", 7) == 0);
    check_secret(answer, used, bytes, size);
    if (conversations++ % PROBE_EVERY == 0)
        probe();
}

/* The next line, terminated and part of the text; NULL: there is none. */
static char *next_line(char **rest) {
    char *line = strsep(rest, "\n");
    // NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the caller frees the text
    return line != NULL && *line != '\0' ? line : NULL;
}

static void ask(const uint8_t *bytes, size_t size) {
    scoped(scope_free) char *text = must_alloc(size + 1, 1);
    memcpy(text, bytes, size);
    char *rest = text;
    struct http_request request = {.from_loopback = size % 2 == 0};
    struct http_response response = {0};
    const char *path = next_line(&rest);
    request.path = path != NULL ? path : "";
    request.host = next_line(&rest);
    request.authorization = next_line(&rest);
    request.accept_encoding = next_line(&rest);
    while (request.argument_count < HTTP_ARGUMENTS_MAX) {
        char *line = next_line(&rest);
        if (line == NULL)
            break;
        char *value = strchr(line, '=');
        if (value != NULL)
            *value++ = '\0';
        request.names[request.argument_count] = line;
        request.values[request.argument_count++] = value;
    }
    http_api_answer(&program, &request, &response);
    check(response.status >= 200 && response.status < 600 && response.type != NULL);
    check(response.body != NULL || response.constant != NULL || response.size == 0);
    if (response.body != NULL)
        check_secret(response.body, response.size, bytes, size);
    bool trusted = *config.ui_token == '\0' ||
                   (request.authorization != NULL && strstr(request.authorization, TOKEN) != NULL);
    if (response.status == HTTP_OK && strncmp(request.path, "/api/", 5) == 0)
        check(trusted);
    http_response_deinit(&response);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (server == NULL)
        start_program();
    if (size == 0)
        return 0;
    free(config.ui_token);
    config.ui_token = text_copy(data[0] == 'S' || data[0] == 'D' ? TOKEN : "");
    if (data[0] == 's' || data[0] == 'S')
        converse(data + 1, size - 1);
    else if (data[0] == 'd' || data[0] == 'D')
        ask(data + 1, size - 1);
    return 0;
}
