/* partition_texts.h: what is to be said of several partitions of a topic, in one line. */
#ifndef STREAMING_KAFKA_PARTITION_TEXTS_H
#define STREAMING_KAFKA_PARTITION_TEXTS_H

#include <stddef.h>

#include "base/error.h"

struct partition_texts { // {0}: none yet
    char text[512];      // "<one>; <another>; and 7 more"; always terminated
    size_t used;         // of it, without "and … more"
    size_t count;        // of all that were added
    size_t named;        // of those in `text`
};

void partition_texts_add(struct partition_texts *texts, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
