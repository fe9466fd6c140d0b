/* Decoding of documents of which most is not read. */
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "core/data_type.h"
#include "match_v5.h"
#include "pipeline/json/decode_json.h"
#include "stage.h"

#define PATH(...)                                                                                  \
    .path = (const char *const[]){__VA_ARGS__},                                                    \
    .path_length = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)
#define COUNT(array) (sizeof(array) / sizeof *(array))
#define STRUCT(name)                                                                               \
    static const struct data_type name = {                                                         \
        .kind = TYPE_STRUCT, .fields = name##_fields, .field_count = COUNT(name##_fields)}

enum { SLICE_ROWS = 256, STRING_BYTES = 1 << 20 };

static const struct data_field selection_fields[] = {{"perk", {.kind = TYPE_INT32}, NULL}};
STRUCT(selection);
static const struct data_field style_fields[] = {
    {"selections", {.kind = TYPE_ARRAY, .element = &selection}, NULL}};
STRUCT(style);
static const struct data_field perks_fields[] = {
    {"styles", {.kind = TYPE_ARRAY, .element = &style}, NULL}};
static const struct data_field challenges_fields[] = {
    {"killParticipation", {.kind = TYPE_DOUBLE}, NULL}};
static const struct data_field participant_fields[] = {
    {"puuid", {.kind = TYPE_STRING}, NULL},
    {"riotIdGameName", {.kind = TYPE_STRING}, NULL},
    {"riotIdTagline", {.kind = TYPE_STRING}, NULL},
    {"teamId", {.kind = TYPE_INT32}, NULL},
    {"teamPosition", {.kind = TYPE_STRING}, NULL},
    {"championId", {.kind = TYPE_INT32}, NULL},
    {"championName", {.kind = TYPE_STRING}, NULL},
    {"champLevel", {.kind = TYPE_INT32}, NULL},
    {"kills", {.kind = TYPE_INT32}, NULL},
    {"deaths", {.kind = TYPE_INT32}, NULL},
    {"assists", {.kind = TYPE_INT32}, NULL},
    {"goldEarned", {.kind = TYPE_INT32}, NULL},
    {"totalMinionsKilled", {.kind = TYPE_INT32}, NULL},
    {"neutralMinionsKilled", {.kind = TYPE_INT32}, NULL},
    {"totalDamageDealtToChampions", {.kind = TYPE_INT32}, NULL},
    {"visionScore", {.kind = TYPE_INT32}, NULL},
    {"win", {.kind = TYPE_BOOL}, NULL},
    {"perks", {.kind = TYPE_STRUCT, .fields = perks_fields, .field_count = 1}, NULL},
    {"challenges", {.kind = TYPE_STRUCT, .fields = challenges_fields, .field_count = 1}, NULL},
};
STRUCT(participant);
static const struct data_type participants = {.kind = TYPE_ARRAY, .element = &participant};

static const struct column columns[] = {
    {"match_id", TYPE_STRING, PATH("metadata", "matchId")},
    {"queue_id", TYPE_INT32, PATH("info", "queueId")},
    {"duration", TYPE_INT32, PATH("info", "gameDuration")},
    {"started", TYPE_INT64, PATH("info", "gameStartTimestamp")},
    {"participants", TYPE_ARRAY, PATH("info", "participants"), .nested = &participants},
};

struct job {
    const struct record_schema *schema;
    struct record *records;
    size_t count, bytes;
    struct decoder *decoder;
    struct rows rows;
    size_t elements;
};

static void run(void *context) {
    struct job *job = context;
    struct reject reject;
    job->elements = 0;
    for (size_t i = 0; i < job->count;) {
        enum decode_result result =
            decode_record(job->decoder, &job->records[i], &job->rows, &reject);
        check(result != DECODE_REJECT);
        if (result == DECODE_ROW) {
            const struct vector *last = &job->rows.inputs[job->schema->count - 1];
            if (last->type == TYPE_ARRAY)
                job->elements += last->lists[job->rows.count].count;
            job->rows.count++;
            i++;
        }
        if (result == DECODE_FULL || job->rows.count == SLICE_ROWS) {
            check(job->rows.count > 0);
            rows_reset(&job->rows);
        }
    }
    rows_reset(&job->rows);
}

static void measure(struct job *job, const char *name, size_t column_count, int rounds) {
    const struct record_schema record = {name, columns, column_count, .has_identifier = true};
    struct schema schema;
    struct error err;
    job->schema = &record;
    schema_init_record(&schema, &record);
    rows_init(&job->rows, &schema, SLICE_ROWS, STRING_BYTES);
    check(decode_json_open(&job->decoder, &record, PARSE_REJECT, "UTC", &err));
    stage_print(name, stage_shortest_ns(run, job, rounds), job->count, job->bytes);
    check(column_count < COUNT(columns) || job->elements == 10 * job->count);
    decoder_close(job->decoder);
    rows_deinit(&job->rows);
}

int stage_nested(size_t count, int rounds) {
    struct job job = {.count = count, .records = must_alloc(count, sizeof *job.records)};
    char *values = must_alloc(count, MATCH_V5_SIZE_MAX);
    char *at = values;
    for (size_t i = 0; i < count; i++) {
        job.records[i] = (struct record){.value = at, .value_size = match_v5_write(i, at)};
        at += job.records[i].value_size;
        job.bytes += job.records[i].value_size;
    }
    printf("%zu documents of %zu bytes\n", count, job.bytes / count);
    measure(&job, "match-v5, one key", 1, rounds);
    measure(&job, "match-v5, four keys", 4, rounds);
    measure(&job, "match-v5, participants", COUNT(columns), rounds);
    free(values);
    free(job.records);
    return 0;
}
