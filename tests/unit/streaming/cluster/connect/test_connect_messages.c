#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "streaming/cluster/connect/connect_messages.h"
#include "streaming/cluster/connect/spark_connect.pb-c.h"

static const struct connect_identity ann = {
    .session_id = "session", .user_id = "ann", .observed = "server"};
static const struct connect_identity stranger = {.session_id = "session", .user_id = "ann"};

static Spark__Connect__ExecutePlanRequest *executed(Spark__Connect__Plan *plan) {
    struct connect_bytes packed = connect_message_execute(&ann, "operation", plan);
    Spark__Connect__ExecutePlanRequest *request =
        spark__connect__execute_plan_request__unpack(NULL, packed.size, packed.bytes);
    free(packed.bytes);
    assert_non_null(request);
    return request;
}

static void a_plan_goes_with_its_session_and_how_it_is_attached_to(void **state) {
    (void)state;
    const struct connect_query query = {.id = "q", .run_id = "r"};
    Spark__Connect__ExecutePlanRequest *request =
        executed(connect_plan_query(&query, CONNECT_ASK_STATUS));
    assert_string_equal(request->session_id, "session");
    assert_string_equal(request->user_context->user_id, "ann");
    assert_string_equal(request->operation_id, "operation");
    assert_string_equal(request->client_observed_server_side_session_id, "server");
    assert_int_equal(strncmp(request->client_type, "esports-stream/", 15), 0);
    assert_int_equal(request->n_request_options, 1);
    assert_int_equal(
        request->request_options[0]->request_option_case,
        SPARK__CONNECT__EXECUTE_PLAN_REQUEST__REQUEST_OPTION__REQUEST_OPTION_REATTACH_OPTIONS);
    assert_true(request->request_options[0]->reattach_options->reattachable);
    spark__connect__execute_plan_request__free_unpacked(request, NULL);
}

static void each_question_about_a_query_is_its_own(void **state) {
    (void)state;
    static const struct {
        enum connect_question question;
        Spark__Connect__StreamingQueryCommand__CommandCase expected;
    } cases[] = {
        {CONNECT_ASK_STATUS, SPARK__CONNECT__STREAMING_QUERY_COMMAND__COMMAND_STATUS},
        {CONNECT_ASK_PROGRESS, SPARK__CONNECT__STREAMING_QUERY_COMMAND__COMMAND_RECENT_PROGRESS},
        {CONNECT_ASK_EXCEPTION, SPARK__CONNECT__STREAMING_QUERY_COMMAND__COMMAND_EXCEPTION},
        {CONNECT_ASK_STOP, SPARK__CONNECT__STREAMING_QUERY_COMMAND__COMMAND_STOP},
    };
    const struct connect_query query = {.id = "q", .run_id = "r"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Spark__Connect__ExecutePlanRequest *request =
            executed(connect_plan_query(&query, cases[i].question));
        const Spark__Connect__StreamingQueryCommand *command =
            request->plan->command->streaming_query_command;
        assert_string_equal(command->query_id->id, "q");
        assert_string_equal(command->query_id->run_id, "r");
        assert_int_equal(command->command_case, cases[i].expected);
        assert_true(command->exception); // whichever: Spark looks at the value of this one
        spark__connect__execute_plan_request__free_unpacked(request, NULL);
    }
}

static const char *const columns[] = {"CAST(value AS STRING) AS text", "offset"};
static const char *const counted[] = {"count(1) AS rows"};
static const char *const condition[] = {"text IS NOT NULL"};
static const struct connect_step steps[] = {
    {.kind = CONNECT_SELECT, .expressions = columns, .count = 2},
    {.kind = CONNECT_OBSERVE, .name = "counts", .expressions = counted, .count = 1},
    {.kind = CONNECT_WHERE, .expressions = condition, .count = 1},
};

static void assert_expression(const Spark__Connect__Expression *expression, const char *text) {
    assert_int_equal(expression->expr_type_case,
                     SPARK__CONNECT__EXPRESSION__EXPR_TYPE_EXPRESSION_STRING);
    assert_string_equal(expression->expression_string->expression, text);
}

/* The steps, the last outermost; what they begin from. */
static const Spark__Connect__Relation *unwrap(const Spark__Connect__Relation *relation) {
    assert_int_equal(relation->rel_type_case, SPARK__CONNECT__RELATION__REL_TYPE_FILTER);
    assert_expression(relation->filter->condition, condition[0]);
    relation = relation->filter->input;
    assert_int_equal(relation->rel_type_case, SPARK__CONNECT__RELATION__REL_TYPE_COLLECT_METRICS);
    assert_string_equal(relation->collect_metrics->name, "counts");
    assert_int_equal(relation->collect_metrics->n_metrics, 1);
    assert_expression(relation->collect_metrics->metrics[0], counted[0]);
    relation = relation->collect_metrics->input;
    assert_int_equal(relation->rel_type_case, SPARK__CONNECT__RELATION__REL_TYPE_PROJECT);
    assert_int_equal(relation->project->n_expressions, 2);
    assert_expression(relation->project->expressions[0], columns[0]);
    assert_expression(relation->project->expressions[1], columns[1]);
    return relation->project->input;
}

static Spark__Connect__ExecutePlanRequest *started(const char *interval) {
    static const struct connect_pair source[] = {{"subscribe", "topic"},
                                                 {"failOnDataLoss", "true"}};
    static const struct connect_pair sink[] = {{"checkpointLocation", "/checkpoint"}};
    static const char *const partition_by[] = {"status", "role"};
    const struct connect_frame frame = {
        .format = "kafka", .options = source, .option_count = 2, .steps = steps, .step_count = 3};
    const struct connect_stream stream = {.name = "match_stream",
                                          .frame = &frame,
                                          .format = "parquet",
                                          .path = "/table",
                                          .options = sink,
                                          .option_count = 1,
                                          .partition_by = partition_by,
                                          .partition_by_count = 2,
                                          .interval = interval};
    return executed(connect_plan_start(&stream));
}

static void a_streaming_query_is_its_source_its_steps_and_its_sink(void **state) {
    (void)state;
    Spark__Connect__ExecutePlanRequest *request = started("10 seconds");
    const Spark__Connect__WriteStreamOperationStart *start =
        request->plan->command->write_stream_operation_start;
    const Spark__Connect__Relation *relation = unwrap(start->input);
    assert_int_equal(relation->rel_type_case, SPARK__CONNECT__RELATION__REL_TYPE_READ);
    assert_true(relation->read->is_streaming);
    assert_string_equal(relation->read->data_source->format, "kafka");
    assert_int_equal(relation->read->data_source->n_options, 2);
    assert_string_equal(relation->read->data_source->options[1]->key, "failOnDataLoss");
    assert_string_equal(relation->read->data_source->options[1]->value, "true");

    assert_string_equal(start->query_name, "match_stream");
    assert_string_equal(start->output_mode, "append");
    assert_string_equal(start->format, "parquet");
    assert_string_equal(start->path, "/table");
    assert_int_equal(start->n_options, 1);
    assert_string_equal(start->options[0]->value, "/checkpoint");
    assert_int_equal(start->n_partitioning_column_names, 2);
    assert_string_equal(start->partitioning_column_names[1], "role");
    assert_int_equal(
        start->trigger_case,
        SPARK__CONNECT__WRITE_STREAM_OPERATION_START__TRIGGER_PROCESSING_TIME_INTERVAL);
    assert_string_equal(start->processing_time_interval, "10 seconds");
    spark__connect__execute_plan_request__free_unpacked(request, NULL);
}

static void without_an_interval_a_query_takes_what_there_is(void **state) {
    (void)state;
    Spark__Connect__ExecutePlanRequest *request = started(NULL);
    const Spark__Connect__WriteStreamOperationStart *start =
        request->plan->command->write_stream_operation_start;
    assert_int_equal(start->trigger_case,
                     SPARK__CONNECT__WRITE_STREAM_OPERATION_START__TRIGGER_AVAILABLE_NOW);
    assert_true(start->available_now);
    spark__connect__execute_plan_request__free_unpacked(request, NULL);
}

static void a_batch_overwrites_existing_numbers(void **state) {
    (void)state;
    const struct connect_frame frame = {
        .rows = 5000000000, .partitions = 3, .steps = steps, .step_count = 3};
    Spark__Connect__ExecutePlanRequest *request =
        executed(connect_plan_write(&frame, "parquet", "/path"));
    const Spark__Connect__WriteOperation *write = request->plan->command->write_operation;
    const Spark__Connect__Relation *relation = unwrap(write->input);
    assert_int_equal(relation->rel_type_case, SPARK__CONNECT__RELATION__REL_TYPE_RANGE);
    assert_int_equal(relation->range->start, 0);
    assert_int_equal(relation->range->end, 5000000000);
    assert_int_equal(relation->range->step, 1);
    assert_int_equal(relation->range->num_partitions, 3);
    assert_string_equal(write->source, "parquet");
    assert_string_equal(write->path, "/path");
    assert_int_equal(write->mode, SPARK__CONNECT__WRITE_OPERATION__SAVE_MODE__SAVE_MODE_OVERWRITE);
    spark__connect__execute_plan_request__free_unpacked(request, NULL);
}

static void the_configuration_keeps_its_order(void **state) {
    (void)state;
    const struct connect_pair pairs[] = {{"b", "1"}, {"a", ""}, {"b", "ü;="}};
    struct connect_bytes packed = connect_message_configure(&ann, pairs, 3);
    Spark__Connect__ConfigRequest *request =
        spark__connect__config_request__unpack(NULL, packed.size, packed.bytes);
    assert_string_equal(request->client_observed_server_side_session_id, "server");
    const Spark__Connect__ConfigRequest__Set *set = request->operation->set;
    assert_int_equal(set->n_pairs, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(set->pairs[i]->key, pairs[i].name);
        assert_string_equal(set->pairs[i]->value, pairs[i].value);
    }
    spark__connect__config_request__free_unpacked(request, NULL);
    free(packed.bytes);
}

static void an_operation_is_attached_to_behind_what_came(void **state) {
    (void)state;
    static const char *const lasts[] = {"response", NULL};
    for (size_t i = 0; i < 2; i++) {
        struct connect_bytes packed = connect_message_reattach(&ann, "operation", lasts[i]);
        Spark__Connect__ReattachExecuteRequest *request =
            spark__connect__reattach_execute_request__unpack(NULL, packed.size, packed.bytes);
        assert_string_equal(request->session_id, "session");
        assert_string_equal(request->operation_id, "operation");
        assert_int_equal(request->last_response_id != NULL, lasts[i] != NULL);
        spark__connect__reattach_execute_request__free_unpacked(request, NULL);
        free(packed.bytes);
    }
    struct connect_bytes packed = connect_message_release(&ann, "operation");
    Spark__Connect__ReleaseExecuteRequest *request =
        spark__connect__release_execute_request__unpack(NULL, packed.size, packed.bytes);
    assert_int_equal(request->release_case,
                     SPARK__CONNECT__RELEASE_EXECUTE_REQUEST__RELEASE_RELEASE_ALL);
    spark__connect__release_execute_request__free_unpacked(request, NULL);
    free(packed.bytes);
}

static void a_session_that_is_not_known_yet_is_not_claimed_to_be(void **state) {
    (void)state;
    struct connect_bytes packed = connect_message_version(&stranger);
    Spark__Connect__AnalyzePlanRequest *request =
        spark__connect__analyze_plan_request__unpack(NULL, packed.size, packed.bytes);
    assert_null(request->client_observed_server_side_session_id);
    assert_int_equal(request->analyze_case,
                     SPARK__CONNECT__ANALYZE_PLAN_REQUEST__ANALYZE_SPARK_VERSION);
    spark__connect__analyze_plan_request__free_unpacked(request, NULL);
    free(packed.bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_goes_with_its_session_and_how_it_is_attached_to),
        cmocka_unit_test(each_question_about_a_query_is_its_own),
        cmocka_unit_test(a_streaming_query_is_its_source_its_steps_and_its_sink),
        cmocka_unit_test(without_an_interval_a_query_takes_what_there_is),
        cmocka_unit_test(a_batch_overwrites_existing_numbers),
        cmocka_unit_test(the_configuration_keeps_its_order),
        cmocka_unit_test(an_operation_is_attached_to_behind_what_came),
        cmocka_unit_test(a_session_that_is_not_known_yet_is_not_claimed_to_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
