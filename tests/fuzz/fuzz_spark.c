/* No matter what a Spark server reports of a batch or prints, and what starting offsets are asked
 * for: no crash, and what is understood keeps to what its header promises. The first byte says what
 * the rest is: p, a report of progress; l, lines that the server prints; o, starting offsets. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "streaming/cluster/engine/spark_progress.h"
#include "streaming/cluster/spark/spark_log.h"
#include "streaming/kafka/starting_offsets.h"

static void read_as(uint8_t kind, char *text, size_t size) {
    switch (kind) {
    case 'p':
        read_progress(text);
        break;
    case 'l':
    case 'L':
        read_lines(text, size, kind == 'L');
        break;
    case 'o':
        read_offsets(text);
        break;
    default:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    char *text = must_alloc(size, 1);
    memcpy(text, data + 1, size - 1);
    read_as(data[0], text, size - 1);
    free(text);
    return 0;
}
