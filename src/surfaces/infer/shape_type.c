/* Values of one kind have one type. Values of several kinds are STRING, because from_json makes a
 * text of any JSON value, so nothing is lost. */
#include "surfaces/infer/shape_type.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "surfaces/infer/names.h"

static const char *const kind_names[SHAPE_KINDS] = {
    [SHAPE_BOOLEAN] = "boolean", [SHAPE_NUMBER] = "number", [SHAPE_TEXT] = "text",
    [SHAPE_OBJECT] = "object",   [SHAPE_ARRAY] = "array",
};

/* SHAPE_KINDS: none, or several. */
static enum shape_kind only_kind(const struct shape *shape, size_t *kinds) {
    enum shape_kind only = SHAPE_KINDS;
    *kinds = 0;
    for (enum shape_kind kind = 0; kind < SHAPE_KINDS; kind++)
        if (shape->counts[kind] > 0) {
            only = kind;
            ++*kinds;
        }
    return *kinds == 1 ? only : SHAPE_KINDS;
}

static enum type number_type(const struct shape *shape) {
    // A sample rarely has the largest value, and identifiers grow.
    const int64_t int_most = 99999999;
    if (shape->has_fraction)
        return TYPE_DOUBLE;
    if (shape->beyond_int64)
        return TYPE_DECIMAL;
    return shape->least >= -int_most && shape->most <= int_most ? TYPE_INT32 : TYPE_INT64;
}

static enum type text_type(const struct shape *shape) {
    if (shape->has_other_text)
        return TYPE_STRING;
    return shape->has_moment ? TYPE_TIMESTAMP : TYPE_DATE;
}

enum type shape_type(const struct shape *shape) {
    size_t kinds;
    switch (only_kind(shape, &kinds)) {
    case SHAPE_BOOLEAN:
        return TYPE_BOOL;
    case SHAPE_NUMBER:
        return number_type(shape);
    case SHAPE_TEXT:
        return text_type(shape);
    case SHAPE_OBJECT:
        if (shape->is_too_deep || (!shape->is_map && shape->field_count == 0))
            return TYPE_STRING;
        return shape->is_map ? TYPE_MAP : TYPE_STRUCT;
    case SHAPE_ARRAY:
        return shape->is_too_deep ? TYPE_STRING : TYPE_ARRAY;
    case SHAPE_KINDS:
        break;
    }
    return TYPE_STRING;
}

const char *shape_type_name(const struct shape *shape) {
    enum type type = shape_type(shape);
    return type == TYPE_DECIMAL ? "DECIMAL(38,0)" : type_sql_name(type);
}

enum epoch shape_epoch(const struct shape *shape, const char *key) {
    static const int64_t year_2000 = 946684800, year_2100 = 4102444800;
    static const char *const words[] = {"time",    "timestamp", "date",  "at",      "ts",
                                        "ms",      "start",     "begin", "end",     "creation",
                                        "created", "updated",   "since", "expires", "day"};
    size_t kinds;
    if (only_kind(shape, &kinds) != SHAPE_NUMBER || shape->has_fraction || shape->beyond_int64 ||
        !name_has_word(key, words, sizeof words / sizeof words[0]))
        return EPOCH_NONE;
    if (shape->least >= year_2000 && shape->most < year_2100)
        return EPOCH_SECONDS;
    if (shape->least >= year_2000 * 1000 && shape->most < year_2100 * 1000)
        return EPOCH_MILLIS;
    return EPOCH_NONE;
}

/* ---- comments ---- */

const char *comment_text(const char *text, struct pool *pool) {
    size_t length = strlen(text), used = 0, shown_size;
    char *shown = pool_alloc(pool, length + 1, ESCAPE_MAX);
    for (const char *at = text, *end = text + length; at < end;) {
        char next[ESCAPE_MAX];
        at += escape_next(at, end, next, &shown_size);
        memcpy(shown + used, next, shown_size);
        used += shown_size;
    }
    shown[used] = '\0';
    return shown;
}

static const char *join(const char *left, const char *right, struct pool *pool) {
    if (*left == '\0' || *right == '\0')
        return *left == '\0' ? right : left;
    return pool_format(pool, "%s; %s", left, right);
}

/* "text 12, object 3". */
static const char *list_kinds(const struct shape *shape, struct pool *pool) {
    const char *list = "";
    for (size_t i = 0; i < SHAPE_KINDS; i++)
        if (shape->counts[i] > 0)
            list = pool_format(pool, "%s%s%s %" PRId64, list, *list != '\0' ? ", " : "",
                               kind_names[i], shape->counts[i]);
    return list;
}

static const char *type_note(const struct shape *shape, struct pool *pool) {
    size_t kinds;
    enum shape_kind kind = only_kind(shape, &kinds);
    if (kinds == 0)
        return "always null: its type is unknown";
    if (kinds > 1)
        return pool_format(pool, "values of several types (%s), kept as text",
                           list_kinds(shape, pool));
    if (shape->is_too_deep)
        return pool_format(pool, "nested deeper than %d levels, kept as JSON text",
                           SHAPE_DEPTH_MAX);
    if (kind == SHAPE_OBJECT && !shape->is_map && shape->field_count == 0)
        return "only empty objects, kept as JSON text";
    if (kind == SHAPE_OBJECT && shape->is_map)
        return "a MAP, because the keys look like data";
    if (kind == SHAPE_ARRAY && shape->element == NULL)
        return "only empty arrays: the type of the elements is unknown";
    if (kind == SHAPE_TEXT && !shape->has_other_text && shape->has_local_moment)
        return "without a time zone: read in SPARK_SQL_SESSION_TIMEZONE";
    return "";
}

static const char *list_values(const struct shape *shape, struct pool *pool) {
    const char *list = "";
    size_t count = 0;
    for (; count < SHAPE_SAMPLES_MAX && shape->samples[count] != NULL; count++)
        list = pool_format(pool, "%s%s%s", list, count > 0 ? ", " : "",
                           comment_text(shape->samples[count], pool));
    bool has_more = count == SHAPE_SAMPLES_MAX && shape_distinct_count(shape) != SHAPE_SAMPLES_MAX;
    return has_more ? pool_format(pool, "%s, …", list) : list;
}

const char *shape_note(const struct shape *shape, int64_t holders, bool with_values,
                       struct pool *pool) {
    int64_t count = shape_total(shape) - shape->nulls;
    const char *note = with_values ? list_values(shape, pool) : "";
    if (count < holders && count > 0)
        note = join(note, pool_format(pool, "in %" PRId64 " of %" PRId64, count, holders), pool);
    return join(note, type_note(shape, pool), pool);
}
