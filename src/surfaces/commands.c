#include "surfaces/commands.h"

#include <string.h>

#include "streaming/operations.h"

static bool run_adopt(const struct command_scope *scope, struct error *err) {
    return operation_adopt(&scope->store, scope->out, err);
}

static bool run_release(const struct command_scope *scope, struct error *err) {
    return operation_release(&scope->store, scope->out, err);
}

static bool run_relocate(const struct command_scope *scope, struct error *err) {
    return operation_relocate(&scope->store, scope->out, err);
}

static bool run_rewind(const struct command_scope *scope, struct error *err) {
    return operation_rewind(&scope->store, scope->config->to_batch, scope->out, err);
}

/* clang-format off: one command per paragraph reads better than what the formatter makes of it */
const struct command_entry command_entries[] = {
    {"adopt", "",
     "Begin a sink log that lists the files of a table which has none, such as that of "
     "a foreachBatch job, so that Spark reads it exactly once. The query must be stopped.",
     false, run_adopt},
    {"release", "",
     "Take the sink log away again, if it lists just the files that are there. The "
     "query must be stopped.",
     false, run_release},
    {"relocate", "",
     "After the lake was moved: rewrite the absolute paths in the sink log and the "
     "manifests. The settings say where everything is now; the query must be stopped.",
     false, run_relocate},
    {"rewind", "--job JOB --to-batch N",
     "Take the batches after N back, so that the next start "
     "reads them from Kafka again. Their files are set aside, none is deleted. The query must be "
     "stopped.",
     false, run_rewind},
    {0},
};
/* clang-format on */

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
