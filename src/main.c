/* main.c: the front door: reads settings, starts the queries, waits for signals and for the end. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/disk/filesystem.h"
#include "base/json.h"
#include "base/log/log.h"
#include "base/system/clock.h"
#include "base/system/process.h"
#include "base/text.h"
#include "core/zone.h"
#include "pipeline/parquet/codec.h"
#include "streaming/declare/stream.h"
#include "streaming/start/streaming.h"
#include "surfaces/alerts/alerts.h"
#include "surfaces/api/http_api.h"
#include "surfaces/confinement/confinement.h"
#include "surfaces/demo/demo_broker.h"
#include "surfaces/demo/demo_report.h"
#include "surfaces/demo/sample_record.h"
#include "surfaces/health/health_watch.h"
#include "surfaces/program/command_line.h"
#include "surfaces/program/commands.h"
#include "surfaces/service/monitor.h"
#include "surfaces/service/progress.h"
#include "surfaces/service/service_manager.h"
#include "surfaces/settings/command.h"
#include "surfaces/settings/config_load.h"
#include "surfaces/settings/path_origin.h"
#include "surfaces/settings/settings.h"
#include "surfaces/terminal/exit_code.h"
#include "surfaces/terminal/output.h"

static const char logger[] = "main";

enum {
    DEMO_RECORDS = 2000,   // per topic
    DEMO_RATE = 200,       // with --live: records a second and topic
    STATISTICS_MS = 10000, // how often librdkafka tells some
};

/* Everything that is borrowed while queries run. */
struct program {
    struct config config;
    struct query_options queries[STREAMING_QUERIES_MAX];
    struct streaming_options streaming_options;
    struct connect_url connect_url;         // of sc://
    struct cluster_options cluster_options; // of a cluster's SPARK_MASTER_URL
    struct streaming *streaming;
    struct service_manager service_manager;
    struct health_watch *health;
    struct alerts *alerts; // NULL: not configured
    struct http_api *http; // NULL: none
    bool out_of_time;      // the limit of CPU time ended it
    int64_t ends_ms;       // monotonic; when --live is over; 0: it runs until it is stopped
};

static bool is_ignored(int number) {
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

/* The signals that stop a run. The parent process may have set them to be ignored: nohup does for
 * SIGHUP, a shell script for SIGINT of its background processes. */
static sigset_t stop_signals(void) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    if (!is_ignored(SIGINT))
        sigaddset(&signals, SIGINT);
    if (!is_ignored(SIGHUP))
        sigaddset(&signals, SIGHUP); // the terminal has gone
    return signals;
}

/* Those that main waits for; blocked in all threads, so that none is interrupted. SIGUSR1 is how a
 * query's thread says that it has ended. */
static sigset_t awaited_signals(void) {
    sigset_t signals = stop_signals();
    sigaddset(&signals, SIGUSR1);
    sigaddset(&signals, SIGXCPU); // once a second beyond ulimit -t; at its hard limit SIGKILL
    return signals;
}

static void on_query_end(void) {
    kill(getpid(), SIGUSR1);
}

static void complete_error(const void *config, struct error *err) {
    path_origin_add(config, err);
}

static void fill_options(struct program *program) {
    const struct config *config = &program->config;
    struct streaming_options *options = &program->streaming_options;
    *options = (struct streaming_options){.worker_count = (size_t)config->workers,
                                          .memory_max = config_memory_budget(config),
                                          .statistics_ms = config->ui_port != 0 ? STATISTICS_MS : 0,
                                          .on_query_end = on_query_end,
                                          .complete_error = complete_error,
                                          .context = config};
    for (size_t i = 0; streams[i] != NULL; i++) {
        if (!config_runs(config, streams[i]))
            continue;
        struct query_options *query = &program->queries[options->query_count];
        *query = config_query_options(config, streams[i]);
        options->queries[options->query_count++] = query;
    }
}

static bool fill_cluster(struct program *program, struct error *err) {
    const struct config *config = &program->config;
    if (config->master_kind == MASTER_LOCAL)
        return true;
    bool is_there = config->master_kind == MASTER_CONNECT;
    if (is_there && !connect_url_parse(config->master, &program->connect_url, err))
        return false;
    program->cluster_options =
        (struct cluster_options){.master = config_master_shown(config),
                                 .url = is_there ? &program->connect_url : NULL,
                                 .server = config_spark_server_options(config),
                                 .bootstrap_servers = config->bootstrap_servers,
                                 .kafka_properties = config->kafka_properties,
                                 .kafka_property_count = config->kafka_property_count,
                                 .properties = config->spark_properties,
                                 .property_count = config->spark_property_count,
                                 .timeout_ms = config->spark_connect_timeout_ms,
                                 .shutdown_timeout_ms = config->shutdown_timeout_ms};
    program->streaming_options.cluster = &program->cluster_options;
    return true;
}

static void program_deinit(struct program *program) {
    for (size_t i = 0; i < program->streaming_options.query_count; i++)
        config_store_options_deinit(&program->queries[i].store);
    connect_url_deinit(&program->connect_url);
    config_deinit(&program->config);
}

static void log_warnings(const struct config *config) {
    for (size_t i = 0; i < config->warning_count; i++)
        log_write(LOG_WARNING, logger, "%s", config->warnings[i]);
}

static void log_settings(const struct config *config) {
    char lake_warning[LAKE_WARNING_MAX];
    settings_lake_warning(config, lake_warning);
    if (lake_warning[0] != '\0')
        log_write(LOG_WARNING, logger, "%s", lake_warning);
    log_warnings(config);
    if (config->ignored_kafka_variables != NULL)
        log_write(LOG_INFO, logger,
                  "KAFKA_* variables that are not settings are ignored | names=%s",
                  config->ignored_kafka_variables);
    if (config->ignored_spark_variables != NULL)
        log_write(
            LOG_INFO, logger,
            "SPARK_CONF_* variables without an effect with this SPARK_MASTER_URL are ignored | "
            "names=%s",
            config->ignored_spark_variables);
    log_write(LOG_INFO, logger,
              "esports-stream " PROGRAM_VERSION
              " | engine=%s | master=%s | workers=%d | memory_mb=%" PRId64 " | confinement=%s",
              config_engine(config), config_master_shown(config), config->workers,
              config_memory_budget(config) >> 20, confinement_text());
}

/* Where each query's data comes from, and where it goes. */
static void log_places(const struct program *program, const char *servers) {
    for (size_t i = 0; i < program->streaming_options.query_count; i++) {
        const struct store_options *store = &program->queries[i].store;
        log_write(LOG_INFO, store->query, "Reading from Kafka | brokers=%s | topic=%s", servers,
                  store->topic);
        log_write(LOG_INFO, store->query,
                  "Writing to the lake | table=%s | rejects=%s | checkpoint=%s", store->table,
                  store->rejects, store->checkpoint);
    }
}

static void warn_of_filesystem(const char *what, const char *path) {
    const char *warning = filesystem_warning(path);
    if (warning != NULL)
        log_write(LOG_WARNING, logger, "The %s %s | path=%s", what, warning, path);
}

static void warn_of_zones(void) {
    struct zone_lack lack = zone_data_lack();
    if (lack.text != NULL)
        log_write(LOG_WARNING, logger, "Time zones are missing | detail=%s | action=%s", lack.text,
                  lack.cure);
}

/* What a stop has come to so far. */
struct shutdown {
    int signal; // the first one; 0: none yet
    int64_t began_ms;
    bool abandoned;
};

/* How long before SHUTDOWN_TIMEOUT the running batch is given up, so that giving it up is over in
 * time. */
enum { ABANDON_BEFORE_MS = 1000 };

/* How long the end waits for an output that takes the log's last lines. */
enum { LAST_WORDS_MS = 5000, LAST_WORDS_AT_ONCE_MS = 1000 };

static void begin_shutdown(struct program *program, struct shutdown *shutdown, int number) {
    *shutdown = (struct shutdown){.signal = number, .began_ms = clock_monotonic_ms()};
    log_write(LOG_INFO, logger,
              "Stopping after the running batches | signal=%s | "
              "shutdown_timeout_ms=%" PRId64,
              sigabbrev_np(number), program->config.shutdown_timeout_ms);
    service_manager_stop(&program->service_manager, program->config.shutdown_timeout_ms);
    streaming_request_stop(program->streaming, STOP_AFTER_BATCH);
}

static void take_signal(struct program *program, struct shutdown *shutdown, int number) {
    if (shutdown->signal != 0 && number == SIGHUP)
        return; // a terminal that goes sends some: its shell, and the kernel
    if (shutdown->signal != 0) {
        log_write(LOG_WARNING, logger, "Second signal: stopping at once | signal=%s",
                  sigabbrev_np(number));
        log_output_stop(LAST_WORDS_AT_ONCE_MS);
        _exit(EXIT_CODE_SIGNAL + number); // safe: what is not committed does not count
    }
    begin_shutdown(program, shutdown, number);
}

/* The limit of CPU time is said again every second. */
static void take_time_limit(struct program *program, struct shutdown *shutdown) {
    if (shutdown->signal != 0)
        return;
    program->out_of_time = true;
    begin_shutdown(program, shutdown, SIGXCPU);
}

static void check_shutdown(struct program *program, struct shutdown *shutdown) {
    if (shutdown->signal == 0)
        return;
    int64_t waited_ms = clock_monotonic_ms() - shutdown->began_ms;
    int64_t limit_ms = program->config.shutdown_timeout_ms;
    if (!shutdown->abandoned && waited_ms >= limit_ms - ABANDON_BEFORE_MS) {
        shutdown->abandoned = true;
        log_write(LOG_WARNING, logger,
                  "The running batches take too long and are aborted; a restart runs them again");
        streaming_request_stop(program->streaming, STOP_NOW);
    }
    if (waited_ms >= limit_ms) {
        log_write(LOG_WARNING, logger, "Stopping without waiting for a disk that does not answer");
        log_output_stop(LAST_WORDS_AT_ONCE_MS);
        _exit(program->out_of_time ? EXIT_CODE_LIMIT : EXIT_CODE_OK);
    }
}

/* The time of --live is over. */
static void check_time(struct program *program) {
    if (program->ends_ms == 0 || clock_monotonic_ms() < program->ends_ms)
        return;
    program->ends_ms = 0;
    streaming_request_stop(program->streaming, STOP_AFTER_BATCH);
}

static volatile sig_atomic_t closing_signals; // how many there were, SIGHUP not counted

static void count_signal(int number) {
    if (number == SIGHUP)
        return;
    if (closing_signals > 0)
        _exit(EXIT_CODE_SIGNAL + number);
    closing_signals = 1;
}

/* Nobody waits for signals any more, and what is left to do takes a few seconds at most: the first
 * one has no effect, a second one ends the process at once, as before. */
static void count_signals(const struct shutdown *shutdown) {
    struct sigaction action = {.sa_handler = count_signal, .sa_flags = SA_RESTART};
    sigset_t signals = stop_signals();
    closing_signals = shutdown->signal != 0;
    for (int number = 1; number < NSIG; number++)
        if (sigismember(&signals, number) == 1)
            (void)sigaction(number, &action, NULL);
    (void)sigprocmask(SIG_UNBLOCK, &signals, NULL);
}

enum { TICK_MS = 200 };

/* Shows everybody what the queries do. */
static void show(struct program *program, struct monitor *monitor) {
    struct query_snapshot snapshots[STREAMING_QUERIES_MAX];
    size_t count = streaming_query_count(program->streaming);
    for (size_t i = 0; i < count; i++)
        snapshots[i] = streaming_query_status(program->streaming, i);
    if (!program->config.await_termination)
        monitor_update(monitor, snapshots, count);
    progress_update(snapshots, count);
    service_manager_update(&program->service_manager, snapshots, count);
    if (health_watch_update(program->health))
        alerts_update(program->alerts);
    http_api_update(program->http);
}

/* Until all queries have ended. */
static void watch(struct program *program) {
    struct monitor monitor;
    service_manager_init(&program->service_manager);
    monitor_init(&monitor, program->config.status_interval_ms);
    progress_start();
    struct shutdown shutdown = {0};
    sigset_t signals = awaited_signals();
    while (streaming_is_active(program->streaming)) {
        struct timespec tick = {.tv_nsec = TICK_MS * 1000000L};
        int number = sigtimedwait(&signals, NULL, &tick);
        if (number == SIGXCPU)
            take_time_limit(program, &shutdown);
        else if (number > 0 && number != SIGUSR1)
            take_signal(program, &shutdown, number);
        check_shutdown(program, &shutdown);
        check_time(program);
        show(program, &monitor);
    }
    show(program, &monitor); // queries may have started and ended since the last call
    progress_stop();
    service_manager_stop(&program->service_manager, program->config.shutdown_timeout_ms);
    count_signals(&shutdown);
}

/* What reports on the queries while they run: health, notifications, the API. */
static void open_surfaces(struct program *program) {
    struct error err;
    struct query_view views[STREAMING_QUERIES_MAX];
    size_t count = streaming_query_count(program->streaming);
    for (size_t i = 0; i < count; i++)
        views[i] = streaming_query_view(program->streaming, i);
    program->health = health_watch_open(&program->config, views, count);
    if (!alerts_open(&program->alerts, &program->config, program->streaming, program->health, &err))
        log_write(LOG_WARNING, logger, "No alerts will be sent to ALERT_WEBHOOK_URL | error=%s",
                  err.message);
    program->http =
        http_api_start(&program->config, program->streaming, program->health, program->alerts);
}

/* The server shows what the others count, and alerts tell the verdicts: each ends before what it
 * uses. */
static void close_surfaces(struct program *program) {
    http_api_stop(program->http);
    alerts_close(program->alerts);
    health_watch_close(program->health);
}

enum { LIVE_DEFAULT_MS = 5 * 60 * 1000 }; // as --help says

static void begin_live(struct program *program) {
    const char *page = http_api_address(program->http);
    int64_t given_ms = program->config.live_ms;
    int64_t seconds = (given_ms > 0 ? given_ms : LIVE_DEFAULT_MS) / 1000;
    program->ends_ms = clock_monotonic_ms() + seconds * 1000;
    struct text_count lasts =
        seconds % 60 == 0 ? text_count(seconds / 60, "minute") : text_count(seconds, "second");
    (void)printf("Streaming %d sample records a second into each table, for %s. Ctrl-C ends it."
                 "\n\n",
                 DEMO_RATE, lasts.text);
    if (page != NULL)
        (void)printf("  Status page:  %s\n", page);
    (void)printf("  Newest rows:  DATA_LAKE_PATH=%s %s tail --job %s --follow\n\n",
                 program->config.data_lake_path, program_invocation_name,
                 program->queries[0].stream->job);
    (void)fflush(stdout); // a reader that has gone shows itself at the report
}

static enum exit_code run_engine(struct program *program, const char *servers) {
    struct error err = {0};
    struct broker *broker;
    const struct config *config = &program->config;
    log_places(program, servers);
    if (!fill_cluster(program, &err) ||
        !broker_open(servers, config->kafka_properties, config->kafka_property_count, &broker,
                     &err) ||
        !streaming_start(&program->streaming, &program->streaming_options, broker, &err)) {
        path_origin_add(config, &err);
        log_write(LOG_CRITICAL, logger, "%s", err.message);
        return exit_code_of(err.kind);
    }
    open_surfaces(program);
    if (config->live)
        begin_live(program);
    watch(program);
    close_surfaces(program);
    if (!streaming_join(program->streaming, &err)) {
        log_write(LOG_INFO, logger, "Stopped because a query has failed | exit_code=%d",
                  exit_code_of(err.kind)); // the query has logged why
        return exit_code_of(err.kind);
    }
    if (program->out_of_time) {
        log_write(LOG_CRITICAL, logger,
                  "Stopped: the process reached its CPU time limit, RLIMIT_CPU (ulimit -t, "
                  "LimitCPU=): raise it | exit_code=%d",
                  EXIT_CODE_LIMIT);
        return EXIT_CODE_LIMIT;
    }
    log_write(LOG_INFO, logger, "All queries have ended | exit_code=0");
    return EXIT_CODE_OK;
}

/* What the topics of a demo hold. */
struct demo_topics {
    struct demo_topic topics[STREAMING_QUERIES_MAX];
    struct sample_record records[STREAMING_QUERIES_MAX];
    size_t count;
};

/* Several queries can read one topic: the first of them says what is in it. */
static void find_topics(const struct program *program, struct demo_topics *found) {
    for (size_t i = 0; i < program->streaming_options.query_count; i++) {
        const struct query_options *query = &program->queries[i];
        size_t at = 0;
        while (at < found->count && strcmp(found->topics[at].name, query->store.topic) != 0)
            at++;
        if (at < found->count)
            continue;
        struct sample_record *record = &found->records[found->count];
        sample_record_init(record, query->stream);
        found->topics[found->count++] =
            (struct demo_topic){.name = query->store.topic,
                                .schema = &record->schema,
                                .type = record->type,
                                .identifier = record->identifier,
                                .partition_by = query->store.partition_by,
                                .partition_by_count = query->store.partition_by_count};
    }
}

/* The same on an embedded Kafka with sample records, and then a look at what came of them. */
static enum exit_code run_demo(struct program *program) {
    struct error err = {0};
    struct demo_topics topics = {0};
    find_topics(program, &topics);
    struct demo_broker *demo;
    bool made = demo_broker_open(&demo, topics.topics, topics.count, DEMO_RECORDS, &err);
    bool ok = made && (!program->config.live ||
                       demo_broker_feed(demo, topics.topics, topics.count, DEMO_RATE, &err));
    enum exit_code code = exit_code_of(err.kind);
    if (ok)
        code = run_engine(program, demo_broker_bootstrap(demo));
    else
        log_write(LOG_CRITICAL, logger, "%s", err.message);
    if (made)
        demo_broker_close(demo);
    for (size_t i = 0; i < topics.count; i++)
        sample_record_deinit(&topics.records[i]);
    if (!ok)
        return code;
    log_output_stop(LAST_WORDS_MS); // the report goes below the log
    if (code == EXIT_CODE_OK && !demo_report_print(output_open(stdout), &program->config, &err) &&
        err.kind != ERROR_STOPPED) { // which is a reader that has read enough
        log_write(LOG_CRITICAL, logger, "%s", err.message);
        code = exit_code_of(err.kind);
    }
    return code;
}

static enum exit_code run_command(const struct config *config) {
    log_output_set(STDERR_FILENO); // stdout is for what was asked
    log_warnings(config);
    return commands_run(config, output_open(stdout), output_open(stderr));
}

static enum exit_code run_queries(struct program *program) {
    const struct config *config = &program->config;
    log_settings(config);
    fill_options(program);
    for (size_t i = 0; i < program->streaming_options.query_count; i++) {
        warn_of_filesystem("checkpoint", program->queries[i].store.checkpoint);
        warn_of_filesystem("table", program->queries[i].store.table);
    }
    warn_of_zones();
    return config->demo ? run_demo(program) : run_engine(program, config->bootstrap_servers);
}

static enum exit_code run(struct program *program) {
    const struct config *config = &program->config;
    struct error err;
    heap_keep(config_memory_budget(config));
    log_configure(config->log_level, config->log_json);
    log_line_use_colour(output_has_colour(config->action == ACTION_COMMAND ? stderr : stdout));
    confinement_begin(config); // before the first thread, which inherits it
    if (config->action == ACTION_COMMAND)
        return run_command(config);
    sigset_t signals = awaited_signals();
    sigprocmask(SIG_BLOCK, &signals, NULL); // before the first thread, which inherits it
    if (!log_output_start(&err)) {
        log_write(LOG_CRITICAL, logger, "%s", err.message);
        return exit_code_of(err.kind);
    }
    enum exit_code code = run_queries(program);
    log_output_stop(LAST_WORDS_MS);
    return code;
}

/* A standard descriptor that is closed would be given to the next file that is opened, and output
 * would go into that one. This way writing fails. */
static void open_standard_descriptors(void) {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)open("/dev/null", O_RDONLY); // gets the lowest number that is free
}

int main(int argc, char **argv) {
    open_standard_descriptors();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); // a write beyond ulimit -f fails then, as on a full disk

    json_begin();
    codec_begin();
    streams_load();
    if (command_line_complete(argc, argv, stdout))
        return EXIT_CODE_OK;
    struct program program = {0};
    enum exit_code code = command_line_load(&program.config, argc, argv, output_open(stderr));
    if (code == EXIT_CODE_OK &&
        !commands_print(&program.config, output_open(stdout), output_open(stderr), &code))
        code = run(&program);
    program_deinit(&program);
    return (int)code;
}
