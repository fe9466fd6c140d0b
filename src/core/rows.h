/* rows.h: decoded rows on their way from the decoder to the sink: one vector per input and one per
 * computed column. A column that is an input as it is shares the input's vector.
 *
 * Small on purpose (ROWS_CAPACITY), so that a slice of rows is decoded, derived and encoded while
 * it is still in cache; what accumulates is the encoded form (pipeline/parquet). Row `count` is the
 * one being filled: it exists only once its writer has counted it. Texts point into `strings`,
 * which dies with rows_reset(). One worker fills and empties its own rows: not thread-safe. */
#ifndef CORE_ROWS_H
#define CORE_ROWS_H

#include "base/arena.h"
#include "core/schema.h"
#include "core/vector.h"

/* ROWS_ELEMENTS_PER_ROW: the room for elements of arrays and maps, in each of their levels. More in
 * one row leave less for others. */
enum { ROWS_CAPACITY = 1024, ROWS_ELEMENTS_PER_ROW = 8 };

struct rows {
    const struct schema *schema; // borrowed
    size_t count;
    size_t capacity;
    struct vector *inputs;  // of schema->inputs
    struct vector *columns; // of schema->columns
    struct arena strings;
    void *storage; // owned; the values of all vectors
};

/* string_bytes: the room for texts. When a row's texts do not fit, the rows are handed on and
 * reset; a single record larger than that gets a larger arena with rows_resize_strings(). */
void rows_init(struct rows *rows, const struct schema *schema, size_t capacity,
               size_t string_bytes);
void rows_deinit(struct rows *rows);
void rows_reset(struct rows *rows);

/* Only while count is 0: gives up the string arena for one of `string_bytes`. */
void rows_resize_strings(struct rows *rows, size_t string_bytes);

/* Only while count is 0, after a record whose elements had no room: twice the room where it was too
 * small, until rows_reset(). False: it was not the elements that had no room, so it was the texts.
 */
bool rows_grow_elements(struct rows *rows);

/* Memory in bytes that elements take now. */
size_t rows_elements_memory(const struct rows *rows);

/* Memory in bytes that rows_init() with these figures takes. */
size_t rows_memory(const struct schema *schema, size_t capacity, size_t string_bytes);

#endif
