/* merge_directory: the files of one directory of a built-in query's table, or of rejects, merged.
 *
 *     merge_directory matches|players|rejects DIRECTORY STAGING [MEMORY_MIB [TARGET_MIB [CODEC
 *                     [micros|int96]]]]
 *
 * Files are taken in the order of their names, which says nothing about their rows. Outputs stay in
 * STAGING, under the names that they would get. Printed as JSON: files, rows, bytes, and the CPU
 * time and the most memory of this process. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/check.h"
#include "base/disk/file.h"
#include "base/system/process.h"
#include "base/text.h"
#include "pipeline/merge/merge.h"
#include "pipeline/sink/reject_table.h"
#include "streaming/declare/stream.h"

enum { BASE = 10 };

static _Noreturn void fail(const char *what) {
    (void)fprintf(stderr, "merge_directory: %s\n", what);
    exit(EXIT_FAILURE);
}

struct paths {
    char **paths; // owned
    size_t count;
};

static int compare(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static struct paths list(const char *directory) {
    struct paths list = {0};
    DIR *stream = opendir(directory);
    if (stream == NULL)
        fail("DIRECTORY can't be read");
    for (const struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        if (!text_ends_with(entry->d_name, ".parquet") || entry->d_name[0] == '.')
            continue;
        list.paths = realloc(list.paths, (list.count + 1) * sizeof *list.paths);
        check(list.paths != NULL);
        list.paths[list.count++] = text_format("%s/%s", directory, entry->d_name);
    }
    (void)closedir(stream);
    if (list.count > 0)
        qsort(list.paths, list.count, sizeof *list.paths, compare);
    return list;
}

static size_t find_partition_columns(const char *job, const struct schema *schema,
                                     size_t columns[2]) {
    size_t count = 0;
    if (strcmp(job, "rejects") == 0)
        return 0;
    columns[count++] = (size_t)schema_find(schema, TEXT("status"));
    if (strcmp(job, "players") == 0)
        columns[count++] = (size_t)schema_find(schema, TEXT("role"));
    return count;
}

static int64_t mebibytes(int argc, char **argv, int index, int64_t otherwise) {
    return (argc > index ? strtoll(argv[index], NULL, BASE) : otherwise) << 20;
}

static enum parquet_codec codec_argument(int argc, char **argv, int index) {
    static const char *const names[] = {"none", "snappy", "zstd", "lz4"};
    for (size_t i = 0; argc > index && i < sizeof names / sizeof names[0]; i++)
        if (strcmp(argv[index], names[i]) == 0)
            return (enum parquet_codec)i;
    return CODEC_SNAPPY;
}

static void give_names(const char *staging, const struct file_list *files) {
    struct error err = {0};
    for (size_t i = 0; i < files->count; i++)
        if (!file_rename_new(file_join(staging, files->files[i].staged).text,
                             file_join(staging, files->files[i].path).text, &err))
            fail(err.message);
}

static void print_result(const struct merge_result *result, size_t inputs) {
    struct rusage usage;
    check(getrusage(RUSAGE_SELF, &usage) == 0);
    double cpu_s = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                   (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    (void)printf("{\"inputs\": %zu, \"files\": %zu, \"rows\": %lld, \"input_bytes\": %lld, "
                 "\"output_bytes\": %lld, \"cpu_s\": %.3f, \"peak_mb\": %.1f}\n",
                 inputs, result->files.count, (long long)result->rows,
                 (long long)result->input_bytes, (long long)result->output_bytes, cpu_s,
                 (double)usage.ru_maxrss / 1024);
}

int main(int argc, char **argv) {
    struct schema schema;
    struct merge_result result;
    struct error err = {0};
    size_t partition_columns[2];
    if (argc < 4)
        fail("usage: merge_directory matches|players|rejects DIRECTORY STAGING [MEMORY_MIB "
             "[TARGET_MIB [CODEC [micros|int96]]]]");
    heap_keep((int64_t)512 << 20); // as the program does
    streams_load();
    if (strcmp(argv[1], "rejects") == 0)
        schema = *reject_schema();
    else
        stream_schema(stream_of(argv[1]), &schema);
    struct paths paths = list(argv[2]);
    struct merge_options options = {
        .schema = &schema,
        .partition_columns = partition_columns,
        .partition_column_count = find_partition_columns(argv[1], &schema, partition_columns),
        .parquet = {.codec = codec_argument(argc, argv, 6),
                    .timestamp = argc > 7 && strcmp(argv[7], "int96") == 0 ? TIMESTAMP_AS_INT96
                                                                           : TIMESTAMP_AS_MICROS,
                    .delta = true},
        .staging_directory = argv[3],
        .directory = "",
        .target_size = mebibytes(argc, argv, 5, 128),
        .memory_max = mebibytes(argc, argv, 4, 48),
        .split_after_us = INT64_MAX,
    };
    if (!merge_files(&options, (const char *const *)paths.paths, paths.count, &result, &err))
        fail(err.message);
    print_result(&result, paths.count);
    give_names(argv[3], &result.files);
    merge_result_deinit(&result);
    for (size_t i = 0; i < paths.count; i++)
        free(paths.paths[i]);
    free(paths.paths);
    return EXIT_SUCCESS;
}
