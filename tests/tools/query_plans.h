/* query_plans.h: the plans of a query file, for tools that print them. */
#ifndef TESTS_TOOLS_QUERY_PLANS_H
#define TESTS_TOOLS_QUERY_PLANS_H

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "sql/plan/plan.h"
#include "sql/syntax/parse.h"

/* Calls `print` for each table, in the file's order. Returns the program's exit code: 1 after a
 * mistake, which is on standard error. */
static inline int query_plans_print(const char *path,
                                    void (*print)(const struct query_plan *plan)) {
    char *text = must_alloc(SQL_FILE_BYTES_MAX, 1);
    FILE *in = fopen(path, "r");
    check(in != NULL);
    size_t length = fread(text, 1, SQL_FILE_BYTES_MAX, in);
    check(fclose(in) == 0);

    struct sql_file file;
    struct error err;
    bool ok = sql_parse(path, text, length, &file, &err);
    free(text);
    for (size_t i = 0; ok && i < file.table_count; i++) {
        struct query_plan plan;
        ok = plan_make(&file, i, &plan, &err);
        if (!ok)
            break;
        print(&plan);
        plan_deinit(&plan);
    }
    if (ok)
        sql_file_deinit(&file);
    else
        (void)fprintf(stderr, "%s\n", err.message);
    return ok ? 0 : 1;
}

#endif
