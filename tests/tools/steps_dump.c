/* steps_dump FILE MODE: how a Spark cluster computes the tables of a query file, a JSON object per
 * line: its steps, each with its kind, its name and its expressions. MODE is reject or permissive.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/json.h"
#include "query_plans.h"
#include "streaming/cluster/engine/stream_plan.h"

static struct json *step_json(const struct connect_step *step) {
    static const char *const kinds[] = {
        [CONNECT_SELECT] = "select", [CONNECT_OBSERVE] = "observe", [CONNECT_WHERE] = "where"};
    struct json *object = json_new_object(), *expressions = json_new_array();
    json_put_text(object, "kind", kinds[step->kind]);
    if (step->name != NULL)
        json_put_text(object, "name", step->name);
    for (size_t i = 0; i < step->count; i++)
        json_append_text(expressions, step->expressions[i]);
    json_put(object, "expressions", expressions);
    return object;
}

static enum parse_mode mode;

static void print_steps(const struct query_plan *query) {
    struct stream_plan plan;
    stream_plan_make(query, query->partition_columns, query->partition_column_count, mode, &plan);
    struct json *object = json_new_object(), *steps = json_new_array();
    for (size_t i = 0; i < plan.step_count; i++)
        json_append(steps, step_json(&plan.steps[i]));
    json_put_text(object, "table", query->name);
    json_put(object, "steps", steps);
    char *text = json_print(object);
    puts(text);
    free(text);
    json_free(object);
    stream_plan_deinit(&plan);
}

int main(int argc, char **argv) {
    check(argc == 3);
    mode = strcmp(argv[2], "permissive") == 0 ? PARSE_PERMISSIVE : PARSE_REJECT;
    return query_plans_print(argv[1], print_steps);
}
