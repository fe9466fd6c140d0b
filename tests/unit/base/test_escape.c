#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

static void assert_shown(const char *text, size_t size, const char *expected) {
    char shown[256];
    size_t used = 0, length;
    for (const char *at = text, *end = text + size; at < end; used += length)
        at += escape_next(at, end, shown + used, &length);
    shown[used] = '\0';
    assert_string_equal(shown, expected);
}

#define ASSERT_SHOWN(text, expected) assert_shown(text, sizeof(text) - 1, expected)

static void text_is_shown_as_it_is_and_what_drives_a_terminal_is_not(void **state) {
    (void)state;
    ASSERT_SHOWN("Größe 京东 \\n", "Größe 京东 \\n");
    ASSERT_SHOWN("a\tb\r\n", "a\\tb\\r\\n");
    ASSERT_SHOWN("\x1b[31m\x7f\0", "\\x1b[31m\\x7f\\x00");
    ASSERT_SHOWN("\xc2\x9b", "\\xc2\\x9b");                            // C1's CSI
    ASSERT_SHOWN("\xe2\x80\xae!", "\\xe2\\x80\\xae!");                 // right to left
    ASSERT_SHOWN("\xe2\x80\x8f\xd8\x9c", "\\xe2\\x80\\x8f\\xd8\\x9c"); // marks of a direction
    ASSERT_SHOWN("\xe2\x80\xa8", "\\xe2\\x80\\xa8");                   // a line's end
    ASSERT_SHOWN("\xff\xc0\xaf", "\\xff\\xc0\\xaf");                   // no UTF-8
    ASSERT_SHOWN("\xf0\x9f\x98", "\\xf0\\x9f\\x98");                   // cut
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_shown_as_it_is_and_what_drives_a_terminal_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
