#include "base/system/process.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

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
