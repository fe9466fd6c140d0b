#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "streaming/declare/stream.h"
#include "streaming/kafka/broker.h"
#include "surfaces/demo/demo_broker.h"
#include "surfaces/demo/sample.h"

enum { RECORDS = 1000 };

static const char *const partition_by[] = {"status", "role"};
static struct demo_topic topics[] = {{"esports-matches", NULL, partition_by, 1},
                                     {"esports-players", NULL, partition_by, 2}};

/* Reads a partition and compares it with the samples that should be in it. */
static void expect_samples(struct source *source, const struct demo_topic *topic,
                           const struct partition_offsets *offsets) {
    struct sample *sample = calloc(1, sizeof *sample);
    sample->values.schema = topic->schema;
    sample->partition_by = topic->partition_by;
    sample->partition_by_count = topic->partition_by_count;
    struct offset_range range = {offsets->partition, offsets->log_start, offsets->end};
    struct record record;
    struct error err;
    enum source_status status;
    int64_t next = 0;
    assert_true(source->ops->open_range(source, topic->name, range, &err));
    while ((status = source->ops->read(source, &record, 5000, &err)) == SOURCE_RECORD) {
        assert_int_equal(record.offset, next);
        sample_make(sample, (uint64_t)(next * DEMO_PARTITIONS + offsets->partition));
        assert_int_equal(record.timestamp_ms, sample->timestamp_ms);
        assert_int_equal(record.value == NULL, sample->is_null);
        assert_int_equal(record.value_size, sample->size);
        if (record.value != NULL)
            assert_memory_equal(record.value, sample->value, sample->size);
        assert_int_equal(record.key_size, strlen(sample->key));
        next++;
    }
    assert_int_equal(status, SOURCE_END);
    assert_int_equal(next, offsets->end);
    free(sample);
}

static void both_topics_hold_their_samples(void **state) {
    (void)state;
    struct demo_broker *demo;
    struct broker *broker;
    struct source *source;
    struct error err;
    assert_true(demo_broker_open(&demo, topics, 2, RECORDS, &err));
    assert_true(kafka_broker_open(demo_broker_bootstrap(demo), NULL, 0, &broker, &err));
    assert_true(broker->ops->open_source(
        broker, (struct source_memory){16 << 20, 16 << 20, 16 << 20}, &source, &err));
    for (size_t topic = 0; topic < 2; topic++) {
        struct topic_offsets offsets;
        assert_true(broker->ops->list_offsets(broker, topics[topic].name, 10000, &offsets, &err));
        assert_int_equal(offsets.count, DEMO_PARTITIONS);
        int64_t records = 0;
        for (size_t i = 0; i < offsets.count; i++) {
            expect_samples(source, &topics[topic], &offsets.partitions[i]);
            records += offsets.partitions[i].end;
        }
        assert_int_equal(records, RECORDS);
        topic_offsets_deinit(&offsets);
    }
    source->ops->close(source);
    broker->ops->close(broker);
    demo_broker_close(demo);
}

int main(void) {
    streams_load();
    topics[0].schema = stream_of("matches")->record;
    topics[1].schema = stream_of("players")->record;
    const struct CMUnitTest tests[] = {cmocka_unit_test(both_topics_hold_their_samples)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
