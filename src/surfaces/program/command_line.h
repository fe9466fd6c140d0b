/* command_line.h: the command line, parsed with three tables: commands, options that are not
 * settings, and settings. */
#ifndef SURFACES_PROGRAM_COMMAND_LINE_H
#define SURFACES_PROGRAM_COMMAND_LINE_H

#include "surfaces/settings/config.h"
#include "surfaces/settings/problems.h"
#include "surfaces/terminal/exit_code.h"

/* After --help and --version nothing else matters, and there are no problems. */
void command_line_read(struct command_line *line, int argc, char **argv, struct problems *problems);

/* Reads argv and the environment. EXIT_CODE_OK: *config is filled (only `action` and `command` for
 * --help and --version). Otherwise every problem is printed to `errors`, one per line, and the
 * program ends with EXIT_CODE_USAGE. Call config_deinit() in both cases. Started as `match_stream`
 * or `player_stream`, that query alone runs, and is awaited. */
MUST_CHECK enum exit_code command_line_load(struct config *config, int argc, char **argv,
                                            FILE *errors);

/* Answers a shell's script that asks how a command line continues (surfaces/docs/completion.h).
 * False: nobody asks. */
bool command_line_complete(int argc, char **argv, FILE *out);

#endif
