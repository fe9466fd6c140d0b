/* match_v5_lines FIRST COUNT: made-up documents in the shape of match-v5, one per line. */
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "match_v5.h"

int main(int argc, char **argv) {
    if (argc != 3) {
        (void)fputs("usage: match_v5_lines FIRST COUNT\n", stderr);
        return 2;
    }
    uint64_t first = strtoull(argv[1], NULL, 10), count = strtoull(argv[2], NULL, 10);
    char *line = must_alloc(MATCH_V5_SIZE_MAX + 1, 1);
    for (uint64_t i = first; i < first + count; i++) {
        size_t size = match_v5_write(i, line);
        line[size] = '\n';
        check(fwrite(line, 1, size + 1, stdout) == size + 1);
    }
    free(line);
    return fflush(stdout) == 0 ? 0 : 1;
}
