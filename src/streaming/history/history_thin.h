/* history_thin.h: old batches become fewer entries. Pure: no disk. */
#ifndef STREAMING_HISTORY_HISTORY_THIN_H
#define STREAMING_HISTORY_HISTORY_THIN_H

#include "streaming/history/history_list.h"

enum { HISTORY_THIN_MS = 60 * 1000 };

/* Whether the entry becomes a part of the one before it. */
bool history_joins(const struct history_entry *to, const struct history_entry *entry);

/* Makes one entry of those that were planned within HISTORY_THIN_MS of the first of them. */
void history_thin(struct history *history);

#endif
