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
#include "core/nested.h"
#include "core/timestamp.h"
#include "pipeline/json/members.h"
#include "pipeline/json/objects.h"
#include "pipeline/json/reader.h"

struct json_decoder {
    struct decoder base;
    const struct record_schema *schema;
    enum parse_mode mode;
    struct timestamp_context context;
    struct json_reader reader;
    struct json_keys keys;
    struct json_members members;

    struct json_objects objects;
    size_t *nested; // owned; the columns that are arrays or maps
    size_t nested_count;
    const struct rows *last_rows; // where the last record was written
    size_t last_row;

    struct json_notes notes; // of the record under way
    bool is_counted;         // the record, in `counts`
};

/* What the record as a whole was. */
enum root_kind { ROOT_OBJECT, ROOT_OTHER_VALUE, ROOT_MALFORMED, ROOT_FULL };

static void clear_row(const struct json_decoder *decoder, struct rows *rows) {
    size_t row = rows->count;
    for (struct vector *vector = rows->inputs, *end = vector + decoder->schema->count; vector < end;
         vector++)
        vector->valid[row] = 0;
}

static void take_back_elements(const struct json_decoder *decoder, struct rows *rows) {
    for (size_t i = 0; i < decoder->nested_count; i++)
        nested_rewind(&rows->inputs[decoder->nested[i]]);
}

/* The row's arrays and maps take elements after this. Those of the row before are given back if
 * that row was not counted. */
static void mark_elements(struct json_decoder *decoder, struct rows *rows) {
    if (rows == decoder->last_rows && rows->count == decoder->last_row)
        take_back_elements(decoder, rows);
    decoder->last_rows = rows;
    decoder->last_row = rows->count;
    for (size_t i = 0; i < decoder->nested_count; i++)
        nested_mark(&rows->inputs[decoder->nested[i]]);
}

/* One member whose key is a column's or its object's. False: the room is too small. */
static bool decode_member(struct json_decoder *decoder, size_t column, struct rows *rows) {
    struct json_record record = {.reader = &decoder->reader,
                                 .context = &decoder->context,
                                 .rows = rows,
                                 .notes = &decoder->notes,
                                 .unknown_names = &decoder->base.counts.unknown_names};
    return json_read_member(&decoder->objects, &record, column);
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
        decoder->notes.identifier_seen = true;
        decoder->notes.identifier_at = progress.identifier_at;
        decoder->notes.identifier_problem = NULL;
    }
    return progress.previous;
}

/* Passes members of the root whose keys belong to no column, as long as they are in the usual form.
 * Whether there were any. */
static bool pass_unknown_members(struct json_decoder *decoder) {
    struct json_reader *reader = &decoder->reader;
    bool passed = false;
    while (reader->depth == JSON_ROOT_LEVEL) {
        const char *value = json_peek_member(reader);
        if (value == NULL ||
            json_keys_find_plain(&decoder->keys, reader->key, reader->lexer.end) >= 0 ||
            !json_pass_member(reader, value))
            break;
        json_note_unknown_key(&decoder->notes, &decoder->base.counts.unknown_names, reader, "");
        passed = true;
    }
    return passed;
}

/* The members of the root object. Where Spark, after an error inside a value, continues at a deeper
 * level, it takes that level's members for the root's and its end for the root's end: so do we. */
static enum root_kind decode_members(struct json_decoder *decoder, struct rows *rows) {
    struct json_reader *reader = &decoder->reader;
    int previous = decode_usual_members(decoder, rows, -1);
    if (json_reader_close_root(reader))
        return ROOT_OBJECT;
    for (;;) {
        if (pass_unknown_members(decoder)) {
            if (is_between_members(reader, previous))
                previous = decode_usual_members(decoder, rows, previous);
            if (json_reader_close_root(reader))
                return ROOT_OBJECT;
            continue;
        }
        if (!json_next(reader))
            return ROOT_MALFORMED;
        if (reader->token == JSON_OBJECT_END || reader->token == JSON_NONE)
            return ROOT_OBJECT;

        if (reader->token == JSON_KEY) {
            int column = json_keys_find(&decoder->keys, reader->key);
            if (column < 0)
                json_note_unknown_key(&decoder->notes, &decoder->base.counts.unknown_names, reader,
                                      "");
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

static void uncount_row(struct decoder *base, bool is_reject) {
    struct json_decoder *decoder = (struct json_decoder *)base;
    if (!decoder->is_counted)
        return;
    json_notes_count_values(&decoder->notes, &base->counts, -1);
    if (!is_reject)
        json_notes_count_keys(&decoder->notes, &base->counts, -1);
    decoder->is_counted = false;
}

static enum decode_result reject_with(struct reject *reject, enum reject_reason reason,
                                      size_t position, const char *detail) {
    *reject = (struct reject){.reason = reason, .position = position};
    (void)snprintf(reject->detail, sizeof reject->detail, "%s", detail);
    return DECODE_REJECT;
}

/* Without an identifier that can be read it has perhaps the key. */
static void count_rejected_object(struct json_decoder *decoder, const struct rows *rows) {
    json_notes_count_keys(&decoder->notes, &decoder->base.counts, 1);
    decode_counts_note_reject(&decoder->base.counts, rows);
    if (decoder->schema->has_identifier && !rows->inputs[0].valid[rows->count])
        decoder->base.counts.rejected_values[0] += decoder->notes.identifier_seen;
}

static enum decode_result reject_identifier(const struct json_decoder *decoder,
                                            struct reject *reject) {
    const char *name = decoder->schema->columns[0].name;
    *reject =
        (struct reject){.reason = REJECT_NULL_IDENTIFIER, .position = decoder->notes.identifier_at};
    if (!decoder->notes.identifier_seen) {
        reject->reason = REJECT_MISSING_IDENTIFIER;
        (void)snprintf(reject->detail, sizeof reject->detail, "the object has no key '%s'", name);
    } else if (decoder->notes.identifier_problem != NULL) {
        (void)snprintf(reject->detail, sizeof reject->detail, "'%s' cannot be read: %s", name,
                       decoder->notes.identifier_problem);
    } else {
        (void)snprintf(reject->detail, sizeof reject->detail, "'%s' is null", name);
    }
    return DECODE_REJECT;
}

static enum decode_result reject_unreadable(const struct json_decoder *decoder, int column,
                                            struct reject *reject) {
    const struct json_unreadable *unreadable = &decoder->notes.unreadable;
    char detail[REJECT_DETAIL_SIZE];
    (void)snprintf(detail, sizeof detail, "'%s' cannot be read",
                   decoder->schema->columns[column].name);
    if (unreadable->column != (size_t)column)
        return reject_with(reject, REJECT_BAD_FIELD, 0, detail);
    return reject_with(reject, REJECT_BAD_FIELD, unreadable->position, unreadable->detail);
}

/* What makes an object a reject, or DECODE_ROW. */
static enum decode_result judge_object(const struct json_decoder *decoder, const struct rows *rows,
                                       struct reject *reject) {
    if (decoder->mode == PARSE_PERMISSIVE)
        return DECODE_ROW;
    if (decoder->schema->has_identifier && !rows->inputs[0].valid[rows->count])
        return reject_identifier(decoder, reject);
    int column = json_find_unreadable(&decoder->objects, rows);
    return column < 0 ? DECODE_ROW : reject_unreadable(decoder, column, reject);
}

static enum decode_result reject_root(const struct json_decoder *decoder, enum root_kind root,
                                      struct reject *reject) {
    const struct json_reader *reader = &decoder->reader;
    if (root == ROOT_MALFORMED && decoder->notes.first_problem != NULL)
        return reject_with(reject, REJECT_MALFORMED, decoder->notes.first_problem_at,
                           decoder->notes.first_problem);
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
    decoder->reader.skips_usual = !decoder->members.is_off;
    json_members_open(&decoder->members, record->value, record->value_size);
    json_notes_clear(&decoder->notes);
    json_objects_clear(&decoder->objects);
    clear_row(decoder, rows);
    mark_elements(decoder, rows);
    enum root_kind root = decode_root(decoder, rows);

    if (root == ROOT_OBJECT) {
        if (judge_object(decoder, rows, reject) == DECODE_REJECT) {
            count_rejected_object(decoder, rows);
            arena_rewind(&rows->strings, used);
            take_back_elements(decoder, rows);
            return DECODE_REJECT;
        }
        const struct json_reader *reader = &decoder->reader;
        decoder->notes.has_trailing_bytes =
            skip_blanks(reader->lexer.at, reader->lexer.end) < reader->lexer.end;
        decoder->is_counted = true;
        json_notes_count_keys(&decoder->notes, &base->counts, 1);
        json_notes_count_values(&decoder->notes, &base->counts, 1);
        return DECODE_ROW;
    }
    arena_rewind(&rows->strings, used);
    take_back_elements(decoder, rows);
    if (root == ROOT_FULL)
        return DECODE_FULL;
    if (decoder->mode != PARSE_PERMISSIVE)
        return reject_root(decoder, root, reject);
    clear_row(decoder, rows);
    return DECODE_ROW;
}

static void close_decoder(struct decoder *base) {
    struct json_decoder *decoder = (struct json_decoder *)base;
    json_objects_deinit(&decoder->objects);
    json_members_deinit(&decoder->members);
    json_keys_deinit(&decoder->keys);
    free(decoder->nested);
    free(decoder);
}

static const struct decoder_ops json_ops = {decode, uncount_row, close_decoder};

bool decode_json_open(struct decoder **decoder, const struct record_schema *schema,
                      enum parse_mode mode, const char *zone_name, struct error *err) {
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
    opened->notes.column_count = schema->count;
    json_keys_init(&opened->keys, schema);
    json_objects_init(&opened->objects, schema);
    opened->nested = must_alloc(schema->count, sizeof *opened->nested);
    for (size_t i = 0; i < schema->count; i++)
        if (schema->columns[i].nested != NULL)
            opened->nested[opened->nested_count++] = i;
    *decoder = &opened->base;
    decode_json_set_path(*decoder, DECODE_FASTEST);
    return true;
}

void decode_json_set_path(struct decoder *decoder, enum decode_path path) {
    struct json_decoder *json = (struct json_decoder *)decoder;
    check(decoder->ops == &json_ops);
    json_members_deinit(&json->members);
    json_members_init(&json->members, &json->keys, path == DECODE_FASTEST);
    json->members.is_off = path == DECODE_GENERAL;
}

bool decode_json_set_kernel(struct decoder *decoder, size_t kernel) {
    struct json_decoder *json = (struct json_decoder *)decoder;
    if (!json_stops_kernels[kernel].is_supported())
        return false;
    decode_json_set_path(decoder, DECODE_FASTEST);
    json_members_set_kernel(&json->members, kernel);
    return true;
}
