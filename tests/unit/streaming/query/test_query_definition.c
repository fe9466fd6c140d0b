#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "streaming/declare/stream.h"
#include "streaming/query/query_definition.h"

static void batches_begin_at_multiples_of_the_interval_or_at_once_after_an_overrun(void **state) {
    (void)state;
    static const struct {
        int64_t interval_ms, began_ms, now_ms, next_ms;
        const char *why;
    } cases[] = {
        {10000, 1000003000, 1000003500, 1000010000, "the next multiple"},
        {10000, 1000010000, 1000010001, 1000020000, "began at a multiple"},
        {10000, 1000003000, 1000010000, 1000010000, "ended exactly at the next one"},
        {10000, 1000003000, 1000017000, 1000017000, "an overrun: at once"},
        {0, 1000003000, 1000003500, 1000003500, "no interval: at once"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct trigger trigger = {.interval_ms = cases[i].interval_ms};
        int64_t next = trigger_next_ms(&trigger, cases[i].began_ms, cases[i].now_ms);
        if (next != cases[i].next_ms)
            fail_msg("%s: %lld", cases[i].why, (long long)next);
    }
}

/* Columns to partition by; *err says what is wrong with them. */
static bool define(const char *const *columns, size_t count, struct query_definition *definition,
                   struct error *err) {
    static struct query_options options;
    options =
        (struct query_options){.stream = stream_of("matches"),
                               .store = {.partition_by = columns, .partition_by_count = count}};
    return query_definition_init(definition, &options, err);
}

static void a_table_is_partitioned_by_columns_of_the_types_that_directories_can_have(void **state) {
    (void)state;
    struct query_definition definition;
    struct error err = {0};
    const char *all[QUERY_PARTITION_COLUMNS_MAX];
    size_t count = 0;
    assert_true(define(NULL, 0, &definition, &err));
    for (size_t i = 0; i < definition.schema.count && count < QUERY_PARTITION_COLUMNS_MAX; i++)
        if (schema_can_partition(&definition.schema, i))
            all[count++] = definition.schema.columns[i].name;
    assert_int_equal(count, QUERY_PARTITION_COLUMNS_MAX);
    assert_true(define(all, count, &definition, &err));
    for (size_t i = 0; i < count; i++)
        assert_string_equal(definition.schema.columns[definition.partition_columns[i]].name,
                            all[i]);
}

static void no_other_column_is_taken(void **state) {
    (void)state;
    struct query_definition definition;
    struct error err = {0};
    assert_true(define(NULL, 0, &definition, &err));
    const char *other = "no_column";
    assert_false(define(&other, 1, &definition, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_non_null(strstr(err.message, "has no column 'no_column' that can partition it"));
    for (size_t i = 0; i < definition.schema.count; i++) {
        enum type type = definition.schema.columns[i].type;
        other = definition.schema.columns[i].name;
        bool can = type != TYPE_DOUBLE && type != TYPE_TIMESTAMP &&
                   i != definition.schema.partition && i != definition.schema.offset;
        assert_int_equal(define(&other, 1, &definition, &err), can);
    }
}

int main(void) {
    streams_load();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_is_partitioned_by_columns_of_the_types_that_directories_can_have),
        cmocka_unit_test(no_other_column_is_taken),
        cmocka_unit_test(batches_begin_at_multiples_of_the_interval_or_at_once_after_an_overrun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
