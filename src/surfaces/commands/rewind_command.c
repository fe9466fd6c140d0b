#include <stdlib.h>

#include "base/check.h"
#include "base/system/clock.h"
#include "streaming/kafka/broker.h"
#include "streaming/offsets/offset_log.h"
#include "streaming/operations/operations.h"
#include "surfaces/commands/each_command.h"
#include "surfaces/terminal/quantity.h"

enum { GROUP_TIMEOUT_MS = 10 * 1000 };

static bool commit_group(const struct command_scope *scope, const struct offsets *next,
                         struct error *err) {
    const struct config *config = scope->config;
    struct broker *broker;
    if (!broker_open(config->bootstrap_servers, config->kafka_properties,
                     config->kafka_property_count, &broker, err))
        return false;
    if (broker->ops->commit_group == NULL) {
        broker->ops->close(broker);
        return error_set(err, ERROR_CONFIG, "captured records have no consumer groups");
    }
    struct offset_range *positions = must_alloc(next->count, sizeof *positions);
    for (size_t i = 0; i < next->count; i++)
        positions[i] = (struct offset_range){.partition = next->entries[i].partition,
                                             .start = next->entries[i].offset,
                                             .end = next->entries[i].offset};
    bool ok = broker->ops->commit_group(broker, config->query.commit_group, scope->store.topic,
                                        positions, next->count, GROUP_TIMEOUT_MS, err);
    free(positions);
    broker->ops->close(broker);
    return ok;
}

/* KAFKA_COMMIT_GROUP goes back with the query. The rewind is done by then, so that a failure is
 * only said: the next start of the query commits its position, too. */
static void set_group_back(const struct command_scope *scope, const struct offsets *next) {
    const char *group = scope->config->query.commit_group;
    struct error err;
    if (*group == '\0' || next->count == 0)
        return;
    if (scope->config->bootstrap_servers == NULL)
        (void)error_set(&err, ERROR_CONFIG, "KAFKA_BOOTSTRAP_SERVERS is not set");
    else if (commit_group(scope, next, &err)) {
        (void)fprintf(scope->out, "%s: consumer group '%s' was reset to these offsets.\n",
                      scope->store.query, group);
        return;
    }
    (void)fprintf(scope->out, "%s: consumer group '%s' was not reset: %s.%s\n", scope->store.query,
                  group, err.message,
                  err.kind == ERROR_BROKER ? " The next start of the query resets it." : "");
}

/* Exactly one of --to-batch and --to-time. */
static bool read_request(const struct config *config, struct rewind_request *request,
                         struct error *err) {
    const struct command_arguments *arguments = &config->arguments;
    bool by_batch = (arguments->given & OPTION_BIT(OPTION_TO_BATCH)) != 0;
    *request = (struct rewind_request){.by_time = arguments->to_time != NULL,
                                       .to_batch = arguments->to_batch};
    if (by_batch == request->by_time)
        return error_set(err, ERROR_CONFIG, "rewind needs --to-batch N or --to-time TIME%s",
                         by_batch ? ", not both" : "");
    int64_t micros = 0;
    if (request->by_time &&
        !moment_parse(arguments->to_time, config->query.time_zone, clock_wall_ms(), &micros, err))
        return error_wrap(err, "--to-time");
    request->before_ms = micros / 1000;
    return true;
}

/* Without the address of Kafka nothing can be asked, and it is said. */
static bool open_broker(const struct command_scope *scope, struct broker **broker,
                        struct error *err) {
    const struct config *config = scope->config;
    *broker = NULL;
    if (config->arguments.no_kafka_check)
        return true;
    if (config->bootstrap_servers != NULL)
        return broker_open(config->bootstrap_servers, config->kafka_properties,
                           config->kafka_property_count, broker, err);
    (void)fprintf(
        scope->out,
        "%s: KAFKA_BOOTSTRAP_SERVERS is not set, so it is not checked whether Kafka still "
        "has the records.\n",
        scope->store.query);
    return true;
}

bool rewind_command(const struct command_scope *scope, struct error *err) {
    struct offsets next;
    struct rewind_request request;
    const struct command_arguments *arguments = &scope->config->arguments;
    if (!read_request(scope->config, &request, err) || !open_broker(scope, &request.broker, err))
        return false;
    struct query_options query = config_query_options(scope->config, scope->stream);
    config_store_options_deinit(&query.store);
    query.store = scope->store;
    request.query = &query;
    request.memory_max = config_memory_budget(scope->config) / 4;
    bool ok = operation_rewind(&scope->store, &request, arguments->dry_run, &next, scope->out, err);
    if (request.broker != NULL)
        request.broker->ops->close(request.broker);
    if (ok && !arguments->dry_run)
        set_group_back(scope, &next);
    offsets_deinit(&next);
    return ok;
}
