/* drop_checksum.h: texts as an older version would have written them. */
#ifndef DROP_CHECKSUM_H
#define DROP_CHECKSUM_H

#include <string.h>

#include "base/check.h"

/* Takes the checksum out (base/checksum.h), which must be there. */
static inline void drop_checksum(char *text) {
    static const char member[] = ",\"crc32\":\"", whole[] = ",\"crc32\":\"00000000\"";
    char *at = strstr(text, member);
    check(at != NULL);
    const char *rest = at + sizeof whole - 1;
    memmove(at, rest, strlen(rest) + 1);
}

#endif
