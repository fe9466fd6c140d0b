#include "base/system/process.h"

#include <dirent.h>
#include <limits.h>
#include <malloc.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/limit.h"

int64_t process_resident(void) {
    char line[128];
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return 0;
    char *end = fgets(line, sizeof line, file);
    (void)fclose(file);
    if (end == NULL)
        return 0;
    (void)strtoll(line, &end, 10); // the whole address space
    return strtoll(end, NULL, 10) * sysconf(_SC_PAGESIZE);
}

static double seconds_of(struct timeval time) {
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* Entries of a directory of /proc, which are numbers; -1: it can't be read. */
static int64_t count_entries(const char *path) {
    DIR *directory = opendir(path);
    if (directory == NULL)
        return -1;
    int64_t count = 0;
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
        count += entry->d_name[0] >= '0' && entry->d_name[0] <= '9';
    closedir(directory);
    return count;
}

struct process_usage process_usage_read(void) {
    struct rusage usage = {0};
    struct rlimit files = {0};
    (void)getrusage(RUSAGE_SELF, &usage); // these two fail on wrong arguments only
    (void)getrlimit(RLIMIT_NOFILE, &files);
    int64_t open_files = count_entries("/proc/self/fd"), threads = count_entries("/proc/self/task");
    return (struct process_usage){
        .cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime),
        .resident = process_resident(),
        .open_files = open_files > 0 ? open_files - 1 : -1, // without the one that counts them
        .open_files_max = (int64_t)files.rlim_cur,
        .threads = threads > 0 ? threads : 0};
}

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

void heap_keep(int64_t budget) {
#ifdef __GLIBC__
    int64_t kept = budget / 64 < HEAP_KEPT ? budget / 64 : HEAP_KEPT;
    // Either may be refused; then freed memory goes as it went.
    (void)mallopt(M_MMAP_THRESHOLD, kept / 4 < HEAP_LARGE ? (int)(kept / 4) : HEAP_LARGE);
    (void)mallopt(M_TRIM_THRESHOLD, (int)kept);
#else
    (void)budget;
#endif
}
