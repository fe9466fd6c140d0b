/* uuid.h: random names that nobody else will choose. */
#ifndef BASE_SYSTEM_UUID_H
#define BASE_SYSTEM_UUID_H

/* A random (version 4) UUID as Java prints it: 36 characters in lower case and the terminator. */
void uuid_new(char text[static 37]);

#endif
