#include "surfaces/rows/reject_filter.h"

#include "base/system/clock.h"
#include "surfaces/settings/options.h"
#include "surfaces/terminal/moment.h"

static bool read_time(const struct config *config, const char *option, const char *text,
                      int64_t *micros, struct error *err) {
    return text == NULL ||
           moment_parse(text, config->query.time_zone, clock_wall_ms(), micros, err) ||
           error_wrap(err, "%s", option);
}

bool reject_filter_init(struct reject_filter *filter, const struct config *config,
                        struct error *err) {
    const struct command_arguments *arguments = &config->arguments;
    *filter = (struct reject_filter){
        .partition = -1, .offsets = arguments->offsets, .since = INT64_MIN, .until = INT64_MAX};
    if ((arguments->given & OPTION_BIT(OPTION_REASON)) != 0)
        filter->reason = reject_reason_name(arguments->reason);
    if ((arguments->given & OPTION_BIT(OPTION_PARTITION)) != 0)
        filter->partition = arguments->partition;
    return read_time(config, "--since", arguments->since, &filter->since, err) &&
           read_time(config, "--until", arguments->until, &filter->until, err);
}

bool reject_filter_takes(const struct reject_filter *filter, struct text reason, int32_t partition,
                         int64_t offset, int64_t processed) {
    struct text wanted = {filter->reason,
                          filter->reason == NULL ? 0 : (uint32_t)strlen(filter->reason)};
    return (filter->reason == NULL || text_equals(reason, wanted)) &&
           (filter->partition < 0 || filter->partition == partition) &&
           offset >= filter->offsets.first && offset <= filter->offsets.last &&
           processed >= filter->since && processed < filter->until;
}
