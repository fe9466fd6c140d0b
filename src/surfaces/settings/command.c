#include "surfaces/settings/command.h"

#include <string.h>

#include "base/text.h"

/* How many words of the command line are the name; 0: it is another command's. */
static size_t match_name(const char *name, char *const *words, size_t count) {
    const char *space = strchr(name, ' ');
    size_t first = space != NULL ? (size_t)(space - name) : strlen(name);
    size_t used = space != NULL ? 2 : 1;
    bool same = count >= used && strlen(words[0]) == first && strncmp(words[0], name, first) == 0 &&
                (space == NULL || strcmp(words[1], space + 1) == 0);
    return same ? used : 0;
}

const struct command *command_find(const struct command *commands, char *const *words, size_t count,
                                   size_t *used) {
    for (const struct command *entry = commands; entry->name != NULL; entry++) {
        *used = match_name(entry->name, words, count);
        if (*used == 0 && entry->alias != NULL)
            *used = match_name(entry->alias, words, count);
        if (*used > 0)
            return entry;
    }
    return NULL;
}

bool command_is_named(const struct command *command, const char *word) {
    size_t size = strlen(word);
    return strncmp(command->name, word, size) == 0 &&
           (command->name[size] == '\0' || command->name[size] == ' ');
}

bool command_takes_files(const struct command *command) {
    return command->operand != NULL && strstr(command->operand, "…") != NULL;
}

bool command_takes_option(const struct command *command, enum option_id id) {
    switch (option_entries[id].use) {
    case OPTION_WITH_RUN:
        return command == NULL;
    case OPTION_WITH_COMMANDS:
        return command != NULL && (command->options & OPTION_BIT(id)) != 0;
    case OPTION_WITH_EXPLAIN: // whether that is given is known once all options are read
        return command == NULL || (command->options & OPTION_BIT(id)) != 0;
    default:
        return true;
    }
}

void command_synopsis(const struct command *command, char text[static COMMAND_SYNOPSIS_MAX]) {
    size_t used = text_append(text, COMMAND_SYNOPSIS_MAX, 0, "%s", command->name);
    if (command->operand != NULL)
        used = text_append(text, COMMAND_SYNOPSIS_MAX, used, " %s", command->operand);
    if (command->one_query != NULL)
        used = text_append(text, COMMAND_SYNOPSIS_MAX, used, " --job JOB");
    for (enum option_id id = 0; id < OPTION_COUNT; id++) {
        if ((command->options & OPTION_BIT(id)) == 0)
            continue;
        bool required = (command->required & OPTION_BIT(id)) != 0;
        char value[OPTION_TEXT_MAX];
        option_placeholder(&option_entries[id], value);
        used = text_append(text, COMMAND_SYNOPSIS_MAX, used, " %s%s%s%s%s", required ? "" : "[",
                           option_entries[id].name, *value != '\0' ? " " : "", value,
                           required ? "" : "]");
    }
}
