#include "streaming/declare/examples.h"

#include <stdio.h>

enum { EXAMPLES_MAX = 3 };

void examples_add(struct examples *examples, const char *path, const char *what) {
    size_t room = sizeof examples->text - examples->used;
    if (examples->count++ >= EXAMPLES_MAX || room < 2)
        return;
    int length = snprintf(examples->text + examples->used, room, "%s'%s' %s",
                          examples->used > 0 ? ", " : "", path, what);
    if (length > 0 && (size_t)length < room)
        examples->used += (size_t)length;
    else
        examples->text[examples->used] = '\0';
}
