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
    *input = (struct input){.name = "(memory)",
                            .file.fd = -1,
                            .memory = bytes,
                            .memory_size = size,
                            .size = (int64_t)size};
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

static bool is_inside(const struct input *input, int64_t at, size_t size, struct error *err) {
    if (at >= 0 && at <= input->size && (uint64_t)(input->size - at) >= size)
        return true;
    return error_set(
        err, ERROR_STATE,
        "'%s' is damaged: it refers to %zu bytes at offset %lld, but has only %lld bytes",
        input->name, size, (long long)at, (long long)input->size);
}

/* NULL: not all of it is in memory. */
static const uint8_t *find_in_memory(const struct input *input, int64_t at, size_t size) {
    if (input->memory == NULL || at < input->memory_at || size > input->memory_size ||
        (uint64_t)(at - input->memory_at) > input->memory_size - size)
        return NULL;
    return input->memory + (at - input->memory_at);
}

bool input_view(const struct input *input, int64_t at, size_t size, struct bytes *room,
                const uint8_t **bytes, struct error *err) {
    if (!is_inside(input, at, size, err))
        return false;
    *bytes = find_in_memory(input, at, size);
    if (*bytes != NULL)
        return true;
    room->size = 0;
    uint8_t *to = bytes_reserve(room, size + 1);
    *bytes = to;
    room->size = size;
    return read_all(input, at, to, size, err);
}

bool input_load(struct input *input, int64_t at, size_t size, struct bytes *room,
                struct error *err) {
    const uint8_t *bytes;
    input->memory = NULL;
    if (!input_view(input, at, size, room, &bytes, err))
        return false;
    input->memory = bytes;
    input->memory_at = at;
    input->memory_size = size;
    return true;
}

bool input_read(const struct input *input, int64_t at, size_t size, struct bytes *out,
                struct error *err) {
    const uint8_t *bytes;
    if (!input_view(input, at, size, out, &bytes, err))
        return false;
    if (bytes != out->at) {
        out->size = 0;
        bytes_append(out, bytes, size);
    }
    return true;
}
