/* content.h: the bytes of each record of the simulated topic, and what it must become.
 *
 * Both are made from the record's place and a seed, the expectation first: so the checker knows the
 * row or the reject without a decoder. The records are those of the built-in query `matches`, and
 * expect PARSE_MODE=reject and a table that is partitioned by `status`, alone or with others.
 *
 * Each record differs from all others in its row (`ingestion_timestamp`), or in the key and value
 * of its reject. */
#ifndef SIMULATOR_CONTENT_H
#define SIMULATOR_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* An incarnation is one writing of offsets (model_broker.h). */
struct content_place {
    int incarnation;
    int32_t partition;
    int64_t offset;
};

enum content_kind {
    CONTENT_ROW,
    CONTENT_NULL_VALUE, // a tombstone
    CONTENT_BLANK_VALUE,
    CONTENT_MALFORMED,
    CONTENT_NOT_AN_OBJECT,
    CONTENT_MISSING_IDENTIFIER,
    CONTENT_NULL_IDENTIFIER,
    CONTENT_PARTITION_VALUE,
    CONTENT_KAFKA_TIME,
    CONTENT_KINDS
};

/* Kafka's timestamp of the record, for the time when it is produced. */
enum content_time { CONTENT_NOW, CONTENT_OTHER_DAY, CONTENT_NO_TIME, CONTENT_BEYOND };

enum { CONTENT_ROOM = 8192, CONTENT_TEXT_ROOM = 256 };

struct content {
    enum content_kind kind;
    enum content_time time;
    int days_ago; // of CONTENT_OTHER_DAY

    bool has_key, has_value; // the bytes are null otherwise
    struct text key, value;

    /* the row; of a text, bytes == NULL: null */
    struct text match_id, status, tournament_name, winner_id;
    bool has_duration; // null otherwise
    int32_t duration;
    int64_t ingestion;

    char key_room[64], value_room[CONTENT_ROOM];
    char id_room[64], text_room[CONTENT_TEXT_ROOM], status_room[512];
};

/* `malformed`: of thousand records, how many are to become rejects. */
void content_make(struct content *content, uint64_t seed, unsigned malformed,
                  struct content_place place);

/* Only its kind and time, which the broker needs when the record is produced. */
void content_make_kind(struct content *content, uint64_t seed, unsigned malformed,
                       struct content_place place);

/* The record's timestamp when it is produced at this time. */
int64_t content_timestamp_ms(const struct content *content, int64_t now_ms);

/* As the rejects table names it; NULL of a row. */
const char *content_reason(enum content_kind kind);

/* The place that `ingestion_timestamp` of a row shows. False: it is not one of ours. */
int64_t content_ingestion(struct content_place place);
bool content_place_of(int64_t ingestion, struct content_place *place);

#endif
