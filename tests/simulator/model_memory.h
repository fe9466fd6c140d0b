/* model_memory.h: the model disk's memory: pieces that are given back one by one, or all at once
 * when a world ends. Taking and giving is a few instructions, because a life has thousands of both.
 */
#ifndef SIMULATOR_MODEL_MEMORY_H
#define SIMULATOR_MODEL_MEMORY_H

#include <stddef.h>

/* Not zeroed. A piece has room for memory_room(size) bytes. */
void *memory_take(size_t size);
void memory_give(void *piece, size_t size); // NULL: nothing; `size`: as it was taken
size_t memory_room(size_t size);
void memory_give_all(void); // keeps what it has of the system, for the next world
void memory_end(void);

#endif
