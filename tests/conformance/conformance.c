/* conformance.c: runs the corpus through decoding and derivation (README.md). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/scope.h"
#include "expectation.h"
#include "pipeline/derive.h"
#include "pipeline/json/decode_json.h"
#include "streaming/declare/stream.h"

enum { STRING_BYTES = 4 << 20 };

struct run {
    enum parse_mode mode;
    struct schema schema;
    struct rows rows;
    struct decoder *decoder;
    struct derive derive;
    const char *partition_columns[2];
    size_t partition_column_count;
    json_t *expected; // by id
    const char *only; // NULL: all cases
    int cases, failures;
};

static json_t *load_expected(const char *path) {
    FILE *file = fopen(path, "r");
    check(file != NULL);
    json_t *all = json_object();
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    while ((size = getline(&line, &capacity, file)) > 0) {
        json_error_t problem;
        json_t *value = json_loadb(line, (size_t)size, JSON_ALLOW_NUL, &problem);
        check(value != NULL);
        json_object_set_new(all, json_string_value(json_object_get(value, "id")), value);
    }
    free(line);
    (void)fclose(file);
    return all;
}

static bool fail(struct run *run, const char *id, const char *what) {
    fprintf(stderr, "%s: %s\n", id, what);
    run->failures++;
    return false;
}

/* Whether the reason of a reject is one that the case can have. */
static bool is_right_reason(const json_t *expected, const struct record *record,
                            const struct reject *reject) {
    const char *category = json_string_value(json_object_get(expected, "cat"));
    if (record->value == NULL)
        return reject->reason == REJECT_NULL_VALUE;
    if (!json_is_true(json_object_get(expected, "emitted")))
        return reject->reason == REJECT_BLANK_VALUE;
    if (strcmp(category, "truncated") == 0 || strcmp(category, "leading") == 0)
        return reject->reason == REJECT_MALFORMED;
    return reject->reason == REJECT_MALFORMED || reject->reason == REJECT_NOT_AN_OBJECT ||
           reject->reason == REJECT_MISSING_IDENTIFIER || reject->reason == REJECT_NULL_IDENTIFIER;
}

static bool expects_row(const struct run *run, const json_t *expected) {
    if (!json_is_true(json_object_get(expected, "emitted")))
        return false;
    const char *identifier = run->schema.columns[0].name;
    const json_t *value = json_object_get(json_object_get(expected, "row"), identifier);
    return run->mode == PARSE_PERMISSIVE || !json_is_null(value);
}

static bool run_case(struct run *run, const char *id, const struct record *record) {
    const json_t *expected = json_object_get(run->expected, id);
    check(expected != NULL);
    rows_reset(&run->rows);
    struct reject reject = {0};
    enum decode_result result = decode_record(run->decoder, record, &run->rows, &reject);
    if (result == DECODE_FULL)
        return fail(run, id, "does not fit");
    if (result == DECODE_REJECT) {
        if (run->only != NULL)
            printf("%s: %s at byte %zu: %s\n", id, reject_reason_name(reject.reason),
                   reject.position, reject.detail);
        if (expects_row(run, expected))
            return fail(run, id, "was rejected; Spark has a row with its identifier");
        if (!is_right_reason(expected, record, &reject))
            return fail(run, id, reject_reason_name(reject.reason));
        return reject.detail[0] != '\0' || fail(run, id, "no detail");
    }
    if (!expects_row(run, expected))
        return fail(run, id, "became a row");
    if (!derive_rows(&run->derive, 0, 1, &run->rows.strings))
        return fail(run, id, "derivation does not fit");
    int differences = expectation_compare(expected, &run->rows, 0);
    differences += expectation_compare_directory(expected, &run->rows, 0, run->partition_columns,
                                                 run->partition_column_count);
    if (run->only != NULL)
        expectation_print_row(&run->rows, 0);
    if (differences > 0)
        return fail(run, id, "is another row than Spark's");
    return true;
}

static void run_line(struct run *run, char *line) {
    char *save = NULL;
    const char *id = strtok_r(line, "\t", &save);
    (void)strtok_r(NULL, "\t", &save); // the category; expected.jsonl has it, too
    const char *text = strtok_r(NULL, "\t", &save);
    if (run->only != NULL && strcmp(run->only, id) != 0)
        return;

    struct record record = {0};
    bool is_null = text != NULL && strncmp(text, "\\N", 2) == 0;
    scoped(scope_free) char *value =
        is_null ? NULL : expectation_decode_base64(text == NULL ? "" : text, &record.value_size);
    record.value = value;
    run->cases++;
    (void)run_case(run, id, &record);
}

static void run_input(struct run *run, const char *path) {
    FILE *file = fopen(path, "r");
    check(file != NULL);
    char *line = NULL;
    size_t capacity = 0;
    while (getline(&line, &capacity, file) > 0)
        run_line(run, line);
    free(line);
    (void)fclose(file);
}

static int usage(void) {
    fputs("usage: conformance [-n MS] matches|players permissive|reject INPUT EXPECTED [ID]\n"
          "  -n   the time of which times without a day take theirs, in ms since 1970\n"
          "  ID   this case only, with our row\n",
          stderr);
    return 2;
}

int main(int argc, char **argv) {
    int64_t now_ms = 0;
    int option;
    while ((option = getopt(argc, argv, "n:")) != -1) {
        if (option != 'n')
            return usage();
        now_ms = strtoll(optarg, NULL, 10);
    }
    char **words = argv + optind;
    int word_count = argc - optind;
    if (word_count < 4)
        return usage();
    streams_load();
    const struct stream *stream = stream_of(words[0]);
    struct run run = {
        .mode = strcmp(words[1], "permissive") == 0 ? PARSE_PERMISSIVE : PARSE_REJECT,
        .expected = load_expected(words[3]),
        .only = word_count > 4 ? words[4] : NULL,
    };
    run.partition_columns[run.partition_column_count++] = "status";
    if (strcmp(stream->job, "players") == 0)
        run.partition_columns[run.partition_column_count++] = "role";
    stream_schema(stream, &run.schema);
    rows_init(&run.rows, &run.schema, 1, STRING_BYTES);
    struct error err = {0};
    if (!decode_json_open(&run.decoder, stream->record, run.mode, "UTC", &err)) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    run.decoder->batch_time_ms = now_ms;
    derive_init_all(&run.derive, &stream->plan, &run.rows, zone_utc);
    run.derive.context.now_ms = now_ms;
    run_input(&run, words[2]);
    printf("%d cases, %d failed\n", run.cases, run.failures);
    bool complete = run.only != NULL || run.cases == (int)json_object_size(run.expected);

    decoder_close(run.decoder);
    derive_deinit(&run.derive);
    rows_deinit(&run.rows);
    json_decref(run.expected);
    return complete && run.cases > 0 && run.failures == 0 ? 0 : 1;
}
