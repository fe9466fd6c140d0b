/* limit.h: the limits that the machine sets to this process, named in errors when one is reached.
 */
#ifndef BASE_LIMIT_H
#define BASE_LIMIT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* The exit status of a process that ran out of memory; surfaces/terminal/exit_code.h documents it.
 */
enum { LIMIT_EXIT_STATUS = 12, LIMIT_TEXT_MAX = 512 };

/* Which limit an errno may stand for and how high it is, for people: of a call that makes a thread
 * or a process for EAGAIN, of any call for EMFILE, ENFILE, ENOMEM and EFBIG; "" for others. */
void limit_describe(int error_number, char text[static LIMIT_TEXT_MAX]);

/* Whether an errno of any call stands for such a limit: no descriptor or no memory left. */
bool limit_is_behind(int error_number);

/* ERROR_LIMIT: "<what>: <errno>: <the limit, and what to do>". */
bool limit_error(struct error *err, const char *what, int error_number);

/* The end of a process that has no memory left: a line on stderr that names the limits, and
 * LIMIT_EXIT_STATUS. `where`: the place in the program; NULL: nobody reads stderr. */
_Noreturn void limit_end_of_memory(const char *where);

#endif
