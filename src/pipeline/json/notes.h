/* notes.h: what is seen in the record under way. It only counts (core/decoder.h) once it is known
 * what the record becomes. */
#ifndef PIPELINE_JSON_NOTES_H
#define PIPELINE_JSON_NOTES_H

#include <string.h>

#include "core/decoder.h"
#include "pipeline/json/reader.h"

/* Of one record: how many of its unknown keys are counted by name. */
enum { NAMED_KEYS_MAX = 16 };

/* The first column that was unreadable as a whole of those that make a record a reject by that. */
struct json_unreadable {
    bool is_set;
    size_t column;
    size_t position; // byte offset
    char detail[REJECT_DETAIL_SIZE];
};

struct json_notes {
    int64_t unknown_keys;
    uint8_t named_keys[NAMED_KEYS_MAX]; // those of them that have a name in the counts
    size_t named_count;
    bool has_trailing_bytes;
    bool has_faults;
    size_t column_count; // of the schema's record columns
    int64_t faults[SCHEMA_COLUMNS_MAX];
    bool identifier_seen;
    size_t identifier_at;           // byte offset of its last value
    const char *identifier_problem; // NULL: none
    const char *first_problem;      // the first after which Spark continued; NULL: none
    size_t first_problem_at;
    struct json_unreadable unreadable;
};

static inline void json_notes_clear(struct json_notes *notes) {
    notes->unknown_keys = 0;
    notes->named_count = 0;
    notes->identifier_seen = false;
    notes->identifier_at = 0;
    notes->identifier_problem = NULL;
    notes->first_problem = NULL;
    notes->unreadable.is_set = false;
    if (notes->has_faults)
        memset(notes->faults, 0, notes->column_count * sizeof notes->faults[0]);
    notes->has_faults = false;
}

/* The column has lost a value that the record has for it, or a part of it. */
static inline void json_note_fault(struct json_notes *notes, size_t column) {
    notes->has_faults = true;
    notes->faults[column]++;
}

/* The current key is unknown; `object` is the path of the object that it is in, "" for the root. */
void json_note_unknown_key(struct json_notes *notes, struct unknown_keys *names,
                           const struct json_reader *reader, const char *object);

/* The reader has stopped at something that is not JSON, if its problem is set. */
static inline void json_note_problem(struct json_notes *notes, const struct json_lexer *lexer) {
    if (lexer->problem == NULL || notes->first_problem != NULL)
        return;
    notes->first_problem = lexer->problem;
    notes->first_problem_at = lexer->problem_at;
}

/* Adds what was seen to the counts, `times` times: 1, or -1 to take it back. */
static inline void json_notes_count_keys(const struct json_notes *notes,
                                         struct decode_counts *counts, int64_t times) {
    counts->unknown_keys += times * notes->unknown_keys;
    for (size_t i = 0; i < notes->named_count; i++)
        counts->unknown_names.names[notes->named_keys[i]].count += times;
}

static inline void json_notes_count_values(const struct json_notes *notes,
                                           struct decode_counts *counts, int64_t times) {
    counts->trailing_bytes += times * notes->has_trailing_bytes;
    if (!notes->has_faults)
        return;
    for (size_t i = 0; i < notes->column_count; i++)
        counts->field_faults[i] += times * notes->faults[i];
}

#endif
