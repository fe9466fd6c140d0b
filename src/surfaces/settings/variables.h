/* variables.h: the variables of the environment, and those from files, as Docker Compose and
 * systemd have them.
 *
 *     # comment
 *     export KAFKA_BOOTSTRAP_SERVERS=broker:9092   # comment after a blank
 *     LOG_LEVEL='DEBUG'                            # as it stands
 *     TRIGGER="1 minute"                           # \n \t \" \\ \$ mean what they say
 *
 * Nothing is expanded. LF or CRLF, with or without a byte order mark. */
#ifndef SURFACES_SETTINGS_VARIABLES_H
#define SURFACES_SETTINGS_VARIABLES_H

#include "surfaces/settings/problems.h"

struct variable {
    char *name, *value;
    char *where; // "environment", "path:line"
    bool in_environment;
};

/* The environment's first, then those of the files. */
struct variables {
    struct variable *items; // owned
    size_t count;
};

void variables_add_environment(struct variables *variables, char *const *environment);

/* Adds the file's variables; every line that is none becomes a problem with its place. */
void variables_add_file(struct variables *variables, const char *path, struct problems *problems);
void variables_deinit(struct variables *variables);

/* The one of this name that counts: the environment's, unless that is empty; else the files' last,
 * which may be empty. NULL: there is none. */
const struct variable *variables_find(const struct variables *variables, const char *name);

#endif
