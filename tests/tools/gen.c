/* gen: sends generated esports records to a topic, or prints them.
 *
 * Record i goes to partition i % P, so that a fresh topic holds record i at offset i / P. With
 * --stdin each line of standard input is a message ("\N" alone: a null value). */
#include <getopt.h>
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "records.h"

enum { EXIT_USAGE = 2, CONNECT_MS = 10000, FLUSH_MS = 120000 };

static const char usage_text[] =
    "usage: gen --type matches|players --count N (--brokers H:P --topic T | --stdout)\n"
    "           [--partitions P] [--start I] [--seed S] [--malformed PERCENT] [--rate "
    "RECORDS_PER_S]\n"
    "           [--style compact|python] [--compression none|lz4|zstd|snappy|gzip] [--keyless]\n"
    "           [-X property=value] [--quiet]\n"
    "       gen --stdin --brokers H:P --topic T [--partitions P]\n"
    "--rate paces the run and puts the time of production (ms since 1970) into "
    "ingestion_timestamp;\n"
    "without it the records depend on type, seed and number only.\n";

struct options {
    struct record_options record;
    uint64_t start, count;
    const char *brokers, *topic, *compression;
    rd_kafka_conf_t *properties;
    int partitions;
    double rate; // records per second; 0: as fast as possible
    bool to_stdout, from_stdin, keyless, quiet;
};

struct output {
    rd_kafka_t *producer; // NULL: standard output
    rd_kafka_topic_t *topic;
    int partitions;
    uint64_t next; // number of the next record: decides its partition
    uint64_t sent, bytes;
};

struct message {
    const void *value; // NULL: a null value
    size_t size;
    const void *key;
    size_t key_size;
    int64_t timestamp_ms; // 0: the present time
};

static _Noreturn void fail(int code, const char *what, const char *why) {
    (void)fprintf(stderr, "gen: %s: %s\n", what, why);
    exit(code);
}

static _Noreturn void usage(void) {
    (void)fputs(usage_text, stderr);
    exit(EXIT_USAGE);
}

static int64_t clock_ns(clockid_t clock) {
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void set_property(rd_kafka_conf_t *conf, const char *name, const char *value) {
    char why[256];
    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK)
        fail(EXIT_USAGE, name, why);
}

static void set_assignment(rd_kafka_conf_t *conf, char *assignment) {
    char *equals = strchr(assignment, '=');
    if (!equals)
        usage();
    *equals = '\0';
    set_property(conf, assignment, equals + 1);
}

static void check_options(const struct options *o) {
    bool has_target = o->to_stdout || (o->brokers && o->topic);
    if (o->partitions < 1 || !has_target || (!o->from_stdin && o->count == 0))
        usage();
}

static bool parse_type(const char *text) {
    bool match = strcmp(text, "matches") == 0;
    if (!match && strcmp(text, "players") != 0)
        usage();
    return match;
}

static void parse_option(struct options *o, int letter) {
    switch (letter) {
    case 't':
        o->record.match = parse_type(optarg);
        break;
    case 'c':
        o->count = strtoull(optarg, NULL, 10);
        break;
    case 'b':
        o->brokers = optarg;
        break;
    case 'T':
        o->topic = optarg;
        break;
    case 'p':
        o->partitions = (int)strtol(optarg, NULL, 10);
        break;
    case 'o':
        o->to_stdout = true;
        break;
    case 's':
        o->start = strtoull(optarg, NULL, 10);
        break;
    case 'S':
        o->record.seed = strtoull(optarg, NULL, 10);
        break;
    case 'm':
        o->record.spoiled = strtod(optarg, NULL);
        break;
    case 'r':
        o->rate = strtod(optarg, NULL);
        break;
    case 'y':
        o->record.python_style = strcmp(optarg, "python") == 0;
        break;
    case 'z':
        o->compression = optarg;
        break;
    case 'i':
        o->from_stdin = true;
        break;
    case 'k':
        o->keyless = true;
        break;
    case 'q':
        o->quiet = true;
        break;
    case 'X':
        set_assignment(o->properties, optarg);
        break;
    default:
        usage();
    }
}

static struct options parse_options(int argc, char **argv) {
    static const struct option names[] = {
        {"type", required_argument, NULL, 't'},
        {"count", required_argument, NULL, 'c'},
        {"brokers", required_argument, NULL, 'b'},
        {"topic", required_argument, NULL, 'T'},
        {"partitions", required_argument, NULL, 'p'},
        {"stdout", no_argument, NULL, 'o'},
        {"start", required_argument, NULL, 's'},
        {"seed", required_argument, NULL, 'S'},
        {"malformed", required_argument, NULL, 'm'},
        {"rate", required_argument, NULL, 'r'},
        {"style", required_argument, NULL, 'y'},
        {"compression", required_argument, NULL, 'z'},
        {"stdin", no_argument, NULL, 'i'},
        {"keyless", no_argument, NULL, 'k'},
        {"quiet", no_argument, NULL, 'q'},
        {NULL, 0, NULL, 0},
    };
    struct options o = {
        .record = {.match = true, .seed = 42},
        .compression = "none",
        .partitions = 4,
        .properties = rd_kafka_conf_new(),
    };
    for (int letter; (letter = getopt_long(argc, argv, "X:", names, NULL)) != -1;)
        parse_option(&o, letter);
    check_options(&o);
    return o;
}

/* librdkafka calls it for every message: one that was not delivered ends the program. */
static void on_delivery(rd_kafka_t *producer, const rd_kafka_message_t *message, void *opaque) {
    (void)producer;
    (void)opaque;
    if (message->err)
        fail(EXIT_FAILURE, "delivery", rd_kafka_err2str(message->err));
}

static void check_topic(const struct output *out, const char *name) {
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t code =
        rd_kafka_metadata(out->producer, 0, out->topic, &metadata, CONNECT_MS);
    if (code)
        fail(EXIT_FAILURE, name, rd_kafka_err2str(code));
    if (metadata->topics[0].err)
        fail(EXIT_FAILURE, name, rd_kafka_err2str(metadata->topics[0].err));
    if (out->partitions > metadata->topics[0].partition_cnt)
        fail(EXIT_FAILURE, name, "it has fewer partitions");
    rd_kafka_metadata_destroy(metadata);
}

static struct output open_output(const struct options *o) {
    struct output out = {.partitions = o->partitions, .next = o->start};
    if (o->to_stdout)
        return out;

    rd_kafka_conf_t *conf = o->properties;
    set_property(conf, "bootstrap.servers", o->brokers);
    set_property(conf, "acks", "all");
    set_property(conf, "compression.codec", o->compression);
    set_property(conf, "linger.ms", o->rate > 0 ? "1" : "20");
    set_property(conf, "batch.num.messages", "20000");
    set_property(conf, "queue.buffering.max.messages", "400000");
    set_property(conf, "queue.buffering.max.kbytes", "524288");
    set_property(conf, "max.in.flight.requests.per.connection", "1"); // keeps the order
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);

    char why[256];
    out.producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (!out.producer)
        fail(EXIT_FAILURE, "producer", why);
    out.topic = rd_kafka_topic_new(out.producer, o->topic, NULL);
    check_topic(&out, o->topic);
    return out;
}

static void produce(struct output *out, const struct message *m) {
    int32_t partition = (int32_t)(out->next % (uint64_t)out->partitions);
    void *value = (void *)(uintptr_t)m->value; // copied, not written to
    rd_kafka_resp_err_t code;
    while ((code = rd_kafka_producev(
                out->producer, RD_KAFKA_V_RKT(out->topic), RD_KAFKA_V_PARTITION(partition),
                RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_VALUE(value, m->size),
                RD_KAFKA_V_KEY(m->key, m->key_size), RD_KAFKA_V_TIMESTAMP(m->timestamp_ms),
                RD_KAFKA_V_END)) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            fail(EXIT_FAILURE, "produce", rd_kafka_err2str(code));
        rd_kafka_poll(out->producer, 5);
    }
    if (out->sent % 1024 == 0)
        rd_kafka_poll(out->producer, 0);
}

static void print(const struct message *m) {
    if (fwrite(m->value, 1, m->size, stdout) != m->size || putchar('\n') == EOF)
        fail(EXIT_FAILURE, "standard output", "cannot write");
}

static void put_message(struct output *out, const struct message *m) {
    if (out->producer)
        produce(out, m);
    else
        print(m);
    out->next++;
    out->sent++;
    out->bytes += m->size;
}

static void close_output(struct output *out) {
    if (!out->producer) {
        if (fflush(stdout) != 0)
            fail(EXIT_FAILURE, "standard output", "cannot write");
        return;
    }
    rd_kafka_resp_err_t code = rd_kafka_flush(out->producer, FLUSH_MS);
    if (code)
        fail(EXIT_FAILURE, "flush", rd_kafka_err2str(code));
    rd_kafka_topic_destroy(out->topic);
    rd_kafka_destroy(out->producer);
}

static void send_lines(struct output *out) {
    char *line = NULL;
    size_t capacity = 0;
    for (ssize_t length; (length = getline(&line, &capacity, stdin)) >= 0;) {
        if (length > 0 && line[length - 1] == '\n')
            length--;
        bool null = length == 2 && memcmp(line, "\\N", 2) == 0;
        put_message(
            out, &(struct message){.value = null ? NULL : line, .size = null ? 0 : (size_t)length});
    }
    free(line);
}

/* Waits for the moment at which record `index` is due. By CLOCK_BOOTTIME, which moved_clock leaves
 * alone: a clock that was moved changes the timestamps, not the rate. */
static void pace(const struct output *out, int64_t began_ns, uint64_t index, double rate) {
    int64_t due = began_ns + (int64_t)((double)index / rate * 1e9);
    for (int64_t left; (left = due - clock_ns(CLOCK_BOOTTIME)) > 0;) {
        if (out->producer)
            rd_kafka_poll(out->producer, 0);
        struct timespec nap = {.tv_nsec = left < 1000000 ? (long)left : 1000000};
        (void)nanosleep(&nap, NULL);
    }
}

static void send_generated(const struct options *o, struct output *out,
                           uint64_t spoiled[SPOIL_KIND_COUNT]) {
    static struct made_record record;
    int64_t began_ns = clock_ns(CLOCK_BOOTTIME);
    for (uint64_t index = 0; index < o->count; index++) {
        int64_t ingested_ms = INGESTED_BY_NUMBER;
        if (o->rate > 0) {
            pace(out, began_ns, index, o->rate);
            ingested_ms = clock_ns(CLOCK_REALTIME) / 1000000;
        }
        make_record(&o->record, o->start + index, ingested_ms, &record);
        if (record.spoiled >= 0)
            spoiled[record.spoiled]++;
        put_message(out, &(struct message){
                             .value = record.value,
                             .size = record.size,
                             .key = o->keyless ? NULL : record.key,
                             .key_size = o->keyless ? 0 : record.key_size,
                             .timestamp_ms = o->rate > 0 ? ingested_ms : 0,
                         });
    }
}

static void report(const struct output *out, int64_t began_ns,
                   const uint64_t spoiled[SPOIL_KIND_COUNT]) {
    double seconds = (double)(clock_ns(CLOCK_MONOTONIC) - began_ns) / 1e9;
    (void)fprintf(stderr, "gen: %" PRIu64 " records, %.1f MB, %.2f s", out->sent,
                  (double)out->bytes / 1e6, seconds);
    for (size_t kind = 0; kind < SPOIL_KIND_COUNT; kind++) {
        if (spoiled[kind])
            (void)fprintf(stderr, ", %s %" PRIu64, spoil_kind_names[kind], spoiled[kind]);
    }
    (void)fputc('\n', stderr);
}

int main(int argc, char **argv) {
    struct options o = parse_options(argc, argv);
    uint64_t spoiled[SPOIL_KIND_COUNT] = {0};
    int64_t began_ns = clock_ns(CLOCK_MONOTONIC);

    struct output out = open_output(&o);
    if (o.from_stdin)
        send_lines(&out);
    else
        send_generated(&o, &out, spoiled);
    close_output(&out);

    if (!o.quiet)
        report(&out, began_ns, spoiled);
    return EXIT_SUCCESS;
}
