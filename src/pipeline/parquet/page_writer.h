/* page_writer.h: the parts of a page: levels, values, header; and a page put together and
 * compressed. Format version 1 pages, as Spark writes them. */
#ifndef PARQUET_PAGE_WRITER_H
#define PARQUET_PAGE_WRITER_H

#include "base/error.h"
#include "core/type.h"
#include "pipeline/parquet/bytes.h"
#include "pipeline/parquet/codec.h"
#include "pipeline/parquet/format.h"
#include "pipeline/parquet/rle.h"

/* Working memory for encoding, shared by all writers of one thread. {0} is a valid one. */
struct page_scratch {
    struct bytes body; // an uncompressed page
    struct bytes header;
    struct bytes codes; // codes of a slice; which codes a page has
    struct codec_state codec;
};

void page_scratch_deinit(struct page_scratch *scratch);
size_t page_scratch_memory(const struct page_scratch *scratch);

/* Definition levels of a column that may be null. `present`: a byte per row, 1: not null; NULL when
 * no row is null. */
void page_append_levels(struct bytes *body, const uint8_t *present, size_t rows);

/* PLAIN from native values (texts are gathered as PLAIN). `fixed_size`: of PHYSICAL_FIXED. */
void page_append_plain(struct bytes *body, enum physical physical, size_t fixed_size,
                       const struct bytes *values);

/* Dictionary codes behind their width. */
void page_append_codes(struct bytes *body, struct codes codes, uint32_t dictionary_count);

struct page_kind {
    enum page_type type;
    enum encoding encoding;
    bool required; // a data page without definition levels
    size_t values; // rows, or the dictionary's values
    bool judges_codec;
};

/* Compresses scratch->body behind `out`, header first. All pages of a chunk have one codec: when a
 * page that judges it hardly gets smaller, *codec becomes CODEC_NONE, for it and those that follow.
 * Returns the uncompressed size with header,
 * or 0 with ERROR_STATE: a page beyond what the format's 32-bit sizes can say. */
MUST_CHECK size_t page_put(struct bytes *out, struct page_kind kind, enum parquet_codec *codec,
                           struct page_scratch *scratch, struct error *err);

#endif
