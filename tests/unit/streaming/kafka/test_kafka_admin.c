#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "../mock_kafka.h"
#include "streaming/kafka/broker.h"

enum { WAIT_MS = 10000 };

static struct mock_kafka mock;
static struct broker *broker;

static int set_up(void **state) {
    (void)state;
    struct error err;
    mock_kafka_open(&mock);
    return kafka_broker_open(mock.servers, NULL, 0, &broker, &err) ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    broker->ops->close(broker);
    mock_kafka_close(&mock);
    return 0;
}

static void expect_offsets(const char *topic, const struct partition_offsets *expected,
                           size_t count) {
    struct topic_offsets offsets;
    struct error err;
    if (!broker->ops->list_offsets(broker, topic, WAIT_MS, &offsets, &err))
        fail_msg("%s", err.message);
    assert_int_equal(offsets.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(offsets.partitions[i].partition, expected[i].partition);
        assert_int_equal(offsets.partitions[i].log_start, expected[i].log_start);
        assert_int_equal(offsets.partitions[i].end, expected[i].end);
    }
    topic_offsets_deinit(&offsets);
}

static void every_partition_is_listed_with_its_offsets(void **state) {
    (void)state;
    mock_kafka_topic(&mock, "t", 3);
    mock_kafka_topic(&mock, "u", 1);
    mock_kafka_put(&mock, "t", 0, 0, 7, 20);
    mock_kafka_put(&mock, "t", 2, 0, 3, 20);
    expect_offsets("t", (struct partition_offsets[]){{0, 0, 7}, {1, 0, 0}, {2, 0, 3}}, 3);
    expect_offsets("u", (struct partition_offsets[]){{0, 0, 0}}, 1);
    mock_kafka_put(&mock, "t", 1, 0, 2, 20);
    expect_offsets("t", (struct partition_offsets[]){{0, 0, 7}, {1, 0, 2}, {2, 0, 3}}, 3);
}

static void the_clusters_id_is_known_once_it_has_answered(void **state) {
    (void)state;
    char id[KAFKA_CLUSTER_ID_MAX];
    assert_false(broker->ops->cluster_id(broker, id));
    mock_kafka_topic(&mock, "t", 1);
    expect_offsets("t", (struct partition_offsets[]){{0, 0, 0}}, 1);
    assert_true(broker->ops->cluster_id(broker, id));
    assert_memory_equal(id, "mockCluster", 11);
}

static void expect_error(const char *topic, int timeout_ms, enum error_kind kind,
                         const char *says) {
    struct topic_offsets offsets;
    struct error err;
    assert_false(broker->ops->list_offsets(broker, topic, timeout_ms, &offsets, &err));
    assert_int_equal(err.kind, kind);
    if (strstr(err.message, says) == NULL)
        fail_msg("'%s' does not say '%s'", err.message, says);
}

static void a_topic_that_is_missing_or_forbidden_is_named(void **state) {
    (void)state;
    mock_kafka_topic(&mock, "t", 1);
    rd_kafka_mock_topic_set_error(mock.cluster, "t", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    expect_error("t", WAIT_MS, ERROR_NO_TOPIC, "topic 't' does not exist");
    if (mock_kafka_refuse(&mock, "t", RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED))
        expect_error("t", WAIT_MS, ERROR_BROKER, "access denied. Grant the user DESCRIBE and READ");
    rd_kafka_mock_topic_set_error(mock.cluster, "t", RD_KAFKA_RESP_ERR_NO_ERROR);
    expect_offsets("t", (struct partition_offsets[]){{0, 0, 0}}, 1);
}

static void a_topic_that_may_be_meant_is_named(void **state) {
    (void)state;
    mock_kafka_topic(&mock, "esport-matches", 1);
    mock_kafka_topic(&mock, "prod.players", 1);
    mock_kafka_topic(&mock, "orders", 1);
    static const char *const missing[] = {"esports-matches", "players", "esports_matches",
                                          "nobody"};
    for (size_t i = 0; i < 4; i++) {
        mock_kafka_topic(&mock, missing[i], 1); // a topic that it has not is made by asking for it
        rd_kafka_mock_topic_set_error(mock.cluster, missing[i],
                                      RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    }
    expect_error("esports-matches", WAIT_MS, ERROR_NO_TOPIC, "; did you mean 'esport-matches'?");
    expect_error("esports_matches", WAIT_MS, ERROR_NO_TOPIC, "; did you mean 'esport-matches'?");
    expect_error("players", WAIT_MS, ERROR_NO_TOPIC, "; did you mean 'prod.players'?");
    expect_error("esports-matches", WAIT_MS, ERROR_NO_TOPIC, "; did you mean 'esport-matches'?");
    struct topic_offsets offsets;
    struct error err;
    assert_false(broker->ops->list_offsets(broker, "nobody", WAIT_MS, &offsets, &err));
    assert_null(strstr(err.message, "did you mean"));
    char similar[KAFKA_TOPIC_NAME_MAX];
    assert_false(broker->ops->similar_topic(broker, "nobody", similar));
    assert_true(broker->ops->similar_topic(broker, "esports-matches", similar));
    assert_string_equal(similar, "esport-matches");
}

static void a_name_that_no_topic_can_have_is_not_waited_for(void **state) {
    (void)state;
    struct topic_offsets offsets;
    struct error err;
    mock_kafka_topic(&mock, "t", 1);
    if (!mock_kafka_refuse(&mock, "t", RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION))
        return;
    assert_false(broker->ops->list_offsets(broker, "t", WAIT_MS, &offsets, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_non_null(strstr(err.message, "does not accept this topic name"));
}

static void a_broker_that_is_away_is_named_with_its_error(void **state) {
    (void)state;
    mock_kafka_topic(&mock, "t", 1);
    expect_offsets("t", (struct partition_offsets[]){{0, 0, 0}}, 1);
    rd_kafka_mock_broker_set_down(mock.cluster, 1);
    expect_error("t", 500, ERROR_BROKER, "no answer from Kafka at '127.0.0.1:");
    rd_kafka_mock_broker_set_up(mock.cluster, 1);
    expect_offsets("t", (struct partition_offsets[]){{0, 0, 0}}, 1);
    rd_kafka_mock_broker_set_down(mock.cluster, 1);
    expect_error("t", 500, ERROR_BROKER, "no answer from Kafka at '127.0.0.1:");
}

static void a_limit_of_open_files_is_named(void **state) {
    (void)state;
    mock_kafka_topic(&mock, "t", 1);
    expect_offsets("t", (struct partition_offsets[]){{0, 0, 0}}, 1); // the others have connected
    struct broker *other;
    struct topic_offsets offsets;
    struct error err;
    struct mock_kafka_files files;
    mock_kafka_take_files(&files);
    assert_true(kafka_broker_open(mock.servers, NULL, 0, &other, &err));
    bool listed = other->ops->list_offsets(other, "t", 1000, &offsets, &err);
    mock_kafka_give_files_back(&files);
    other->ops->close(other);
    assert_false(listed);
    assert_int_equal(err.kind, ERROR_LIMIT);
    if (strstr(err.message, "RLIMIT_NOFILE (ulimit -n, LimitNOFILE=) is 100 open files") == NULL)
        fail_msg("%s", err.message);
}

static void a_property_that_is_the_engines_own_is_a_mistake_in_the_settings(void **state) {
    (void)state;
    struct kafka_property property = {.name = "group.id", .value = "mine"};
    struct broker *other;
    struct error err;
    assert_false(kafka_broker_open(mock.servers, &property, 1, &other, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
}

static bool commit(const char *topic, int64_t end, struct error *err) {
    const struct offset_range positions[] = {{0, end, end}, {1, 2 * end, 2 * end}};
    return broker->ops->commit_group(broker, "g", topic, positions, 2, WAIT_MS, err);
}

/* The offset that the group has of a partition of "t". */
static int64_t committed(int partition) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char reason[256];
    assert_int_equal(rd_kafka_conf_set(conf, "group.id", "g", reason, sizeof reason), 0);
    assert_int_equal(
        rd_kafka_conf_set(conf, "bootstrap.servers", mock.servers, reason, sizeof reason), 0);
    rd_kafka_t *consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof reason);
    assert_non_null(consumer);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, "t", partition);
    assert_int_equal(rd_kafka_committed(consumer, list, WAIT_MS), RD_KAFKA_RESP_ERR_NO_ERROR);
    int64_t offset = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(consumer);
    return offset;
}

static void positions_are_committed_to_a_group_and_may_go_back(void **state) {
    (void)state;
    struct error err;
    mock_kafka_topic(&mock, "t", 2);
    if (!commit("t", 7, &err))
        fail_msg("%s", err.message);
    assert_int_equal(committed(0), 7);
    assert_int_equal(committed(1), 14);
    assert_true(commit("t", 3, &err));
    assert_int_equal(committed(1), 6);
}

static void a_coordinator_that_is_being_elected_is_asked_again(void **state) {
    (void)state;
    enum { OFFSET_COMMIT = 8 };
    struct error err;
    mock_kafka_topic(&mock, "t", 2);
    rd_kafka_mock_push_request_errors(mock.cluster, OFFSET_COMMIT, 2,
                                      RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
                                      RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE);
    if (!commit("t", 7, &err))
        fail_msg("%s", err.message);
    assert_int_equal(committed(1), 14);
}

static void the_reason_for_not_committing_to_a_group_is_reported(void **state) {
    (void)state;
    static const struct {
        rd_kafka_resp_err_t code;
        const char *says;
    } cases[] = {
        {RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, "'g': access denied. Grant the user READ"},
        {RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, "'g' has active members"},
        {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, "'t' at '127.0.0.1:"},
    };
    enum { OFFSET_COMMIT = 8 };
    struct error err;
    mock_kafka_topic(&mock, "t", 2);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rd_kafka_mock_push_request_errors(mock.cluster, OFFSET_COMMIT, 1, cases[i].code);
        assert_false(commit("t", 7, &err));
        assert_int_equal(err.kind, ERROR_BROKER);
        if (strstr(err.message, cases[i].says) == NULL)
            fail_msg("%s", err.message);
    }
}

/* Its caller logs the same reason once in a while. */
static void a_group_that_can_not_be_reached_is_reported_with_the_same_text(void **state) {
    (void)state;
    struct error first, second;
    const struct offset_range position = {0, 7, 7};
    mock_kafka_topic(&mock, "t", 1);
    rd_kafka_mock_broker_set_down(mock.cluster, 1);
    assert_false(broker->ops->commit_group(broker, "g", "t", &position, 1, 300, &first));
    assert_false(broker->ops->commit_group(broker, "g", "t", &position, 1, 300, &second));
    assert_int_equal(first.kind, ERROR_BROKER);
    assert_string_equal(first.message, second.message);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_partition_is_listed_with_its_offsets, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_clusters_id_is_known_once_it_has_answered, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_topic_that_may_be_meant_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_topic_that_is_missing_or_forbidden_is_named, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_name_that_no_topic_can_have_is_not_waited_for, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_broker_that_is_away_is_named_with_its_error, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_limit_of_open_files_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_property_that_is_the_engines_own_is_a_mistake_in_the_settings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(positions_are_committed_to_a_group_and_may_go_back, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_coordinator_that_is_being_elected_is_asked_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_reason_for_not_committing_to_a_group_is_reported,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_group_that_can_not_be_reached_is_reported_with_the_same_text, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
