/* shape.h: what the JSON values at one place of many records have in common: how often each kind of
 * value came, the range of its numbers, the keys of its objects, some values.
 *
 * Memory is bounded, no matter what the records hold: by SHAPES_MAX shapes and
 * SHAPE_KEYS_BYTES_MAX bytes of keys, each with a few values, and the values of
 * SHAPE_DISTINCT_SHAPES of them. */
#ifndef SURFACES_INFER_SHAPE_H
#define SURFACES_INFER_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/pool.h"

enum {
    SHAPES_MAX = 5000,
    SHAPE_FIELDS_MAX = 990,        // of an object: a STRUCT has at most 1,000 (SQL_COLUMNS_MAX)
    SHAPE_KEY_MAX = 256,           // bytes; members with longer keys are left out
    SHAPE_KEYS_BYTES_MAX = 200000, // of all keys together
    SHAPE_DEPTH_MAX = 32,          // what is nested deeper is kept as text
    SHAPE_SAMPLES_MAX = 3,
    SHAPE_SAMPLE_BYTES_MAX = 40,
    SHAPE_DISTINCT_MAX = 1024, // values of one shape
    SHAPE_DISTINCT_SHAPES = 1000,
    SHAPE_MAP_KEYS = 50, // an object with more keys can be a MAP (shape.c)
    SHAPE_BUCKETS = 16384,
};

enum shape_kind {
    SHAPE_BOOLEAN,
    SHAPE_NUMBER,
    SHAPE_TEXT,
    SHAPE_OBJECT,
    SHAPE_ARRAY,
    SHAPE_KINDS,
};

/* A set of the hashes of values. */
struct shape_distinct {
    int64_t noted; // values, until it was full
    size_t count;
    uint64_t slots[2 * SHAPE_DISTINCT_MAX]; // 0: free
};

struct shape_field;

/* All zero: nothing came. */
struct shape {
    int64_t counts[SHAPE_KINDS], nulls;
    int64_t least, most;   // of whole numbers within int64 that are not 0; both 0: none came
    bool has_zero;         // the whole number
    bool has_fraction;     // a number that is not a whole one, or one of more than 38 digits
    bool beyond_int64;     // a whole number
    bool has_other_text;   // a text that is neither a date nor a moment
    bool has_date;         // a text "2024-06-01"
    bool has_moment;       // a text "2024-06-01T12:00:00Z"
    bool has_local_moment; // one that names no time zone
    bool has_empty_text;   // which is one of the other texts
    bool is_too_deep;      // objects or arrays in it were not looked at
    bool is_map;           // its objects have one type of member, `element`, and any keys
    int64_t left_out;      // members that were not looked at
    const char *samples[SHAPE_SAMPLES_MAX];             // the first different values, as JSON, cut
    struct shape_distinct *distinct;                    // NULL: not noted
    struct shape_field *fields, *last_field, *expected; // of objects, chained
    size_t field_count;
    struct shape *element; // of arrays and maps; NULL: none came
};

struct shape_field {
    const char *key; // terminated, well-formed UTF-8
    uint32_t key_length;
    bool is_hidden; // another field differs only in case (shapes_finish())
    const struct shape *object;
    struct shape shape;
    struct shape_field *next, *next_in_bucket;
};

/* What was read; too large for a stack. */
struct shapes {
    struct pool pool;  // owned
    struct shape root; // of the objects that records are
    size_t count, distinct_count, key_bytes;
    struct shape_field *buckets[SHAPE_BUCKETS];
    int64_t objects, not_json, not_objects, nulls, blanks; // records
};

void shapes_init(struct shapes *shapes);
void shapes_deinit(struct shapes *shapes);

/* Adds one record; NULL: a null value. */
void shapes_add(struct shapes *shapes, const char *value, size_t size);

/* Once all records are added: decides which objects are maps, and which fields are hidden. */
void shapes_finish(struct shapes *shapes);

/* How many values there were, null too. */
int64_t shape_total(const struct shape *shape);

/* Different values, if each was noted; -1: unknown. */
int64_t shape_distinct_count(const struct shape *shape);

#endif
