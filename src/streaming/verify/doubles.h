/* doubles.h: where the offsets are that were met twice. */
#ifndef STREAMING_VERIFY_DOUBLES_H
#define STREAMING_VERIFY_DOUBLES_H

#include "streaming/verify/scan.h"

/* Which files hold the offsets that the map has met twice: a fault for each range of them. */
MUST_CHECK bool doubles_report(struct scan *scan, struct error *err);

#endif
