/* change.h: the text of changes/N, which records a change of the table that is not a batch.
 *
 *     compaction   many files of a directory became few; no row came or went
 *     expiry       files of a date that is over its retention left the table, with their rows
 *     acceptance   an operator has accepted that files are gone: `adopt --accept`
 *
 *     v1
 *     {"path":"","change":12,"kind":"compaction","of":"table","batch":450,"madeMs":…,
 *      "query":"<uuid>","table":"/…","gone":[{"partition":0,"offsets":"5,7-9"}]}
 *     {"path":"status=live/part-a.parquet","size":1,"rows":1,"modifiedMs":1}
 *     {"path":"status=live/part-b.parquet","size":2,"rows":2,"modifiedMs":1,"staged":"…"}
 *
 * Behind the header is a line for each file that left the table, then with "staged" for each that
 * came in; "rows" is 0 where nobody has counted. "gone" has the offsets whose rows, or some of
 * them, left the table with the files: of an expiry and an acceptance. Numbers of changes count up
 * from 0 in each checkpoint.
 *
 * The file is the commit point of the change (streaming/changes/change_steps.h). Reading is strict.
 * Pure: no disk. */
#ifndef STREAMING_CHANGES_CHANGE_H
#define STREAMING_CHANGES_CHANGE_H

#include "base/error.h"
#include "core/file_list.h"
#include "streaming/store/manifest.h"
#include "streaming/store/resolved.h"

enum change_kind { CHANGE_COMPACTION, CHANGE_EXPIRY, CHANGE_ACCEPTANCE };

/* A line takes about 200 bytes: a million files and more. */
enum { CHANGE_SIZE_MAX = 512 << 20 };

struct change {
    int64_t number;
    enum change_kind kind;
    bool of_rejects;  // the files are of the rejects table
    int64_t batch_id; // the newest committed batch then: all files that left are of it or before it
    int64_t made_ms;  // milliseconds since 1970
    struct file_list left;  // owned; ascending by path; `staged` is NULL
    struct file_list added; // owned; `staged` is the name in the change's directory of new files
    struct resolved gone;   // owned
    bool also_batches; // files may leave that the sink log's newest compact file does not list; not
                       // recorded
};

void change_deinit(struct change *change); // accepts a zeroed struct

/* Owned by the caller. */
char *change_print(const struct change *change, const struct manifest_origin *origin, size_t *size);

/* ERROR_STATE, without the file's name: damaged, of another version, or of another origin. */
MUST_CHECK bool change_parse(const char *text, size_t size, int64_t number,
                             const struct manifest_origin *origin, struct change *change,
                             struct error *err);

/* The same text with the table of `origin`, owned by the caller; NULL in *moved: it has it already.
 * ERROR_STATE, as above, except for the table. */
MUST_CHECK bool change_move(const char *text, size_t size, int64_t number,
                            const struct manifest_origin *origin, char **moved, size_t *moved_size,
                            struct error *err);

#endif
