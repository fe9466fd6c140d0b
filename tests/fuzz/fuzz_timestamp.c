/* No matter what the text is, reading it neither crashes nor reads past it; and a text that is read
 * is read the same with whitespace around it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "core/timestamp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct timestamp_context context = {.now_ms = 1717200000000};
    check(zone_find(TEXT("Europe/Paris"), &context.zone));
    struct text text = {(const char *)data, (uint32_t)size};
    int64_t micros, again;
    // A T in front and the search for "GMT" both count from the first byte, blank or not: Spark's.
    bool counts_from_start = size > 0 && (data[0] == 'T' || memmem(data, size, "GMT", 3) != NULL);
    if (!timestamp_parse(text, &context, &micros) || counts_from_start)
        return 0;

    char *padded = malloc(size + 2);
    check(padded != NULL);
    padded[0] = ' ';
    memcpy(padded + 1, data, size);
    padded[size + 1] = '\n';
    check(timestamp_parse((struct text){padded, (uint32_t)size + 2}, &context, &again));
    check(micros == again);
    free(padded);
    return 0;
}
