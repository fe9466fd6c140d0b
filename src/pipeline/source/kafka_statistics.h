/* kafka_statistics.h: what librdkafka reports about a handle every few seconds (its STATISTICS.md),
 * as far as it matters to us. */
#ifndef PIPELINE_SOURCE_KAFKA_STATISTICS_H
#define PIPELINE_SOURCE_KAFKA_STATISTICS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KAFKA_BROKERS_SHOWN = 32 }; // a larger cluster's others are in the sums only

/* The way to a broker and back, in the newest interval. */
struct kafka_round_trip {
    int32_t broker; // its id
    int64_t average_us, p99_us;
};

struct kafka_statistics {
    /* sums since the source was opened, over all brokers and over the handles that it has had */
    int64_t received_bytes, requests, request_timeouts;
    int64_t receive_errors, send_errors, disconnects;
    /* now */
    int64_t queue_bytes, queue_records; // fetched, and not read yet
    int64_t brokers_up;
    size_t round_trip_count; // brokers that were asked something in the newest interval
    struct kafka_round_trip round_trips[KAFKA_BROKERS_SHOWN];
};

/* Where one source's statistics go: its thread writes, any thread reads. */
struct kafka_statistics_box {
    pthread_mutex_t lock;           // guards everything below
    struct kafka_statistics before; // sums of the handles before this one
    struct kafka_statistics newest; // of this one
    bool is_filled;
};

void kafka_statistics_init(struct kafka_statistics_box *box);
void kafka_statistics_deinit(struct kafka_statistics_box *box);

/* A new handle begins to count at 0. */
void kafka_statistics_restart(struct kafka_statistics_box *box);

/* Takes librdkafka's JSON; what is no such text changes nothing. */
void kafka_statistics_take(struct kafka_statistics_box *box, const char *text, size_t size);

/* False: there are none yet. */
bool kafka_statistics_read(struct kafka_statistics_box *box, struct kafka_statistics *statistics);

#endif
