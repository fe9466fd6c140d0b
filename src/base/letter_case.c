/* letter_case.c: the tables are short, because most letters of a script are equally far from their
 * other case: a run says from where to where, of which every `step`-th character, and how far. What
 * becomes several characters has a table of its own. All are sorted, and searched by halves.
 *
 * The small sigma is the final one, if a letter with case is before it and none behind it;
 * characters that Unicode calls case-ignorable, such as accents, are skipped on both sides. */
#include "base/letter_case.h"

#include <stdbool.h>
#include <string.h>

#include "base/letter_table.h"
#include "base/utf8.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

enum { CAPITAL_SIGMA = 0x3A3, FINAL_SIGMA = 0x3C2, LONGER_MAX = 3 };

struct letter_tables {
    const struct case_run *runs;
    const struct case_longer *longer;
    size_t run_count, longer_count;
};

static const struct letter_tables to_upper = {upper_runs, upper_longer, COUNT(upper_runs),
                                              COUNT(upper_longer)};
static const struct letter_tables to_lower = {lower_runs, lower_longer, COUNT(lower_runs),
                                              COUNT(lower_longer)};

static uint32_t map(const struct letter_tables *tables, uint32_t character) {
    size_t low = 0, high = tables->run_count;
    while (low < high) { // the last run that begins at the character or before
        size_t middle = (low + high) / 2;
        if (tables->runs[middle].first <= character)
            low = middle + 1;
        else
            high = middle;
    }
    const struct case_run *run = &tables->runs[low > 0 ? low - 1 : 0];
    bool is_in = character >= run->first && character <= run->last &&
                 (character - run->first) % run->step == 0;
    return is_in ? character + (uint32_t)run->distance : character;
}

static const uint32_t *map_to_several(const struct letter_tables *tables, uint32_t character) {
    size_t low = 0, high = tables->longer_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (tables->longer[middle].character == character)
            return tables->longer[middle].becomes;
        if (tables->longer[middle].character < character)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool is_in(const struct case_range *table, size_t count, uint32_t character) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (table[middle].last < character)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && table[low].first <= character;
}

/* ---- the final sigma ---- */

static bool has_case(uint32_t character) {
    return is_in(cased, COUNT(cased), character);
}

static bool is_ignored(uint32_t character) {
    return is_in(ignored, COUNT(ignored), character);
}

/* Whether a letter with case follows, perhaps behind others that are ignored. */
static bool is_letter_next(const char *at, const char *end) {
    while (at < end) {
        size_t size;
        bool valid;
        uint32_t character = utf8_decode(at, end, &size, &valid);
        if (!is_ignored(character))
            return has_case(character);
        at += size;
    }
    return false;
}

/* ---- texts ---- */

/* One for each part that no character begins with. An encoded surrogate does not encode a
 * character, so each of its bytes is one. */
static size_t put_replacements(const char *at, size_t size, char *out) {
    const unsigned char *bytes = (const unsigned char *)at;
    bool is_surrogate = size > 1 && bytes[0] == 0xED && bytes[1] >= 0xA0;
    size_t count = is_surrogate ? size : 1, used = 0;
    for (size_t i = 0; i < count; i++)
        used += utf8_encode(UTF8_REPLACEMENT, out + used);
    return used;
}

static size_t put_character(const struct letter_tables *tables, uint32_t character, char *out) {
    const uint32_t *several = map_to_several(tables, character);
    size_t used = 0;
    if (several == NULL)
        return utf8_encode(map(tables, character), out);
    for (size_t i = 0; i < LONGER_MAX && several[i] != 0; i++)
        used += utf8_encode(several[i], out + used);
    return used;
}

static size_t change(const struct letter_tables *tables, struct text text, char *out) {
    const char *at = text.bytes, *end = at + text.length;
    size_t used = 0;
    bool is_in_word = false; // behind a letter with case and what is ignored
    while (at < end) {
        size_t size;
        bool valid;
        uint32_t character = utf8_decode(at, end, &size, &valid);
        if (!valid)
            used += put_replacements(at, size, out + used);
        else if (character == CAPITAL_SIGMA && tables == &to_lower && is_in_word &&
                 !is_letter_next(at + size, end))
            used += utf8_encode(FINAL_SIGMA, out + used);
        else
            used += put_character(tables, character, out + used);
        if (!is_ignored(character))
            is_in_word = has_case(character);
        at += size;
    }
    return used;
}

size_t letters_to_upper(struct text text, char *out) {
    return change(&to_upper, text, out);
}

size_t letters_to_lower(struct text text, char *out) {
    return change(&to_lower, text, out);
}
