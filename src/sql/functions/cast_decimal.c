/* cast_decimal.c: casts from and to DECIMAL. */
#include "sql/functions/cast.h"

kernel_fn *cast_decimal(enum type from, enum type to) {
    (void)from;
    (void)to;
    return NULL; // none yet
}
