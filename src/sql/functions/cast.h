/* cast.h: within this room: the kernels of casts, by the types between which they cast. */
#ifndef SQL_FUNCTIONS_CAST_H
#define SQL_FUNCTIONS_CAST_H

#include <math.h>

#include "core/data_type.h"
#include "sql/functions/kernel.h"

/* The kernels of TRY_CAST that differ from those of CAST; NULL: there is none. */
kernel_fn *try_cast_number(enum type from, enum type to);
kernel_fn *try_cast_decimal(enum type to); // from DECIMAL

/* Whether a number without its fraction is in a range. Spark compares with the largest BIGINT as a
 * DOUBLE, which is one more. */
static inline bool cast_is_between(double x, double least, double most) {
    return floor(x) <= most && ceil(x) >= least;
}

/* cast_number.c: between truth values and numbers; NULL: no such kernel. */
kernel_fn *cast_between_numbers(enum type from, enum type to);

/* cast_text.c */
kernel_fn *cast_from_text(enum type to);       // from STRING
kernel_fn *cast_from_whole_text(enum type to); // the same; null where there is a fraction
kernel_fn *cast_to_text(enum type from);       // to STRING

/* cast_time.c */
kernel_fn *cast_time(enum type from, enum type to); // one of both is a date or a timestamp

/* cast_decimal.c */
kernel_fn *cast_decimal(enum type from, enum type to); // one of both is a DECIMAL
/* Its guard from STRING (function.h). */
const char *cast_guard_decimal(const char *argument, const struct data_type *to, struct pool *pool);

#endif
