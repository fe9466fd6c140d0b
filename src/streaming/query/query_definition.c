#include "streaming/query/query_definition.h"

#include <string.h>

#include "base/check.h"

static bool find_partition_columns(struct query_definition *definition, struct error *err) {
    const struct query_options *options = definition->options;
    check(options->store.partition_by_count <= QUERY_PARTITION_COLUMNS_MAX);
    for (size_t i = 0; i < options->store.partition_by_count; i++) {
        const char *name = options->store.partition_by[i];
        int column = schema_find(&definition->schema, (struct text){name, (uint32_t)strlen(name)});
        if (column < 0 || !schema_can_partition(&definition->schema, (size_t)column) ||
            !plan_may_partition(&options->stream->plan, (size_t)column))
            return error_set(err, ERROR_CONFIG,
                             "%s: the table of %s has no column '%s' that can partition it",
                             options->stream->partition_by_setting, options->stream->name, name);
        definition->partition_columns[i] = (size_t)column;
    }
    return true;
}

bool query_definition_init(struct query_definition *definition, const struct query_options *options,
                           struct error *err) {
    *definition = (struct query_definition){.options = options, .topic = options->store.topic};
    stream_schema(options->stream, &definition->schema);
    return find_partition_columns(definition, err);
}

int64_t query_pause_ms(const struct query_options *options) {
    return options->trigger.interval_ms +
           (query_holds_back(options) ? options->max_trigger_delay_ms : 0);
}

int64_t trigger_next_ms(const struct trigger *trigger, int64_t began_ms, int64_t now_ms) {
    if (trigger->interval_ms == 0)
        return now_ms;
    int64_t next = began_ms / trigger->interval_ms * trigger->interval_ms + trigger->interval_ms;
    return next < now_ms ? now_ms : next;
}
