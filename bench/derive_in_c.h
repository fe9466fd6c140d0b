/* derive_in_c.h: what the evaluator is compared with. */
#ifndef BENCH_DERIVE_IN_C_H
#define BENCH_DERIVE_IN_C_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "core/vector.h"

enum { DERIVE_INPUTS_MAX = 4 };

/* Fills rows [first, first + count) of `out`. False: `strings` is full. */
typedef bool derive_fn(const struct vector *const inputs[], size_t first, size_t count,
                       struct vector *out, struct arena *strings);

derive_fn derive_duration_minutes;    // match_duration
derive_fn derive_is_completed;        // status
derive_fn derive_calculated_win_rate; // total_games, total_wins, win_rate
derive_fn derive_calculated_kda;      // kda_ratio, avg_kills, avg_deaths, avg_assists
derive_fn derive_activity_status;     // active
derive_fn derive_full_name;           // first_name, last_name
derive_fn derive_has_activity;        // total_games

#endif
