/* log.c: a queue of lines in a ring of bytes, and the thread that empties it.
 *
 * Everything is under one lock, but the piece that is written next: the thread takes a line out,
 * releases the lock, and writes. So nobody who logs waits for the output. A full queue drops its
 * oldest lines; the next piece then is a line that says how many. Live lines of a terminal are part
 * of every piece, because they are below the last line.
 *
 * What must stay true: lines are whole, in the queue and in the output; what is dropped is counted
 * and said; and log_output_stop() returns even if the output never takes another byte: then the
 * thread is left alone (ABANDONED) and nothing is written any more. */
#include "base/log/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/system/clock.h"
#include "base/system/thread.h"
#include "base/text.h"

enum {
    IDLE_MS = 1000,              // how long a stop waits for an output that takes nothing
    RETRY_MS = 1000,             // after an error
    LAST_WORDS_BYTES = 16 << 10, // what a slow reader gets at least
};

enum mode {
    DIRECT,    // each line is written by its caller
    QUEUED,    // by the thread
    ABANDONED, // the thread hangs: nothing can be written any more
};

/* Whole lines, in a ring. */
struct queue {
    char bytes[LOG_QUEUE_MAX];
    size_t first, size;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; // guards everything but `piece`
static pthread_cond_t changed;                           // from the first start on
static pthread_t thread;
static int output = STDOUT_FILENO;
static enum mode mode;
static bool stopping, ended; // the thread shall end; has written what it could
static int64_t pieces;       // that were written
static struct queue queue;
static int64_t dropped, dropped_before; // since the last line that told how many; until then
static int failure;                     // errno of the last write that failed since then; 0: none
static struct {
    char lines[LOG_DISPLAY_MAX];
    size_t count;
    size_t drawn; // on the terminal now
    bool is_new;
} display;

/* What is written next; belongs to the thread, or without one to the holder of the lock. */
static struct {
    struct log_line line;
    char bytes[LOG_LINE_MAX + LOG_DISPLAY_MAX + 64];
    size_t size;
} piece;

/* ---- the queue ---- */

static void queue_put(const char *bytes, size_t size) {
    size_t at = (queue.first + queue.size) % LOG_QUEUE_MAX;
    size_t before_end = LOG_QUEUE_MAX - at < size ? LOG_QUEUE_MAX - at : size;
    memcpy(queue.bytes + at, bytes, before_end);
    memcpy(queue.bytes, bytes + before_end, size - before_end);
    queue.size += size;
}

/* Takes the oldest line out. */
static void queue_take(struct log_line *line) {
    size_t before_end = LOG_QUEUE_MAX - queue.first;
    before_end = before_end < queue.size ? before_end : queue.size;
    const char *end = memchr(queue.bytes + queue.first, '\n', before_end);
    size_t begin = end != NULL ? (size_t)(end - queue.bytes) + 1 - queue.first : before_end;
    memcpy(line->bytes, queue.bytes + queue.first, begin);
    line->size = begin;
    if (end == NULL) { // its rest is at the ring's beginning
        end = memchr(queue.bytes, '\n', queue.size - before_end);
        check(end != NULL);
        size_t rest = (size_t)(end - queue.bytes) + 1;
        memcpy(line->bytes + begin, queue.bytes, rest);
        line->size += rest;
    }
    queue.first = (queue.first + line->size) % LOG_QUEUE_MAX;
    queue.size -= line->size;
}

/* Drops the oldest lines until no more than so many bytes are left. */
static void queue_shrink(size_t size) {
    static struct log_line line;
    while (queue.size > size) {
        queue_take(&line);
        dropped++;
    }
}

/* ---- what is written next ---- */

static void tell_dropped(struct log_line *line) {
    log_line_format(
        line, LOG_WARNING, "log",
        "Log lines dropped: the output was blocked or failed | dropped=%lld | reason=%s",
        (long long)dropped,
        failure != 0 ? strerror(failure) : "the reader is too slow or has stopped reading");
    dropped_before += dropped;
    dropped = 0;
    failure = 0;
}

/* On a terminal the live lines are taken off before a line and drawn again after it, in one piece,
 * so that nothing flickers. */
static void piece_make(const struct log_line *line) {
    piece.size = 0;
    if (display.drawn > 0)
        piece.size = text_append(piece.bytes, sizeof piece.bytes, 0, "\x1b[%zuA\r%s", display.drawn,
                                 line->size > 0 || display.count < display.drawn ? "\x1b[J" : "");
    memcpy(piece.bytes + piece.size, line->bytes, line->size);
    piece.size =
        text_append(piece.bytes, sizeof piece.bytes, piece.size + line->size, "%s", display.lines);
    display.drawn = display.count;
    display.is_new = false;
}

/* False: there is nothing to write. */
static bool piece_next(void) {
    if (dropped == 0 && queue.size == 0 && !display.is_new)
        return false;
    piece.line.size = 0;
    if (dropped > 0)
        tell_dropped(&piece.line);
    else if (queue.size > 0)
        queue_take(&piece.line);
    piece_make(&piece.line);
    return true;
}

/* False: an error, which errno names; what was not written is still there. */
static bool piece_write(void) {
    while (piece.size > 0) {
        ssize_t written = write(output, piece.bytes, piece.size);
        if (written > 0) {
            piece.size -= (size_t)written;
            memmove(piece.bytes, piece.bytes + written, piece.size);
        } else if (written < 0 && errno == EAGAIN) {
            struct pollfd out = {.fd = output, .events = POLLOUT};
            (void)poll(&out, 1, RETRY_MS);
        } else if (written == 0 || errno != EINTR) {
            return false;
        }
    }
    return true;
}

/* ---- the thread ---- */

/* Whether to try again. Under the lock. */
static bool pause_after(int reason) {
    struct timespec until = clock_deadline(RETRY_MS);
    failure = reason;
    bool waiting = true;
    while (!stopping && waiting)
        waiting = pthread_cond_timedwait(&changed, &lock, &until) == 0;
    return !stopping;
}

static void *write_lines(void *argument) {
    (void)argument;
    (void)pthread_setname_np(pthread_self(), "log"); // only for people
    pthread_mutex_lock(&lock);
    bool goes_on = true;
    while (goes_on) {
        if (!piece_next()) {
            goes_on = !stopping;
            if (goes_on)
                pthread_cond_wait(&changed, &lock);
            continue;
        }
        bool written = false;
        while (!written && goes_on) {
            pthread_mutex_unlock(&lock);
            written = piece_write();
            int reason = errno;
            pthread_mutex_lock(&lock);
            goes_on = written || pause_after(reason);
        }
        pieces++;
        if (dropped == 0)
            failure = 0; // nothing was lost by it
        pthread_cond_broadcast(&changed);
    }
    ended = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return NULL;
}

/* Signals are for others, and one of them (SIGTTOU) would stop the process. */
static bool start_thread(struct error *err) {
    sigset_t all, before;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = thread_start(&thread, write_lines, NULL, "cannot start the log thread", err);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

bool log_output_start(struct error *err) {
    check(mode == DIRECT);
    thread_condition_init(&changed);
    stopping = ended = false;
    mode = QUEUED;
    if (start_thread(err))
        return true;
    mode = DIRECT;
    return false;
}

/* As long as lines are written, until the thread has ended, and no longer than `wait_ms`. False:
 * none was written for too long. */
static bool wait_while_written(int64_t wait_ms) {
    struct timespec last = clock_deadline(wait_ms);
    for (;;) {
        struct timespec idle = clock_deadline(IDLE_MS);
        bool is_last = clock_is_before(&last, &idle), waiting = true;
        int64_t before = pieces;
        while (!ended && pieces == before && waiting)
            waiting = pthread_cond_timedwait(&changed, &lock, is_last ? &last : &idle) == 0;
        if (ended || !waiting)
            return ended || is_last;
    }
}

static void release_thread(void) {
    mode = ended ? DIRECT : ABANDONED;
    if (!ended) {
        check(pthread_detach(thread) == 0);
        return;
    }
    check(pthread_join(thread, NULL) == 0);
    check(pthread_cond_destroy(&changed) == 0);
}

void log_output_stop(int64_t wait_ms) {
    pthread_mutex_lock(&lock);
    if (mode == QUEUED) {
        stopping = true;
        pthread_cond_broadcast(&changed);
        if (wait_while_written(wait_ms * 3 / 4) && !ended) {
            queue_shrink(LAST_WORDS_BYTES);
            (void)wait_while_written(wait_ms / 4);
        }
        release_thread();
    }
    pthread_mutex_unlock(&lock);
}

/* ---- who has something to say ---- */

void log_output_set(int fd) {
    output = fd;
}

/* Sees to it that what there is now will be written. Under the lock. */
static void hand_on(void) {
    if (mode == QUEUED)
        pthread_cond_broadcast(&changed);
    while (mode == DIRECT && piece_next())
        (void)piece_write(); // an error: nobody is left to tell
}

static void put_line(const struct log_line *line) {
    pthread_mutex_lock(&lock);
    queue_shrink(LOG_QUEUE_MAX - line->size);
    queue_put(line->bytes, line->size);
    hand_on();
    pthread_mutex_unlock(&lock);
}

void log_output_show(const char *lines) {
    pthread_mutex_lock(&lock);
    display.count = 0;
    for (const char *end = strchr(lines, '\n'); end != NULL; end = strchr(end + 1, '\n'))
        display.count++;
    (void)text_append(display.lines, sizeof display.lines, 0, "%s", lines);
    display.is_new = true;
    hand_on();
    pthread_mutex_unlock(&lock);
}

int64_t log_output_dropped(void) {
    pthread_mutex_lock(&lock);
    int64_t count = dropped_before + dropped;
    pthread_mutex_unlock(&lock);
    return count;
}

/* ---- events ---- */

static enum log_level least_level = LOG_INFO; // set before the first thread

// So that lines are in the order of time.
static pthread_mutex_t event_lock = PTHREAD_MUTEX_INITIALIZER;
static struct log_line event;

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
    pthread_mutex_lock(&event_lock);
    log_line_print(&event, level, logger, format, args);
    put_line(&event);
    pthread_mutex_unlock(&event_lock);
    va_end(args);
}
