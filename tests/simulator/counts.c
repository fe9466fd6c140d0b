/* counts.c: an open hash table of names. */
#include "counts.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { SLOTS = 1 << 16, NAME_MAX_SIZE = 512 };

static struct slot {
    char *name;
    long count;
} slots[SLOTS];
static size_t used;

static struct slot *slot_of(const char *name) {
    uint64_t hash = 1469598103934665603U;
    for (const char *at = name; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * 1099511628211U;
    size_t i = hash % SLOTS;
    while (slots[i].name != NULL && strcmp(slots[i].name, name) != 0)
        i = (i + 1) % SLOTS;
    return &slots[i];
}

static void add(const char *name, long count) {
    struct slot *slot = slot_of(name);
    if (slot->name == NULL) {
        check(++used < SLOTS / 2);
        slot->name = strdup(name);
        check(slot->name != NULL);
    }
    slot->count += count;
}

void counts_add(long count, const char *format, ...) {
    char name[NAME_MAX_SIZE];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(name, sizeof name, format, args);
    va_end(args);
    for (char *at = name; *at != '\0'; at++)
        if (*at == '\n' || *at == '\t')
            *at = ' ';
    add(name, count);
}

long counts_of(const char *name) {
    return slot_of(name)->count;
}

void counts_clear(void) {
    for (size_t i = 0; i < SLOTS; i++)
        free(slots[i].name);
    memset(slots, 0, sizeof slots);
    used = 0;
}

void counts_write(FILE *out) {
    for (size_t i = 0; i < SLOTS; i++)
        if (slots[i].name != NULL)
            (void)fprintf(out, "%ld\t%s\n", slots[i].count, slots[i].name);
    (void)fflush(out);
}

void counts_read(FILE *in) {
    char line[NAME_MAX_SIZE + 32];
    while (fgets(line, sizeof line, in) != NULL) {
        char *end;
        long count = strtol(line, &end, 10);
        char *newline = strchr(end, '\n');
        if (*end != '\t' || newline == NULL)
            continue;
        *newline = '\0';
        add(end + 1, count);
    }
}

static int compare(const void *a, const void *b) {
    return strcmp((*(struct slot *const *)a)->name, (*(struct slot *const *)b)->name);
}

void counts_each(const char *group, void (*visit)(void *context, const char *name, long count),
                 void *context) {
    static struct slot *sorted[SLOTS];
    size_t count = 0;
    for (size_t i = 0; i < SLOTS; i++)
        if (slots[i].name != NULL && strncmp(slots[i].name, group, strlen(group)) == 0)
            sorted[count++] = &slots[i];
    qsort(sorted, count, sizeof(struct slot *), compare);
    for (size_t i = 0; i < count; i++)
        visit(context, sorted[i]->name, sorted[i]->count);
}
