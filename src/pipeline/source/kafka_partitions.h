/* kafka_partitions.h: the partitions that one source reads through one librdkafka handle: which are
 * active, where each stands, and what is in memory for them.
 *
 * An active partition is fetched ahead into a queue of its own. Memory for that is cut for a number
 * of partitions (slots): half of it for what waits in the queues, a quarter for the fetch that each
 * may overshoot its queue by, the rest for the response under way and for what was taken from a
 * queue. When more partitions are wanted than there are slots, the handle is opened again with
 * twice the slots and smaller queues, or four times, and so on. Once queues would get too small to
 * be useful, the partitions take turns: as many as there are slots are started at once, in the
 * place of those that were opened last, which in a topic that is read again and again in the same
 * order are needed last.
 *
 * One worker's thread only. */
#ifndef PIPELINE_SOURCE_KAFKA_PARTITIONS_H
#define PIPELINE_SOURCE_KAFKA_PARTITIONS_H

#include "pipeline/source/kafka_client.h"
#include "pipeline/source/source.h"

struct rd_kafka_message_s;
struct rd_kafka_queue_s;
struct rd_kafka_topic_s;

enum { KAFKA_TAKE_MAX = 1024 }; // messages taken from a queue at once

struct kafka_topic {
    char *name;                      // owned
    struct rd_kafka_topic_s *handle; // owned; NULL: not asked for since the client was opened
};

struct kafka_partition {
    size_t topic; // index
    int32_t id;
    bool active;                      // it is fetched, and position, proved_to and held count
    bool known;                       // to the client: started there, perhaps paused
    bool wanted;                      // by the start under way
    int64_t position;                 // the offset from which on nothing has been handed out
    int64_t proved_to;                // no record that was not handed out lies below
    uint64_t opened;                  // the use that was its latest
    struct rd_kafka_queue_s *queue;   // owned; while known
    size_t read_count, read_bytes;    // taken from the queue since it was last made to refill
    struct rd_kafka_message_s **held; // owned, with the messages: taken, for a later range
    size_t held_count;
};

struct kafka_partitions {
    const struct kafka_settings *settings; // borrowed
    struct source_memory memory;
    bool unpacks_more; // the client's limit for a response is that for unpacking zstd
    size_t slots;
    struct kafka_limits limits; // the client's
    struct kafka_client client; // opened when the first partition is started
    struct kafka_topic *topics; // owned
    size_t topic_count;
    struct kafka_partition *partitions; // owned
    size_t count;
    uint64_t uses;
};

void kafka_partitions_init(struct kafka_partitions *set, const struct kafka_settings *settings,
                           struct source_memory memory);
void kafka_partitions_deinit(struct kafka_partitions *set);

/* The partition's index, which stays. Its `opened` becomes the newest. */
size_t kafka_partitions_use(struct kafka_partitions *set, const char *topic, int32_t id);

/* The topic's name. */
const char *kafka_partitions_topic(const struct kafka_partitions *set, size_t index);

/* Where a partition is to be read from. */
struct kafka_start {
    size_t index;
    int64_t offset;
};

/* Whether what is fetched of the partition begins there. */
bool kafka_partitions_continues(const struct kafka_partitions *set, struct kafka_start start);

/* Starts the first one, and as many of those after it as there are slots, in one go: the broker
 * may hold back its answer for fetch.wait.max.ms before it is asked for new partitions. One that
 * continues there anyway is left alone; another active one forgets what it has. Of a partition that
 * is named twice, the first place counts. False: the first one could not be started. */
MUST_CHECK bool kafka_partitions_start(struct kafka_partitions *set,
                                       const struct kafka_start *starts, size_t count,
                                       struct error *err);

/* Pauses those that have nothing waiting. */
void kafka_partitions_rest(struct kafka_partitions *set);

/* Forgets all that was fetched and closes the client; the next start opens another. For everything
 * that leaves librdkafka in an unknown state: a topic that is gone, a refused offset, a broken
 * batch. */
void kafka_partitions_reset(struct kafka_partitions *set);

/* librdkafka's limit for a response is also that for what a zstd batch unpacks to. Whether the
 * memory allows more than the client has / resets, and has all clients from now on opened with it.
 */
bool kafka_partitions_can_unpack_more(const struct kafka_partitions *set);
void kafka_partitions_unpack_more(struct kafka_partitions *set);

/* Takes up to `size` messages from the partition's queue; when it is empty, waits for one. The
 * caller owns the messages. False: librdkafka can't take any; *code says why. */
bool kafka_partitions_take(struct kafka_partitions *set, size_t index,
                           struct rd_kafka_message_s **messages, size_t size, int wait_ms,
                           size_t *taken, int *code);

/* Gives messages back for later / gets them again: at most KAFKA_TAKE_MAX. */
void kafka_partitions_hold(struct kafka_partitions *set, size_t index,
                           struct rd_kafka_message_s *const *messages, size_t count);
size_t kafka_partitions_unhold(struct kafka_partitions *set, size_t index,
                               struct rd_kafka_message_s **messages);

#endif
