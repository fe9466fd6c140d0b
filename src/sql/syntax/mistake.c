#include "sql/syntax/mistake.h"

void sql_expect(struct sql_expected *expected, const char *name) {
    if (expected->count < EXPECTED_MAX)
        expected->names[expected->count++] = name;
}

void sql_refuse_token(struct sql_input *in, const struct sql_expected *expected) {
    char list[512] = "";
    size_t used = 0;
    for (size_t i = 0; i < expected->count; i++)
        used = text_append(list, sizeof list, used, ", %s", expected->names[i]);
    sql_refuse(in, in->token.place, "found '%.*s', expected%s", (int)in->token.length,
               in->token.start, list);
}
