#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static void assert_decoded(const char *text, const void *bytes, size_t size) {
    size_t decoded_size;
    uint8_t *decoded = base64_decode(text, strlen(text), &decoded_size);
    assert_non_null(decoded);
    assert_int_equal(decoded_size, size);
    assert_memory_equal(decoded, bytes, size);
    free(decoded);
}

static void what_was_encoded_is_decoded_again(void **state) {
    (void)state;
    uint8_t bytes[256];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(255 - i);
    for (size_t size = 0; size <= sizeof bytes; size++) {
        char *text = base64_encode(bytes, size);
        assert_decoded(text, bytes, size);
        text[strcspn(text, "=")] = '\0'; // padding may be left out
        assert_decoded(text, bytes, size);
        free(text);
    }
}

static void what_is_not_base64_is_refused(void **state) {
    (void)state;
    static const char *const texts[] = {"A", "AAAAA", "AA*A", "AA AA", "A===A", "AB-_"};
    size_t size;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_null(base64_decode(texts[i], strlen(texts[i]), &size));
    assert_null(base64_decode("AA\0A", 4, &size));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_encoded_is_decoded_again),
        cmocka_unit_test(what_is_not_base64_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
