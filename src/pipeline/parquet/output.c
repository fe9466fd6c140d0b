#include "pipeline/parquet/output.h"

#include "base/disk/disk.h"
#include "base/disk/disk_error.h"
#include "base/system/clock.h"

enum { PENDING_MAX = 256 * 1024 }; // bytes

static bool output_failed(const struct output *output, const char *what, struct error *err) {
    return disk_error(err, what, output->path);
}

bool output_open(struct output *output, const char *path, int64_t offset, struct bytes *pending,
                 struct error *err) {
    pending->size = 0;
    *output = (struct output){.path = path, .offset = offset, .pending = pending};
    int flags = O_WRONLY | O_APPEND | O_CLOEXEC | (offset == 0 ? O_CREAT | O_EXCL : 0);
    int64_t began_ns = clock_stopwatch_ns();
    output->fd = disk->open(path, flags, 0644);
    output->busy_ns += clock_stopwatch_ns() - began_ns;
    return output->fd >= 0 || output_failed(output, "create", err);
}

static bool write_all(struct output *output, const uint8_t *bytes, size_t size, struct error *err) {
    int64_t began_ns = clock_stopwatch_ns();
    bool done = disk_write_all(output->fd, bytes, size);
    output->busy_ns += clock_stopwatch_ns() - began_ns;
    return done || output_failed(output, "write", err);
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
    if (output->fd >= 0)
        (void)disk->close(output->fd); // the file is going to be removed
    output->fd = -1;
}

bool output_close(struct output *output, struct error *err) {
    bool done = write_pending(output, err);
    int64_t began_ns = clock_stopwatch_ns();
    if (done && disk->fsync(output->fd) != 0)
        done = output_failed(output, "sync", err);
    output->busy_ns += clock_stopwatch_ns() - began_ns;
    if (!done) {
        output_abandon(output);
        return false;
    }
    int fd = output->fd;
    output->fd = -1;
    return disk->close(fd) == 0 || output_failed(output, "close", err);
}
