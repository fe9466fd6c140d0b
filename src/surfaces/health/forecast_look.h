/* forecast_look.h: what a forecast is made of: the settings, and what the newest batches were. */
#ifndef SURFACES_HEALTH_FORECAST_LOOK_H
#define SURFACES_HEALTH_FORECAST_LOOK_H

#include "surfaces/health/forecast.h"
#include "surfaces/settings/config.h"

/* The newest batches, up to those that a checkpoint keeps one by one. Nothing is written. */
struct forecast_seen {
    size_t batches; // fewer than two say nothing, and the rest is 0
    double records_per_second, reject_share;
    double row_bytes;
    size_t values; // combinations of partition values, without those of the date
    bool has_rows; // else row_bytes and values are not known
};

/* False: there is no history that could be read. */
bool forecast_see(const struct store_options *options, struct forecast_seen *seen);

/* Of a query with these settings. What was not seen is assumed: FORECAST_VALUES for each column but
 * the date, and no rate. `seen`: NULL: nothing was. */
struct forecast_input forecast_input_of(const struct config *config, const struct stream *stream,
                                        const struct forecast_seen *seen);

/* The same of a query's own options. */
struct forecast_input forecast_input_from(const struct query_options *options, size_t workers,
                                          const struct forecast_seen *seen);

/* Whether the user has chosen what makes files small: a shorter trigger than the default, or more
 * partition columns than the table's own, a date aside. */
bool forecast_is_chosen(const struct config *config, const struct stream *stream);

#endif
