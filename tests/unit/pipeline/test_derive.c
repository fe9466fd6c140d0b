#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "pipeline/derive.h"

enum { ROWS = 1 };

/* Vectors of one row. */
struct value {
    uint8_t valid;
    union {
        uint8_t boolean;
        int32_t int32;
        double number;
        struct text text;
    };
    struct vector vector;
};

static const struct vector *number(struct value *value, double content) {
    value->valid = 1;
    value->number = content;
    value->vector = (struct vector){TYPE_DOUBLE, &value->valid, {.doubles = &value->number}};
    return &value->vector;
}

static const struct vector *integer(struct value *value, int32_t content) {
    value->valid = 1;
    value->int32 = content;
    value->vector = (struct vector){TYPE_INT32, &value->valid, {.int32s = &value->int32}};
    return &value->vector;
}

static const struct vector *flag(struct value *value, bool content) {
    value->valid = 1;
    value->boolean = content;
    value->vector = (struct vector){TYPE_BOOL, &value->valid, {.booleans = &value->boolean}};
    return &value->vector;
}

static const struct vector *string(struct value *value, const char *content) {
    value->valid = content != NULL;
    value->text = (struct text){content, content == NULL ? 0 : (uint32_t)strlen(content)};
    value->vector = (struct vector){TYPE_STRING, &value->valid, {.texts = &value->text}};
    return &value->vector;
}

/* NaN stands for a null number here; the tests that mean NaN set it themselves. */
static const struct vector *number_or_null(struct value *value, double content) {
    number(value, content);
    value->valid = (uint8_t)!isnan(content);
    return &value->vector;
}

static const double none = (double)NAN;

static void minutes_are_cut_toward_zero(void **state) {
    (void)state;
    static const struct {
        int32_t seconds, minutes;
    } cases[] = {{0, 0}, {59, 0}, {60, 1}, {-59, 0}, {-61, -1}, {INT32_MIN, -35791394}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct value in, out;
        (void)integer(&out, 0);
        const struct vector *inputs[] = {integer(&in, cases[i].seconds)};
        assert_true(derive_duration_minutes(inputs, 0, ROWS, &out.vector, NULL));
        assert_true(out.valid);
        assert_int_equal(out.int32, cases[i].minutes);
        in.valid = 0;
        assert_true(derive_duration_minutes(inputs, 0, ROWS, &out.vector, NULL));
        assert_false(out.valid);
    }
}

static void completed_is_exactly_finished(void **state) {
    (void)state;
    static const char *const texts[] = {"finished", "Finished", "finished ", "", NULL};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct value in, out;
        (void)flag(&out, false);
        const struct vector *inputs[] = {string(&in, texts[i])};
        assert_true(derive_is_completed(inputs, 0, ROWS, &out.vector, NULL));
        assert_int_equal(out.valid, texts[i] != NULL);
        assert_int_equal(out.boolean, i == 0);
    }
}

static void a_missing_win_rate_is_calculated(void **state) {
    (void)state;
    static const struct {
        double games, wins, rate, expected; // NaN: null
    } cases[] = {
        {7, 3, none, 42.86},    {800, 29, none, 3.62}, {800, 1, none, 0.13},
        {7, 3, 51.239, 51.239}, {0, 3, none, none},    {-1, 3, none, none},
        {7, none, none, none},  {none, 3, none, none}, {none, 3, 7.777, 7.777},
        {3, -1, none, -33.33},  {3, 0, none, 0},       {-5, 3, 1.005, 1.005},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct value games, wins, rate, out;
        (void)number(&out, 0);
        const struct vector *inputs[] = {
            integer(&games, isnan(cases[i].games) ? 0 : (int32_t)cases[i].games),
            integer(&wins, isnan(cases[i].wins) ? 0 : (int32_t)cases[i].wins),
            number_or_null(&rate, cases[i].rate)};
        games.valid = (uint8_t)!isnan(cases[i].games);
        wins.valid = (uint8_t)!isnan(cases[i].wins);
        assert_true(derive_calculated_win_rate(inputs, 0, ROWS, &out.vector, NULL));
        assert_int_equal(out.valid, !isnan(cases[i].expected));
        assert_true(!out.valid || out.number == cases[i].expected);
    }
}

static void a_missing_kda_is_calculated(void **state) {
    (void)state;
    static const struct {
        double ratio, kills, deaths, assists, expected; // NaN: null
    } cases[] = {
        {none, 4.25, 2.5, 7, 4.5},        {none, 1, 3, 1, 0.67},          {none, 1, 0, 1, 99.99},
        {none, none, 0, none, 99.99},     {none, 1, -0.0, 1, 99.99},      {none, none, 2, 1, none},
        {none, 1, 2, none, none},         {none, 1, none, 1, none},       {none, 1, -2, 1, none},
        {3.14159, 1, 2, 3, 3.14159},      {3.14159, 1, none, 3, 3.14159}, {none, 1, INFINITY, 1, 0},
        {none, INFINITY, 1, 1, INFINITY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct value ratio, kills, deaths, assists, out;
        (void)number(&out, 0);
        const struct vector *inputs[] = {
            number_or_null(&ratio, cases[i].ratio), number_or_null(&kills, cases[i].kills),
            number_or_null(&deaths, cases[i].deaths), number_or_null(&assists, cases[i].assists)};
        assert_true(derive_calculated_kda(inputs, 0, ROWS, &out.vector, NULL));
        assert_int_equal(out.valid, !isnan(cases[i].expected));
        assert_true(!out.valid || out.number == cases[i].expected);
    }
}

static void nan_deaths_are_more_than_none(void **state) {
    (void)state;
    struct value ratio, kills, deaths, assists, out;
    (void)number(&out, 0);
    const struct vector *inputs[] = {number_or_null(&ratio, none), number(&kills, 1),
                                     number(&deaths, none), number(&assists, 1)};
    assert_true(derive_calculated_kda(inputs, 0, ROWS, &out.vector, NULL));
    assert_true(out.valid);
    assert_true(isnan(out.number));
}

static void an_unknown_activity_is_unknown(void **state) {
    (void)state;
    struct value in, out;
    (void)string(&out, "");
    const struct vector *inputs[] = {flag(&in, true)};
    assert_true(derive_activity_status(inputs, 0, ROWS, &out.vector, NULL));
    assert_true(text_equals(out.text, TEXT("active")));
    in.boolean = 0;
    assert_true(derive_activity_status(inputs, 0, ROWS, &out.vector, NULL));
    assert_true(text_equals(out.text, TEXT("inactive")));
    in.valid = 0;
    assert_true(derive_activity_status(inputs, 0, ROWS, &out.vector, NULL));
    assert_true(text_equals(out.text, TEXT("unknown")));
    assert_true(out.valid);
}

static void a_full_name_leaves_out_nulls_but_not_empty_names(void **state) {
    (void)state;
    static const struct {
        const char *first, *last, *full;
    } cases[] = {
        {"Rasmus", "Winther", "Rasmus Winther"},
        {"A", NULL, "A"},
        {NULL, "B", "B"},
        {"", "B", " B"},
        {"A", "", "A "},
        {NULL, NULL, ""},
    };
    struct arena strings;
    arena_init(&strings, 64);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct value first, last, out;
        (void)string(&out, NULL);
        const struct vector *inputs[] = {string(&first, cases[i].first),
                                         string(&last, cases[i].last)};
        assert_true(derive_full_name(inputs, 0, ROWS, &out.vector, &strings));
        assert_true(out.valid);
        assert_int_equal(out.text.length, strlen(cases[i].full));
        assert_memory_equal(out.text.bytes, cases[i].full, out.text.length);
    }
    arena_deinit(&strings);

    arena_init(&strings, 2);
    struct value first, last, out;
    (void)string(&out, NULL);
    const struct vector *inputs[] = {string(&first, "A"), string(&last, "B")};
    assert_false(derive_full_name(inputs, 0, ROWS, &out.vector, &strings));
    arena_deinit(&strings);
}

static void activity_needs_a_game(void **state) {
    (void)state;
    for (int32_t games = -1; games <= 1; games++) {
        struct value in, out;
        (void)flag(&out, false);
        const struct vector *inputs[] = {integer(&in, games)};
        assert_true(derive_has_activity(inputs, 0, ROWS, &out.vector, NULL));
        assert_int_equal(out.boolean, games > 0);
        in.valid = 0;
        assert_true(derive_has_activity(inputs, 0, ROWS, &out.vector, NULL));
        assert_false(out.valid);
    }
}

static const struct column record_columns[] = {{"id", TYPE_STRING}, {"seconds", TYPE_INT32}};
static const struct record_schema record = {"thing", record_columns, 2};
static const struct column derived[] = {
    {"minutes", TYPE_INT32, .derive = derive_duration_minutes, .inputs = {"seconds"}},
    {"hours", TYPE_INT32, .derive = derive_duration_minutes, .inputs = {"minutes"}},
};

static void derived_columns_are_filled_in_their_order_and_range(void **state) {
    (void)state;
    struct schema schema;
    schema_init(&schema, &record, derived, 2);
    struct rows rows;
    rows_init(&rows, &schema, 3, 16);
    for (size_t row = 0; row < 3; row++) {
        rows.columns[1].valid[row] = 1;
        rows.columns[1].int32s[row] = 7200;
        rows.columns[schema.derived_first + 1].int32s[row] = -1;
    }
    assert_true(derive_rows(&rows, 1, 1));
    const int32_t *hours = rows.columns[schema.derived_first + 1].int32s;
    assert_int_equal(hours[0], -1);
    assert_int_equal(hours[1], 2);
    assert_int_equal(hours[2], -1);
    rows_deinit(&rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(minutes_are_cut_toward_zero),
        cmocka_unit_test(completed_is_exactly_finished),
        cmocka_unit_test(a_missing_win_rate_is_calculated),
        cmocka_unit_test(a_missing_kda_is_calculated),
        cmocka_unit_test(nan_deaths_are_more_than_none),
        cmocka_unit_test(an_unknown_activity_is_unknown),
        cmocka_unit_test(a_full_name_leaves_out_nulls_but_not_empty_names),
        cmocka_unit_test(activity_needs_a_game),
        cmocka_unit_test(derived_columns_are_filled_in_their_order_and_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
