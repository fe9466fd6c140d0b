#include "streaming/table/data_offsets.h"

#include "pipeline/parquet/format.h"
#include "pipeline/parquet/read/reader.h"

struct visitor {
    bool (*visit)(void *context, int32_t partition, int64_t offset);
    void *context;
};

/* A file is written from its start to its end: without the last bytes it was never finished. */
static bool is_torn(const char *path, bool *torn, struct error *err) {
    struct input input;
    struct bytes end = {0};
    if (!input_open(&input, path, err))
        return false;
    bool ok = true;
    *torn = input.size < (int64_t)2 * MAGIC_SIZE;
    if (!*torn) {
        ok = input_read(&input, input.size - MAGIC_SIZE, MAGIC_SIZE, &end, err);
        *torn = ok && memcmp(end.at, PARQUET_MAGIC, MAGIC_SIZE) != 0;
    }
    bytes_deinit(&end);
    input_close(&input);
    return ok;
}

static enum data_offsets visit_rows(const struct parquet_cursor *cursor, size_t rows,
                                    const struct visitor *visitor) {
    const struct vector *partition = &cursor->vectors[0], *offset = &cursor->vectors[1];
    for (size_t row = 0; row < rows; row++) {
        if (!partition->valid[row] || !offset->valid[row])
            return DATA_OFFSETS_OTHER;
        if (!visitor->visit(visitor->context, partition->int32s[row], offset->int64s[row]))
            return DATA_OFFSETS_ENDED;
    }
    return DATA_OFFSETS_READ;
}

bool data_offsets_columns(const struct file_metadata *metadata, size_t columns[static 2]) {
    int partition = file_metadata_find(metadata, "partition");
    int offset = file_metadata_find(metadata, "offset");
    if (partition < 0 || offset < 0)
        return false;
    columns[0] = (size_t)partition;
    columns[1] = (size_t)offset;
    const struct file_column *first = &metadata->columns[partition];
    const struct file_column *second = &metadata->columns[offset];
    return first->readable && first->type == TYPE_INT32 && second->readable &&
           second->type == TYPE_INT64;
}

static bool walk(struct parquet_reader *reader, const struct visitor *visitor,
                 enum data_offsets *outcome, struct error *err) {
    size_t columns[2];
    *outcome = DATA_OFFSETS_OTHER;
    if (!data_offsets_columns(&reader->metadata, columns))
        return true;
    struct parquet_cursor cursor;
    parquet_cursor_open(&cursor, reader, columns, 2);
    size_t rows;
    bool ok;
    *outcome = DATA_OFFSETS_READ;
    while ((ok = parquet_cursor_next(&cursor, &rows, err)) && rows > 0 &&
           *outcome == DATA_OFFSETS_READ)
        *outcome = visit_rows(&cursor, rows, visitor);
    parquet_cursor_close(&cursor);
    return ok;
}

bool data_offsets_each(const char *path,
                       bool (*visit)(void *context, int32_t partition, int64_t offset),
                       void *context, enum data_offsets *outcome, struct error *err) {
    const struct visitor visitor = {.visit = visit, .context = context};
    bool torn = false;
    bool ok = is_torn(path, &torn, err);
    *outcome = DATA_OFFSETS_TORN;
    if (ok && !torn) {
        struct parquet_reader reader;
        ok = parquet_reader_open(&reader, path, err) && walk(&reader, &visitor, outcome, err);
        parquet_reader_close(&reader);
    }
    if (ok || err->kind != ERROR_STATE)
        return ok;
    *outcome = DATA_OFFSETS_OTHER;
    return true;
}
