#include "streaming/care/expiry.h"

#include <stdlib.h>

#include "base/check.h"

enum { DAYS_BEFORE_START = 7 };

static void add(struct expiry *expiry, struct expiry_partition partition) {
    struct expiry_partition *grown =
        reallocarray(expiry->partitions, expiry->count + 1, sizeof partition);
    check(grown != NULL);
    expiry->partitions = grown;
    expiry->partitions[expiry->count++] = partition;
}

static bool is_strange(const struct expiry_rules *rules, int32_t day) {
    return day < care_day_of(&rules->zone, rules->first_start_ms) - DAYS_BEFORE_START ||
           day > care_day_of(&rules->zone, rules->now_ms) + 1;
}

static void judge(const struct care_files *files, const struct expiry_rules *rules,
                  struct expiry *expiry, struct expiry_partition partition) {
    for (size_t i = partition.first; i < partition.end; i++) {
        partition.bytes += files->files[i].size;
        if (i == partition.first || files->files[i].modified_ms > partition.newest_ms)
            partition.newest_ms = files->files[i].modified_ms;
    }
    bool strange = rules->by_retention && is_strange(rules, partition.day);
    if (!strange && partition.day >= rules->before) {
        expiry->kept++;
        return;
    }
    bool past = care_day_of(&rules->zone, partition.newest_ms) < rules->before;
    bool doubted = rules->by_retention && !rules->clock_believed;
    partition.verdict = strange   ? EXPIRY_STRANGE
                        : !past   ? EXPIRY_WAITS
                        : doubted ? EXPIRY_DOUBTED
                                  : EXPIRY_DUE;
    add(expiry, partition);
}

void expiry_make(const struct care_files *files, const struct expiry_rules *rules,
                 struct expiry *expiry) {
    *expiry = (struct expiry){0};
    for (size_t first = 0, end; first < files->count; first = end) {
        struct expiry_partition partition = {.first = first};
        enum care_date date = care_date_of(files->files[first].path, rules->date_level,
                                           &partition.day, &partition.length);
        end = partition.length > 0 ? care_directory_end(files, first, partition.length) : first + 1;
        partition.end = end;
        if (date == CARE_DATE)
            judge(files, rules, expiry, partition);
    }
}

void expiry_deinit(struct expiry *expiry) {
    free(expiry->partitions);
    *expiry = (struct expiry){0};
}
