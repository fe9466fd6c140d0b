/* env_file.h: variables from a file, as Docker Compose and systemd have them.
 *
 *     # comment
 *     export KAFKA_BOOTSTRAP_SERVERS=broker:9092   # comment after a blank
 *     LOG_LEVEL='DEBUG'                            # as it stands
 *     TRIGGER="1 minute"                           # \n \t \" \\ \$ mean what they say
 *
 * Nothing is expanded. LF or CRLF, with or without a byte order mark. */
#ifndef SURFACES_SETTINGS_ENV_FILE_H
#define SURFACES_SETTINGS_ENV_FILE_H

#include <stddef.h>

#include "surfaces/settings/problems.h"

struct variable {
    char *name, *value;
    char *where; // "path:line"
};

struct variables {
    struct variable *items; // owned
    size_t count;
};

/* Adds the file's variables; every line that is none becomes a fault with its place. */
void env_file_read(const char *path, struct variables *variables, struct problems *problems);
void variables_deinit(struct variables *variables);

/* The last one of this name, or NULL. */
const struct variable *variables_find(const struct variables *variables, const char *name);

/* Visits each variable of the environment, and each of the files that the environment does not have
 * or has empty; `where` is "environment", or file and line. */
typedef void variable_fn(void *context, const char *name, const char *value, const char *where);
void variables_each(char *const *environment, const struct variables *variables, variable_fn *visit,
                    void *context);

#endif
