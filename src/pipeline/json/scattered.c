#include "pipeline/json/scattered.h"

#include "pipeline/json/value.h"

/* Where a member's value is. */
struct found {
    const char *value, *end; // where it starts, where it must end
    const uint16_t *stop;    // the first at or behind its start
};

/* The columns' values; those whose bits are in `present` came. */
struct findings {
    uint64_t present;
    struct found columns[SCHEMA_COLUMNS_MAX];
};

_Static_assert(SCHEMA_COLUMNS_MAX <= 64, "the columns present are bits of one word");

/* The stop behind the string whose opening quote is at *stop; NULL: not a string. */
static const uint16_t *skip_marked(const char *bytes, const uint16_t *stop) {
    for (stop++; bytes[*stop] != '"'; stop++) {
        if (bytes[*stop] == '\\')
            stop += stop[1] == *stop + 1 ? 1 : 0; // what is escaped may be a stop, too
        else if ((signed char)bytes[*stop] >= 0)
            return NULL;
    }
    return stop + 1;
}

/* Finds the members from `stop`, the first key's opening quote, on. The last one's column, or -1.
 */
HOT int find_members(const struct json_members *members, const char *bytes, const uint16_t *stop,
                     struct findings *findings, struct kernel kernel) {
    const uint16_t *behind = members->stops.at + members->stops.count;
    int count = 0;
    findings->present = 0;
    do {
        const char *key = bytes + *stop + 1, *end = bytes + stop[1];
        if (key[-1] != '"' || end[0] != '"' || end[1] != ':')
            return -1;
        int column =
            json_keys_find_plain(members->keys, key, (size_t)(end - key), kernel.has_prefix);
        if (column < 0)
            return -1;
        count++;
        findings->present |= UINT64_C(1) << column;
        struct found *found = &findings->columns[column];
        const char *value = end + 2 + (end[2] == ' ');
        stop += 2;
        found->value = value;
        found->stop = stop;
        // Whether it is a text can't be foreseen: without a branch.
        bool is_text = *value == '"', is_marked = bytes[stop[1]] != '"';
        if (is_text & is_marked) {
            stop = skip_marked(bytes, stop);
            if (stop == NULL)
                return -1;
        } else {
            stop += is_text ? 2 : 0;
        }
        if (stop >= behind) {
            // A key that came twice needs more thought.
            found->end = bytes + members->stops.size - 1;
            return count == __builtin_popcountll(findings->present) ? column : -1;
        }
        // Back from the next key's quote over its comma.
        const char *comma = bytes + *stop - 1;
        comma -= *comma == ' ';
        if (*comma != ',')
            return -1;
        found->end = comma;
    } while (true);
}

/* Into the row, in the order of the columns. */
HOT bool read_found(struct reading *shared, const struct findings *findings,
                    struct json_members_run *run, struct kernel kernel) {
    struct reading local = *shared, *reading = &local;
    for (uint64_t rest = findings->present; rest != 0; rest &= rest - 1) {
        unsigned column = (unsigned)__builtin_ctzll(rest);
        const struct found *found = &findings->columns[column];
        struct place place = {found->value, found->stop};
        bool is_null;
        if (!read_value(reading, &place, &reading->columns[column], kernel, &is_null) ||
            place.at != found->end)
            return false;
        if (is_null && column == 0) {
            run->identifier_is_null = true;
            run->identifier_at = (size_t)(found->value - reading->bytes);
        }
    }
    shared->texts = local.texts;
    return true;
}

/* As if nothing had been read. */
static void take_back(const struct reading *reading, uint64_t columns,
                      struct json_members_run *run) {
    for (; columns != 0; columns &= columns - 1)
        reading->columns[__builtin_ctzll(columns)].valid[reading->row] = 0;
    run->identifier_is_null = false;
}

HOT bool read_scattered(struct json_members *members, struct reading *reading,
                        struct json_members_run *run, struct place *place, struct kernel kernel) {
    const struct json_stops *stops = &members->stops;
    const char *brace = reading->bytes + stops->size - 1;
    if (place->at != reading->bytes + *place->stop || *place->at != '"' || *brace != '}')
        return false;
    struct findings findings;
    int last = find_members(members, reading->bytes, place->stop, &findings, kernel);
    if (last < 0)
        return false;
    if (!read_found(reading, &findings, run, kernel)) {
        take_back(reading, findings.present, run);
        return false;
    }
    run->previous = last;
    *place = (struct place){brace, stops->at + stops->count};
    return true;
}

static bool read_scattered_baseline(struct json_members *members, struct reading *reading,
                                    struct json_members_run *run, struct place *place) {
    return read_scattered(members, reading, run, place, kernel_baseline);
}

#ifdef JSON_HAS_X86
JSON_AVX2 static bool read_scattered_avx2(struct json_members *members, struct reading *reading,
                                          struct json_members_run *run, struct place *place) {
    return read_scattered(members, reading, run, place, kernel_avx2);
}
#else
#define read_scattered_avx2 read_scattered_baseline
#endif

bool json_scattered_read(struct json_members *members, struct reading *reading,
                         struct json_members_run *run, struct place *place) {
    return members->has_avx2 ? read_scattered_avx2(members, reading, run, place)
                             : read_scattered_baseline(members, reading, run, place);
}
