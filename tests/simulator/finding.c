/* finding.c: lines of the trace have the monotonic time of the model and the thread. A finding ends
 * the process at once, because the program's threads cannot be taken apart in the middle of a call;
 * what the lives before it have come to is written first. */
#include "finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log/log.h"
#include "counts.h"
#include "scheduler.h"

enum { LOG_LINES = 12, LOG_LINE_SIZE = 600 };

static struct {
    struct finding *shared;
    bool traces, hashes;
    uint64_t hash;
    char step[128];
    char lines[LOG_LINES][LOG_LINE_SIZE];
    size_t line_count;
    bool topic_unknown;
} self;

void (*finding_write_tallies)(void);

void finding_set_up(struct finding *shared, bool traces, bool hashes) {
    self.shared = shared;
    self.traces = traces;
    self.hashes = hashes;
    self.hash = 14695981039346656037U;
    self.step[0] = '\0';
    self.line_count = 0;
}

void finding_set_step(const char *format, ...) {
    va_list args;
    va_start(args, format);
    (void)vsnprintf(self.step, sizeof self.step, format, args);
    va_end(args);
    if (trace_is_on())
        trace("==== %s", self.step);
}

/* ---- the trace ---- */

bool trace_is_on(void) {
    return self.traces || self.hashes;
}

void trace_text(const char *text) {
    if (!trace_is_on())
        return;
    char line[2048];
    int64_t us = scheduler_monotonic_us();
    int size = snprintf(line, sizeof line, "%lld.%06lld %-12s %s\n", (long long)(us / 1000000),
                        (long long)(us % 1000000), scheduler_thread(), text);
    for (int i = 0; i < size && line[i] != '\0'; i++)
        self.hash = (self.hash ^ (unsigned char)line[i]) * 1099511628211U;
    if (self.traces)
        (void)fputs(line, stdout);
}

void trace(const char *format, ...) {
    if (!trace_is_on())
        return;
    char text[1600];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    trace_text(text);
}

uint64_t trace_hash(void) {
    return self.hash;
}

/* ---- the program's log ---- */

/* In the place of log_write(). */
void __wrap_log_write(enum log_level level, const char *logger, const char *format, ...)
    PRINTF_LIKE(3, 4);
void __wrap_log_write(enum log_level level, const char *logger, const char *format, ...) {
    if (level == LOG_DEBUG && !trace_is_on())
        return;
    char *line = self.lines[self.line_count++ % LOG_LINES];
    size_t used = (size_t)snprintf(line, LOG_LINE_SIZE, "%s: ",
                                   level == LOG_CRITICAL  ? "CRITICAL"
                                   : level == LOG_ERROR   ? "ERROR"
                                   : level == LOG_WARNING ? "WARNING"
                                   : level == LOG_INFO    ? "INFO"
                                                          : "DEBUG");
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line + used, LOG_LINE_SIZE - used, format, args);
    va_end(args);
    (void)logger;
    trace_text(line);
    if (strstr(line, "It is unknown whether the topic was deleted and created again") != NULL)
        self.topic_unknown = true;
}

bool log_said_topic_is_unknown(void) {
    return self.topic_unknown;
}

void log_lines_clear(void) {
    self.line_count = 0;
    self.topic_unknown = false;
}

void log_lines_print(char *out, size_t size) {
    size_t used = 0, first = self.line_count > LOG_LINES ? self.line_count - LOG_LINES : 0;
    out[0] = '\0';
    for (size_t i = first; i < self.line_count && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "\n    %s", self.lines[i % LOG_LINES]);
}

/* ---- findings ---- */

void found(const char *format, ...) {
    struct finding *out = self.shared;
    char log[2400];
    size_t used = (size_t)snprintf(out->text, sizeof out->text, "%s: ", self.step);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(out->text + used, sizeof out->text - used, format, args);
    va_end(args);
    trace("FOUND %s", out->text);
    log_lines_print(log, sizeof log);
    used = strlen(out->text);
    (void)snprintf(out->text + used, sizeof out->text - used, "%s%s",
                   self.line_count > 0 ? "\n  the end of the log:" : "", log);
    if (finding_write_tallies != NULL)
        finding_write_tallies();
    (void)fflush(stdout);
    _exit(FOUND_EXIT);
}

/* In the place of check_failed(): a violated invariant of the program is a finding. */
_Noreturn void __wrap_check_failed(const char *file, int line, const char *condition);
_Noreturn void __wrap_check_failed(const char *file, int line, const char *condition) {
    if (self.shared == NULL) {
        (void)fprintf(stderr, "%s:%d: check failed: %s\n", file, line, condition);
        abort();
    }
    found("%s:%d: check failed: %s", file, line, condition);
}
