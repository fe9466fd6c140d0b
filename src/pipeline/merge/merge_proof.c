/* The keys of an output are read from the file, after it was synced, by the code that reads inputs;
 * what they are compared with was computed while the inputs' own keys were read. Nothing of the
 * order in which rows were moved is used, so a fault there shows here. */
#include "pipeline/merge/merge_proof.h"

struct proof {
    const struct merge_key_columns *keys;
    const char *path;
    struct merge_digest found;
    struct merge_key last;
    struct merge_breath *breath;
    struct error *err;
};

static bool prove_key(void *context, const struct merge_key *key) {
    enum { ROWS_BETWEEN_BREATHS = 4096 };
    struct proof *proof = context;
    size_t positions = proof->keys->position_count;
    if (proof->found.rows > 0 && merge_key_compare(&proof->last, key, positions) > 0)
        return error_set(proof->err, ERROR_STATE,
                         "merging failed its check: '%s' is not sorted at row %lld", proof->path,
                         (long long)proof->found.rows);
    merge_digest_add(&proof->found, key, positions);
    proof->last = *key;
    return proof->found.rows % ROWS_BETWEEN_BREATHS != 0 ||
           merge_breathe(proof->breath, proof->err);
}

static bool has_columns(const struct parquet_reader *reader, const struct parquet_table *table,
                        struct error *err) {
    bool same = reader->metadata.column_count == table->column_count;
    for (size_t i = 0; same && i < table->column_count; i++)
        same = text_equals(reader->metadata.columns[i].name, text_borrow(table->columns[i].name));
    return same || error_set(err, ERROR_STATE,
                             "merging failed its check: '%s' does not have the table's columns",
                             reader->input.name);
}

bool merge_prove(const char *path, const struct parquet_table *table,
                 const struct merge_key_columns *keys, const struct merge_digest *expected,
                 struct merge_breath *breath, struct error *err) {
    struct proof proof = {.keys = keys, .path = path, .breath = breath, .err = err};
    struct parquet_reader reader;
    bool done = parquet_reader_open(&reader, path, err) && has_columns(&reader, table, err) &&
                merge_keys_read(&reader, keys, prove_key, &proof, err);
    parquet_reader_close(&reader);
    if (!done)
        return false;
    if (proof.found.rows == expected->rows && proof.found.sums[0] == expected->sums[0] &&
        proof.found.sums[1] == expected->sums[1])
        return true;
    return error_set(err, ERROR_STATE,
                     "merging failed its check: '%s' has %lld rows, which are not the %lld rows "
                     "of the files that it was made of",
                     path, (long long)proof.found.rows, (long long)expected->rows);
}
