#include "base/processors.h"

#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* One line of a control group's file. */
static bool read_line(const char *directory, const char *name, char *line, int size) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    bool ok = fgets(line, size, file) != NULL;
    (void)fclose(file); // read only
    return ok;
}

/* The group's own quota in whole processors; 0: it has none. */
static int group_quota(const char *directory, bool version_2) {
    char quota_line[64], period_line[64];
    long long quota = 0, period = 0;
    if (version_2) {
        if (!read_line(directory, "cpu.max", quota_line, sizeof quota_line) ||
            sscanf(quota_line, "%lld %lld", &quota, &period) != 2) // NOLINT(cert-err34-c)
            return 0;                                              // "max 100000": no limit
    } else {
        if (!read_line(directory, "cpu.cfs_quota_us", quota_line, sizeof quota_line) ||
            !read_line(directory, "cpu.cfs_period_us", period_line, sizeof period_line) ||
            sscanf(quota_line, "%lld", &quota) != 1 || // NOLINT(cert-err34-c)
            sscanf(period_line, "%lld", &period) != 1) // NOLINT(cert-err34-c)
            return 0;
    }
    if (quota <= 0 || period <= 0)
        return 0;
    long long whole = (quota + period - 1) / period;
    return whole > INT_MAX ? 0 : (int)whole;
}

/* The least quota of the group and of its parents up to `root`; a group we can't see (we are in a
 * container, and the path is the host's) counts like its nearest visible parent. */
static int least_quota(int limit, const char *root, char *group, bool version_2) {
    for (;;) {
        char directory[PATH_MAX];
        snprintf(directory, sizeof directory, "%s%s", root, group);
        int quota = group_quota(directory, version_2);
        if (quota > 0 && quota < limit)
            limit = quota;
        char *slash = strrchr(group, '/');
        if (slash == NULL)
            return limit;
        *slash = '\0';
    }
}

static bool has_controller(const char *controllers, const char *name) {
    size_t size = strlen(name);
    for (const char *at = strstr(controllers, name); at != NULL; at = strstr(at + 1, name))
        if ((at == controllers || at[-1] == ',') && (at[size] == ',' || at[size] == '\0'))
            return true;
    return false;
}

int processors_limited(int affinity, const char *membership, const char *root) {
    int limit = affinity;
    char line[PATH_MAX];
    FILE *file = fopen(membership, "re");

    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        // "0::/path" (v2) or "4:cpu,cpuacct:/path" (v1)
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':');
        char *group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
        if (group == NULL)
            continue;
        *group++ = '\0';
        controllers++;
        if (strcmp(group, "/") == 0)
            group[0] = '\0';
        char hierarchy[PATH_MAX];
        if (*controllers == '\0') {
            limit = least_quota(limit, root, group, true);
        } else if (has_controller(controllers, "cpu")) {
            snprintf(hierarchy, sizeof hierarchy, "%s/%s", root, controllers);
            limit = least_quota(limit, hierarchy, group, false);
        }
    }
    if (file != NULL)
        (void)fclose(file); // read only
    return limit > 0 ? limit : 1;
}

int processors_available(void) {
    cpu_set_t allowed;
    int affinity = sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? CPU_COUNT(&allowed) : 1;
    return processors_limited(affinity, "/proc/self/cgroup", "/sys/fs/cgroup");
}
