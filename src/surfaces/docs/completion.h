/* completion.h: what the shells need to complete a command line, printed from the tables of
 * commands, options and settings. */
#ifndef SURFACES_DOCS_COMPLETION_H
#define SURFACES_DOCS_COMPLETION_H

#include <stdbool.h>
#include <stdio.h>

#include "surfaces/commands/commands.h"
#include "surfaces/settings/options.h"

/* `completion bash|zsh|fish` */
MUST_CHECK bool completion_command(const struct command_call *call, struct error *err);

void completion_print_bash(FILE *out);
void completion_print_zsh(FILE *out);
void completion_print_fish(FILE *out);

/* ---- for these three ---- */

enum { SUMMARY_MAX = 160 };

/* One option as a shell sees it: of the options without a variable, or a setting's. */
struct flag {
    char name[OPTION_NAME_MAX]; // "--job"
    char letter;                // 0: none
    bool takes_value, is_path;
    bool is_secret;              // a setting that is no option
    char words[OPTION_TEXT_MAX]; // what its value may be, with spaces between; "": anything
    char summary[SUMMARY_MAX];
    enum option_id id; // OPTION_COUNT: a setting's
};

/* Flag number `index` of all. False: there are no more. */
bool completion_flag(size_t index, struct flag *flag);

/* Whether the flag may be given with the command; NULL: with a run. */
bool completion_goes_with(const struct flag *flag, const struct command_entry *command);

/* The words of an operand or a placeholder ("bash|zsh", "DURATION|availableNow") that can be given
 * as they are, with spaces between. */
void completion_words(const char *values, bool literal, char words[static OPTION_TEXT_MAX]);

/* The first sentence of a doc, in plain text, without its period. */
void completion_summary(const char *doc, char text[static SUMMARY_MAX]);

/* The first word of a family's name, once per family: whether `entry` is its first command. */
bool completion_begins_family(const struct command_entry *entry,
                              char family[static OPTION_NAME_MAX]);

#endif
