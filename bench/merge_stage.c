/* merge_stage: small files as a query leaves them in one directory of a table, for merge.py.
 *
 *     merge_stage DIRECTORY FILES RECORDS
 *
 * Each file is what one batch of RECORDS made-up matches adds to the directory of finished matches:
 * about three fifths of them, some offsets of each of four Kafka partitions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/disk/disk.h"
#include "base/disk/file.h"
#include "pipeline/derive.h"
#include "pipeline/json/decode_json.h"
#include "pipeline/sink/sink_parquet.h"
#include "records.h"
#include "streaming/declare/stream.h"

enum { TEXT_BYTES_PER_ROW = 1024, BASE = 10, PARTITIONS = 4, BATCH_MS = 60000 };
static const int64_t first_ms = 1717200000000;

struct stage {
    const char *directory;
    const struct stream *stream;
    struct schema schema;
    size_t partition_columns[1];
    size_t records; // of a batch
    int64_t batch;
    struct decoder *decoder;
    struct rows rows;
    struct sink *sink;
};

static _Noreturn void fail(const char *what) {
    (void)fprintf(stderr, "merge_stage: %s\n", what);
    exit(EXIT_FAILURE);
}

static int no_sync(int fd) {
    (void)fd;
    return 0;
}

static void fill_origin(const struct stage *stage, struct rows *rows, size_t number) {
    const struct schema *schema = &stage->schema;
    size_t row = rows->count, share = (stage->records + PARTITIONS - 1) / PARTITIONS;
    int64_t at = (int64_t)(number % share), batch_ms = first_ms + stage->batch * BATCH_MS;
    const size_t columns[] = {schema->kafka_timestamp, schema->partition, schema->offset,
                              schema->processing_timestamp};
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        rows->columns[columns[i]].valid[row] = 1;
    rows->columns[schema->kafka_timestamp].int64s[row] =
        (batch_ms + at * BATCH_MS / (int64_t)share) * 1000;
    rows->columns[schema->partition].int32s[row] = (int32_t)(number / share);
    rows->columns[schema->offset].int64s[row] = stage->batch * (int64_t)share + at;
    rows->columns[schema->processing_timestamp].int64s[row] = (batch_ms + BATCH_MS) * 1000;
}

static void append(struct stage *stage) {
    struct error err = {0};
    struct derive derive;
    derive_init_all(&derive, &stage->stream->plan, &stage->rows, zone_utc);
    if (!derive_rows(&derive, 0, stage->rows.count, &stage->rows.strings))
        fail("too little room for texts");
    derive_deinit(&derive);
    if (!sink_append(stage->sink, &stage->rows, &err))
        fail(err.message);
    rows_reset(&stage->rows);
}

static void add_record(struct stage *stage, size_t number) {
    static const struct record_options options = {.match = true, .seed = 42};
    static struct made_record made;
    make_record(&options, (uint64_t)stage->batch * stage->records + number, INGESTED_BY_NUMBER,
                &made);
    struct record record = {.offset = (int64_t)number,
                            .timestamp_ms = first_ms,
                            .value = made.value,
                            .value_size = made.size};
    struct reject reject;
    if (decode_record(stage->decoder, &record, &stage->rows, &reject) != DECODE_ROW)
        fail("a generated record is not a row");
    fill_origin(stage, &stage->rows, number);
    stage->rows.count++;
    if (stage->rows.count == stage->rows.capacity)
        append(stage);
}

/* Only the file of finished matches stays. */
static void keep_file(const struct stage *stage, const struct data_file *file) {
    struct error err = {0};
    struct file_path staged = file_join(stage->directory, file->staged);
    if (strncmp(file->path, "status=finished/", strlen("status=finished/")) != 0)
        file_discard(staged.text);
    else if (!file_rename_new(staged.text,
                              file_join(stage->directory, strchr(file->path, '/') + 1).text, &err))
        fail(err.message);
}

static void make_batch(struct stage *stage) {
    struct error err = {0};
    struct file_list files = {0};
    struct sink_options options = {.staging_directory = stage->directory,
                                   .schema = &stage->schema,
                                   .partition_columns = stage->partition_columns,
                                   .partition_column_count = 1,
                                   .parquet = {.codec = CODEC_SNAPPY, .delta = true},
                                   .memory_max = 32 << 20};
    stage->sink = sink_create(&options);
    for (size_t number = 0; number < stage->records; number++)
        add_record(stage, number);
    append(stage);
    if (!sink_finish(stage->sink, &files, &err))
        fail(err.message);
    sink_destroy(stage->sink);
    for (size_t i = 0; i < files.count; i++)
        keep_file(stage, &files.files[i]);
    file_list_deinit(&files);
}

int main(int argc, char **argv) {
    struct error err = {0};
    if (argc != 4)
        fail("usage: merge_stage DIRECTORY FILES RECORDS");
    streams_load();
    struct stage stage = {.directory = argv[1],
                          .stream = stream_of("matches"),
                          .records = strtoull(argv[3], NULL, BASE)};
    struct disk_ops in_memory = disk_real;
    in_memory.fsync = no_sync;
    disk = &in_memory;
    stream_schema(stage.stream, &stage.schema);
    stage.partition_columns[0] = (size_t)schema_find(&stage.schema, TEXT("status"));
    if (!decode_json_open(&stage.decoder, stage.stream->record, PARSE_REJECT, "UTC", &err))
        fail(err.message);
    stage.decoder->batch_time_ms = first_ms;
    rows_init(&stage.rows, &stage.schema, ROWS_CAPACITY, ROWS_CAPACITY * TEXT_BYTES_PER_ROW);
    int64_t batches = (int64_t)strtoull(argv[2], NULL, BASE);
    for (; stage.batch < batches; stage.batch++)
        make_batch(&stage);
    rows_deinit(&stage.rows);
    decoder_close(stage.decoder);
    return EXIT_SUCCESS;
}
