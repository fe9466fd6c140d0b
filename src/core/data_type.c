/* data_type.c: walks of type trees. They recurse, which DATA_TYPE_DEPTH_MAX bounds. */
#include "core/data_type.h"

#include <stdio.h>
#include <string.h>

bool data_type_equals(const struct data_type *a, const struct data_type *b) {
    if (a->kind != b->kind || a->precision != b->precision || a->scale != b->scale ||
        a->field_count != b->field_count)
        return false;
    if (a->element != NULL && !data_type_equals(a->element, b->element))
        return false;
    for (size_t i = 0; i < a->field_count; i++)
        if (strcmp(a->fields[i].name, b->fields[i].name) != 0 ||
            !data_type_equals(&a->fields[i].type, &b->fields[i].type))
            return false;
    return true;
}

bool name_is_plain(const char *name) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    static const char others[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    return strspn(name, letters) > 0 && name[strspn(name, others)] == '\0';
}

/* Written twice: first only counted, with text NULL. */
struct printer {
    char *text;
    size_t used;
    bool quote_all;
};

static void print_bytes(struct printer *out, const char *bytes, size_t length) {
    if (out->text != NULL)
        memcpy(out->text + out->used, bytes, length);
    out->used += length;
}

static void print(struct printer *out, const char *text) {
    print_bytes(out, text, strlen(text));
}

/* In backticks, of which those in the name are doubled. */
static void print_name(struct printer *out, const char *name) {
    if (!out->quote_all && name_is_plain(name)) {
        print(out, name);
        return;
    }
    print(out, "`");
    for (const char *at = name; *at != '\0';) {
        size_t length = strcspn(at, "`");
        length += at[length] == '`';
        print_bytes(out, at, length);
        at += length;
        if (at[-1] == '`')
            print(out, "`");
    }
    print(out, "`");
}

static void print_type(struct printer *out, const struct data_type *type);

static void print_fields(struct printer *out, const struct data_type *type) {
    for (size_t i = 0; i < type->field_count; i++) {
        print(out, i > 0 ? ", " : "");
        print_name(out, type->fields[i].name);
        print(out, ": ");
        print_type(out, &type->fields[i].type);
    }
}

static void print_type(struct printer *out, const struct data_type *type) {
    char numbers[32];
    switch (type->kind) {
    case TYPE_DECIMAL:
        snprintf(numbers, sizeof numbers, "DECIMAL(%d,%d)", type->precision, type->scale);
        print(out, numbers);
        break;
    case TYPE_ARRAY:
    case TYPE_MAP:
        print(out, type->kind == TYPE_ARRAY ? "ARRAY<" : "MAP<STRING, ");
        print_type(out, type->element);
        print(out, ">");
        break;
    case TYPE_STRUCT:
        print(out, "STRUCT<");
        print_fields(out, type);
        print(out, ">");
        break;
    default:
        print(out, type_sql_name(type->kind));
    }
}

const char *name_quoted(const char *name, struct pool *pool) {
    struct printer out = {.quote_all = true};
    print_name(&out, name);
    out.text = pool_alloc(pool, out.used + 1, 1);
    out.used = 0;
    print_name(&out, name);
    return out.text;
}

static const char *type_text(const struct data_type *type, bool quote_all, struct pool *pool) {
    struct printer out = {.quote_all = quote_all};
    print_type(&out, type);
    out.text = pool_alloc(pool, out.used + 1, 1);
    out.used = 0;
    print_type(&out, type);
    return out.text;
}

const char *data_type_ddl(const struct data_type *type, struct pool *pool) {
    return type_text(type, true, pool);
}

const char *data_type_text(const struct data_type *type, struct pool *pool) {
    return type_text(type, false, pool);
}
