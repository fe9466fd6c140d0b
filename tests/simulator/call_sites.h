/* call_sites.h: from which place of the program a call to the disk comes.
 *
 * The program is compiled with frame pointers and without sibling calls, so return addresses can be
 * read from the stack in a few nanoseconds. What is in base/disk/, the build says
 * (disk_functions.h). */
#ifndef SIMULATOR_CALL_SITES_H
#define SIMULATOR_CALL_SITES_H

#include "model_disk.h"

/* The site's number. `frame`: __builtin_frame_address(0) of the function that base/disk/ has
 * called. */
size_t call_site_of(enum disk_call call, bool changes, const void *frame);

struct disk_site *call_site(size_t site); // until the next new one
enum site_plant call_site_plant(size_t site);

const char *call_name(enum disk_call call);

#endif
