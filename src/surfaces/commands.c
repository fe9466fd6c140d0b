#include "surfaces/commands.h"

#include <string.h>

#include "base/log.h"
#include "streaming/operations.h"
#include "surfaces/verify_command.h"

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

const struct command_entry command_entries[] = {
    {.name = "adopt",
     .arguments = "",
     .doc = "Begin a sink log that lists the files of a table which has none, such as that of "
            "a foreachBatch job, so that Spark reads it exactly once. The query must be stopped.",
     .run = run_adopt},
    {.name = "release",
     .arguments = "",
     .doc = "Take the sink log away again, if it lists just the files that are there. The "
            "query must be stopped.",
     .run = run_release},
    {.name = "relocate",
     .arguments = "",
     .doc = "After the lake was moved: rewrite the absolute paths in the sink log and the "
            "manifests. The settings say where everything is now; the query must be stopped.",
     .run = run_relocate},
    {.name = "rewind",
     .arguments = "--job JOB --to-batch N",
     .doc = "Take the batches after N back, so that the next start "
            "reads them from Kafka again. Their files are set aside, none is deleted. The query "
            "must be "
            "stopped.",
     .run = run_rewind},
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
