/* pool.c: blocks of at least BLOCK_BYTES, chained; a piece is cut from the newest block, and a
 * piece that does not fit begins a new one. */
#include "base/pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { BLOCK_BYTES = 16 * 1024, ALIGNMENT = _Alignof(max_align_t) };

struct pool_block {
    struct pool_block *next; // an older one
    _Alignas(max_align_t) unsigned char bytes[];
};

void pool_init(struct pool *pool) {
    *pool = (struct pool){0};
}

void pool_deinit(struct pool *pool) {
    while (pool->newest != NULL) {
        struct pool_block *next = pool->newest->next;
        free(pool->newest);
        pool->newest = next;
    }
    *pool = (struct pool){0};
}

static void add_block(struct pool *pool, size_t bytes) {
    size_t size = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
    struct pool_block *block = must_alloc(1, sizeof *block + size);
    block->next = pool->newest;
    pool->newest = block;
    pool->used = 0;
    pool->size = size;
}

void *pool_alloc(struct pool *pool, size_t count, size_t size) {
    check(size == 0 || count <= (SIZE_MAX - ALIGNMENT) / size);
    size_t bytes = (count * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (pool->newest == NULL || bytes > pool->size - pool->used)
        add_block(pool, bytes);
    void *piece = pool->newest->bytes + pool->used;
    pool->used += bytes;
    pool->total += bytes;
    memset(piece, 0, bytes);
    return piece;
}

const char *pool_copy(struct pool *pool, struct text text) {
    char *copy = pool_alloc(pool, text.length + (size_t)1, 1);
    memcpy(copy, text.bytes, text.length);
    return copy;
}

const char *pool_format(struct pool *pool, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *text = text_format_list(format, args);
    va_end(args);
    const char *copy = pool_copy(pool, text_borrow(text));
    free(text);
    return copy;
}
