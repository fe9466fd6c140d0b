/* A column is given up at its first value that is a text, so that a table is usually done after one
 * directory per level. */
#include "streaming/store/partition_kinds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/disk/file.h"
#include "core/date_text.h"

enum { VALUE_MAX = 64, LOOKS_MAX = 5000 };

/* ---- one value ---- */

static bool is_number(const char *text) {
    char *end;
    text += strspn(text, " ");
    if (strcmp(text, "NaN") == 0 || strcmp(text, "Infinity") == 0 || strcmp(text, "-Infinity") == 0)
        return true;
    if (text[strspn(text, "+-.0123456789eExXabcdfABCDF")] != '\0' ||
        strpbrk(text, "0123456789") == NULL)
        return false;
    (void)strtod(text, &end);
    // Java's suffixes of a number.
    if (end != text && strchr("dDfF", *end) != NULL && *end != '\0')
        end++;
    return end != text && *end == '\0';
}

/* A date with all its parts, and perhaps a time of day. */
static bool is_moment(const char *text) {
    int32_t days;
    size_t size = strcspn(text, " T");
    const char *first = memchr(text, '-', size);
    const char *rest = text + size;
    return first != NULL && memchr(first + 1, '-', size - (size_t)(first + 1 - text)) != NULL &&
           date_text_parse((struct text){text, (uint32_t)size}, &days) &&
           (*rest == '\0' || rest[1 + strspn(rest + 1, "0123456789:.+-Z")] == '\0');
}

enum value_kind value_kind_of(struct text value) {
    char text[VALUE_MAX];
    if (value.length == 0 || value.length >= sizeof text)
        return VALUE_TEXT;
    memcpy(text, value.bytes, value.length);
    text[value.length] = '\0';
    if (strlen(text) != value.length)
        return VALUE_TEXT;
    if (strcasecmp(text, "true") == 0 || strcasecmp(text, "false") == 0)
        return VALUE_BOOLEAN;
    return is_number(text) ? VALUE_NUMBER : is_moment(text) ? VALUE_MOMENT : VALUE_TEXT;
}

/* ---- a table ---- */

struct kinds {
    const struct store_options *options;
    bool is_open[MISLEADING_COLUMNS_MAX]; // no value was a text so far
    struct misleading_column columns[MISLEADING_COLUMNS_MAX];
    size_t last; // column that is open
    size_t looks;
};

/* One directory of a level. */
struct level {
    struct kinds *kinds;
    const char *directory;
    size_t column;
};

static void look(struct kinds *kinds, const char *directory, size_t column);

/* The value as text: %3A is a colon, and what else is escaped is in no number or date. */
static struct text unescaped(const char *name, char room[static VALUE_MAX]) {
    size_t size = 0;
    for (; *name != '\0' && size < VALUE_MAX - 1; name++) {
        bool is_colon = strncmp(name, "%3A", 3) == 0;
        room[size++] = is_colon ? ':' : *name;
        name += is_colon ? 2 : 0;
    }
    return (struct text){room, (uint32_t)size};
}

static void note(struct kinds *kinds, size_t column, const char *value) {
    struct misleading_column *of = &kinds->columns[column];
    char room[VALUE_MAX];
    if (!kinds->is_open[column] || strcmp(value, "__HIVE_DEFAULT_PARTITION__") == 0)
        return;
    enum value_kind kind = value_kind_of(unescaped(value, room));
    kinds->is_open[column] = kind != VALUE_TEXT && (of->kind == VALUE_TEXT || of->kind == kind);
    // Zeros in front and behind are what is lost.
    if (of->kind == VALUE_TEXT || strlen(value) > strlen(of->example))
        (void)snprintf(of->example, sizeof of->example, "%s", value);
    of->kind = kind;
}

static bool visit(void *context, const char *name) {
    struct level *level = context;
    struct kinds *kinds = level->kinds;
    const char *value = strchr(name, '=');
    if (value == NULL || name[0] == '_' || name[0] == '.')
        return true;
    note(kinds, level->column, value + 1);
    while (kinds->last > 0 && !kinds->is_open[kinds->last - 1])
        kinds->last--;
    if (level->column + 1 < kinds->last)
        look(kinds, file_join(level->directory, name).text, level->column + 1);
    return ++kinds->looks < LOOKS_MAX && level->column < kinds->last;
}

/* Recursion is as deep as there are columns. */
static void look(struct kinds *kinds, const char *directory, size_t column) {
    struct error ignored;
    struct level level = {kinds, directory, column};
    (void)file_list(directory, visit, &level, &ignored);
}

size_t partition_kinds_find(const struct store_options *options,
                            struct misleading_column found[static MISLEADING_COLUMNS_MAX]) {
    struct schema schema;
    struct kinds kinds = {.options = options};
    size_t count = 0;
    if (options->stream == NULL)
        return 0;
    stream_schema(options->stream, &schema);
    for (size_t i = 0; i < options->partition_by_count && i < MISLEADING_COLUMNS_MAX; i++) {
        int column = schema_find(&schema, text_borrow(options->partition_by[i]));
        kinds.columns[i].name = options->partition_by[i];
        kinds.is_open[i] = column >= 0 && schema.columns[column].type == TYPE_STRING;
        kinds.last = kinds.is_open[i] ? i + 1 : kinds.last;
    }
    if (kinds.last > 0)
        look(&kinds, options->table, 0);
    for (size_t i = 0; i < kinds.last; i++)
        if (kinds.is_open[i] && kinds.columns[i].kind != VALUE_TEXT)
            found[count++] = kinds.columns[i];
    return count;
}

void misleading_column_print(const struct misleading_column *column,
                             char text[static MISLEADING_TEXT_MAX]) {
    static const char *const kinds[] = {
        [VALUE_NUMBER] = "numbers", [VALUE_MOMENT] = "dates", [VALUE_BOOLEAN] = "truth values"};
    static const char *const losses[] = {
        [VALUE_NUMBER] = "; 01 becomes 1", [VALUE_MOMENT] = "", [VALUE_BOOLEAN] = ""};
    (void)snprintf(text, MISLEADING_TEXT_MAX,
                   "partition column '%s' is STRING, but all of its values look like %s, such as "
                   "'%s': readers that guess the type from the directories do not return a text%s. "
                   "Tell readers its type (docs/reading.md)",
                   column->name, kinds[column->kind], column->example, losses[column->kind]);
}
