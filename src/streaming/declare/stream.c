#include "streaming/declare/stream.h"

#include <stddef.h>

const struct stream *const streams[] = {&match_stream, &player_stream, NULL};

void stream_schema(const struct stream *stream, struct schema *schema) {
    schema_init(schema, stream->record, stream->derived, stream->derived_count);
}
