#include "streaming/cluster/connect/percent.h"

#include <string.h>

#include "base/check.h"

static int digit(char letter) {
    static const char digits[] = "0123456789abcdef";
    if (letter >= 'A' && letter <= 'F')
        letter = (char)(letter - 'A' + 'a');
    const char *found = letter == '\0' ? NULL : strchr(digits, letter);
    return found == NULL ? -1 : (int)(found - digits);
}

char *percent_decode(const char *text, size_t size, bool *whole) {
    char *decoded = must_alloc(size + 1, 1), *to = decoded;
    *whole = true;
    for (size_t i = 0; i < size; i++) {
        int high = text[i] == '%' && size - i > 2 ? digit(text[i + 1]) : -1;
        int low = high >= 0 ? digit(text[i + 2]) : -1;
        if (low < 0 || 16 * high + low == 0) {
            *whole = *whole && text[i] != '%';
            *to++ = text[i];
        } else {
            *to++ = (char)(16 * high + low);
            i += 2;
        }
    }
    return decoded;
}
