/* connect_session.c: a call is attempted until it succeeds, fails for good, or its time is up;
 * between two attempts there is a pause that doubles up to two seconds.
 *
 * A call with one answer (connect_ask()) may be sent again, because asking twice changes nothing. A
 * plan may not: it might start a query. So it is executed as a reattachable operation whose id we
 * choose. After a break we attach to the operation (ReattachExecute) behind the last response that
 * we have. The plan is sent again only if the server knows no such operation and no response has
 * come: then the first request never arrived. At the end the operation is released, so that the
 * server need not keep its responses.
 *
 * The time limit holds for the whole call, all attempts included. */
#include "streaming/cluster/connect/connect_session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log/log.h"
#include "base/log/log_retry.h"
#include "base/scope.h"
#include "base/system/clock.h"
#include "base/system/uuid.h"
#include "base/text.h"
#include "streaming/cluster/connect/connect_fault.h"
#include "streaming/cluster/connect/patience.h"
#include "streaming/cluster/connect/spark_connect.pb-c.h"

enum {
    PAUSE_FIRST_MS = 100,
    PAUSE_MAX_MS = 2000,
    RELEASE_MS = 2000, // what is not released then, the server forgets by itself
    DETAILS_MS = 5000,
};

struct connect_identity connect_identity_of(const struct connect_session *session) {
    return (struct connect_identity){
        .session_id = session->id, .user_id = session->url->user_id, .observed = session->observed};
}

void connect_observe(struct connect_session *session, const char *server_side_session_id) {
    if (session->observed != NULL || server_side_session_id == NULL ||
        *server_side_session_id == '\0')
        return;
    session->observed = text_copy(server_side_session_id);
}

/* ---- The connection */

static void drop_connection(struct connect_session *session) {
    grpc_close(session->grpc);
    session->grpc = NULL;
}

/* Told once, however many attempts fail. */
static void note_away(struct connect_session *session, const struct error *err) {
    const struct connect_url *url = session->url;
    session->broken = *err;
    if (session->away_since_ms != 0)
        return;
    session->away_since_ms = clock_monotonic_ms();
    char text[sizeof err->message + 256];
    (void)snprintf(text, sizeof text, "%s; retrying at %s:%d: %s",
                   session->version == NULL ? "Spark does not answer yet"
                                            : "Connection to Spark lost",
                   url->host, url->port, err->message);
    const struct log_retry retry = {.began_ms = session->away_since_ms,
                                    .attempts = 1,
                                    .pause_ms = PAUSE_FIRST_MS,
                                    .limit_ms = session->timeout_ms,
                                    .limit = "SPARK_CONNECT_TIMEOUT"};
    log_retry(LOG_WARNING, session->logger, text, &retry);
}

static void note_there(struct connect_session *session) {
    const struct connect_url *url = session->url;
    if (session->away_since_ms == 0)
        return;
    log_write(LOG_INFO, session->logger,
              "Connection to Spark restored | server=%s:%d | away_ms=%" PRId64, url->host,
              url->port, clock_monotonic_ms() - session->away_since_ms);
    session->away_since_ms = 0;
}

static enum call_outcome make_connection(struct connect_session *session,
                                         const struct patience *patience, struct error *err) {
    // One that the server has closed while nobody needed it is not worth a line.
    if (session->grpc != NULL && !grpc_is_usable(session->grpc))
        drop_connection(session);
    if (session->grpc != NULL)
        return CALL_DONE;
    struct grpc_options options = grpc_defaults(session->url);
    return grpc_open(&options, patience, &session->grpc, err);
}

/* One call, once, over the existing connection or a new one. */
static enum call_outcome attempt(struct connect_session *session, const char *method,
                                 const struct connect_bytes *request, connect_take *take,
                                 void *context, const struct patience *patience,
                                 struct error *err) {
    enum call_outcome outcome = make_connection(session, patience, err);
    if (outcome != CALL_DONE)
        return outcome;
    grpc_begin(session->grpc, method, request->bytes, request->size, patience);
    struct grpc_message message;
    for (;;) {
        outcome = grpc_receive(session->grpc, patience, &message, err);
        if (outcome != CALL_DONE || message.bytes == NULL)
            break;
        if (!take(context, message.bytes, message.size)) {
            (void)error_set(err, ERROR_CLUSTER, "the answer to %s cannot be read", method);
            outcome = CALL_FOREIGN;
            break;
        }
    }
    grpc_end(session->grpc);
    // The server's clock may be a little ahead of ours.
    if (outcome == CALL_STATUS && grpc_status(session->grpc).code == GRPC_CODE_DEADLINE_EXCEEDED)
        outcome = CALL_LATE;
    if (outcome == CALL_BROKEN || outcome == CALL_FOREIGN || outcome == CALL_LATE)
        drop_connection(session);
    return outcome;
}

/* Whether the same call may be retried after a while. */
static bool is_passing(const struct connect_session *session, enum call_outcome outcome) {
    return outcome == CALL_BROKEN ||
           (outcome == CALL_STATUS && grpc_status(session->grpc).code == GRPC_CODE_UNAVAILABLE);
}

/* Rests before the next attempt; CALL_DONE: it may begin. */
static enum call_outcome rest(const struct patience *patience, int64_t *pause_ms) {
    enum call_outcome outcome = patience_sleep(patience, *pause_ms);
    *pause_ms = 2 * *pause_ms < PAUSE_MAX_MS ? 2 * *pause_ms : PAUSE_MAX_MS;
    return outcome;
}

/* ---- What an outcome means */

static bool begins(const char *text, const char *with) {
    return strncmp(text, with, strlen(with)) == 0;
}

static enum connect_failure failure_of(int code, const char *error_class) {
    if (code == GRPC_CODE_UNAUTHENTICATED || code == GRPC_CODE_PERMISSION_DENIED)
        return CONNECT_REFUSED;
    if (code == GRPC_CODE_UNIMPLEMENTED && *error_class == '\0') // another service, or an old one
        return CONNECT_UNREACHABLE;
    if (begins(error_class, "INVALID_HANDLE.SESSION_"))
        return CONNECT_SESSION_GONE;
    return CONNECT_SPARK;
}

static bool take_details(void *context, const uint8_t *bytes, size_t size) {
    connect_fault_add_details(context, bytes, size);
    return true;
}

static void fetch_details(struct connect_session *session, struct connect_fault *fault) {
    struct connect_identity identity = connect_identity_of(session);
    struct connect_bytes request = connect_message_error_details(&identity, fault->error_id);
    struct patience patience = patience_for(DETAILS_MS, NULL, session->stop);
    struct error err; // without details the message is what it is
    (void)attempt(session, CONNECT_SERVICE "FetchErrorDetails", &request, take_details, fault,
                  &patience, &err);
    free(request.bytes);
}

static void explain_status(struct connect_session *session, struct error *err) {
    const struct connect_url *url = session->url;
    struct grpc_status status = grpc_status(session->grpc);
    struct connect_fault fault = connect_fault_of_status(&status);
    session->failure = failure_of(status.code, fault.error_class);
    if (fault.message[0] == '\0')
        snprintf(fault.message, sizeof fault.message, "%s", err->message);
    if (session->failure == CONNECT_UNREACHABLE) {
        (void)error_set(err, ERROR_CLUSTER, "the server at %s:%d is not Spark Connect: %s",
                        url->host, url->port, fault.message);
        return;
    }
    if (session->failure == CONNECT_REFUSED) {
        (void)error_set(err, ERROR_CLUSTER, "Spark Connect at %s:%d refused access: %s (%s)",
                        url->host, url->port, fault.message,
                        url->token == NULL ? "it may require a token: add token= to the URL"
                                           : "check the token in the URL");
        return;
    }
    if (fault.error_id[0] != '\0')
        fetch_details(session, &fault);
    snprintf(session->error_class, sizeof session->error_class, "%s", fault.error_class);
    connect_fault_print(&fault, err);
}

/* Sets the error of a call as the caller sees it, and returns false if there is one. */
static bool settle(struct connect_session *session, enum call_outcome outcome, struct error *err) {
    const struct connect_url *url = session->url;
    session->failure = CONNECT_NO_FAILURE;
    session->error_class[0] = '\0';
    switch (outcome) {
    case CALL_DONE:
        return true;
    case CALL_STOPPED:
        return false;
    case CALL_STATUS:
        explain_status(session, err);
        return false;
    case CALL_REFUSED:
        session->failure = CONNECT_REFUSED;
        return error_wrap(err, "Spark Connect at %s:%d", url->host, url->port);
    case CALL_LATE:
        session->failure = CONNECT_UNREACHABLE;
        return error_set(
            err, ERROR_CLUSTER, "Spark Connect at %s:%d has not answered for %" PRId64 " ms%s%s",
            url->host, url->port, session->timeout_ms, session->away_since_ms == 0 ? "" : ": ",
            session->away_since_ms == 0 ? "" : session->broken.message);
    case CALL_BROKEN:
    case CALL_FOREIGN:
        session->failure = CONNECT_UNREACHABLE;
        return error_wrap(err, "Spark Connect at %s:%d", url->host, url->port);
    }
    return false;
}

/* ---- Calls with one answer */

bool connect_ask(struct connect_session *session, const char *method, struct connect_bytes request,
                 connect_take *take, void *context, struct error *err) {
    struct patience patience = patience_for(session->timeout_ms, NULL, session->stop);
    int64_t pause_ms = PAUSE_FIRST_MS;
    enum call_outcome outcome;
    for (;;) {
        outcome = attempt(session, method, &request, take, context, &patience, err);
        if (!is_passing(session, outcome))
            break;
        note_away(session, err);
        outcome = rest(&patience, &pause_ms);
        if (outcome != CALL_DONE) {
            (void)patience_error(outcome, "waiting for Spark", err);
            break;
        }
    }
    if (outcome == CALL_DONE || outcome == CALL_STATUS)
        note_there(session);
    free(request.bytes);
    return settle(session, outcome, err);
}

static bool take_nothing(void *context, const uint8_t *bytes, size_t size) {
    (void)context, (void)bytes, (void)size;
    return true;
}

void connect_say(struct connect_session *session, const char *method, struct connect_bytes request,
                 int64_t ms, struct stop *stop) {
    struct patience patience = patience_for(ms, NULL, stop);
    struct error err; // ignored: the server releases by itself what it is not asked to release
    (void)attempt(session, method, &request, take_nothing, NULL, &patience, &err);
    free(request.bytes);
}

/* ---- Operations */

struct operation {
    struct connect_session *session;
    char id[37];
    char *last_response_id; // NULL: nothing came yet
    bool complete;
    size_t responses; // of the attempt under way
    connect_respond *respond;
    void *context;
};

static bool take_response(void *context, const uint8_t *bytes, size_t size) {
    struct operation *operation = context;
    Spark__Connect__ExecutePlanResponse *response =
        spark__connect__execute_plan_response__unpack(NULL, size, bytes);
    if (response == NULL)
        return false;
    connect_observe(operation->session, response->server_side_session_id);
    note_there(operation->session);
    if (response->response_id != NULL) {
        free(operation->last_response_id);
        operation->last_response_id = text_copy(response->response_id);
    }
    operation->responses++;
    if (response->response_type_case ==
        SPARK__CONNECT__EXECUTE_PLAN_RESPONSE__RESPONSE_TYPE_RESULT_COMPLETE)
        operation->complete = true;
    else
        operation->respond(operation->context, response);
    spark__connect__execute_plan_response__free_unpacked(response, NULL);
    return true;
}

static enum call_outcome attach(struct operation *operation, const struct patience *patience,
                                struct error *err) {
    struct connect_identity identity = connect_identity_of(operation->session);
    struct connect_bytes request =
        connect_message_reattach(&identity, operation->id, operation->last_response_id);
    enum call_outcome outcome = attempt(operation->session, CONNECT_SERVICE "ReattachExecute",
                                        &request, take_response, operation, patience, err);
    free(request.bytes);
    return outcome;
}

static bool is_class(const struct connect_session *session, enum call_outcome outcome,
                     const char *error_class) {
    if (outcome != CALL_STATUS)
        return false;
    struct grpc_status status = grpc_status(session->grpc);
    struct connect_fault fault = connect_fault_of_status(&status);
    return strcmp(fault.error_class, error_class) == 0;
}

enum next { OVER, AGAIN_FROM_START, ATTACH_AT_ONCE, ATTACH_LATER };

/* What follows an attempt (Spark's clients: ExecutePlanResponseReattachableIterator). */
static enum next decide(struct operation *operation, bool attached, enum call_outcome outcome,
                        const struct error *err) {
    struct connect_session *session = operation->session;
    if (is_passing(session, outcome)) {
        note_away(session, err);
        return ATTACH_LATER;
    }
    if (outcome == CALL_DONE || outcome == CALL_STATUS)
        note_there(session);
    // The server ends a stream every now and then, and is asked for the rest.
    if (outcome == CALL_DONE && !operation->complete)
        return operation->responses > 0 ? ATTACH_AT_ONCE : ATTACH_LATER;
    // The request itself has never arrived.
    if (attached && operation->last_response_id == NULL &&
        is_class(session, outcome, "INVALID_HANDLE.OPERATION_NOT_FOUND"))
        return AGAIN_FROM_START;
    // It has arrived after all; or somebody, an older stream of ours, is attached still.
    if ((!attached && is_class(session, outcome, "INVALID_HANDLE.OPERATION_ALREADY_EXISTS")) ||
        is_class(session, outcome, "INVALID_CURSOR.DISCONNECTED"))
        return ATTACH_LATER;
    return OVER;
}

static enum call_outcome run(struct operation *operation, const struct connect_bytes *request,
                             struct error *err) {
    struct connect_session *session = operation->session;
    struct patience patience = patience_for(session->timeout_ms, NULL, session->stop);
    int64_t pause_ms = PAUSE_FIRST_MS;
    bool attached = false;
    for (;;) {
        operation->responses = 0;
        enum call_outcome outcome = attached
                                        ? attach(operation, &patience, err)
                                        : attempt(session, CONNECT_SERVICE "ExecutePlan", request,
                                                  take_response, operation, &patience, err);
        enum next next = decide(operation, attached, outcome, err);
        if (next == OVER)
            return outcome;
        attached = next != AGAIN_FROM_START;
        if (operation->responses > 0)
            pause_ms = PAUSE_FIRST_MS;
        if (next == ATTACH_AT_ONCE)
            continue;
        outcome = rest(&patience, &pause_ms);
        if (outcome != CALL_DONE)
            return patience_error(outcome, "waiting for Spark", err);
    }
}

static void release(struct operation *operation) {
    struct connect_identity identity = connect_identity_of(operation->session);
    if (operation->session->grpc != NULL)
        connect_say(operation->session, CONNECT_SERVICE "ReleaseExecute",
                    connect_message_release(&identity, operation->id), RELEASE_MS,
                    operation->session->stop);
}

bool connect_execute(struct connect_session *session, Spark__Connect__Plan *plan,
                     connect_respond *respond, void *context, struct error *err) {
    struct operation operation = {.session = session, .respond = respond, .context = context};
    struct connect_identity identity = connect_identity_of(session);
    uuid_new(operation.id);
    struct connect_bytes request = connect_message_execute(&identity, operation.id, plan);
    enum call_outcome outcome = run(&operation, &request, err);
    free(request.bytes);
    free(operation.last_response_id);
    bool done = settle(session, outcome, err);
    release(&operation);
    return done;
}
