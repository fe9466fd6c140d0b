/* cast.h: within this room: the kernels of casts, by the types between which they cast. */
#ifndef SQL_FUNCTIONS_CAST_H
#define SQL_FUNCTIONS_CAST_H

#include "sql/functions/kernel.h"

/* cast_number.c: between truth values and numbers; NULL: no such kernel. */
kernel_fn *cast_between_numbers(enum type from, enum type to);

/* cast_text.c */
kernel_fn *cast_from_text(enum type to); // from STRING
kernel_fn *cast_to_text(enum type from); // to STRING

/* cast_time.c */
kernel_fn *cast_time(enum type from, enum type to); // one of both is a date or a timestamp

/* cast_decimal.c */
kernel_fn *cast_decimal(enum type from, enum type to); // one of both is a DECIMAL

#endif
