/* How a name is looked up: a path `a.b.c` is taken apart into its parts. The first part is looked
 * for in this order: parameters of lambdas, aliases of LATERAL VIEW, fields of the record, Kafka's
 * columns, aliases further left in the SELECT list. It may also be the name of a view or of the
 * source, if something in it follows. The first that has the name decides, so a path that does not
 * fit there is an error and is not looked for further.
 *
 * A path goes through the record's STRUCTs to a scalar, ARRAY or MAP, which is one input. Parts
 * behind it are the caller's, who takes them as fields of a value.
 *
 * Recursion goes only as deep as a record's type (DATA_TYPE_DEPTH_MAX). */
#include "sql/plan/names.h"

#include <string.h>
#include <strings.h>

#include "base/check.h"

/* ---- Kafka's columns ---- */

static const struct {
    const char *name;
    enum plan_input_kind kind;
    bool in_star;
} kafka_names[] = {
    {"key", INPUT_KEY, true},
    {"value", INPUT_VALUE, true},
    {"topic", INPUT_TOPIC, true},
    {"partition", INPUT_PARTITION, true},
    {"offset", INPUT_OFFSET, true},
    {"timestamp", INPUT_TIMESTAMP, true},
    {"timestampType", INPUT_TIMESTAMP_TYPE, true},
    {"headers", INPUT_HEADERS, false},
    {"kafka_timestamp", INPUT_TIMESTAMP, false},
    {"processing_timestamp", INPUT_PROCESSING_TIMESTAMP, false},
};

enum { KAFKA_NAMES = sizeof kafka_names / sizeof kafka_names[0] };

const char *kafka_name(size_t index, enum plan_input_kind *kind, bool *in_star) {
    if (index >= KAFKA_NAMES)
        return NULL;
    *kind = kafka_names[index].kind;
    *in_star = kafka_names[index].in_star;
    return kafka_names[index].name;
}

const char *plan_kafka_name(enum plan_input_kind kind) {
    size_t i = 0;
    while (i < KAFKA_NAMES && kafka_names[i].kind != kind)
        i++;
    check(i < KAFKA_NAMES);
    return kafka_names[i].name;
}

static int find_kafka(const char *name) {
    for (int i = 0; i < KAFKA_NAMES; i++)
        if (strcasecmp(kafka_names[i].name, name) == 0)
            return i;
    return -1;
}

/* ---- a path ---- */

struct path {
    struct planner *planner;
    const struct sql_node *const *parts; // from the root
    size_t count;
};

size_t name_parts(const struct sql_node *node) {
    size_t count = 1;
    for (; node->kind == SQL_FIELD; node = node->children[0])
        count++;
    return node->kind == SQL_NAME ? count : 0;
}

const char *name_last(const struct sql_node *node) {
    return name_parts(node) > 0 ? node->text : NULL;
}

static void take_apart(struct path *path, const struct sql_node *node) {
    const struct sql_node **parts =
        pool_alloc(&path->planner->plan->pool, path->count, sizeof(struct sql_node *));
    for (size_t i = path->count; i-- > 0; node = node->kind == SQL_FIELD ? node->children[0] : node)
        parts[i] = node;
    path->parts = parts;
}

/* Where the path begins. */
static struct sql_place place_of(const struct path *path) {
    return path->parts[0]->place;
}

/* ---- fields of the record ---- */

size_t name_find_field(const struct data_type *type, const char *name,
                       const struct data_field **found) {
    size_t count = 0;
    for (size_t i = type->field_count; i-- > 0;)
        if (strcasecmp(type->fields[i].name, name) == 0) {
            *found = &type->fields[i];
            count++;
        }
    return count;
}

/* The path as it is written, up to a part. */
static const char *text_to(const struct path *path, size_t last) {
    const char *text = path->parts[0]->text;
    for (size_t i = 1; i <= last; i++)
        text = pool_format(&path->planner->plan->pool, "%s.%s", text, path->parts[i]->text);
    return text;
}

static bool unknown_field(const struct path *path, size_t at, const struct data_type *type,
                          struct error *err) {
    struct nearest nearest = {.given = path->parts[at]->text};
    for (size_t i = 0; i < type->field_count; i++)
        nearest_offer(&nearest, type->fields[i].name);
    return PLAN_ERROR(err, path->planner, place_of(path), "'%s' has no field '%s'%s",
                      text_to(path, at - 1), path->parts[at]->text,
                      nearest_suggestion(&nearest).text);
}

static bool is_struct(const struct path *path, size_t at, const struct data_type *type,
                      struct error *err) {
    const char *name = text_to(path, at);
    return PLAN_ERROR(err, path->planner, place_of(path),
                      "'%s' is a STRUCT, which cannot be used as a value: name one of its "
                      "fields, such as %s.%s",
                      name, name, type->field_count > 0 ? type->fields[0].name : "x");
}

/* `first`: the part that is a field of the record. */
static bool resolve_field(const struct path *path, size_t first, const struct expr **expr,
                          size_t *rest, struct error *err) {
    struct planner *planner = path->planner;
    const struct data_type *type = &planner->plan->record;
    const struct data_field **fields =
        pool_alloc(&planner->plan->pool, path->count - first, sizeof(struct data_field *));
    size_t at = first;
    for (; at < path->count && type->kind == TYPE_STRUCT; at++) {
        const char *name = path->parts[at]->text;
        size_t found = name_find_field(type, name, &fields[at - first]);
        if (found == 0)
            return unknown_field(path, at, type, err);
        if (found > 1)
            return PLAN_ERROR(err, planner, place_of(path),
                              "'%s' is ambiguous: %zu fields have this name (names are matched "
                              "without regard to case)",
                              text_to(path, at), found);
        type = &fields[at - first]->type;
    }
    if (type->kind == TYPE_STRUCT)
        return is_struct(path, at - 1, type, err);
    *rest = path->count - at;
    *expr = planner_use_field(planner, place_of(path), fields, at - first);
    return true;
}

/* ---- lambdas and views ---- */

static bool resolve_parameter(const struct path *path, const struct expr **expr, size_t *rest) {
    struct planner *planner = path->planner;
    for (size_t i = planner->parameter_count; i-- > 0;)
        if (strcasecmp(planner->parameters[i]->written, path->parts[0]->text) == 0) {
            *expr = planner_use_parameter(planner, place_of(path), i);
            *rest = path->count - 1;
            return true;
        }
    return false;
}

/* -1: the view has no such alias. */
static int find_part(const struct plan_view *view, const char *name) {
    const char *const aliases[] = {[VIEW_POSITION] = view->position,
                                   [VIEW_ELEMENT] = view->element,
                                   [VIEW_VALUE] = view->value};
    for (int part = VIEW_POSITION; part <= VIEW_VALUE; part++)
        if (aliases[part] != NULL && strcasecmp(aliases[part], name) == 0)
            return part;
    return -1;
}

/* `first`: the part that is to be an alias. */
static bool resolve_part(const struct path *path, size_t view, size_t first,
                         const struct expr **expr, size_t *rest) {
    struct planner *planner = path->planner;
    int part = find_part(&planner->views[view], path->parts[first]->text);
    if (part < 0)
        return false;
    *expr = planner_use_view(planner, place_of(path), view, (enum plan_view_part)part);
    *rest = path->count - first - 1;
    return true;
}

static bool resolve_view(const struct path *path, const struct expr **expr, size_t *rest) {
    const struct query_plan *plan = path->planner->plan;
    for (size_t i = 0; path->count > 1 && i < plan->view_count; i++)
        if (strcasecmp(plan->views[i].name, path->parts[0]->text) == 0 &&
            resolve_part(path, i, 1, expr, rest))
            return true;
    for (size_t i = 0; i < plan->view_count; i++)
        if (resolve_part(path, i, 0, expr, rest))
            return true;
    return false;
}

/* ---- aliases ---- */

static bool resolve_alias(const struct path *path, size_t item, const struct expr **expr,
                          struct error *err) {
    struct planner *planner = path->planner;
    const char *name = path->parts[0]->text;
    if (planner->in_where)
        return PLAN_ERROR(err, planner, place_of(path),
                          "'%s' is an alias of the SELECT list, which WHERE cannot use: write its "
                          "expression again",
                          name);
    if (path->count > 1)
        return PLAN_ERROR(err, planner, place_of(path), "'%s' is an alias and has no fields", name);
    *expr = planner_use_item(planner, place_of(path), item);
    return true;
}

/* ---- unknown names ---- */

/* The path to a field of this name somewhere deeper in the record; NULL: there is none. */
static const char *find_deeper(const struct data_type *type, const char *name, const char *before,
                               struct pool *pool) {
    for (size_t i = 0; type->kind == TYPE_STRUCT && i < type->field_count; i++) {
        const struct data_field *field = &type->fields[i];
        const char *path = pool_format(pool, "%s%s", before, field->name);
        if (strcasecmp(field->name, name) == 0 && field->type.kind < TYPE_STRUCT)
            return path;
        const char *found = find_deeper(&field->type, name, pool_format(pool, "%s.", path), pool);
        if (found != NULL)
            return found;
    }
    return NULL;
}

static bool is_selected_later(const struct planner *planner, const char *name) {
    for (size_t i = 0; i < planner->table->item_count; i++)
        if (planner->table->items[i].alias != NULL &&
            strcasecmp(planner->table->items[i].alias, name) == 0)
            return true;
    return false;
}

static void offer_views(struct nearest *nearest, const struct query_plan *plan) {
    for (size_t i = 0; i < plan->view_count; i++) {
        const struct plan_view *view = &plan->views[i];
        const char *const aliases[] = {view->position, view->element, view->value};
        for (size_t k = 0; k < sizeof aliases / sizeof aliases[0]; k++)
            if (aliases[k] != NULL)
                nearest_offer(nearest, aliases[k]);
    }
}

static bool unknown_name(const struct path *path, struct error *err) {
    struct planner *planner = path->planner;
    const char *name = path->parts[0]->text;
    const char *refusal = path->count == 1 ? function_refusal(name) : NULL;
    if (refusal != NULL)
        return PLAN_ERROR(err, planner, place_of(path), "%s: %s", name, refusal);
    if (path->count == 1 && is_selected_later(planner, name))
        return PLAN_ERROR(err, planner, place_of(path),
                          "'%s' is an alias, which can only be used further right in the SELECT "
                          "list",
                          name);
    const char *deeper = find_deeper(&planner->plan->record, name, "", &planner->plan->pool);
    if (deeper != NULL)
        return PLAN_ERROR(err, planner, place_of(path), "unknown name '%s'; did you mean '%s'?",
                          name, deeper);
    struct nearest nearest = {.given = name};
    for (size_t i = 0; i < planner->plan->record.field_count; i++)
        nearest_offer(&nearest, planner->plan->record.fields[i].name);
    for (size_t i = 0; i < KAFKA_NAMES; i++)
        nearest_offer(&nearest, kafka_names[i].name);
    offer_views(&nearest, planner->plan);
    for (size_t i = 0; i < planner->parameter_count; i++)
        nearest_offer(&nearest, planner->parameters[i]->written);
    for (size_t i = 0; i < planner->item_count; i++)
        if (planner->items[i].has_alias && !planner->in_where)
            nearest_offer(&nearest, planner->items[i].name);
    return PLAN_ERROR(err, planner, place_of(path), "unknown name '%s'%s", name,
                      nearest_suggestion(&nearest).text);
}

/* ---- all of it ---- */

/* Whether the first part is the name of the source, and the second something in it. */
static bool has_source(const struct path *path) {
    const struct sql_table *table = path->planner->table;
    const char *source = table->source_alias != NULL    ? table->source_alias
                         : path->planner->topic != NULL ? table->source.name
                                                        : NULL;
    const struct data_field *field;
    return source != NULL && path->count > 1 && strcasecmp(path->parts[0]->text, source) == 0 &&
           (name_find_field(&path->planner->plan->record, path->parts[1]->text, &field) > 0 ||
            find_kafka(path->parts[1]->text) >= 0);
}

bool name_resolve(struct planner *planner, const struct sql_node *node, const struct expr **expr,
                  size_t *rest, struct error *err) {
    struct path path = {.planner = planner, .count = name_parts(node)};
    *rest = 0;
    take_apart(&path, node);
    if (resolve_parameter(&path, expr, rest) || resolve_view(&path, expr, rest))
        return true;
    size_t first = has_source(&path) ? 1 : 0;
    const char *name = path.parts[first]->text;
    const struct data_field *field;
    if (name_find_field(&planner->plan->record, name, &field) > 0)
        return resolve_field(&path, first, expr, rest, err);
    int kafka = find_kafka(name);
    if (kafka >= 0) {
        *rest = path.count - first - 1;
        *expr = planner_use_kafka(planner, place_of(&path), kafka_names[kafka].kind);
        return true;
    }
    for (size_t i = 0; i < planner->item_count; i++)
        if (planner->items[i].has_alias && strcasecmp(planner->items[i].name, name) == 0)
            return resolve_alias(&path, i, expr, err);
    return unknown_name(&path, err);
}
