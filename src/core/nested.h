/* nested.h: the storage of vectors of arrays and maps (core/vector.h): their children.
 *
 * An array or map has its elements in a level of their own, at any depth, and a level has room for
 * a number of elements, over all rows. A level is filled one element after the other, so
 * the elements of one list lie together. An element that nobody has written yet is null, and so are
 * all fields in it. */
#ifndef CORE_NESTED_H
#define CORE_NESTED_H

#include <stdbool.h>
#include <stddef.h>

#include "core/data_type.h"
#include "core/vector.h"

struct elements {
    uint32_t used, capacity;
    bool is_short;              // an element has found no room since the last reset
    uint32_t marked;            // see nested_mark()
    uint32_t capacity_at_first; // and after each reset
    struct vector *children;    // whose rows are the elements
    size_t child_count;
    struct elements *next; // of the levels below a vector, from outside to inside; NULL: the last
    void *storage;         // owned; behind all vectors of the level
};

/* The children of a vector of `type`, which is an ARRAY or MAP, with room for `capacity` elements
 * in each level. The vector's own lists are the caller's. */
void nested_init(struct vector *vector, const struct data_type *type, size_t capacity);
void nested_deinit(struct vector *vector);

/* No element is used any more. A level that has grown gets its first size again. */
void nested_reset(struct vector *vector);

/* The next element of the level, or false: there is no room. */
static inline bool nested_take(struct elements *elements, uint32_t *index) {
    if (elements->used == elements->capacity) {
        elements->is_short = true;
        return false;
    }
    *index = elements->used++;
    return true;
}

/* Elements taken after the mark can be given back: of a record that becomes no row. */
void nested_mark(struct vector *vector);
void nested_rewind(struct vector *vector);

/* Only after nested_reset() and a record that did not fit: gives the levels that were too small
 * twice their room. False: none was too small. */
bool nested_grow(struct vector *vector);

/* Memory in bytes: of nested_init() with these figures; of a vector's levels as they are. */
size_t nested_memory(const struct data_type *type, size_t capacity);
size_t nested_memory_now(const struct vector *vector);

#endif
