/* codec.h: compression of pages, and the only place that knows snappy, zstd and lz4. */
#ifndef PARQUET_CODEC_H
#define PARQUET_CODEC_H

#include <stdbool.h>

#include "base/error.h"
#include "pipeline/parquet/bytes.h"
#include "pipeline/parquet/format.h"

/* Working memory of the codecs, kept between pages. One per thread. {0} is a valid one. */
struct codec_state {
    void *zstd_compress;   // owned; made when first needed
    void *zstd_decompress; // owned; likewise
};

/* Once, before threads: a codec that finds no memory ends the process as must_alloc() does. */
void codec_begin(void);

void codec_state_deinit(struct codec_state *state);

/* Its number in the footer, and the word in file names (".snappy"; "" for none). */
enum codec_number codec_number(enum parquet_codec codec);
const char *codec_file_word(enum parquet_codec codec);

/* The codec of a number in a footer. False: one that we do not know. */
bool codec_of_number(int32_t number, enum parquet_codec *codec);

/* Appends the compressed form of a page and returns its size. */
size_t codec_compress(struct codec_state *state, enum parquet_codec codec, const uint8_t *from,
                      size_t size, struct bytes *out);

/* False: `from` is not the compressed form of exactly `out_size` bytes. */
MUST_CHECK bool codec_decompress(struct codec_state *state, enum parquet_codec codec,
                                 const uint8_t *from, size_t size, uint8_t *out, size_t out_size);

#endif
