/* spark_log.h: what a Spark server prints, line by line: which of our lines it is, and what it says
 * of how the server does.
 *
 * The server is started with a configuration of log4j's that is ours (spark_setup.c), so lines are
 * as Spark prints them unless told otherwise,
 *
 *     26/11/25 18:21:45 INFO SparkConnectServer: Spark Connect server started at: 127.0.0.1:40253
 *
 * with stack traces and long messages behind them, and what the JVM, bash and Spark's launcher
 * print on their own. What is in a line is somebody else's and may be anything. */
#ifndef STREAMING_CLUSTER_SPARK_SPARK_LOG_H
#define STREAMING_CLUSTER_SPARK_SPARK_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/log/log.h"
#include "base/text.h"

/* One line, in our words. Spark's INFO is our DEBUG: it reports every step of every batch. */
struct spark_line {
    enum log_level level;
    bool begins;         // an event; false: continues one, or is not log4j's
    struct text logger;  // "SparkContext"; empty: none
    struct text message; // the rest
};

/* Points into `bytes`, which has no line's end. */
void spark_line_parse(const char *bytes, size_t size, struct spark_line *line);

enum { SPARK_REASON_MAX = 640, SPARK_MASTERS_MAX = 16 };

/* What the lines so far come to. Zeroed: none was read. */
struct spark_log {
    int port;           // of the server; 0: it does not listen yet
    bool is_standalone; // set by the caller: a master must accept the application
    bool accepted;      // and it has
    bool is_yarn;       // set by the caller: Hadoop's client asks for the application\'s room
    int master_count;   // set by the caller: how many there are to be tried
    char failed[SPARK_MASTERS_MAX][64]; // those that could not be connected to
    int failed_count;
    bool given_up; // by Spark: its context has ended, and with it all that the server could do

    /* What went wrong: the first event while the server starts, whose consequences follow, and the
     * newest one later. */
    char trouble[SPARK_REASON_MAX], cause[SPARK_REASON_MAX / 2];
    bool in_trouble; // the lines that come belong to it
    char last[SPARK_REASON_MAX / 2];
};

/* Takes one line in, which may be of any bytes. */
void spark_log_take(struct spark_log *log, const struct spark_line *line);

/* It listens, and its master has accepted it. */
bool spark_log_is_up(const struct spark_log *log);

/* None of the masters can be connected to, while it starts. Spark itself tries again for a minute,
 * Hadoop's client for longer. */
bool spark_log_is_refused(const struct spark_log *log);

/* The best that is known of why it ended, in one line: "…: Connection refused". "" if it has
 * printed nothing. */
void spark_log_reason(const struct spark_log *log, char text[static SPARK_REASON_MAX]);

#endif
