/* decoder.c: the counts of a decoder.
 *
 * Names of keys come from anybody's records, so there is room for a fixed number of them, each cut
 * at a whole character. A name keeps its index for good; counts of different decoders are added by
 * name. */
#include "core/decoder.h"

static int find(const struct unknown_keys *keys, struct text name) {
    for (size_t i = 0; i < keys->count; i++)
        if (memcmp(keys->names[i].text, name.bytes, name.length) == 0 &&
            keys->names[i].text[name.length] == '\0')
            return (int)i;
    return -1;
}

/* Fits, and ends with a whole character. */
static struct text cut(struct text name) {
    if (name.length <= UNKNOWN_NAME_MAX)
        return name;
    name.length = UNKNOWN_NAME_MAX;
    while (name.length > 0 && ((unsigned char)name.bytes[name.length] & 0xC0) == 0x80)
        name.length--;
    return name;
}

int unknown_keys_find(struct unknown_keys *keys, struct text name) {
    char text[UNKNOWN_NAME_MAX + 1] = {0};
    name = cut(name);
    memcpy(text, name.bytes, name.length);
    for (size_t i = 0; i < name.length; i++)
        if (text[i] == '\0')
            text[i] = '?';
    int found = find(keys, (struct text){text, name.length});
    if (found >= 0 || keys->count == UNKNOWN_NAMES_MAX)
        return found;
    memcpy(keys->names[keys->count].text, text, sizeof text);
    return (int)keys->count++;
}

void unknown_keys_add(struct unknown_keys *sum, const struct unknown_keys *more) {
    for (size_t i = 0; i < more->count; i++) {
        const struct unknown_name *name = &more->names[i];
        if (name->count == 0)
            continue; // of records that do not count
        int index = unknown_keys_find(sum, text_borrow(name->text));
        if (index >= 0)
            sum->names[index].count += name->count;
    }
}

void decode_counts_add(struct decode_counts *sum, const struct decode_counts *more) {
    for (size_t i = 0; i < SCHEMA_FIELDS_MAX; i++)
        sum->field_faults[i] += more->field_faults[i];
    for (size_t i = 0; i < SCHEMA_COLUMNS_MAX; i++)
        sum->rejected_values[i] += more->rejected_values[i];
    sum->unknown_keys += more->unknown_keys;
    sum->trailing_bytes += more->trailing_bytes;
    unknown_keys_add(&sum->unknown_names, &more->unknown_names);
}

void decode_counts_note_reject(struct decode_counts *counts, const struct rows *rows) {
    for (size_t i = 0; i < rows->schema->record_count; i++)
        counts->rejected_values[i] += rows->inputs[i].valid[rows->count] != 0;
}
