/* reject_lines.h: what the log says of the rejects of a committed batch: one line, and a second one
 * if no record became a row. Single rejects are lines at DEBUG, which workers write. */
#ifndef STREAMING_REPORT_REJECT_LINES_H
#define STREAMING_REPORT_REJECT_LINES_H

#include "core/schema.h"
#include "streaming/tasks/tally.h"

/* What the lines are about. All is borrowed. */
struct reject_lines {
    const char *logger, *job; // "match_stream", "matches"
    const struct schema *schema;
    int64_t batch_id;
    int64_t accepted; // records of the batch that are not rejects
    const struct tally *tally;
};

/* A WARNING; INFO if all are null or blank values, which hold nothing that could be read. Then an
 * ERROR if there is no row and a value that could be read. Nothing without rejects. */
void reject_lines_write(const struct reject_lines *lines);

enum { REJECT_TEXT_MAX = 1024 };

/* "malformed_json=4 not_an_object=5". */
void reject_lines_reasons(const struct tally *tally, char text[static REJECT_TEXT_MAX]);

/* The keys that came in rejected objects, the most frequent first, each with the number of objects:
 * "matchId (73), status (70) and 3 more"; "none". Right when the batch has no row: the counts of
 * unknown keys are those of rows and rejects. */
void reject_lines_keys(const struct schema *schema, const struct decode_counts *counts,
                       char text[static REJECT_TEXT_MAX]);

/* The keys that the schema knows, the identifier first: "match_id, game_id, … and 12 more". */
void reject_lines_expected(const struct schema *schema, char text[static REJECT_TEXT_MAX]);

#endif
