/* metadata_writer.h: the footer and what it is made of: schema, row groups, column and offset
 * index.
 *
 * Shapes: parquet.thrift of apache/parquet-format. Contents: as Spark's own files have them. */
#ifndef PARQUET_METADATA_WRITER_H
#define PARQUET_METADATA_WRITER_H

#include "core/schema.h"
#include "pipeline/parquet/column_writer.h"

/* Where a column chunk lies in the file, and what the footer says of it. */
struct chunk_place {
    int64_t start;   // of its first page
    int64_t data_at; // of its first data page; larger than start: a dictionary page is in front
    int64_t size;    // of all its pages
    int64_t plain_size;
    int64_t rows, nulls;
    enum parquet_codec codec;
    size_t pages, coded_pages, delta_pages; // the others are PLAIN
    struct bounds bounds;
    int64_t column_index_at, offset_index_at;
    int32_t column_index_size; // 0: there is none
    int32_t offset_index_size;
};

/* The value of org.apache.spark.sql.parquet.row.metadata: the columns as Spark's JSON. */
void metadata_append_row_json(struct bytes *json, const struct column_format *columns,
                              size_t count);

/* Appends the column index of a chunk. False, with nothing appended: it has none, because bounds of
 * a page are unknown. */
bool metadata_append_column_index(struct bytes *out, enum type type,
                                  const struct page_entry *entries, size_t count);

/* `data_at`: where the chunk's first data page lies. */
void metadata_append_offset_index(struct bytes *out, const struct page_entry *entries, size_t count,
                                  int64_t data_at);

/* One RowGroup, as an element of the footer's list. */
void metadata_append_row_group(struct bytes *out, const struct column_format *columns,
                               const struct chunk_place *places, size_t count, size_t ordinal);

struct footer {
    const struct column_format *columns;
    size_t column_count;
    int64_t rows;
    const struct bytes *row_groups; // as metadata_append_row_group() made them
    size_t row_group_count;
    const struct bytes *row_json;
};

/* FileMetaData alone, without its length and the closing magic. */
void metadata_append_footer(struct bytes *out, const struct footer *footer);

#endif
