#include "pipeline/json/notes.h"

/* The size of the text's beginning of at most `size_max` bytes, without half a character. */
static size_t cut_at_character(const char *text, size_t size_max) {
    size_t size = strlen(text);
    if (size <= size_max)
        return size;
    size = size_max;
    while (size > 0 && ((unsigned char)text[size] & 0xC0) == 0x80)
        size--;
    return size;
}

void json_note_unknown_key(struct json_notes *notes, struct unknown_keys *names,
                           const struct json_reader *reader, const char *object) {
    notes->unknown_keys++;
    if (notes->named_count == NAMED_KEYS_MAX)
        return;
    char name[UNKNOWN_NAME_MAX];
    struct json_output output = {name, name + sizeof name, false};
    if (*object != '\0') {
        json_output_put(&output, object, cut_at_character(object, sizeof name - 1));
        json_output_put(&output, ".", 1);
    }
    struct json_raw key = reader->key;
    size_t room = (size_t)(output.end - output.at);
    if (key.plain && key.size > room)
        key.size = room; // the beginning of a long name is better than none
    json_output_text(&output, key);
    int index = unknown_keys_find(names, (struct text){name, (uint32_t)(output.at - name)});
    if (index >= 0)
        notes->named_keys[notes->named_count++] = (uint8_t)index;
}
