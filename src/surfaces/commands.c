#include "surfaces/commands.h"

#include <string.h>

const struct command_entry command_entries[] = {
    {0},
};

const struct command_entry *command_find(const char *name) {
    for (const struct command_entry *entry = command_entries; entry->name != NULL; entry++)
        if (strcmp(entry->name, name) == 0)
            return entry;
    return NULL;
}

bool command_run(const struct config *config, FILE *out, struct error *err) {
    bool ok = true;
    for (size_t i = 0; ok && streams[i] != NULL; i++) {
        if (!config_runs(config, streams[i]))
            continue;
        struct command_scope scope = {config, streams[i], {0}, out};
        scope.store = config_store_options(config, streams[i]);
        ok = config->entry->run(&scope, err) || error_wrap(err, "%s", streams[i]->name);
        config_store_options_deinit(&scope.store);
    }
    (void)fflush(out);
    return ok;
}
