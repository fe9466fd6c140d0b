#include "streaming/declare/placeholder.h"

#include <stdlib.h>

#include "base/check.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
                  plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";

/* Reads what begins with "${" at `at`. NULL: it is not a placeholder; otherwise, where it ends. */
static const char *read(const char *at, struct placeholder *found) {
    size_t size = strspn(at + 2, plain);
    const char *end = at + 2 + size;
    found->name = (struct text){at + 2, (uint32_t)size};
    found->has_otherwise = strncmp(end, ":-", 2) == 0;
    found->otherwise = (struct text){0};
    if (size == 0 || size > PLACEHOLDER_NAME_MAX || strchr(letters, at[2]) == NULL)
        return NULL;
    if (found->has_otherwise) {
        found->otherwise = (struct text){end + 2, (uint32_t)strcspn(end + 2, "}")};
        end += 2 + found->otherwise.length;
    }
    return *end == '}' ? end + 1 : NULL;
}

bool placeholders_check(const char *value, struct error *err) {
    struct placeholder found;
    for (const char *at = value; (at = strstr(at, "${")) != NULL;) {
        at = read(at, &found);
        if (at == NULL)
            return error_set(err, ERROR_CONFIG,
                             "'%s': expected ${NAME} or ${NAME:-default}, where NAME has at most "
                             "%d capital letters, digits and underscores, the first a letter",
                             value, PLACEHOLDER_NAME_MAX);
    }
    return true;
}

bool placeholder_next(const char **at, struct placeholder *found) {
    const char *begin = *at, *dollar = strstr(begin, "${");
    size_t size = dollar != NULL ? (size_t)(dollar - begin) : strlen(begin);
    found->before = (struct text){begin, (uint32_t)size};
    *at = dollar != NULL ? read(dollar, found) : begin + size;
    check(*at != NULL);
    return dollar != NULL;
}

static void add(char **text, const char *bytes, size_t size) {
    char *longer = text_format("%s%.*s", *text, (int)size, bytes);
    free(*text);
    *text = longer;
}

char *placeholders_replace(const char *value, const char *(*find)(void *context, struct text name),
                           void *context, struct text *missing) {
    char *text = text_copy("");
    struct placeholder found;
    while (placeholder_next(&value, &found)) {
        const char *known = find(context, found.name);
        add(&text, found.before.bytes, found.before.length);
        if (known != NULL) {
            add(&text, known, strlen(known));
        } else if (found.has_otherwise) {
            add(&text, found.otherwise.bytes, found.otherwise.length);
        } else {
            *missing = found.name;
            free(text);
            return NULL;
        }
    }
    add(&text, found.before.bytes, found.before.length);
    return text;
}
