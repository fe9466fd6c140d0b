/* codec.c: compressing and uncompressing a page with snappy, zstd or LZ4.
 *
 * Compressing can't fail: it gets the room that the library says is enough, so a failure is our own
 * mistake. Uncompressing reads bytes that may be damaged: it must give exactly the size that the
 * page's header says. zstd's contexts are large, so they are made when first needed and kept. */
#include "pipeline/parquet/codec.h"

#include <errno.h>
#include <limits.h>
#include <lz4.h>
#include <snappy-c.h>
#include <zstd.h>

#include "base/check.h"

/* zstd's levels above this one cost far more time than they save bytes on such tables; Spark's
 * default is 3. */
enum { ZSTD_LEVEL = 1 };

static const struct {
    enum codec_number number;
    const char *word; // parquet-mr's CompressionCodecName extensions, which Spark puts into names
} codecs[] = {
    [CODEC_NONE] = {NUMBER_NONE, ""},
    [CODEC_SNAPPY] = {NUMBER_SNAPPY, ".snappy"},
    [CODEC_ZSTD] = {NUMBER_ZSTD, ".zstd"},
    [CODEC_LZ4_RAW] = {NUMBER_LZ4_RAW, ".lz4raw"},
};

enum { CODEC_COUNT = sizeof codecs / sizeof codecs[0] };

/* snappy is C++. Without memory its operator new calls this handler, and without a handler throws
 * an exception, which C can't catch. The name is std::set_new_handler() as g++ and clang write it.
 * Weak: libstdc++ is there because snappy needs it, and is linked by snappy alone. */
typedef void new_handler(void);
extern new_handler *set_new_handler(new_handler *handler) __asm__("_ZSt15set_new_handlerPFvvE")
    __attribute__((weak));

static void no_memory(void) {
    errno = ENOMEM;
    check_failed(__FILE__, __LINE__, "operator new has memory");
}

void codec_begin(void) {
    if (set_new_handler != NULL)
        (void)set_new_handler(no_memory);
}

void codec_state_deinit(struct codec_state *state) {
    ZSTD_freeCCtx(state->zstd_compress);
    ZSTD_freeDCtx(state->zstd_decompress);
    *state = (struct codec_state){0};
}

enum codec_number codec_number(enum parquet_codec codec) {
    check((size_t)codec < CODEC_COUNT);
    return codecs[codec].number;
}

const char *codec_file_word(enum parquet_codec codec) {
    check((size_t)codec < CODEC_COUNT);
    return codecs[codec].word;
}

bool codec_of_number(int32_t number, enum parquet_codec *codec) {
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        if ((int32_t)codecs[i].number != number)
            continue;
        *codec = (enum parquet_codec)i;
        return true;
    }
    return false;
}

static size_t compress_snappy(const uint8_t *from, size_t size, struct bytes *out) {
    size_t written = snappy_max_compressed_length(size);
    uint8_t *at = bytes_reserve(out, written);
    check(snappy_compress((const char *)from, size, (char *)at, &written) == SNAPPY_OK);
    return written;
}

static size_t compress_zstd(struct codec_state *state, const uint8_t *from, size_t size,
                            struct bytes *out) {
    if (state->zstd_compress == NULL)
        state->zstd_compress = ZSTD_createCCtx();
    check(state->zstd_compress != NULL);
    size_t bound = ZSTD_compressBound(size);
    size_t written = ZSTD_compressCCtx(state->zstd_compress, bytes_reserve(out, bound), bound, from,
                                       size, ZSTD_LEVEL);
    check(!ZSTD_isError(written));
    return written;
}

static size_t compress_lz4(const uint8_t *from, size_t size, struct bytes *out) {
    check(size <= LZ4_MAX_INPUT_SIZE);
    int bound = LZ4_compressBound((int)size);
    uint8_t *at = bytes_reserve(out, (size_t)bound);
    int written = LZ4_compress_default((const char *)from, (char *)at, (int)size, bound);
    check(written > 0);
    return (size_t)written;
}

size_t codec_compress(struct codec_state *state, enum parquet_codec codec, const uint8_t *from,
                      size_t size, struct bytes *out) {
    size_t written = size;
    switch (codec) {
    case CODEC_NONE:
        bytes_append(out, from, size);
        return size;
    case CODEC_SNAPPY:
        written = compress_snappy(from, size, out);
        break;
    case CODEC_ZSTD:
        written = compress_zstd(state, from, size, out);
        break;
    case CODEC_LZ4_RAW:
        written = compress_lz4(from, size, out);
        break;
    }
    out->size += written;
    return written;
}

static bool decompress_snappy(const uint8_t *from, size_t size, uint8_t *out, size_t out_size) {
    size_t length = 0;
    if (snappy_uncompressed_length((const char *)from, size, &length) != SNAPPY_OK ||
        length != out_size)
        return false;
    return snappy_uncompress((const char *)from, size, (char *)out, &length) == SNAPPY_OK &&
           length == out_size;
}

bool codec_decompress(struct codec_state *state, enum parquet_codec codec, const uint8_t *from,
                      size_t size, uint8_t *out, size_t out_size) {
    switch (codec) {
    case CODEC_NONE:
        if (size != out_size)
            return false;
        if (size > 0)
            memcpy(out, from, size);
        return true;
    case CODEC_SNAPPY:
        return decompress_snappy(from, size, out, out_size);
    case CODEC_ZSTD:
        if (state->zstd_decompress == NULL)
            state->zstd_decompress = ZSTD_createDCtx();
        check(state->zstd_decompress != NULL);
        return ZSTD_decompressDCtx(state->zstd_decompress, out, out_size, from, size) == out_size;
    case CODEC_LZ4_RAW:
        if (size > INT_MAX || out_size > INT_MAX)
            return false;
        return LZ4_decompress_safe((const char *)from, (char *)out, (int)size, (int)out_size) ==
               (int)out_size;
    }
    return false;
}
