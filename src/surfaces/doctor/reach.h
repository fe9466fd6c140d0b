/* reach.h: whether something at an address takes connections. For the doctor. */
#ifndef SURFACES_DOCTOR_REACH_H
#define SURFACES_DOCTOR_REACH_H

enum reach {
    REACH_OK,
    REACH_NO_NAME,   // the name service does not know the host
    REACH_NO_ANSWER, // nothing takes the connection
    REACH_LIMIT,     // a limit of this machine, which `reason` names
};

enum { REACH_MS = 3000, REACH_REASON_MAX = 640 };

/* Tries each address of the host, REACH_MS for each, and hangs up at once. `reason` says why not.
 */
enum reach reach_try(const char *host, const char *port, char reason[static REACH_REASON_MAX]);

#endif
