#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "functions/types.h"
#include "sql/functions/function.h"

static void every_row_of_the_table_is_found_by_its_name(void **state) {
    (void)state;
    assert_true(function_count > 30);
    assert_null(functions[function_count].name);
    for (size_t i = 0; i < function_count; i++) {
        const struct function *function = &functions[i];
        assert_ptr_equal(function_find(function->name), function);
        assert_non_null(function->usage);
        assert_non_null(function->doc);
        assert_non_null(function->example);
        assert_non_null(function->resolve);
        assert_true((function->form == FORM_CALL || function->form == FORM_CASE) ==
                    (function->symbol == NULL));
        // What Spark throws on is guarded, and only that.
        assert_true((function->throws == NULL) == (function->guard == NULL));
        assert_null(function_refusal(function->name));
    }
    assert_null(function_find("no_such_function"));
}

static void what_cannot_be_computed_per_record_is_refused_with_its_reason(void **state) {
    (void)state;
    assert_non_null(strstr(function_refusal("sum"), "aggregates rows"));
    assert_non_null(strstr(function_refusal("row_number"), "other rows"));
    assert_non_null(strstr(function_refusal("now"), "time of the run"));
    assert_non_null(strstr(function_refusal("uuid"), "random"));
    assert_non_null(strstr(function_refusal("rlike"), "regular expressions"));
    assert_non_null(strstr(function_refusal("explode"), "LATERAL VIEW"));
    assert_null(function_refusal("su"));
    assert_null(function_refusal(""));
    assert_null(function_refusal("no_such_function"));
}

/* ---- the types that Spark 4 says (tests/sql/record.py) ---- */

enum { ARGUMENTS_MAX = 3, TEXT_MAX = 64 };

struct recorded {
    char name[TEXT_MAX];
    struct data_type arguments[ARGUMENTS_MAX];
    const struct constant *constants[ARGUMENTS_MAX];
    size_t count;
    bool refused, can_be_null;
    struct data_type result;
};

static struct recorded read_line(char *line) {
    struct recorded recorded = {0};
    char *rest = line;
    (void)snprintf(recorded.name, sizeof recorded.name, "%s", strsep(&rest, "\t"));
    char *types = strsep(&rest, "\t"), *result = strsep(&rest, "\n");
    while (types != NULL)
        recorded.arguments[recorded.count++] = type_named(strsep(&types, " "));
    size_t length = strlen(result);
    recorded.refused = strcmp(result, "-") == 0;
    recorded.can_be_null = result[length - 1] != '!';
    if (!recorded.can_be_null)
        result[length - 1] = '\0';
    if (!recorded.refused && strncmp(result, "INTERVAL", 8) != 0)
        recorded.result = type_named(result);
    return recorded;
}

static bool has(const struct recorded *recorded, enum type kind) {
    for (size_t i = 0; i < recorded->count; i++)
        if (recorded->arguments[i].kind == kind)
            return true;
    return false;
}

static bool is_any(const char *name, const char *const *names) {
    for (; *names != NULL; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

/* What Spark computes and we refuse. */
static bool is_known_gap(const struct recorded *recorded) {
    static const char *const numbers[] = {"+",   "-",     "*",        "/",     "%",    "div",
                                          "abs", "round", "negative", "floor", "ceil", NULL};
    bool with_time = has(recorded, TYPE_DATE) || has(recorded, TYPE_TIMESTAMP) ||
                     has(recorded, TYPE_TIMESTAMP_NTZ);
    if (is_any(recorded->name, numbers))
        return with_time || has(recorded, TYPE_DECIMAL);
    if (strcmp(recorded->name, "nullif") == 0) // the first argument would be cast
        return recorded->arguments[0].kind != recorded->arguments[1].kind ||
               recorded->arguments[0].kind == TYPE_DECIMAL;
    if (strcmp(recorded->name, "to_date") == 0) // numbers and truth values are always null
        return !with_time && !has(recorded, TYPE_STRING);
    if (strcmp(recorded->name, "timestamp_seconds") == 0)
        return has(recorded, TYPE_DECIMAL);
    return strcmp(recorded->name, "to_timestamp") == 0 && has(recorded, TYPE_BINARY);
}

/* What has a guard in the text for Spark can be null, where Spark's own cannot: an implicit cast
 * between a date and kinds of timestamps. */
static bool has_guard(const struct recorded *recorded, const struct function_use *use) {
    bool is_cast = strstr(recorded->name, "cast") != NULL;
    for (size_t i = 0; i < (is_cast ? 1 : recorded->count); i++) {
        const struct data_type *to = is_cast ? &use->type : &use->wanted[i];
        if (cast_guard(&recorded->arguments[i], to, "", use->pool) != NULL)
            return true;
    }
    return false;
}

static bool resolve(const struct recorded *recorded, struct function_use *use, struct pool *pool,
                    struct error *err) {
    bool can_be_null[ARGUMENTS_MAX];
    for (size_t i = 0; i < recorded->count; i++)
        can_be_null[i] = recorded->arguments[i].kind == TYPE_NULL;
    *use = (struct function_use){
        .arguments = recorded->arguments,
        .nullable = can_be_null,
        .constants = recorded->constants,
        .argument_count = recorded->count,
        .pool = pool,
        .wanted = pool_alloc(pool, recorded->count, sizeof *use->wanted),
    };
    if (strcmp(recorded->name, "cast") == 0) {
        bool can_become_null;
        use->type = recorded->arguments[1];
        bool ok = cast_find(&recorded->arguments[0], &use->type, &use->kernel, &can_become_null,
                            &use->can_fault, err);
        use->can_be_null = can_become_null;
        return ok;
    }
    if (strcmp(recorded->name, "try_cast") == 0) {
        use->type = recorded->arguments[1];
        return try_cast_find(&recorded->arguments[0], &use->type, &use->kernel, &use->can_be_null,
                             &use->can_fault, err);
    }
    const struct function *function = function_find(recorded->name);
    if (function == NULL)
        return error_set(err, ERROR_CONFIG, "no function %s", recorded->name);
    return function->resolve(use, err);
}

/* Casts that Spark has and we refuse. */
static bool is_known_cast_gap(const struct recorded *recorded) {
    enum type from = recorded->arguments[0].kind, to = recorded->arguments[1].kind;
    bool to_number = to <= TYPE_DOUBLE || (to >= TYPE_INT8 && to <= TYPE_DECIMAL);
    return (to == TYPE_BINARY && from != TYPE_STRING) || // big-endian bytes
           (from == TYPE_DATE && to_number);             // always null
}

static void types_and_nullability_are_those_of_spark(void **state) {
    (void)state;
    FILE *file = fopen(TEST_DATA "/sql/types.tsv", "r");
    assert_non_null(file);
    char line[256], shown[256];
    size_t lines = 0, gaps = 0, different = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        (void)snprintf(shown, sizeof shown, "%.*s", (int)strcspn(line, "\n"), line);
        struct recorded recorded = read_line(line);
        struct function_use use;
        struct pool pool;
        struct error err;
        pool_init(&pool);
        bool ours = resolve(&recorded, &use, &pool, &err);
        bool is_cast = strstr(recorded.name, "cast") != NULL;
        bool gap = is_cast ? is_known_cast_gap(&recorded) : is_known_gap(&recorded);
        bool same = ours == !recorded.refused;
        if (ours && same)
            same = use.kernel != NULL && data_type_equals(&use.type, &recorded.result) &&
                   (use.can_be_null == recorded.can_be_null || has_guard(&recorded, &use));
        if (!ours && !recorded.refused && gap) {
            gaps++;
            same = true;
        }
        if (!same) {
            print_message("%s  ours: %s %d\n", shown,
                          ours ? data_type_text(&use.type, &pool) : err.message,
                          ours ? use.can_be_null : -1);
            different++;
        }
        pool_deinit(&pool);
        lines++;
    }
    (void)fclose(file);
    assert_int_equal(different, 0);
    assert_true(lines > 5000);
    assert_true(gaps < lines / 10);
}

/* ---- what is refused says why, and what to write instead ---- */

static void a_use_that_is_not_supported_is_refused_with_what_to_do(void **state) {
    (void)state;
    static const struct {
        const char *name, *types, *message;
    } cases[] = {
        {"+", "DECIMAL(10,2) INT", "write a literal as a DOUBLE (2.5D)"},
        {"+", "DATE INT", "+: the arguments are DATE and INT, expected numbers"},
        {"div", "DOUBLE INT", "div: an argument is DOUBLE, expected a whole number"},
        {"round", "DOUBLE INT", "round: the second argument must be a literal"},
        {"round", "DECIMAL(10,2)", "DECIMAL is not supported yet; CAST it to DOUBLE"},
        {"and", "INT BOOLEAN", "AND: the first argument is INT, expected BOOLEAN"},
        {"=", "INT DATE", "=: cannot compare INT with DATE; CAST one of them"},
        {"in", "INT DATE BOOLEAN", "IN: no common type for INT, DATE, BOOLEAN"},
        {"nullif", "INT BIGINT", "compared as BIGINT; CAST the first argument to BIGINT"},
        {"if", "INT INT INT", "if: a condition is INT, expected BOOLEAN"},
        {"case", "BOOLEAN INT DATE", "CASE: no common type for its values"},
        {"like", "STRING STRING", "LIKE: the pattern must be a literal"},
        {"date_trunc", "STRING TIMESTAMP", "the first argument must be a literal, such as 'DAY'"},
        {"timestamp_millis", "DOUBLE", "the argument is DOUBLE, expected a whole number"},
        {"case", "VOID INT", "CASE: a condition is VOID, expected BOOLEAN"},
        {"unix_seconds", "DATE", "the argument is DATE, expected a TIMESTAMP"},
        {"cast", "INT DATE",
         "cannot CAST INT AS DATE: write CAST(timestamp_seconds(…) AS DATE), or timestamp_millis"},
        {"cast", "DOUBLE BINARY", "cannot CAST DOUBLE AS BINARY"},
        {"try_cast", "BOOLEAN TIMESTAMP", "cannot TRY_CAST BOOLEAN AS TIMESTAMP"},
        {"try_cast", "INT DATE",
         "cannot CAST INT AS DATE: write CAST(timestamp_seconds(…) AS DATE), or timestamp_millis"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char line[256];
        (void)snprintf(line, sizeof line, "%s\t%s\t-\n", cases[i].name, cases[i].types);
        struct recorded recorded = read_line(line);
        struct function_use use;
        struct pool pool;
        struct error err = {0};
        pool_init(&pool);
        assert_false(resolve(&recorded, &use, &pool, &err));
        assert_int_equal(err.kind, ERROR_CONFIG);
        if (strstr(err.message, cases[i].message) == NULL)
            fail_msg("%s", err.message);
        pool_deinit(&pool);
    }
}

static void a_literal_is_checked_before_any_row_comes(void **state) {
    (void)state;
    static const struct constant zero = {.present = true};
    static const struct constant least = {.present = true, .int32 = INT32_MIN};
    static const struct constant escape = {.present = true, .text = {"a\\b", 3}};
    static const struct constant fortnight = {.present = true, .text = {"fortnight", 9}};
    static const struct {
        const char *name, *types;
        size_t index;
        const struct constant *constant;
        const char *message;
    } cases[] = {
        {"split_part", "STRING STRING INT", 2, &zero, "the third argument must not be 0"},
        {"split_part", "STRING STRING INT", 2, &least,
         "the third argument must not be -2147483648"},
        {"like", "STRING STRING", 1, &escape, "a backslash must be in front of %, _ or itself"},
        {"date_trunc", "STRING TIMESTAMP", 0, &fortnight, "unknown unit 'fortnight'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char line[256];
        (void)snprintf(line, sizeof line, "%s\t%s\t-\n", cases[i].name, cases[i].types);
        struct recorded recorded = read_line(line);
        recorded.constants[cases[i].index] = cases[i].constant;
        struct function_use use;
        struct pool pool;
        struct error err = {0};
        pool_init(&pool);
        assert_false(resolve(&recorded, &use, &pool, &err));
        assert_non_null(strstr(err.message, cases[i].message));
        pool_deinit(&pool);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_of_the_table_is_found_by_its_name),
        cmocka_unit_test(what_cannot_be_computed_per_record_is_refused_with_its_reason),
        cmocka_unit_test(types_and_nullability_are_those_of_spark),
        cmocka_unit_test(a_use_that_is_not_supported_is_refused_with_what_to_do),
        cmocka_unit_test(a_literal_is_checked_before_any_row_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
