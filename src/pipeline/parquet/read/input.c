#include "pipeline/parquet/read/input.h"

#include <string.h>

bool input_open(struct input *input, const char *path, struct error *err) {
    bool found;
    *input = (struct input){.file.fd = -1};
    if (!file_reader_open(&input->file, path, &found, err))
        return false;
    if (!found)
        return error_set(err, ERROR_STATE, "'%s' does not exist", path);
    input->size = input->file.size;
    input->name = input->file.path;
    return true;
}

void input_open_memory(struct input *input, const uint8_t *bytes, size_t size) {
    *input =
        (struct input){.name = "(memory)", .file.fd = -1, .memory = bytes, .size = (int64_t)size};
}

void input_close(struct input *input) {
    if (input->name != NULL)
        file_reader_close(&input->file);
    *input = (struct input){.file.fd = -1};
}

static bool read_all(const struct input *input, int64_t at, uint8_t *to, size_t size,
                     struct error *err) {
    size_t got;
    if (!file_reader_read(&input->file, at, to, size, &got, err))
        return false;
    return got == size ||
           error_set(err, ERROR_STATE, "'%s' was truncated while it was being read", input->name);
}

bool input_read(const struct input *input, int64_t at, size_t size, struct bytes *out,
                struct error *err) {
    out->size = 0;
    if (at < 0 || at > input->size || (uint64_t)(input->size - at) < size)
        return error_set(
            err, ERROR_STATE,
            "'%s' is damaged: it refers to %zu bytes at offset %lld, but has only %lld bytes",
            input->name, size, (long long)at, (long long)input->size);
    uint8_t *to = bytes_reserve(out, size + 1);
    out->size = size;
    if (input->memory == NULL)
        return read_all(input, at, to, size, err);
    memcpy(to, input->memory + at, size);
    return true;
}
