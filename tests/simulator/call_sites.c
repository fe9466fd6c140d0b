/* call_sites.c: the return addresses of the innermost functions are looked up as a whole, by a hash
 * of 64 bits; only what is seen for the first time is taken apart and named.
 *
 * Two places are the same site if the call returns to the same place in base/disk/, that returns to
 * the same place outside it, and this function was called by the same one. */
#include "call_sites.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "disk_functions.h"
#include "model_symbols.h"

enum { DEPTH = 10 };

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

struct stack {
    const void *addresses[DEPTH];
    size_t count;
};

static struct {
    struct disk_site *sites;
    struct identity *identities;
    enum site_plant *plants;
    size_t count, room;
    struct known {
        uint64_t hash; // 0: free
        size_t site;
    } * known; // by hash, the next free place
    size_t known_count, known_room;
} all;

/* ---- the stack ---- */

/* A frame pointer that a library has saved may be anything, so the walk ends where a function
 * returns to one. */
static struct stack stack_of(const void *frame) {
    struct symbol_range program = symbol_range();
    struct stack stack;
    stack.count = 0;
    while (stack.count < DEPTH) {
        const void *const *words = frame;
        const char *address = words[1];
        if ((uintptr_t)address < program.start || (uintptr_t)address >= program.end)
            break;
        stack.addresses[stack.count++] = address;
        frame = words[0];
    }
    return stack;
}

static uint64_t hash_of(const struct stack *stack, enum disk_call call) {
    uint64_t hash = (uint64_t)call + 1;
    for (size_t i = 0; i < stack->count; i++) {
        hash = (hash ^ (uintptr_t)stack->addresses[i]) * 0xff51afd7ed558ccdU;
        hash ^= hash >> 32;
    }
    return hash == 0 ? 1 : hash;
}

/* ---- naming ---- */

static bool is_among(const char *name, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* Static functions elsewhere may have the same name as one there, but not in a file of the same
 * name. */
static bool is_in_disk(const struct symbol *symbol) {
    if (symbol == NULL)
        return false;
    if (symbol->file != NULL)
        return is_among(symbol->file, disk_files, sizeof disk_files / sizeof disk_files[0]);
    return is_among(symbol->name, disk_functions, sizeof disk_functions / sizeof disk_functions[0]);
}

/* A call returns to the byte behind it, which may be of the next function. */
static const struct symbol *symbol_before(const void *address) {
    return symbol_at((const char *)address - 1);
}

static struct identity identity_of(const struct stack *stack, enum disk_call call) {
    size_t caller = 1;
    while (caller < stack->count && is_in_disk(symbol_before(stack->addresses[caller])))
        caller++;
    return (struct identity){
        .call = call,
        .within = stack->count > 0 ? stack->addresses[0] : NULL,
        .caller = caller < stack->count ? stack->addresses[caller] : NULL,
        .above = caller + 1 < stack->count ? symbol_before(stack->addresses[caller + 1]) : NULL,
    };
}

static const char *name_of(const struct symbol *symbol) {
    return symbol == NULL ? "-" : symbol->name;
}

static unsigned long offset_of(const struct symbol *symbol, const void *address) {
    return symbol == NULL ? 0 : (unsigned long)((uintptr_t)address - symbol->start);
}

static struct disk_site describe(const struct identity *identity, bool changes) {
    const struct symbol *within = identity->within == NULL ? NULL : symbol_before(identity->within);
    const struct symbol *caller = identity->caller == NULL ? NULL : symbol_before(identity->caller);
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

static size_t site_of(const struct stack *stack, enum disk_call call, bool changes) {
    struct identity identity = identity_of(stack, call);
    for (size_t i = 0; i < all.count; i++)
        if (same(&all.identities[i], &identity))
            return i;
    return add_site(&identity, changes);
}

static struct known *known_place(uint64_t hash) {
    size_t at = hash & (all.known_room - 1);
    while (all.known[at].hash != 0 && all.known[at].hash != hash)
        at = (at + 1) & (all.known_room - 1);
    return &all.known[at];
}

static void grow_known(void) {
    struct known *old = all.known;
    size_t old_room = all.known_room;
    all.known_room = old_room == 0 ? 1024 : old_room * 4;
    all.known = must_alloc(all.known_room, sizeof *all.known);
    for (size_t i = 0; i < old_room; i++)
        if (old[i].hash != 0)
            *known_place(old[i].hash) = old[i];
    free(old);
}

size_t call_site_of(enum disk_call call, bool changes, const void *frame) {
    struct stack stack = stack_of(frame);
    uint64_t hash = hash_of(&stack, call);
    if (all.known_count * 2 >= all.known_room)
        grow_known();
    struct known *known = known_place(hash);
    if (known->hash == 0) {
        *known = (struct known){.hash = hash, .site = site_of(&stack, call, changes)};
        all.known_count++;
    }
    return known->site;
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
