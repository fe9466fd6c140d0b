/* kafka_errors.h: what follows from each error of librdkafka's or of Kafka's, in one table; and in
 * our words what a report of librdkafka's leaves to be guessed, in another.
 *
 * A retry must be able to succeed. So an error either passes by itself, or
 * somebody can repair it while we wait, or it is tried a few times and then ends the query. Codes
 * are those of rd_kafka_resp_err_t: below 0 librdkafka's own, above 0 the broker's. */
#ifndef PIPELINE_SOURCE_KAFKA_ERRORS_H
#define PIPELINE_SOURCE_KAFKA_ERRORS_H

#include <stddef.h>

#include "base/error.h"

enum kafka_fate {
    KAFKA_PASSES,  // librdkafka tries again by itself, and leaves nothing out
    KAFKA_ASK,     // an offset is said not to be there: the broker is asked where its log lies
    KAFKA_REPAIR,  // someone must fix Kafka or give us our rights back: ERROR_BROKER, which is
                   // retried forever (at a start: for KAFKA_STARTUP_TIMEOUT)
    KAFKA_DAMAGED, // what came can't be read, and will most likely be the same next time:
                   // ERROR_DAMAGED, which is retried a few times
    KAFKA_OURS,    // it stays so until something is changed on our side: ERROR_CONFIG
    KAFKA_LIMIT,   // the machine gives too little: ERROR_LIMIT
};

struct kafka_verdict {
    enum kafka_fate fate;
    const char *cure; // what to do about it; "": the error's text says enough
};

/* A code that the table does not have is to be repaired if a broker gave it, and damage if
 * librdkafka did. */
struct kafka_verdict kafka_verdict_of(int code);

/* The kind of error that ends a range, or an attempt to list a topic, because of the code. */
enum error_kind kafka_error_kind(int code);

/* Whether the code says that a topic or partition does not exist or may not be read: librdkafka
 * reports it once and then waits. */
bool kafka_error_is_refusal(int code);

/* A code's text, for people. */
const char *kafka_error_text(int code);

/* A report of librdkafka's on a connection, "host:port/id: reason (after 3 ms in state …, 4
 * identical error(s) suppressed)", as text for people: without times and counts, so that what
 * repeats stays the same, and with what to check where the reason does not say it. */
void kafka_report_text(const char *report, char *text, size_t size);

#endif
