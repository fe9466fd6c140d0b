/* members.h: the members of a record's root object, in the form that nearly all have.
 *
 * What is not in the usual form is left to reader.h and column.h, which know all forms and all
 * errors. After their member this can continue. */
#ifndef PIPELINE_JSON_MEMBERS_H
#define PIPELINE_JSON_MEMBERS_H

#include "core/rows.h"
#include "core/schema.h"
#include "core/timestamp.h"
#include "pipeline/json/fields.h"
#include "pipeline/json/stops.h"
#include "pipeline/json/text.h"
#include "pipeline/json/words.h"

struct json_key_name {
    struct text name;
    struct json_prefix head; // its first bytes; the quote behind it, too, if that fits in
};

/* The keys of the root object. One that objects.h reads goes by its first column. */
struct json_keys {
    size_t count;                // of columns
    uint16_t *slots;             // owned; open addressing: index + 1; 0: empty
    unsigned slot_shift;         // 64 - log2(their number)
    bool *is_tree;               // owned; by column: for objects.h
    struct json_key_name *names; // owned; by column
};

/* `schema` is borrowed. */
void json_keys_init(struct json_keys *keys, const struct record_schema *schema);
void json_keys_deinit(struct json_keys *keys);

/* The column that the key names or its object goes by, or -1. */
int json_keys_find(const struct json_keys *keys, struct json_raw key);

/* The same for a plain key between two quotes, in a record that ends at `end`. */
int json_keys_find_plain(const struct json_keys *keys, struct json_raw key, const char *end);

/* A key as it was, with all bytes between the previous value and its own. */
struct json_prediction {
    struct json_prefix pattern;
    uint8_t size;                 // of the pattern
    uint16_t column;              // that the key names
    uint8_t confidence;           // falls with each miss; at 0 another key is learned
    struct json_prediction *next; // what is predicted behind that column
};

/* What came of reading on. */
struct json_progress {
    size_t at;    // byte offset: where to continue; after the value of the last member read
    int previous; // the column of that member; -1: none yet
    bool identifier_is_null;
    size_t identifier_at; // then the byte offset of that null
};

struct json_members {
    const struct json_keys *keys;        // borrowed
    struct json_prediction *predictions; // owned; behind column i - 1; 0: the first
    bool is_off;                         // everything is left to reader.h
    bool has_record;
    bool has_avx2;
    unsigned scattered;   // records that are still read as if their keys came in no order
    const uint16_t *stop; // no stop before it is needed again
    struct json_stops stops;
};

/* `fastest`: with the best instructions that this machine has, else with those that every one has.
 */
void json_members_init(struct json_members *members, const struct json_keys *keys, bool fastest);
void json_members_deinit(struct json_members *members);

/* As a machine would read them whose best kernel of json_stops_kernels (stops.h) is this one, which
 * ours must have, too. */
void json_members_set_kernel(struct json_members *members, size_t kernel);

/* Another record. A large one is left to reader.h as a whole. */
void json_members_open(struct json_members *members, const char *bytes, size_t size);

/* Reads members from progress->at on, where the root's own next member may stand (with `previous`
 * -1: the first), into row rows->count, as long as they come in the usual form. Texts go to
 * rows->strings; where these might not suffice nothing is read. */
void json_members_read(struct json_members *members, const struct timestamp_context *context,
                       struct rows *rows, struct json_progress *progress);

#endif
