/* call_sites.c: the stack is read from the innermost function outwards, up to the second one
 * outside of base/disk/. Whether a return address is inside, and which site three addresses are, is
 * remembered in tables; only what is seen for the first time is looked up and named.
 *
 * Two places are the same site if the call returns to the same place in base/disk/, that returns to
 * the same place outside it, and this function was called by the same one. A visitor of a
 * directory's names is called by the model itself, whose functions count as inside. */
#include "call_sites.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "disk_functions.h"
#include "model_symbols.h"

static const char *const call_names[DISK_CALLS] = {
    "open",     "read", "write",  "truncate", "fsync", "close", "rename_new", "rename",
    "exchange", "link", "unlink", "mkdir",    "rmdir", "chmod", "chown",      "getxattr",
    "setxattr", "stat", "fstat",  "list",     "lock",  "statx", "statfs",     "access"};

const char *call_name(enum disk_call call) {
    return call_names[call];
}

/* What tells two sites apart. */
struct identity {
    enum disk_call call;
    const void *within, *caller;
    const struct symbol *above;
};

/* A table by number, the next free place after it. */
struct table {
    struct row {
        uint64_t key; // 0: free
        size_t value;
    } * rows;
    size_t count, room;
};

static struct {
    struct disk_site *sites;
    struct identity *identities;
    enum site_plant *plants;
    size_t count, room;
    struct table known;  // sites by a hash of their addresses
    struct table inside; // whether an address is, by the address
} all;

/* ---- tables ---- */

static struct row *table_row(const struct table *table, uint64_t key) {
    size_t at = (key * 0x9e3779b97f4a7c15U >> 32) & (table->room - 1);
    while (table->rows[at].key != 0 && table->rows[at].key != key)
        at = (at + 1) & (table->room - 1);
    return &table->rows[at];
}

static void table_grow(struct table *table) {
    struct table old = *table;
    table->room = old.room == 0 ? 1024 : old.room * 4;
    table->rows = must_alloc(table->room, sizeof *table->rows);
    for (size_t i = 0; i < old.room; i++)
        if (old.rows[i].key != 0)
            *table_row(table, old.rows[i].key) = old.rows[i];
    free(old.rows);
}

/* The row of a key, to be filled when its own key is 0. */
static struct row *table_find(struct table *table, uint64_t key) {
    if (table->count * 2 >= table->room)
        table_grow(table);
    return table_row(table, key);
}

static void table_fill(struct table *table, struct row *row, uint64_t key, size_t value) {
    *row = (struct row){key, value};
    table->count++;
}

/* ---- what is in base/disk/ ---- */

static bool is_among(const char *name, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* Static functions elsewhere may have the same name as one there, but not in a file of the same
 * name. */
static bool is_disk_symbol(const struct symbol *symbol) {
    if (symbol == NULL)
        return false;
    if (symbol->file != NULL)
        return strncmp(symbol->file, "model_", 6) == 0 ||
               is_among(symbol->file, disk_files, sizeof disk_files / sizeof disk_files[0]);
    return strcmp(symbol->name, "tree_call") == 0 ||
           is_among(symbol->name, disk_functions, sizeof disk_functions / sizeof disk_functions[0]);
}

/* A call returns to the byte behind it, which may be of the next function. */
static const struct symbol *symbol_before(const void *address) {
    return address == NULL ? NULL : symbol_at((const char *)address - 1);
}

static bool is_inside(const void *address) {
    struct row *row = table_find(&all.inside, (uintptr_t)address);
    if (row->key == 0)
        table_fill(&all.inside, row, (uintptr_t)address, is_disk_symbol(symbol_before(address)));
    return row->value != 0;
}

/* ---- the stack ---- */

/* To where the call returns, that outside, and that; NULL: not to a function of this program. */
struct returns {
    const void *within, *caller, *above;
};

/* A frame pointer that a library has saved may be anything, so the walk ends where a function
 * returns to one. */
static const void *next_return(const void **frame) {
    struct symbol_range program = symbol_range();
    const void *const *words = *frame;
    uintptr_t address = (uintptr_t)words[1];
    *frame = words[0];
    return address >= program.start && address < program.end ? words[1] : NULL;
}

static struct returns returns_of(const void *frame) {
    struct returns found = {.within = next_return(&frame)};
    if (found.within == NULL)
        return found;
    do
        found.caller = next_return(&frame);
    while (found.caller != NULL && is_inside(found.caller));
    if (found.caller != NULL)
        found.above = next_return(&frame);
    return found;
}

static uint64_t hash_of(const struct returns *returns, enum disk_call call) {
    uint64_t hash = (uint64_t)call + 1;
    hash = (hash ^ (uintptr_t)returns->within) * 0xff51afd7ed558ccdU;
    hash = (hash ^ (hash >> 32) ^ (uintptr_t)returns->caller) * 0xff51afd7ed558ccdU;
    hash = (hash ^ (hash >> 32) ^ (uintptr_t)returns->above) * 0xff51afd7ed558ccdU;
    return hash == 0 ? 1 : hash;
}

/* ---- naming ---- */

static const char *name_of(const struct symbol *symbol) {
    return symbol == NULL ? "-" : symbol->name;
}

static unsigned long offset_of(const struct symbol *symbol, const void *address) {
    return symbol == NULL ? 0 : (unsigned long)((uintptr_t)address - symbol->start);
}

static struct disk_site describe(const struct identity *identity, bool changes) {
    const struct symbol *within = symbol_before(identity->within);
    const struct symbol *caller = symbol_before(identity->caller);
    return (struct disk_site){
        .call = identity->call,
        .changes = changes,
        .within = name_of(within),
        .caller = name_of(caller),
        .above = name_of(identity->above),
        .text = text_format("%s %s+%lx %s+%lx %s", call_names[identity->call], name_of(within),
                            offset_of(within, identity->within), name_of(caller),
                            offset_of(caller, identity->caller), name_of(identity->above)),
    };
}

/* ---- sites ---- */

static void *grow(void *array, size_t room, size_t size) {
    void *grown = realloc(array, room * size);
    check(grown != NULL);
    return grown;
}

static size_t add_site(const struct identity *identity, bool changes) {
    if (all.count == all.room) {
        all.room = all.room == 0 ? 256 : all.room * 2;
        all.sites = grow(all.sites, all.room, sizeof *all.sites);
        all.identities = grow(all.identities, all.room, sizeof *all.identities);
        all.plants = grow(all.plants, all.room, sizeof *all.plants);
    }
    all.sites[all.count] = describe(identity, changes);
    all.identities[all.count] = *identity;
    all.plants[all.count] = SITE_AS_IT_IS;
    return all.count++;
}

static bool same(const struct identity *a, const struct identity *b) {
    return a->call == b->call && a->within == b->within && a->caller == b->caller &&
           a->above == b->above;
}

static size_t site_of(const struct returns *returns, enum disk_call call, bool changes) {
    struct identity identity = {.call = call,
                                .within = returns->within,
                                .caller = returns->caller,
                                .above = symbol_before(returns->above)};
    for (size_t i = 0; i < all.count; i++)
        if (same(&all.identities[i], &identity))
            return i;
    return add_site(&identity, changes);
}

size_t call_site_of(enum disk_call call, bool changes, const void *frame) {
    struct returns returns = returns_of(frame);
    uint64_t hash = hash_of(&returns, call);
    struct row *row = table_find(&all.known, hash);
    if (row->key == 0)
        table_fill(&all.known, row, hash, site_of(&returns, call, changes));
    return row->value;
}

struct disk_site *call_site(size_t site) {
    check(site < all.count);
    return &all.sites[site];
}

enum site_plant call_site_plant(size_t site) {
    return all.plants[site];
}

/* ---- for those who look at them ---- */

size_t model_disk_sites(const struct disk_site **sites) {
    *sites = all.sites;
    return all.count;
}

void model_disk_plant(size_t site, enum site_plant plant) {
    check(site < all.count && (plant == SITE_AS_IT_IS || all.sites[site].changes));
    all.plants[site] = plant;
}

bool model_disk_find_site(const char *text, size_t *site) {
    for (*site = 0; *site < all.count; (*site)++)
        if (strcmp(all.sites[*site].text, text) == 0)
            return true;
    return false;
}
