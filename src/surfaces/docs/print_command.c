#include "surfaces/docs/print_command.h"

#include "surfaces/docs/explain.h"
#include "surfaces/docs/help.h"
#include "surfaces/terminal/output.h"

bool print_command(const struct config *config, FILE *out, FILE *errors, enum exit_code *code) {
    struct error err = {0};
    switch (config->command) {
    case COMMAND_RUN:
    case COMMAND_ENTRY:
        return false;
    case COMMAND_EXPLAIN:
        explain_print(out, config);
        break;
    case COMMAND_HELP:
        help_print(out, config->entry);
        break;
    case COMMAND_VERSION:
        version_print(out);
        break;
    }
    if (!output_flush(out, &err) && err.kind != ERROR_STOPPED)
        (void)fprintf(errors, "esports-stream: %s\n", err.message);
    *code = exit_code_of(err.kind);
    return true;
}
