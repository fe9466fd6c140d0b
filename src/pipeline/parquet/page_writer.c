/* A page is put together in the scratch, and compressed behind the pages of its chunk. Its header
 * says how large the page is compressed. So room for the header is left in front, and the page
 * moves up to it when both are known.
 *
 * All pages of a chunk have one codec. The first full page judges it, before any other page is
 * there. */
#include "pipeline/parquet/page_writer.h"

#include "pipeline/parquet/rle.h"
#include "pipeline/parquet/thrift.h"

enum {
    HEADER_ROOM = 64,        // bytes that no page header reaches
    PAGE_BODY_MAX = 3 << 29, // 1.5 GiB: compressed by any codec it still fits in an int32
    BODY_KEEP = 4 << 20,     // bytes of scratch kept between pages
    WORTH_PER_CENT = 95,     // of its size, from which on a compressed page is not worth it
};

static const int64_t micros_per_day = 86400000000;

void page_scratch_deinit(struct page_scratch *scratch) {
    bytes_deinit(&scratch->body);
    bytes_deinit(&scratch->header);
    bytes_deinit(&scratch->codes);
    codec_state_deinit(&scratch->codec);
}

size_t page_scratch_memory(const struct page_scratch *scratch) {
    return scratch->body.capacity + scratch->header.capacity + scratch->codes.capacity;
}

void page_append_levels(struct bytes *body, const uint8_t *present, size_t rows) {
    size_t start = body->size;
    bytes_append(body, &(uint32_t){0}, sizeof(uint32_t));
    if (present == NULL) { // no nulls: one run of ones
        bytes_append_varint(body, (uint64_t)rows << 1);
        bytes_append_byte(body, 1);
    } else {
        rle_encode_bits(body, present, rows);
    }
    uint32_t size = (uint32_t)(body->size - start - sizeof(uint32_t));
    memcpy(body->at + start, &size, sizeof size);
}

static void append_int96s(struct bytes *body, const int64_t *micros, size_t count) {
    uint8_t *at = bytes_reserve(body, count * INT96_SIZE);
    for (size_t i = 0; i < count; i++, at += INT96_SIZE) {
        // Rounded down: before 1970 too, the time of day is not negative.
        int64_t day = micros[i] / micros_per_day, rest = micros[i] % micros_per_day;
        if (rest < 0) {
            rest += micros_per_day;
            day--;
        }
        int64_t nanos = rest * 1000;
        int32_t julian = (int32_t)(day + JULIAN_DAY_OF_1970);
        memcpy(at, &nanos, sizeof nanos);
        memcpy(at + sizeof nanos, &julian, sizeof julian);
    }
    body->size += count * INT96_SIZE;
}

/* Big-endian two's complement. */
static void append_decimals(struct bytes *body, const int128_t *decimals, size_t count,
                            size_t size) {
    uint8_t *at = bytes_reserve(body, count * size);
    for (size_t i = 0; i < count; i++)
        for (size_t byte = 0; byte < size; byte++)
            *at++ = (uint8_t)(decimals[i] >> (8 * (size - 1 - byte)));
    body->size += count * size;
}

void page_append_plain(struct bytes *body, enum physical physical, size_t fixed_size,
                       const struct bytes *values) {
    if (physical == PHYSICAL_BOOLEAN)
        rle_pack_bits(body, values->at, values->size);
    else if (physical == PHYSICAL_INT96)
        append_int96s(body, (const int64_t *)(const void *)values->at,
                      values->size / sizeof(int64_t));
    else if (physical == PHYSICAL_FIXED)
        append_decimals(body, (const int128_t *)(const void *)values->at,
                        values->size / sizeof(int128_t), fixed_size);
    else
        bytes_append(body, values->at, values->size);
}

void page_append_codes(struct bytes *body, struct codes codes, uint32_t dictionary_count) {
    unsigned width = rle_width(dictionary_count);
    bytes_append_byte(body, (uint8_t)width);
    rle_encode(body, codes, width);
}

static void put_header(struct bytes *header, struct page_kind kind, size_t size,
                       size_t compressed) {
    header->size = 0;
    struct thrift_writer writer = {.out = header};
    thrift_put_i32(&writer, 1, (int32_t)kind.type);
    thrift_put_i32(&writer, 2, (int32_t)size);
    thrift_put_i32(&writer, 3, (int32_t)compressed);
    if (kind.type == PAGE_DICTIONARY) {
        thrift_begin(&writer, 7);
        thrift_put_i32(&writer, 1, (int32_t)kind.values);
        thrift_put_i32(&writer, 2, (int32_t)kind.encoding);
    } else {
        thrift_begin(&writer, 5);
        thrift_put_i32(&writer, 1, (int32_t)kind.values);
        thrift_put_i32(&writer, 2, (int32_t)kind.encoding);
        thrift_put_i32(&writer, 3, (int32_t)(kind.required ? ENCODING_BIT_PACKED : ENCODING_RLE));
        thrift_put_i32(&writer, 4, ENCODING_BIT_PACKED); // levels of repetition: there are none
    }
    thrift_end(&writer);
    thrift_end(&writer);
}

/* Compresses the page's body behind `out`. Packed codes and differences of measured values hardly
 * get smaller; a chunk that goes without saves the writer and every reader that part of their time.
 */
static size_t compress_body(struct bytes *out, struct page_kind kind, enum parquet_codec *codec,
                            struct page_scratch *scratch) {
    size_t start = out->size, size = scratch->body.size;
    size_t compressed = codec_compress(&scratch->codec, *codec, scratch->body.at, size, out);
    if (!kind.judges_codec || compressed * 100 < size * WORTH_PER_CENT)
        return compressed;
    *codec = CODEC_NONE;
    out->size = start;
    return codec_compress(&scratch->codec, CODEC_NONE, scratch->body.at, size, out);
}

size_t page_put(struct bytes *out, struct page_kind kind, enum parquet_codec *codec,
                struct page_scratch *scratch, struct error *err) {
    size_t size = scratch->body.size;
    if (size > PAGE_BODY_MAX) {
        (void)error_set(err, ERROR_STATE, "a value of %zu bytes does not fit into a Parquet page",
                        size);
        return 0;
    }
    // The header holds the compressed size, so it is written second and the page moved up to it.
    size_t start = out->size;
    (void)bytes_reserve(out, HEADER_ROOM);
    out->size += HEADER_ROOM;
    size_t compressed = compress_body(out, kind, codec, scratch);
    put_header(&scratch->header, kind, size, compressed);

    size_t header_size = scratch->header.size;
    memmove(out->at + start + header_size, out->at + start + HEADER_ROOM, compressed);
    memcpy(out->at + start, scratch->header.at, header_size);
    out->size = start + header_size + compressed;
    bytes_reset(&scratch->body, BODY_KEEP);
    return header_size + size;
}
