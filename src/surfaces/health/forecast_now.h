/* forecast_now.h: the forecast of a running query, of the batches since its start. */
#ifndef SURFACES_HEALTH_FORECAST_NOW_H
#define SURFACES_HEALTH_FORECAST_NOW_H

#include "streaming/start/streaming.h"
#include "surfaces/health/forecast.h"
#include "surfaces/settings/config.h"

enum { FORECAST_LEAST_SECONDS = 5 }; // of batches: less says nothing of a day

/* `seconds`: the time that its rate is of. False: not known yet, or the trigger is availableNow.
 * Copies what it needs, and waits for nothing. */
bool forecast_now(const struct config *config, const struct query_view *view,
                  struct forecast *forecast, double *seconds);

#endif
