/* views.c: a view's argument can use the record and the views before it, so views are made one
 * after the other, before the SELECT list. */
#include "sql/plan/views.h"

#include <strings.h>

#include "sql/plan/expr_make.h"

/* Whether an alias is one of the first `count` of the view, or of an earlier view. */
static bool is_given(const struct planner *planner, const struct sql_view *view, size_t count,
                     const char *alias) {
    for (const struct sql_view *at = planner->table->views; at <= view; at++)
        for (size_t i = 0; i < (at == view ? count : at->alias_count); i++)
            if (strcasecmp(at->aliases[i], alias) == 0)
                return true;
    return false;
}

static bool check_names(struct planner *planner, const struct sql_view *view, struct error *err) {
    for (const struct sql_view *at = planner->table->views; at < view; at++)
        if (strcasecmp(at->name, view->name) == 0)
            return PLAN_ERROR(err, planner, view->place,
                              "two LATERAL VIEWs have the name '%s': give one of them another name",
                              view->name);
    for (size_t i = 0; i < view->alias_count; i++)
        if (is_given(planner, view, i, view->aliases[i]))
            return PLAN_ERROR(err, planner, view->place,
                              "the alias '%s' of LATERAL VIEW is given twice (names are matched "
                              "without regard to case)",
                              view->aliases[i]);
    return true;
}

static bool check_aliases(struct planner *planner, const struct sql_view *view, bool is_map,
                          struct error *err) {
    static const char *const expected[2][2] = {
        {"one alias, of the element", "two aliases, of the position and the element"},
        {"two aliases, of the key and the value",
         "three aliases, of the position, the key and the value"}};
    size_t wanted = 1U + (is_map ? 1 : 0) + (view->with_position ? 1 : 0);
    return view->alias_count == wanted ||
           PLAN_ERROR(err, planner, view->place, "%s of %s gives %s, not %zu",
                      view->with_position ? "posexplode" : "explode", is_map ? "a MAP" : "an ARRAY",
                      expected[is_map ? 1 : 0][view->with_position ? 1 : 0], view->alias_count);
}

static const char *copy(struct planner *planner, const char *name) {
    return pool_copy(&planner->plan->pool, text_borrow(name));
}

static bool make_view(struct planner *planner, const struct sql_view *from, struct error *err) {
    const struct expr *argument = NULL;
    if (!check_names(planner, from, err) || !expr_make(planner, from->argument, &argument, err))
        return false;
    enum type kind = argument->type.kind;
    if (!type_is_list(kind))
        return PLAN_ERROR(err, planner, argument->place,
                          "LATERAL VIEW: the argument is %s, expected an ARRAY or a MAP",
                          type_sql_name(kind));
    if (!check_aliases(planner, from, kind == TYPE_MAP, err))
        return false;
    size_t next = from->with_position ? 1 : 0;
    struct plan_view *view = &planner->views[planner->plan->view_count++];
    *view = (struct plan_view){.argument = argument,
                               .is_outer = from->outer,
                               .name = copy(planner, from->name),
                               .place = from->place};
    if (from->with_position)
        view->position = copy(planner, from->aliases[0]);
    view->element = copy(planner, from->aliases[next]);
    if (kind == TYPE_MAP)
        view->value = copy(planner, from->aliases[next + 1]);
    return true;
}

bool views_make(struct planner *planner, struct error *err) {
    const struct sql_table *table = planner->table;
    if (table->view_count > PLAN_VIEWS_MAX)
        return PLAN_ERROR(err, planner, table->views[PLAN_VIEWS_MAX].place,
                          "more than %d LATERAL VIEWs", PLAN_VIEWS_MAX);
    planner->views = pool_alloc(&planner->plan->pool, table->view_count, sizeof *planner->views);
    planner->plan->views = planner->views;
    for (size_t i = 0; i < table->view_count; i++)
        if (!make_view(planner, &table->views[i], err))
            return false;
    return true;
}

/* ---- what is exploded ---- */

/* The recursion is as deep as the expression, which the parser bounds. */
static bool reads(const struct expr *expr, size_t input) {
    if (expr->kind == EXPR_INPUT)
        return expr->index == input;
    for (size_t i = 0; i < expr->argument_count; i++)
        if (reads(expr->arguments[i], input))
            return true;
    return false;
}

bool plan_explodes(const struct query_plan *plan, size_t input) {
    enum type kind = plan->inputs[input].type.kind;
    if (plan->inputs[input].kind != INPUT_RECORD || !type_is_list(kind))
        return false;
    for (size_t i = 0; i < plan->view_count; i++)
        if (reads(plan->views[i].argument, input))
            return true;
    return false;
}
