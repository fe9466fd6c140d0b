/* Runs a fuzz target over files named on the command line: the corpus is a regression test under
 * any compiler, also where libFuzzer is not at hand. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv) {
    check(argc > 1); // a corpus that is not found would pass otherwise
    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        check(file != NULL);
        check(fseek(file, 0, SEEK_END) == 0);
        long size = ftell(file);
        check(size >= 0);
        rewind(file);
        uint8_t *data = malloc((size_t)size + (size == 0)); // exact, so that ASan sees a read past
        check(data != NULL);
        check(fread(data, 1, (size_t)size, file) == (size_t)size);
        (void)LLVMFuzzerTestOneInput(data, (size_t)size);
        free(data);
        check(fclose(file) == 0);
    }
    return 0;
}
