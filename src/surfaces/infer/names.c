#include "surfaces/infer/names.h"

#include <string.h>

#include "core/data_type.h"
#include "sql/syntax/parse.h"

enum { NAME_MAX_LENGTH = 60 };

static bool is_lower(char byte) {
    return byte >= 'a' && byte <= 'z';
}

static bool is_upper(char byte) {
    return byte >= 'A' && byte <= 'Z';
}

static bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

/* Whether a word starts at this letter: "gameId" at I, "URLPath" at P. */
static bool starts_word(const char *name, const char *at) {
    if (at == name || !is_upper(*at))
        return false;
    return is_lower(at[-1]) || is_digit(at[-1]) || (is_upper(at[-1]) && is_lower(at[1]));
}

const char *name_snake(const char *name, struct pool *pool) {
    char text[NAME_MAX_LENGTH + 2];
    size_t used = 0;
    for (const char *at = name; *at != '\0' && used < NAME_MAX_LENGTH; at++) {
        bool is_part = is_lower(*at) || is_upper(*at) || is_digit(*at);
        if ((!is_part || starts_word(name, at)) && used > 0 && text[used - 1] != '_')
            text[used++] = '_';
        if (is_part && used < NAME_MAX_LENGTH)
            text[used++] = is_upper(*at) ? (char)(*at - 'A' + 'a') : *at;
    }
    while (used > 0 && text[used - 1] == '_')
        used--;
    text[used] = '\0';
    if (used == 0)
        return "field";
    return pool_format(pool, "%s%s", is_digit(text[0]) ? "n" : "", text);
}

bool name_has_word(const char *name, const char *const *words, size_t count) {
    struct pool pool;
    pool_init(&pool);
    const char *snake = name_snake(name, &pool);
    bool found = false;
    for (const char *at = snake; at != NULL && !found;) {
        size_t size = strcspn(at, "_");
        for (size_t i = 0; i < count && !found; i++)
            found = strlen(words[i]) == size && memcmp(words[i], at, size) == 0;
        at = at[size] == '_' ? at + size + 1 : NULL;
    }
    pool_deinit(&pool);
    return found;
}

const char *name_as_field(const char *name, struct pool *pool) {
    return name_is_plain(name) ? name : name_quoted(name, pool);
}

const char *name_as_start(const char *name, struct pool *pool) {
    struct error ignored = {0};
    struct sql_node *node;
    bool is_name = name_is_plain(name) &&
                   sql_parse_expression(name, strlen(name), pool, &node, &ignored) &&
                   node->kind == SQL_NAME;
    return is_name ? name : name_quoted(name, pool);
}
