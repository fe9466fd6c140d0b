#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "model_broker.h"

enum { TIMEOUT_MS = 1000, READ_MS = 100 };

static int64_t passed_ms;

static void pass(int64_t ms) {
    passed_ms += ms;
}

static int64_t wall_ms(void) {
    return 1700000000000 + passed_ms;
}

static const struct broker_time test_time = {pass, wall_ms};
static const struct broker_chances calm = {.records_most = 10};

static struct broker *broker;
static struct source *source;
static struct error err;

static void begin(uint64_t seed, const struct broker_chances *chances) {
    passed_ms = 0;
    err = (struct error){0};
    model_broker_begin(seed, chances, test_time, NULL);
    broker = model_broker_open();
    assert_true(broker->ops->open_source(broker, (struct source_memory){0}, &source, &err));
}

static void end(void) {
    source->ops->close(source);
    broker->ops->close(broker);
    model_broker_end();
}

static struct topic_offsets must_list(void) {
    struct topic_offsets offsets;
    if (!broker->ops->list_offsets(broker, MODEL_TOPIC, TIMEOUT_MS, &offsets, &err))
        fail_msg("%s", err.message);
    return offsets;
}

static struct partition_offsets must_list_one(int32_t partition) {
    struct topic_offsets offsets = must_list();
    assert_true(broker_list_high(broker, MODEL_TOPIC, TIMEOUT_MS, &offsets, &err));
    assert_non_null(topic_offsets_find(&offsets, partition));
    struct partition_offsets found = *topic_offsets_find(&offsets, partition);
    topic_offsets_deinit(&offsets);
    return found;
}

static bool lists(void) {
    struct topic_offsets offsets = {0};
    bool listed = broker->ops->list_offsets(broker, MODEL_TOPIC, TIMEOUT_MS, &offsets, &err);
    topic_offsets_deinit(&offsets);
    return listed;
}

/* The event happens in a topic that has one partition. */
static void must_do(enum broker_event event) {
    assert_true(model_broker_do(event));
}

/* A topic of one partition. */
static void begin_one(const struct broker_chances *chances) {
    for (uint64_t seed = 1;; seed++) {
        begin(seed, chances);
        struct topic_offsets offsets = must_list();
        bool one = offsets.count == 1;
        topic_offsets_deinit(&offsets);
        if (one)
            return;
        end();
    }
}

/* Records until the range ends, fails, or waits. */
static enum source_status read_on(int *records) {
    struct record record;
    enum source_status status;
    while ((status = source->ops->read(source, &record, READ_MS, &err)) == SOURCE_RECORD)
        ++*records;
    return status;
}

static void must_open(int64_t from, int64_t to) {
    assert_true(
        source->ops->open_range(source, MODEL_TOPIC, (struct offset_range){0, from, to}, &err));
}

static enum source_status read_range(int64_t from, int64_t to, int *records) {
    *records = 0;
    must_open(from, to);
    return read_on(records);
}

static void must_say(enum error_kind kind, const char *text) {
    assert_int_equal(err.kind, kind);
    if (strstr(err.message, text) == NULL)
        fail_msg("not '%s': %s", text, err.message);
}

/* ---- listings ---- */

static void
a_cluster_that_is_away_costs_the_whole_time_and_is_an_error_of_the_broker(void **state) {
    (void)state;
    begin_one(&calm);
    must_do(BROKER_UNREACHABLE);
    int64_t before = passed_ms;
    assert_false(lists());
    must_say(ERROR_BROKER, "no answer from Kafka");
    assert_true(passed_ms - before >= TIMEOUT_MS);
    must_open(0, 5);
    int records = 0;
    assert_int_equal(read_on(&records), SOURCE_WAIT);
    assert_int_equal(err.kind, ERROR_NONE);
    assert_int_equal(read_on(&records), SOURCE_WAIT);
    must_say(ERROR_BROKER, "no broker answered in time");
    must_do(BROKER_REACHABLE);
    assert_true(lists());
    end();
}

static void
a_topic_that_is_deleted_does_not_exist_until_it_is_created_with_another_id(void **state) {
    (void)state;
    begin_one(&calm);
    must_do(BROKER_PRODUCED);
    struct topic_offsets offsets = must_list();
    assert_true(broker_find_id(broker, MODEL_TOPIC, TIMEOUT_MS, &offsets, &err));
    char id[TOPIC_ID_MAX];
    memcpy(id, offsets.id, sizeof id);
    topic_offsets_deinit(&offsets);

    must_do(BROKER_TOPIC_DELETED);
    assert_false(model_broker_do(BROKER_PRODUCED));
    assert_false(lists());
    must_say(ERROR_NO_TOPIC, "does not exist");
    int records;
    assert_int_equal(read_range(0, 1, &records), SOURCE_FAILED);
    must_say(ERROR_BROKER, "create the topic again");

    must_do(BROKER_TOPIC_CREATED);
    offsets = must_list();
    assert_int_equal(offsets.partitions[0].end, 0);
    assert_true(broker_find_id(broker, MODEL_TOPIC, TIMEOUT_MS, &offsets, &err));
    assert_string_not_equal(offsets.id, id);
    assert_string_equal(offsets.id, model_broker_topic_id());
    topic_offsets_deinit(&offsets);
    end();
}

static void another_topic_does_not_exist(void **state) {
    (void)state;
    begin_one(&calm);
    struct topic_offsets offsets;
    assert_false(broker->ops->list_offsets(broker, "other", TIMEOUT_MS, &offsets, &err));
    must_say(ERROR_NO_TOPIC, "'other'");
    end();
}

static void a_cluster_without_ids_tells_none(void **state) {
    (void)state;
    struct broker_chances chances = calm;
    chances.has_no_ids = true;
    begin_one(&chances);
    struct topic_offsets offsets = must_list();
    assert_true(broker_find_id(broker, MODEL_TOPIC, TIMEOUT_MS, &offsets, &err));
    assert_string_equal(offsets.id, "");
    topic_offsets_deinit(&offsets);
    end();
}

static void the_cluster_id_is_known_after_a_listing(void **state) {
    (void)state;
    begin(1, &calm);
    char id[KAFKA_CLUSTER_ID_MAX];
    assert_false(broker->ops->cluster_id(broker, id));
    assert_true(lists());
    assert_true(broker->ops->cluster_id(broker, id));
    end();
}

static void a_listing_fails_in_each_way(void **state) {
    (void)state;
    struct broker_chances chances = calm;
    chances.of[BROKER_LISTING_FAILED] = 500;
    begin(3, &chances);
    int answers = 0, none = 0, refused = 0, partition = 0;
    for (int i = 0; i < 200; i++)
        if (lists()) {
            answers++;
        } else {
            assert_int_equal(err.kind, ERROR_BROKER);
            none += strstr(err.message, "no answer") != NULL;
            refused += strstr(err.message, "access denied") != NULL;
            partition += strncmp(err.message, "partition ", 10) == 0;
        }
    assert_true(answers > 0 && none > 0 && refused > 0 && partition > 0);
    end();
}

static void a_listing_is_behind_twice_in_a_row_at_most(void **state) {
    (void)state;
    struct broker_chances chances = calm;
    chances.of[BROKER_LISTING_BEHIND] = 900;
    begin_one(&chances);
    for (int i = 0; i < 5; i++)
        must_do(BROKER_PRODUCED);
    const struct model_record *history;
    int64_t records = (int64_t)model_broker_history(&history);
    int in_a_row = 0, behind = 0;
    for (int i = 0; i < 100; i++) {
        struct partition_offsets one = must_list_one(0);
        assert_int_equal(one.end, one.high);
        in_a_row = one.end < records ? in_a_row + 1 : 0;
        behind += one.end < records;
        assert_true(in_a_row <= 2);
    }
    assert_true(behind > 20);
    end();
}

static void a_slow_listing_takes_its_time(void **state) {
    (void)state;
    struct broker_chances chances = calm;
    chances.of[BROKER_LISTING_SLOW] = 1000;
    begin_one(&chances);
    passed_ms = 0;
    for (int i = 0; i < 20; i++)
        assert_true(lists());
    assert_true(passed_ms > 20 * TIMEOUT_MS / 5);
    end();
}

/* ---- transactions ---- */

static void an_open_transaction_ends_what_can_be_listed_and_read(void **state) {
    (void)state;
    begin_one(&calm);
    must_do(BROKER_PRODUCED);
    int64_t before = must_list_one(0).end;
    must_do(BROKER_TRANSACTION_BEGUN);
    must_do(BROKER_PRODUCED);
    struct partition_offsets one = must_list_one(0);
    assert_int_equal(one.end, before);
    assert_true(one.high > before);

    int records;
    assert_int_equal(read_range(0, one.high, &records), SOURCE_WAIT);
    assert_int_equal(records, before);
    for (int i = 0; i < 40; i++)
        assert_int_equal(read_on(&records), SOURCE_WAIT);
    must_say(ERROR_BROKER, "may be in an open transaction");

    must_do(BROKER_TRANSACTION_COMMITTED);
    assert_int_equal(must_list_one(0).end, one.high + 1); // the marker
    assert_int_equal(read_on(&records), SOURCE_END);
    assert_int_equal(records, one.high);
    end();
}

static void an_aborted_transaction_has_no_records_and_the_range_ends(void **state) {
    (void)state;
    begin_one(&calm);
    must_do(BROKER_TRANSACTION_BEGUN);
    must_do(BROKER_TRANSACTION_ABORTED);
    struct partition_offsets one = must_list_one(0);
    int records;
    assert_int_equal(read_range(0, one.end, &records), SOURCE_END);
    assert_int_equal(records, 0);
    const struct model_record *history;
    size_t count = model_broker_history(&history);
    assert_int_equal(count, one.end);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(history[i].fate, OFFSET_ABSENT);
        assert_false(history[i].was_readable);
        assert_int_equal(history[i].is_marker, i == count - 1);
    }
    end();
}

static void with_read_uncommitted_all_records_are_there_at_once(void **state) {
    (void)state;
    struct broker_chances chances = calm;
    chances.read_uncommitted = true;
    begin_one(&chances);
    must_do(BROKER_TRANSACTION_BEGUN);
    struct partition_offsets one = must_list_one(0);
    assert_int_equal(one.end, one.high);
    assert_true(one.end > 0);
    must_do(BROKER_TRANSACTION_ABORTED);
    int records;
    assert_int_equal(read_range(0, one.end + 1, &records), SOURCE_END);
    assert_int_equal(records, one.end);
    end();
}

/* ---- what a log loses ---- */

static void a_position_that_retention_has_passed_is_a_loss(void **state) {
    (void)state;
    begin_one(&calm);
    must_do(BROKER_PRODUCED);
    must_do(BROKER_RETENTION);
    struct partition_offsets one = must_list_one(0);
    assert_true(one.log_start > 0);
    int records;
    assert_int_equal(read_range(0, one.end, &records), SOURCE_FAILED);
    must_say(ERROR_DATA_LOSS, "the broker does not have it; its log starts at");
    const struct model_record *history;
    size_t count = model_broker_history(&history);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(history[i].fate,
                         (int64_t)i < one.log_start ? OFFSET_DELETED : OFFSET_RECORD);
    end();
}

static void what_was_fetched_is_handed_out_after_the_log_has_lost_it(void **state) {
    (void)state;
    struct broker_chances chances = calm;
    int handed_out = 0;
    for (uint64_t seed = 1; seed < 40; seed++) {
        begin(seed, &chances);
        while (must_list_one(0).end < 10)
            must_do(BROKER_PRODUCED);
        struct partition_offsets one = must_list_one(0);
        struct record record;
        must_open(0, one.end);
        assert_int_equal(source->ops->read(source, &record, READ_MS, &err), SOURCE_RECORD);
        must_do(BROKER_TOPIC_DELETED);
        int records = 0;
        enum source_status status = read_on(&records);
        handed_out += records;
        assert_true(status == SOURCE_END || status == SOURCE_FAILED);
        assert_int_equal(status == SOURCE_END, records == one.end - 1);
        end();
    }
    assert_true(handed_out > 0);
}

static void a_log_that_is_cut_gets_other_records_at_the_same_offsets(void **state) {
    (void)state;
    begin_one(&calm);
    must_do(BROKER_PRODUCED);
    int64_t before = must_list_one(0).end;
    must_do(BROKER_LOG_CUT);
    int64_t cut_at = must_list_one(0).end;
    assert_true(cut_at < before);
    int records;
    assert_int_equal(read_range(before, before + 1, &records), SOURCE_FAILED);
    must_say(ERROR_DATA_LOSS, "the broker does not have it");
    must_do(BROKER_PRODUCED);
    const struct model_record *history;
    size_t count = model_broker_history(&history);
    assert_true(count > (size_t)before);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(history[i].fate,
                         (int64_t)i >= cut_at && (int64_t)i < before ? OFFSET_GONE : OFFSET_RECORD);
    assert_int_equal(history[before - 1].incarnation, 0);
    assert_int_equal(history[before].incarnation, 1);
    assert_int_equal(history[before].offset, cut_at);
    static struct content former;
    former = *model_broker_content(0, 0, cut_at);
    const struct content *later = model_broker_content(1, 0, cut_at);
    assert_false(text_equals(former.match_id, later->match_id) &&
                 text_equals(former.value, later->value));
    end();
}

static void compacted_offsets_are_left_out(void **state) {
    (void)state;
    begin_one(&calm);
    while (must_list_one(0).end < 30)
        must_do(BROKER_PRODUCED);
    must_do(BROKER_COMPACTED);
    const struct model_record *history;
    size_t count = model_broker_history(&history);
    int expected = 0, records;
    for (size_t i = 0; i < count; i++) {
        expected += history[i].fate == OFFSET_RECORD;
        assert_true(history[i].was_readable);
    }
    assert_true(expected < (int)count);
    assert_int_equal(read_range(0, (int64_t)count, &records), SOURCE_END);
    assert_int_equal(records, expected);
    end();
}

/* ---- fetches ---- */

static void a_damaged_fetch_can_be_read_the_next_time(void **state) {
    (void)state;
    struct broker_chances chances = calm;
    chances.of[BROKER_DAMAGED] = 1000;
    begin_one(&chances);
    must_do(BROKER_PRODUCED);
    int records;
    assert_int_equal(read_range(0, 1, &records), SOURCE_FAILED);
    must_say(ERROR_DAMAGED, "Bad message format");
    assert_int_equal(read_range(0, 1, &records), SOURCE_END);
    assert_int_equal(records, 1);
    end();
}

static void a_fetch_that_fails_is_an_error_of_the_broker(void **state) {
    (void)state;
    struct broker_chances chances = calm;
    chances.of[BROKER_FETCH_FAILED] = 1000;
    begin_one(&chances);
    must_do(BROKER_PRODUCED);
    int records;
    assert_int_equal(read_range(0, 1, &records), SOURCE_FAILED);
    assert_int_equal(err.kind, ERROR_BROKER);
    model_broker_live(true);
    assert_int_equal(read_range(0, 1, &records), SOURCE_END);
    end();
}

static void a_fetch_that_stalls_continues_later(void **state) {
    (void)state;
    struct broker_chances chances = calm;
    chances.of[BROKER_FETCH_STALLED] = 500;
    begin_one(&chances);
    must_do(BROKER_PRODUCED);
    int records, waits = 0;
    enum source_status status = read_range(0, 1, &records);
    for (; status == SOURCE_WAIT; status = read_on(&records))
        waits++;
    assert_int_equal(status, SOURCE_END);
    assert_int_equal(records, 1);
    assert_true(passed_ms >= waits * (int64_t)READ_MS);
    end();
}

static void an_empty_range_ends_and_one_can_be_given_up(void **state) {
    (void)state;
    begin_one(&calm);
    while (must_list_one(0).end < 20)
        must_do(BROKER_PRODUCED);
    int records;
    assert_int_equal(read_range(3, 3, &records), SOURCE_END);
    struct record record;
    must_open(0, 10);
    assert_int_equal(source->ops->read(source, &record, READ_MS, &err), SOURCE_RECORD);
    source->ops->abandon_range(source);
    source->ops->rest(source);
    must_open(0, 10);
    assert_int_equal(source->ops->read(source, &record, READ_MS, &err), SOURCE_RECORD);
    assert_int_equal(record.offset, 0);
    source->ops->abandon_range(source);
    end();
}

/* ---- the process ---- */

static void all_fails_in_a_process_that_has_ended(void **state) {
    (void)state;
    begin_one(&calm);
    must_do(BROKER_PRODUCED);
    struct offset_range position = {0, 1, 1};
    struct topic_offsets offsets = must_list();
    must_open(0, 1);
    model_broker_kill();
    int64_t before = passed_ms;
    assert_false(lists());
    must_say(ERROR_CONFIG, "the process has ended");
    assert_false(broker_list_high(broker, MODEL_TOPIC, TIMEOUT_MS, &offsets, &err));
    assert_false(broker_find_id(broker, MODEL_TOPIC, TIMEOUT_MS, &offsets, &err));
    assert_false(
        broker->ops->commit_group(broker, "group", MODEL_TOPIC, &position, 1, TIMEOUT_MS, &err));
    int records = 0;
    assert_int_equal(read_on(&records), SOURCE_FAILED);
    must_say(ERROR_CONFIG, "the process has ended");
    assert_false(
        source->ops->open_range(source, MODEL_TOPIC, (struct offset_range){0, 0, 1}, &err));
    assert_int_equal(passed_ms, before);
    model_broker_restart();
    assert_true(lists());
    assert_int_equal(read_range(0, 1, &records), SOURCE_END);
    topic_offsets_deinit(&offsets);
    end();
}

static void a_quiet_cluster_has_no_faults_and_nothing_open(void **state) {
    (void)state;
    struct broker_chances chances = broker_chances_usual;
    for (uint64_t seed = 1; seed < 100; seed++) {
        begin(seed, &chances);
        for (int i = 0; i < 100; i++)
            model_broker_live(false);
        model_broker_live(true);
        for (int i = 0; i < 20; i++) {
            struct topic_offsets offsets = must_list();
            assert_true(broker_list_high(broker, MODEL_TOPIC, TIMEOUT_MS, &offsets, &err));
            for (size_t k = 0; k < offsets.count; k++)
                assert_int_equal(offsets.partitions[k].end, offsets.partitions[k].high);
            topic_offsets_deinit(&offsets);
        }
        end();
    }
}

/* ---- all together ---- */

/* Reads each partition from where its log starts, or from where it was, through all faults. */
static size_t read_all(int64_t *positions, uint8_t *seen, size_t room) {
    size_t records = 0;
    struct topic_offsets offsets;
    if (!broker->ops->list_offsets(broker, MODEL_TOPIC, TIMEOUT_MS, &offsets, &err))
        return 0;
    for (size_t i = 0; i < offsets.count; i++) {
        struct offset_range range = {(int32_t)i, positions[i], offsets.partitions[i].end};
        if (range.start < offsets.partitions[i].log_start)
            range.start = offsets.partitions[i].log_start;
        struct record record;
        enum source_status status = SOURCE_END;
        if (range.end <= range.start || !source->ops->open_range(source, MODEL_TOPIC, range, &err))
            continue;
        while ((status = source->ops->read(source, &record, READ_MS, &err)) == SOURCE_RECORD) {
            size_t place = i * (room / MODEL_PARTITIONS_MAX) + (size_t)record.offset;
            assert_true(record.offset >= positions[i] && record.offset < range.end);
            assert_int_equal(seen[place], 0);
            seen[place] = 1;
            positions[i] = record.offset + 1;
            records++;
        }
        if (status == SOURCE_WAIT)
            source->ops->abandon_range(source);
        if (status == SOURCE_END)
            positions[i] = range.end;
    }
    topic_offsets_deinit(&offsets);
    return records;
}

static void a_reader_gets_each_record_once_or_it_was_deleted_or_compacted(void **state) {
    (void)state;
    enum { ROOM = 1 << 16 };
    static uint8_t seen[ROOM];
    struct broker_chances chances = broker_chances_usual;
    chances.of[BROKER_TOPIC_DELETED] = chances.of[BROKER_LOG_CUT] = 0;
    chances.of[BROKER_LISTING_BEHIND] = 0;
    for (uint64_t seed = 1; seed < 60; seed++) {
        int64_t positions[MODEL_PARTITIONS_MAX] = {0};
        size_t records = 0, missing = 0;
        memset(seen, 0, sizeof seen);
        begin(seed, &chances);
        for (int i = 0; i < 150; i++) {
            model_broker_live(i >= 140);
            records += read_all(positions, seen, ROOM);
        }
        const struct model_record *history;
        size_t count = model_broker_history(&history), readable = 0;
        for (size_t i = 0; i < count; i++) {
            size_t place = (size_t)history[i].partition * (ROOM / MODEL_PARTITIONS_MAX) +
                           (size_t)history[i].offset;
            assert_true(!seen[place] || history[i].was_readable);
            readable += history[i].was_readable;
            missing += history[i].was_readable && !seen[place];
            if (history[i].fate == OFFSET_RECORD)
                assert_int_equal(seen[place], 1);
        }
        assert_int_equal(records + missing, readable);
        end();
    }
}

static uint64_t history_hash(void) {
    const struct model_record *history;
    size_t count = model_broker_history(&history);
    uint64_t hash = count;
    for (size_t i = 0; i < count; i++)
        hash = hash * 31 +
               (uint64_t)content_ingestion((struct content_place){
                   history[i].incarnation, history[i].partition, history[i].offset}) +
               (uint64_t)history[i].fate + (history[i].was_readable ? 7U : 0U);
    return hash;
}

static void the_same_seed_gives_the_same_history_no_matter_what_is_asked(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed < 30; seed++) {
        uint64_t hashes[2];
        for (int asks = 0; asks < 2; asks++) {
            begin(seed, &broker_chances_usual);
            for (int i = 0; i < 200; i++) {
                model_broker_live(false);
                for (int k = 0; k < 3 * asks; k++)
                    (void)lists();
            }
            hashes[asks] = history_hash();
            end();
        }
        assert_true(hashes[0] == hashes[1]);
    }
}

static void each_event_happens_within_a_hundred_lives(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed < 100; seed++) {
        begin(seed, &broker_chances_usual);
        for (int i = 0; i < 100; i++) {
            struct topic_offsets offsets = {0};
            int records = 0;
            model_broker_live(false);
            if (!broker->ops->list_offsets(broker, MODEL_TOPIC, TIMEOUT_MS, &offsets, &err))
                continue;
            if (read_range(0, offsets.partitions[0].end, &records) == SOURCE_WAIT)
                source->ops->abandon_range(source);
            topic_offsets_deinit(&offsets);
        }
        end();
    }
    for (int event = 0; event < BROKER_EVENTS; event++)
        if (model_broker_count((enum broker_event)event) == 0)
            fail_msg("never: %s", model_broker_event_name((enum broker_event)event));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cluster_that_is_away_costs_the_whole_time_and_is_an_error_of_the_broker),
        cmocka_unit_test(
            a_topic_that_is_deleted_does_not_exist_until_it_is_created_with_another_id),
        cmocka_unit_test(another_topic_does_not_exist),
        cmocka_unit_test(a_cluster_without_ids_tells_none),
        cmocka_unit_test(the_cluster_id_is_known_after_a_listing),
        cmocka_unit_test(a_listing_fails_in_each_way),
        cmocka_unit_test(a_listing_is_behind_twice_in_a_row_at_most),
        cmocka_unit_test(a_slow_listing_takes_its_time),
        cmocka_unit_test(an_open_transaction_ends_what_can_be_listed_and_read),
        cmocka_unit_test(an_aborted_transaction_has_no_records_and_the_range_ends),
        cmocka_unit_test(with_read_uncommitted_all_records_are_there_at_once),
        cmocka_unit_test(a_position_that_retention_has_passed_is_a_loss),
        cmocka_unit_test(what_was_fetched_is_handed_out_after_the_log_has_lost_it),
        cmocka_unit_test(a_log_that_is_cut_gets_other_records_at_the_same_offsets),
        cmocka_unit_test(compacted_offsets_are_left_out),
        cmocka_unit_test(a_damaged_fetch_can_be_read_the_next_time),
        cmocka_unit_test(a_fetch_that_fails_is_an_error_of_the_broker),
        cmocka_unit_test(a_fetch_that_stalls_continues_later),
        cmocka_unit_test(an_empty_range_ends_and_one_can_be_given_up),
        cmocka_unit_test(all_fails_in_a_process_that_has_ended),
        cmocka_unit_test(a_quiet_cluster_has_no_faults_and_nothing_open),
        cmocka_unit_test(a_reader_gets_each_record_once_or_it_was_deleted_or_compacted),
        cmocka_unit_test(the_same_seed_gives_the_same_history_no_matter_what_is_asked),
        cmocka_unit_test(each_event_happens_within_a_hundred_lives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
