#include "streaming/store/range_json.h"

/* So many rows no range has; sums of such numbers stay far from an overflow. */
static const int64_t rows_max = (int64_t)1 << 48;

void row_counts_print(const struct range_outcome *outcome, struct json *object) {
    json_put_int(object, "records", outcome->records);
    json_put_int(object, "empty", outcome->empty);
    json_put_int(object, "filtered", outcome->filtered);
    json_put_int(object, "exploded", outcome->exploded);
    json_put_int(object, "filteredRows", outcome->filtered_rows);
}

struct json *range_print(const struct range_outcome *outcome, bool counts_rows) {
    struct json *object = json_new_object();
    json_put_int(object, "partition", outcome->range.partition);
    json_put_int(object, "start", outcome->range.start);
    json_put_int(object, "end", outcome->range.end);
    json_put_int(object, "rows", outcome->rows);
    json_put_int(object, "rejects", outcome->rejects);
    json_put_int(object, "absent", outcome->absent);
    json_put_int(object, "lost", outcome->lost);
    if (counts_rows)
        row_counts_print(outcome, object);
    return object;
}

/* Every record that counts as having rows has one, and every row that was left out was one of a
 * record. */
static bool rows_add_up(const struct range_outcome *outcome) {
    const struct range_outcome *at = outcome;
    return at->records >= 0 && at->empty >= 0 && at->filtered >= 0 && at->exploded <= rows_max &&
           at->filtered_rows >= at->filtered && at->filtered_rows <= at->exploded &&
           at->rows == at->exploded - at->filtered_rows && at->rows >= at->records &&
           (at->records > 0 || at->rows == 0) &&
           (at->records > 0 || at->filtered > 0 || at->exploded == 0);
}

bool row_counts_parse(const struct json *object, struct range_outcome *outcome) {
    return json_member_int(object, "records", &outcome->records) &&
           json_member_int(object, "empty", &outcome->empty) &&
           json_member_int(object, "filtered", &outcome->filtered) &&
           json_member_int(object, "exploded", &outcome->exploded) &&
           json_member_int(object, "filteredRows", &outcome->filtered_rows) && rows_add_up(outcome);
}

static bool offsets_add_up(const struct range_outcome *outcome) {
    const int64_t parts[] = {outcome->records,  outcome->rejects, outcome->empty,
                             outcome->filtered, outcome->absent,  outcome->lost};
    int64_t left = outcome->range.end - outcome->range.start;
    // Taken off one by one: a sum of damaged numbers could overflow.
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i] < 0 || parts[i] > left)
            return false;
        left -= parts[i];
    }
    return left == 0;
}

bool range_parse(const struct json *object, bool counts_rows, struct range_outcome *outcome) {
    int64_t partition;
    *outcome = (struct range_outcome){0};
    if (!json_member_int(object, "partition", &partition) || partition < 0 ||
        partition > INT32_MAX || !json_member_int(object, "start", &outcome->range.start) ||
        !json_member_int(object, "end", &outcome->range.end) || outcome->range.start < 0 ||
        outcome->range.end < outcome->range.start ||
        !json_member_int(object, "rows", &outcome->rows) ||
        !json_member_int(object, "rejects", &outcome->rejects) ||
        !json_member_int(object, "absent", &outcome->absent) ||
        !json_member_int(object, "lost", &outcome->lost))
        return false;
    outcome->range.partition = (int32_t)partition;
    if (!counts_rows)
        range_outcome_set_records(outcome, outcome->rows);
    return (!counts_rows || row_counts_parse(object, outcome)) && offsets_add_up(outcome);
}
