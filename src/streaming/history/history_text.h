/* history_text.h: the text of a file of the history.
 *
 *     <checkpoint>/history/S
 *     v1
 *     {"query":"<uuid>","topic":"…","entries":[
 *      {"first":40,"batch":40,"firstMs":…,"timestampMs":…,"ends":{"0":120},"ranges":[…]}]}
 *
 * (one line). S is the first batch of the file's slot; there are HISTORY_SLOT batches in a slot. An
 * entry has the ends and the timestamp of its plan; "ranges", as in coverage/N, is what it took;
 * "replayed", "replayedCounts" and "replayedWithoutRows" are those of a manifest. "incarnation" is
 * there behind the first, "knownEnds" if its plan has them, "countsRows" if its ranges count
 * records and rows apart, and "spark" if Spark ran it, so that nothing of it is in coverage/.
 * Without "ends" the plan was gone already: such a batch can be undone, but it cannot be the newest
 * one that stays. Pure: no disk. */
#ifndef STREAMING_HISTORY_HISTORY_TEXT_H
#define STREAMING_HISTORY_HISTORY_TEXT_H

#include "base/error.h"
#include "streaming/history/history_list.h"
#include "streaming/store/manifest.h"

/* Owned by the caller. */
char *history_print(const struct history *history, const struct manifest_origin *origin,
                    size_t *size);

/* ERROR_STATE, without the file's name. */
MUST_CHECK bool history_parse(const char *text, size_t size, const struct manifest_origin *origin,
                              struct history *history, struct error *err);

#endif
