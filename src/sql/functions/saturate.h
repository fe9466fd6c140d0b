/* saturate.h: within this room: from floating point to whole numbers as Java casts: the fraction is
 * cut off, what is too large becomes the largest value, and NaN becomes 0. */
#ifndef SQL_FUNCTIONS_SATURATE_H
#define SQL_FUNCTIONS_SATURATE_H

#include <stdint.h>

static inline int32_t saturate_int32(double x) {
    double least = x < (double)INT32_MIN ? (double)INT32_MIN : x;
    double bounded = least > (double)INT32_MAX ? (double)INT32_MAX : least;
    return (int32_t)(x == x ? bounded : 0);
}

static inline int64_t saturate_int64(double x) {
    if (x >= 0x1p63)
        return INT64_MAX;
    double bounded = x < -0x1p63 ? -0x1p63 : x;
    return (int64_t)(x == x ? bounded : 0);
}

#endif
