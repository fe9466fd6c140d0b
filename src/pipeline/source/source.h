/* source.h: where a worker's records come from. Implemented by source_kafka.c and source_file.c.
 *
 * Each worker has one source of its own and never shares it. A source is asked for one range at a
 * time: open, read until the range has ended, then the next range. What lies beyond a range's end
 * stays with the source for a later batch. Records come in ascending order of offset; an offset
 * that never comes (compacted, aborted, a transaction marker) is simply left out. */
#ifndef PIPELINE_SOURCE_SOURCE_H
#define PIPELINE_SOURCE_SOURCE_H

#include "base/error.h"
#include "core/plan.h"
#include "core/record.h"
#include "pipeline/source/kafka_statistics.h"

enum source_status {
    SOURCE_RECORD, // *record is the next one; its bytes are valid until the next call
    SOURCE_END,    // the range is exhausted
    SOURCE_WAIT,   // nothing came within the time limit; ask again, or give up. *err says what is
                   // known to prevent it (ERROR_BROKER: broker, error, attempts), or ERROR_NONE
    SOURCE_FAILED, // the range is closed; *err says why: ERROR_BROKER (the topic is gone, access is
                   // refused: the range may be opened again later), ERROR_DAMAGED (what came can't
                   // be read: a few times more, then never), ERROR_DATA_LOSS (offsets that the
                   // broker does not have any more), ERROR_CONFIG, ERROR_STATE
};

/* What a source may hold, in bytes. */
struct source_memory {
    size_t fetched;  // what is fetched ahead
    size_t batch;    // the largest record batch, as it was sent
    size_t unpacked; // a record batch that unpacks to so much must be read, with any codec
};

struct source_ops;

struct source {
    const struct source_ops *ops; // first member of every implementation's own struct
};

struct source_ops {
    /* Says which ranges are opened next, in this order, so that what they need is under way before
     * they are. A hint: what can't be begun now is begun, or refused, when its range is opened. */
    void (*expect_ranges)(struct source *source, const char *topic,
                          const struct offset_range *ranges, size_t count);
    bool (*open_range)(struct source *source, const char *topic, struct offset_range range,
                       struct error *err);
    enum source_status (*read)(struct source *source, struct record *record, int timeout_ms,
                               struct error *err);
    /* Gives up the open range in the middle; the next open_range may name it again. */
    void (*abandon_range)(struct source *source);
    /* To be called, between ranges, when there has been nothing to read for a second or so: what
     * the source does to have the next records ready (a Kafka handle asks the brokers 50 times a
     * second) ends until the next range is opened. */
    void (*rest)(struct source *source);
    /* To be called every few seconds while it rests: handles what it has to report. NULL:
     * there is no need. */
    void (*tend)(struct source *source);
    /* What it has told. Any thread. False: nothing yet. NULL: it never does. */
    bool (*statistics)(struct source *source, struct kafka_statistics *statistics);
    void (*close)(struct source *source);
};

#endif
