#include "surfaces/docs/completion.h"

#include <string.h>

#include "base/text.h"
#include "surfaces/commands/commands.h"
#include "surfaces/settings/setting_types.h"

void completion_summary(const char *doc, char text[static SUMMARY_MAX]) {
    size_t used = 0;
    for (; *doc != '\0' && strncmp(doc, ". ", 2) != 0 && strcmp(doc, ".") != 0; doc++) {
        bool whole = ((unsigned char)*doc & 0xc0) != 0x80; // the beginning of a character
        if (whole && used + 8 >= SUMMARY_MAX)
            break;
        if (*doc != '`')
            text[used++] = *doc;
    }
    text[used] = '\0';
}

/* Whether it stands for something else: "DURATION", "local[N]", "spark://…". */
static bool is_form(const char *word) {
    return strchr(word, '[') != NULL || strstr(word, "…") != NULL ||
           word[strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ:_")] == '\0';
}

void completion_words(const char *values, bool literal, char words[static OPTION_TEXT_MAX]) {
    char word[OPTION_NAME_MAX];
    size_t used = 0;
    words[0] = '\0';
    for (size_t i = 0; operand_choice(values, i, word); i++)
        if (literal || !is_form(word))
            used = text_append(words, OPTION_TEXT_MAX, used, "%s%s", used > 0 ? " " : "", word);
}

static void fill_option(struct flag *flag, const struct option_entry *entry) {
    char values[OPTION_TEXT_MAX];
    option_placeholder(entry, values);
    if (entry->value.choices != NULL)
        choices_list(entry->value.choices, false, values, sizeof values);
    flag->letter = entry->letter;
    flag->takes_value = option_takes_value(entry);
    flag->is_path = strcmp(values, "FILE") == 0;
    snprintf(flag->name, sizeof flag->name, "%s", entry->name);
    completion_words(values, true, flag->words);
    completion_summary(entry->doc, flag->summary);
}

static void fill_setting(struct flag *flag, const struct setting *setting) {
    flag->is_secret = setting->secret;
    char values[SETTING_TEXT_MAX], doc[SETTING_TEXT_MAX];
    setting_values(setting, values);
    setting_doc(setting, doc);
    setting_option(setting, flag->name);
    flag->takes_value = !setting->secret;
    flag->is_path = setting->type == &type_path || setting->type == &type_home;
    completion_words(values, setting->choices != NULL, flag->words);
    completion_summary(doc, flag->summary);
}

bool completion_flag(size_t index, struct flag *flag) {
    size_t count;
    const struct setting *settings = settings_table(&count);
    *flag = (struct flag){.id = OPTION_COUNT};
    if (index < OPTION_COUNT) {
        flag->id = (enum option_id)index;
        fill_option(flag, &option_entries[index]);
        return true;
    }
    if (index - OPTION_COUNT >= count)
        return false;
    fill_setting(flag, &settings[index - OPTION_COUNT]);
    return true;
}

bool completion_goes_with(const struct flag *flag, const struct command_entry *command) {
    if (flag->id == OPTION_COUNT)
        return !flag->is_secret && (command == NULL || !command->needs_nothing);
    return option_goes_with(flag->id, command);
}

bool completion_begins_family(const struct command_entry *entry,
                              char family[static OPTION_NAME_MAX]) {
    const char *space = strchr(entry->name, ' ');
    if (space == NULL)
        return false;
    snprintf(family, OPTION_NAME_MAX, "%.*s", (int)(space - entry->name), entry->name);
    return entry == command_entries || !command_is_named(entry - 1, family);
}

bool completion_command(const struct command_call *call, struct error *err) {
    static const struct {
        const char *name;
        void (*print)(FILE *out);
    } shells[] = {{"bash", completion_print_bash},
                  {"zsh", completion_print_zsh},
                  {"fish", completion_print_fish}};
    (void)err;
    for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++)
        if (strcmp(call->config->arguments.operand, shells[i].name) == 0)
            shells[i].print(call->out);
    return true;
}
