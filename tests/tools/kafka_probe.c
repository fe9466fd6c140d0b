/* kafka_probe: reads a topic through the program's own broker and source, in the way a query does,
 * and prints what came.
 *
 *     kafka_probe SERVERS list TOPIC                 offsets of every partition
 *     kafka_probe SERVERS read TOPIC P:START:END...  reads the ranges in order with one source
 *     kafka_probe SERVERS drain TOPIC [STEP]         reads all partitions to their ends in rounds
 * of STEP offsets a partition (default: at once)
 *
 * A range's line: partition, start and end; the offsets that came, in runs; milliseconds. Options
 * come from the environment:
 *
 *     PROBE_CONF="name=value ..."    properties for librdkafka
 *     PROBE_MEMORY                   what the source may fetch ahead, in bytes
 *     PROBE_BATCH                    the largest record batch that it may fetch, in bytes
 *     PROBE_UNPACKED                 what a record batch must be able to unpack to, in bytes
 *     PROBE_TIMEOUT                  gives a range up after so many seconds without a record (30)
 *     PROBE_KEEP_GOING               continues after a range that failed
 *     PROBE_REST                     rests after every range */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/check.h"
#include "base/system/clock.h"
#include "error_names.h"
#include "streaming/kafka/broker.h"

enum { PROPERTIES_MAX = 32 };

static int64_t total; // records read

static int fail(const struct error *err) {
    printf("error kind=%s %s\n", error_kind_name(err->kind), err->message);
    return 1;
}

static size_t read_properties(struct kafka_property *properties) {
    char *text = getenv("PROBE_CONF");
    size_t count = 0;
    for (char *word = text == NULL ? NULL : strtok(text, " "); word != NULL;
         word = strtok(NULL, " ")) {
        char *equals = strchr(word, '=');
        check(equals != NULL && count < PROPERTIES_MAX);
        *equals = '\0';
        properties[count++] = (struct kafka_property){.name = word, .value = equals + 1};
    }
    return count;
}

static int64_t number_from(const char *name, int64_t fallback) {
    const char *text = getenv(name);
    return text == NULL ? fallback : strtoll(text, NULL, 10);
}

/* Whether the source may be asked again after a wait. */
static bool go_on(const struct error *err, int64_t since_ms) {
    if (err->kind != ERROR_NONE)
        printf("wait: %s\n", err->message);
    fflush(stdout);
    return clock_monotonic_ms() - since_ms < number_from("PROBE_TIMEOUT", 30) * 1000;
}

/* "0-9,12" of the offsets that came, one after the other. */
struct runs {
    int64_t first, last; // the run under way; last < first: none yet
    char text[4096];
};

static void runs_close(struct runs *runs) {
    size_t used = strlen(runs->text);
    if (runs->last < runs->first)
        return;
    if (used + 64 > sizeof runs->text)
        return; // enough for any test that looks
    snprintf(runs->text + used, sizeof runs->text - used, "%s%" PRId64 "-%" PRId64,
             used == 0 ? "" : ",", runs->first, runs->last);
}

static void runs_add(struct runs *runs, int64_t offset) {
    if (runs->last < runs->first || offset != runs->last + 1) {
        runs_close(runs);
        runs->first = offset;
    }
    runs->last = offset;
}

static bool read_records(struct source *source, struct offset_range range, struct runs *runs,
                         struct error *err) {
    int64_t progress_ms = clock_monotonic_ms();
    struct record record;
    for (;;) {
        switch (source->ops->read(source, &record, 1000, err)) {
        case SOURCE_END:
            return true;
        case SOURCE_FAILED:
            return false;
        case SOURCE_WAIT:
            if (go_on(err, progress_ms))
                break;
            source->ops->abandon_range(source);
            return error_set(err, ERROR_BROKER, "gave up");
        case SOURCE_RECORD:
            progress_ms = clock_monotonic_ms();
            check(record.offset >= range.start && record.offset < range.end);
            check(runs->last < runs->first || record.offset > runs->last);
            runs_add(runs, record.offset);
            total++;
            break;
        }
    }
}

static bool read_range(struct source *source, const char *topic, struct offset_range range,
                       bool quiet, struct error *err) {
    int64_t began_us = clock_monotonic_us();
    struct runs runs = {.first = 0, .last = -1};
    if (!source->ops->open_range(source, topic, range, err) ||
        !read_records(source, range, &runs, err))
        return false;
    if (getenv("PROBE_REST") != NULL)
        source->ops->rest(source);
    runs_close(&runs);
    if (!quiet)
        printf("range %d:%" PRId64 ":%" PRId64 " offsets=%s ms=%.1f\n", range.partition,
               range.start, range.end, runs.text,
               (double)(clock_monotonic_us() - began_us) / 1000.0);
    fflush(stdout);
    return true;
}

static bool list_topic(struct broker *broker, const char *topic, struct topic_offsets *offsets,
                       struct error *err) {
    int64_t began_us = clock_monotonic_us();
    if (!broker->ops->list_offsets(broker, topic, 10000, offsets, err))
        return false;
    for (size_t i = 0; i < offsets->count; i++)
        printf("partition %d log_start=%" PRId64 " end=%" PRId64 "\n",
               offsets->partitions[i].partition, offsets->partitions[i].log_start,
               offsets->partitions[i].end);
    printf("listed in %.1f ms\n", (double)(clock_monotonic_us() - began_us) / 1000.0);
    return true;
}

static bool read_ranges(struct source *source, const char *topic, char **ranges, int count,
                        struct error *err) {
    for (int i = 0; i < count; i++) {
        char *at = ranges[i];
        struct offset_range range = {.partition = (int32_t)strtol(at, &at, 10)};
        range.start = strtoll(at + 1, &at, 10);
        range.end = strtoll(at + 1, &at, 10);
        check(*at == '\0' && range.end >= range.start);
        if (!read_range(source, topic, range, false, err)) {
            if (getenv("PROBE_KEEP_GOING") == NULL)
                return false;
            (void)fail(err);
        }
    }
    return true;
}

static bool drain(struct source *source, const char *topic, const struct topic_offsets *offsets,
                  int64_t step, struct error *err) {
    bool more = true;
    for (int64_t round = 0; more; round++) {
        more = false;
        for (size_t i = 0; i < offsets->count; i++) {
            const struct partition_offsets *partition = &offsets->partitions[i];
            struct offset_range range = {.partition = partition->partition};
            range.start = partition->log_start + round * step;
            range.end = partition->end - range.start > step ? range.start + step : partition->end;
            if (range.start >= partition->end)
                continue;
            more = true;
            if (!read_range(source, topic, range, step < INT64_MAX / 1024, err))
                return false;
        }
    }
    return true;
}

static int run(struct broker *broker, int argc, char **argv) {
    struct error err = {0};
    const char *mode = argv[2], *topic = argv[3];
    struct topic_offsets offsets = {0};
    struct source *source;
    bool done = true;
    if (strcmp(mode, "read") != 0)
        done = list_topic(broker, topic, &offsets, &err);
    if (!done)
        return fail(&err);
    struct source_memory memory = {.fetched = (size_t)number_from("PROBE_MEMORY", 16 << 20),
                                   .batch = (size_t)number_from("PROBE_BATCH", 64 << 20),
                                   .unpacked = (size_t)number_from("PROBE_UNPACKED", 64 << 20)};
    if (!broker->ops->open_source(broker, memory, &source, &err))
        return fail(&err);
    int64_t began_us = clock_monotonic_us();
    if (strcmp(mode, "read") == 0)
        done = read_ranges(source, topic, argv + 4, argc - 4, &err);
    else if (strcmp(mode, "drain") == 0)
        done = drain(source, topic, &offsets,
                     argc > 4 ? strtoll(argv[4], NULL, 10) : INT64_MAX / 1024, &err);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("done: %" PRId64 " records in %.0f ms, cpu %.3f s, max rss %ld MB\n", total,
           (double)(clock_monotonic_us() - began_us) / 1000.0,
           (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6,
           usage.ru_maxrss / 1024);
    int result = done ? 0 : fail(&err);
    source->ops->close(source);
    topic_offsets_deinit(&offsets);
    return result;
}

int main(int argc, char **argv) {
    if (argc < 4) {
        fprintf(stderr, "usage: kafka_probe SERVERS list|read|drain TOPIC [RANGE...|STEP]\n");
        return 2;
    }
    struct kafka_property properties[PROPERTIES_MAX];
    struct error err = {0};
    struct broker *broker;
    if (!kafka_broker_open(argv[1], properties, read_properties(properties), &broker, &err))
        return fail(&err);
    int result = run(broker, argc, argv);
    broker->ops->close(broker);
    return result;
}
