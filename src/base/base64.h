/* base64.h: bytes as text (RFC 4648, with padding). */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>
#include <stdint.h>

/* Terminated; owned by the caller. */
char *base64_encode(const void *bytes, size_t size);

/* The other way, with or without padding. Owned by the caller; NULL: not Base64. */
uint8_t *base64_decode(const char *text, size_t length, size_t *size);

#endif
