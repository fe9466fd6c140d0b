/* pool.c: blocks of at least BLOCK_BYTES, chained. A piece is cut from the newest block; if it does
 * not fit, a new block begins. A large piece has a block of its own, behind the newest one, so that
 * the room in that is not lost.
 *
 * Under ASan, all that no piece has is poisoned, with a gap after each piece. */
#include "base/pool.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/poison.h"

enum {
    BLOCK_BYTES = 16 * 1024,
    LARGE_BYTES = BLOCK_BYTES / 8,
    ALIGNMENT = _Alignof(max_align_t),
    GAP_BYTES = HAS_ADDRESS_SANITIZER ? ALIGNMENT : 0,
};

struct pool_block {
    struct pool_block *next; // an older one, or one of a large piece
    size_t size;
    _Alignas(max_align_t) unsigned char bytes[];
};

void pool_init(struct pool *pool) {
    *pool = (struct pool){0};
}

void pool_deinit(struct pool *pool) {
    while (pool->newest != NULL) {
        struct pool_block *block = pool->newest;
        pool->newest = block->next;
        ASAN_UNPOISON_MEMORY_REGION(block->bytes, block->size);
        free(block);
    }
    *pool = (struct pool){0};
}

/* Its bytes are zero. */
static struct pool_block *create_block(size_t size, struct pool_block *next) {
    struct pool_block *block = must_alloc(1, sizeof *block + size);
    block->next = next;
    block->size = size;
    ASAN_POISON_MEMORY_REGION(block->bytes, size);
    return block;
}

/* Where `bytes` bytes are free. */
static unsigned char *take(struct pool *pool, size_t bytes) {
    if (bytes > LARGE_BYTES && pool->newest != NULL) {
        pool->newest->next = create_block(bytes, pool->newest->next);
        return pool->newest->next->bytes;
    }
    if (pool->newest == NULL || bytes > pool->newest->size - pool->used) {
        pool->newest = create_block(bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES, pool->newest);
        pool->used = 0;
    }
    pool->used += bytes;
    return pool->newest->bytes + pool->used - bytes;
}

void *pool_alloc(struct pool *pool, size_t count, size_t size) {
    check(size == 0 || count <= SIZE_MAX / 2 / size);
    size_t bytes = (count * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    void *piece = take(pool, bytes + GAP_BYTES);
    ASAN_UNPOISON_MEMORY_REGION(piece, count * size);
    pool->total += bytes;
    return piece;
}

const char *pool_copy(struct pool *pool, struct text text) {
    char *copy = pool_alloc(pool, text.length + (size_t)1, 1);
    if (text.length > 0) // its bytes may be NULL
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
