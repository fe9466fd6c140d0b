#include <string.h>

#include "base/check.h"
#include "surfaces/commands/commands.h"
#include "surfaces/docs/docs.h"

static const struct {
    const char *name;
    void (*print)(FILE *out);
} documents[] = {
    {"configuration", docs_print_configuration},
    {"commands", docs_print_commands},
    {"man", docs_print_man},
    {"metrics", docs_print_metrics},
    {"schema", docs_print_schema},
};

bool docs_command(const struct command_call *call, struct error *err) {
    (void)err;
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
        if (strcmp(call->config->arguments.operand, documents[i].name) == 0) {
            documents[i].print(call->out);
            return true;
        }
    }
    check(!"a document of the table of commands that is not here");
    return false;
}
