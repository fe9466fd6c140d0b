/* A record without rows is empty or filtered, which Spark must count although no row is left to
 * count. So the views are walked inside an expression: `exists` over the elements of the first one,
 * in it `exists` over those of the second one, and so on, in it WHERE. The parts of a view are
 * there the fields of a lambda's parameter.
 *
 * What must stay true: the elements are those of posexplode, with OUTER those of posexplode_outer.
 * The recursion is as deep as there are views. */
#include "streaming/cluster/engine/record_rows.h"

#include <string.h>

struct walk {
    const struct query_plan *query;
    const struct stream_names *names;
    const char **used; // names->used, with those inside lambdas for the parts of views
    bool kept;
    struct pool *pool;
};

static const char always[] = "TRUE";

static const char *parameter_of(const struct walk *walk, size_t view) {
    return stream_name(walk->names, pool_format(walk->pool, "row%zu", view + 1), walk->pool);
}

static void rename_parts(struct walk *walk) {
    for (size_t view = 0; view < walk->query->view_count; view++) {
        const char **parts = walk->used + stream_names_of_view(walk->query, view);
        const char *parameter = parameter_of(walk, view);
        parts[VIEW_POSITION] = pool_format(walk->pool, "%s.`position`", parameter);
        parts[VIEW_ELEMENT] = pool_format(walk->pool, "%s.`element`", parameter);
        parts[VIEW_VALUE] = pool_format(walk->pool, "%s.`member`", parameter);
    }
}

/* An array of structs: what posexplode gives for the argument. */
static const char *elements(const struct walk *walk, const struct plan_view *view,
                            const char *argument) {
    const char *at = stream_name(walk->names, "at", walk->pool);
    const char *of = stream_name(walk->names, "of", walk->pool);
    if (view->argument->type.kind == TYPE_MAP)
        return pool_format(walk->pool,
                           "transform(map_entries(%s), (%s, %s) -> named_struct('position', %s, "
                           "'element', %s.`key`, 'member', %s.`value`))",
                           argument, of, at, at, of, of);
    return pool_format(walk->pool,
                       "transform(%s, (%s, %s) -> named_struct('position', %s, 'element', %s))",
                       argument, of, at, at, of);
}

/* The same with the row of nulls that OUTER adds. */
static const char *elements_or_null(const struct walk *walk, const struct plan_view *view,
                                    const char *argument) {
    const struct data_type *type = &view->argument->type;
    const char *element = data_type_ddl(type->element, walk->pool);
    const char *nulls =
        type->kind == TYPE_MAP
            ? pool_format(walk->pool, "CAST(NULL AS STRING), 'member', CAST(NULL AS %s)", element)
            : pool_format(walk->pool, "CAST(NULL AS %s)", element);
    return pool_format(walk->pool,
                       "CASE WHEN size(%s) > 0 THEN %s ELSE array(named_struct('position', "
                       "CAST(NULL AS INT), 'element', %s)) END",
                       argument, elements(walk, view, argument), nulls);
}

/* Whether the views from this one on give a row. */
static const char *any_from(const struct walk *walk, size_t index) {
    const struct query_plan *query = walk->query;
    if (index == query->view_count)
        return walk->kept ? pool_format(walk->pool, "coalesce(%s, FALSE)",
                                        expr_sql(query, query->where, walk->used, walk->pool))
                          : always;
    const struct plan_view *view = &query->views[index];
    const char *after = any_from(walk, index + 1);
    if (after == always && view->is_outer)
        return always;
    const char *argument = expr_sql(query, view->argument, walk->used, walk->pool);
    if (after == always)
        return pool_format(walk->pool, "coalesce(size(%s), 0) > 0", argument);
    const char *rows =
        view->is_outer ? elements_or_null(walk, view, argument) : elements(walk, view, argument);
    return pool_format(walk->pool, "coalesce(exists(%s, %s -> %s), FALSE)", rows,
                       parameter_of(walk, index), after);
}

const char *record_rows_any(const struct query_plan *query, const struct stream_names *names,
                            bool kept, struct pool *pool) {
    size_t count = stream_names_of_view(query, query->view_count);
    struct walk walk = {.query = query,
                        .names = names,
                        .used = pool_alloc(pool, count, sizeof *walk.used),
                        .kept = kept && query->where != NULL,
                        .pool = pool};
    memcpy(walk.used, names->used, count * sizeof *walk.used);
    rename_parts(&walk);
    // A condition on the record alone needs no walk; whether there are rows is asked apart.
    return walk.kept && query->where->level == 0 ? any_from(&walk, query->view_count)
                                                 : any_from(&walk, 0);
}
