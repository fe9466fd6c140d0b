/* Thrift's reader remembers that something went wrong and then gives zeros, so fields are taken
 * without a check after each, and the result is asked for once. A list's count is bounded by the
 * bytes that are left, so no memory is taken for missing elements.
 *
 * Writers say the same in several ways: an older annotation of a type stands for a newer one.
 * Bounds are taken only where their order does not depend on the writer. */
#include "pipeline/parquet/read/metadata_reader.h"

#include "base/check.h"
#include "core/data_type.h"
#include "pipeline/parquet/format.h"
#include "pipeline/parquet/thrift.h"

enum { CONVERTED_TIMESTAMP_MILLIS = 9, REPETITION_REPEATED = 2, UNIT_MILLIS = 1, UNIT_MICROS = 2 };

/* Of ConvertedType and LogicalType in parquet.thrift, to distinguish types. */
enum {
    CONVERTED_ENUM = 4,
    CONVERTED_TIME_MILLIS = 7,
    CONVERTED_TIME_MICROS = 8,
    CONVERTED_UINT_8 = 11,
    CONVERTED_UINT_16,
    CONVERTED_UINT_32,
    CONVERTED_UINT_64,
    CONVERTED_INT_32 = 17,
    CONVERTED_INT_64,
    CONVERTED_JSON,
    CONVERTED_BSON,
    LOGICAL_ENUM = 4,
    LOGICAL_TIME = 7,
    LOGICAL_JSON = 12,
};

/* One SchemaElement. */
struct element {
    int32_t physical, repetition, converted; // -1: not said
    int32_t fixed_size, precision, scale;    // 0: not said
    int64_t children;
    struct text name;
    int logical; // the field of the LogicalType union, 0: not said
    int unit;    // of a timestamp
    bool local;  // a timestamp without a zone
};

static void parse_timestamp_type(struct thrift_reader *reader, struct element *element) {
    int field, inner;
    enum thrift_type type;
    while (thrift_field(reader, &field, &type)) {
        if (field == 1) {
            element->local = !thrift_get_bool(reader, type);
            continue;
        }
        if (field != 2 || !thrift_get_struct(reader, type)) {
            thrift_skip(reader, type);
            continue;
        }
        while (thrift_field(reader, &inner, &type)) {
            element->unit = inner;
            thrift_skip(reader, type);
        }
    }
}

static void parse_decimal_type(struct thrift_reader *reader, struct element *element) {
    int field;
    enum thrift_type type;
    while (thrift_field(reader, &field, &type)) {
        int32_t *const to = field == 1 ? &element->scale : field == 2 ? &element->precision : NULL;
        if (to != NULL)
            *to = (int32_t)thrift_get_int(reader, type);
        else
            thrift_skip(reader, type);
    }
}

static void parse_logical_type(struct thrift_reader *reader, struct element *element) {
    int field;
    enum thrift_type type;
    while (thrift_field(reader, &field, &type)) {
        element->logical = field;
        if (field == LOGICAL_TIMESTAMP && thrift_get_struct(reader, type))
            parse_timestamp_type(reader, element);
        else if (field == LOGICAL_DECIMAL && thrift_get_struct(reader, type))
            parse_decimal_type(reader, element);
        else
            thrift_skip(reader, type);
    }
}

/* Fields that we do not know are skipped everywhere: writers may be newer than this reader. */
static void parse_element(struct thrift_reader *reader, struct element *element) {
    int field;
    enum thrift_type type;
    *element = (struct element){.physical = -1, .repetition = -1, .converted = -1};
    while (thrift_field(reader, &field, &type)) {
        switch (field) {
        case 1:
            element->physical = (int32_t)thrift_get_int(reader, type);
            break;
        case 2:
            element->fixed_size = (int32_t)thrift_get_int(reader, type);
            break;
        case 3:
            element->repetition = (int32_t)thrift_get_int(reader, type);
            break;
        case 4:
            element->name = thrift_get_binary(reader, type);
            break;
        case 5:
            element->children = thrift_get_int(reader, type);
            break;
        case 6:
            element->converted = (int32_t)thrift_get_int(reader, type);
            break;
        case 7:
            element->scale = (int32_t)thrift_get_int(reader, type);
            break;
        case 8:
            element->precision = (int32_t)thrift_get_int(reader, type);
            break;
        case 10:
            if (thrift_get_struct(reader, type))
                parse_logical_type(reader, element);
            break;
        default:
            thrift_skip(reader, type);
        }
    }
}

/* The older annotation that says the same as the newer one; -1: none does. */
static int32_t annotation_of(const struct element *element) {
    if (element->converted >= 0)
        return element->converted;
    switch (element->logical) {
    case LOGICAL_STRING:
        return CONVERTED_UTF8;
    case LOGICAL_ENUM:
        return CONVERTED_ENUM;
    case LOGICAL_DECIMAL:
        return CONVERTED_DECIMAL;
    case LOGICAL_DATE:
        return CONVERTED_DATE;
    case LOGICAL_TIME:
        return CONVERTED_TIME_MICROS;
    case LOGICAL_JSON:
        return CONVERTED_JSON;
    default:
        return -1;
    }
}

/* Of INT32 and INT64, by what Spark would read. */
static enum type integer_type(const struct element *element) {
    enum type plain = element->physical == PHYSICAL_INT32 ? TYPE_INT32 : TYPE_INT64;
    switch (annotation_of(element)) {
    case CONVERTED_INT_8:
        return plain == TYPE_INT32 ? TYPE_INT8 : plain;
    case CONVERTED_INT_16:
        return plain == TYPE_INT32 ? TYPE_INT16 : plain;
    case CONVERTED_DATE:
        return plain == TYPE_INT32 ? TYPE_DATE : plain;
    case CONVERTED_DECIMAL:
        return TYPE_DECIMAL;
    default:
        return plain;
    }
}

static bool is_decimal(const struct element *element) {
    return annotation_of(element) == CONVERTED_DECIMAL && element->precision > 0 &&
           element->precision <= DECIMAL_PRECISION_MAX && element->scale >= 0 &&
           element->scale <= element->precision;
}

/* Which of our types a column is read as. Annotations that are ignored here (an INT32 that is a
 * time) do not matter to readers of the value; spark_type_of() distinguishes them for comparing. */
static void set_type(struct file_column *column, const struct element *element) {
    bool is_text = element->converted == CONVERTED_UTF8 || element->logical == LOGICAL_STRING;
    bool is_micros = element->converted == CONVERTED_TIMESTAMP_MICROS ||
                     (element->logical == LOGICAL_TIMESTAMP && element->unit == UNIT_MICROS);
    bool is_millis = element->converted == CONVERTED_TIMESTAMP_MILLIS ||
                     (element->logical == LOGICAL_TIMESTAMP && element->unit == UNIT_MILLIS);
    column->readable = true;
    switch (element->physical) {
    case PHYSICAL_BOOLEAN:
        column->type = TYPE_BOOL;
        break;
    case PHYSICAL_INT32:
    case PHYSICAL_INT64:
        column->type = integer_type(element);
        if (column->type == TYPE_INT64 && (is_micros || is_millis)) {
            column->type = element->local ? TYPE_TIMESTAMP_NTZ : TYPE_TIMESTAMP;
            column->millis = is_millis; // of other types it would change values that are not INT64
        } else if (column->type == TYPE_DECIMAL && !is_decimal(element)) {
            column->readable = false;
        }
        break;
    case PHYSICAL_INT96:
        column->type = TYPE_TIMESTAMP;
        break;
    case PHYSICAL_FLOAT:
        column->type = TYPE_FLOAT;
        break;
    case PHYSICAL_DOUBLE:
        column->type = TYPE_DOUBLE;
        break;
    case PHYSICAL_BYTE_ARRAY:
        column->type = is_text ? TYPE_STRING : TYPE_BINARY;
        break;
    case PHYSICAL_FIXED:
        column->type = TYPE_DECIMAL;
        column->readable = is_decimal(element) && element->fixed_size > 0 &&
                           element->fixed_size <= (int32_t)sizeof(int128_t);
        break;
    default:
        column->readable = false;
    }
    column->stored = column->physical == PHYSICAL_FIXED   ? TYPE_DECIMAL
                     : column->physical == PHYSICAL_INT32 ? TYPE_INT32
                     : column->physical == PHYSICAL_INT64 ? TYPE_INT64
                                                          : column->type;
}

static const char *timestamp_name(const struct element *element) {
    if (element->logical == LOGICAL_TIMESTAMP && element->unit != UNIT_MILLIS &&
        element->unit != UNIT_MICROS)
        return "TIMESTAMP in nanoseconds";
    return element->local ? "TIMESTAMP_NTZ" : "TIMESTAMP";
}

/* As Spark's ParquetToSparkSchemaConverter has it. */
static const char *spark_type_of(const struct element *element) {
    static const struct {
        int32_t physical, annotation;
        const char *name;
    } names[] = {
        {PHYSICAL_BOOLEAN, -1, "BOOLEAN"},
        {PHYSICAL_INT32, -1, "INT"},
        {PHYSICAL_INT32, CONVERTED_INT_8, "TINYINT"},
        {PHYSICAL_INT32, CONVERTED_INT_16, "SMALLINT"},
        {PHYSICAL_INT32, CONVERTED_INT_32, "INT"},
        {PHYSICAL_INT32, CONVERTED_UINT_8, "SMALLINT"},
        {PHYSICAL_INT32, CONVERTED_UINT_16, "INT"},
        {PHYSICAL_INT32, CONVERTED_UINT_32, "BIGINT"},
        {PHYSICAL_INT32, CONVERTED_DATE, "DATE"},
        {PHYSICAL_INT32, CONVERTED_DECIMAL, "DECIMAL"},
        {PHYSICAL_INT64, -1, "BIGINT"},
        {PHYSICAL_INT64, CONVERTED_INT_64, "BIGINT"},
        {PHYSICAL_INT64, CONVERTED_UINT_64, "DECIMAL"},
        {PHYSICAL_INT64, CONVERTED_DECIMAL, "DECIMAL"},
        {PHYSICAL_INT64, CONVERTED_TIME_MICROS, "TIME"},
        {PHYSICAL_INT96, -1, "TIMESTAMP"},
        {PHYSICAL_FLOAT, -1, "FLOAT"},
        {PHYSICAL_DOUBLE, -1, "DOUBLE"},
        {PHYSICAL_BYTE_ARRAY, CONVERTED_UTF8, "STRING"},
        {PHYSICAL_BYTE_ARRAY, CONVERTED_ENUM, "STRING"},
        {PHYSICAL_BYTE_ARRAY, CONVERTED_JSON, "STRING"},
        {PHYSICAL_BYTE_ARRAY, -1, "BINARY"},
        {PHYSICAL_BYTE_ARRAY, CONVERTED_BSON, "BINARY"},
        {PHYSICAL_BYTE_ARRAY, CONVERTED_DECIMAL, "DECIMAL"},
        {PHYSICAL_FIXED, -1, "BINARY"},
        {PHYSICAL_FIXED, CONVERTED_DECIMAL, "DECIMAL"},
    };
    int32_t annotation = annotation_of(element);
    if (element->physical == PHYSICAL_INT64 &&
        (element->logical == LOGICAL_TIMESTAMP || annotation == CONVERTED_TIMESTAMP_MILLIS ||
         annotation == CONVERTED_TIMESTAMP_MICROS))
        return timestamp_name(element);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].physical == element->physical && names[i].annotation == annotation)
            return names[i].name;
    return NULL;
}

/* The root, then one leaf per column. False: it is damaged, or something is nested. */
static bool parse_schema(struct thrift_reader *reader, enum thrift_type type,
                         struct file_metadata *metadata) {
    size_t count = thrift_get_list(reader, type, THRIFT_STRUCT);
    int64_t children = 0; // of the root: in a flat table, all elements behind it
    if (count < 1 || metadata->columns != NULL)
        return false;
    metadata->columns = must_alloc(count, sizeof *metadata->columns);
    for (size_t i = 0; i < count; i++) {
        struct element element;
        thrift_enter(reader);
        parse_element(reader, &element);
        if (reader->failed)
            return false;
        if (i == 0) {
            children = element.children;
            continue;
        }
        if (element.children != 0 || element.repetition == REPETITION_REPEATED) {
            metadata->nested =
                (struct file_column){.name = element.name, .spark_type = {"a list, map or struct"}};
            return false;
        }
        struct file_column *column = &metadata->columns[metadata->column_count++];
        *column = (struct file_column){.name = element.name,
                                       .physical = element.physical,
                                       .fixed_size = element.fixed_size,
                                       .precision = element.precision,
                                       .scale = element.scale,
                                       .required = element.repetition == REPETITION_REQUIRED};
        const char *name = spark_type_of(&element);
        if (name != NULL)
            column->spark_type =
                type_text_of(name, strcmp(name, "DECIMAL") == 0 ? TYPE_DECIMAL : TYPE_NULL,
                             element.precision, element.scale);
        set_type(column, &element);
    }
    return children == (int64_t)count - 1;
}

static void parse_statistics(struct thrift_reader *reader, struct file_statistics *statistics) {
    int field;
    enum thrift_type type;
    bool has_min = false, has_max = false;
    statistics->min_exact = statistics->max_exact = true; // what writers meant who did not say
    while (thrift_field(reader, &field, &type)) {
        switch (field) {
        case 3:
            statistics->nulls = thrift_get_int(reader, type);
            break;
        case 5:
            statistics->max = thrift_get_binary(reader, type);
            has_max = true;
            break;
        case 6:
            statistics->min = thrift_get_binary(reader, type);
            has_min = true;
            break;
        case 7:
            statistics->max_exact = thrift_get_bool(reader, type);
            break;
        case 8:
            statistics->min_exact = thrift_get_bool(reader, type);
            break;
        default: // 1 and 2: bounds in an order that depended on the writer
            thrift_skip(reader, type);
        }
    }
    statistics->has_bounds = has_min && has_max;
}

static void parse_column_metadata(struct thrift_reader *reader, struct file_chunk *chunk) {
    int field;
    enum thrift_type type;
    int64_t data_at = -1, dictionary_at = -1;
    while (thrift_field(reader, &field, &type)) {
        switch (field) {
        case 4:
            chunk->codec = (int32_t)thrift_get_int(reader, type);
            break;
        case 5:
            chunk->values = thrift_get_int(reader, type);
            break;
        case 6:
            chunk->plain_size = thrift_get_int(reader, type);
            break;
        case 7:
            chunk->size = thrift_get_int(reader, type);
            break;
        case 9:
            data_at = thrift_get_int(reader, type);
            break;
        case 11:
            dictionary_at = thrift_get_int(reader, type);
            break;
        case 12:
            if (thrift_get_struct(reader, type))
                parse_statistics(reader, &chunk->statistics);
            break;
        default:
            thrift_skip(reader, type);
        }
    }
    // Some writers say 0 when there is no dictionary.
    chunk->has_dictionary = dictionary_at > 0 && dictionary_at < data_at;
    chunk->start = chunk->has_dictionary ? dictionary_at : data_at;
}

static void parse_chunk(struct thrift_reader *reader, struct file_chunk *chunk) {
    int field;
    enum thrift_type type;
    *chunk = (struct file_chunk){.start = -1, .statistics.nulls = -1};
    while (thrift_field(reader, &field, &type)) {
        switch (field) {
        case 3:
            if (thrift_get_struct(reader, type))
                parse_column_metadata(reader, chunk);
            break;
        case 4:
            chunk->offset_index_at = thrift_get_int(reader, type);
            break;
        case 5:
            chunk->offset_index_size = (int32_t)thrift_get_int(reader, type);
            break;
        case 6:
            chunk->column_index_at = thrift_get_int(reader, type);
            break;
        case 7:
            chunk->column_index_size = (int32_t)thrift_get_int(reader, type);
            break;
        default:
            thrift_skip(reader, type);
        }
    }
}

static bool parse_row_group(struct thrift_reader *reader, const struct file_metadata *metadata,
                            struct file_row_group *group) {
    int field;
    enum thrift_type type;
    while (thrift_field(reader, &field, &type)) {
        if (field == 3) {
            group->rows = thrift_get_int(reader, type);
            continue;
        }
        if (field != 1) {
            thrift_skip(reader, type);
            continue;
        }
        size_t count = thrift_get_list(reader, type, THRIFT_STRUCT);
        // A second list would leak the first.
        if (count != metadata->column_count || group->chunks != NULL)
            return false;
        group->chunks = must_alloc(count + 1, sizeof *group->chunks);
        for (size_t i = 0; i < count; i++) {
            thrift_enter(reader);
            parse_chunk(reader, &group->chunks[i]);
        }
    }
    return !reader->failed && group->rows >= 0 && group->chunks != NULL;
}

static bool parse_row_groups(struct thrift_reader *reader, enum thrift_type type,
                             struct file_metadata *metadata) {
    size_t count = thrift_get_list(reader, type, THRIFT_STRUCT);
    if (metadata->row_groups != NULL || metadata->columns == NULL)
        return false;
    metadata->row_groups = must_alloc(count + 1, sizeof *metadata->row_groups);
    metadata->row_group_count = count;
    for (size_t i = 0; i < count; i++) {
        thrift_enter(reader);
        if (!parse_row_group(reader, metadata, &metadata->row_groups[i]))
            return false;
    }
    return true;
}

static bool parse_key_values(struct thrift_reader *reader, enum thrift_type type,
                             struct file_metadata *metadata) {
    size_t count = thrift_get_list(reader, type, THRIFT_STRUCT);
    if (metadata->key_values != NULL)
        return false;
    metadata->key_values = must_alloc(count + 1, sizeof *metadata->key_values);
    metadata->key_value_count = count;
    for (size_t i = 0; i < count; i++) {
        int field;
        enum thrift_type inner;
        thrift_enter(reader);
        while (thrift_field(reader, &field, &inner)) {
            if (field == 1)
                metadata->key_values[i].key = thrift_get_binary(reader, inner);
            else if (field == 2)
                metadata->key_values[i].value = thrift_get_binary(reader, inner);
            else
                thrift_skip(reader, inner);
        }
    }
    return true;
}

static bool parse_fields(struct thrift_reader *reader, struct file_metadata *metadata) {
    int field;
    enum thrift_type type;
    bool sound = true;
    thrift_enter(reader);
    while (sound && thrift_field(reader, &field, &type)) {
        switch (field) {
        case 2:
            sound = parse_schema(reader, type, metadata);
            break;
        case 3:
            metadata->rows = thrift_get_int(reader, type);
            break;
        case 4:
            sound = parse_row_groups(reader, type, metadata);
            break;
        case 5:
            sound = parse_key_values(reader, type, metadata);
            break;
        case 6:
            metadata->created_by = thrift_get_binary(reader, type);
            break;
        default:
            thrift_skip(reader, type);
        }
    }
    return sound && !reader->failed && metadata->columns != NULL && metadata->row_groups != NULL;
}

bool file_metadata_parse(struct file_metadata *metadata, const uint8_t *bytes, size_t size,
                         struct error *err) {
    struct thrift_reader reader = {.at = bytes, .end = bytes + size, .depth = -1};
    *metadata = (struct file_metadata){0};
    bool sound = parse_fields(&reader, metadata);
    if (!sound && metadata->nested.name.length > 0)
        return error_set(err, ERROR_STATE,
                         "column '%.*s' is %s, but only flat tables are supported",
                         (int)metadata->nested.name.length, metadata->nested.name.bytes,
                         metadata->nested.spark_type.text);
    if (!sound)
        return error_set(err, ERROR_STATE, "the footer is damaged");

    // The counts that say the same must agree; checked so that no sum can overflow.
    int64_t left = metadata->rows;
    for (size_t i = 0; i < metadata->row_group_count; i++) {
        const struct file_row_group *group = &metadata->row_groups[i];
        bool fits = group->rows <= left;
        for (size_t column = 0; column < metadata->column_count; column++)
            fits = fits && group->chunks[column].values == group->rows;
        if (!fits)
            return error_set(err, ERROR_STATE,
                             "the footer is damaged: its row counts contradict each other");
        left -= group->rows;
    }
    if (left != 0)
        return error_set(err, ERROR_STATE,
                         "the footer is damaged: its row counts contradict each other");
    return true;
}

void file_metadata_deinit(struct file_metadata *metadata) {
    for (size_t i = 0; i < metadata->row_group_count; i++)
        free(metadata->row_groups[i].chunks);
    free(metadata->row_groups);
    free(metadata->columns);
    free(metadata->key_values);
    *metadata = (struct file_metadata){0};
}

int file_metadata_find(const struct file_metadata *metadata, const char *name) {
    for (size_t i = 0; i < metadata->column_count; i++)
        if (text_equals(metadata->columns[i].name, text_borrow(name)))
            return (int)i;
    return -1;
}

/* DataPageHeader (5), DictionaryPageHeader (7) and DataPageHeaderV2 (8) in one: `fields` names, per
 * field of the struct, where its value goes. */
enum { PAGE_FIELDS_MAX = 8 };

static void parse_page_fields(struct thrift_reader *reader, struct page_header *header,
                              int32_t *const fields[PAGE_FIELDS_MAX]) {
    int field;
    enum thrift_type type;
    while (thrift_field(reader, &field, &type)) {
        // Only format 2 has field 7, a flag; the dictionary has a flag as field 3, of no use here.
        bool is_flag = type == THRIFT_TRUE || type == THRIFT_FALSE;
        if (field == 7 && is_flag)
            header->is_compressed = type == THRIFT_TRUE;
        else if (field > 0 && field < PAGE_FIELDS_MAX && fields[field] != NULL)
            *fields[field] = (int32_t)thrift_get_int(reader, type);
        else
            thrift_skip(reader, type);
    }
}

size_t page_header_parse(struct page_header *header, const uint8_t *bytes, size_t size) {
    struct thrift_reader reader = {.at = bytes, .end = bytes + size, .depth = -1};
    int field;
    enum thrift_type type;
    // -1: not said. Format 2 is compressed unless it says that it is not.
    *header = (struct page_header){.type = -1, .values = -1, .encoding = -1, .is_compressed = true};
    int32_t *const format_1[PAGE_FIELDS_MAX] = {
        [1] = &header->values, [2] = &header->encoding, [3] = &header->level_encoding};
    int32_t *const dictionary[PAGE_FIELDS_MAX] = {[1] = &header->values, [2] = &header->encoding};
    int32_t *const format_2[PAGE_FIELDS_MAX] = {
        [1] = &header->values, [4] = &header->encoding, [5] = &header->level_size};
    int32_t *const page[PAGE_FIELDS_MAX] = {
        [1] = &header->type, [2] = &header->plain_size, [3] = &header->size};
    thrift_enter(&reader);
    while (thrift_field(&reader, &field, &type)) {
        if (field > 0 && field < 4)
            *page[field] = (int32_t)thrift_get_int(&reader, type);
        else if ((field == 5 || field == 7 || field == 8) && thrift_get_struct(&reader, type))
            parse_page_fields(&reader, header,
                              field == 5   ? format_1
                              : field == 7 ? dictionary
                                           : format_2);
        else
            thrift_skip(&reader, type);
    }
    return reader.failed ? 0 : (size_t)(reader.at - bytes);
}
