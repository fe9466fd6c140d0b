/* decode_json.h: the decoder (core/decoder.h) of JSON records: a row as Spark 4's from_json in
 * PERMISSIVE mode with the declared schema makes it (the cases are in tests/conformance/).
 *
 * It remembers the order in which keys came. No recursion on input depth. */
#ifndef PIPELINE_JSON_DECODE_JSON_H
#define PIPELINE_JSON_DECODE_JSON_H

#include "core/decoder.h"

MUST_CHECK decoder_open_fn decode_json_open;

/* How records in the usual form are read. All ways give the same rows, rejects and counts; only
 * tests have a reason to choose. */
enum decode_path {
    DECODE_GENERAL,  // as any other record
    DECODE_PORTABLE, // without what some machines of this architecture lack
    DECODE_FASTEST,  // as this machine can do it best: a new decoder's way
};

/* `decoder` was opened by decode_json_open(). */
void decode_json_set_path(struct decoder *decoder, enum decode_path path);

/* The same as a machine reads them whose best kernel of json_stops_kernels (stops.h) is this one.
 * False: this machine does not have it. */
bool decode_json_set_kernel(struct decoder *decoder, size_t kernel);

#endif
