/* doctor.h: `doctor`: checks everything that a run needs, before it or when it is stuck, and says
 * of each thing whether it works, and if not, what to do.
 *
 * The checks run side by side, each in its own thread, for at most DOCTOR_LIMIT_MS: a disk or a
 * broker that never answers is reported, too. They take no lock, and what they write is a file of a
 * few KiB that is gone when they end. */
#ifndef SURFACES_DOCTOR_DOCTOR_H
#define SURFACES_DOCTOR_DOCTOR_H

#include "surfaces/doctor/doctor_report.h"
#include "surfaces/settings/command.h"

enum { DOCTOR_LIMIT_MS = 20000 };

MUST_CHECK bool doctor_command(const struct command_call *call, struct error *err);

/* Runs the checks. False: one has not ended within the limit, which is reported; its thread still
 * uses `config`, which must stay. */
bool doctor_examine(const struct config *config, int limit_ms, struct doctor_report *report);

#endif
