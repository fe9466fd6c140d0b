#include "streaming/verify/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/text.h"

void verify_say(struct verify_report *report, enum verify_kind kind, const char *format, ...) {
    struct verify_texts *texts = &report->texts[kind];
    if (texts->count++ >= VERIFY_TEXTS_MAX)
        return;
    if (texts->texts == NULL)
        texts->texts = must_alloc(VERIFY_TEXTS_MAX, sizeof *texts->texts);
    va_list args;
    va_start(args, format);
    texts->texts[texts->count - 1] = text_format_list(format, args);
    va_end(args);
}

size_t verify_faults(const struct verify_report *report) {
    return report->texts[VERIFY_FILE].count + report->texts[VERIFY_MISSING].count +
           report->texts[VERIFY_DUPLICATE].count;
}

void verify_report_deinit(struct verify_report *report) {
    for (size_t kind = 0; kind < VERIFY_KINDS; kind++) {
        struct verify_texts *texts = &report->texts[kind];
        for (size_t i = 0; i < texts->count && i < VERIFY_TEXTS_MAX; i++)
            free(texts->texts[i]);
        free(texts->texts);
    }
    free(report->partitions);
    *report = (struct verify_report){0};
}

void verify_note_damaged(struct verify_report *report, int64_t batch_id) {
    report->damaged_before = report->damaged_before || batch_id < 0;
    if (batch_id >= 0 && (report->damaged_batch < 0 || batch_id < report->damaged_batch))
        report->damaged_batch = batch_id;
}
