/* confinement.h: which rights the program keeps once it has read its settings (CONFINEMENT): files
 * of the lake to write, files that it and its libraries need to read, the ports of the page; no
 * other program, no core dump. docs/security.md says it to users. */
#ifndef SURFACES_CONFINEMENT_CONFINEMENT_H
#define SURFACES_CONFINEMENT_CONFINEMENT_H

#include "surfaces/settings/config.h"

/* Gives up all others, as far as the kernel can take them away, and remembers how far that was.
 * Before the first thread; what was not possible is not an error. A run's directories are made
 * first, because only what exists can be kept. */
void confinement_begin(const struct config *config);

/* What confinement_begin() has reached, for people: "files: Landlock 7; system calls: seccomp",
 * each with a reason if it was not possible; or "none (CONFINEMENT=off)". From main before the
 * first thread, and from one thread later on. */
const char *confinement_text(void);

#endif
