#include "streaming/kafka/last_record.h"

#include "base/system/clock.h"

enum { STEP_MS = 200 };

bool last_record_read(struct source *source, const char *topic, struct offset_range range,
                      int timeout_ms, bool (*goes_on)(void *context, struct error *err),
                      void *context, struct last_record *last, struct error *err) {
    int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
    *last = (struct last_record){.timestamp_ms = -1};
    if (!source->ops->open_range(source, topic, range, err))
        return false;
    bool stopped = false;
    while (clock_monotonic_ms() < deadline_ms && !stopped) {
        struct record record;
        switch (source->ops->read(source, &record, STEP_MS, err)) {
        case SOURCE_RECORD:
            last->found = true;
            last->timestamp_ms = record.timestamp_ms;
            break;
        case SOURCE_END:
            return true;
        case SOURCE_FAILED:
            return false;
        case SOURCE_WAIT:
            break;
        }
        stopped = goes_on != NULL && !goes_on(context, err);
    }
    source->ops->abandon_range(source);
    last->is_late = !stopped;
    return !stopped;
}
