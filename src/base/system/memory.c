#include "base/system/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int64_t memory_resident(void) {
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
