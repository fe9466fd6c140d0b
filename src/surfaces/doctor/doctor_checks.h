/* doctor_checks.h: what the doctor tries. Each check adds what it found to the report, takes no
 * lock, and may be left behind in its thread: it only uses the configuration. */
#ifndef SURFACES_DOCTOR_DOCTOR_CHECKS_H
#define SURFACES_DOCTOR_DOCTOR_CHECKS_H

#include "streaming/kafka/broker.h"
#include "surfaces/doctor/doctor_report.h"
#include "surfaces/settings/config.h"

enum { DOCTOR_BROKER_MS = 5000 };

/* doctor_network.c: whether the brokers take connections, and the isolation level; and of Spark, if
 * it does the work: the distribution, whether its master or the server that runs already takes
 * connections, and whether that one lets us in. */
void doctor_check_brokers(const struct config *config, struct doctor_report *report);
void doctor_check_cluster(const struct config *config, struct doctor_report *report);

/* Whether one of the brokers takes a connection; true for a capture. */
bool doctor_reaches_broker(const struct config *config);

/* doctor_kafka.c: each topic: there, described, and holding what the checkpoint comes to next. If
 * no broker can be reached, they are skipped; if one can, and does not answer, that is one failure.
 */
void doctor_check_topics(const struct config *config, struct doctor_report *report);

/* doctor_records.c: the newest records of a topic: whether they can be read, how many would become
 * rows, and which keys came instead of the expected ones; the clock compared with the newest. */
void doctor_check_records(const struct config *config, const struct stream *stream,
                          struct broker *broker, const struct topic_offsets *offsets,
                          struct doctor_report *report);

/* doctor_disk.c: each directory of the settings: durable, writable, free space, speed; and what a
 * query writes to there, partition by partition: by this user, and within one file system, since
 * files are renamed into place. */
void doctor_check_disk(const struct config *config, struct doctor_report *report);
void doctor_check_directories(const struct config *config, struct doctor_report *report);

/* doctor_care.c: of each table: whether it can be compacted, its small files, dates that never
 * expire, and what `files` has pinned for long. */
void doctor_check_care(const struct config *config, struct doctor_report *report);

/* doctor_machine.c: memory, files, clock, port; and each query's checkpoint. */
void doctor_check_machine(const struct config *config, struct doctor_report *report);
void doctor_check_queries(const struct config *config, struct doctor_report *report);

#endif
