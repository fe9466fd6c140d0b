/* expressions.c: the evaluator of a plan compared with functions that compute the built-in queries'
 * expressions in C (`build/release/bench/expressions`). Nanoseconds per row of each, for slices of
 * 1,000 rows. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "core/rows.h"
#include "derive_in_c.h"
#include "sql/eval/eval.h"
#include "sql/syntax/parse.h"

enum { ROWS = 1000, ROUNDS = 500, ATTEMPTS = 50, STRING_BYTES = 1024 * 1024, INPUTS = 12 };

static const char declaration[] =
    "CREATE TABLE r (match_duration INT, status STRING, total_games INT, total_wins INT, "
    "win_rate DOUBLE, kda_ratio DOUBLE, avg_kills DOUBLE, avg_deaths DOUBLE, avg_assists DOUBLE, "
    "active BOOLEAN, first_name STRING, last_name STRING) USING kafka OPTIONS (subscribe 'r');\n";

static const char *const names[INPUTS] = {
    "match_duration", "status",     "total_games", "total_wins", "win_rate",   "kda_ratio",
    "avg_kills",      "avg_deaths", "avg_assists", "active",     "first_name", "last_name"};

static const struct {
    const char *sql;
    derive_fn *derive;
    enum type type;
    int inputs[DERIVE_INPUTS_MAX]; // of `names`, -1 behind the last
} cases[] = {
    {"CAST(match_duration / 60 AS INT)", derive_duration_minutes, TYPE_INT32, {0, -1}},
    {"status = 'finished'", derive_is_completed, TYPE_BOOL, {1, -1}},
    {"CASE WHEN total_games > 0 AND win_rate IS NULL THEN ROUND(total_wins / total_games * 100, 2) "
     "ELSE win_rate END",
     derive_calculated_win_rate,
     TYPE_DOUBLE,
     {2, 3, 4, -1}},
    {"CASE WHEN kda_ratio IS NULL AND avg_deaths > 0 THEN ROUND((avg_kills + avg_assists) / "
     "avg_deaths, 2) WHEN kda_ratio IS NULL AND avg_deaths = 0 THEN 99.99D ELSE kda_ratio END",
     derive_calculated_kda,
     TYPE_DOUBLE,
     {5, 6, 7, 8}},
    {"CASE WHEN active THEN 'active' WHEN NOT active THEN 'inactive' ELSE 'unknown' END",
     derive_activity_status,
     TYPE_STRING,
     {9, -1}},
    {"CONCAT_WS(' ', first_name, last_name)", derive_full_name, TYPE_STRING, {10, 11, -1}},
    {"total_games > 0", derive_has_activity, TYPE_BOOL, {2, -1}},
};

enum { CASES = sizeof cases / sizeof cases[0] };

static struct vector vector_new(enum type type) {
    return (struct vector){
        .type = type, .valid = must_alloc(ROWS, 1), .values = must_alloc(ROWS, type_width(type))};
}

static uint32_t random_state = 1;

static uint32_t draw(uint32_t below) {
    random_state = random_state * 1664525 + 1013904223;
    return (random_state >> 8) % below;
}

/* As often null, and as large, as in the generator's records. */
static void fill(struct vector *inputs) {
    static const char *const texts[] = {"finished", "finished", "live", "scheduled"};
    static const char *const given[] = {"Sang-hyeok", "Ji-hoon", "Rasmus", "Ding", "Geon-bu"};
    static const char *const family[] = {"Lee", "Jeong", "Winther", "Zhuo", "Kim"};
    static const enum type types[INPUTS] = {TYPE_INT32,  TYPE_STRING, TYPE_INT32,  TYPE_INT32,
                                            TYPE_DOUBLE, TYPE_DOUBLE, TYPE_DOUBLE, TYPE_DOUBLE,
                                            TYPE_DOUBLE, TYPE_BOOL,   TYPE_STRING, TYPE_STRING};
    for (size_t i = 0; i < INPUTS; i++) {
        inputs[i] = vector_new(types[i]);
        uint32_t null_per_cent = i == 4 || i == 5 ? 30 : 5;
        for (size_t row = 0; row < ROWS; row++) {
            inputs[i].valid[row] = draw(100) >= null_per_cent;
            if (types[i] == TYPE_INT32)
                inputs[i].int32s[row] = (int32_t)draw(i == 0 ? 3600 : 900);
            else if (types[i] == TYPE_DOUBLE)
                inputs[i].doubles[row] = (double)draw(900) / 100;
            else if (types[i] == TYPE_BOOL)
                inputs[i].booleans[row] = (uint8_t)draw(2);
            else
                inputs[i].texts[row] = text_borrow(i == 1    ? texts[draw(4)]
                                                   : i == 10 ? given[draw(5)]
                                                             : family[draw(5)]);
        }
    }
}

static double now_ns(void) {
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static double derive_once(size_t k, struct vector *inputs, struct vector *out,
                          struct arena *strings) {
    const struct vector *arguments[DERIVE_INPUTS_MAX] = {NULL};
    for (size_t i = 0; i < DERIVE_INPUTS_MAX && cases[k].inputs[i] >= 0; i++)
        arguments[i] = &inputs[cases[k].inputs[i]];
    double start = now_ns();
    for (int round = 0; round < ROUNDS; round++) {
        arena_reset(strings);
        check(cases[k].derive(arguments, 0, ROWS, out, strings));
    }
    return (now_ns() - start) / ROUNDS / ROWS;
}

static double eval_once(struct eval *eval, size_t step, struct arena *strings) {
    int64_t faults[CASES] = {0};
    double start = now_ns();
    for (int round = 0; round < ROUNDS; round++) {
        arena_reset(strings);
        for (size_t row = 0; row < ROWS; row += step)
            check(eval_rows(eval, row, step, strings, faults));
    }
    return (now_ns() - start) / ROUNDS / ROWS;
}

/* A table with cases [first, first + count) as its columns x0, x1, … */
static void make_plan(size_t first, size_t count, struct query_plan *plan) {
    char text[8192];
    size_t size =
        text_append(text, sizeof text, 0, "%sCREATE STREAMING TABLE t AS SELECT", declaration);
    for (size_t k = 0; k < count; k++)
        size = text_append(text, sizeof text, size, "%s %s AS x%zu", k > 0 ? "," : "",
                           cases[first + k].sql, k);
    (void)text_append(text, sizeof text, size, " FROM STREAM r;");
    struct sql_file file = {0};
    struct error err = {0};
    if (!sql_parse("bench.sql", text, strlen(text), &file, &err) ||
        !plan_make(&file, 0, plan, &err)) {
        (void)fprintf(stderr, "%s\n", err.message);
        exit(1);
    }
    sql_file_deinit(&file);
}

static void check_same(const struct vector *a, const struct vector *b) {
    for (size_t row = 0; row < ROWS; row++) {
        check(a->valid[row] == b->valid[row]);
        if (a->valid[row] == 0)
            continue;
        if (type_is_text(a->type))
            check(text_equals(a->texts[row], b->texts[row]));
        else
            check(memcmp((char *)a->values + row * type_width(a->type),
                         (char *)b->values + row * type_width(b->type), type_width(a->type)) == 0);
    }
}

/* What evaluates some of the cases as one plan. */
struct evaluator {
    struct query_plan plan;
    struct vector *inputs, computed[CASES];
    struct timestamp_context context;
    struct eval eval;
};

static void evaluator_init(struct evaluator *evaluator, size_t first, size_t count,
                           const struct vector *inputs) {
    struct query_plan *plan = &evaluator->plan;
    const struct expr *exprs[CASES];
    make_plan(first, count, plan);
    for (size_t i = 0; i < plan->column_count; i++)
        if (plan->columns[i].name[0] == 'x')
            exprs[plan->columns[i].name[1] - '0'] = plan->columns[i].expr;
    for (size_t k = 0; k < count; k++)
        evaluator->computed[k] = vector_new(cases[first + k].type);
    evaluator->inputs = must_alloc(plan->input_count, sizeof *evaluator->inputs);
    for (size_t i = 0; i < plan->input_count; i++)
        for (size_t n = 0; n < INPUTS; n++)
            if (plan->inputs[i].kind == INPUT_RECORD &&
                strcmp(names[n], plan->inputs[i].path[0]) == 0)
                evaluator->inputs[i] = inputs[n];
    evaluator->context = (struct timestamp_context){0};
    eval_init(&evaluator->eval, plan, exprs, count, ROWS_CAPACITY, &evaluator->context);
    eval_bind(&evaluator->eval, evaluator->inputs, NULL, evaluator->computed);
}

static void evaluator_deinit(struct evaluator *evaluator) {
    eval_deinit(&evaluator->eval);
    plan_deinit(&evaluator->plan);
    free(evaluator->inputs);
}

static void print_times(double in_c, double plan, double alone, const char *name) {
    printf("%8.2f %8.2f %8.2f %8.2f  %.60s\n", in_c, plan, plan / in_c, alone, name);
}

/* The best of several attempts of each, in turn. Returns that of the function in C. */
static double measure(size_t k, struct vector *inputs, struct arena *strings,
                      struct arena *other_strings) {
    struct vector derived = vector_new(cases[k].type);
    struct evaluator evaluator;
    evaluator_init(&evaluator, k, 1, inputs);
    double in_c = INFINITY, plan = INFINITY, alone = INFINITY;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        in_c = fmin(in_c, derive_once(k, inputs, &derived, strings));
        plan = fmin(plan, eval_once(&evaluator.eval, ROWS, other_strings));
        check_same(&derived, &evaluator.computed[0]);
        alone = fmin(alone, eval_once(&evaluator.eval, 1, other_strings));
    }
    print_times(in_c, plan, alone, cases[k].sql);
    evaluator_deinit(&evaluator);
    return in_c;
}

static void measure_together(double in_c, const struct vector *inputs, struct arena *strings) {
    struct evaluator evaluator;
    evaluator_init(&evaluator, 0, CASES, inputs);
    double plan = INFINITY, alone = INFINITY;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        plan = fmin(plan, eval_once(&evaluator.eval, ROWS, strings));
        alone = fmin(alone, eval_once(&evaluator.eval, 1, strings));
    }
    print_times(in_c, plan, alone, "all as one plan; in C the sum");
    evaluator_deinit(&evaluator);
}

int main(void) {
    struct vector inputs[INPUTS];
    struct arena strings, other_strings;
    arena_init(&strings, STRING_BYTES);
    arena_init(&other_strings, STRING_BYTES);
    fill(inputs);
    printf("%8s %8s %8s %8s  ns per row; the last with one row per call\n", "in C", "plan", "ratio",
           "alone");
    double in_c = 0;
    for (size_t k = 0; k < CASES; k++)
        in_c += measure(k, inputs, &strings, &other_strings);
    measure_together(in_c, inputs, &other_strings);
    arena_deinit(&strings);
    arena_deinit(&other_strings);
    return 0;
}
