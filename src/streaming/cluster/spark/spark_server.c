/* spark_server.c: the server is a child process (spark_process.h); a thread reads its output line
 * by line (spark_log.h), and everybody else looks at what the lines have come to, under the lock.
 *
 * The start polls until the log says that the server listens and its master has accepted it, or the
 * process or the log says that it will not. An end is reported a moment after it is seen, so that
 * the lines that name its cause have been read. The token is made for this start, and goes to the
 * child by its environment only. */
#include "streaming/cluster/spark/spark_server.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/check.h"
#include "base/limit.h"
#include "base/log/log.h"
#include "base/scope.h"
#include "base/system/clock.h"
#include "base/system/thread.h"
#include "base/text.h"
#include "streaming/cluster/spark/spark_distribution.h"
#include "streaming/cluster/spark/spark_log.h"
#include "streaming/cluster/spark/spark_process.h"

static const char logger[] = "spark";

enum {
    LINE_MAX_SIZE = 8192, // bytes; what is longer is cut
    TOKEN_SIZE = 32,      // random bytes
    LOOK_MS = 100,
    CAUSE_MS = 500,  // how long to wait for the lines after a refusal, which name its cause
    LEAVE_MS = 3000, // how long a Spark that has given up may take to end
    GRACE_FAILED_MS = 2000,
};

struct spark_server {
    struct spark_process process;
    struct spark_setup_files files;
    struct connect_url url;
    char *master;

    pthread_t reader;
    bool reads;
    int wake; // readable: the reader must read the rest, and end

    pthread_mutex_t lock; // guards what follows, and `process`
    struct spark_log log;
    bool heard_all;                            // nothing more will come
    int64_t ended_ms, refused_ms, given_up_ms; // when that was seen first; 0: not yet
};

bool spark_server_check(const struct spark_server_options *options, struct error *err) {
    struct spark_distribution found;
    return spark_distribution_check(options, &found, err);
}

/* ---- its lines ---- */

static void take_line(struct spark_server *server, const char *bytes, size_t size) {
    struct spark_line line;
    spark_line_parse(bytes, size, &line);
    pthread_mutex_lock(&server->lock);
    spark_log_take(&server->log, &line);
    pthread_mutex_unlock(&server->lock);
    if (line.logger.length > 0)
        log_write(line.level, logger, "%.*s: %.*s", (int)line.logger.length, line.logger.bytes,
                  (int)line.message.length, line.message.bytes);
    else if (line.message.length > 0)
        log_write(line.level, logger, "%.*s", (int)line.message.length, line.message.bytes);
}

/* A line on its way. */
struct unfinished_line {
    char bytes[LINE_MAX_SIZE];
    size_t size;
};

static void take_bytes(struct spark_server *server, struct unfinished_line *line, const char *bytes,
                       size_t size) {
    for (const char *end = bytes + size; bytes < end;) {
        const char *stop = memchr(bytes, '\n', (size_t)(end - bytes));
        size_t piece = (size_t)((stop != NULL ? stop : end) - bytes);
        size_t room = sizeof line->bytes - line->size;
        memcpy(line->bytes + line->size, bytes, piece < room ? piece : room);
        line->size += piece < room ? piece : room;
        bytes += piece + (stop != NULL ? 1 : 0);
        if (stop == NULL)
            return;
        take_line(server, line->bytes, line->size);
        line->size = 0;
    }
}

/* Until nobody can write any more, or the reader is woken and nothing is left. */
static void *reader_main(void *argument) {
    struct spark_server *server = argument;
    static const int none = -1;
    struct unfinished_line *line = must_alloc(1, sizeof *line);
    char *bytes = must_alloc(1, LINE_MAX_SIZE);
    struct pollfd waits[] = {{.fd = server->process.output, .events = POLLIN},
                             {.fd = server->wake, .events = POLLIN}};
    (void)pthread_setname_np(pthread_self(), "spark log"); // only for people
    for (;;) {
        ssize_t size = read(server->process.output, bytes, LINE_MAX_SIZE);
        if (size > 0) {
            take_bytes(server, line, bytes, (size_t)size);
            continue;
        }
        bool waits_for_more = size < 0 && (errno == EAGAIN || errno == EINTR);
        if (!waits_for_more || waits[1].revents != 0)
            break;
        (void)poll(waits, 2, none);
    }
    if (line->size > 0)
        take_line(server, line->bytes, line->size);
    pthread_mutex_lock(&server->lock);
    server->heard_all = true;
    pthread_mutex_unlock(&server->lock);
    free(bytes);
    free(line);
    return NULL;
}

/* ---- the start ---- */

static char *make_token(void) {
    unsigned char bytes[TOKEN_SIZE];
    check(getrandom(bytes, sizeof bytes, 0) == (ssize_t)sizeof bytes); // never less, up to 256
    char *token = must_alloc(1, 2 * TOKEN_SIZE + 1);
    for (size_t i = 0; i < TOKEN_SIZE; i++)
        (void)snprintf(token + 2 * i, 3, "%02x", bytes[i]);
    return token;
}

static bool is_variable(const char *entry, const char *name) {
    size_t size = strlen(name);
    return strncmp(entry, name, size) == 0 && entry[size] == '=';
}

/* The user's locale where its names are in UTF-8: a JVM of another can't make a directory for every
 * partition value. */
static const char *locale_of_names(void) {
    static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const char *value = getenv(variables[i]);
        if (value == NULL || *value == '\0')
            continue;
        bool is_utf8 = strcasestr(value, "utf-8") != NULL || strcasestr(value, "utf8") != NULL;
        return is_utf8 ? value : "C.UTF-8";
    }
    return "C.UTF-8";
}

enum { OWN_VARIABLES = 3 };

/* The user's, with the token and a locale; and without what would send it to another server. Owned
 * by the caller, as are the first OWN_VARIABLES texts. */
static char **make_environment(const char *home, const char *token) {
    static const char *const replaced[] = {"SPARK_HOME", "SPARK_REMOTE",
                                           "SPARK_CONNECT_AUTHENTICATE_TOKEN", "LC_ALL"};
    size_t count = 0, kept = OWN_VARIABLES;
    while (environ[count] != NULL)
        count++;
    char **environment = must_alloc(count + OWN_VARIABLES + 1, sizeof *environment);
    environment[0] = text_format("SPARK_HOME=%s", home);
    environment[1] = text_format("SPARK_CONNECT_AUTHENTICATE_TOKEN=%s", token);
    environment[2] = text_format("LC_ALL=%s", locale_of_names());
    for (size_t i = 0; i < count; i++) {
        bool is_replaced = false;
        for (size_t j = 0; j < sizeof replaced / sizeof replaced[0]; j++)
            is_replaced = is_replaced || is_variable(environ[i], replaced[j]);
        if (!is_replaced)
            environment[kept++] = environ[i];
    }
    return environment;
}

/* The command line has nothing secret: properties are in a file. */
static bool launch(struct spark_server *server, const struct spark_server_options *options,
                   struct error *err) {
    char *program = NULL;
    program = text_format("%s/bin/spark-submit", options->spark_home);
    char *arguments[] = {program,
                         "--master",
                         server->master,
                         "--deploy-mode",
                         "client",
                         "--name",
                         "esports-stream",
                         "--properties-file",
                         server->files.properties,
                         "--load-spark-defaults", // which a file of properties would replace
                         "--class",
                         "org.apache.spark.sql.connect.service.SparkConnectServer",
                         "spark-internal",
                         NULL};
    char **environment = make_environment(options->spark_home, server->url.token);
    bool ok = spark_process_start(&server->process, arguments, environment, err);
    for (int i = 0; i < OWN_VARIABLES; i++)
        free(environment[i]);
    free(environment);
    free(program);
    return ok;
}

static struct spark_server *create(const struct spark_server_options *options) {
    struct spark_server *server = must_alloc(1, sizeof *server);
    server->process.output = -1;
    server->url.host = text_copy("127.0.0.1");
    server->url.user_id = text_copy("esports-stream");
    server->url.token = make_token();
    server->master = text_copy(options->master);
    server->log.is_standalone = strncmp(options->master, "spark://", 8) == 0;
    server->log.is_yarn = strcmp(options->master, "yarn") == 0;
    server->log.master_count = 1;
    for (const char *at = options->master; *at != '\0'; at++)
        server->log.master_count += *at == ',' ? 1 : 0;
    check(pthread_mutex_init(&server->lock, NULL) == 0);
    server->wake = -1;
    return server;
}

static bool begin(struct spark_server *server, const struct spark_server_options *options,
                  struct error *err) {
    server->wake = eventfd(0, EFD_CLOEXEC);
    if (server->wake < 0)
        return limit_error(err, "cannot create an event descriptor", errno);
    if (!spark_setup_write(options, &server->files, err) || !launch(server, options, err))
        return false;
    server->reads = thread_start(&server->reader, reader_main, server,
                                 "cannot start the thread for Spark's log", err);
    return server->reads;
}

/* Lets the reader end, once it has read the rest. */
static void finish_reading(struct spark_server *server) {
    static const uint64_t one = 1;
    if (!server->reads)
        return;
    check(write(server->wake, &one, sizeof one) == sizeof one);
    check(pthread_join(server->reader, NULL) == 0);
    server->reads = false;
}

/* What has happened to it. */
enum outlook {
    GOES_ON,
    ENDED,    // by itself, and all that it has printed was read
    GIVEN_UP, // by Spark, while the process is still there
    REFUSED,  // by its masters
};

/* True once it has been so for `ms`; *since_ms is 0 until it is so. */
static bool has_lasted(bool is_so, int64_t *since_ms, int64_t ms) {
    int64_t now_ms = clock_monotonic_ms();
    if (is_so && *since_ms == 0)
        *since_ms = now_ms;
    return is_so && now_ms - *since_ms >= ms;
}

/* Each is reported a moment later than it is known, when the following log lines have been read. */
static enum outlook look(struct spark_server *server, char reason[static SPARK_REASON_MAX]) {
    enum outlook outlook = GOES_ON;
    pthread_mutex_lock(&server->lock);
    bool ended = spark_process_look(&server->process);
    bool refused = spark_log_is_refused(&server->log);
    if (has_lasted(ended, &server->ended_ms, server->heard_all ? 0 : CAUSE_MS))
        outlook = refused ? REFUSED : ENDED;
    else if (has_lasted(refused, &server->refused_ms, CAUSE_MS))
        outlook = REFUSED;
    else if (has_lasted(server->log.given_up, &server->given_up_ms, LEAVE_MS))
        outlook = GIVEN_UP;
    spark_log_reason(&server->log, reason);
    pthread_mutex_unlock(&server->lock);
    return outlook;
}

/* Says how it ended: "Spark on 'yarn' ended with exit code 1 before it was ready: …". */
static void tell_end(struct spark_server *server, enum outlook outlook, const char *when,
                     const char *reason, struct error *err) {
    char end[SPARK_STATUS_MAX] = "stopped its application";
    if (outlook == ENDED)
        spark_process_describe(server->process.status, end);
    (void)error_set(err, ERROR_CLUSTER, "Spark on '%s' %s%s%s%s", server->master, end, when,
                    *reason != '\0' ? ": " : "", reason);
}

/* Why it does not get up, if the log or the process says so. */
static bool has_failed(struct spark_server *server, struct error *err) {
    char reason[SPARK_REASON_MAX];
    enum outlook outlook = look(server, reason);
    if (outlook == REFUSED)
        (void)error_set(err, ERROR_CLUSTER,
                        "cannot reach Spark's master '%s' (SPARK_MASTER_URL): %s; check that it is "
                        "running and reachable from this machine, then start again",
                        server->master, reason);
    else if (outlook != GOES_ON)
        tell_end(server, outlook, " before it was ready", reason, err);
    return outlook != GOES_ON;
}

static bool is_up(struct spark_server *server) {
    pthread_mutex_lock(&server->lock);
    bool up = spark_log_is_up(&server->log);
    server->url.port = server->log.port;
    pthread_mutex_unlock(&server->lock);
    return up;
}

static void late(struct spark_server *server, int64_t timeout_ms, struct error *err) {
    char reason[SPARK_REASON_MAX];
    pthread_mutex_lock(&server->lock);
    spark_log_reason(&server->log, reason);
    bool listens = server->log.port != 0;
    pthread_mutex_unlock(&server->lock);
    (void)error_set(err, ERROR_CLUSTER,
                    "Spark on '%s' was not ready within %" PRId64
                    " seconds (%s); its last log line: '%s'. Check that the cluster has room for "
                    "an application, or raise SPARK_CONNECT_TIMEOUT",
                    server->master, timeout_ms / 1000,
                    listens ? "the master has not accepted the application" : "it is not listening",
                    reason);
}

static bool await(struct spark_server *server, const struct spark_server_options *options,
                  struct error *err) {
    int64_t deadline_ms = clock_monotonic_ms() + options->timeout_ms;
    for (;;) {
        if (is_up(server))
            return true;
        if (has_failed(server, err))
            return false;
        if (clock_monotonic_ms() >= deadline_ms) {
            late(server, options->timeout_ms, err);
            return false;
        }
        if (options->stop != NULL && stop_read(options->stop) != STOP_NOT)
            return error_set(err, ERROR_STOPPED, "Spark was starting");
        struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
        (void)nanosleep(&pause, NULL);
    }
}

bool spark_server_start(const struct spark_server_options *options, struct spark_server **server,
                        struct error *err) {
    struct spark_distribution found;
    if (!spark_distribution_check(options, &found, err))
        return false;
    int64_t began_ms = clock_monotonic_ms();
    struct spark_server *made = create(options);
    log_write(LOG_INFO, logger, "Starting Spark | version=%s | home=%s | master=%s", found.version,
              options->spark_home, options->master);
    if (!begin(made, options, err) || !await(made, options, err)) {
        spark_server_stop(made, GRACE_FAILED_MS);
        return false;
    }
    spark_setup_remove(&made->files); // they have been read
    log_write(LOG_INFO, logger, "Spark is up | version=%s | pid=%d | port=%d | took_ms=%" PRId64,
              found.version, made->process.pid, made->url.port, clock_monotonic_ms() - began_ms);
    *server = made;
    return true;
}

/* ---- while it runs ---- */

const struct connect_url *spark_server_url(const struct spark_server *server) {
    return &server->url;
}

int spark_server_pid(const struct spark_server *server) {
    return server->process.pid;
}

bool spark_server_has_ended(struct spark_server *server, struct error *err) {
    char reason[SPARK_REASON_MAX];
    enum outlook outlook = look(server, reason);
    if (outlook != GOES_ON)
        tell_end(server, outlook, "", reason, err);
    return outlook != GOES_ON;
}

void spark_server_stop(struct spark_server *server, int64_t grace_ms) {
    if (server == NULL)
        return;
    if (server->process.pid > 0) {
        pthread_mutex_lock(&server->lock);
        spark_process_look(&server->process);
        pthread_mutex_unlock(&server->lock);
        spark_process_end(&server->process, grace_ms);
    }
    finish_reading(server);
    spark_process_deinit(&server->process);
    spark_setup_remove(&server->files);
    if (server->wake >= 0)
        (void)close(server->wake);
    (void)pthread_mutex_destroy(&server->lock);
    connect_url_deinit(&server->url);
    free(server->master);
    free(server);
}
