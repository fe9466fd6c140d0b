#include "surfaces/progress.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"

static const double smoothing_seconds = 5; // how long a change of speed takes to show fully

/* All of it is used under the log's lock only. */
static struct {
    bool on;
    size_t drawn; // lines on the terminal now
    size_t count;
    struct query_snapshot queries[PROGRESS_QUERIES_MAX];
    struct progress_rate rates[PROGRESS_QUERIES_MAX];
    char lines[PROGRESS_QUERIES_MAX][PROGRESS_LINE_MAX];
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
    char rows[32], rejects[32], speed[32], lag[32] = "?", eta[48] = "";
    update_rate(rate, query->records_read, now_us);
    format_count(query->rows, rows);
    format_count(query->rejects, rejects);
    format_count((int64_t)(rate->per_second + 0.5), speed);
    if (query->lag >= 0)
        format_count(query->lag, lag);
    if (query->lag == 0) {
        snprintf(eta, sizeof eta, "  at the head");
    } else if (query->lag > 0 && rate->per_second >= 1) {
        char remaining[32];
        format_remaining((int64_t)ceil((double)query->lag / rate->per_second), remaining);
        snprintf(eta, sizeof eta, "  %s to the head", remaining);
    }
    snprintf(line, PROGRESS_LINE_MAX, "%-14s %s rows  %s rejects  %s rows/s  lag %s%s", query->name,
             rows, rejects, speed, lag, query->is_active ? eta : "  ended");
    if (width < PROGRESS_LINE_MAX)
        line[width] = '\0'; // a line that wraps could not be taken back
}

static void put(const char *text) {
    for (size_t size = strlen(text); size > 0;) {
        ssize_t written = write(STDOUT_FILENO, text, size);
        if (written <= 0)
            return; // the terminal is gone, or full: it is only a display
        text += written;
        size -= (size_t)written;
    }
}

/* Leaves the cursor where the first line was. */
static void clear_lines(void) {
    char move[32];
    if (display.drawn == 0)
        return;
    snprintf(move, sizeof move, "\x1b[%zuA\r\x1b[J", display.drawn);
    put(move);
    display.drawn = 0;
}

/* Over the lines drawn last, if they are still there; in one piece, so that nothing flickers. */
static void draw_lines(void) {
    static char screen[PROGRESS_QUERIES_MAX * (PROGRESS_LINE_MAX + 8) + 32];
    size_t used = 0;
    screen[0] = '\0';
    if (display.drawn > 0)
        used = (size_t)snprintf(screen, sizeof screen, "\x1b[%zuA\r", display.drawn);
    for (size_t i = 0; i < display.count; i++)
        used +=
            (size_t)snprintf(screen + used, sizeof screen - used, "%s\x1b[K\n", display.lines[i]);
    put(screen);
    display.drawn = display.count;
}

static size_t terminal_width(void) {
    struct winsize size;
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col - 1U : 79;
}

static void refresh(void) {
    size_t width = terminal_width();
    int64_t now_us = clock_monotonic_us();
    for (size_t i = 0; i < display.count; i++)
        progress_format(&display.queries[i], &display.rates[i], now_us, width, display.lines[i]);
    if (display.drawn > display.count)
        clear_lines();
    draw_lines();
}

bool progress_start(void) {
    const char *terminal = getenv("TERM");
    display.on = isatty(STDOUT_FILENO) && terminal != NULL && strcmp(terminal, "dumb") != 0;
    if (display.on)
        log_set_display(clear_lines, draw_lines);
    return display.on;
}

void progress_update(const struct query_snapshot *queries, size_t count) {
    check(count <= PROGRESS_QUERIES_MAX);
    if (!display.on)
        return;
    display.count = count;
    memcpy(display.queries, queries, count * sizeof queries[0]);
    log_display(refresh);
}

void progress_stop(void) {
    if (!display.on)
        return;
    log_display(clear_lines);
    log_set_display(NULL, NULL);
    display.on = false;
}
