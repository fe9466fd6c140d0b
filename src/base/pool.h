/* pool.h: memory of a tree: many small pieces, whose number is not known beforehand and which are
 * freed together. Pieces never move. Not thread-safe. For rows there is base/arena.h, which is
 * bounded and fast; a pool is for what is read once, such as the text of a query. */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>

#include "base/text.h"

struct pool_block;

struct pool {
    struct pool_block *newest; // owned; blocks are chained
    size_t used;               // bytes of the newest block
    size_t total;              // bytes handed out since pool_init(), with their alignment
};

void pool_init(struct pool *pool);
void pool_deinit(struct pool *pool);

/* `count` zeroed objects of `size` bytes, aligned for any scalar. Never NULL; for 0 bytes, a
 * pointer that must not be read. */
void *pool_alloc(struct pool *pool, size_t count, size_t size);

/* A terminated copy. */
const char *pool_copy(struct pool *pool, struct text text);

/* The same, printed. */
const char *pool_format(struct pool *pool, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
