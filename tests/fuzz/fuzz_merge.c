/* No matter what is in a file of a table's directory: merging refuses it (ERROR_STATE, with a
 * reason) and leaves nothing behind, or the output has the file's rows, value by value, as the
 * reader has them. The table has a column of each type. The first byte says how it is merged. */
#include <stdint.h>
#include <sys/stat.h>

#include "base/log/log.h"
#include "merge/merge_table.h"
#include "temporary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROWS_MAX = 1 << 14 }; // a run of a few bytes may stand for rows without number

/* Bits of the first byte. */
enum { LITTLE_MEMORY = 1, AS_INT96 = 2, NO_DELTA = 4, TWICE = 8, SPLIT = 16 };

static struct merge_options options_of(uint8_t bits, const struct schema *schema,
                                       const char *staging) {
    return (struct merge_options){
        .schema = schema,
        .parquet = {.codec = CODEC_NONE,
                    .timestamp = (bits & AS_INT96) != 0 ? TIMESTAMP_AS_INT96 : TIMESTAMP_AS_MICROS,
                    .delta = (bits & NO_DELTA) == 0},
        .staging_directory = staging,
        .directory = "",
        .target_size = 1 << 20,
        .memory_max = (bits & LITTLE_MEMORY) != 0 ? 1 << 20 : 48 << 20,
        .split_after_us = (bits & SPLIT) != 0 ? 0 : INT64_MAX,
    };
}

/* Whether reading it takes a reasonable time; one that cannot be opened takes none. */
static bool has_few_rows(const uint8_t *data, size_t size) {
    struct parquet_reader reader;
    struct error err = {0};
    bool opened = parquet_reader_open_memory(&reader, data, size, &err);
    bool few = !opened || reader.metadata.rows <= ROWS_MAX;
    parquet_reader_close(&reader);
    return few;
}

/* Sorted: of rows with the same key any may come first. */
static void check_same_rows(const char *const *paths, size_t count, const char *staging,
                            const struct merge_result *result) {
    struct row_texts before = {0}, after = {0};
    struct error err = {0};
    for (size_t i = 0; i < count; i++)
        check(row_texts_read(&before, paths[i], &err));
    for (size_t i = 0; i < result->files.count; i++)
        check(row_texts_read(&after, file_join(staging, result->files.files[i].staged).text, &err));
    check(before.count == after.count && (int64_t)after.count == result->rows);
    row_texts_sort(&before);
    row_texts_sort(&after);
    for (size_t i = 0; i < before.count; i++)
        check(strcmp(before.texts[i], after.texts[i]) == 0);
    row_texts_deinit(&before);
    row_texts_deinit(&after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0 || !has_few_rows(data + 1, size - 1))
        return 0;
    log_configure(LOG_CRITICAL, false);
    struct schema schema;
    schema_init_plain(&schema, "test", merge_columns, MERGE_COLUMNS);
    struct file_path input = temporary_write("input.parquet", data + 1, size - 1);
    struct file_path staging = file_join(temporary_directory(), "staging");
    (void)mkdir(staging.text, 0755);
    const char *const paths[] = {input.text, input.text};
    size_t count = (data[0] & TWICE) != 0 ? 2 : 1;
    struct merge_options options = options_of(data[0], &schema, staging.text);
    struct merge_result result;
    struct error err = {0};
    if (merge_files(&options, paths, count, &result, &err)) {
        check_same_rows(paths, count, staging.text, &result);
        merge_result_deinit(&result);
        temporary_clear(staging.text);
    } else {
        check(err.kind == ERROR_STATE && err.message[0] != '\0');
        check(rmdir(staging.text) == 0); // it is empty
    }
    return 0;
}
