#include "streaming/kafka/partition_texts.h"

#include <stdarg.h>
#include <stdio.h>

enum { MORE_MAX = 32 }; // bytes that "; and … more" needs

void partition_texts_add(struct partition_texts *texts, const char *format, ...) {
    char one[sizeof texts->text - MORE_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(one, sizeof one, format, args);
    va_end(args);
    size_t room = sizeof texts->text - MORE_MAX - texts->used;
    char *at = texts->text + texts->used;
    texts->count++;
    int length = snprintf(at, room, "%s%s", texts->used > 0 ? "; " : "", one);
    if (texts->named + 1 == texts->count && length > 0 && (size_t)length < room) {
        texts->used += (size_t)length;
        texts->named++;
        return;
    }
    (void)snprintf(at, MORE_MAX, "; and %zu more", texts->count - texts->named);
}
