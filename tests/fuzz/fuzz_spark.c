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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_ranges(const struct spark_progress *progress) {
    struct offset_range planned[] = {{0, 0, 5000}, {1, 100, 100}, {3, 1500, 40000}};
    const struct plan plan = {.count = 3, .ranges = planned};
    struct offset_range *ranges;
    size_t count;
    spark_progress_ranges(progress, &plan, &ranges, &count);
    for (size_t i = 0; i < count; i++) {
        bool inside = false;
        for (size_t k = 0; k < plan.count; k++)
            inside = inside || (ranges[i].partition == planned[k].partition &&
                                ranges[i].start >= planned[k].start &&
                                ranges[i].end <= planned[k].end && ranges[i].start < ranges[i].end);
        check(inside);
        check(i == 0 || ranges[i - 1].partition < ranges[i].partition ||
              ranges[i - 1].end < ranges[i].start);
    }
    free(ranges);
}

static void read_progress(const char *text) {
    struct spark_progress progress;
    struct error err = {0};
    if (!spark_progress_parse(text, &progress, &err)) {
        check(err.kind == ERROR_CLUSTER && err.message[0] != '\0');
        return;
    }
    check_ranges(&progress);
    spark_progress_deinit(&progress);
}

static void read_lines(const char *text, size_t size, bool standalone) {
    struct spark_log log = {.is_standalone = standalone, .master_count = 2};
    for (const char *at = text, *end = text + size; at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop != NULL ? stop : end;
        struct spark_line line;
        spark_line_parse(at, (size_t)(stop - at), &line);
        check(line.message.length <= (size_t)(stop - at));
        spark_log_take(&log, &line);
        at = stop + 1;
    }
    char reason[SPARK_REASON_MAX];
    spark_log_reason(&log, reason);
    check(strlen(reason) < SPARK_REASON_MAX && log.port >= 0 && log.port <= 65535);
    (void)spark_log_is_up(&log);
    (void)spark_log_is_refused(&log);
}

static void read_offsets(const char *text) {
    struct error err = {0};
    if (!starting_offsets_check(text, &err))
        check(err.kind == ERROR_CONFIG && err.message[0] != '\0');
}

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
