/* model_symbols.h: the functions of this program by address, from its own symbol table; static ones
 * too, which dladdr() does not know. */
#ifndef SIMULATOR_MODEL_SYMBOLS_H
#define SIMULATOR_MODEL_SYMBOLS_H

#include <stdint.h>

struct symbol {
    uintptr_t start, end;
    const char *name; // without what the compiler adds: "part", not "part.isra.0"
    const char *file; // "file.c" of a static function; NULL: of a global one, or not known
};

/* From the first function to the end of the last. */
struct symbol_range {
    uintptr_t start, end;
};

struct symbol_range symbol_range(void);

/* NULL: not in a function of this program. Valid for good. */
const struct symbol *symbol_at(const void *address);

#endif
