/* metadata_writer.c: a file's footer and page indexes, as structs of Thrift.
 *
 * The numbers are the field numbers of parquet.thrift, in ascending order as the compact protocol
 * requires; a field that is left out is optional there. Row groups are appended to one run of
 * bytes as they end, so that the footer of a file with many takes no more than its own size.
 *
 * What must stay true: offsets are from the file's beginning, sizes are those on disk with page
 * headers, and a bound is only given where it holds for all values. Readers skip pages by it. */
#include "pipeline/parquet/metadata_writer.h"

#include <stdio.h>

#include "base/check.h"
#include "pipeline/parquet/thrift.h"

#ifndef PROGRAM_BUILD
#define PROGRAM_BUILD "native"
#endif

/* In the form that parquet-mr's VersionParser reads. */
static const char created_by[] =
    "esports-stream version " PROGRAM_VERSION " (build " PROGRAM_BUILD ")";

/* The Spark version whose files these are like. Without the key, Spark 3.5 takes a file for one
 * that may hold dates of the Julian calendar, and throws on timestamps before 1582 (INT96: 1900).
 */
static const char spark_version[] = "4.2.0";

void metadata_append_row_json(struct bytes *json, const struct column_format *columns,
                              size_t count) {
    const char *separator = "{\"type\":\"struct\",\"fields\":[";
    for (size_t i = 0; i < count; i++) {
        char field[512];
        enum type type = columns[i].type;
        struct type_text name =
            type_text_of(type_spark_name(type), type, columns[i].precision, columns[i].scale);
        int size =
            snprintf(field, sizeof field,
                     "%s{\"name\":\"%s\",\"type\":\"%s\",\"nullable\":%s,\"metadata\":{}}",
                     separator, columns[i].name, name.text, columns[i].required ? "false" : "true");
        check(size > 0 && (size_t)size < sizeof field);
        bytes_append(json, field, (size_t)size);
        separator = ",";
    }
    bytes_append(json, "]}", 2);
}

/* Both bounds must move the same way for the order to have a name. Pages without values stand
 * aside. */
static enum boundary_order order_of(enum type type, const struct page_entry *entries,
                                    size_t count) {
    bool ascending = true, descending = true;
    const struct bounds *last = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct bounds *bounds = &entries[i].bounds;
        if (bounds->state == BOUNDS_EMPTY)
            continue;
        if (last != NULL) {
            int min = bound_compare(type, &bounds->min, &last->min);
            int max = bound_compare(type, &bounds->max, &last->max);
            ascending = ascending && min >= 0 && max >= 0;
            descending = descending && min <= 0 && max <= 0;
        }
        last = bounds;
    }
    return ascending ? ORDER_ASCENDING : descending ? ORDER_DESCENDING : ORDER_NONE;
}

bool metadata_append_column_index(struct bytes *out, enum type type,
                                  const struct page_entry *entries, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (entries[i].bounds.state == BOUNDS_UNKNOWN)
            return false; // an index without the bounds of one page is not allowed

    struct thrift_writer writer = {.out = out};
    thrift_put_list(&writer, 1, THRIFT_TRUE, count);
    for (size_t i = 0; i < count; i++)
        thrift_element_bool(&writer, entries[i].bounds.state == BOUNDS_EMPTY);
    thrift_put_list(&writer, 2, THRIFT_BINARY, count);
    for (size_t i = 0; i < count; i++)
        thrift_element_binary(&writer, entries[i].bounds.min.bytes, entries[i].bounds.min.size);
    thrift_put_list(&writer, 3, THRIFT_BINARY, count);
    for (size_t i = 0; i < count; i++)
        thrift_element_binary(&writer, entries[i].bounds.max.bytes, entries[i].bounds.max.size);
    thrift_put_i32(&writer, 4, (int32_t)order_of(type, entries, count));
    thrift_put_list(&writer, 5, THRIFT_I64, count);
    for (size_t i = 0; i < count; i++)
        thrift_element_i64(&writer, entries[i].nulls);
    thrift_end(&writer);
    return true;
}

void metadata_append_offset_index(struct bytes *out, const struct page_entry *entries, size_t count,
                                  int64_t data_at) {
    struct thrift_writer writer = {.out = out};
    thrift_put_list(&writer, 1, THRIFT_STRUCT, count);
    for (size_t i = 0; i < count; i++) {
        thrift_begin_element(&writer);
        thrift_put_i64(&writer, 1, data_at + entries[i].offset);
        thrift_put_i32(&writer, 2, entries[i].size);
        thrift_put_i64(&writer, 3, entries[i].first_row);
        thrift_end(&writer);
    }
    thrift_end(&writer);
}

static void put_statistics(struct thrift_writer *writer, int field,
                           const struct chunk_place *place) {
    thrift_begin(writer, field);
    thrift_put_i64(writer, 3, place->nulls);
    // 1 and 2, the bounds of old, had no defined order: readers distrust them, so they are left
    // out.
    if (place->bounds.state == BOUNDS_KNOWN) {
        const struct bound *min = &place->bounds.min, *max = &place->bounds.max;
        thrift_put_binary(writer, 5, max->bytes, max->size);
        thrift_put_binary(writer, 6, min->bytes, min->size);
        thrift_put_bool(writer, 7, max->exact);
        thrift_put_bool(writer, 8, min->exact);
    }
    thrift_end(writer);
}

static size_t plain_pages_of(const struct chunk_place *place) {
    return place->pages - place->coded_pages - place->delta_pages;
}

/* Every encoding that occurs. BIT_PACKED stands for missing levels: of repetition, and
 * of definition where the column is required. */
static void put_encodings(struct thrift_writer *writer, int field, bool required,
                          const struct chunk_place *place) {
    enum encoding encodings[5];
    size_t count = 0;
    if (place->coded_pages > 0)
        encodings[count++] = ENCODING_PLAIN_DICTIONARY;
    if (plain_pages_of(place) > 0)
        encodings[count++] = ENCODING_PLAIN;
    if (place->delta_pages > 0)
        encodings[count++] = ENCODING_DELTA_BINARY_PACKED;
    if (!required)
        encodings[count++] = ENCODING_RLE;
    encodings[count++] = ENCODING_BIT_PACKED;
    thrift_put_list(writer, field, THRIFT_I32, count);
    for (size_t i = 0; i < count; i++)
        thrift_element_i32(writer, (int32_t)encodings[i]);
}

static void put_page_count(struct thrift_writer *writer, enum page_type type,
                           enum encoding encoding, size_t count) {
    thrift_begin_element(writer);
    thrift_put_i32(writer, 1, (int32_t)type);
    thrift_put_i32(writer, 2, (int32_t)encoding);
    thrift_put_i32(writer, 3, (int32_t)count);
    thrift_end(writer);
}

/* Readers that see that all pages have codes can filter by the dictionary alone. */
static void put_page_counts(struct thrift_writer *writer, int field,
                            const struct chunk_place *place) {
    size_t plain_pages = plain_pages_of(place);
    thrift_put_list(writer, field, THRIFT_STRUCT,
                    (place->coded_pages > 0 ? 2u : 0u) + (plain_pages > 0) +
                        (place->delta_pages > 0));
    if (place->coded_pages > 0) {
        put_page_count(writer, PAGE_DICTIONARY, ENCODING_PLAIN_DICTIONARY, 1);
        put_page_count(writer, PAGE_DATA, ENCODING_PLAIN_DICTIONARY, place->coded_pages);
    }
    if (plain_pages > 0)
        put_page_count(writer, PAGE_DATA, ENCODING_PLAIN, plain_pages);
    if (place->delta_pages > 0)
        put_page_count(writer, PAGE_DATA, ENCODING_DELTA_BINARY_PACKED, place->delta_pages);
}

static void put_column_metadata(struct thrift_writer *writer, int field,
                                const struct column_format *column,
                                const struct chunk_place *place) {
    thrift_begin(writer, field);
    thrift_put_i32(writer, 1, (int32_t)column->physical);
    put_encodings(writer, 2, column->required, place);
    thrift_put_list(writer, 3, THRIFT_BINARY, 1);
    thrift_element_binary(writer, column->name, strlen(column->name));
    thrift_put_i32(writer, 4, (int32_t)codec_number(place->codec));
    thrift_put_i64(writer, 5, place->rows);
    thrift_put_i64(writer, 6, place->plain_size);
    thrift_put_i64(writer, 7, place->size);
    thrift_put_i64(writer, 9, place->data_at);
    if (place->data_at > place->start)
        thrift_put_i64(writer, 11, place->start);
    put_statistics(writer, 12, place);
    put_page_counts(writer, 13, place);
    thrift_end(writer);
}

static void put_column_chunk(struct thrift_writer *writer, const struct column_format *column,
                             const struct chunk_place *place) {
    thrift_begin_element(writer);
    thrift_put_i64(writer, 2, place->start);
    put_column_metadata(writer, 3, column, place);
    thrift_put_i64(writer, 4, place->offset_index_at);
    thrift_put_i32(writer, 5, place->offset_index_size);
    if (place->column_index_size > 0) {
        thrift_put_i64(writer, 6, place->column_index_at);
        thrift_put_i32(writer, 7, place->column_index_size);
    }
    thrift_end(writer);
}

void metadata_append_row_group(struct bytes *out, const struct column_format *columns,
                               const struct chunk_place *places, size_t count, size_t ordinal) {
    int64_t plain_size = 0, size = 0;
    struct thrift_writer writer = {.out = out};
    thrift_put_list(&writer, 1, THRIFT_STRUCT, count);
    for (size_t i = 0; i < count; i++) {
        put_column_chunk(&writer, &columns[i], &places[i]);
        plain_size += places[i].plain_size;
        size += places[i].size;
    }
    thrift_put_i64(&writer, 2, plain_size);
    thrift_put_i64(&writer, 3, places[0].rows);
    thrift_put_i64(&writer, 5, places[0].start);
    thrift_put_i64(&writer, 6, size);
    if (ordinal <= INT16_MAX) { // an i16; the same varint as an i32, but another type
        bytes_append_byte(out, 1 << 4 | THRIFT_I16);
        thrift_element_i32(&writer, (int32_t)ordinal);
    }
    thrift_end(&writer);
}

/* A logical type without parameters. */
static void put_plain_type(struct thrift_writer *writer, enum logical_type type) {
    thrift_begin(writer, 10);
    thrift_begin(writer, (int)type);
    thrift_end(writer);
    thrift_end(writer);
}

static void put_timestamp_type(struct thrift_writer *writer, bool is_utc) {
    thrift_begin(writer, 10);
    thrift_begin(writer, LOGICAL_TIMESTAMP);
    thrift_put_bool(writer, 1, is_utc); // isAdjustedToUTC
    thrift_begin(writer, 2);
    thrift_begin(writer, 2); // MICROS
    thrift_end(writer);
    thrift_end(writer);
    thrift_end(writer);
    thrift_end(writer);
}

static void put_integer_type(struct thrift_writer *writer, int8_t bits) {
    thrift_begin(writer, 10);
    thrift_begin(writer, LOGICAL_INTEGER);
    thrift_put_i8(writer, 1, bits);
    thrift_put_bool(writer, 2, true); // isSigned
    thrift_end(writer);
    thrift_end(writer);
}

static void put_decimal_type(struct thrift_writer *writer, const struct column_format *column) {
    thrift_put_i32(writer, 7, column->scale);
    thrift_put_i32(writer, 8, column->precision);
    thrift_begin(writer, 10);
    thrift_begin(writer, LOGICAL_DECIMAL);
    thrift_put_i32(writer, 1, column->scale);
    thrift_put_i32(writer, 2, column->precision);
    thrift_end(writer);
    thrift_end(writer);
}

/* The older annotation (6) and the newer one (10). */
static void put_logical_type(struct thrift_writer *writer, const struct column_format *column) {
    switch (column->type) {
    case TYPE_STRING:
        thrift_put_i32(writer, 6, CONVERTED_UTF8);
        put_plain_type(writer, LOGICAL_STRING);
        break;
    case TYPE_TIMESTAMP:
        if (column->physical != PHYSICAL_INT64)
            break;
        thrift_put_i32(writer, 6, CONVERTED_TIMESTAMP_MICROS);
        put_timestamp_type(writer, true);
        break;
    case TYPE_TIMESTAMP_NTZ:
        put_timestamp_type(writer, false);
        break;
    case TYPE_DATE:
        thrift_put_i32(writer, 6, CONVERTED_DATE);
        put_plain_type(writer, LOGICAL_DATE);
        break;
    case TYPE_INT8:
        thrift_put_i32(writer, 6, CONVERTED_INT_8);
        put_integer_type(writer, 8);
        break;
    case TYPE_INT16:
        thrift_put_i32(writer, 6, CONVERTED_INT_16);
        put_integer_type(writer, 16);
        break;
    case TYPE_DECIMAL:
        thrift_put_i32(writer, 6, CONVERTED_DECIMAL);
        put_decimal_type(writer, column);
        break;
    default:
        break;
    }
}

static void put_schema(struct thrift_writer *writer, int field, const struct footer *footer) {
    thrift_put_list(writer, field, THRIFT_STRUCT, footer->column_count + 1);
    thrift_begin_element(writer);
    thrift_put_text(writer, 4, "spark_schema");
    thrift_put_i32(writer, 5, (int32_t)footer->column_count);
    thrift_end(writer);
    for (size_t i = 0; i < footer->column_count; i++) {
        const struct column_format *column = &footer->columns[i];
        thrift_begin_element(writer);
        thrift_put_i32(writer, 1, (int32_t)column->physical);
        if (column->physical == PHYSICAL_FIXED)
            thrift_put_i32(writer, 2, (int32_t)column->fixed_size);
        thrift_put_i32(writer, 3, column->required ? REPETITION_REQUIRED : REPETITION_OPTIONAL);
        thrift_put_text(writer, 4, column->name);
        put_logical_type(writer, column);
        thrift_end(writer);
    }
}

static void put_key_values(struct thrift_writer *writer, int field, const struct footer *footer) {
    thrift_put_list(writer, field, THRIFT_STRUCT, 2);
    thrift_begin_element(writer);
    thrift_put_text(writer, 1, "org.apache.spark.version");
    thrift_put_text(writer, 2, spark_version);
    thrift_end(writer);
    thrift_begin_element(writer);
    thrift_put_text(writer, 1, "org.apache.spark.sql.parquet.row.metadata");
    thrift_put_binary(writer, 2, footer->row_json->at, footer->row_json->size);
    thrift_end(writer);
}

void metadata_append_footer(struct bytes *out, const struct footer *footer) {
    struct thrift_writer writer = {.out = out};
    thrift_put_i32(&writer, 1, 1); // version
    put_schema(&writer, 2, footer);
    thrift_put_i64(&writer, 3, footer->rows);
    thrift_put_list(&writer, 4, THRIFT_STRUCT, footer->row_group_count);
    bytes_append(out, footer->row_groups->at, footer->row_groups->size);
    put_key_values(&writer, 5, footer);
    thrift_put_text(&writer, 6, created_by);
    thrift_put_list(&writer, 7, THRIFT_STRUCT, footer->column_count);
    for (size_t i = 0; i < footer->column_count; i++) { // TypeDefinedOrder for each
        thrift_begin_element(&writer);
        thrift_begin(&writer, 1);
        thrift_end(&writer);
        thrift_end(&writer);
    }
    thrift_end(&writer);
}
