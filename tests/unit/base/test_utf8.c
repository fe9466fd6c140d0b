#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/utf8.h"

static void ill_formed_bytes_are_replaced_as_java_replaces_them(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        int characters, replaced;
    } cases[] = {
        {"a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 4, 0},
        {"\xC0\xAF", 2, 2},             // overlong
        {"\xF0\x9F\x98", 1, 1},         // cut off
        {"\xF0\x9F\x98q", 2, 1},        // cut off, and an ASCII byte stays itself
        {"\xED\xA0\xBD", 1, 1},         // an encoded surrogate: one for all three
        {"\xED\xA0q", 2, 1},            // half of one
        {"\xF4\x90\x80\x80", 4, 4},     // beyond U+10FFFF
        {"\xF4\x8F\xBF\xBF", 1, 0},     // U+10FFFF
        {"\xE0\x80\x80", 3, 3},         // overlong
        {"\xE0\xA0\x80", 1, 0},         // U+0800
        {"\xF8\x88\x80\x80\x80", 5, 5}, // five bytes were UTF-8 once
        {"\x80\xBF\xFF\xFE", 4, 4},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int characters = 0, replaced = 0;
        const char *at = cases[i].bytes, *end = at + strlen(at);
        while (at < end) {
            size_t size;
            bool valid;
            uint32_t character = utf8_decode(at, end, &size, &valid);
            assert_true(valid || character == UTF8_REPLACEMENT);
            characters++;
            replaced += valid ? 0 : 1;
            at += size;
        }
        assert_ptr_equal(at, end);
        assert_int_equal(characters, cases[i].characters);
        assert_int_equal(replaced, cases[i].replaced);
    }
}

static void every_character_is_decoded_from_what_it_encodes_to(void **state) {
    (void)state;
    for (uint32_t character = 1; character <= 0x10FFFF; character++) {
        if (character >= 0xD800 && character <= 0xDFFF)
            continue;
        char bytes[UTF8_CHARACTER_MAX];
        size_t encoded = utf8_encode(character, bytes), size;
        bool valid;
        uint32_t decoded = utf8_decode(bytes, bytes + encoded, &size, &valid);
        if (decoded != character || size != encoded || !valid)
            fail_msg("U+%04X came back as U+%04X", character, decoded);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ill_formed_bytes_are_replaced_as_java_replaces_them),
        cmocka_unit_test(every_character_is_decoded_from_what_it_encodes_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
