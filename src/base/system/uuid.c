#include "base/system/uuid.h"

#include <uuid/uuid.h>

void uuid_new(char text[static 37]) {
    uuid_t bytes;
    uuid_generate_random(bytes);
    uuid_unparse_lower(bytes, text);
}

bool uuid_is_valid(const char *text) {
    uuid_t ignored;
    return uuid_parse(text, ignored) == 0;
}
