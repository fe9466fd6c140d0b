/* merge_proof.h: an output is opened again and compared with what was read of the inputs. */
#ifndef PIPELINE_MERGE_MERGE_PROOF_H
#define PIPELINE_MERGE_MERGE_PROOF_H

#include "pipeline/merge/merge_breath.h"
#include "pipeline/merge/merge_keys.h"
#include "pipeline/parquet/writer.h"

/* ERROR_STATE: the file does not have exactly these keys in ascending order, or not the table's
 * columns. */
MUST_CHECK bool merge_prove(const char *path, const struct parquet_table *table,
                            const struct merge_key_columns *keys,
                            const struct merge_digest *expected, struct merge_breath *breath,
                            struct error *err);

#endif
