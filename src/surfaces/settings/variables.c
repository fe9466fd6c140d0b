/* A file is read line by line: blanks, `export`, a name, '=', and a value that is bare, in single
 * or in double quotes. A quoted value ends in its line, and only a comment may follow it; a bare
 * one ends at a '#' behind a blank. A line that is none of this is a problem, told without its
 * text, which may be a secret. */
#include "surfaces/settings/variables.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/scope.h"
#include "base/text.h"

static const char *skip_blanks(const char *at) {
    return at + strspn(at, " \t");
}

static size_t name_size(const char *at) {
    size_t size = 0;
    while (isalnum((unsigned char)at[size]) || at[size] == '_')
        size++;
    return isdigit((unsigned char)*at) ? 0 : size;
}

/* Whether only a comment follows. */
static bool is_end(const char *at) {
    const char *next = skip_blanks(at);
    return *next == '\0' || (*next == '#' && next > at);
}

/* The rest of a double-quoted value into `value`. NULL: the quote doesn't end in this line. */
static const char *read_quoted(const char *at, char *value) {
    for (; *at != '"'; at++) {
        bool escape = *at == '\\';
        if (escape)
            at++;
        if (*at == '\0')
            return NULL;
        *value++ = (char)(escape && *at == 'n' ? '\n' : escape && *at == 't' ? '\t' : *at);
    }
    *value = '\0';
    return at + 1;
}

static bool read_value(const char *at, char *value) {
    const char *end;
    if (*at == '"') {
        end = read_quoted(at + 1, value);
        return end != NULL && is_end(end);
    }
    if (*at == '\'') {
        size_t size = strcspn(at + 1, "'");
        memcpy(value, at + 1, size);
        value[size] = '\0';
        end = at + 1 + size;
        return *end == '\'' && is_end(end + 1);
    }
    size_t size = strlen(at);
    for (size_t i = 0; i < size; i++)
        if (at[i] == '#' && (i == 0 || at[i - 1] == ' ' || at[i - 1] == '\t'))
            size = i;
    while (size > 0 && isspace((unsigned char)at[size - 1]))
        size--;
    memcpy(value, at, size);
    value[size] = '\0';
    return true;
}

/* `path` and `line`: where it is; NULL: in the environment. */
static void add_variable(struct variables *variables, const char *name, size_t size,
                         const char *value, const char *path, int line) {
    variables->items =
        reallocarray(variables->items, variables->count + 1, sizeof variables->items[0]);
    check(variables->items != NULL);
    struct variable *variable = &variables->items[variables->count++];
    *variable = (struct variable){.name = text_format("%.*s", (int)size, name),
                                  .value = text_copy(value),
                                  .where = path != NULL ? text_format("%s:%d", path, line)
                                                        : text_copy("environment"),
                                  .in_environment = path == NULL};
}

void variables_add_environment(struct variables *variables, char *const *environment) {
    for (char *const *entry = environment; *entry != NULL; entry++) {
        const char *equals = strchr(*entry, '=');
        if (equals != NULL)
            add_variable(variables, *entry, (size_t)(equals - *entry), equals + 1, NULL, 0);
    }
}

static void read_line(const char *text, const char *path, int line, struct variables *variables,
                      struct problems *problems) {
    const char *at = skip_blanks(text);
    if (*at == '\0' || *at == '#')
        return;
    if (strncmp(at, "export", 6) == 0 && (at[6] == ' ' || at[6] == '\t'))
        at = skip_blanks(at + 6);
    size_t size = name_size(at);
    const char *equals = skip_blanks(at + size);
    if (size == 0 || *equals != '=') { // the line may hold a secret: it is not shown
        problems_add(problems, "%s:%d: expected NAME=value, a comment or an empty line", path,
                     line);
        return;
    }
    char *value = must_alloc(strlen(equals) + 1, 1);
    if (read_value(skip_blanks(equals + 1), value))
        add_variable(variables, at, size, value, path, line);
    else
        problems_add(problems,
                     "%s:%d: %.*s: the quote must end on the same line, and only a comment may "
                     "follow it",
                     path, line, (int)size, at);
    free(value);
}

void variables_add_file(struct variables *variables, const char *path, struct problems *problems) {
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        problems_add(problems, "--env-file: '%s': %s", path, strerror(errno));
        return;
    }
    scoped(scope_free) char *text = NULL;
    size_t capacity = 0;
    int line = 0;
    errno = 0;
    for (ssize_t size; (size = getline(&text, &capacity, file)) >= 0;) {
        while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r'))
            text[--size] = '\0';
        const char *begin = line++ == 0 && strncmp(text, "\xef\xbb\xbf", 3) == 0 ? text + 3 : text;
        if (strlen(text) != (size_t)size)
            problems_add(problems, "%s:%d: the line contains a NUL byte", path, line);
        else
            read_line(begin, path, line, variables, problems);
    }
    if (ferror(file))
        problems_add(problems, "--env-file: '%s': %s", path, strerror(errno));
    (void)fclose(file); // read only
}

void variables_deinit(struct variables *variables) {
    for (size_t i = 0; i < variables->count; i++) {
        free(variables->items[i].name);
        free(variables->items[i].value);
        free(variables->items[i].where);
    }
    free(variables->items);
    *variables = (struct variables){0};
}

const struct variable *variables_find(const struct variables *variables, const char *name) {
    const struct variable *found = NULL;
    for (size_t i = 0; i < variables->count; i++) {
        const struct variable *variable = &variables->items[i];
        if (strcmp(variable->name, name) != 0)
            continue;
        if (variable->in_environment && *variable->value != '\0')
            return variable;
        if (!variable->in_environment)
            found = variable;
    }
    return found;
}
