/* completion.h: what completes a command line in a shell: a short script for each shell, which asks
 * the program itself, and the answer, from the tables of commands, options and settings. */
#ifndef SURFACES_DOCS_COMPLETION_H
#define SURFACES_DOCS_COMPLETION_H

#include <stdio.h>

#include "surfaces/settings/command.h"

/* `completion bash|zsh|fish`: prints the script. */
MUST_CHECK bool completion_command(const struct command_call *call, struct error *err);

/* The first argument of a process that a script has started: what follows are the words of the
 * command line, without the program's name and up to the cursor. It is not a command of the table.
 */
#define COMPLETION_REQUEST "__complete"

/* Prints what the last of the words, which may be empty, may become: a line each, with a tab and a
 * summary behind it if there is one; or the line ":files" where it is a file's name. Nothing is
 * left out for the letters that it begins with: that is for the shell to do. A last word "--name=…"
 * is completed after its '=', and so are the two words that bash splits it into, "--name" and "=".
 */
void completion_print(FILE *out, const struct command *commands, char *const *words, size_t count);

/* ---- for the tests ---- */

enum { SUMMARY_MAX = 160 };

/* The first sentence of a doc, in plain text, without its period. */
void completion_summary(const char *doc, char text[static SUMMARY_MAX]);

/* The words of an operand or a placeholder ("bash|zsh", "DURATION|availableNow") that can be given
 * as they are, with spaces between; all of them if `literal`. */
void completion_words(const char *values, bool literal, char words[static OPTION_TEXT_MAX]);

#endif
