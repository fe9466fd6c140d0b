/* kafka_client.h: one librdkafka consumer handle, set up as the engine needs it.
 *
 * Shared by the source (source_kafka.c) and by what lists topics and offsets (streaming/
 * kafka/kafka_admin.c), so that both see the cluster through the same settings and isolation level.
 * The handle never joins a group and never commits offsets: progress lives in our checkpoint alone,
 * and no ACL on groups is needed.
 *
 * librdkafka reports trouble (a broker that refuses connections, a failed login) in the background
 * and keeps trying. The newest report is kept here until somebody asks. Its own log lines go to a
 * function of the caller's and never to stderr. */
#ifndef PIPELINE_SOURCE_KAFKA_CLIENT_H
#define PIPELINE_SOURCE_KAFKA_CLIENT_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "pipeline/source/kafka_property.h"
#include "pipeline/source/kafka_statistics.h"

/* Whether a property is the engine's own business, because exactly-once or the memory bound rest on
 * it; setting such a one is ERROR_CONFIG. `why`, unless NULL, gets the reason or what to set
 * instead. */
bool kafka_property_is_ours(const char *name, const char **why);

/* Any thread of librdkafka's may call. `severity` as in syslog: 3 error … 7 debug. */
typedef void kafka_log_fn(int severity, const char *text);

/* Whether librdkafka has the property and takes the value, and it is not the engine's own.
 * ERROR_CONFIG; for a name that it does not have, with the nearest that it has. */
MUST_CHECK bool kafka_property_check(const struct kafka_property *property, struct error *err);

/* Whether librdkafka accepts the properties together, as when a client is opened; no broker is
 * contacted. ERROR_CONFIG; ERROR_LIMIT: there is no thread for the attempt. */
MUST_CHECK bool kafka_properties_try(const struct kafka_property *properties, size_t count,
                                     struct error *err);

/* All of it is borrowed for as long as a client or source made from it lives. */
struct kafka_settings {
    const char *bootstrap_servers;
    const struct kafka_property *properties;
    size_t property_count;
    kafka_log_fn *log; // NULL: librdkafka's log lines are dropped
    int statistics_ms; // how often the clients of sources tell statistics; 0: never
    struct kafka_statistics_box *statistics; // where the client's go; NULL: it tells none
};

/* What one handle may hold in memory, in bytes. */
struct kafka_limits {
    size_t queue;    // per partition: fetched records that wait to be read; may be overshot by one
                     // fetch
    size_t fetch;    // per partition and fetch; a larger record batch still comes, whole
    size_t response; // per fetch response; a larger record batch still comes, whole
    size_t largest;  // what a response may have at all, that is: the largest record batch
};

/* How many records may wait in a queue, for what librdkafka keeps in addition to their bytes. */
size_t kafka_limits_records(const struct kafka_limits *limits);

enum { KAFKA_TROUBLE_MAX = 512 };

struct kafka_client {
    struct rd_kafka_s *handle; // owned; NULL: closed
    const char *servers;       // borrowed
    kafka_log_fn *log;
    struct kafka_statistics_box *statistics;   // borrowed; NULL: none
    const char *sasl_username, *sasl_password; // borrowed; "" if not set
    const char *login_warning;                 // of kafka_login.h; NULL: none
    bool certificate;                          // one of ours is configured
    bool refills_itself;                       // kafka_client_refill() has nothing to do
    pthread_mutex_t lock;                      // guards everything below
    char trouble[KAFKA_TROUBLE_MAX];           // "" or the newest report, naming broker and error
    int trouble_count;                         // reports since trouble was last forgotten
    int64_t trouble_ms;                        // monotonic time of the newest
    bool refused;                              // a topic, since trouble was last forgotten
    int limit; // the machine's that the newest report names, or that any named of threads: an errno
    uint64_t too_large; // responses larger than we may take, since trouble was last forgotten
};

/* The client must not move while open. ERROR_CONFIG: a property that is ours, or that librdkafka
 * refuses. Reaches for no broker. */
MUST_CHECK bool kafka_client_open(struct kafka_client *client,
                                  const struct kafka_settings *settings,
                                  const struct kafka_limits *limits, struct error *err);
void kafka_client_close(struct kafka_client *client);

/* To be called when a queue that was full has been read halfway: makes librdkafka look again
 * whether there is something to fetch, which it would otherwise find out a second later. */
void kafka_client_refill(struct kafka_client *client);

/* With statistics: to be called every few seconds at least, or what librdkafka tells piles up.
 * Cheap when there is nothing. */
void kafka_client_tend(struct kafka_client *client);

/* Takes in what librdkafka has reported. Copies the newest trouble to `text` (cut, terminated) and
 * returns how many reports there were since it was forgotten; 0: none, or none for so long that it
 * must be over, and `text` is empty. */
int kafka_client_trouble(struct kafka_client *client, char *text, size_t size);
void kafka_client_forget_trouble(struct kafka_client *client);

/* For reports that come another way than librdkafka's error callback. */
void kafka_client_note_trouble(struct kafka_client *client, const char *text);

/* Whether the trouble is that a topic or partition does not exist or may not be read: waiting does
 * not help. */
bool kafka_client_was_refused(struct kafka_client *client);

/* The limit of the machine that the trouble comes from, as an errno for limit_describe(); 0: none.
 * EAGAIN: there was no thread for a broker's connection, and this client never has that connection.
 * Others: no descriptor or memory for a socket; it keeps trying. */
int kafka_client_limit(struct kafka_client *client);

/* Whether a broker keeps sending a response that exceeds what we may take (since trouble was last
 * forgotten): not just once, which may be a size that the network damaged. librdkafka drops the
 * connection and asks again, forever. */
bool kafka_client_met_too_large(struct kafka_client *client);

#endif
