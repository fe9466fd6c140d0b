#include "surfaces/commands/sample_command.h"

#include <string.h>

#include "base/check.h"
#include "surfaces/demo/sample.h"
#include "surfaces/settings/settings.h"
#include "surfaces/terminal/output.h"

enum { FLUSH_EVERY = 1000 }; // records

/* The query's partition columns by default, taken apart in `text`. */
static size_t split_names(const char *names, char *text, const char *split[PARTITION_BY_MAX]) {
    char *rest = NULL;
    size_t count = 0;
    memcpy(text, names, strlen(names) + 1);
    for (char *name = strtok_r(text, ", ", &rest); name != NULL && count < PARTITION_BY_MAX;
         name = strtok_r(NULL, ", ", &rest))
        split[count++] = name;
    return count;
}

/* Whether the record is a line of JSON: not one that lacks a value, is blank, or was cut. */
static bool is_line(const struct sample *sample, uint64_t number) {
    enum sample_fault fault = sample_fault_of(number);
    return !sample->is_null && fault != SAMPLE_BLANK && fault != SAMPLE_CUT;
}

bool sample_command(const struct command_call *call, struct error *err) {
    const struct config *config = call->config;
    FILE *out = call->out;
    check(config->job != NULL);
    char text[SETTING_TEXT_MAX];
    const char *partition_by[PARTITION_BY_MAX];
    check(strlen(config->job->partition_by) < sizeof text);
    struct sample sample = {
        .values = {.schema = config->job->record, .seed = (uint64_t)config->arguments.seed},
        .partition_by = partition_by};
    sample.partition_by_count = split_names(config->job->partition_by, text, partition_by);
    int64_t printed = 0;
    for (uint64_t number = 0; printed < config->arguments.rows; number++) {
        sample_make(&sample, number);
        if (!is_line(&sample, number))
            continue;
        (void)fwrite(sample.value, 1, sample.size, out);
        (void)fputc('\n', out);
        if (++printed % FLUSH_EVERY == 0 && !output_flush(out, err))
            return false;
    }
    return true;
}
