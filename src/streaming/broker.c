#include "streaming/broker.h"

#include <stdlib.h>

void topic_offsets_deinit(struct topic_offsets *offsets) {
    free(offsets->partitions);
    *offsets = (struct topic_offsets){0};
}
