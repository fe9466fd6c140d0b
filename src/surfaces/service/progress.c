/* The lines are below the log, because the log's thread draws both (log_output_show()): it takes
 * them back before a log line and writes them again. A line that wraps could not be taken back, so
 * each is cut to the terminal's width. Rates are smoothed, by what was read, not committed: they
 * move while a batch is under way. */
#include "surfaces/service/progress.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log/log.h"
#include "base/system/clock.h"
#include "base/text.h"

static const double smoothing_seconds = 5; // how long a change of speed takes to show fully

static struct {
    bool on;
    struct progress_rate rates[STREAMS_MAX];
} display;

/* A number with its thousands apart. */
static void format_count(int64_t number, char text[static 32]) {
    char digits[24];
    int size = snprintf(digits, sizeof digits, "%lld", (long long)number);
    size_t used = 0;
    for (int i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0 && digits[i - 1] != '-')
            text[used++] = ' ';
        text[used++] = digits[i];
    }
    text[used] = '\0';
}

static void format_remaining(int64_t seconds, char text[static 32]) {
    if (seconds < 120)
        snprintf(text, 32, "%lld s", (long long)seconds);
    else if (seconds < 7200)
        snprintf(text, 32, "%lld min", (long long)seconds / 60);
    else if (seconds < 172800)
        snprintf(text, 32, "%lld h", (long long)seconds / 3600);
    else
        snprintf(text, 32, "%lld days", (long long)seconds / 86400);
}

/* Takes the records read since the last time into the smoothed rate. */
static void update_rate(struct progress_rate *rate, int64_t records, int64_t now_us) {
    if (rate->at_us == 0 || now_us <= rate->at_us) {
        if (rate->at_us == 0)
            *rate = (struct progress_rate){.at_us = now_us, .records = records};
        return;
    }
    double seconds = (double)(now_us - rate->at_us) / 1e6;
    double current = (double)(records - rate->records) / seconds;
    double weight = 1 - exp(-seconds / smoothing_seconds);
    rate->per_second =
        rate->per_second == 0 ? current : rate->per_second + weight * (current - rate->per_second);
    rate->at_us = now_us;
    rate->records = records;
}

void progress_format(const struct query_snapshot *query, struct progress_rate *rate, int64_t now_us,
                     size_t width, char line[static PROGRESS_LINE_MAX]) {
    char rows[32], rejects[32], speed[32], lag[LAG_TEXT_MAX], eta[48] = "";
    update_rate(rate, query->records_read, now_us);
    format_count(query->rows, rows);
    format_count(query->rejects, rejects);
    format_count((int64_t)(rate->per_second + 0.5), speed);
    topic_lag_print(&query->lag, lag);
    if (query->lag.is_known)
        format_count(query->lag.records, lag);
    if (query->lag.is_known && query->lag.records == 0) {
        snprintf(eta, sizeof eta, "  caught up");
    } else if (query->lag.is_known && rate->per_second >= 1) {
        char remaining[32];
        format_remaining((int64_t)ceil((double)query->lag.records / rate->per_second), remaining);
        snprintf(eta, sizeof eta, "  caught up in %s", remaining);
    }
    snprintf(line, PROGRESS_LINE_MAX, "%-14s %s rows  %s rejects  %s rows/s  lag %s%s", query->name,
             rows, rejects, speed, lag, query->is_active ? eta : "  ended");
    if (width < PROGRESS_LINE_MAX)
        line[width] = '\0'; // a line that wraps could not be taken back
}

static size_t terminal_width(void) {
    struct winsize size;
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col - 1U : 79;
}

bool progress_start(void) {
    const char *terminal = getenv("TERM");
    display.on = isatty(STDOUT_FILENO) && terminal != NULL && strcmp(terminal, "dumb") != 0;
    return display.on;
}

void progress_update(const struct query_snapshot *queries, size_t count) {
    char lines[LOG_DISPLAY_MAX] = "", line[PROGRESS_LINE_MAX];
    check(count <= STREAMS_MAX);
    if (!display.on)
        return;
    size_t width = terminal_width(), used = 0;
    int64_t now_us = clock_monotonic_us();
    for (size_t i = 0; i < count; i++) {
        progress_format(&queries[i], &display.rates[i], now_us, width, line);
        used = text_append(lines, sizeof lines, used, "%s\x1b[K\n", line);
    }
    log_output_show(lines);
}

void progress_stop(void) {
    if (display.on)
        log_output_show("");
    display.on = false;
}
