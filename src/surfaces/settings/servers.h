/* servers.h: KAFKA_BOOTSTRAP_SERVERS, as people write it. */
#ifndef SURFACES_SETTINGS_SERVERS_H
#define SURFACES_SETTINGS_SERVERS_H

#include "base/error.h"

/* Reads brokers separated by commas: host, host:port, [v6]:port, each also behind a protocol of
 * Kafka's, SSL://. As Java's client does, it skips entries that are empty.
 *
 * *list: host:port,host:port, each with a port and without a protocol, as Kafka's clients take it;
 * the caller frees it. *protocol: the one that was named (static; NULL: none was). A text that
 * begins with "file:" is a directory of captured records, and *list the text itself. ERROR_CONFIG:
 * no broker, an entry that is none, or two protocols; says what was wanted. */
MUST_CHECK bool servers_parse(const char *text, char **list, const char **protocol,
                              struct error *err);

#endif
