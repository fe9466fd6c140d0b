#include "streaming/cluster/engine/stream_names.h"

#include <string.h>

const char *stream_name(const struct stream_names *names, const char *what, struct pool *pool) {
    return pool_format(pool, "`%s%s`", names->prefix, what);
}

static bool begins(const char *name, const char *prefix) {
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

static bool is_taken(const struct query_plan *query, const char *prefix) {
    for (size_t i = 0; i < query->column_count; i++)
        if (begins(query->columns[i].name, prefix))
            return true;
    for (size_t i = 0; i < query->record.field_count; i++)
        if (begins(query->record.fields[i].name, prefix))
            return true;
    return false;
}

static const char *name_of_input(const struct stream_names *names, const struct plan_input *input,
                                 struct pool *pool) {
    if (input->kind == INPUT_PROCESSING_TIMESTAMP)
        return stream_name(names, "planned", pool);
    if (input->kind != INPUT_RECORD)
        return stream_name(names, plan_kafka_name(input->kind), pool);
    const char *name = names->parsed;
    for (size_t i = 0; i < input->path_length; i++)
        name = pool_format(pool, "%s.%s", name, name_quoted(input->path[i], pool));
    return name;
}

void stream_names_make(const struct query_plan *query, struct stream_names *names,
                       struct pool *pool) {
    static const char *const parts[VIEW_PARTS] = {
        [VIEW_POSITION] = "position", [VIEW_ELEMENT] = "element", [VIEW_VALUE] = "member"};
    names->prefix = "_";
    while (is_taken(query, names->prefix))
        names->prefix = pool_format(pool, "%s_", names->prefix);
    names->parsed = stream_name(names, "parsed", pool);
    size_t count = stream_names_of_view(query, query->view_count);
    const char **used = pool_alloc(pool, count, sizeof *used);
    for (size_t i = 0; i < query->input_count; i++)
        used[i] = name_of_input(names, &query->inputs[i], pool);
    for (size_t i = query->input_count; i < count; i++) {
        size_t at = i - query->input_count;
        used[i] = pool_format(pool, "`%s%s%zu`", names->prefix, parts[at % VIEW_PARTS],
                              at / VIEW_PARTS + 1);
    }
    names->used = used;
}
