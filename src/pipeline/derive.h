/* derive.h: the derived columns' functions, each equal to the Spark SQL expression with it in the
 * query's declaration (streaming/declare/stream.c). */
#ifndef PIPELINE_DERIVE_H
#define PIPELINE_DERIVE_H

#include "core/rows.h"
#include "core/schema.h"

/* Fills the derived columns of rows [first, first + count). False: rows->strings is full. */
bool derive_rows(struct rows *rows, size_t first, size_t count);

derive_fn derive_duration_minutes;    // match_duration
derive_fn derive_is_completed;        // status
derive_fn derive_calculated_win_rate; // total_games, total_wins, win_rate
derive_fn derive_calculated_kda;      // kda_ratio, avg_kills, avg_deaths, avg_assists
derive_fn derive_activity_status;     // active
derive_fn derive_full_name;           // first_name, last_name
derive_fn derive_has_activity;        // total_games

#endif
