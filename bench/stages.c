/* stages: one stage of the data path alone, in memory.
 *
 *     stages decode [RECORDS [ROUNDS]]
 *     stages nested [DOCUMENTS [ROUNDS]] */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "stage.h"

enum { RECORDS_DEFAULT = 50000, DOCUMENTS_DEFAULT = 500, ROUNDS_DEFAULT = 9 };

static double thread_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

double stage_shortest_ns(void (*run)(void *job), void *job, int rounds) {
    double shortest = 0;
    for (int round = 0; round < rounds; round++) {
        double start = thread_ns();
        run(job);
        double ns = thread_ns() - start;
        if (round == 0 || ns < shortest)
            shortest = ns;
    }
    return shortest;
}

void stage_print(const char *name, double ns, size_t records, size_t bytes) {
    printf("%-36s %8.1f ns/record %7.3f ns/byte %6.2f GB/s\n", name, ns / (double)records,
           ns / (double)bytes, (double)bytes / ns);
}

int main(int argc, char **argv) {
    bool is_nested = argc >= 2 && strcmp(argv[1], "nested") == 0;
    if (argc < 2 || argc > 4 || (!is_nested && strcmp(argv[1], "decode") != 0)) {
        (void)fputs("usage: stages decode|nested [RECORDS [ROUNDS]]\n", stderr);
        return 2;
    }
    long records = argc > 2    ? strtol(argv[2], NULL, 10)
                   : is_nested ? DOCUMENTS_DEFAULT
                               : RECORDS_DEFAULT;
    long rounds = argc > 3 ? strtol(argv[3], NULL, 10) : ROUNDS_DEFAULT;
    if (records < 1 || rounds < 1)
        return 2;
    return is_nested ? stage_nested((size_t)records, (int)rounds)
                     : stage_decode((size_t)records, (int)rounds);
}
