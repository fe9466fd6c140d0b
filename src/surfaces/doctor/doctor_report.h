/* doctor_report.h: what the doctor's checks find: of each thing that was tried whether it works,
 * and if not, what to do. */
#ifndef SURFACES_DOCTOR_DOCTOR_REPORT_H
#define SURFACES_DOCTOR_DOCTOR_REPORT_H

#include <stdio.h>

#include "base/error.h"
#include "surfaces/terminal/exit_code.h"

enum verdict {
    VERDICT_OK,
    VERDICT_SKIP, // not tried, because another check failed
    VERDICT_WARN,
    VERDICT_FAIL,
};

struct doctor_result {
    enum verdict verdict;
    char *what;          // owned; "topic esports-matches"
    char *text;          // owned
    char *cure;          // owned; NULL: nothing is to be done
    enum exit_code code; // what a run would end with, of VERDICT_FAIL
};

struct doctor_report {
    struct doctor_result *items; // owned
    size_t count;
};

void doctor_report_deinit(struct doctor_report *report);

/* Adds what was found: `what`, "topic", by its name, "esports-matches", where there are more of it
 * than one, or NULL; `cure` may be NULL, too. All texts are copied. */
void doctor_ok(struct doctor_report *report, const char *what, const char *name, const char *format,
               ...) PRINTF_LIKE(4, 5);
void doctor_skip(struct doctor_report *report, const char *what, const char *name,
                 const char *format, ...) PRINTF_LIKE(4, 5);
void doctor_warn(struct doctor_report *report, const char *what, const char *name, const char *cure,
                 const char *format, ...) PRINTF_LIKE(5, 6);
void doctor_fail(struct doctor_report *report, enum exit_code code, const char *what,
                 const char *name, const char *cure, const char *format, ...) PRINTF_LIKE(6, 7);

/* Of an error; one of a limit has the limit's own exit code and advice, instead of those given. */
void doctor_fail_error(struct doctor_report *report, enum exit_code code, const char *what,
                       const char *name, const char *cure, const struct error *err);
void doctor_fail_limit(struct doctor_report *report, const char *what, const char *name,
                       const char *format, ...) PRINTF_LIKE(4, 5);

/* Moves all results to the end of `report`. */
void doctor_report_move(struct doctor_report *report, struct doctor_report *from);

/* Each result, and at the end the numbers of each verdict and the first thing to fix. */
void doctor_report_print(const struct doctor_report *report, FILE *out, bool json);

/* The first failure's; before all others a limit's, from which they may come. */
enum exit_code doctor_report_code(const struct doctor_report *report);

#endif
