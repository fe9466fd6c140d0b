/* No matter what the bytes are, reading them as a Parquet file neither crashes nor reads past them,
 * and what is read is what the footer promised: its count of rows, or an error. */
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "pipeline/parquet/read/reader.h"

enum { PAGE_SIZE_LIMIT = 1 << 20 }; // so that a page cannot claim the fuzzer's memory

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint64_t touched;

/* Reads every byte, so that a sanitizer sees each. */
static void touch_texts(const struct vector *vector, size_t rows) {
    if (vector->type != TYPE_STRING && vector->type != TYPE_BINARY)
        return;
    for (size_t row = 0; row < rows; row++)
        for (size_t i = 0; vector->valid[row] && i < vector->texts[row].length; i++)
            touched += (uint8_t)vector->texts[row].bytes[i];
}

static void read_column(struct parquet_reader *reader, size_t column) {
    struct parquet_cursor cursor;
    struct error err = {0};
    size_t rows;
    int64_t total = 0;
    parquet_cursor_open(&cursor, reader, &column, 1);
    bool sound = parquet_cursor_next(&cursor, &rows, &err);
    while (sound && rows > 0) {
        total += (int64_t)rows;
        touch_texts(&cursor.vectors[0], rows);
        sound = parquet_cursor_next(&cursor, &rows, &err);
    }
    check(sound ? total == reader->metadata.rows : err.kind == ERROR_STATE);
    parquet_cursor_close(&cursor);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct parquet_reader reader;
    struct error err = {0};
    if (parquet_reader_open_memory(&reader, data, size, &err)) {
        reader.page_size_max = PAGE_SIZE_LIMIT;
        // A run of a few bytes may stand for rows without number; they would only take time.
        for (size_t i = 0; i < reader.metadata.column_count && reader.metadata.rows < 1 << 20; i++)
            read_column(&reader, i);
    } else {
        check(err.kind == ERROR_STATE);
    }
    parquet_reader_close(&reader);
    return 0;
}
