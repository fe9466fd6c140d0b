/* model_memory.c: sizes are powers of two, with a list of free pieces for each; new pieces are cut
 * from blocks. Giving all back only forgets lists and starts at the first block again. What is
 * larger than a block's half has a block of its own. Under ASan, a free piece may not be touched.
 */
#include "model_memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/poison.h"

enum { SMALLEST = 5, LARGEST = 19, BLOCK = 1 << (LARGEST + 1) }; // powers of two of pieces

struct block {
    struct block *next;
    size_t size;
    _Alignas(16) unsigned char bytes[];
};

struct piece {
    struct piece *next;
};

static struct {
    struct piece *given[LARGEST + 1];
    struct block *blocks, *block; // all of them, and the one that pieces are cut from
    size_t used;                  // of that one
    struct block *large;          // with one piece each
} memory;

static unsigned power_of(size_t size) {
    unsigned power = size <= 1 ? 0 : 64 - (unsigned)__builtin_clzl(size - 1);
    return power < SMALLEST ? SMALLEST : power;
}

size_t memory_room(size_t size) {
    return (size_t)1 << power_of(size);
}

static struct block *block_create(size_t size) {
    struct block *block = malloc(sizeof *block + size);
    check(block != NULL);
    *block = (struct block){.size = size};
    return block;
}

static void *take_large(size_t size) {
    struct block *block = block_create(size);
    block->next = memory.large;
    memory.large = block;
    return block->bytes;
}

static void next_block(void) {
    struct block **next = memory.block == NULL ? &memory.blocks : &memory.block->next;
    if (*next == NULL)
        *next = block_create(BLOCK);
    memory.block = *next;
    memory.used = 0;
    ASAN_POISON_MEMORY_REGION(memory.block->bytes, BLOCK);
}

void *memory_take(size_t size) {
    unsigned power = power_of(size);
    size_t room = (size_t)1 << power;
    if (power > LARGEST)
        return take_large(room);
    struct piece *piece = memory.given[power];
    if (piece != NULL) {
        ASAN_UNPOISON_MEMORY_REGION(piece, room);
        memory.given[power] = piece->next;
        return piece;
    }
    if (memory.block == NULL || memory.used + room > BLOCK)
        next_block();
    void *taken = memory.block->bytes + memory.used;
    memory.used += room;
    ASAN_UNPOISON_MEMORY_REGION(taken, room);
    return taken;
}

static void give_large(const void *piece) {
    struct block **at = &memory.large;
    while ((*at)->bytes != piece)
        at = &(*at)->next;
    struct block *block = *at;
    *at = block->next;
    free(block);
}

void memory_give(void *piece, size_t size) {
    unsigned power = power_of(size);
    if (piece == NULL)
        return;
    if (power > LARGEST) {
        give_large(piece);
        return;
    }
    struct piece *given = piece;
    given->next = memory.given[power];
    memory.given[power] = given;
    ASAN_POISON_MEMORY_REGION(piece, (size_t)1 << power);
}

static void free_blocks(struct block **blocks) {
    while (*blocks != NULL) {
        struct block *next = (*blocks)->next;
        ASAN_UNPOISON_MEMORY_REGION((*blocks)->bytes, (*blocks)->size);
        free(*blocks);
        *blocks = next;
    }
}

void memory_give_all(void) {
    memset(memory.given, 0, sizeof memory.given);
    free_blocks(&memory.large);
    memory.block = NULL;
    memory.used = 0;
}

void memory_end(void) {
    memory_give_all();
    free_blocks(&memory.blocks);
}
