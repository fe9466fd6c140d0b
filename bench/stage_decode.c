#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "pipeline/json/decode_json.h"
#include "records.h"
#include "simdjson_decoder.h"
#include "stage.h"
#include "streaming/declare/stream.h"

enum { KEYS_MAX = 64, TEXT_BYTES_PER_ROW = 1024 }; // as streaming/tasks/row_maker.c has it

struct sample {
    struct record *records;
    size_t count, bytes;
    char *values; // behind all records, SIMDJSON_SLACK bytes behind each
};

struct job {
    const struct sample *sample;
    struct decoder *decoder;
    struct simdjson_decoder *yardstick;
    struct rows rows;
};

static uint64_t draw(uint64_t *state) {
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return *state >> 33;
}

/* Where the member that starts at `at` ends: at the next comma, or at the closing brace. */
static const char *member_end(const char *at) {
    for (bool quoted = false; quoted || (*at != ',' && *at != '}'); at++) {
        if (quoted && *at == '\\')
            at++;
        else if (*at == '"')
            quoted = !quoted;
    }
    return at;
}

/* The members of a flat object in another order, with the separators as they were. */
static void shuffle_members(struct made_record *made, bool spaced, uint64_t *state) {
    struct text members[KEYS_MAX];
    size_t count = 0;
    static char copy[RECORD_SIZE_MAX];
    memcpy(copy, made->value, made->size);
    for (const char *at = copy + 1; count < KEYS_MAX;) {
        const char *end = member_end(at);
        members[count++] = (struct text){at, (uint32_t)(end - at)};
        if (*end == '}')
            break;
        at = end + (spaced ? 2 : 1);
    }
    for (size_t i = count; i > 1; i--) {
        size_t other = draw(state) % i;
        struct text member = members[i - 1];
        members[i - 1] = members[other];
        members[other] = member;
    }
    char *at = made->value + 1;
    for (size_t i = 0; i < count; i++) {
        memcpy(at, members[i].bytes, members[i].length);
        at += members[i].length;
        if (i + 1 < count)
            *at++ = ',';
        if (i + 1 < count && spaced)
            *at++ = ' ';
    }
    check((size_t)(at + 1 - made->value) == made->size);
}

static struct sample make_sample(size_t count, bool python_style, bool shuffled) {
    struct record_options options = {.match = true, .python_style = python_style, .seed = 1};
    struct sample sample = {.records = must_alloc(count, sizeof *sample.records), .count = count};
    size_t capacity = 0, used = 0;
    uint64_t state = 1;
    static struct made_record made;
    for (size_t i = 0; i < count; i++) {
        make_record(&options, i, INGESTED_BY_NUMBER, &made);
        if (shuffled)
            shuffle_members(&made, python_style, &state);
        if (capacity < used + made.size + SIMDJSON_SLACK) {
            capacity = (used + made.size + SIMDJSON_SLACK) * 2;
            sample.values = realloc(sample.values, capacity);
            check(sample.values != NULL);
        }
        memcpy(sample.values + used, made.value, made.size);
        memset(sample.values + used + made.size, 0, SIMDJSON_SLACK);
        sample.records[i] = (struct record){.offset = (int64_t)used, .value_size = made.size};
        used += made.size + SIMDJSON_SLACK;
        sample.bytes += made.size;
    }
    for (size_t i = 0; i < count; i++)
        sample.records[i].value = sample.values + sample.records[i].offset;
    return sample;
}

static void decode_ours(struct job *job, size_t record) {
    struct reject reject;
    check(decode_record(job->decoder, &job->sample->records[record], &job->rows, &reject) ==
          DECODE_ROW);
}

#ifdef HAS_SIMDJSON
static void decode_yardstick(struct job *job, size_t record) {
    struct arena *strings = &job->rows.strings;
    const struct record *json = &job->sample->records[record];
    char *texts = (char *)strings->base + strings->used;
    char *end = simdjson_decode(job->yardstick, json->value, json->value_size, job->rows.inputs,
                                job->rows.count, texts);
    check(end != NULL);
    strings->used += (size_t)(end - texts);
}
#endif

/* All records, slice by slice as a worker does it. */
static void run_all(struct job *job, void (*decode)(struct job *, size_t)) {
    struct rows *rows = &job->rows;
    rows_reset(rows);
    for (size_t i = 0; i < job->sample->count; i++) {
        decode(job, i);
        if (++rows->count == rows->capacity)
            rows_reset(rows);
    }
}

static void run_ours(void *job) {
    run_all(job, decode_ours);
}

#ifdef HAS_SIMDJSON
static void run_yardstick(void *job) {
    run_all(job, decode_yardstick);
}

static bool same_value(const struct vector *a, const struct vector *b) {
    if (a->valid[0] != b->valid[0])
        return false;
    if (!a->valid[0])
        return true;
    if (a->type == TYPE_STRING)
        return text_equals(a->texts[0], b->texts[0]);
    return memcmp(a->values, b->values, type_width(a->type)) == 0;
}

/* Records of which the two make different rows. */
static int count_differences(struct job *job) {
    struct job other = {.sample = job->sample, .yardstick = job->yardstick};
    rows_init(&other.rows, job->rows.schema, 1, TEXT_BYTES_PER_ROW * 8);
    int differences = 0;
    for (size_t i = 0; i < job->sample->count; i++) {
        rows_reset(&job->rows);
        rows_reset(&other.rows);
        decode_ours(job, i);
        decode_yardstick(&other, i);
        bool same = true;
        for (size_t column = 0; column < job->rows.schema->record_count; column++)
            same = same && same_value(&job->rows.inputs[column], &other.rows.inputs[column]);
        differences += !same;
    }
    rows_deinit(&other.rows);
    return differences;
}
#endif

static int measure(const struct record_schema *record, size_t count, int rounds, bool python_style,
                   bool shuffled) {
    struct sample sample = make_sample(count, python_style, shuffled);
    struct job job = {.sample = &sample};
    struct schema schema;
    struct error err;
    check(decode_json_open(&job.decoder, record, PARSE_REJECT, "UTC", &err));
    schema_init_record(&schema, record);
    rows_init(&job.rows, &schema, ROWS_CAPACITY, (size_t)ROWS_CAPACITY * TEXT_BYTES_PER_ROW);
    printf("matches, %s, %s: %.0f bytes a record\n", python_style ? "\", \" and \": \"" : "compact",
           shuffled ? "keys shuffled" : "keys in order", (double)sample.bytes / (double)count);
    double ours = stage_shortest_ns(run_ours, &job, rounds);
    stage_print("  decode", ours, count, sample.bytes);
    int differences = 0;
#ifdef HAS_SIMDJSON
    const char *names[KEYS_MAX];
    for (size_t i = 0; i < record->count; i++)
        names[i] = record->columns[i].name;
    job.yardstick = simdjson_decoder_create(names, record->count);
    double theirs = stage_shortest_ns(run_yardstick, &job, rounds);
    char name[64];
    (void)snprintf(name, sizeof name, "  simdjson On-Demand (%s)", simdjson_kernel());
    stage_print(name, theirs, count, sample.bytes);
    differences = count_differences(&job);
    printf("  %.2f times simdjson; %d rows differ\n", theirs / ours, differences);
    simdjson_decoder_destroy(job.yardstick);
#endif
    decoder_close(job.decoder);
    rows_deinit(&job.rows);
    free(sample.records);
    free(sample.values);
    return differences;
}

int stage_decode(size_t records, int rounds) {
    streams_load();
    const struct record_schema *record = stream_of("matches")->record;
    int differences = 0;
    for (int variant = 0; variant < 4; variant++)
        differences += measure(record, records, rounds, variant % 2 == 0, variant >= 2);
    return differences > 0;
}
