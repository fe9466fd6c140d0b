/* last_record.h: the timestamp of the last record of a few offsets, for who compares or looks. */
#ifndef STREAMING_KAFKA_LAST_RECORD_H
#define STREAMING_KAFKA_LAST_RECORD_H

#include "pipeline/source/source.h"

struct last_record {
    bool found;
    int64_t timestamp_ms; // of the last one that came; -1: it has none, or none came
    bool is_late;         // the time was over before the end of the offsets
};

/* Reads the range for `timeout_ms` at most. `goes_on`, which may be NULL, is asked after each step;
 * false: it has set *err, and the reading ends. Otherwise the errors of the source. */
MUST_CHECK bool last_record_read(struct source *source, const char *topic,
                                 struct offset_range range, int timeout_ms,
                                 bool (*goes_on)(void *context, struct error *err), void *context,
                                 struct last_record *last, struct error *err);

#endif
