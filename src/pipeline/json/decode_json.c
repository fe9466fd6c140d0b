/* A record is read the usual way (members.h) as far as it is in the usual form, and the general
 * way (reader.h, column.h) from the first member on that is not. Behind that member the usual way
 * is used again.
 *
 * What is seen in a record is kept apart until it has become a row or a rejected object, and is
 * only then added to the counts; decoder_uncount_row() takes it back once more. What must stay
 * true: both ways give the same row, the same reject and the same counts, and after an error inside
 * a record we continue where Spark continues. */
#include "pipeline/json/decode_json.h"

#include <stdio.h>

#include "base/check.h"
#include "core/timestamp.h"
#include "pipeline/json/column.h"
#include "pipeline/json/members.h"
#include "pipeline/json/reader.h"

/* Of one record: how many of its unknown keys are counted by name. */
enum { NAMED_KEYS_MAX = 16 };

struct json_decoder {
    struct decoder base;
    const struct schema *schema;
    enum parse_mode mode;
    struct timestamp_context context;
    struct json_reader reader;
    struct json_keys keys;
    struct json_members members;

    // Of the record under way; they only count once it is known what it becomes.
    int64_t unknown_keys;
    uint8_t named_keys[NAMED_KEYS_MAX]; // those of them that have a name in `counts`
    size_t named_count;
    bool has_trailing_bytes;
    bool is_counted; // the record, in `counts`
    bool has_faults;
    int64_t faults[SCHEMA_COLUMNS_MAX];
    bool identifier_seen;
    size_t identifier_at;           // byte offset of its last value
    const char *identifier_problem; // NULL: none
    const char *first_problem;      // the first after which Spark continued; NULL: none
    size_t first_problem_at;
};

/* What the record as a whole was. */
enum root_kind { ROOT_OBJECT, ROOT_OTHER_VALUE, ROOT_MALFORMED, ROOT_FULL };

static void clear_row(const struct json_decoder *decoder, struct rows *rows) {
    size_t row = rows->count;
    for (struct vector *vector = rows->columns, *end = vector + decoder->schema->record_count;
         vector < end; vector++)
        vector->valid[row] = 0;
}

static void clear_record(struct json_decoder *decoder) {
    decoder->unknown_keys = 0;
    decoder->named_count = 0;
    decoder->identifier_seen = false;
    decoder->identifier_at = 0;
    decoder->identifier_problem = NULL;
    decoder->first_problem = NULL;
    if (decoder->has_faults)
        memset(decoder->faults, 0, sizeof decoder->faults);
    decoder->has_faults = false;
}

static void note_fault(struct json_decoder *decoder, size_t column) {
    decoder->has_faults = true;
    decoder->faults[column]++;
}

static void note_unknown_key(struct json_decoder *decoder) {
    decoder->unknown_keys++;
    if (decoder->named_count == NAMED_KEYS_MAX)
        return;
    char name[UNKNOWN_NAME_MAX];
    struct json_output output = {name, name + sizeof name, false};
    struct json_raw key = decoder->reader.key;
    if (key.plain && key.size > sizeof name)
        key.size = sizeof name; // the beginning of a long name is better than none
    json_output_text(&output, key);
    int index = unknown_keys_find(&decoder->base.counts.unknown_names,
                                  (struct text){name, (uint32_t)(output.at - name)});
    if (index >= 0)
        decoder->named_keys[decoder->named_count++] = (uint8_t)index;
}

/* Where the value of the current key starts: its first token has been read already. */
static size_t value_position(const struct json_reader *reader) {
    bool only_opened =
        reader->string_is_unread || reader->pending == JSON_OBJECT || reader->pending == JSON_ARRAY;
    return (size_t)((only_opened ? reader->lexer.at - 1 : reader->lexer.value.bytes) -
                    reader->lexer.start);
}

/* One member whose key is a column's. False: the room is too small. */
static bool decode_member(struct json_decoder *decoder, size_t column, struct rows *rows) {
    struct json_reader *reader = &decoder->reader;
    reader->lexer.problem = NULL;
    if (column == 0)
        decoder->identifier_at = value_position(reader);
    enum json_column_result result = json_read_column(
        reader, &decoder->context, &rows->columns[column], rows->count, &rows->strings);
    if (result == JSON_COLUMN_FULL)
        return false;
    if (result == JSON_COLUMN_FAULT)
        note_fault(decoder, column);
    if (reader->lexer.problem != NULL && decoder->first_problem == NULL) {
        decoder->first_problem = reader->lexer.problem;
        decoder->first_problem_at = reader->lexer.problem_at;
    }
    if (column == 0) {
        decoder->identifier_seen = true;
        decoder->identifier_problem = reader->lexer.problem;
    }
    return true;
}

/* Whether the reader is at a place where the root's own next member may start, and, if `previous`
 * is not a column, where no member came before. */
static bool is_between_members(const struct json_reader *reader, int previous) {
    bool is_first = reader->token == JSON_OBJECT;
    return reader->depth == 1 && reader->token != JSON_KEY && !reader->string_is_unread &&
           is_first == (previous < 0);
}

/* As many members as come in the usual form: nearly always all of them. The last column that came.
 */
static int decode_usual_members(struct json_decoder *decoder, struct rows *rows, int previous) {
    struct json_reader *reader = &decoder->reader;
    size_t from = (size_t)(reader->lexer.at - reader->lexer.start);
    struct json_progress progress = {.at = from, .previous = previous};
    json_members_read(&decoder->members, &decoder->context, rows, &progress);
    if (progress.at > from)
        json_reader_pass(reader, reader->lexer.start + progress.at);
    if (progress.identifier_is_null) {
        decoder->identifier_seen = true;
        decoder->identifier_at = progress.identifier_at;
        decoder->identifier_problem = NULL;
    }
    return progress.previous;
}

/* The members of the root object. Where Spark, after an error inside a value, continues at a deeper
 * level, it takes that level's members for the root's and its end for the root's end: so do we. */
static enum root_kind decode_members(struct json_decoder *decoder, struct rows *rows) {
    struct json_reader *reader = &decoder->reader;
    int previous = decode_usual_members(decoder, rows, -1);
    if (json_reader_close_root(reader))
        return ROOT_OBJECT;
    for (;;) {
        if (!json_next(reader))
            return ROOT_MALFORMED;
        if (reader->token == JSON_OBJECT_END || reader->token == JSON_NONE)
            return ROOT_OBJECT;

        if (reader->token == JSON_KEY) {
            int column = json_keys_find(&decoder->keys, reader->key);
            if (column < 0)
                note_unknown_key(decoder);
            else if (!decode_member(decoder, (size_t)column, rows))
                return ROOT_FULL;
            previous = column < 0 ? previous : column;
        }
        if (!json_skip_children(reader))
            return ROOT_MALFORMED;
        if (is_between_members(reader, previous))
            previous = decode_usual_members(decoder, rows, previous);
    }
}

static const char *skip_blanks(const char *at, const char *end) {
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
        at++;
    return at;
}

static enum root_kind decode_root(struct json_decoder *decoder, struct rows *rows) {
    struct json_reader *reader = &decoder->reader;
    if (json_reader_open_root(reader))
        return decode_members(decoder, rows);
    if (!json_next(reader))
        return ROOT_MALFORMED;
    if (reader->token == JSON_OBJECT)
        return decode_members(decoder, rows);
    return json_read_string(reader) ? ROOT_OTHER_VALUE : ROOT_MALFORMED;
}

static const char *value_name(enum json_token token) {
    switch (token) {
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
    case JSON_FLOAT:
    case JSON_NOT_FINITE:
        return "a number";
    case JSON_NULL:
        return "null";
    default:
        return "true or false";
    }
}

/* Adds what was seen in the record to the counts, `times` times: 1, or -1 to take it back. */
static void count_keys(struct json_decoder *decoder, int64_t times) {
    struct decode_counts *counts = &decoder->base.counts;
    counts->unknown_keys += times * decoder->unknown_keys;
    for (size_t i = 0; i < decoder->named_count; i++)
        counts->unknown_names.names[decoder->named_keys[i]].count += times;
}

static void count_values(struct json_decoder *decoder, int64_t times) {
    struct decode_counts *counts = &decoder->base.counts;
    counts->trailing_bytes += times * decoder->has_trailing_bytes;
    if (!decoder->has_faults)
        return;
    for (size_t i = 0; i < decoder->schema->record_count; i++)
        counts->field_faults[i] += times * decoder->faults[i];
}

static void uncount_row(struct decoder *base, bool is_reject) {
    struct json_decoder *decoder = (struct json_decoder *)base;
    if (!decoder->is_counted)
        return;
    count_values(decoder, -1);
    if (!is_reject)
        count_keys(decoder, -1);
    decoder->is_counted = false;
}

static enum decode_result reject_with(struct reject *reject, enum reject_reason reason,
                                      size_t position, const char *detail) {
    *reject = (struct reject){.reason = reason, .position = position};
    (void)snprintf(reject->detail, sizeof reject->detail, "%s", detail);
    return DECODE_REJECT;
}

/* It has no identifier that can be read, though perhaps the key. */
static void count_rejected_object(struct json_decoder *decoder, const struct rows *rows) {
    count_keys(decoder, 1);
    decode_counts_note_reject(&decoder->base.counts, rows);
    decoder->base.counts.rejected_values[0] += decoder->identifier_seen;
}

static enum decode_result reject_identifier(const struct json_decoder *decoder,
                                            struct reject *reject) {
    const char *name = decoder->schema->columns[0].name;
    *reject = (struct reject){.reason = REJECT_NULL_IDENTIFIER, .position = decoder->identifier_at};
    if (!decoder->identifier_seen) {
        reject->reason = REJECT_MISSING_IDENTIFIER;
        (void)snprintf(reject->detail, sizeof reject->detail, "the object has no key '%s'", name);
    } else if (decoder->identifier_problem != NULL) {
        (void)snprintf(reject->detail, sizeof reject->detail, "'%s' cannot be read: %s", name,
                       decoder->identifier_problem);
    } else {
        (void)snprintf(reject->detail, sizeof reject->detail, "'%s' is null", name);
    }
    return DECODE_REJECT;
}

static enum decode_result reject_root(const struct json_decoder *decoder, enum root_kind root,
                                      struct reject *reject) {
    const struct json_reader *reader = &decoder->reader;
    if (root == ROOT_MALFORMED && decoder->first_problem != NULL)
        return reject_with(reject, REJECT_MALFORMED, decoder->first_problem_at,
                           decoder->first_problem);
    if (root == ROOT_MALFORMED)
        return reject_with(reject, REJECT_MALFORMED, reader->lexer.problem_at,
                           reader->lexer.problem);
    const char *at = skip_blanks(reader->lexer.start, reader->lexer.end);
    *reject = (struct reject){.reason = REJECT_NOT_AN_OBJECT,
                              .position = (size_t)(at - reader->lexer.start)};
    (void)snprintf(reject->detail, sizeof reject->detail, "expected an object, not %s",
                   value_name(reader->token));
    return DECODE_REJECT;
}

static enum decode_result decode(struct decoder *base, const struct record *record,
                                 struct rows *rows, struct reject *reject) {
    struct json_decoder *decoder = (struct json_decoder *)base;
    if (record->value == NULL)
        return reject_with(reject, REJECT_NULL_VALUE, 0, "the record has no value");
    const char *end = record->value + record->value_size;
    if (skip_blanks(record->value, end) == end)
        return reject_with(reject, REJECT_BLANK_VALUE, 0, "the value is empty or blank");

    size_t used = rows->strings.used;
    decoder->is_counted = false;
    decoder->context.now_ms = base->batch_time_ms;
    json_reader_init(&decoder->reader, record->value, record->value_size);
    json_members_open(&decoder->members, record->value, record->value_size);
    clear_record(decoder);
    clear_row(decoder, rows);
    enum root_kind root = decode_root(decoder, rows);

    if (root == ROOT_OBJECT) {
        if (decoder->mode != PARSE_PERMISSIVE && rows->columns[0].valid[rows->count] == 0) {
            count_rejected_object(decoder, rows);
            arena_rewind(&rows->strings, used);
            return reject_identifier(decoder, reject);
        }
        const struct json_reader *reader = &decoder->reader;
        decoder->has_trailing_bytes =
            skip_blanks(reader->lexer.at, reader->lexer.end) < reader->lexer.end;
        decoder->is_counted = true;
        count_keys(decoder, 1);
        count_values(decoder, 1);
        return DECODE_ROW;
    }
    arena_rewind(&rows->strings, used);
    if (root == ROOT_FULL)
        return DECODE_FULL;
    if (decoder->mode != PARSE_PERMISSIVE)
        return reject_root(decoder, root, reject);
    clear_row(decoder, rows);
    return DECODE_ROW;
}

static void close_decoder(struct decoder *base) {
    free(base);
}

static const struct decoder_ops json_ops = {decode, uncount_row, close_decoder};

bool decode_json_open(struct decoder **decoder, const struct schema *schema, enum parse_mode mode,
                      const char *zone_name, struct error *err) {
    struct zone zone;
    if (!zone_find(text_borrow(zone_name), &zone))
        return error_set(err, ERROR_CONFIG,
                         "unknown time zone '%s': use an IANA name that is in /usr/share/zoneinfo "
                         "(package tzdata) or an offset such as +02:00",
                         zone_name);
    struct json_decoder *opened = must_alloc(1, sizeof *opened);
    opened->base.ops = &json_ops;
    opened->schema = schema;
    opened->mode = mode;
    opened->context.zone = zone;
    json_keys_init(&opened->keys, schema);
    *decoder = &opened->base;
    decode_json_set_path(*decoder, DECODE_FASTEST);
    return true;
}

void decode_json_set_path(struct decoder *decoder, enum decode_path path) {
    struct json_decoder *json = (struct json_decoder *)decoder;
    check(decoder->ops == &json_ops);
    json_members_init(&json->members, &json->keys, path == DECODE_FASTEST);
    json->members.is_off = path == DECODE_GENERAL;
}
