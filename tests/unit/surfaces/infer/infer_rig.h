/* infer_rig.h: records of a test, and the query file that is printed for them. */
#ifndef INFER_RIG_H
#define INFER_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sql/plan/plan.h"
#include "sql/syntax/parse.h"
#include "surfaces/infer/query_file.h"
#include "surfaces/infer/shape_type.h"

static struct shapes shapes;

static inline void begin(void) {
    shapes_init(&shapes);
}

static inline void add(const char *record) {
    shapes_add(&shapes, record, strlen(record));
}

static inline int end(void **state) {
    (void)state;
    shapes_deinit(&shapes);
    return 0;
}

static inline void add_all(const char *const *records) {
    begin();
    for (; *records != NULL; records++)
        add(*records);
    shapes_finish(&shapes);
}

#define RECORDS(...) add_all((const char *const[]){__VA_ARGS__, NULL})

/* Of the root. */
static inline const struct shape *field(const char *key) {
    for (const struct shape_field *at = shapes.root.fields; at != NULL; at = at->next)
        if (strcmp(at->key, key) == 0)
            return &at->shape;
    fail_msg("no field '%s'", key);
    return NULL;
}

#endif
