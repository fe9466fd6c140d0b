/* base64.h: bytes as text (RFC 4648, with padding). */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>

/* Terminated; owned by the caller. */
char *base64_encode(const void *bytes, size_t size);

#endif
