/* faults.h: what a verification has to say, a sentence each, in the report. All are counted, and of
 * each kind the first VERIFY_TEXTS_MAX are kept. */
#ifndef VERIFY_FAULTS_H
#define VERIFY_FAULTS_H

#include "streaming/verify/verify.h"

/* One thread. */
void verify_say(struct verify_report *report, enum verify_kind kind, const char *format, ...)
    PRINTF_LIKE(3, 4);

#endif
