/* decoder.c: the counts of a decoder.
 *
 * Names of keys come from anybody's records, so there is room for a fixed number of them, each cut
 * at a whole character. A name keeps its index for good: two copies of one decoder's counts are
 * compared index by index, and counts of different decoders are added by name. */
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

void unknown_keys_add(struct unknown_keys *sum, const struct unknown_keys *now,
                      const struct unknown_keys *before) {
    for (size_t i = 0; i < now->count; i++) {
        const struct unknown_name *name = &now->names[i];
        int64_t more = name->count;
        if (before != NULL && i < before->count)
            more -= before->names[i].count;
        if (more == 0)
            continue; // of records that became no rows
        int index = unknown_keys_find(sum, text_borrow(name->text));
        if (index >= 0)
            sum->names[index].count += more;
    }
}

void decode_counts_add(struct decode_counts *sum, const struct decode_counts *now,
                       const struct decode_counts *before) {
    static const struct decode_counts none;
    if (before == NULL)
        before = &none;
    for (size_t i = 0; i < SCHEMA_COLUMNS_MAX; i++)
        sum->field_faults[i] += now->field_faults[i] - before->field_faults[i];
    sum->unknown_keys += now->unknown_keys - before->unknown_keys;
    sum->trailing_bytes += now->trailing_bytes - before->trailing_bytes;
    unknown_keys_add(&sum->unknown_names, &now->unknown_names, &before->unknown_names);
}
