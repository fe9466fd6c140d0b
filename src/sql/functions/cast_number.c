/* cast_number.c: casts between truth values, whole numbers and floating point, as Java casts: a
 * narrower whole number keeps its lowest bits; from floating point see loop.h, where the two
 * narrowest types take the way through INT. */
#include "sql/functions/cast.h"
#include "sql/functions/loop.h"

#define AS_IS(x) (x)
#define IS_NOT_ZERO(x) ((x) != 0)

/* From one type to all others: how it becomes a whole number of up to 32 bits, and of 64. */
#define CASTS_FROM(name, type, to_32, to_64)                                                       \
    KERNEL_1(name##_to_bool, type, uint8_t, IS_NOT_ZERO(x))                                        \
    KERNEL_1(name##_to_int8, type, int8_t, (uint8_t)to_32(x))                                      \
    KERNEL_1(name##_to_int16, type, int16_t, (uint16_t)to_32(x))                                   \
    KERNEL_1(name##_to_int32, type, int32_t, to_32(x))                                             \
    KERNEL_1(name##_to_int64, type, int64_t, to_64(x))                                             \
    KERNEL_1(name##_to_float, type, float, x)                                                      \
    KERNEL_1(name##_to_double, type, double, x)

#define CASTS(X)                                                                                   \
    X(TYPE_BOOL, truth, uint8_t, AS_IS, AS_IS)                                                     \
    X(TYPE_INT8, int8, int8_t, AS_IS, AS_IS)                                                       \
    X(TYPE_INT16, int16, int16_t, AS_IS, AS_IS)                                                    \
    X(TYPE_INT32, int32, int32_t, AS_IS, AS_IS)                                                    \
    X(TYPE_INT64, int64, int64_t, (uint32_t), AS_IS)                                               \
    X(TYPE_FLOAT, float, float, saturate_int32, saturate_int64)                                    \
    X(TYPE_DOUBLE, double, double, saturate_int32, saturate_int64)

#define KERNELS(kind, name, type, to_32, to_64) CASTS_FROM(name, type, to_32, to_64)
CASTS(KERNELS)

#define ROWS(kind, name, type, to_32, to_64)                                                       \
    [kind] = {                                                                                     \
        [TYPE_BOOL] = name##_to_bool,     [TYPE_INT8] = name##_to_int8,                            \
        [TYPE_INT16] = name##_to_int16,   [TYPE_INT32] = name##_to_int32,                          \
        [TYPE_INT64] = name##_to_int64,   [TYPE_FLOAT] = name##_to_float,                          \
        [TYPE_DOUBLE] = name##_to_double,                                                          \
    },

static kernel_fn *const kernels[TYPE_COUNT][TYPE_COUNT] = {CASTS(ROWS)};

kernel_fn *cast_between_numbers(enum type from, enum type to) {
    return kernels[from][to];
}
