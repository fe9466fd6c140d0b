/* connect_messages.c: each message is built as protobuf-c would have unpacked it, every part
 * allocated on its own, then packed and freed as a whole. Passing a part on gives it
 * away. */
#include "streaming/cluster/connect/connect_messages.h"

#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "streaming/cluster/connect/spark_connect.pb-c.h"

static const char client_type[] = "esports-stream/" PROGRAM_VERSION;

static void *make(const ProtobufCMessageDescriptor *descriptor) {
    void *message = must_alloc(1, descriptor->sizeof_message);
    protobuf_c_message_init(descriptor, message);
    return message;
}

/* Of an optional field: NULL leaves it out. */
static char *copy_if_any(const char *text) {
    return text == NULL ? NULL : text_copy(text);
}

/* Takes the message over. */
static struct connect_bytes pack(void *message) {
    struct connect_bytes packed = {.size = protobuf_c_message_get_packed_size(message)};
    packed.bytes = must_alloc(packed.size + 1, 1); // never NULL
    check(protobuf_c_message_pack(message, packed.bytes) == packed.size);
    protobuf_c_message_free_unpacked(message, NULL);
    return packed;
}

static Spark__Connect__UserContext *user_of(const struct connect_identity *identity) {
    Spark__Connect__UserContext *user = make(&spark__connect__user_context__descriptor);
    user->user_id = text_copy(identity->user_id);
    user->user_name = text_copy(identity->user_id);
    return user;
}

/* What almost every request has. */
#define IDENTIFY(request, identity)                                                                \
    do {                                                                                           \
        (request)->session_id = text_copy((identity)->session_id);                                 \
        (request)->user_context = user_of(identity);                                               \
        (request)->client_type = text_copy(client_type);                                           \
    } while (0)

/* Where a request says which server-side session was seen first, a server that has made another one
 * since (it was started again) refuses the request, instead of going on without our query. */
struct connect_bytes connect_message_version(const struct connect_identity *identity) {
    Spark__Connect__AnalyzePlanRequest *request =
        make(&spark__connect__analyze_plan_request__descriptor);
    IDENTIFY(request, identity);
    request->client_observed_server_side_session_id = copy_if_any(identity->observed);
    request->analyze_case = SPARK__CONNECT__ANALYZE_PLAN_REQUEST__ANALYZE_SPARK_VERSION;
    request->spark_version = make(&spark__connect__analyze_plan_request__spark_version__descriptor);
    return pack(request);
}

struct connect_bytes connect_message_configure(const struct connect_identity *identity,
                                               const struct connect_pair *pairs, size_t count) {
    Spark__Connect__ConfigRequest__Set *set =
        make(&spark__connect__config_request__set__descriptor);
    set->pairs = must_alloc(count, sizeof(void *));
    for (; set->n_pairs < count; set->n_pairs++) {
        Spark__Connect__KeyValue *pair = make(&spark__connect__key_value__descriptor);
        pair->key = text_copy(pairs[set->n_pairs].name);
        pair->value = text_copy(pairs[set->n_pairs].value);
        set->pairs[set->n_pairs] = pair;
    }
    Spark__Connect__ConfigRequest *request = make(&spark__connect__config_request__descriptor);
    IDENTIFY(request, identity);
    request->client_observed_server_side_session_id = copy_if_any(identity->observed);
    request->operation = make(&spark__connect__config_request__operation__descriptor);
    request->operation->op_type_case = SPARK__CONNECT__CONFIG_REQUEST__OPERATION__OP_TYPE_SET;
    request->operation->set = set;
    return pack(request);
}

struct connect_bytes connect_message_error_details(const struct connect_identity *identity,
                                                   const char *error_id) {
    Spark__Connect__FetchErrorDetailsRequest *request =
        make(&spark__connect__fetch_error_details_request__descriptor);
    IDENTIFY(request, identity);
    request->error_id = text_copy(error_id);
    return pack(request);
}

struct connect_bytes connect_message_release_session(const struct connect_identity *identity) {
    Spark__Connect__ReleaseSessionRequest *request =
        make(&spark__connect__release_session_request__descriptor);
    IDENTIFY(request, identity);
    return pack(request);
}

static Spark__Connect__Expression *expression_of(const char *text) {
    Spark__Connect__Expression *expression = make(&spark__connect__expression__descriptor);
    expression->expr_type_case = SPARK__CONNECT__EXPRESSION__EXPR_TYPE_EXPRESSION_STRING;
    expression->expression_string =
        make(&spark__connect__expression__expression_string__descriptor);
    expression->expression_string->expression = text_copy(text);
    return expression;
}

static Spark__Connect__Expression **expressions_of(const struct connect_step *step) {
    Spark__Connect__Expression **expressions = must_alloc(step->count, sizeof(void *));
    for (size_t i = 0; i < step->count; i++)
        expressions[i] = expression_of(step->expressions[i]);
    return expressions;
}

/* Where a frame begins: what its source gives, or numbers. */
static Spark__Connect__Relation *source_of(const struct connect_frame *frame) {
    Spark__Connect__Relation *relation = make(&spark__connect__relation__descriptor);
    if (frame->format == NULL) {
        Spark__Connect__Range *range = make(&spark__connect__range__descriptor);
        range->has_start = range->has_end = range->has_step = range->has_num_partitions = 1;
        range->end = frame->rows;
        range->step = 1;
        range->num_partitions = frame->partitions > 0 ? frame->partitions : 1;
        relation->rel_type_case = SPARK__CONNECT__RELATION__REL_TYPE_RANGE;
        relation->range = range;
        return relation;
    }
    Spark__Connect__Read__DataSource *source = make(&spark__connect__read__data_source__descriptor);
    source->format = text_copy(frame->format);
    source->options = must_alloc(frame->option_count, sizeof(void *));
    for (; source->n_options < frame->option_count; source->n_options++) {
        Spark__Connect__Read__DataSource__OptionsEntry *entry =
            make(&spark__connect__read__data_source__options_entry__descriptor);
        entry->key = text_copy(frame->options[source->n_options].name);
        entry->value = text_copy(frame->options[source->n_options].value);
        source->options[source->n_options] = entry;
    }
    relation->rel_type_case = SPARK__CONNECT__RELATION__REL_TYPE_READ;
    relation->read = make(&spark__connect__read__descriptor);
    relation->read->has_is_streaming = relation->read->is_streaming = 1;
    relation->read->read_type_case = SPARK__CONNECT__READ__READ_TYPE_DATA_SOURCE;
    relation->read->data_source = source;
    return relation;
}

/* `input` with a step done to it. */
static Spark__Connect__Relation *step_of(Spark__Connect__Relation *input,
                                         const struct connect_step *step) {
    Spark__Connect__Relation *relation = make(&spark__connect__relation__descriptor);
    switch (step->kind) {
    case CONNECT_SELECT:
        relation->rel_type_case = SPARK__CONNECT__RELATION__REL_TYPE_PROJECT;
        relation->project = make(&spark__connect__project__descriptor);
        relation->project->input = input;
        relation->project->expressions = expressions_of(step);
        relation->project->n_expressions = step->count;
        break;
    case CONNECT_OBSERVE:
        relation->rel_type_case = SPARK__CONNECT__RELATION__REL_TYPE_COLLECT_METRICS;
        relation->collect_metrics = make(&spark__connect__collect_metrics__descriptor);
        relation->collect_metrics->input = input;
        relation->collect_metrics->name = text_copy(step->name);
        relation->collect_metrics->metrics = expressions_of(step);
        relation->collect_metrics->n_metrics = step->count;
        break;
    case CONNECT_WHERE:
        check(step->count == 1);
        relation->rel_type_case = SPARK__CONNECT__RELATION__REL_TYPE_FILTER;
        relation->filter = make(&spark__connect__filter__descriptor);
        relation->filter->input = input;
        relation->filter->condition = expression_of(step->expressions[0]);
        break;
    }
    return relation;
}

static Spark__Connect__Relation *relation_of(const struct connect_frame *frame) {
    Spark__Connect__Relation *relation = source_of(frame);
    for (size_t i = 0; i < frame->step_count; i++)
        relation = step_of(relation, &frame->steps[i]);
    return relation;
}

static Spark__Connect__Plan *plan_of_command(Spark__Connect__Command **command) {
    Spark__Connect__Plan *plan = make(&spark__connect__plan__descriptor);
    plan->op_type_case = SPARK__CONNECT__PLAN__OP_TYPE_COMMAND;
    plan->command = make(&spark__connect__command__descriptor);
    *command = plan->command;
    return plan;
}

static void set_sink(Spark__Connect__WriteStreamOperationStart *start,
                     const struct connect_stream *stream) {
    start->format = text_copy(stream->format);
    start->sink_destination_case =
        SPARK__CONNECT__WRITE_STREAM_OPERATION_START__SINK_DESTINATION_PATH;
    start->path = text_copy(stream->path);
    start->options = must_alloc(stream->option_count, sizeof(void *));
    for (; start->n_options < stream->option_count; start->n_options++) {
        Spark__Connect__WriteStreamOperationStart__OptionsEntry *entry =
            make(&spark__connect__write_stream_operation_start__options_entry__descriptor);
        entry->key = text_copy(stream->options[start->n_options].name);
        entry->value = text_copy(stream->options[start->n_options].value);
        start->options[start->n_options] = entry;
    }
    size_t count = stream->partition_by_count;
    start->partitioning_column_names = must_alloc(count, sizeof(void *));
    for (size_t i = 0; i < count; i++)
        start->partitioning_column_names[i] = text_copy(stream->partition_by[i]);
    start->n_partitioning_column_names = count;
}

Spark__Connect__Plan *connect_plan_start(const struct connect_stream *stream) {
    Spark__Connect__WriteStreamOperationStart *start =
        make(&spark__connect__write_stream_operation_start__descriptor);
    start->input = relation_of(stream->frame);
    start->output_mode = text_copy("append");
    start->query_name = copy_if_any(stream->name);
    set_sink(start, stream);
    if (stream->interval == NULL) {
        start->trigger_case = SPARK__CONNECT__WRITE_STREAM_OPERATION_START__TRIGGER_AVAILABLE_NOW;
        start->available_now = 1;
    } else {
        start->trigger_case =
            SPARK__CONNECT__WRITE_STREAM_OPERATION_START__TRIGGER_PROCESSING_TIME_INTERVAL;
        start->processing_time_interval = text_copy(stream->interval);
    }
    Spark__Connect__Command *command;
    Spark__Connect__Plan *plan = plan_of_command(&command);
    command->command_type_case = SPARK__CONNECT__COMMAND__COMMAND_TYPE_WRITE_STREAM_OPERATION_START;
    command->write_stream_operation_start = start;
    return plan;
}

Spark__Connect__Plan *connect_plan_query(const struct connect_query *query,
                                         enum connect_question question) {
    static const Spark__Connect__StreamingQueryCommand__CommandCase cases[] = {
        [CONNECT_ASK_STATUS] = SPARK__CONNECT__STREAMING_QUERY_COMMAND__COMMAND_STATUS,
        [CONNECT_ASK_PROGRESS] = SPARK__CONNECT__STREAMING_QUERY_COMMAND__COMMAND_RECENT_PROGRESS,
        [CONNECT_ASK_EXCEPTION] = SPARK__CONNECT__STREAMING_QUERY_COMMAND__COMMAND_EXCEPTION,
        [CONNECT_ASK_STOP] = SPARK__CONNECT__STREAMING_QUERY_COMMAND__COMMAND_STOP,
    };
    Spark__Connect__StreamingQueryCommand *asked =
        make(&spark__connect__streaming_query_command__descriptor);
    asked->query_id = make(&spark__connect__streaming_query_instance_id__descriptor);
    asked->query_id->id = text_copy(query->id);
    asked->query_id->run_id = text_copy(query->run_id);
    asked->command_case = cases[question];
    asked->status = 1; // whichever it is: they share their place
    Spark__Connect__Command *command;
    Spark__Connect__Plan *plan = plan_of_command(&command);
    command->command_type_case = SPARK__CONNECT__COMMAND__COMMAND_TYPE_STREAMING_QUERY_COMMAND;
    command->streaming_query_command = asked;
    return plan;
}

Spark__Connect__Plan *connect_plan_write(const struct connect_frame *frame, const char *format,
                                         const char *path) {
    Spark__Connect__WriteOperation *write = make(&spark__connect__write_operation__descriptor);
    write->input = relation_of(frame);
    write->source = text_copy(format);
    write->save_type_case = SPARK__CONNECT__WRITE_OPERATION__SAVE_TYPE_PATH;
    write->path = text_copy(path);
    write->has_mode = 1;
    write->mode = SPARK__CONNECT__WRITE_OPERATION__SAVE_MODE__SAVE_MODE_OVERWRITE;
    Spark__Connect__Command *command;
    Spark__Connect__Plan *plan = plan_of_command(&command);
    command->command_type_case = SPARK__CONNECT__COMMAND__COMMAND_TYPE_WRITE_OPERATION;
    command->write_operation = write;
    return plan;
}

/* Reattachable, under a name of ours: after a break the rest of the responses can be asked for, and
 * nothing is run twice. */
struct connect_bytes connect_message_execute(const struct connect_identity *identity,
                                             const char *operation_id, Spark__Connect__Plan *plan) {
    Spark__Connect__ExecutePlanRequest__RequestOption *option =
        make(&spark__connect__execute_plan_request__request_option__descriptor);
    option->request_option_case =
        SPARK__CONNECT__EXECUTE_PLAN_REQUEST__REQUEST_OPTION__REQUEST_OPTION_REATTACH_OPTIONS;
    option->reattach_options = make(&spark__connect__reattach_options__descriptor);
    option->reattach_options->has_reattachable = option->reattach_options->reattachable = 1;

    Spark__Connect__ExecutePlanRequest *request =
        make(&spark__connect__execute_plan_request__descriptor);
    IDENTIFY(request, identity);
    request->client_observed_server_side_session_id = copy_if_any(identity->observed);
    request->operation_id = text_copy(operation_id);
    request->plan = plan;
    request->request_options = must_alloc(1, sizeof(void *));
    request->request_options[0] = option;
    request->n_request_options = 1;
    return pack(request);
}

struct connect_bytes connect_message_reattach(const struct connect_identity *identity,
                                              const char *operation_id,
                                              const char *last_response_id) {
    Spark__Connect__ReattachExecuteRequest *request =
        make(&spark__connect__reattach_execute_request__descriptor);
    IDENTIFY(request, identity);
    request->client_observed_server_side_session_id = copy_if_any(identity->observed);
    request->operation_id = text_copy(operation_id);
    request->last_response_id = copy_if_any(last_response_id);
    return pack(request);
}

/* The server keeps the responses of an operation for a client that reattaches, until this. */
struct connect_bytes connect_message_release(const struct connect_identity *identity,
                                             const char *operation_id) {
    Spark__Connect__ReleaseExecuteRequest *request =
        make(&spark__connect__release_execute_request__descriptor);
    IDENTIFY(request, identity);
    request->operation_id = text_copy(operation_id);
    request->release_case = SPARK__CONNECT__RELEASE_EXECUTE_REQUEST__RELEASE_RELEASE_ALL;
    request->release_all = make(&spark__connect__release_execute_request__release_all__descriptor);
    return pack(request);
}
