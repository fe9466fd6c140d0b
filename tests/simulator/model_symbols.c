/* model_symbols.c: reads the ELF file of the running program once. The symbol of a source file
 * comes before those of its static functions. The dynamic linker says how far the program is from
 * where its table puts it. */
#include "model_symbols.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"

static struct symbol *symbols;
static size_t symbol_count;
static struct symbol_range range;

static int note_base(struct dl_phdr_info *info, size_t size, void *base) {
    (void)size;
    *(uintptr_t *)base = info->dlpi_addr;
    return 1; // the program is the first
}

/* Never unmapped: the names stay in it. */
static const unsigned char *map_program(void) {
    struct stat status;
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    check(fd >= 0 && fstat(fd, &status) == 0);
    void *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    check(bytes != MAP_FAILED);
    (void)close(fd);
    return bytes;
}

static const char *plain_name(const char *name) {
    const char *dot = strchr(name, '.');
    return dot == NULL || dot == name ? name : strndup(name, (size_t)(dot - name));
}

static int compare(const void *a, const void *b) {
    const struct symbol *left = a, *right = b;
    return (left->start > right->start) - (left->start < right->start);
}

static void read_table(const ElfW(Sym) * table, size_t count, const char *names) {
    uintptr_t base = 0;
    const char *file = NULL;
    (void)dl_iterate_phdr(note_base, &base);
    symbols = must_alloc(count, sizeof *symbols);
    for (size_t i = 0; i < count; i++) {
        unsigned type = ELF64_ST_TYPE(table[i].st_info);
        if (type == STT_FILE)
            file = names + table[i].st_name;
        if (type != STT_FUNC || table[i].st_size == 0)
            continue;
        bool is_local = ELF64_ST_BIND(table[i].st_info) == STB_LOCAL;
        symbols[symbol_count++] =
            (struct symbol){.start = base + table[i].st_value,
                            .end = base + table[i].st_value + table[i].st_size,
                            .name = plain_name(names + table[i].st_name),
                            .file = is_local ? file : NULL};
    }
    check(symbol_count > 0); // else it is stripped
    qsort(symbols, symbol_count, sizeof *symbols, compare);
    range = (struct symbol_range){symbols[0].start, symbols[symbol_count - 1].end};
}

static void read_program(void) {
    const unsigned char *bytes = map_program();
    const ElfW(Ehdr) *header = (const void *)bytes;
    const ElfW(Shdr) *sections = (const void *)(bytes + header->e_shoff);
    for (unsigned i = 0; i < header->e_shnum; i++)
        if (sections[i].sh_type == SHT_SYMTAB)
            read_table((const void *)(bytes + sections[i].sh_offset),
                       sections[i].sh_size / sizeof(ElfW(Sym)),
                       (const char *)bytes + sections[sections[i].sh_link].sh_offset);
}

struct symbol_range symbol_range(void) {
    if (symbols == NULL)
        read_program();
    return range;
}

const struct symbol *symbol_at(const void *address) {
    if (symbols == NULL)
        read_program();
    uintptr_t at = (uintptr_t)address;
    if (symbols == NULL || symbol_count == 0)
        return NULL;
    size_t first = 0, end = symbol_count; // the last that starts at or before `at` is in between
    while (end - first > 1) {
        size_t middle = first + (end - first) / 2;
        if (symbols[middle].start <= at)
            first = middle;
        else
            end = middle;
    }
    return symbols[first].start <= at && at < symbols[first].end ? &symbols[first] : NULL;
}
