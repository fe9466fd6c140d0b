/* A partition is started once per handle. Later it is resumed and sought, and what is not wanted
 * is paused, but never stopped.
 *
 * Three things would cost time: queues that are not filled again although they were read
 * (refill()), partitions at their end, for which the broker holds back its answer
 * (pause_those_in_the_way()), and memory that was cut for fewer partitions than are read by now
 * (cut_memory_for()). */
#include "pipeline/source/kafka_partitions.h"

#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "pipeline/source/kafka_errors.h"

enum {
    STARVING_MS = 5,          // longer than an answer takes that is not held back
    SLOTS_FIRST = 8,          // partitions that the first handle's memory is cut for
    QUEUE_LEAST = 128 * 1024, // bytes; below this a queue no longer hides a round trip
    QUEUE_MOST = 16 << 20,    // bytes; above this it only costs memory
    FETCH_LEAST = 64 * 1024,  // bytes
    FETCH_MOST = 1 << 20,     // bytes
    RESPONSE_MOST = 16 << 20, // bytes
};

void kafka_partitions_init(struct kafka_partitions *set, const struct kafka_settings *settings,
                           struct source_memory memory) {
    *set = (struct kafka_partitions){.settings = settings, .memory = memory, .slots = SLOTS_FIRST};
}

static void *grow(void *array, size_t count, size_t size) {
    void *larger = reallocarray(array, count + 1, size);
    check(larger != NULL);
    return larger;
}

static size_t find_topic(struct kafka_partitions *set, const char *name) {
    for (size_t i = 0; i < set->topic_count; i++) {
        if (strcmp(set->topics[i].name, name) == 0)
            return i;
    }
    set->topics = grow(set->topics, set->topic_count, sizeof *set->topics);
    set->topics[set->topic_count] = (struct kafka_topic){.name = text_copy(name)};
    return set->topic_count++;
}

static size_t find_partition(struct kafka_partitions *set, size_t topic, int32_t id) {
    for (size_t i = 0; i < set->count; i++) {
        if (set->partitions[i].topic == topic && set->partitions[i].id == id)
            return i;
    }
    set->partitions = grow(set->partitions, set->count, sizeof *set->partitions);
    set->partitions[set->count] = (struct kafka_partition){.topic = topic, .id = id};
    return set->count++;
}

size_t kafka_partitions_use(struct kafka_partitions *set, const char *topic, int32_t id) {
    size_t index = find_partition(set, find_topic(set, topic), id);
    set->partitions[index].opened = ++set->uses;
    return index;
}

static struct kafka_topic *topic_of(const struct kafka_partitions *set, size_t index) {
    return &set->topics[set->partitions[index].topic];
}

const char *kafka_partitions_topic(const struct kafka_partitions *set, size_t index) {
    return topic_of(set, index)->name;
}

static void forget_held(struct kafka_partition *partition) {
    for (size_t i = 0; i < partition->held_count; i++)
        rd_kafka_message_destroy(partition->held[i]);
    free(partition->held);
    partition->held = NULL;
    partition->held_count = 0;
    partition->active = false;
}

/* Nothing is stopped with rd_kafka_consume_stop(), neither here nor at the end: up to
 * librdkafka 2.0.2 at least, stopping a partition whose topic was deleted leaves a reference behind
 * for which rd_kafka_destroy() waits forever. */
static rd_kafka_topic_partition_list_t *list_new(const struct kafka_partitions *set) {
    return rd_kafka_topic_partition_list_new((int)set->count);
}

static void list_add(struct kafka_partitions *set, rd_kafka_topic_partition_list_t *list,
                     size_t index) {
    rd_kafka_topic_partition_list_add(list, topic_of(set, index)->name, set->partitions[index].id);
}

/* Also destroys the list. What is queued for its partitions is outdated. */
static void pause_list(struct kafka_partitions *set, rd_kafka_topic_partition_list_t *list) {
    // Waits for librdkafka's own threads only; fails only for partitions that it does not know.
    if (list->cnt > 0)
        (void)rd_kafka_pause_partitions(set->client.handle, list);
    rd_kafka_topic_partition_list_destroy(list);
}

void kafka_partitions_reset(struct kafka_partitions *set) {
    for (size_t i = 0; i < set->count; i++) {
        struct kafka_partition *partition = &set->partitions[i];
        forget_held(partition);
        if (partition->queue != NULL)
            rd_kafka_queue_destroy(partition->queue);
        partition->queue = NULL;
        partition->known = false;
    }
    for (size_t i = 0; i < set->topic_count; i++) {
        if (set->topics[i].handle != NULL)
            rd_kafka_topic_destroy(set->topics[i].handle);
        set->topics[i].handle = NULL;
    }
    kafka_client_close(&set->client);
}

void kafka_partitions_deinit(struct kafka_partitions *set) {
    kafka_partitions_reset(set);
    for (size_t i = 0; i < set->topic_count; i++)
        free(set->topics[i].name);
    free(set->topics);
    free(set->partitions);
    *set = (struct kafka_partitions){0};
}

/* --- starting within the memory -------------------------------------------------------------- */

static size_t between(size_t least, size_t value, size_t most) {
    return value < least ? least : value > most ? most : value;
}

/* librdkafka unpacks zstd into a buffer of at most so many bytes, which it makes three times as
 * large until the batch fits (up to 2.15 at least, unless the batch says its size): with less than
 * this, one of memory.unpacked might miss. */
static size_t unpacked_limit(const struct kafka_partitions *set) {
    enum { STEP = 3 };
    return set->memory.unpacked < SIZE_MAX / STEP ? STEP * set->memory.unpacked : SIZE_MAX;
}

bool kafka_partitions_can_unpack_more(const struct kafka_partitions *set) {
    return !set->unpacks_more && unpacked_limit(set) > set->limits.largest;
}

void kafka_partitions_unpack_more(struct kafka_partitions *set) {
    set->unpacks_more = true;
    kafka_partitions_reset(set);
}

static struct kafka_limits limits_for(const struct kafka_partitions *set) {
    size_t memory_max = set->memory.fetched, slots = set->slots;
    check(slots > 0);
    return (struct kafka_limits){
        .queue = between(QUEUE_LEAST, memory_max / 2 / slots, QUEUE_MOST),
        .fetch = between(FETCH_LEAST, memory_max / 4 / slots, FETCH_MOST),
        .response = between(FETCH_MOST, memory_max / 8, RESPONSE_MOST),
        .largest = set->unpacks_more ? unpacked_limit(set) : set->memory.batch,
    };
}

/* librdkafka frees what is outdated only when it is taken, and nobody takes from a partition that
 * is paused: with thousands of partitions, their queues would hold far more than the memory. */
static void empty_queue(const struct kafka_partition *partition) {
    rd_kafka_message_t *messages[KAFKA_TAKE_MAX];
    for (ssize_t count; (count = rd_kafka_consume_batch_queue(partition->queue, 0, messages,
                                                              KAFKA_TAKE_MAX)) > 0;) {
        for (ssize_t i = 0; i < count; i++)
            rd_kafka_message_destroy(messages[i]);
    }
}

/* Marks as many of them as wanted, at most. */
static void want(struct kafka_partitions *set, const struct kafka_start *starts, size_t count,
                 size_t most) {
    for (size_t i = 0; i < set->count; i++)
        set->partitions[i].wanted = false;
    for (size_t i = 0; i < count && most > 0; i++) {
        struct kafka_partition *partition = &set->partitions[starts[i].index];
        most -= !partition->wanted;
        partition->wanted = true;
    }
}

/* How many there are if nothing is paused. */
static size_t active_or_wanted(const struct kafka_partitions *set) {
    size_t count = 0;
    for (size_t i = 0; i < set->count; i++)
        count += set->partitions[i].active || set->partitions[i].wanted;
    return count;
}

/* As far as that leaves queues that are of use. */
static void cut_memory_for(struct kafka_partitions *set, size_t count) {
    size_t slots = set->slots;
    while (slots < count && set->memory.fetched / 4 >= QUEUE_LEAST * slots)
        slots *= 2;
    if (slots == set->slots)
        return;
    kafka_partitions_reset(set);
    set->slots = slots;
}

/* Of the active ones that are not wanted; there must be one. */
static size_t opened_last(const struct kafka_partitions *set) {
    size_t last = set->count;
    for (size_t i = 0; i < set->count; i++) {
        const struct kafka_partition *partition = &set->partitions[i];
        if (partition->active && !partition->wanted &&
            (last == set->count || partition->opened > set->partitions[last].opened))
            last = i;
    }
    check(last < set->count);
    return last;
}

static void pause_surplus(struct kafka_partitions *set) {
    size_t count = active_or_wanted(set);
    if (count <= set->slots)
        return;
    rd_kafka_topic_partition_list_t *list = list_new(set);
    size_t *paused = must_alloc(count - set->slots, sizeof *paused), paused_count = 0;
    for (; count > set->slots; count--) {
        size_t index = opened_last(set);
        forget_held(&set->partitions[index]);
        list_add(set, list, index);
        paused[paused_count++] = index;
    }
    pause_list(set, list);
    for (size_t i = 0; i < paused_count; i++)
        empty_queue(&set->partitions[paused[i]]);
    free(paused);
}

static bool open_client(struct kafka_partitions *set, struct error *err) {
    if (set->client.handle != NULL)
        return true;
    set->limits = limits_for(set);
    return kafka_client_open(&set->client, set->settings, &set->limits, err);
}

static bool set_start_error(const char *topic, int32_t partition, struct error *err) {
    rd_kafka_resp_err_t code = rd_kafka_last_error();
    return error_set(err, kafka_error_kind((int)code),
                     "topic '%s' partition %" PRId32 ": cannot start reading: %s", topic, partition,
                     rd_kafka_err2str(code));
}

/* The first start in this client. */
static bool start_new(struct kafka_partitions *set, size_t index, int64_t offset,
                      struct error *err) {
    struct kafka_partition *partition = &set->partitions[index];
    struct kafka_topic *topic = topic_of(set, index);
    if (topic->handle == NULL)
        topic->handle = rd_kafka_topic_new(set->client.handle, topic->name, NULL);
    if (topic->handle == NULL || rd_kafka_consume_start(topic->handle, partition->id, offset) != 0)
        return set_start_error(topic->name, partition->id, err);
    partition->queue = rd_kafka_queue_get_partition(set->client.handle, topic->name, partition->id);
    check(partition->queue != NULL);
    partition->known = true;
    return true;
}

/* Before they are sought: only seeking wakes the thread of a partition's broker, which otherwise
 * may sleep for a second. */
static void resume_wanted(struct kafka_partitions *set) {
    rd_kafka_topic_partition_list_t *list = list_new(set);
    for (size_t i = 0; i < set->count; i++) {
        const struct kafka_partition *partition = &set->partitions[i];
        if (partition->wanted && partition->known && !partition->active)
            list_add(set, list, i);
    }
    if (list->cnt > 0)
        (void)rd_kafka_resume_partitions(set->client.handle, list); // as in pause_list()
    rd_kafka_topic_partition_list_destroy(list);
}

/* Without a time limit: with one, it would wait for librdkafka to have done it. What is taken from
 * the queue from here on is from the new offset. */
static bool start_again(struct kafka_partitions *set, size_t index, int64_t offset,
                        struct error *err) {
    struct kafka_topic *topic = topic_of(set, index);
    if (rd_kafka_seek(topic->handle, set->partitions[index].id, offset, 0) != 0)
        return set_start_error(topic->name, set->partitions[index].id, err);
    return true;
}

bool kafka_partitions_continues(const struct kafka_partitions *set, struct kafka_start start) {
    const struct kafka_partition *partition = &set->partitions[start.index];
    return partition->active && partition->position == start.offset;
}

static bool start_one(struct kafka_partitions *set, struct kafka_start start, struct error *err) {
    struct kafka_partition *partition = &set->partitions[start.index];
    if (kafka_partitions_continues(set, start))
        return true;
    forget_held(partition);
    if (!(partition->known ? start_again(set, start.index, start.offset, err)
                           : start_new(set, start.index, start.offset, err)))
        return false;
    partition->active = true;
    partition->position = partition->proved_to = start.offset;
    partition->read_count = partition->read_bytes = 0;
    return true;
}

bool kafka_partitions_start(struct kafka_partitions *set, const struct kafka_start *starts,
                            size_t count, struct error *err) {
    check(count > 0);
    want(set, starts, count, count);
    cut_memory_for(set, active_or_wanted(set));
    want(set, starts, count, set->slots);
    pause_surplus(set);
    if (!open_client(set, err))
        return false;
    resume_wanted(set);
    bool first_started = true;
    struct error ignored; // of those after the first: they are started again when they are opened
    for (size_t i = 0; i < count; i++) {
        struct kafka_partition *partition = &set->partitions[starts[i].index];
        if (partition->wanted && !start_one(set, starts[i], i == 0 ? err : &ignored))
            first_started = first_started && i > 0;
        partition->wanted = false;
    }
    return first_started;
}

/* Whether nothing waits for a later range. One message may: often it is the report that the
 * partition's end was reached, and a record is fetched again. */
static bool is_idle(const struct kafka_partition *partition) {
    return partition->active &&
           partition->held_count + rd_kafka_queue_length(partition->queue) <= 1;
}

void kafka_partitions_rest(struct kafka_partitions *set) {
    if (set->client.handle == NULL)
        return;
    rd_kafka_topic_partition_list_t *list = list_new(set);
    for (size_t i = 0; i < set->count; i++) {
        if (!is_idle(&set->partitions[i]))
            continue;
        forget_held(&set->partitions[i]);
        list_add(set, list, i);
    }
    pause_list(set, list);
}

/* As far as the broker's latest answer says. */
static bool is_at_end(const struct kafka_partitions *set, size_t index) {
    const struct kafka_partition *partition = &set->partitions[index];
    int64_t low, high;
    return rd_kafka_get_watermark_offsets(set->client.handle, topic_of(set, index)->name,
                                          partition->id, &low,
                                          &high) == RD_KAFKA_RESP_ERR_NO_ERROR &&
           high >= 0 && partition->position >= high;
}

/* Partition `index` waits for records. Those that have been read to their end delay it: with
 * nothing else to fetch while its own queue is full, the broker is asked for news of them and takes
 * its time (fetch.wait.max.ms), in which the queue is read empty. */
static void pause_those_in_the_way(struct kafka_partitions *set, size_t index) {
    rd_kafka_topic_partition_list_t *list = list_new(set);
    for (size_t i = 0; i < set->count; i++) {
        if (i == index || !is_idle(&set->partitions[i]) || !is_at_end(set, i))
            continue;
        forget_held(&set->partitions[i]);
        list_add(set, list, i);
    }
    pause_list(set, list);
}

/* --- taking ---------------------------------------------------------------------------------- */

/* Counts what was taken, and has the queue filled again when it may have been full and no more
 * waits in it than was taken. Not more often: every broker's thread is woken. */
static void refill(struct kafka_partitions *set, struct kafka_partition *partition,
                   rd_kafka_message_t *const *messages, size_t count) {
    for (size_t i = 0; i < count; i++)
        partition->read_bytes += messages[i]->len + messages[i]->key_len;
    partition->read_count += count;
    if (partition->read_bytes < set->limits.queue / 2 &&
        partition->read_count < kafka_limits_records(&set->limits) / 2)
        return;
    if (rd_kafka_queue_length(partition->queue) > partition->read_count)
        return;
    partition->read_count = partition->read_bytes = 0;
    kafka_client_refill(&set->client);
}

static bool is_trouble(const rd_kafka_message_t *message) {
    return message->err != RD_KAFKA_RESP_ERR_NO_ERROR &&
           message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF;
}

bool kafka_partitions_take(struct kafka_partitions *set, size_t index,
                           rd_kafka_message_t **messages, size_t size, int wait_ms, size_t *taken,
                           int *code) {
    struct kafka_partition *partition = &set->partitions[index];
    rd_kafka_topic_t *topic = topic_of(set, index)->handle;
    *taken = 0;
    // Not a single call with the time limit: it would wait until it has all that it may take.
    ssize_t count = rd_kafka_consume_batch(topic, partition->id, 0, messages, size);
    int short_ms = wait_ms < STARVING_MS ? wait_ms : STARVING_MS;
    if (count == 0 && short_ms > 0)
        count = rd_kafka_consume_batch(topic, partition->id, short_ms, messages, 1);
    if (count == 0 && wait_ms > short_ms) {
        pause_those_in_the_way(set, index);
        count = rd_kafka_consume_batch(topic, partition->id, wait_ms - short_ms, messages, 1);
    }
    *code = count < 0 ? (int)rd_kafka_last_error() : RD_KAFKA_RESP_ERR_NO_ERROR;
    kafka_client_tend(&set->client);
    if (count <= 0)
        return count == 0;
    if (!is_trouble(messages[0]))
        kafka_client_forget_trouble(&set->client);
    refill(set, partition, messages, (size_t)count);
    *taken = (size_t)count;
    return true;
}

void kafka_partitions_hold(struct kafka_partitions *set, size_t index,
                           rd_kafka_message_t *const *messages, size_t count) {
    struct kafka_partition *partition = &set->partitions[index];
    check(partition->held_count == 0 && count <= KAFKA_TAKE_MAX);
    if (count == 0)
        return;
    partition->held = must_alloc(count, sizeof(rd_kafka_message_t *));
    memcpy(partition->held, messages, count * sizeof(rd_kafka_message_t *));
    partition->held_count = count;
}

size_t kafka_partitions_unhold(struct kafka_partitions *set, size_t index,
                               rd_kafka_message_t **messages) {
    struct kafka_partition *partition = &set->partitions[index];
    size_t count = partition->held_count;
    if (count > 0)
        memcpy(messages, partition->held, count * sizeof(rd_kafka_message_t *));
    free(partition->held);
    partition->held = NULL;
    partition->held_count = 0;
    return count;
}
