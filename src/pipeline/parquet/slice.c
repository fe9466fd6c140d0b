#include "pipeline/parquet/slice.h"

#include "base/check.h"

void row_slice_init(struct row_slice *slice, const struct rows *rows) {
    slice->rows = rows;
    for (size_t i = 0; i < rows->schema->count; i++)
        slice->has_nulls[i] = memchr(rows->columns[i].valid, 0, rows->count) != NULL;
}

/* Copies the selected values. Inlined per width, so that a value is moved by one instruction. */
static inline __attribute__((always_inline)) void gather_all(const uint8_t *from,
                                                             const uint16_t *selection,
                                                             size_t count, size_t width,
                                                             uint8_t *values) {
    for (size_t i = 0; i < count; i++)
        memcpy(values + i * width, from + selection[i] * width, width);
}

/* The same without nulls. A null's value is written too and then overwritten by the next: cheaper
 * than a branch that nobody can predict. */
static inline __attribute__((always_inline)) void
gather_present(const uint8_t *from, const uint16_t *selection, size_t count, size_t width,
               const uint8_t *present, uint8_t *values) {
    for (size_t i = 0; i < count; i++) {
        size_t row = selection != NULL ? selection[i] : i;
        memcpy(values, from + row * width, width);
        values += present[i] * width;
    }
}

/* `all_of`: the selection when none of its rows is null, otherwise NULL. */
static inline __attribute__((always_inline)) void
gather_width(const uint8_t *from, const uint16_t *selection, const uint16_t *all_of, size_t count,
             size_t width, const uint8_t *present, uint8_t *values) {
    if (all_of != NULL)
        gather_all(from, all_of, count, width, values);
    else
        gather_present(from, selection, count, width, present, values);
}

/* Bytes that are 0, of bytes that are 0 or 1: the product's top byte is the sum of eight. */
static size_t count_nulls(const uint8_t *present, size_t count) {
    size_t ones = 0, at = 0;
    for (; at + 8 <= count; at += 8) {
        uint64_t eight;
        memcpy(&eight, present + at, sizeof eight);
        ones += eight * 0x0101010101010101u >> 56;
    }
    for (; at < count; at++)
        ones += present[at];
    return count - ones;
}

/* Values in the form that they are stored in, which may be where they are now: from the first on if
 * they get shorter, from the last on if they get longer. */
static void convert_values(enum type type, const void *from, enum type stored, void *to,
                           size_t count) {
    if (type == TYPE_INT8)
        for (size_t i = count; i > 0; i--)
            ((int32_t *)to)[i - 1] = ((const int8_t *)from)[i - 1];
    else if (type == TYPE_INT16)
        for (size_t i = count; i > 0; i--)
            ((int32_t *)to)[i - 1] = ((const int16_t *)from)[i - 1];
    else if (stored == TYPE_INT32)
        for (size_t i = 0; i < count; i++)
            ((int32_t *)to)[i] = (int32_t)((const int128_t *)from)[i];
    else
        for (size_t i = 0; i < count; i++)
            ((int64_t *)to)[i] = (int64_t)((const int128_t *)from)[i];
}

static struct column_slice gather(const struct row_slice *slice, size_t column,
                                  const uint16_t *selection, size_t count, struct bytes *room) {
    const struct vector *vector = &slice->rows->columns[column];
    bool has_nulls = slice->has_nulls[column];
    struct column_slice gathered = {
        .values = vector->values, .present = vector->valid, .rows = count};
    if (selection == NULL && !has_nulls)
        return gathered;

    room->size = 0;
    uint8_t *values = bytes_reserve(room, count * (sizeof(struct text) + 1));
    uint8_t *present = values + count * sizeof(struct text);
    gathered.values = values;
    if (has_nulls && selection != NULL) {
        gathered.present = present;
        gather_all(vector->valid, selection, count, 1, present);
    }
    gathered.nulls = has_nulls ? count_nulls(gathered.present, count) : 0;

    const uint16_t *all_of = gathered.nulls == 0 ? selection : NULL;
    switch (type_width(vector->type)) {
    case 1:
        gather_width(vector->values, selection, all_of, count, 1, gathered.present, values);
        break;
    case 2:
        gather_width(vector->values, selection, all_of, count, 2, gathered.present, values);
        break;
    case 4:
        gather_width(vector->values, selection, all_of, count, 4, gathered.present, values);
        break;
    case 8:
        gather_width(vector->values, selection, all_of, count, 8, gathered.present, values);
        break;
    default:
        check(type_width(vector->type) == sizeof(struct text));
        gather_width(vector->values, selection, all_of, count, sizeof(struct text),
                     gathered.present, values);
    }
    return gathered;
}

struct column_slice slice_gather(const struct row_slice *slice, size_t column, enum type stored,
                                 const uint16_t *selection, size_t count, struct bytes *room) {
    enum type type = slice->rows->columns[column].type;
    struct column_slice gathered = gather(slice, column, selection, count, room);
    if (type_width(type) == type_width(stored))
        return gathered;
    if (gathered.values == slice->rows->columns[column].values)
        room->size = 0;
    void *values = bytes_reserve(room, count * (sizeof(struct text) + 1));
    convert_values(type, gathered.values, stored, values, gathered.rows - gathered.nulls);
    gathered.values = values;
    return gathered;
}
