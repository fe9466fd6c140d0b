/* ask.h: whether the broker has records where the table has none. */
#ifndef STREAMING_VERIFY_ASK_H
#define STREAMING_VERIFY_ASK_H

#include "streaming/verify/gaps.h"
#include "streaming/verify/report.h"

/* Which gaps the broker is asked about, and how much. */
struct question {
    bool (*wanted)(const struct piece *piece);
    const char *reason;  // what a record there means, for a fault's text
    int64_t offsets_max; // to be read, gaps and what lies between near ones
    int64_t ranges_max;  // to be opened
};

/* Sets `asked` and `found` of the wanted gaps, as far as the broker still has their offsets, and
 * names each run of offsets that have a record. ERROR_BROKER: it keeps silent. */
MUST_CHECK bool gaps_ask(struct gaps *gaps, const struct question *question,
                         const struct verify_options *options, const struct topic_offsets *topic,
                         struct verify_report *report, struct error *err);

#endif
