#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "surfaces/terminal/text_table.h"

static void columns_are_as_wide_as_their_widest_text_and_numbers_stand_right(void **state) {
    (void)state;
    char *text;
    size_t size;
    struct text_table table;
    text_table_init(&table, (const char *const[]){"name", ">count", "last"}, 3);
    text_table_add(&table, (const char *const[]){"née", "7", "x"});
    text_table_add(&table, (const char *const[]){"longer name", "123456", ""});
    FILE *out = open_memstream(&text, &size);
    text_table_print(&table, 2, out);
    (void)fclose(out);
    text_table_deinit(&table);
    assert_string_equal(text, "  name          count  last\n"
                              "  née               7  x\n"
                              "  longer name  123456  \n");
    free(text);
}

static void a_cell_is_not_endless_and_harmless(void **state) {
    (void)state;
    uint8_t valid[] = {1, 0};
    char text[CELL_TEXT_MAX];
    int64_t times[] = {-1, 0};
    double doubles[] = {0.1, 0};
    struct text texts[] = {TEXT("a\nb\x1b é\xff"), TEXT("")};
    struct vector vector = {.type = TYPE_TIMESTAMP, .valid = valid, .int64s = times};
    cell_text(&vector, 0, text);
    assert_string_equal(text, "1969-12-31T23:59:59.999999Z");
    cell_text(&vector, 1, text);
    assert_string_equal(text, "(null)");
    vector.type = TYPE_DOUBLE;
    vector.doubles = doubles;
    cell_text(&vector, 0, text);
    assert_string_equal(text, "0.1");
    vector.type = TYPE_STRING;
    vector.texts = texts;
    cell_text(&vector, 0, text);
    assert_string_equal(text, "a\\nb\\x1b é\\xff");
    static char endless[10000];
    memset(endless, 'x', sizeof endless);
    texts[0] = (struct text){endless, sizeof endless};
    cell_text(&vector, 0, text);
    assert_int_equal(strlen(text), CELL_CHARACTERS_MAX + strlen("…"));
    texts[0].length = CELL_CHARACTERS_MAX;
    cell_text(&vector, 0, text);
    assert_int_equal(strlen(text), CELL_CHARACTERS_MAX);
}

static void no_text_is_shortened_in_a_file(void **state) {
    (void)state;
    char cell[201] = "", *text;
    size_t size;
    struct text_table table;
    memset(cell, 'x', sizeof cell - 1);
    text_table_init(&table, (const char *const[]){"name", "=place"}, 2);
    text_table_add(&table, (const char *const[]){cell, cell});
    FILE *out = open_memstream(&text, &size);
    text_table_print(&table, 0, out);
    (void)fclose(out);
    text_table_deinit(&table);
    assert_int_equal(strlen(strchr(text, '\n') + 1), 200 + 2 + 200 + 1);
    assert_null(strstr(text, "…"));
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_as_wide_as_their_widest_text_and_numbers_stand_right),
        cmocka_unit_test(a_cell_is_not_endless_and_harmless),
        cmocka_unit_test(no_text_is_shortened_in_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
