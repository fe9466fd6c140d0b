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
    [TYPE_INT8] = {sizeof(int8_t), "byte", "TINYINT"},
    [TYPE_INT16] = {sizeof(int16_t), "short", "SMALLINT"},
    [TYPE_FLOAT] = {sizeof(float), "float", "FLOAT"},
    [TYPE_DECIMAL] = {sizeof(int128_t), "decimal", "DECIMAL"},
    [TYPE_DATE] = {sizeof(int32_t), "date", "DATE"},
    [TYPE_TIMESTAMP_NTZ] = {sizeof(int64_t), "timestamp_ntz", "TIMESTAMP_NTZ"},
    [TYPE_NULL] = {sizeof(uint8_t), "void", "VOID"},
    [TYPE_STRUCT] = {0, "struct", "STRUCT"},
    [TYPE_ARRAY] = {sizeof(struct list), "array", "ARRAY"},
    [TYPE_MAP] = {sizeof(struct list), "map", "MAP"},
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
