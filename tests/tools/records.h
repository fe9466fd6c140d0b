/* records.h: made-up matches and players, as a producer would send them.
 *
 * A record depends only on (options, number): the same number is always the same bytes. */
#ifndef TOOLS_RECORDS_H
#define TOOLS_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RECORD_SIZE_MAX = 8192, RECORD_KEY_SIZE = 64 };

enum spoil_kind {
    SPOIL_TRUNCATED,
    SPOIL_TEXT,
    SPOIL_WRONG_TYPE, // still a good record: one field is null in its row
    SPOIL_EMPTY,
    SPOIL_ARRAY,
    SPOIL_NULL,
    SPOIL_NO_BRACE,
    SPOIL_NUMBER,
    SPOIL_KIND_COUNT,
};

extern const char *const spoil_kind_names[SPOIL_KIND_COUNT];

struct record_options {
    bool match;        // else: player
    bool python_style; // ", " and ": ", non-ASCII as \uXXXX, as Python's json.dumps writes
    double spoiled;    // percent of the records that are malformed, in one of the ways above
    uint64_t seed;
};

struct made_record {
    char value[RECORD_SIZE_MAX];
    size_t size;
    char key[RECORD_KEY_SIZE]; // the identifier
    size_t key_size;
    int spoiled; // an enum spoil_kind; -1: a good record
};

/* Without a time the record carries one that follows from its number. */
void make_record(const struct record_options *options, uint64_t number, int64_t ingested_ms,
                 struct made_record *record);

enum { INGESTED_BY_NUMBER = -1 };

#endif
