#include "streaming/report/reject_lines.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/log/log.h"
#include "base/text.h"

enum { CAME_MAX = 10, EXPECTED_MAX = 12 };

static bool is_empty_value(size_t reason) {
    return reason == REJECT_NULL_VALUE || reason == REJECT_BLANK_VALUE;
}

void reject_lines_reasons(const struct tally *tally, char text[static REJECT_TEXT_MAX]) {
    size_t used = 0;
    for (size_t i = 0; i < REJECT_REASON_COUNT; i++)
        if (tally->rejects[i] > 0)
            used = text_append(text, REJECT_TEXT_MAX, used, "%s%s=%" PRId64, used > 0 ? " " : "",
                               reject_reason_name((enum reject_reason)i), tally->rejects[i]);
}

/* ---- keys ---- */

struct came {
    const char *name;
    int64_t count;
};

static int by_count(const void *a, const void *b) {
    const struct came *one = a, *other = b;
    if (one->count != other->count)
        return one->count > other->count ? -1 : 1;
    return strcmp(one->name, other->name);
}

static void append_rest(char *text, size_t used, size_t count, size_t shown) {
    if (count > shown)
        (void)text_append(text, REJECT_TEXT_MAX, used, " and %zu more", count - shown);
}

void reject_lines_keys(const struct schema *schema, const struct decode_counts *counts,
                       char text[static REJECT_TEXT_MAX]) {
    struct came *keys = must_alloc(schema->record_count + UNKNOWN_NAMES_MAX, sizeof *keys);
    size_t count = 0;
    for (size_t i = 0; i < schema->record_count; i++)
        if (counts->rejected_values[i] > 0)
            keys[count++] = (struct came){schema->inputs[i].name, counts->rejected_values[i]};
    for (size_t i = 0; i < counts->unknown_names.count; i++)
        if (counts->unknown_names.names[i].count > 0)
            keys[count++] = (struct came){counts->unknown_names.names[i].text,
                                          counts->unknown_names.names[i].count};
    qsort(keys, count, sizeof *keys, by_count);

    size_t used = text_append(text, REJECT_TEXT_MAX, 0, "%s", count == 0 ? "none" : "");
    size_t shown = count < CAME_MAX ? count : CAME_MAX;
    for (size_t i = 0; i < shown; i++)
        used = text_append(text, REJECT_TEXT_MAX, used, "%s%s (%" PRId64 ")", i > 0 ? ", " : "",
                           keys[i].name, keys[i].count);
    append_rest(text, used, count, shown);
    free(keys);
}

void reject_lines_expected(const struct schema *schema, char text[static REJECT_TEXT_MAX]) {
    size_t used = 0;
    size_t shown = schema->record_count < EXPECTED_MAX ? schema->record_count : EXPECTED_MAX;
    for (size_t i = 0; i < shown; i++)
        used = text_append(text, REJECT_TEXT_MAX, used, "%s%s", i > 0 ? ", " : "",
                           schema->inputs[i].name);
    append_rest(text, used, schema->record_count, shown);
}

/* ---- lines ---- */

static void write_no_row(const struct reject_lines *lines) {
    char came[REJECT_TEXT_MAX], expected[REJECT_TEXT_MAX];
    reject_lines_keys(lines->schema, &lines->tally->counts, came);
    reject_lines_expected(lines->schema, expected);
    log_write(LOG_ERROR, lines->logger,
              "No record of batch %" PRId64
              " became a row: check that this is the right topic and that its producer sends the "
              "expected JSON | keys=%s | identifier=%s | expected=%s",
              lines->batch_id, came,
              lines->schema->identifier != NULL ? lines->schema->identifier : "none", expected);
}

void reject_lines_write(const struct reject_lines *lines) {
    const struct tally *tally = lines->tally;
    const struct reject_place *first = &tally->first_reject;
    int64_t count = tally_rejects(tally), readable = 0;
    if (count == 0)
        return;
    for (size_t i = 0; i < REJECT_REASON_COUNT; i++)
        readable += is_empty_value(i) ? 0 : tally->rejects[i];
    char reasons[REJECT_TEXT_MAX];
    reject_lines_reasons(tally, reasons);
    log_write(
        readable > 0 ? LOG_WARNING : LOG_INFO, lines->logger,
        "%s rejected | %s | first=%" PRId32 ":%" PRId64 " | see=esports-stream rejects ls --job %s",
        text_count(count, "record").text, reasons, first->partition, first->offset, lines->job);
    if (readable > 0 && lines->accepted == 0)
        write_no_row(lines);
}
