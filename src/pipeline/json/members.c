/* Members are read along the record's stops (stops.h), without searching. Producers write their
 * keys in the same order and with the same whitespace nearly always. So for each column we
 * remember which key came after it, with all bytes around that key, and compare this first.
 * Only if it differs, the key is read and looked up, and after some misses it becomes the new
 * prediction.
 *
 * Where keys come in another order each time, a prediction is for nothing, and a wrong guess of the
 * next type at each second member costs more than reading it. Such records are read in two steps:
 * the members are found, which is the same for all types, and then read in the order of the
 * columns. This took such records from 820 to 580 ns.
 *
 * What must stay true: where a member is read here, column.h would have set the same value and
 * stopped after the same byte. Anything in doubt is left to it. */
#include "pipeline/json/members.h"

#include "base/check.h"
#include "base/digits.h"
#include "pipeline/json/value.h"

/* ---- keys: an open hash table, made once for a schema ---- */

/* At least; twice as many as columns, so that a lookup meets an empty slot soon. */
enum { KEY_SLOTS_MIN = 1024 };

/* From the size, the first eight bytes and the last two: where the names of a schema differ. */
static inline size_t key_slot(const struct json_keys *keys, const char *bytes, size_t size) {
    static const uint64_t masks[WORD_SIZE] = {
        0, 0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF, 0xFFFFFFFFFF, 0xFFFFFFFFFFFF, 0xFFFFFFFFFFFFFF};
    uint16_t last;
    memcpy(&last, bytes + size - sizeof last, sizeof last);
    uint64_t first = word_load(bytes) & (size < WORD_SIZE ? masks[size] : UINT64_MAX);
    uint64_t hash = (first + size + ((uint64_t)last << 40)) * UINT64_C(0x9E3779B97F4A7C15);
    return hash >> keys->slot_shift; // 2^64 / golden ratio
}

static inline size_t next_slot(const struct json_keys *keys, size_t slot) {
    return (slot + 1) & (UINT64_MAX >> keys->slot_shift);
}

/* The column of a plain key between two quotes, with JSON_PREFIX_MAX readable bytes behind it.
 * `has_prefix` is json_has_prefix() or another version of it. */
static inline __attribute__((always_inline)) int
find_plain_key(const struct json_keys *keys, const char *bytes, size_t size,
               bool (*has_prefix)(const char *at, const struct json_prefix *prefix)) {
    for (size_t slot = key_slot(keys, bytes, size); keys->slots[slot] != 0;
         slot = next_slot(keys, slot)) {
        int column = keys->slots[slot] - 1;
        const struct json_key_name *name = &keys->names[column];
        // A head with the quote in it says that the key ends there.
        if (has_prefix(bytes, &name->head) &&
            (size < JSON_PREFIX_MAX ||
             (name->name.length == size && memcmp(name->name.bytes, bytes, size) == 0)))
            return column;
    }
    return -1;
}

/* A key with the bytes around it that find_plain_key() needs. */
struct quoted_key {
    char bytes[1 + SCHEMA_KEY_MAX + 1 + JSON_PREFIX_MAX];
};

/* The key's characters are behind the quote; their number, 0: too many. */
static size_t quote_key(struct json_raw key, struct quoted_key *quoted) {
    char *start = quoted->bytes + 1;
    struct json_output output = {start, start + SCHEMA_KEY_MAX, false};
    json_output_text(&output, key);
    quoted->bytes[0] = '"';
    memset(output.at, 0, 1 + JSON_PREFIX_MAX);
    *output.at = '"';
    return output.is_full ? 0 : (size_t)(output.at - start);
}

/* A key is in the table already if a column before this one is in the same object. */
static bool has_tree(const struct json_keys *keys, const struct record_schema *schema,
                     size_t column) {
    for (size_t i = 0; i < column; i++)
        if (keys->is_tree[i] && strcmp(column_key(&schema->columns[i], 0),
                                       column_key(&schema->columns[column], 0)) == 0)
            return true;
    return false;
}

static void add_key(struct json_keys *keys, const char *name, size_t column) {
    struct quoted_key quoted;
    const char *key = quoted.bytes + 1;
    struct json_raw raw = {.bytes = name, .size = strlen(name), .plain = true};
    size_t size = quote_key(raw, &quoted);
    check(size > 0 && find_plain_key(keys, key, size, json_has_prefix) < 0);
    keys->names[column].name = (struct text){name, (uint32_t)size};
    json_prefix_set(&keys->names[column].head, key,
                    size < JSON_PREFIX_MAX ? size + 1 : JSON_PREFIX_MAX);

    size_t slot = key_slot(keys, key, size);
    while (keys->slots[slot] != 0)
        slot = next_slot(keys, slot);
    keys->slots[slot] = (uint16_t)(column + 1);
}

void json_keys_init(struct json_keys *keys, const struct record_schema *schema) {
    size_t count = schema->count, slots = KEY_SLOTS_MIN;
    while (slots < 2 * count)
        slots *= 2;
    check(count < UINT16_MAX);
    *keys = (struct json_keys){.count = count,
                               .slots = must_alloc(slots, sizeof *keys->slots),
                               .slot_shift = (unsigned)__builtin_clzll(slots) + 1,
                               .is_tree = must_alloc(count, sizeof *keys->is_tree),
                               .names = must_alloc(count, sizeof *keys->names)};
    for (size_t i = 0; i < count; i++) {
        bool is_tree = json_fields_has_tree(&schema->columns[i]);
        if (is_tree && has_tree(keys, schema, i))
            continue;
        keys->is_tree[i] = is_tree;
        add_key(keys, column_key(&schema->columns[i], 0), i);
    }
}

void json_keys_deinit(struct json_keys *keys) {
    free(keys->slots);
    free(keys->is_tree);
    free(keys->names);
}

int json_keys_find(const struct json_keys *keys, struct json_raw key) {
    struct quoted_key quoted;
    size_t size = quote_key(key, &quoted);
    return size == 0 ? -1 : find_plain_key(keys, quoted.bytes + 1, size, json_has_prefix);
}

int json_keys_find_plain(const struct json_keys *keys, struct json_raw key, const char *end) {
    if (key.size == 0 || (size_t)(end - key.bytes) < key.size + JSON_PREFIX_MAX)
        return json_keys_find(keys, key);
    return find_plain_key(keys, key.bytes, key.size, json_has_prefix);
}

/* How many misses a prediction outlives: once it has been right, and when it is new. Where keys
 * come in no order, learning at every miss would be for nothing. */
enum { CONFIDENCE_MAX = 8, CONFIDENCE_NEW = 4 };

/* With more misses than that in one record, keys come in no order; so many records are then read
 * without expecting one. */
enum { MISSES_MAX = 6, RECORDS_SCATTERED = 64 };

/* Only for schemas with so few columns: those that came are bits of one word. */
enum { SCATTERED_COLUMNS_MAX = 64 };

void json_members_init(struct json_members *members, const struct json_keys *keys, bool fastest) {
    memset(members, 0, sizeof *members);
    members->keys = keys;
    members->predictions = must_alloc(keys->count + 1, sizeof *members->predictions);
    // Nothing is known yet: a pattern of no size, before a byte that no value starts with.
    for (size_t i = 0; i <= keys->count; i++)
        members->predictions[i].pattern = (struct json_prefix){.bytes = "}", .needed = 1};
    json_stops_init(&members->stops, fastest);
#ifdef JSON_HAS_X86
    members->has_avx2 = fastest && __builtin_cpu_supports("avx2") &&
                        __builtin_cpu_supports("bmi") && __builtin_cpu_supports("popcnt");
#endif
}

void json_members_set_kernel(struct json_members *members, size_t kernel) {
    check(kernel < json_stops_kernel_count && json_stops_kernels[kernel].is_supported());
    members->stops.find = json_stops_kernels[kernel].find;
    members->has_avx2 =
        members->has_avx2 && strncmp(json_stops_kernels[kernel].name, "avx", 3) == 0;
}

void json_members_deinit(struct json_members *members) {
    free(members->predictions);
}

void json_members_open(struct json_members *members, const char *bytes, size_t size) {
    members->has_record = !members->is_off && size <= JSON_STOPS_RECORD_MAX;
    if (members->has_record)
        json_stops_read(&members->stops, bytes, size);
    members->stop = members->stops.at;
}

HOT const char *skip_blanks(const char *at) {
    while (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')
        at++;
    return at;
}

/* Moves over stops before `at`. */
HOT const uint16_t *skip_stops(const char *bytes, const uint16_t *stop, const char *at) {
    while (bytes + *stop < at)
        stop++;
    return stop;
}

/* Remembers the bytes between two values, for the next record. */
static void learn(struct json_members *members, struct json_prediction *prediction,
                  struct json_cursor from, struct json_cursor value, int column) {
    // Whitespace that is a stop as well would need counting at each match: it is rare enough.
    size_t size = (size_t)(value.at - from.at);
    if (size > JSON_PREFIX_MAX || value.stop - from.stop != 2)
        return;
    json_prefix_set(&prediction->pattern, from.at, size);
    prediction->size = (uint8_t)size;
    prediction->column = (uint16_t)column;
    prediction->confidence = CONFIDENCE_NEW;
    prediction->next = &members->predictions[column + 1];
}

/* Reads the next key and moves to its value. The column, or -1: no key of a column, an object's, or
 * not in the usual form. */
HOT int find_member(struct json_members *members, const char *bytes,
                    struct json_prediction *prediction, struct json_cursor *cursor,
                    struct kernel kernel) {
    const char *at = skip_blanks(cursor->at);
    if (prediction != members->predictions) {
        if (*at != ',')
            return -1;
        at = skip_blanks(at + 1);
    }
    const uint16_t *quote = skip_stops(bytes, cursor->stop, at);
    const char *end = bytes + quote[1];
    if (*at != '"' || *end != '"')
        return -1;
    int column = find_plain_key(members->keys, at + 1, (size_t)(end - at - 1), kernel.has_prefix);
    const char *colon = skip_blanks(end + 1);
    if (column < 0 || *colon != ':' || members->keys->is_tree[column])
        return -1;

    struct json_cursor value = {.at = skip_blanks(colon + 1)};
    value.stop = skip_stops(bytes, quote + 2, value.at);
    if (prediction->confidence > 0)
        prediction->confidence--;
    else
        learn(members, prediction, *cursor, value, column);
    *cursor = value;
    return column;
}

static void note_null_identifier(struct json_progress *progress, size_t at) {
    progress->identifier_is_null = true;
    progress->identifier_at = at;
}

HOT struct json_cursor read_members(struct json_members *members, struct json_row *shared,
                                    struct json_progress *progress, struct json_cursor cursor,
                                    struct kernel kernel) {
    struct json_row local = *shared, *row = &local;
    struct json_prediction *prediction = &members->predictions[progress->previous + 1];
    unsigned misses = 0;
    for (struct json_cursor member = cursor;; cursor = member) {
        struct json_prediction *next;
        struct vector *vector;
        if (kernel.has_prefix(member.at, &prediction->pattern)) {
            prediction->confidence = CONFIDENCE_MAX;
            vector = &row->columns[prediction->column];
            next = prediction->next;
            member = (struct json_cursor){member.at + prediction->size, member.stop + 2};
        } else {
            int column = find_member(members, row->bytes, prediction, &member, kernel);
            if (column < 0)
                break;
            misses++;
            vector = &row->columns[column];
            next = &members->predictions[column + 1];
        }
        const char *value = member.at;
        bool is_null;
        if (!read_value(row, &member, vector, kernel, &is_null))
            break;
        if (is_null && vector == row->columns)
            note_null_identifier(progress, (size_t)(value - row->bytes));
        prediction = next;
    }
    shared->texts = local.texts;
    if (misses > MISSES_MAX && members->keys->count <= SCATTERED_COLUMNS_MAX)
        members->scattered = RECORDS_SCATTERED;
    progress->previous = (int)(prediction - members->predictions) - 1;
    return cursor;
}

static struct json_cursor read_members_baseline(struct json_members *members, struct json_row *row,
                                                struct json_progress *progress,
                                                struct json_cursor cursor) {
    return read_members(members, row, progress, cursor, kernel_baseline);
}

#ifdef JSON_HAS_X86
JSON_AVX2 static struct json_cursor read_members_avx2(struct json_members *members,
                                                      struct json_row *row,
                                                      struct json_progress *progress,
                                                      struct json_cursor cursor) {
    return read_members(members, row, progress, cursor, kernel_avx2);
}
#else
#define read_members_avx2 read_members_baseline
#endif

// Records whose keys come in another order each time.

/* Where a member's value is. */
struct found_member {
    const char *value, *end; // where it starts, where it must end
    const uint16_t *stop;    // the first at or behind its start
};

/* The columns' values; those whose bits are in `present` came. */
struct found_members {
    uint64_t present;
    struct found_member columns[SCATTERED_COLUMNS_MAX];
};

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
                     struct found_members *found_members, struct kernel kernel) {
    const uint16_t *behind = members->stops.at + members->stops.count;
    int count = 0;
    found_members->present = 0;
    do {
        const char *key = bytes + *stop + 1, *end = bytes + stop[1];
        if (key[-1] != '"' || end[0] != '"' || end[1] != ':')
            return -1;
        int column = find_plain_key(members->keys, key, (size_t)(end - key), kernel.has_prefix);
        if (column < 0 || members->keys->is_tree[column])
            return -1;
        count++;
        found_members->present |= UINT64_C(1) << column;
        struct found_member *found = &found_members->columns[column];
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
            return count == __builtin_popcountll(found_members->present) ? column : -1;
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
HOT bool read_found(struct json_row *shared, const struct found_members *found_members,
                    struct json_progress *progress, struct kernel kernel) {
    struct json_row local = *shared, *row = &local;
    for (uint64_t rest = found_members->present; rest != 0; rest &= rest - 1) {
        unsigned column = (unsigned)__builtin_ctzll(rest);
        const struct found_member *found = &found_members->columns[column];
        struct json_cursor cursor = {found->value, found->stop};
        bool is_null;
        if (!read_value(row, &cursor, &row->columns[column], kernel, &is_null) ||
            cursor.at != found->end)
            return false;
        if (is_null && column == 0)
            note_null_identifier(progress, (size_t)(found->value - row->bytes));
    }
    shared->texts = local.texts;
    return true;
}

/* As if nothing had been read. */
static void take_back(const struct json_row *row, uint64_t columns,
                      struct json_progress *progress) {
    for (; columns != 0; columns &= columns - 1)
        row->columns[__builtin_ctzll(columns)].valid[row->index] = 0;
    progress->identifier_is_null = false;
}

/* A whole record, from its first member on, which is at *cursor; then *cursor is at its closing
 * brace. False: not all of it is in the usual form, in compact or Python's style, each key once and
 * a column's: it has to be read in another way from the start. */
HOT bool read_scattered(struct json_members *members, struct json_row *row,
                        struct json_progress *progress, struct json_cursor *cursor,
                        struct kernel kernel) {
    const struct json_stops *stops = &members->stops;
    const char *brace = row->bytes + stops->size - 1;
    if (cursor->at != row->bytes + *cursor->stop || *cursor->at != '"' || *brace != '}')
        return false;
    struct found_members found_members;
    int last = find_members(members, row->bytes, cursor->stop, &found_members, kernel);
    if (last < 0)
        return false;
    if (!read_found(row, &found_members, progress, kernel)) {
        take_back(row, found_members.present, progress);
        return false;
    }
    progress->previous = last;
    *cursor = (struct json_cursor){brace, stops->at + stops->count};
    return true;
}

static bool read_scattered_baseline(struct json_members *members, struct json_row *row,
                                    struct json_progress *progress, struct json_cursor *cursor) {
    return read_scattered(members, row, progress, cursor, kernel_baseline);
}

#ifdef JSON_HAS_X86
JSON_AVX2 static bool read_scattered_avx2(struct json_members *members, struct json_row *row,
                                          struct json_progress *progress,
                                          struct json_cursor *cursor) {
    return read_scattered(members, row, progress, cursor, kernel_avx2);
}
#else
#define read_scattered_avx2 read_scattered_baseline
#endif

static bool read_scattered_fastest(struct json_members *members, struct json_row *row,
                                   struct json_progress *progress, struct json_cursor *cursor) {
    return members->has_avx2 ? read_scattered_avx2(members, row, progress, cursor)
                             : read_scattered_baseline(members, row, progress, cursor);
}

void json_members_read(struct json_members *members, const struct timestamp_context *context,
                       struct rows *rows, struct json_progress *progress) {
    const struct json_stops *stops = &members->stops;
    if (!members->has_record)
        return;
    // No text is longer than in the record, so this is room for all that are left.
    char *texts = arena_alloc_bytes(&rows->strings, stops->size - progress->at + JSON_STOPS_SLACK);
    if (texts == NULL)
        return;
    struct json_row row = {.bytes = json_stops_bytes(stops),
                           .context = context,
                           .declared = rows->schema->inputs,
                           .columns = rows->inputs,
                           .index = rows->count,
                           .texts = texts};
    struct json_cursor cursor = {.at = row.bytes + progress->at};
    cursor.stop = skip_stops(row.bytes, members->stop, cursor.at);
    if (progress->previous < 0 && members->scattered > 0)
        members->scattered--;
    if (progress->previous >= 0 || members->scattered == 0 ||
        !read_scattered_fastest(members, &row, progress, &cursor))
        cursor = members->has_avx2 ? read_members_avx2(members, &row, progress, cursor)
                                   : read_members_baseline(members, &row, progress, cursor);
    arena_rewind(&rows->strings, (size_t)(row.texts - (char *)rows->strings.base));
    members->stop = cursor.stop;
    progress->at = (size_t)(cursor.at - row.bytes);
}
