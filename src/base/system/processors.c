#include "base/system/processors.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>

#include "base/control_group.h"

/* The group's own quota in whole processors; 0: it has none. */
static int group_quota(const char *directory, bool version_2) {
    char quota_line[64], period_line[64];
    long long quota = 0, period = 0;
    if (version_2) {
        if (!control_group_read(directory, "cpu.max", quota_line, sizeof quota_line) ||
            sscanf(quota_line, "%lld %lld", &quota, &period) != 2) // NOLINT(cert-err34-c)
            return 0;                                              // "max 100000": no limit
    } else {
        if (!control_group_read(directory, "cpu.cfs_quota_us", quota_line, sizeof quota_line) ||
            !control_group_read(directory, "cpu.cfs_period_us", period_line, sizeof period_line) ||
            sscanf(quota_line, "%lld", &quota) != 1 || // NOLINT(cert-err34-c)
            sscanf(period_line, "%lld", &period) != 1) // NOLINT(cert-err34-c)
            return 0;
    }
    if (quota <= 0 || period <= 0)
        return 0;
    long long whole = (quota + period - 1) / period;
    return whole > INT_MAX ? 0 : (int)whole;
}

static void take_quota(void *context, const char *directory, bool version_2) {
    int *limit = context;
    int quota = group_quota(directory, version_2);
    if (quota > 0 && quota < *limit)
        *limit = quota;
}

int processors_limited(int affinity, const char *membership, const char *root) {
    int limit = affinity;
    control_group_each(membership, root, "cpu", take_quota, &limit);
    return limit > 0 ? limit : 1;
}

int processors_available(void) {
    cpu_set_t allowed;
    int affinity = sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? CPU_COUNT(&allowed) : 1;
    return processors_limited(affinity, CONTROL_GROUP_MEMBERSHIP, CONTROL_GROUP_ROOT);
}
