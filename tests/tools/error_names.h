/* error_names.h: an error's kind as the probes print it, so that what reads them does not depend on
 * the order of the kinds. */
#ifndef TOOLS_ERROR_NAMES_H
#define TOOLS_ERROR_NAMES_H

#include "base/error.h"

static inline const char *error_kind_name(enum error_kind kind) {
    static const char *const names[] = {
        [ERROR_NONE] = "none",         [ERROR_RETRY] = "retry",     [ERROR_BROKER] = "broker",
        [ERROR_NO_TOPIC] = "no_topic", [ERROR_CONFIG] = "config",   [ERROR_LOCKED] = "locked",
        [ERROR_STATE] = "state",       [ERROR_RESTART] = "restart", [ERROR_DATA_LOSS] = "data_loss",
        [ERROR_DAMAGED] = "damaged",   [ERROR_RECORD] = "record",   [ERROR_LIMIT] = "limit",
        [ERROR_CLUSTER] = "cluster",   [ERROR_STOPPED] = "stopped",
    };
    return names[kind];
}

#endif
