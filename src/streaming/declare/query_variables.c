#include "streaming/declare/query_variables.h"

#include <string.h>

#include "streaming/declare/placeholder.h"

struct collection {
    struct query_variable *variables;
    size_t count;
    struct pool *pool;
};

/* The variable of this name, which may be a new one. */
static struct query_variable *find(struct collection *collection, struct text name) {
    size_t i = 0;
    while (i < collection->count && !text_equals(text_borrow(collection->variables[i].name), name))
        i++;
    if (i == QUERY_VARIABLES_MAX)
        return NULL;
    if (i == collection->count) {
        collection->count++;
        collection->variables[i] =
            (struct query_variable){.name = pool_copy(collection->pool, name)};
    }
    return &collection->variables[i];
}

static void note_user(struct query_variable *variable, const struct stream *stream,
                      struct pool *pool) {
    if (variable->last == stream)
        return;
    variable->users = variable->last == NULL
                          ? stream->name
                          : pool_format(pool, "%s, %s", variable->users, stream->name);
    variable->last = stream;
}

/* The names in value number `index` of the stream. Returns how many there was no room for. */
static size_t collect(struct collection *collection, const struct stream *stream, size_t index) {
    struct placeholder found;
    size_t beyond = 0;
    for (const char *at = stream->values[index].value; placeholder_next(&at, &found);) {
        struct query_variable *variable = find(collection, found.name);
        if (variable == NULL) {
            beyond++;
            continue;
        }
        if (variable->otherwise == NULL && found.has_otherwise)
            variable->otherwise = pool_copy(collection->pool, found.otherwise);
        variable->is_topic = variable->is_topic || (index == 0 && stream->topic_setting != NULL);
        note_user(variable, stream, collection->pool);
    }
    return beyond;
}

size_t query_variables(struct query_variable variables[static QUERY_VARIABLES_MAX],
                       struct pool *pool) {
    struct collection collection = {.variables = variables, .pool = pool};
    size_t beyond = 0;
    for (size_t i = 0; streams[i] != NULL; i++)
        for (size_t j = 0; j < streams[i]->value_count; j++)
            beyond += collect(&collection, streams[i], j);
    return collection.count + beyond;
}
