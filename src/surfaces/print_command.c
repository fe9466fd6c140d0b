#include "surfaces/print_command.h"

#include "surfaces/explain.h"
#include "surfaces/help.h"

bool print_command(FILE *out, const struct config *config) {
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
    (void)fflush(out);
    return true;
}
