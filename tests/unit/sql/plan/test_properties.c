#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sql/plan/properties.h"

static void every_table_property_is_in_the_documentation(void **state) {
    (void)state;
    char *text = NULL, key[64];
    size_t room = 0;
    FILE *file = fopen(TEST_DATA "/../../docs/queries.md", "r");
    assert_non_null(file);
    assert_true(getdelim(&text, &room, '\0', file) > 0);
    (void)fclose(file);
    for (const char *const *at = table_properties; *at != NULL; at++) {
        snprintf(key, sizeof key, "`%s`", *at);
        if (strstr(text, key) == NULL)
            fail_msg("docs/queries.md does not have %s", key);
    }
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_table_property_is_in_the_documentation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
