/* duplicates.h: where the offsets are that were met twice. */
#ifndef STREAMING_VERIFY_DUPLICATES_H
#define STREAMING_VERIFY_DUPLICATES_H

#include "streaming/verify/scan.h"

/* Which files hold the offsets that the map has met twice: a fault for each range of them. */
MUST_CHECK bool duplicates_report(struct scan *scan, struct error *err);

#endif
