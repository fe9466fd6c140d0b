/* uuid.h: random names that nobody else will choose, and how they look. */
#ifndef BASE_SYSTEM_UUID_H
#define BASE_SYSTEM_UUID_H

#include <stdbool.h>

/* A random (version 4) UUID as Java prints it: 36 characters in lower case and the terminator. */
void uuid_new(char text[static 37]);

/* Whether a text has the form of one, in upper or lower case. */
bool uuid_is_valid(const char *text);

#endif
