/* metadata_reader.h: what a Parquet file's footer and page headers say, of files by any writer.
 *
 * Nothing is trusted: a count is checked against the bytes that hold the counted, columns against
 * the schema, and offsets when they are used. Only flat tables are read: no lists, no structs. */
#ifndef PARQUET_METADATA_READER_H
#define PARQUET_METADATA_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "core/schema.h"

/* A column of the file. Texts here point into the footer's bytes. */
struct file_column {
    struct text name;
    int32_t physical;            // as in the file: may be one that we cannot read
    bool readable;               // we know its type
    enum type type;              // TYPE_TIMESTAMP also for INT96 and for milliseconds
    enum type stored;            // the form of its values in pages (format.h)
    int32_t fixed_size;          // bytes of a value, where all have as many
    int precision, scale;        // TYPE_DECIMAL
    struct type_text spark_type; // its type in Spark, in SQL: "INT", "DATE"; empty: none
    bool millis;                 // an INT64 timestamp that counts milliseconds
    bool required;
};

struct file_statistics {
    int64_t nulls;   // -1: not said
    bool has_bounds; // min and max are those of the column's order
    bool min_exact, max_exact;
    struct text min, max; // PLAIN, texts without length
};

/* A column chunk. */
struct file_chunk {
    int32_t codec; // as in the file
    int64_t values;
    bool has_dictionary;
    int64_t start; // of its first page
    int64_t size;  // of all its pages
    int64_t plain_size;
    struct file_statistics statistics;
    int64_t column_index_at, offset_index_at;
    int32_t column_index_size, offset_index_size; // 0: there is none
};

struct file_row_group {
    int64_t rows;
    struct file_chunk *chunks; // owned; one per column
};

struct file_key_value {
    struct text key, value;
};

struct file_metadata {
    int64_t rows;
    struct text created_by;
    struct file_column *columns; // owned, as the lists below
    size_t column_count;
    struct file_column nested; // the first one that is a list, map or struct; no name: none is
    struct file_row_group *row_groups;
    size_t row_group_count;
    struct file_key_value *key_values;
    size_t key_value_count;
};

/* Parses FileMetaData; `bytes` must stay. ERROR_STATE: it is damaged, or not a flat table, which
 * `nested` tells. Must be deinit'ed in either case. */
MUST_CHECK bool file_metadata_parse(struct file_metadata *metadata, const uint8_t *bytes,
                                    size_t size, struct error *err);
void file_metadata_deinit(struct file_metadata *metadata);

/* The column's index, or -1. */
int file_metadata_find(const struct file_metadata *metadata, const char *name);

struct page_header {
    int32_t type; // as in the file
    int32_t plain_size, size;
    int32_t values; // of a dictionary or data page
    int32_t encoding;
    int32_t level_encoding; // format 1
    int32_t level_size;     // format 2: bytes of levels in front, not compressed
    bool is_compressed;     // format 2
};

/* Returns the header's size in bytes, or 0: it is damaged or longer than `size`. */
size_t page_header_parse(struct page_header *header, const uint8_t *bytes, size_t size);

#endif
