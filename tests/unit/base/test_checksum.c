#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "base/json.h"

static void it_is_the_crc_32_of_zip(void **state) {
    (void)state;
    assert_int_equal(checksum_add(0, "", 0), 0);
    assert_int_equal(checksum_add(0, "123456789", 9), 0xCBF43926);
    assert_int_equal(checksum_add(checksum_add(0, "1234", 4), "56789", 5), 0xCBF43926);
}

static void every_byte_of_a_text_counts(void **state) {
    (void)state;
    static const char text[] = "v1\n{\"a\":1}\nmore";
    struct error err = {0};
    size_t size, end = strlen("v1\n{\"a\":1}");
    char *with = checksum_put(text, strlen(text), end, &size);
    assert_string_equal(with, "v1\n{\"a\":1,\"crc32\":\"abfad257\"}\nmore");
    end += size - strlen(text);
    assert_true(checksum_check(with, size, end, &err));
    size_t member = end - 1 - strlen(",\"crc32\":\"00000000\"");
    for (size_t i = 0; i < size; i++) {
        for (int bit = 0; bit < 8; bit++) {
            with[i] = (char)(with[i] ^ 1 << bit);
            // Damage to the member leaves a text without it: all else is as it was.
            bool noticed = !checksum_check(with, size, end, &err);
            assert_true(noticed || (i >= member && i < end));
            with[i] = (char)(with[i] ^ 1 << bit);
        }
    }
    for (size_t i = end; i < size; i++)
        assert_false(checksum_check(with, i, end, &err));
    free(with);
}

static void a_text_without_it_is_taken_as_it_is(void **state) {
    (void)state;
    static const char *const texts[] = {"{}", "{\"a\":1}", "{\"crc32\":\"00000000\",\"a\":1}",
                                        "{\"a\":1,\"crc32\":\"0000000g\"}"};
    struct error err = {0};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_true(checksum_check(texts[i], strlen(texts[i]), strlen(texts[i]), &err));
}

static void a_document_does_not_keep_it(void **state) {
    (void)state;
    struct json *object = json_new_object();
    struct error err = {0};
    size_t size;
    int version;
    json_put_int(object, "a", 1);
    char *text = json_print_versioned(object, 2, &size);
    json_free(object);
    object = json_parse_versioned(text, size, 2, &version, &err);
    assert_non_null(object);
    assert_int_equal(json_count(object), 1);
    json_free(object);
    text[strlen("v2\n{\"")] = 'b';
    assert_null(json_parse_versioned(text, size, 2, &version, &err));
    assert_int_equal(err.kind, ERROR_STATE);
    assert_non_null(strstr(err.message, "it was damaged, or changed by hand"));
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_the_crc_32_of_zip),
        cmocka_unit_test(every_byte_of_a_text_counts),
        cmocka_unit_test(a_text_without_it_is_taken_as_it_is),
        cmocka_unit_test(a_document_does_not_keep_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
