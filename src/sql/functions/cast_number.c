/* cast_number.c: casts between truth values, whole numbers and floating point, as Java casts: a
 * narrower whole number keeps its lowest bits; from floating point see loop.h, where the two
 * narrowest types take the way through INT. */
#include <math.h>

#include "sql/functions/cast.h"
#include "sql/functions/loop.h"
#include "sql/functions/moment.h"

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

/* ---- TRY_CAST to whole numbers of a narrower type ---- */

#define NARROWER(from, from_type, to, to_type, to_unsigned)                                        \
    KERNEL_1_OR_NULL(from##_as_##to, from_type, to_type, (to_unsigned)x, x == (to_type)x)

NARROWER(int16, int16_t, int8, int8_t, uint8_t)
NARROWER(int32, int32_t, int8, int8_t, uint8_t)
NARROWER(int32, int32_t, int16, int16_t, uint16_t)
NARROWER(int64, int64_t, int8, int8_t, uint8_t)
NARROWER(int64, int64_t, int16, int16_t, uint16_t)
NARROWER(int64, int64_t, int32, int32_t, uint32_t)

/* ---- TRY_CAST from floating point: the fraction is cut off ---- */

#define WHOLE_OF_REAL(from, from_type, to, to_type, least, most)                                   \
    KERNEL_1_OR_NULL(from##_as_##to, from_type, to_type, saturate_int64((double)x),                \
                     cast_is_between((double)x, (double)(least), (double)(most)))

#define WHOLE_OF_REALS(kind, from, from_type)                                                      \
    WHOLE_OF_REAL(from, from_type, int8, int8_t, INT8_MIN, INT8_MAX)                               \
    WHOLE_OF_REAL(from, from_type, int16, int16_t, INT16_MIN, INT16_MAX)                           \
    WHOLE_OF_REAL(from, from_type, int32, int32_t, INT32_MIN, INT32_MAX)                           \
    WHOLE_OF_REAL(from, from_type, int64, int64_t, INT64_MIN, INT64_MAX)                           \
    KERNEL_1_OR_NULL(from##_as_timestamp, from_type, int64_t,                                      \
                     saturate_int64((double)x *(double)MICROS_PER_SECOND),                         \
                     cast_is_between((double)x *(double)MICROS_PER_SECOND, (double)INT64_MIN,      \
                                     (double)INT64_MAX))
REAL_KERNELS(WHOLE_OF_REALS)

kernel_fn *try_cast_number(enum type from, enum type to) {
    static kernel_fn *const own[TYPE_COUNT][TYPE_COUNT] = {
        [TYPE_INT16] = {[TYPE_INT8] = int16_as_int8},
        [TYPE_INT32] = {[TYPE_INT8] = int32_as_int8, [TYPE_INT16] = int32_as_int16},
        [TYPE_INT64] = {[TYPE_INT8] = int64_as_int8,
                        [TYPE_INT16] = int64_as_int16,
                        [TYPE_INT32] = int64_as_int32},
        [TYPE_FLOAT] = {[TYPE_INT8] = float_as_int8,
                        [TYPE_INT16] = float_as_int16,
                        [TYPE_INT32] = float_as_int32,
                        [TYPE_INT64] = float_as_int64,
                        [TYPE_TIMESTAMP] = float_as_timestamp},
        [TYPE_DOUBLE] = {[TYPE_INT8] = double_as_int8,
                         [TYPE_INT16] = double_as_int16,
                         [TYPE_INT32] = double_as_int32,
                         [TYPE_INT64] = double_as_int64,
                         [TYPE_TIMESTAMP] = double_as_timestamp},
    };
    return own[from][to];
}
