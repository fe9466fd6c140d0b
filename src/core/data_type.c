/* data_type.c: walks of type trees; they recurse, which DATA_TYPE_DEPTH_MAX bounds. */
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

const char *name_quoted(const char *name, struct pool *pool) {
    size_t length = strlen(name);
    char *text = pool_alloc(pool, 2 * length + 3, 1), *at = text;
    *at++ = '`';
    for (size_t i = 0; i < length; i++) {
        if (name[i] == '`')
            *at++ = '`';
        *at++ = name[i];
    }
    *at = '`';
    return text;
}

static const char *type_text(const struct data_type *type, bool quote_all, struct pool *pool) {
    switch (type->kind) {
    case TYPE_DECIMAL:
        return pool_format(pool, "DECIMAL(%d,%d)", type->precision, type->scale);
    case TYPE_ARRAY:
        return pool_format(pool, "ARRAY<%s>", type_text(type->element, quote_all, pool));
    case TYPE_MAP:
        return pool_format(pool, "MAP<STRING, %s>", type_text(type->element, quote_all, pool));
    case TYPE_STRUCT: {
        const char *text = "STRUCT<";
        for (size_t i = 0; i < type->field_count; i++) {
            const struct data_field *field = &type->fields[i];
            bool quote = quote_all || !name_is_plain(field->name);
            text = pool_format(pool, "%s%s%s: %s", text, i > 0 ? ", " : "",
                               quote ? name_quoted(field->name, pool) : field->name,
                               type_text(&field->type, quote_all, pool));
        }
        return pool_format(pool, "%s>", text);
    }
    default:
        return type_sql_name(type->kind);
    }
}

const char *data_type_ddl(const struct data_type *type, struct pool *pool) {
    return type_text(type, true, pool);
}

const char *data_type_text(const struct data_type *type, struct pool *pool) {
    return type_text(type, false, pool);
}
