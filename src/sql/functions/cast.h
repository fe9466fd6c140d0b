/* cast.h: within this room: the kernels of casts, by the types between which they cast. */
#ifndef SQL_FUNCTIONS_CAST_H
#define SQL_FUNCTIONS_CAST_H

#include "core/data_type.h"
#include "sql/functions/kernel.h"

/* cast.c: whether every value of the type has a value in the DECIMAL. */
bool cast_fits_decimal(const struct data_type *from, const struct data_type *to);

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
const char *cast_guard_decimal(const char *argument, const struct data_type *to, struct pool *pool);
double decimal_to_nearest_double(int128_t value, int scale);

#endif
