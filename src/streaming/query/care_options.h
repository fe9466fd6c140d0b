/* care_options.h: what a query does for its table between batches, as the settings say it: files
 * are merged (COMPACT), and dates that are over their retention leave (RETENTION). */
#ifndef STREAMING_QUERY_CARE_OPTIONS_H
#define STREAMING_QUERY_CARE_OPTIONS_H

#include <stdint.h>

enum compact_mode {
    COMPACT_OFF,
    COMPACT_CLOSED, // directories whose date is over, once
    COMPACT_LIVE,   // all directories, files that are old enough; once more when the date is over
};

struct compact_setting {
    enum compact_mode mode;
    int64_t older_than_ms; // of COMPACT_LIVE
};

struct care_options {
    struct compact_setting compact;
    int64_t retention_days; // 0: dates are kept forever
    int64_t grace_ms;       // how long what has left the table stays readable
    int64_t target_size;    // bytes of a merged file, about
    int cpu_percent;        // of one core
    int64_t memory_max;     // bytes; of a merge
};

#endif
