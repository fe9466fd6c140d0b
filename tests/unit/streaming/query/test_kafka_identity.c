/* test_kafka_identity.c: a query meets the Kafka cluster of its offsets, another one, or one that
 * tells no id. */
#include "store_fixture.h"

#include "base/log/log.h"
#include "streaming/query/kafka_identity.h"
#include "streaming/store/checkpoint_notes.h"

#define NOTE "checkpoints/match_stream/kafka"

static struct fixture fixture;
static const char *answering; // NULL: no id

static bool scripted_id(struct broker *broker, char id[static KAFKA_CLUSTER_ID_MAX]) {
    (void)broker;
    if (answering != NULL)
        (void)snprintf(id, KAFKA_CLUSTER_ID_MAX, "%s", answering);
    return answering != NULL;
}

static const struct broker_ops with_id = {.cluster_id = scripted_id}, without_id = {0};
static struct broker broker;
static struct query_report report = {.name = "match_stream"};
static const struct retrier retrier = {.report = &report};
static struct kafka_identity identity;

/* A start of the query. */
static bool settle(const char *id, bool is_new, struct error *err) {
    answering = id;
    identity = (struct kafka_identity){.topic = fixture.options.topic,
                                       .checkpoint = fixture.checkpoint,
                                       .broker = &broker,
                                       .retrier = &retrier};
    return kafka_identity_settle(&identity, is_new, "topic", err);
}

static void must_settle(const char *id, bool is_new) {
    struct error err;
    if (!settle(id, is_new, &err))
        fail_msg("%s", err.message);
}

static void assert_noted_of(const char *id, const char *topic_id) {
    struct topic_identity noted;
    struct error err;
    assert_true(kafka_note_read(fixture.checkpoint, &noted, &err));
    assert_string_equal(noted.cluster_id, id);
    assert_string_equal(noted.topic_id, topic_id);
}

static void assert_noted(const char *id) {
    assert_noted_of(id, "");
}

static int set_up(void **state) {
    (void)state;
    struct error err;
    log_configure(LOG_CRITICAL, false);
    fixture_init(&fixture);
    broker.ops = &with_id;
    return file_make_directory(fixture.checkpoint, &err) ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    fixture_clear(&fixture);
    return 0;
}

static void assert_refused(bool ok, const struct error *err) {
    assert_false(ok);
    assert_int_equal(err->kind, ERROR_STATE);
    assert_non_null(strstr(err->message, "Kafka cluster A"));
    assert_non_null(strstr(err->message, "leads to cluster B"));
    assert_non_null(strstr(err->message, "MirrorMaker"));
    assert_non_null(strstr(err->message, "adopt --cluster B"));
}

static void the_first_start_notes_the_cluster_and_another_one_is_refused(void **state) {
    (void)state;
    struct error err;
    must_settle("A", false); // a checkpoint of an older version
    assert_noted("A");
    must_settle("A", false);
    assert_refused(settle("B", false, &err), &err);
    assert_noted("A");
    must_settle("A", false);
}

static void a_new_query_begins_at_its_starting_offsets(void **state) {
    (void)state;
    must_settle("A", true);
    must_settle("B", true); // the first start never came as far as an offset
    assert_noted_of("B", "topic");
}

static void another_cluster_behind_the_same_names_is_noticed(void **state) {
    (void)state;
    struct error err;
    must_settle("A", true);
    assert_true(kafka_identity_check(&identity, &err));
    answering = NULL;
    assert_true(kafka_identity_check(&identity, &err));
    answering = "B";
    assert_refused(kafka_identity_check(&identity, &err), &err);
}

static void what_is_not_known_is_neither_noted_nor_refused(void **state) {
    (void)state;
    struct error err;
    must_settle(NULL, false);
    assert_false(fixture_has(&fixture, NOTE));
    answering = "B";
    assert_true(kafka_identity_check(&identity, &err));
    must_settle("A", false);
    must_settle(NULL, false);
    assert_noted("A");
    broker.ops = &without_id; // a capture
    must_settle("B", false);
    assert_true(kafka_identity_check(&identity, &err));
    assert_noted("A");
}

static void a_damaged_note_is_refused_and_says_what_to_do(void **state) {
    (void)state;
    static const char *const texts[] = {"",
                                        "v1",
                                        "v1\n{}",
                                        "v2\n{\"clusterId\":\"A\"}",
                                        "v1\n[1",
                                        "v1\n{\"clusterId\":\"\"}",
                                        "v1\n{\"topicId\":\"one\"}",
                                        "v1\n{\"clusterId\":\"A\",\"topicId\":1}"};
    struct error err;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        fixture_write(&fixture, NOTE, texts[i]);
        assert_false(settle("A", false, &err));
        assert_int_equal(err.kind, ERROR_STATE);
        assert_non_null(strstr(err.message, "restore it from a backup"));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_first_start_notes_the_cluster_and_another_one_is_refused),
        TEST(a_new_query_begins_at_its_starting_offsets),
        TEST(another_cluster_behind_the_same_names_is_noticed),
        TEST(what_is_not_known_is_neither_noted_nor_refused),
        TEST(a_damaged_note_is_refused_and_says_what_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
