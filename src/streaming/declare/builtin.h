/* builtin.h: within this room: the files of queries/, embedded by scripts/embed-queries.sh. */
#ifndef STREAMING_DECLARE_BUILTIN_H
#define STREAMING_DECLARE_BUILTIN_H

#include <stddef.h>

struct builtin_file {
    const char *path; // "queries/matches.sql", for messages
    const unsigned char *text;
    size_t size;
};

/* In the order of their names, ended by a NULL path. */
extern const struct builtin_file builtin_files[];

#endif
