/* simdjson_decoder.h: the yardstick: simdjson On-Demand doing what pipeline/json/decode_json.h does
 * with ordinary records: each member into the column of its name and type, texts copied. */
#ifndef BENCH_SIMDJSON_DECODER_H
#define BENCH_SIMDJSON_DECODER_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vector;
struct simdjson_decoder;

enum { SIMDJSON_SLACK = 64 }; // readable bytes that it needs after each record

struct simdjson_decoder *simdjson_decoder_create(const char *const names[], size_t count);
void simdjson_decoder_destroy(struct simdjson_decoder *decoder);

/* One record into row `row`; its texts go to `texts`. Where they end, or NULL: not read. */
char *simdjson_decode(struct simdjson_decoder *decoder, const char *json, size_t size,
                      struct vector *columns, size_t row, char *texts);

/* The instruction set that it picked. */
const char *simdjson_kernel(void);

#ifdef __cplusplus
}
#endif

#endif
