#include "pipeline/parquet/output.h"

#include "base/system/clock.h"

enum { PENDING_MAX = 256 * 1024 }; // bytes

bool output_open(struct output *output, const char *path, int64_t offset, struct bytes *pending,
                 struct error *err) {
    pending->size = 0;
    *output = (struct output){.offset = offset, .pending = pending};
    int64_t began_ns = clock_stopwatch_ns();
    bool opened = file_append_open(&output->file, path, offset == 0, err);
    output->busy_ns += clock_stopwatch_ns() - began_ns;
    return opened;
}

static bool write_all(struct output *output, const uint8_t *bytes, size_t size, struct error *err) {
    int64_t began_ns = clock_stopwatch_ns();
    bool done = file_append_write(&output->file, bytes, size, err);
    output->busy_ns += clock_stopwatch_ns() - began_ns;
    return done;
}

static bool write_pending(struct output *output, struct error *err) {
    size_t size = output->pending->size;
    output->pending->size = 0;
    return write_all(output, output->pending->at, size, err);
}

bool output_write(struct output *output, const void *bytes, size_t size, struct error *err) {
    output->offset += (int64_t)size;
    if (output->pending->size + size > PENDING_MAX && !write_pending(output, err))
        return false;
    if (size > PENDING_MAX)
        return write_all(output, bytes, size, err);
    bytes_append(output->pending, bytes, size);
    return true;
}

void output_abandon(struct output *output) {
    file_append_abandon(&output->file); // it is going to be removed
}

bool output_close(struct output *output, struct error *err) {
    bool done = write_pending(output, err);
    int64_t began_ns = clock_stopwatch_ns();
    done = done && file_append_sync(&output->file, err);
    output->busy_ns += clock_stopwatch_ns() - began_ns;
    if (done)
        return file_append_close(&output->file, err);
    output_abandon(output);
    return false;
}
