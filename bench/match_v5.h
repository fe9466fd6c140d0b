/* match_v5.h: made-up documents in the shape of Riot's match-v5: 10 participants with about 130
 * keys each, of which `challenges` has 120 more and `perks` is nested; 68 kB. */
#ifndef BENCH_MATCH_V5_H
#define BENCH_MATCH_V5_H

#include <stddef.h>
#include <stdint.h>

enum { MATCH_V5_SIZE_MAX = 128 << 10 };

/* Document `number` to `to`, which has room for MATCH_V5_SIZE_MAX bytes; its size. */
size_t match_v5_write(uint64_t number, char *to);

#endif
