/* percent.h: percent-encoding (RFC 3986, section 2.1), undone. */
#ifndef STREAMING_CLUSTER_CONNECT_PERCENT_H
#define STREAMING_CLUSTER_CONNECT_PERCENT_H

#include <stdbool.h>
#include <stddef.h>

/* Terminated; owned by the caller. A '%' that begins no pair of hexadecimal digits, or %00, stays
 * as it is, and *whole becomes false. */
char *percent_decode(const char *text, size_t size, bool *whole);

#endif
