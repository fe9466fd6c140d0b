/* history.h: a batch, as the API has it. */
#ifndef SURFACES_HTTP_ROUTES_HISTORY_H
#define SURFACES_HTTP_ROUTES_HISTORY_H

#include "base/json.h"
#include "streaming/start/streaming.h"

struct json *print_batch(const struct batch_report *batch, const struct query_view *query);

#endif
