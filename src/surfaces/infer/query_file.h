/* query_file.h: what was read of a topic, as a query file that `check` accepts. */
#ifndef SURFACES_INFER_QUERY_FILE_H
#define SURFACES_INFER_QUERY_FILE_H

#include <stdio.h>

#include "surfaces/infer/shape.h"

struct infer_source {
    const char *topic;
    const char *origin; // for a comment: "partitions 0 to 2, …", or a file; any text
    bool with_values;   // sample values in comments
};

/* The shapes are finished. If no record is an object, the file has a table of the records' bytes.
 */
void query_file_print(FILE *out, const struct shapes *shapes, const struct infer_source *source);

#endif
