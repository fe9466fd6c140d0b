#include "core/type.h"

#include <stdint.h>

#include "base/check.h"
#include "base/text.h"

static const struct {
    size_t width;
    const char *spark;
    const char *sql;
} types[TYPE_COUNT] = {
    [TYPE_BOOL] = {sizeof(uint8_t), "boolean", "BOOLEAN"},
    [TYPE_INT32] = {sizeof(int32_t), "integer", "INT"},
    [TYPE_INT64] = {sizeof(int64_t), "long", "BIGINT"},
    [TYPE_DOUBLE] = {sizeof(double), "double", "DOUBLE"},
    [TYPE_STRING] = {sizeof(struct text), "string", "STRING"},
    [TYPE_BINARY] = {sizeof(struct text), "binary", "BINARY"},
    [TYPE_TIMESTAMP] = {sizeof(int64_t), "timestamp", "TIMESTAMP"},
};

size_t type_width(enum type type) {
    check(type < TYPE_COUNT);
    return types[type].width;
}

const char *type_spark_name(enum type type) {
    check(type < TYPE_COUNT);
    return types[type].spark;
}

const char *type_sql_name(enum type type) {
    check(type < TYPE_COUNT);
    return types[type].sql;
}
