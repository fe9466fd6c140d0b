#include "pipeline/parquet/read/input.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/disk/disk_error.h"

bool input_open(struct input *input, const char *path, struct error *err) {
    struct stat status;
    *input = (struct input){.fd = open(path, O_RDONLY | O_CLOEXEC)};
    if (input->fd < 0 && errno == ENOENT)
        return error_set(err, ERROR_STATE, "'%s' is not there", path);
    if (input->fd < 0)
        return disk_error(err, "open", path);
    if (fstat(input->fd, &status) != 0) {
        (void)disk_error(err, "look at", path);
        (void)close(input->fd); // nothing was written through it
        return false;
    }
    input->size = status.st_size;
    input->name = strdup(path);
    check(input->name != NULL);
    return true;
}

void input_open_memory(struct input *input, const uint8_t *bytes, size_t size) {
    *input = (struct input){.fd = -1, .memory = bytes, .size = (int64_t)size};
    input->name = strdup("(memory)");
    check(input->name != NULL);
}

void input_close(struct input *input) {
    if (input->name != NULL && input->fd >= 0)
        (void)close(input->fd); // nothing was written through it
    free(input->name);
    *input = (struct input){.fd = -1};
}

static bool read_all(const struct input *input, int64_t at, uint8_t *to, size_t size,
                     struct error *err) {
    while (size > 0) {
        ssize_t got = pread(input->fd, to, size, at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return disk_error(err, "read", input->name);
        if (got == 0)
            return error_set(err, ERROR_STATE, "'%s' got shorter while it was read", input->name);
        to += got;
        at += got;
        size -= (size_t)got;
    }
    return true;
}

bool input_read(const struct input *input, int64_t at, size_t size, struct bytes *out,
                struct error *err) {
    out->size = 0;
    if (at < 0 || at > input->size || (uint64_t)(input->size - at) < size)
        return error_set(err, ERROR_STATE,
                         "'%s': damaged: %zu bytes at %lld are asked for, it has %lld", input->name,
                         size, (long long)at, (long long)input->size);
    uint8_t *to = bytes_reserve(out, size + 1);
    out->size = size;
    if (input->memory == NULL)
        return read_all(input, at, to, size, err);
    memcpy(to, input->memory + at, size);
    return true;
}
