/* kafka_login.h: whether the librdkafka that is loaded can log in as the properties ask.
 *
 * Debian 12's (2.0.2) was built without OIDC, and can't log in by SCRAM at Kafka 4; Debian 13's
 * can. What can never work is refused when the settings are read, before anything waits for a
 * broker. */
#ifndef PIPELINE_SOURCE_KAFKA_LOGIN_H
#define PIPELINE_SOURCE_KAFKA_LOGIN_H

#include <stddef.h>

#include "base/error.h"
#include "pipeline/source/kafka_property.h"

struct kafka_library {
    int version;              // as rd_kafka_version() gives it
    const char *version_text; // "2.0.2"
    const char *features;     // its "builtin.features": "ssl,sasl,…"
};

/* That of this process. */
struct kafka_library kafka_library_loaded(void);

/* ERROR_CONFIG: such a log-in can't work. The text says why and what would work; `*at` is the
 * property that asks for it. */
MUST_CHECK bool kafka_login_check(const struct kafka_property *properties, size_t count,
                                  const struct kafka_library *library, size_t *at,
                                  struct error *err);

/* Whether kafka_login_check() refuses the property because the library was built without it. */
bool kafka_login_refuses(const char *name, const struct kafka_library *library);

/* What may not work, by the version of the brokers; NULL: nothing. */
const char *kafka_login_warning(const struct kafka_property *properties, size_t count,
                                const struct kafka_library *library);

/* Whether the log-in is by the mechanism: "OAUTHBEARER"; "SCRAM-" stands for all that begin so. */
bool kafka_login_is_by(const struct kafka_property *properties, size_t count,
                       const char *mechanism);

#endif
