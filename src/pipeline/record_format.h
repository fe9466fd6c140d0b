/* record_format.h: the formats that a topic's records can have, each with its decoder. */
#ifndef PIPELINE_RECORD_FORMAT_H
#define PIPELINE_RECORD_FORMAT_H

#include "core/decoder.h"

enum record_format { RECORD_JSON, RECORD_FORMAT_COUNT };

/* What decoder_open_fn says (core/decoder.h), for records of this format. */
MUST_CHECK bool record_format_open(enum record_format format, struct decoder **decoder,
                                   const struct record_schema *record, enum parse_mode mode,
                                   const char *zone_name, struct error *err);

#endif
