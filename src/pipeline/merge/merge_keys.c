#include "pipeline/merge/merge_keys.h"

#include "base/check.h"

int merge_key_compare(const struct merge_key *a, const struct merge_key *b, size_t position_count) {
    if (a->later != b->later)
        return a->later ? 1 : -1;
    if (a->partition != b->partition)
        return a->partition < b->partition ? -1 : 1;
    if (a->offset != b->offset)
        return a->offset < b->offset ? -1 : 1;
    for (size_t i = 0; i < position_count; i++)
        if (a->positions[i] != b->positions[i])
            return a->positions[i] < b->positions[i] ? -1 : 1;
    return 0;
}

/* The finaliser of MurmurHash3: each bit of the number changes half of the result's. */
static uint64_t mix(uint64_t number) {
    number = (number ^ number >> 33) * 0xff51afd7ed558ccdu;
    number = (number ^ number >> 33) * 0xc4ceb9fe1a85ec53u;
    return number ^ number >> 33;
}

void merge_digest_add(struct merge_digest *digest, const struct merge_key *key,
                      size_t position_count) {
    uint64_t hash = mix((uint64_t)key->offset + 0x9e3779b97f4a7c15u);
    hash = mix(hash ^ (uint32_t)key->partition);
    for (size_t i = 0; i < position_count; i++)
        hash = mix(hash * 0xe7037ed1a0b428dbu ^ (uint32_t)key->positions[i]);
    digest->rows++;
    digest->sums[0] += hash;
    // The second lane depends on the whole key too, by another way.
    digest->sums[1] += mix(hash * 0x9fb21c651e98df25u ^ (uint64_t)key->offset);
}

/* Behind the positions: processing_timestamp, where it matters. */
enum { KEY_PARTITION, KEY_OFFSET, KEY_POSITIONS };

static bool splits(const struct merge_key_columns *keys) {
    return keys->split_after_us != INT64_MAX;
}

static size_t processed_at(const struct merge_key_columns *keys) {
    return KEY_POSITIONS + keys->position_count;
}

static bool find_column(const struct parquet_reader *reader, const char *name, enum type type,
                        size_t *column, struct error *err) {
    int at = file_metadata_find(&reader->metadata, name);
    if (at < 0)
        return error_set(err, ERROR_STATE, "'%s' lacks the column '%s'", reader->input.name, name);
    const struct file_column *found = &reader->metadata.columns[at];
    if (!found->readable || found->type != type)
        return error_set(err, ERROR_STATE, "'%s': column '%s' is not %s", reader->input.name, name,
                         type_sql_name(type));
    *column = (size_t)at;
    return true;
}

static bool find_columns(const struct parquet_reader *reader, const struct merge_key_columns *keys,
                         size_t *columns, struct error *err) {
    if (!find_column(reader, keys->partition, TYPE_INT32, &columns[KEY_PARTITION], err) ||
        !find_column(reader, keys->offset, TYPE_INT64, &columns[KEY_OFFSET], err))
        return false;
    for (size_t i = 0; i < keys->position_count; i++)
        if (!find_column(reader, keys->positions[i], TYPE_INT32, &columns[KEY_POSITIONS + i], err))
            return false;
    return !splits(keys) ||
           find_column(reader, keys->processed, TYPE_TIMESTAMP, &columns[processed_at(keys)], err);
}

static bool visit_rows(const struct parquet_cursor *cursor, const struct merge_key_columns *keys,
                       size_t rows, bool (*visit)(void *context, const struct merge_key *key),
                       void *context, struct error *err) {
    const struct vector *vectors = cursor->vectors;
    const struct vector *processed = splits(keys) ? &vectors[processed_at(keys)] : NULL;
    struct merge_key key;
    for (size_t row = 0; row < rows; row++) {
        bool known = vectors[KEY_PARTITION].valid[row] && vectors[KEY_OFFSET].valid[row] &&
                     (processed == NULL || processed->valid[row]);
        if (!known)
            return error_set(err, ERROR_STATE,
                             "'%s' has a row without partition, offset or processing_timestamp",
                             cursor->reader->input.name);
        key.partition = vectors[KEY_PARTITION].int32s[row];
        key.offset = vectors[KEY_OFFSET].int64s[row];
        key.later = processed != NULL && processed->int64s[row] > keys->split_after_us;
        for (size_t i = 0; i < keys->position_count; i++) {
            const struct vector *position = &vectors[KEY_POSITIONS + i];
            key.positions[i] = position->valid[row] ? position->int32s[row] : INT32_MIN;
        }
        if (!visit(context, &key))
            return false;
    }
    return true;
}

bool merge_keys_read(struct parquet_reader *reader, const struct merge_key_columns *keys,
                     bool (*visit)(void *context, const struct merge_key *key), void *context,
                     struct error *err) {
    size_t columns[KEY_POSITIONS + MERGE_KEY_POSITIONS_MAX + 1];
    struct parquet_cursor cursor;
    size_t rows;
    check(keys->position_count <= MERGE_KEY_POSITIONS_MAX);
    if (!find_columns(reader, keys, columns, err))
        return false;
    parquet_cursor_open(&cursor, reader, columns, processed_at(keys) + splits(keys));
    bool done = parquet_cursor_next(&cursor, &rows, err);
    while (done && rows > 0)
        done = visit_rows(&cursor, keys, rows, visit, context, err) &&
               parquet_cursor_next(&cursor, &rows, err);
    parquet_cursor_close(&cursor);
    return done;
}
