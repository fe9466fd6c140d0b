#include "surfaces/commands.h"

#include <string.h>

#include "base/log.h"
#include "surfaces/verify_command.h"

const struct command_entry command_entries[] = {
    {.name = "verify",
     .arguments = "",
     .doc = "Shows for each partition of the topic which offsets the table and its rejects cover, "
            "and proves from the files themselves and from Kafka that each of them is there once. "
            "Takes no lock: the query may run meanwhile.",
     .needs_broker = true,
     .run = verify_command,
     .goes_on = true},
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
    for (size_t i = 0; streams[i] != NULL; i++) {
        if (!config_runs(config, streams[i]))
            continue;
        struct command_scope scope = {config, streams[i], {0}, out};
        scope.store = config_store_options(config, streams[i]);
        struct error failure;
        bool done =
            config->entry->run(&scope, &failure) || error_wrap(&failure, "%s", streams[i]->name);
        config_store_options_deinit(&scope.store);
        if (done)
            continue;
        if (!ok) // the last one is the caller's to report
            log_write(LOG_CRITICAL, "main", "%s: %s", config->entry->name, err->message);
        *err = failure;
        ok = false;
        if (!config->entry->goes_on || failure.kind != ERROR_STATE)
            break;
    }
    (void)fflush(out);
    return ok;
}
