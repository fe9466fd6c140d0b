/* Runs a fuzz target over files named on the command line: the corpus is a regression test under
 * any compiler, also where libFuzzer is not at hand. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        check(file != NULL);
        check(fseek(file, 0, SEEK_END) == 0);
        long size = ftell(file);
        check(size >= 0);
        rewind(file);
        // Allocated to the byte, so that the sanitizer sees every read beyond it.
        uint8_t *data = malloc(size > 0 ? (size_t)size : 1);
        check(data != NULL && fread(data, 1, (size_t)size, file) == (size_t)size);
        LLVMFuzzerTestOneInput(data, (size_t)size);
        free(data);
        (void)fclose(file);
    }
    return argc > 1 ? 0 : 1;
}
