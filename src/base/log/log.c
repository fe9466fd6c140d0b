#include "base/log/log.h"

#include <pthread.h>
#include <stdarg.h>

#include "base/check.h"
#include "base/log/log_output.h"

static enum log_level least_level = LOG_INFO; // set before the first thread

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; // so that lines are in the order of time
static struct log_line line;

void log_configure(enum log_level least, bool json) {
    least_level = least;
    log_line_use_json(json);
}

void log_write(enum log_level level, const char *logger, const char *format, ...) {
    check(level < LOG_LEVEL_COUNT);
    if (level < least_level)
        return;
    va_list args;
    va_start(args, format);
    pthread_mutex_lock(&lock);
    log_line_print(&line, level, logger, format, args);
    log_output_put(&line);
    pthread_mutex_unlock(&lock);
    va_end(args);
}
