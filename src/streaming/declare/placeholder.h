/* placeholder.h: ${NAME} and ${NAME:-default} in the values of a query file. NAME is a setting,
 * which brings the value when the program starts. */
#ifndef STREAMING_DECLARE_PLACEHOLDER_H
#define STREAMING_DECLARE_PLACEHOLDER_H

#include "base/error.h"
#include "base/text.h"

enum { PLACEHOLDER_NAME_MAX = 60 };

struct placeholder {
    struct text before; // it, in the value
    struct text name, otherwise;
    bool has_otherwise;
};

/* ERROR_CONFIG, without a place: "${" is not the beginning of one. */
MUST_CHECK bool placeholders_check(const char *value, struct error *err);

/* The next one of a checked value, from *at, which moves behind it. False: there is none, and
 * `before` is all that is left. */
bool placeholder_next(const char **at, struct placeholder *found);

/* The value with each placeholder replaced by what `find` says of its name; NULL: by its default.
 * Owned by the caller; NULL: one has neither, and *missing is its name, which is borrowed. */
char *placeholders_replace(const char *value, const char *(*find)(void *context, struct text name),
                           void *context, struct text *missing);

#endif
