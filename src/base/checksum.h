/* checksum.h: a checksum inside a text that has a JSON object: its last member, so that readers who
 * do not know it pass over it.
 *
 *     {"batch":5,…,"crc32":"89abcdef"}
 *
 * It is the CRC-32 of zip and gzip, of the whole text without this member: lower-case hexadecimal
 * digits. So a byte that was changed anywhere in the text is noticed, and so is a part that is
 * missing. A text without the member was written by an older version, or by somebody else, and is
 * taken as it is. */
#ifndef BASE_CHECKSUM_H
#define BASE_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define CHECKSUM_MEMBER "crc32"

/* The CRC-32 of what came before, which begins with 0, and of these bytes. */
uint32_t checksum_add(uint32_t checksum, const void *bytes, size_t size);

/* The text with the member, owned by the caller and terminated. `object_end` is the offset behind
 * the object, which has a member already. */
char *checksum_put(const char *text, size_t size, size_t object_end, size_t *new_size);

/* ERROR_STATE: the object has the member, and the text is another than the one it was made of. */
MUST_CHECK bool checksum_check(const char *text, size_t size, size_t object_end, struct error *err);

#endif
