/* connect_fault.c: Spark reports an error in three ways: in the gRPC status's details
 * (google.rpc.ErrorInfo), in the answer to FetchErrorDetails (a chain of causes), and, for a query
 * that ended, as a message with Java's stack trace. Each becomes the same: the first line of the
 * message, the class of the deepest error that has one, and the deepest cause unless the message
 * says it already. All texts are somebody else's: cut to size, on character boundaries. */
#include "streaming/cluster/connect/connect_fault.h"

#include <stdio.h>
#include <string.h>

#include "streaming/cluster/connect/grpc.h"
#include "streaming/cluster/connect/rpc_status.pb-c.h"
#include "streaming/cluster/connect/spark_connect.pb-c.h"

static const char caused_by[] = "Caused by: ";

/* The first line that is not empty, cut between two characters. */
static void take_line(char *to, size_t size, const char *text) {
    text += strspn(text, " \t\r\n");
    size_t length = strcspn(text, "\r\n");
    size_t taken = length < size ? length : size - 1;
    while (taken < length && taken > 0 && ((unsigned char)text[taken] & 0xc0) == 0x80)
        taken--; // the middle of a character
    memcpy(to, text, taken);
    to[taken] = '\0';
}

static void take_class(struct connect_fault *fault, const char *error_class) {
    if (error_class != NULL && *error_class != '\0')
        take_line(fault->error_class, sizeof fault->error_class, error_class);
}

/* An exception as Java prints it: "java.util.concurrent.TimeoutException: text". */
static void take_cause(struct connect_fault *fault, const char *exception) {
    char line[sizeof fault->cause];
    take_line(line, sizeof line, exception);
    const char *colon = strchr(line, ':'), *text = colon == NULL ? "" : colon + 1;
    text += strspn(text, " ");
    // Spark's own message often ends with its cause's.
    if (*text != '\0' && strstr(fault->message, text) != NULL) {
        fault->cause[0] = '\0';
        return;
    }
    const char *name = line; // without its package
    for (const char *at = line; *at != '\0' && *at != ':' && *at != ' '; at++)
        name = *at == '.' ? at + 1 : name;
    take_line(fault->cause, sizeof fault->cause, name);
}

static void read_info(struct connect_fault *fault, const ProtobufCBinaryData *bytes) {
    Google__Rpc__ErrorInfo *info = google__rpc__error_info__unpack(NULL, bytes->len, bytes->data);
    if (info == NULL)
        return;
    for (size_t i = 0; i < info->n_metadata; i++) {
        const char *key = info->metadata[i]->key, *value = info->metadata[i]->value;
        if (key == NULL || value == NULL)
            continue;
        if (strcmp(key, "errorClass") == 0)
            take_class(fault, value);
        else if (strcmp(key, "errorId") == 0)
            take_line(fault->error_id, sizeof fault->error_id, value);
    }
    google__rpc__error_info__free_unpacked(info, NULL);
}

struct connect_fault connect_fault_of_status(const struct grpc_status *status) {
    struct connect_fault fault = {0};
    take_line(fault.message, sizeof fault.message, status->message);
    Google__Rpc__Status *read =
        status->details == NULL
            ? NULL
            : google__rpc__status__unpack(NULL, status->details_size, status->details);
    if (read == NULL)
        return fault;
    if (read->message != NULL && *read->message != '\0')
        take_line(fault.message, sizeof fault.message, read->message);
    for (size_t i = 0; i < read->n_details; i++) {
        const char *type = read->details[i]->type_url;
        if (type != NULL && strcmp(type, "type.googleapis.com/google.rpc.ErrorInfo") == 0)
            read_info(&fault, &read->details[i]->value);
    }
    google__rpc__status__free_unpacked(read, NULL);
    return fault;
}

static void add_chain(struct connect_fault *fault,
                      const Spark__Connect__FetchErrorDetailsResponse *read) {
    size_t at = read->has_root_error_idx ? (size_t)read->root_error_idx : read->n_errors;
    if (at >= read->n_errors)
        return;
    const Spark__Connect__FetchErrorDetailsResponse__Error *error = read->errors[at];
    if (error->message != NULL && *error->message != '\0')
        take_line(fault->message, sizeof fault->message, error->message);
    // The deepest error that has a class of Spark's says best which it is.
    for (size_t steps = 0; steps < read->n_errors; steps++) {
        if (error->spark_throwable != NULL)
            take_class(fault, error->spark_throwable->error_class);
        if (!error->has_cause_idx || (size_t)error->cause_idx >= read->n_errors)
            break;
        error = read->errors[error->cause_idx];
    }
    if (error == read->errors[at])
        return;
    char exception[2 * CONNECT_FAULT_TEXT_MAX];
    snprintf(exception, sizeof exception, "%s: %s",
             error->n_error_type_hierarchy > 0 ? error->error_type_hierarchy[0] : "exception",
             error->message == NULL ? "" : error->message + strspn(error->message, " \t\r\n"));
    take_cause(fault, exception);
}

void connect_fault_add_details(struct connect_fault *fault, const uint8_t *bytes, size_t size) {
    Spark__Connect__FetchErrorDetailsResponse *read =
        spark__connect__fetch_error_details_response__unpack(NULL, size, bytes);
    if (read == NULL)
        return;
    add_chain(fault, read);
    spark__connect__fetch_error_details_response__free_unpacked(read, NULL);
}

/* "[CLASS.OF.SPARK] text" in an exception's line. */
static void find_class(struct connect_fault *fault, const char *exception) {
    char line[CONNECT_FAULT_TEXT_MAX];
    take_line(line, sizeof line, exception);
    const char *from = strchr(line, '['), *end = from == NULL ? NULL : strchr(from, ']');
    if (end == NULL)
        return;
    size_t size = (size_t)(end - from - 1);
    if (size == 0 || size >= sizeof fault->error_class ||
        strspn(from + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.") != size)
        return;
    memcpy(fault->error_class, from + 1, size);
    fault->error_class[size] = '\0';
}

/* Behind "org.apache.spark.SomeException: ", if the text begins with that. */
static const char *skip_exception(const char *text) {
    size_t size = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$.");
    bool dotted = memchr(text, '.', size) != NULL;
    return dotted && strncmp(text + size, ": ", 2) == 0 ? text + size + 2 : text;
}

struct connect_fault connect_fault_of_query(const char *message, const char *error_class,
                                            const char *stack_trace) {
    struct connect_fault fault = {0};
    take_line(fault.message, sizeof fault.message, message == NULL ? "" : skip_exception(message));
    take_class(&fault, error_class);
    const char *next = stack_trace == NULL ? NULL : strstr(stack_trace, caused_by);
    while (next != NULL) {
        next += strlen(caused_by);
        take_cause(&fault, next);
        find_class(&fault, next); // the deepest that Spark has says best which error it is
        next = strstr(next, caused_by);
    }
    return fault;
}

void connect_fault_print(const struct connect_fault *fault, struct error *err) {
    const char *message = fault->message[0] == '\0' ? "an error without a message" : fault->message;
    if (fault->cause[0] == '\0')
        (void)error_set(err, ERROR_CLUSTER, "Spark: %s", message);
    else
        (void)error_set(err, ERROR_CLUSTER, "Spark: %s (cause: %s)", message, fault->cause);
}
