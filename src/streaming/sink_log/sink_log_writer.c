#include "streaming/sink_log/sink_log_writer.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "streaming/sink_log/sink_log_file.h"

enum { BUFFER_SIZE = 64 << 10 };

bool sink_log_writer_open(struct sink_log_writer *writer, const char *directory, const char *name,
                          struct error *err) {
    *writer = (struct sink_log_writer){.draft.fd = -1};
    if (!file_draft_open(&writer->draft, directory, name, err))
        return false;
    writer->buffer = must_alloc(BUFFER_SIZE, 1);
    memcpy(writer->buffer, "v1", 2);
    writer->used = 2;
    return true;
}

void sink_log_writer_discard(struct sink_log_writer *writer) {
    file_draft_discard(&writer->draft);
    free(writer->buffer);
    writer->buffer = NULL;
}

static bool put(struct sink_log_writer *writer, const char *bytes, size_t size, struct error *err) {
    if (writer->used + size > BUFFER_SIZE) {
        if (!file_draft_write(&writer->draft, writer->buffer, writer->used, err))
            return false;
        writer->used = 0;
    }
    if (size > BUFFER_SIZE)
        return file_draft_write(&writer->draft, bytes, size, err);
    memcpy(writer->buffer + writer->used, bytes, size);
    writer->used += size;
    return true;
}

bool sink_log_writer_add(struct sink_log_writer *writer, const char *line, struct error *err) {
    writer->entries++;
    return put(writer, "\n", 1, err) && put(writer, line, strlen(line), err);
}

bool sink_log_writer_replace(struct sink_log_writer *writer, struct error *err) {
    bool ok = file_draft_write(&writer->draft, writer->buffer, writer->used, err) &&
              file_draft_replace(&writer->draft, err);
    sink_log_writer_discard(writer);
    return ok;
}

struct log_layout log_layout_of(int64_t last, int64_t interval) {
    int64_t compacted = (last + 1) / interval * interval - 1;
    struct log_layout layout = {.last = last, .compact = compacted >= 0};
    layout.first = layout.compact ? compacted : 0;
    layout.holder = layout.compact ? compacted : last;
    sink_log_file_name(layout.holder, layout.compact, layout.name);
    return layout;
}

bool log_layout_write_empty(const struct log_layout *layout, const char *directory,
                            struct error *err) {
    for (int64_t batch = layout->first; batch <= layout->last; batch++) {
        char name[SINK_LOG_NAME_MAX];
        sink_log_file_name(batch, false, name);
        if (batch != layout->holder && !file_replace(directory, name, "v1", 2, err))
            return false;
    }
    return true;
}
