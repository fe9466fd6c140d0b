/* connect.c: the calls of connect.h. Each is a message, the responses to it, and what is taken from
 * them.
 *
 * A plan is answered by a stream of responses of many kinds, so each take_…() picks its own and
 * passes over the rest. A stream that ends without an error need not have had an answer, with a
 * Spark of another version for instance: a caller that needs one checks whether it came. A session
 * that we close is given back to the server, which would keep it for an hour. */
#include "streaming/cluster/connect/connect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/system/uuid.h"
#include "base/text.h"
#include "streaming/cluster/connect/connect_fault.h"
#include "streaming/cluster/connect/connect_messages.h"
#include "streaming/cluster/connect/connect_session.h"
#include "streaming/cluster/connect/spark_connect.pb-c.h"

enum { RELEASE_MS = 2000 }; // of a session, at the end

static bool take_version(void *context, const uint8_t *bytes, size_t size) {
    struct connect_session *session = context;
    Spark__Connect__AnalyzePlanResponse *response =
        spark__connect__analyze_plan_response__unpack(NULL, size, bytes);
    if (response == NULL)
        return false;
    connect_observe(session, response->server_side_session_id);
    bool told =
        response->result_case == SPARK__CONNECT__ANALYZE_PLAN_RESPONSE__RESULT_SPARK_VERSION &&
        response->spark_version->version != NULL && session->version == NULL;
    if (told)
        session->version = text_copy(response->spark_version->version);
    spark__connect__analyze_plan_response__free_unpacked(response, NULL);
    return session->version != NULL;
}

bool connect_open(const struct connect_options *options, struct connect_session **session,
                  struct error *err) {
    struct connect_session *opened = must_alloc(1, sizeof *opened);
    *opened = (struct connect_session){.url = options->url,
                                       .logger = options->logger,
                                       .timeout_ms = options->timeout_ms,
                                       .stop = options->stop};
    const char *id = options->session_id != NULL ? options->session_id : options->url->session_id;
    if (id != NULL)
        snprintf(opened->id, sizeof opened->id, "%s", id);
    else
        uuid_new(opened->id);
    struct connect_identity identity = connect_identity_of(opened);
    bool done = connect_ask(opened, CONNECT_SERVICE "AnalyzePlan",
                            connect_message_version(&identity), take_version, opened, err);
    if (done && opened->version == NULL)
        done = error_set(err, ERROR_CLUSTER, "Spark Connect at %s:%d does not report its version",
                         options->url->host, options->url->port);
    if (!done) {
        if (options->failure != NULL)
            *options->failure = opened->failure;
        connect_abandon(opened);
        return false;
    }
    *session = opened;
    return true;
}

void connect_close(struct connect_session *session) {
    if (session == NULL)
        return;
    struct connect_identity identity = connect_identity_of(session);
    // Also when we are to stop at once: the session's queries end with it.
    connect_say(session, CONNECT_SERVICE "ReleaseSession",
                connect_message_release_session(&identity), RELEASE_MS, NULL);
    connect_abandon(session);
}

void connect_abandon(struct connect_session *session) {
    if (session == NULL)
        return;
    grpc_close(session->grpc);
    free(session->observed);
    free(session->version);
    free(session);
}

const char *connect_session_id(const struct connect_session *session) {
    return session->id;
}

const char *connect_spark_version(const struct connect_session *session) {
    return session->version;
}

enum connect_failure connect_failure_of(const struct connect_session *session) {
    return session->failure;
}

const char *connect_error_class(const struct connect_session *session) {
    return session->error_class;
}

static bool take_configured(void *context, const uint8_t *bytes, size_t size) {
    (void)context;
    Spark__Connect__ConfigResponse *response =
        spark__connect__config_response__unpack(NULL, size, bytes);
    if (response == NULL)
        return false;
    spark__connect__config_response__free_unpacked(response, NULL);
    return true;
}

bool connect_configure(struct connect_session *session, const struct connect_pair *pairs,
                       size_t count, struct error *err) {
    struct connect_identity identity = connect_identity_of(session);
    return connect_ask(session, CONNECT_SERVICE "Config",
                       connect_message_configure(&identity, pairs, count), take_configured, NULL,
                       err);
}

/* The answer of an operation that must have one. */
static bool was_answered(struct connect_session *session, bool answered, struct error *err) {
    if (answered)
        return true;
    session->failure = CONNECT_SPARK;
    return error_set(err, ERROR_CLUSTER,
                     "Spark %s sent an incomplete answer: check that it is Spark 4",
                     session->version);
}

struct start_answer {
    struct connect_query *query;
    bool answered;
};

static void take_start(void *context, const Spark__Connect__ExecutePlanResponse *response) {
    struct start_answer *answer = context;
    if (response->response_type_case !=
        SPARK__CONNECT__EXECUTE_PLAN_RESPONSE__RESPONSE_TYPE_WRITE_STREAM_OPERATION_START_RESULT)
        return;
    const Spark__Connect__StreamingQueryInstanceId *id =
        response->write_stream_operation_start_result->query_id;
    if (id == NULL || id->id == NULL || id->run_id == NULL)
        return;
    snprintf(answer->query->id, sizeof answer->query->id, "%s", id->id);
    snprintf(answer->query->run_id, sizeof answer->query->run_id, "%s", id->run_id);
    answer->answered = true;
}

bool connect_start(struct connect_session *session, const struct connect_stream *stream,
                   struct connect_query *query, struct error *err) {
    struct start_answer answer = {.query = query};
    return connect_execute(session, connect_plan_start(stream), take_start, &answer, err) &&
           was_answered(session, answer.answered, err);
}

/* The result of a command about a query; NULL: the response is something else. */
static const Spark__Connect__StreamingQueryCommandResult *
result_of(const Spark__Connect__ExecutePlanResponse *response) {
    bool is_one =
        response->response_type_case ==
        SPARK__CONNECT__EXECUTE_PLAN_RESPONSE__RESPONSE_TYPE_STREAMING_QUERY_COMMAND_RESULT;
    return is_one ? response->streaming_query_command_result : NULL;
}

struct status_answer {
    struct connect_status *status;
    bool answered;
};

static void take_status(void *context, const Spark__Connect__ExecutePlanResponse *response) {
    struct status_answer *answer = context;
    const Spark__Connect__StreamingQueryCommandResult *result = result_of(response);
    if (result == NULL || result->result_type_case !=
                              SPARK__CONNECT__STREAMING_QUERY_COMMAND_RESULT__RESULT_TYPE_STATUS)
        return;
    const Spark__Connect__StreamingQueryCommandResult__StatusResult *told = result->status;
    *answer->status = (struct connect_status){.is_data_available = told->is_data_available,
                                              .is_trigger_active = told->is_trigger_active,
                                              .is_active = told->is_active};
    snprintf(answer->status->message, sizeof answer->status->message, "%s",
             told->status_message == NULL ? "" : told->status_message);
    answer->answered = true;
}

bool connect_status(struct connect_session *session, const struct connect_query *query,
                    struct connect_status *status, struct error *err) {
    struct status_answer answer = {.status = status};
    return connect_execute(session, connect_plan_query(query, CONNECT_ASK_STATUS), take_status,
                           &answer, err) &&
           was_answered(session, answer.answered, err);
}

struct progress_answer {
    char **reports;
    size_t count;
    bool answered;
};

static void take_progress(void *context, const Spark__Connect__ExecutePlanResponse *response) {
    struct progress_answer *answer = context;
    const Spark__Connect__StreamingQueryCommandResult *result = result_of(response);
    if (result == NULL ||
        result->result_type_case !=
            SPARK__CONNECT__STREAMING_QUERY_COMMAND_RESULT__RESULT_TYPE_RECENT_PROGRESS)
        return;
    const Spark__Connect__StreamingQueryCommandResult__RecentProgressResult *told =
        result->recent_progress;
    size_t more = told->n_recent_progress_json;
    answer->answered = true;
    answer->reports =
        realloc(answer->reports, (answer->count + more + 1) * sizeof *answer->reports);
    check(answer->reports != NULL);
    for (size_t i = 0; i < more; i++)
        answer->reports[answer->count++] = text_copy(told->recent_progress_json[i]);
}

static void free_reports(char **reports, size_t count) {
    for (size_t i = 0; i < count; i++)
        free(reports[i]);
    free(reports);
}

bool connect_progress(struct connect_session *session, const struct connect_query *query,
                      char ***reports, size_t *count, struct error *err) {
    struct progress_answer answer = {0};
    if (!connect_execute(session, connect_plan_query(query, CONNECT_ASK_PROGRESS), take_progress,
                         &answer, err) ||
        !was_answered(session, answer.answered, err)) {
        free_reports(answer.reports, answer.count);
        return false;
    }
    *reports = answer.reports;
    *count = answer.count;
    return true;
}

struct exception_answer {
    struct connect_fault fault;
    bool found, answered;
};

static void take_exception(void *context, const Spark__Connect__ExecutePlanResponse *response) {
    struct exception_answer *answer = context;
    const Spark__Connect__StreamingQueryCommandResult *result = result_of(response);
    if (result == NULL)
        return;
    // For a query that did not end by an error, the result has none.
    answer->answered = true;
    if (result->result_type_case !=
        SPARK__CONNECT__STREAMING_QUERY_COMMAND_RESULT__RESULT_TYPE_EXCEPTION)
        return;
    const Spark__Connect__StreamingQueryCommandResult__ExceptionResult *told = result->exception;
    if (told->exception_message == NULL && told->error_class == NULL && told->stack_trace == NULL)
        return;
    answer->found = true;
    answer->fault =
        connect_fault_of_query(told->exception_message, told->error_class, told->stack_trace);
}

bool connect_exception(struct connect_session *session, const struct connect_query *query,
                       bool *found, struct error *why, struct error *err) {
    struct exception_answer answer = {0};
    if (!connect_execute(session, connect_plan_query(query, CONNECT_ASK_EXCEPTION), take_exception,
                         &answer, err) ||
        !was_answered(session, answer.answered, err))
        return false;
    *found = answer.found;
    if (!answer.found)
        return true;
    connect_fault_print(&answer.fault, why);
    session->failure = CONNECT_SPARK;
    snprintf(session->error_class, sizeof session->error_class, "%s", answer.fault.error_class);
    return true;
}

static void take_any(void *context, const Spark__Connect__ExecutePlanResponse *response) {
    (void)context, (void)response;
}

bool connect_stop(struct connect_session *session, const struct connect_query *query,
                  struct error *err) {
    return connect_execute(session, connect_plan_query(query, CONNECT_ASK_STOP), take_any, NULL,
                           err) ||
           (connect_failure_of(session) == CONNECT_UNREACHABLE &&
            error_wrap(err, "cannot stop query %s, which may still be running", query->id));
}

bool connect_write(struct connect_session *session, const struct connect_frame *frame,
                   const char *format, const char *path, struct error *err) {
    return connect_execute(session, connect_plan_write(frame, format, path), take_any, NULL, err);
}
