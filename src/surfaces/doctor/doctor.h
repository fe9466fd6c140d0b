/* doctor.h: `doctor`: tries everything that a run needs, before it or when it does not get on, and
 * says of each thing whether it is well, and if not, what to do.
 *
 * The checks run side by side, each in a thread of its own that is waited for DOCTOR_LIMIT_MS and
 * no longer: a disk or a broker that never answers is a finding, too. They take no lock, and what
 * they write is a file of a few KiB that is gone when they end. */
#ifndef SURFACES_DOCTOR_DOCTOR_H
#define SURFACES_DOCTOR_DOCTOR_H

#include <stdio.h>

#include "surfaces/settings/command.h"

enum { DOCTOR_LIMIT_MS = 20000, DOCTOR_BROKER_MS = 5000 };

MUST_CHECK bool doctor_command(const struct command_call *call, struct error *err);

struct findings;

/* Runs the checks. False: one has not ended within the limit, which is a finding; its thread goes
 * on with `config`, which must stay. */
bool doctor_examine(const struct config *config, int limit_ms, struct findings *findings);

/* ---- for the checks ---- */

enum verdict { VERDICT_OK, VERDICT_WARN, VERDICT_FAIL };

struct finding {
    enum verdict verdict;
    char *what;          // owned; "topic esports-matches"
    char *text;          // owned
    char *cure;          // owned; NULL: nothing is to be done
    enum exit_code code; // what a run would end with, of VERDICT_FAIL
};

struct findings {
    struct finding *items; // owned
    size_t count;
};

void findings_deinit(struct findings *findings);

/* The texts are formatted by the caller with findings_text(); they are taken over. `cure` may be
 * NULL. */
void findings_ok(struct findings *findings, char *what, char *text);
void findings_warn(struct findings *findings, char *what, char *text, char *cure);
void findings_fail(struct findings *findings, enum exit_code code, char *what, char *text,
                   char *cure);

/* Of an error; one of a limit has the limit's own exit code and cure, instead of those given. */
void findings_fail_error(struct findings *findings, enum exit_code code, char *what,
                         const struct error *err, char *cure);
void findings_limit(struct findings *findings, char *what, char *text);
char *findings_text(const char *format, ...) PRINTF_LIKE(1, 2);

/* doctor_kafka.c: brokers, isolation level; each topic: there, described, read, and holding what
 * the checkpoint comes to next; the clock beside the newest record. */
void doctor_check_brokers(const struct config *config, struct findings *findings);
void doctor_check_topics(const struct config *config, struct findings *findings);

/* doctor_disk.c: each directory: lasting, writable, room, speed. */
void doctor_check_disk(const struct config *config, struct findings *findings);

/* doctor_directories.c: what a query writes to, partition by partition: by this user, and within
 * one file system, since files are renamed into place. */
void doctor_check_directories(const struct config *config, struct findings *findings);

/* doctor_cluster.c: of Spark, if it does the work: the distribution, whether its master or the
 * server that runs already takes connections, and whether that one lets us in. */
void doctor_check_cluster(const struct config *config, struct findings *findings);

/* doctor_machine.c: memory, files, clock, port; and each query's checkpoint. */
void doctor_check_machine(const struct config *config, struct findings *findings);
void doctor_check_queries(const struct config *config, struct findings *findings);

#endif
