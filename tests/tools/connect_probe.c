/* connect_probe: talks to a Spark Connect server through the program's own client, and prints what
 * came.
 *
 *     connect_probe URL version
 *     connect_probe URL set NAME=VALUE...
 *     connect_probe URL rest SECONDS               sets something after a rest
 *     connect_probe URL write PATH [ROWS [NAME]]   a frame of numbers, as Parquet; NAME: an
 *                                                  expression of id, for its second column
 *     connect_probe URL stream PATH [SECONDS]      what the source `rate` gives, as Parquet; asked
 *                                                  four times a second how it does; stopped
 *     connect_probe URL fail PATH                  a query that fails at its first batch
 *     connect_probe URL sql FORMAT EXPRESSION PATH starts a query of FORMAT with one expression
 *
 * Options come from the environment:
 *
 *     PROBE_TIMEOUT    what a call may take, in milliseconds (10000)
 *     PROBE_SESSION    a session to attach to, which is left on the server
 *     PROBE_STOP       asks to stop at once after so many milliseconds */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/system/clock.h"
#include "error_names.h"
#include "streaming/cluster/connect/connect.h"

static struct stop stop;

static int64_t number_from(const char *name, int64_t fallback) {
    const char *text = getenv(name);
    return text == NULL ? fallback : strtoll(text, NULL, 10);
}

static const char *name_of(enum connect_failure failure) {
    static const char *const names[] = {"none", "unreachable", "refused", "session_gone", "spark"};
    return names[failure];
}

static int fail(const struct connect_session *session, const struct error *err) {
    printf("error kind=%s failure=%s class=%s %s\n", error_kind_name(err->kind),
           session == NULL ? "?" : name_of(connect_failure_of(session)),
           session == NULL ? "" : connect_error_class(session), err->message);
    return 1;
}

static int set(struct connect_session *session, char **words, int count) {
    struct connect_pair pairs[32];
    struct error err;
    check(count <= 32);
    for (int i = 0; i < count; i++) {
        char *equals = strchr(words[i], '=');
        check(equals != NULL);
        *equals = '\0';
        pairs[i] = (struct connect_pair){.name = words[i], .value = equals + 1};
    }
    if (!connect_configure(session, pairs, (size_t)count, &err))
        return fail(session, &err);
    printf("set %d\n", count);
    return 0;
}

static int write_numbers(struct connect_session *session, const char *path, int64_t rows,
                         const char *name) {
    const char *const columns[] = {"id", name};
    static const char *const condition[] = {"id % 2 = 0"};
    const struct connect_step steps[] = {
        {.kind = CONNECT_SELECT, .expressions = columns, .count = 2},
        {.kind = CONNECT_WHERE, .expressions = condition, .count = 1},
    };
    const struct connect_frame frame = {
        .rows = rows, .partitions = 2, .steps = steps, .step_count = 2};
    struct error err;
    if (!connect_write(session, &frame, "parquet", path, &err))
        return fail(session, &err);
    printf("written\n");
    return 0;
}

static bool look(struct connect_session *session, const struct connect_query *query, bool *active,
                 struct error *err) {
    struct connect_status status;
    char **reports;
    size_t count;
    if (!connect_status(session, query, &status, err) ||
        !connect_progress(session, query, &reports, &count, err))
        return false;
    printf("active=%d data=%d trigger=%d reports=%zu %s\n", status.is_active,
           status.is_data_available, status.is_trigger_active, count, status.message);
    if (count > 0 && getenv("PROBE_REPORTS") != NULL)
        printf("%s\n", reports[count - 1]);
    fflush(stdout);
    for (size_t i = 0; i < count; i++)
        free(reports[i]);
    free(reports);
    *active = status.is_active;
    return true;
}

static bool print_end(struct connect_session *session, const struct connect_query *query,
                      struct error *err) {
    bool found;
    struct error why;
    if (!connect_exception(session, query, &found, &why, err))
        return false;
    printf("exception=%d class=%s %s\n", found, found ? connect_error_class(session) : "",
           found ? why.message : "");
    return true;
}

/* Starts a query and watches it for so long, or until it has ended. */
static int watch(struct connect_session *session, const struct connect_stream *stream,
                 int64_t watch_ms) {
    struct connect_query query;
    struct error err;
    if (!connect_start(session, stream, &query, &err))
        return fail(session, &err);
    printf("started id=%s run=%s\n", query.id, query.run_id);
    bool active = true;
    for (int64_t began_ms = clock_monotonic_ms();
         active && clock_monotonic_ms() - began_ms < watch_ms; usleep(250000))
        if (!look(session, &query, &active, &err))
            return fail(session, &err);
    if (!print_end(session, &query, &err) || !connect_stop(session, &query, &err) ||
        !look(session, &query, &active, &err))
        return fail(session, &err);
    printf("stopped active=%d\n", active);
    return 0;
}

/* A column `half` is what the table is partitioned by. */
static int start(struct connect_session *session, const char *format, const char *const *columns,
                 size_t count, const char *path, int64_t watch_ms) {
    char checkpoint[4096];
    static const char *const counted[] = {"count(1) AS rows"};
    static const struct connect_pair rate[] = {{"rowsPerSecond", "10"}};
    snprintf(checkpoint, sizeof checkpoint, "%s.checkpoint", path);
    const struct connect_step steps[] = {
        {.kind = CONNECT_SELECT, .expressions = columns, .count = count},
        {.kind = CONNECT_OBSERVE, .name = "counts", .expressions = counted, .count = 1},
    };
    const struct connect_frame frame = {.format = format,
                                        .options = rate,
                                        .option_count = strcmp(format, "rate") == 0,
                                        .steps = steps,
                                        .step_count = 2};
    const struct connect_pair options[] = {{"checkpointLocation", checkpoint}};
    static const char *const partition_by[] = {"half"};
    const struct connect_stream stream = {.name = "probe",
                                          .frame = &frame,
                                          .format = "parquet",
                                          .path = path,
                                          .options = options,
                                          .option_count = 1,
                                          .partition_by = partition_by,
                                          .partition_by_count = count > 2,
                                          .interval = "1 second"};
    return watch(session, &stream, watch_ms);
}

static int run(struct connect_session *session, char **words, int count) {
    static const char *const columns[] = {"timestamp", "value", "value % 2 AS half"};
    static const char *const failing[] = {"timestamp",
                                          "CAST(raise_error('as asked for') AS STRING) AS value"};
    const char *what = words[0];
    if (strcmp(what, "version") == 0)
        return 0;
    if (strcmp(what, "set") == 0)
        return set(session, words + 1, count - 1);
    check(count > 1);
    if (strcmp(what, "rest") == 0) {
        char pair[] = "spark.sql.session.timeZone=UTC", *pairs[] = {pair};
        usleep((unsigned)strtoul(words[1], NULL, 10) * 1000000);
        return set(session, pairs, 1);
    }
    if (strcmp(what, "write") == 0)
        return write_numbers(session, words[1], count > 2 ? strtoll(words[2], NULL, 10) : 1000,
                             count > 3 ? words[3] : "concat('row ', id) AS name");
    if (strcmp(what, "stream") == 0)
        return start(session, "rate", columns, 3, words[1],
                     count > 2 ? 1000 * strtoll(words[2], NULL, 10) : 5000);
    if (strcmp(what, "fail") == 0)
        return start(session, "rate", failing, 2, words[1], 30000);
    check(strcmp(what, "sql") == 0 && count > 3);
    const char *const given[] = {words[2]};
    return start(session, words[1], given, 1, words[3], 30000);
}

static void *stop_later(void *unused) {
    (void)unused;
    usleep((unsigned)number_from("PROBE_STOP", 0) * 1000);
    stop_request(&stop, STOP_NOW);
    return NULL;
}

static int open_and_run(const struct connect_url *url, char **words, int count) {
    const struct connect_options options = {.url = url,
                                            .session_id = getenv("PROBE_SESSION"),
                                            .logger = "probe",
                                            .timeout_ms = number_from("PROBE_TIMEOUT", 10000),
                                            .stop = &stop};
    struct connect_session *session;
    struct error err;
    if (!connect_open(&options, &session, &err))
        return fail(NULL, &err);
    printf("version %s session %s\n", connect_spark_version(session), connect_session_id(session));
    fflush(stdout);
    int result = run(session, words, count);
    if (options.session_id == NULL)
        connect_close(session);
    else
        connect_abandon(session);
    return result;
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr,
                "usage: connect_probe URL version|set|rest|write|stream|fail|sql [WORD...]\n");
        return 2;
    }
    struct connect_url url;
    struct error err;
    pthread_t thread;
    if (!connect_url_parse(argv[1], &url, &err))
        return fail(NULL, &err);
    stop_init(&stop);
    bool stopping = getenv("PROBE_STOP") != NULL;
    if (stopping)
        check(pthread_create(&thread, NULL, stop_later, NULL) == 0);
    int64_t began_ms = clock_monotonic_ms();
    int result = open_and_run(&url, argv + 2, argc - 2);
    printf("done in %" PRId64 " ms\n", clock_monotonic_ms() - began_ms);
    if (stopping)
        check(pthread_join(thread, NULL) == 0);
    stop_deinit(&stop);
    connect_url_deinit(&url);
    return result;
}
