/* options.h: the command line, split into options; values are checked by config.c. */
#ifndef SURFACES_OPTIONS_H
#define SURFACES_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "surfaces/config.h"
#include "surfaces/faults.h"

enum { OPTION_TEXT_MAX = 256 };

/* An option that is no setting. */
struct option_entry {
    const char *name;        // "--job"
    char letter;             // 'h' for "-h"; 0: none
    const char *placeholder; // NULL: takes no value
    const char *doc;
};

extern const struct option_entry option_entries[];
extern const size_t option_entry_count;

/* What stands behind the option in --help; for --job, the jobs. */
void option_placeholder(const struct option_entry *entry, char text[static OPTION_TEXT_MAX]);

enum { ENV_FILES_MAX = 8 };

/* Everything is borrowed from argv. */
struct options {
    enum command command;
    const struct command_entry *entry; // NULL: none
    int64_t to_batch;                  // -1: not given
    const struct stream *fixed_job;    // argv[0] is a query's name; NULL: it is not
    const char *job;                   // NULL: not given
    bool await_termination, demo;
    const char *env_files[ENV_FILES_MAX];
    size_t env_file_count;
    const char *settings[SETTINGS_MAX]; // by index of the table of settings; the last one counts
};

/* After --help, --version or docs nothing else matters, and there are no faults. */
void options_parse(struct options *options, int argc, char **argv, struct faults *faults);

/* The program's name as it was called, without directories. */
const char *program_name(const char *argv_0);

#endif
