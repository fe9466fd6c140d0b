/* parquet_stage: decoded rows to Parquet files, alone: routing, encoding, compressing, writing.
 *
 *     parquet_stage DIRECTORY [matches|players [ROWS [SLICE_ROWS [ROUNDS [CODEC [plain]]]]]]
 *
 * DIRECTORY exists, is empty and best lies in memory (/dev/shm). Made-up records are decoded once;
 * every round writes the same slices through one sink, as a worker writes one task. A slice is read
 * once before its turn, untimed: in the pipeline the decoder has just written it. Syncing is left
 * out. Printed: the least CPU time of the thread over all rounds; the same as a sum of the least
 * time of each slice, which on a busy machine is steadier and tells two versions apart; the size of
 * the files, which stay in DIRECTORY for parquet_stage.py to compare; and what deriving takes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/check.h"
#include "base/disk/disk.h"
#include "base/system/process.h"
#include "pipeline/derive.h"
#include "pipeline/json/decode_json.h"
#include "pipeline/sink/sink_parquet.h"
#include "records.h"
#include "streaming/declare/stream.h"

enum { TEXT_BYTES_PER_ROW = 1024, BASE = 10, PARTITIONS = 4 };
static const int64_t batch_ms = 1717200000000;

struct stage {
    const char *directory;
    const struct stream *stream;
    struct schema schema;
    size_t partition_columns[1];
    struct rows *slices; // owned
    size_t slice_count, row_count;
    double *least_ns; // owned; of each slice, and of finishing
    struct parquet_options parquet;
};

struct figures {
    double append_ns, finish_ns; // CPU time of the thread, of all rows
    size_t bytes, files, peak;
};

static _Noreturn void fail(const char *what) {
    (void)fprintf(stderr, "parquet_stage: %s\n", what);
    exit(EXIT_FAILURE);
}

static double cpu_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int no_sync(int fd) {
    (void)fd;
    return 0;
}

/* As a task walks its topic: one Kafka partition after the other, some records in each millisecond.
 */
static void fill_origin(const struct stage *stage, struct rows *rows, uint64_t number) {
    const struct schema *schema = &stage->schema;
    size_t row = rows->count, share = (stage->row_count + PARTITIONS - 1) / PARTITIONS;
    int64_t offset = (int64_t)(number % share);
    const size_t columns[] = {schema->kafka_timestamp, schema->partition, schema->offset,
                              schema->processing_timestamp};
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        rows->columns[columns[i]].valid[row] = 1;
    rows->columns[schema->kafka_timestamp].int64s[row] = (batch_ms + offset / 8) * 1000;
    rows->columns[schema->partition].int32s[row] = (int32_t)(number / share);
    rows->columns[schema->offset].int64s[row] = offset;
    rows->columns[schema->processing_timestamp].int64s[row] = batch_ms * 1000;
}

static void add_row(const struct stage *stage, struct decoder *decoder, uint64_t number,
                    struct rows *rows) {
    static const struct record_options compact = {.seed = 42};
    struct record_options options = compact;
    options.match = strcmp(stage->stream->job, "matches") == 0;
    static struct made_record made;
    make_record(&options, number, INGESTED_BY_NUMBER, &made);
    struct record record = {.offset = (int64_t)number,
                            .timestamp_ms = batch_ms,
                            .value = made.value,
                            .value_size = made.size};
    struct reject reject;
    if (decode_record(decoder, &record, rows, &reject) != DECODE_ROW)
        fail("a generated record is not a row");
    fill_origin(stage, rows, number);
    rows->count++;
}

/* Reads what a slice holds, so that it is as near as the decoder leaves it. */
static void touch(const struct rows *rows) {
    enum { LINE = 64 };
    static volatile unsigned char sink;
    check(rows->schema != NULL);
    for (size_t i = 0; i < rows->strings.used; i += LINE)
        sink = rows->strings.base[i];
    for (size_t input = 0; input < rows->schema->input_count; input++) {
        const struct vector *vector = &rows->inputs[input];
        for (size_t i = 0; i < rows->count * type_width(vector->type); i += LINE)
            sink = ((const unsigned char *)vector->values)[i];
    }
    (void)sink;
}

/* Deriving the rows, a slice at a time as the worker does: CPU time of a row. */
static double derive_ns(const struct stage *stage) {
    enum { DERIVE_ROUNDS = 3 }; // each takes room for its texts again
    double least = 0;
    for (int round = 0; round < DERIVE_ROUNDS; round++) {
        double ns = 0;
        for (size_t i = 0; i < stage->slice_count; i++) {
            struct rows *rows = &stage->slices[i];
            touch(rows);
            struct derive derive;
            derive_init_all(&derive, &stage->stream->plan, rows, zone_utc);
            double start = cpu_ns();
            if (!derive_rows(&derive, 0, rows->count, &rows->strings))
                fail("too little room for texts");
            ns += cpu_ns() - start;
            derive_deinit(&derive);
        }
        least = round == 0 || ns < least ? ns : least;
    }
    return least / (double)stage->row_count;
}

static void make_slices(struct stage *stage, size_t slice_rows) {
    struct decoder *decoder;
    struct error err = {0};
    if (!decode_json_open(&decoder, stage->stream->record, PARSE_REJECT, "UTC", &err))
        fail(err.message);
    decoder->batch_time_ms = batch_ms;
    stage->slice_count = (stage->row_count + slice_rows - 1) / slice_rows;
    stage->slices = must_alloc(stage->slice_count, sizeof *stage->slices);
    stage->least_ns = must_alloc(stage->slice_count + 1, sizeof *stage->least_ns);
    for (size_t number = 0; number < stage->row_count; number++) {
        struct rows *rows = &stage->slices[number / slice_rows];
        if (number % slice_rows == 0)
            rows_init(rows, &stage->schema, slice_rows, slice_rows * TEXT_BYTES_PER_ROW);
        add_row(stage, decoder, number, rows);
    }
    decoder_close(decoder);
    (void)derive_ns(stage);
}

static void remove_files(const char *directory, struct file_list *files) {
    char path[4096];
    for (size_t i = 0; i < files->count; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", directory, files->files[i].staged);
        (void)disk->unlink(path);
    }
    file_list_deinit(files);
}

static double keep_least(const struct stage *stage, size_t index, double ns) {
    double *least = &stage->least_ns[index];
    *least = *least == 0 || ns < *least ? ns : *least;
    return ns;
}

static struct figures run_round(const struct stage *stage, struct file_list *files) {
    struct figures figures = {0};
    struct error err = {0};
    struct sink_options options = {.staging_directory = stage->directory,
                                   .schema = &stage->schema,
                                   .partition_columns = stage->partition_columns,
                                   .partition_column_count = 1,
                                   .parquet = stage->parquet,
                                   .memory_max = 32 << 20};
    double start = cpu_ns();
    struct sink *sink = sink_create(&options);
    figures.append_ns = cpu_ns() - start;
    for (size_t i = 0; i < stage->slice_count; i++) {
        touch(&stage->slices[i]);
        start = cpu_ns();
        if (!sink_append(sink, &stage->slices[i], &err))
            fail(err.message);
        figures.append_ns += keep_least(stage, i, cpu_ns() - start);
        figures.peak = sink_memory(sink) > figures.peak ? sink_memory(sink) : figures.peak;
    }
    start = cpu_ns();
    if (!sink_finish(sink, files, &err))
        fail(err.message);
    sink_destroy(sink);
    figures.finish_ns = keep_least(stage, stage->slice_count, cpu_ns() - start);
    for (size_t i = 0; i < files->count; i++)
        figures.bytes += (size_t)files->files[i].size;
    figures.files = files->count;
    return figures;
}

static void run_rounds(const struct stage *stage, size_t rounds) {
    struct figures best = {0};
    for (size_t round = 0; round < rounds; round++) {
        struct file_list files = {0};
        struct figures figures = run_round(stage, &files);
        if (round == 0 || figures.append_ns + figures.finish_ns < best.append_ns + best.finish_ns)
            best = figures;
        if (round + 1 < rounds)
            remove_files(stage->directory, &files);
        else
            file_list_deinit(&files);
    }
    double rows = (double)stage->row_count, least = 0;
    for (size_t i = 0; i <= stage->slice_count; i++)
        least += stage->least_ns[i];
    (void)printf("%s rows %zu files %zu ns/row %.1f (append %.1f finish %.1f; by slices %.1f) "
                 "bytes/row %.2f "
                 "bytes %zu sink memory %.1f MB\n",
                 stage->stream->job, stage->row_count, best.files,
                 (best.append_ns + best.finish_ns) / rows, best.append_ns / rows,
                 best.finish_ns / rows, least / rows, (double)best.bytes / rows, best.bytes,
                 (double)best.peak / 1e6);
}

static size_t number_argument(int argc, char **argv, int index, size_t otherwise) {
    return argc > index ? strtoull(argv[index], NULL, BASE) : otherwise;
}

static enum parquet_codec codec_argument(int argc, char **argv, int index) {
    static const char *const names[] = {"none", "snappy", "zstd", "lz4"};
    for (size_t i = 0; argc > index && i < sizeof names / sizeof names[0]; i++)
        if (strcmp(argv[index], names[i]) == 0)
            return (enum parquet_codec)i;
    return CODEC_SNAPPY;
}

int main(int argc, char **argv) {
    if (argc < 2)
        fail("usage: parquet_stage DIRECTORY [matches|players [ROWS [SLICE_ROWS [ROUNDS "
             "[CODEC [plain]]]]]]");
    streams_load();
    bool players = argc > 2 && strcmp(argv[2], "players") == 0;
    struct stage stage = {.directory = argv[1],
                          .stream = players ? stream_of("players") : stream_of("matches"),
                          .row_count = number_argument(argc, argv, 3, 250000),
                          .parquet = {.codec = codec_argument(argc, argv, 6),
                                      .delta = argc <= 7 || strcmp(argv[7], "plain") != 0}};
    struct disk_ops in_memory = disk_real;
    in_memory.fsync = no_sync;
    disk = &in_memory;
    heap_keep((int64_t)2 << 30);
    stream_schema(stage.stream, &stage.schema);
    stage.partition_columns[0] = (size_t)schema_find(&stage.schema, TEXT("status"));
    make_slices(&stage, number_argument(argc, argv, 4, ROWS_CAPACITY));
    run_rounds(&stage, number_argument(argc, argv, 5, 5));
    (void)printf("derive ns/row %.1f\n", derive_ns(&stage));
    for (size_t i = 0; i < stage.slice_count; i++)
        rows_deinit(&stage.slices[i]);
    free(stage.slices);
    free(stage.least_ns);
    return EXIT_SUCCESS;
}
