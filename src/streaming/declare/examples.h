/* examples.h: the first few files that something is wrong with, in words, for a refusal's message.
 */
#ifndef STREAMING_DECLARE_EXAMPLES_H
#define STREAMING_DECLARE_EXAMPLES_H

#include <stddef.h>
#include <stdint.h>

struct examples {   // {0}: none yet
    char text[700]; // "'<path>' <what>, …"; always terminated
    size_t used;
    int64_t count; // all that were added; the first few are in `text`
};

void examples_add(struct examples *examples, const char *path, const char *what);

#endif
