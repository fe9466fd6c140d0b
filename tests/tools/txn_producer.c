/* txn_producer: puts records on a topic by script, in and out of transactions.
 *
 *     txn_producer SERVERS TOPIC TRANSACTIONAL_ID < script
 *
 * A TRANSACTIONAL_ID of "-" makes a plain idempotent producer, without begin, commit and abort.
 * Script, one command a line:
 *
 *     begin | commit | abort
 *     put PARTITION COUNT [SIZE [FIRST]]   COUNT records with keys "FIRST"… (default 0) and values
 *                                          {"n": <key>, "pad": "x…"} of about SIZE bytes
 *     line PARTITION KEY TEXT              one record with this key and value ("-": no key); the
 *                                          TEXT "\N" is a null value
 *     flush                                waits until everything is on the broker
 *     sleep MILLISECONDS
 *     say TEXT                             prints TEXT, so that a test knows where we are
 *     crash                                ends at once, leaving an open transaction open
 *
 * At the end of the script an open transaction is aborted. Exit 1 with a message on any error. */
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WAIT_MS = 60000 };

static rd_kafka_t *producer;
static const char *topic;
static long delivered_badly;

static void die(const char *what, const char *why) {
    fprintf(stderr, "txn_producer: %s: %s\n", what, why);
    exit(1);
}

static void must(const char *what, rd_kafka_error_t *error) {
    if (error != NULL)
        die(what, rd_kafka_error_string(error));
}

static void on_delivery(rd_kafka_t *handle, const rd_kafka_message_t *message, void *opaque) {
    (void)handle, (void)opaque;
    delivered_badly += message->err != RD_KAFKA_RESP_ERR_NO_ERROR;
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value) {
    char reason[256];
    if (rd_kafka_conf_set(conf, name, value, reason, sizeof reason) != RD_KAFKA_CONF_OK)
        die(name, reason);
}

static void open_producer(const char *servers, const char *id) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", servers);
    set(conf, "enable.idempotence", "true");
    set(conf, "compression.codec", getenv("PRODUCER_CODEC") ? getenv("PRODUCER_CODEC") : "lz4");
    set(conf, "linger.ms", "5");
    set(conf, "queue.buffering.max.kbytes", "200000");
    set(conf, "message.max.bytes", "100000000");
    if (strcmp(id, "-") != 0) {
        set(conf, "transactional.id", id);
        set(conf, "transaction.timeout.ms", "600000");
    }
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    char reason[512];
    producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    if (producer == NULL)
        die("producer", reason);
    if (strcmp(id, "-") != 0)
        must("init transactions", rd_kafka_init_transactions(producer, WAIT_MS));
}

static size_t length_of(const char *text) {
    return text == NULL ? 0 : strlen(text);
}

static void put(int partition, const char *key, const char *value, size_t size) {
    for (;;) {
        rd_kafka_resp_err_t code = rd_kafka_producev(
            producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_VALUE((void *)value, size),
            RD_KAFKA_V_KEY((void *)key, length_of(key)), RD_KAFKA_V_END);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
            return;
        if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            die("produce", rd_kafka_err2str(code));
        rd_kafka_poll(producer, 10);
    }
}

static void put_many(const char *arguments) {
    char *at = (char *)arguments;
    int partition = (int)strtol(at, &at, 10);
    long count = strtol(at, &at, 10), size = strtol(at, &at, 10), first = strtol(at, &at, 10);
    if (*at != '\0' || count <= 0)
        die("put needs PARTITION COUNT [SIZE [FIRST]]", arguments);
    char *value = malloc((size_t)size + 64);
    if (value == NULL)
        die("put", "no memory");
    for (long i = first; i < first + count; i++) {
        char key[24];
        snprintf(key, sizeof key, "%ld", i);
        int used = sprintf(value, "{\"n\": %ld, \"pad\": \"", i);
        for (; used < size - 2; used++)
            value[used] = (char)('a' + (i + used * 7L) % 26);
        used += sprintf(value + used, "\"}");
        put(partition, key, value, (size_t)used);
        if (i % 1024 == 0)
            rd_kafka_poll(producer, 0);
    }
    free(value);
}

static void put_line(char *arguments) {
    char *rest = NULL;
    const char *partition = strtok_r(arguments, " ", &rest), *key = strtok_r(NULL, " ", &rest);
    if (partition == NULL || key == NULL || rest == NULL)
        die("line", "needs PARTITION KEY TEXT");
    const char *value = strcmp(rest, "\\N") == 0 ? NULL : rest;
    put((int)strtol(partition, NULL, 10), strcmp(key, "-") == 0 ? NULL : key, value,
        length_of(value));
}

static void flush(void) {
    if (rd_kafka_flush(producer, WAIT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        die("flush", "timed out");
    if (delivered_badly > 0)
        die("flush", "records were not delivered");
}

static void run(char *line, bool *in_transaction) {
    char *arguments = strchr(line, ' ');
    if (arguments != NULL)
        *arguments++ = '\0';
    else
        arguments = line + strlen(line);
    if (strcmp(line, "begin") == 0) {
        must("begin", rd_kafka_begin_transaction(producer));
        *in_transaction = true;
    } else if (strcmp(line, "commit") == 0) {
        flush();
        must("commit", rd_kafka_commit_transaction(producer, WAIT_MS));
        *in_transaction = false;
    } else if (strcmp(line, "abort") == 0) {
        flush(); // so that the aborted records really are on the broker
        must("abort", rd_kafka_abort_transaction(producer, WAIT_MS));
        *in_transaction = false;
    } else if (strcmp(line, "put") == 0) {
        put_many(arguments);
    } else if (strcmp(line, "line") == 0) {
        put_line(arguments);
    } else if (strcmp(line, "flush") == 0) {
        flush();
    } else if (strcmp(line, "sleep") == 0) {
        usleep((useconds_t)strtol(arguments, NULL, 10) * 1000);
    } else if (strcmp(line, "say") == 0) {
        puts(arguments);
    } else if (strcmp(line, "crash") == 0) {
        _exit(0);
    } else {
        die("no such command", line);
    }
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: txn_producer SERVERS TOPIC TRANSACTIONAL_ID|- < script\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    topic = argv[2];
    open_producer(argv[1], argv[3]);
    static char line[1 << 20];
    bool in_transaction = false;
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] != '\0' && line[0] != '#')
            run(line, &in_transaction);
    }
    flush();
    if (in_transaction)
        must("abort", rd_kafka_abort_transaction(producer, WAIT_MS));
    rd_kafka_destroy(producer);
    return 0;
}
