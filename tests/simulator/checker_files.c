/* A file is read when its bytes are seen for the first time: all of its columns, and each row is
 * compared with the record that it must be of. The record is found by what only it has: of a row
 * `ingestion_timestamp`, of a reject its key and value. Partition and offset must be that record's,
 * and not only those of some record. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/scope.h"
#include "base/text.h"
#include "checker_state.h"
#include "model_disk.h"
#include "pipeline/parquet/read/reader.h"

/* ---- files that were read ---- */

struct kept_file {
    uint64_t hash; // of path and bytes; 0: the slot is free
    struct data_rows rows;
};

static struct kept_file *kept; // owned
static size_t kept_count, kept_slots;

uint64_t bytes_hash(const void *bytes, size_t size) {
    const unsigned char *at = bytes;
    uint64_t hash = size * 0x9e3779b97f4a7c15U + 1, word;
    for (; size >= 8; at += 8, size -= 8) {
        memcpy(&word, at, 8);
        hash = (hash ^ word) * 0xd6e8feb86659fd93U;
        hash ^= hash >> 32;
    }
    word = 0;
    memcpy(&word, at, size);
    hash = (hash ^ word) * 0xd6e8feb86659fd93U;
    return hash ^ hash >> 29;
}

static struct kept_file *slot_of(uint64_t hash) {
    size_t slot = (size_t)hash & (kept_slots - 1);
    while (kept[slot].hash != 0 && kept[slot].hash != hash)
        slot = (slot + 1) & (kept_slots - 1);
    return &kept[slot];
}

static void grow(void) {
    struct kept_file *old = kept;
    size_t old_slots = kept_slots;
    kept_slots = old_slots == 0 ? 256 : 2 * old_slots;
    kept = must_alloc(kept_slots, sizeof *kept);
    for (size_t i = 0; i < old_slots; i++)
        if (old[i].hash != 0)
            *slot_of(old[i].hash) = old[i];
    free(old);
}

void files_end(void) {
    for (size_t i = 0; i < kept_slots; i++) {
        free(kept[i].rows.rows);
        free(kept[i].rows.fault);
    }
    free(kept);
    kept = NULL;
    kept_count = kept_slots = 0;
}

/* ---- a file on its way ---- */

/* The columns that are compared. */
enum cell {
    CELL_PARTITION,
    CELL_OFFSET,
    CELL_TIME,
    CELL_PROCESSED,
    CELL_INGESTION,
    CELL_MATCH_ID,
    CELL_STATUS,
    CELL_TOURNAMENT,
    CELL_WINNER,
    CELL_DURATION,
    CELL_MINUTES,
    CELL_COMPLETED,
    CELL_TOPIC,
    CELL_KEY,
    CELL_VALUE,
    CELL_REASON,
    CELLS
};

static const char *const cell_names[CELLS] = {"partition",
                                              "offset",
                                              "kafka_timestamp",
                                              "processing_timestamp",
                                              "ingestion_timestamp",
                                              "match_id",
                                              "status",
                                              "tournament_name",
                                              "winner_id",
                                              "match_duration",
                                              "duration_minutes",
                                              "is_completed",
                                              "topic",
                                              "key",
                                              "value",
                                              "reason"};

struct reading {
    const char *path;
    int columns[CELLS]; // of the file; -1: it has none such
    bool of_rejects;
    struct parquet_reader reader;
    struct parquet_cursor cursor;
    size_t row; // in the vectors
    struct data_rows *rows;
};

/* The first fault counts. */
static bool fault(struct reading *reading, const char *format, ...) PRINTF_LIKE(2, 3);

static bool fault(struct reading *reading, const char *format, ...) {
    va_list args;
    va_start(args, format);
    if (reading->rows->fault == NULL)
        reading->rows->fault = text_format_list(format, args);
    va_end(args);
    return false;
}

/* NULL: the file has no such column, or the row no value in it. */
static const struct vector *value_of(const struct reading *reading, enum cell cell) {
    if (reading->columns[cell] < 0)
        return NULL;
    const struct vector *vector = &reading->cursor.vectors[reading->columns[cell]];
    return vector->valid[reading->row] ? vector : NULL;
}

static struct text text_in(const struct reading *reading, enum cell cell) {
    const struct vector *vector = value_of(reading, cell);
    return vector == NULL ? (struct text){NULL, 0} : vector->texts[reading->row];
}

static int64_t int64_in(const struct reading *reading, enum cell cell, int64_t otherwise) {
    const struct vector *vector = value_of(reading, cell);
    if (vector == NULL)
        return otherwise;
    return vector->type == TYPE_INT32 ? vector->int32s[reading->row] : vector->int64s[reading->row];
}

static struct content_place place_in(const struct reading *reading) {
    return (struct content_place){-1, (int32_t)int64_in(reading, CELL_PARTITION, -1),
                                  int64_in(reading, CELL_OFFSET, -1)};
}

static bool same_text(struct text a, struct text b) {
    return a.bytes == NULL || b.bytes == NULL ? a.bytes == b.bytes : text_equals(a, b);
}

/* Where the row is, and what of it is not right. */
static bool wrong(struct reading *reading, struct content_place place, const char *what) {
    return fault(reading,
                 "the %s for partition %" PRId32 ", offset %" PRId64 ", incarnation %d has another "
                 "%s than its record",
                 reading->of_rejects ? "reject" : "row", place.partition, place.offset,
                 place.incarnation, what);
}

static const int64_t null_number = INT64_MIN;

static int64_t micros_of(int64_t timestamp_ms) {
    bool fits = timestamp_ms <= INT64_MAX / 1000 && timestamp_ms >= INT64_MIN / 1000;
    return fits ? timestamp_ms * 1000 : null_number;
}

/* ---- rows ---- */

/* Of a record that is not a row, match_id is null. */
static struct text match_id_of(const struct content *content) {
    return content->kind == CONTENT_ROW ? content->match_id : (struct text){NULL, 0};
}

/* By its time and its match_id, where the content of its row does not tell: records of two
 * incarnations may be of the same millisecond. */
static bool find_by_time(struct reading *reading, struct content_place *place) {
    struct content_place at = *place;
    int64_t micros = int64_in(reading, CELL_TIME, null_number), of_time = PAST_NONE;
    int incarnation = 0;
    for (int64_t found; (found = past_next(at.partition, at.offset, &incarnation)) != PAST_NONE;) {
        const struct model_record *record = past_at((size_t)found);
        const struct content *content =
            model_broker_content(record->incarnation, at.partition, at.offset);
        if (micros_of(record->timestamp_ms) != micros)
            continue;
        if (of_time == PAST_NONE ||
            same_text(text_in(reading, CELL_MATCH_ID), match_id_of(content)))
            of_time = found;
    }
    if (of_time == PAST_NONE)
        return fault(reading,
                     "a row for partition %" PRId32 ", offset %" PRId64
                     " is of no record of the topic",
                     at.partition, at.offset);
    place->incarnation = past_at((size_t)of_time)->incarnation;
    return true;
}

static bool find_row(struct reading *reading, struct content_place *place) {
    struct content_place told;
    *place = place_in(reading);
    int64_t ingestion = int64_in(reading, CELL_INGESTION, null_number);
    if (ingestion == null_number)
        return find_by_time(reading, place);
    if (!content_place_of(ingestion, &told) || told.partition != place->partition ||
        told.offset != place->offset || past_find(told) == PAST_NONE)
        return fault(reading,
                     "a row for partition %" PRId32 ", offset %" PRId64 " has the content of no "
                     "record at that offset (ingestion_timestamp %" PRId64 ")",
                     place->partition, place->offset, ingestion);
    *place = told;
    return true;
}

static bool check_numbers(struct reading *reading, const struct content *content,
                          struct content_place place) {
    int64_t duration = content->has_duration ? content->duration : null_number;
    int64_t minutes = content->has_duration ? content->duration / 60 : null_number;
    if (int64_in(reading, CELL_DURATION, null_number) != duration)
        return wrong(reading, place, "match_duration");
    if (int64_in(reading, CELL_MINUTES, null_number) != minutes)
        return wrong(reading, place, "duration_minutes");
    const struct vector *completed = value_of(reading, CELL_COMPLETED);
    bool is_finished =
        content->status.bytes != NULL && text_equals(content->status, TEXT("finished"));
    if ((completed == NULL) != (content->status.bytes == NULL) ||
        (completed != NULL && completed->booleans[reading->row] != is_finished))
        return wrong(reading, place, "is_completed");
    return true;
}

/* What the query takes of the record's JSON, and what it computes. */
static bool check_content(struct reading *reading, const struct content *content,
                          struct content_place place) {
    if (!same_text(text_in(reading, CELL_MATCH_ID), match_id_of(content)))
        return wrong(reading, place, "match_id");
    if (reading->columns[CELL_STATUS] >= 0 &&
        !same_text(text_in(reading, CELL_STATUS), content->status))
        return wrong(reading, place, "status");
    if (!same_text(text_in(reading, CELL_TOURNAMENT), content->tournament_name))
        return wrong(reading, place, "tournament_name");
    if (!same_text(text_in(reading, CELL_WINNER), content->winner_id))
        return wrong(reading, place, "winner_id");
    return check_numbers(reading, content, place);
}

/* ---- directories ---- */

enum { NAME_MAX_SIZE = 3 * 300 };

static bool is_escaped(unsigned char c) {
    return c < 0x20 || c == 0x7f || (c < 0x80 && strchr("\"#%'*/:=?[\\]^{", c) != NULL);
}

/* As Spark escapes it. */
static void print_value(struct text value, char name[static NAME_MAX_SIZE]) {
    if (value.bytes == NULL || value.length == 0)
        value = TEXT("__HIVE_DEFAULT_PARTITION__");
    for (size_t i = 0; i < value.length; i++) {
        unsigned char c = (unsigned char)value.bytes[i];
        if (is_escaped(c))
            name += sprintf(name, "%%%02X", c);
        else
            *name++ = (char)c;
    }
    *name = '\0';
}

/* The date of a moment, in UTC: days since 0000-03-01, in eras of 400 years. */
static void print_date(int64_t timestamp_ms, char name[static NAME_MAX_SIZE]) {
    int64_t days = (timestamp_ms - (timestamp_ms < 0 ? 86399999 : 0)) / 86400000 + 719468;
    int64_t era = days / 146097, day = days % 146097;
    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int64_t of_year = day - (365 * year + year / 4 - year / 100), month = (5 * of_year + 2) / 153;
    int64_t first = month < 10;
    (void)sprintf(name, "%04d-%02d-%02d", (int)(year + era * 400 + !first),
                  (int)(first ? month + 3 : month - 9), (int)(of_year - (153 * month + 2) / 5 + 1));
}

/* Whether the row lies in the directory of its values. */
static bool check_directory(struct reading *reading, const struct content *content,
                            int64_t timestamp_ms, struct content_place place) {
    const struct checker_lake *lake = checker_lake();
    const char *at = reading->path + strlen(lake->table) + 1;
    for (size_t i = 0; i < lake->partition_by_count; i++) {
        char name[NAME_MAX_SIZE] = "";
        const char *column = lake->partition_by[i];
        size_t size = strcspn(at, "/"), length = strlen(column);
        bool is_known = true;
        if (strcmp(column, "status") == 0)
            print_value(content->status, name);
        else if (strcmp(column, "ingest_date") == 0)
            print_date(timestamp_ms, name);
        else
            is_known = false;
        if (strncmp(at, column, length) != 0 || at[length] != '=' ||
            (is_known && (strlen(name) != size - length - 1 ||
                          memcmp(name, at + length + 1, size - length - 1) != 0)))
            return wrong(reading, place, column);
        at += size + 1;
    }
    return strchr(at, '/') == NULL || wrong(reading, place, "directory");
}

static bool check_row(struct reading *reading, struct content_place *place) {
    if (!find_row(reading, place))
        return false;
    const struct content *content =
        model_broker_content(place->incarnation, place->partition, place->offset);
    const struct model_record *record = past_at((size_t)past_find(*place));
    if (int64_in(reading, CELL_TIME, null_number) != micros_of(record->timestamp_ms))
        return wrong(reading, *place, "kafka_timestamp");
    // With PARSE_MODE=permissive, what is left of a record that can't be read is the decoder's
    // business.
    if (content->kind == CONTENT_MALFORMED || content->kind == CONTENT_NOT_AN_OBJECT)
        return true;
    return check_content(reading, content, *place) &&
           check_directory(reading, content, record->timestamp_ms, *place);
}

/* ---- rejects ---- */

static bool is_reject_of(const struct reading *reading, const struct model_record *record,
                         const struct content *content) {
    struct text none = {NULL, 0};
    return same_text(text_in(reading, CELL_KEY), content->has_key ? content->key : none) &&
           same_text(text_in(reading, CELL_VALUE), content->has_value ? content->value : none) &&
           int64_in(reading, CELL_TIME, null_number) == micros_of(record->timestamp_ms);
}

static bool check_reject(struct reading *reading, struct content_place *place) {
    *place = place_in(reading);
    int incarnation = 0;
    for (int64_t found;
         (found = past_next(place->partition, place->offset, &incarnation)) != PAST_NONE;) {
        const struct model_record *record = past_at((size_t)found);
        const struct content *content =
            model_broker_content(record->incarnation, record->partition, record->offset);
        if (!is_reject_of(reading, record, content))
            continue;
        place->incarnation = record->incarnation;
        const char *reason = content_reason(content->kind);
        if (reason == NULL || !same_text(text_in(reading, CELL_REASON), text_borrow(reason)))
            return wrong(reading, *place, "reason");
        if (!same_text(text_in(reading, CELL_TOPIC), TEXT(MODEL_TOPIC)))
            return wrong(reading, *place, "topic");
        return true;
    }
    return fault(reading,
                 "the reject for partition %" PRId32 ", offset %" PRId64 " has not the key, value "
                 "and time of any record at that offset",
                 place->partition, place->offset);
}

/* ---- files ---- */

static bool read_rows(struct reading *reading, struct error *err) {
    struct data_rows *rows = reading->rows;
    size_t count, room = (size_t)reading->reader.metadata.rows;
    rows->rows = must_alloc(room + 1, sizeof *rows->rows);
    while (parquet_cursor_next(&reading->cursor, &count, err)) {
        if (count == 0)
            return rows->count == room ||
                   error_set(err, ERROR_STATE, "it has %zu rows, and says %zu", rows->count, room);
        check(rows->count + count <= room);
        for (reading->row = 0; reading->row < count; reading->row++) {
            struct placed *placed = &rows->rows[rows->count++];
            placed->processed_ms = int64_in(reading, CELL_PROCESSED, 0) / 1000;
            if (!(reading->of_rejects ? check_reject(reading, &placed->place)
                                      : check_row(reading, &placed->place)))
                placed->place.incarnation = -1; // of no record
        }
    }
    return false;
}

static bool read_file(struct reading *reading, const void *bytes, size_t size, struct error *err) {
    if (!parquet_reader_open_memory(&reading->reader, bytes, size, err))
        return false;
    for (size_t i = 0; i < CELLS; i++)
        reading->columns[i] = file_metadata_find(&reading->reader.metadata, cell_names[i]);
    size_t columns[SCHEMA_COLUMNS_MAX], count = reading->reader.metadata.column_count;
    check(count <= SCHEMA_COLUMNS_MAX);
    for (size_t i = 0; i < count; i++)
        columns[i] = i;
    parquet_cursor_open(&reading->cursor, &reading->reader, columns, count);
    bool read = read_rows(reading, err);
    parquet_cursor_close(&reading->cursor);
    return read;
}

static struct data_rows read_new(const char *path, const void *bytes, size_t size,
                                 bool of_rejects) {
    struct data_rows rows = {0};
    struct reading reading = {.path = path, .of_rejects = of_rejects, .rows = &rows};
    struct error err = {0};
    if (!read_file(&reading, bytes, size, &err))
        (void)fault(&reading, "it is not a complete Parquet file of %zu bytes: %s", size,
                    err.message);
    parquet_reader_close(&reading.reader);
    return rows;
}

const struct data_rows *files_read(const char *path, bool of_rejects, size_t *size) {
    const void *bytes = model_disk_bytes(path, size);
    if (bytes == NULL)
        return NULL;
    uint64_t hash = bytes_hash(bytes, *size) ^ bytes_hash(path, strlen(path));
    hash += hash == 0;
    if (2 * (kept_count + 1) > kept_slots)
        grow();
    struct kept_file *slot = slot_of(hash);
    if (slot->hash == 0) {
        kept_count++;
        *slot = (struct kept_file){hash, read_new(path, bytes, *size, of_rejects)};
    }
    return &slot->rows;
}
