/* open_file.c: files that stay open: read at positions, as a stream, or appended to.
 *
 * All go through `disk`, so that tests can fail each call. The owner of a file may truncate it
 * while it is read: file_reader_read() then gives less, and a stream an error (ENODATA), because
 * stdio would take an early end for the real one. Appending is not durable before
 * file_append_sync(), and a failed close counts as a failed write: some file systems report it only
 * then. */
#include "base/disk/open_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/disk/disk.h"
#include "base/disk/disk_error.h"
#include "base/text.h"

/* ---- reading ---- */

/* It is opened before it is looked at, so that one that goes in between was not there, or is read.
 * O_NONBLOCK: not to wait for the other end of what turns out to be a pipe. */
bool file_reader_open(struct file_reader *reader, const char *path, bool *found,
                      struct error *err) {
    struct stat status;
    *reader = (struct file_reader){.fd = disk->open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0)};
    *found = reader->fd >= 0;
    if (reader->fd < 0)
        return errno == ENOENT || disk_error(err, "open", path);
    if (disk->fstat(reader->fd, &status) != 0) {
        (void)disk_error(err, "read the status of", path);
        file_reader_close(reader);
        return false;
    }
    reader->is_file = S_ISREG(status.st_mode);
    reader->size = status.st_size;
    reader->path = text_copy(path);
    return true;
}

void file_reader_close(struct file_reader *reader) {
    if (reader->fd >= 0)
        (void)disk->close(reader->fd); // nothing was written through it
    free(reader->path);
    *reader = (struct file_reader){.fd = -1};
}

bool file_reader_read(const struct file_reader *reader, int64_t at, void *bytes, size_t size,
                      size_t *got, struct error *err) {
    *got = 0;
    while (*got < size) {
        ssize_t step =
            disk->read_at(reader->fd, (char *)bytes + *got, size - *got, at + (off_t)*got);
        if (step < 0 && errno == EINTR)
            continue;
        if (step < 0)
            return disk_error(err, "read", reader->path);
        if (step == 0)
            break;
        *got += (size_t)step;
    }
    return true;
}

static bool open_existing(struct file_reader *reader, const char *path, struct error *err) {
    bool found;
    return file_reader_open(reader, path, &found, err) &&
           (found || error_set(err, ERROR_RETRY, "'%s' is missing", path));
}

static bool compare_bytes(const struct file_reader *a, const struct file_reader *b, bool *same,
                          struct error *err) {
    enum { STEP = 16 << 10 };
    char bytes[STEP], other[STEP];
    size_t got = STEP, got_other;
    bool ok = true;
    *same = a->size == b->size;
    for (int64_t at = 0; ok && *same && got == STEP; at += STEP) {
        ok = file_reader_read(a, at, bytes, STEP, &got, err) &&
             file_reader_read(b, at, other, STEP, &got_other, err);
        *same = ok && got == got_other && memcmp(bytes, other, got) == 0;
    }
    return ok;
}

bool file_has_same_bytes(const char *a, const char *b, bool *same, struct error *err) {
    struct file_reader first, second;
    if (!open_existing(&first, a, err))
        return false;
    bool opened = open_existing(&second, b, err);
    bool done = opened && compare_bytes(&first, &second, same, err);
    if (opened)
        file_reader_close(&second);
    file_reader_close(&first);
    return done;
}

/* What a FILE reads from. */
struct stream {
    struct file_reader file;
    int64_t at;
};

static ssize_t stream_read(void *cookie, char *bytes, size_t size) {
    struct stream *stream = cookie;
    size_t got;
    struct error ignored; // errno says the same, and is all that stdio can hand on
    if (!file_reader_read(&stream->file, stream->at, bytes, size, &got, &ignored))
        return -1;
    stream->at += (int64_t)got;
    if (got > 0 || stream->at >= stream->file.size)
        return (ssize_t)got;
    errno = ENODATA; // cut off since it was opened
    return -1;
}

static int stream_close(void *cookie) {
    struct stream *stream = cookie;
    file_reader_close(&stream->file);
    free(stream);
    return 0;
}

bool file_stream_open(const char *path, FILE **stream, struct error *err) {
    static const cookie_io_functions_t calls = {.read = stream_read, .close = stream_close};
    struct file_reader file;
    bool found;
    *stream = NULL;
    if (!file_reader_open(&file, path, &found, err))
        return false;
    if (!found)
        return true;
    struct stream *cookie = must_alloc(1, sizeof *cookie);
    cookie->file = file;
    *stream = fopencookie(cookie, "r", calls);
    check(*stream != NULL);
    return true;
}

/* ---- appending ---- */

bool file_append_open(struct file_append *file, const char *path, bool create, struct error *err) {
    int flags = O_WRONLY | O_APPEND | O_CLOEXEC | (create ? O_CREAT | O_EXCL : 0);
    *file = (struct file_append){.fd = disk->open(path, flags, 0644), .path = path};
    return file->fd >= 0 || disk_error(err, "create", path);
}

bool file_append_write(struct file_append *file, const void *bytes, size_t size,
                       struct error *err) {
    return disk_write_all(file->fd, bytes, size) || disk_error(err, "write", file->path);
}

bool file_append_sync(struct file_append *file, struct error *err) {
    return disk->fsync(file->fd) == 0 || disk_error(err, "sync", file->path);
}

bool file_append_close(struct file_append *file, struct error *err) {
    int fd = file->fd;
    file->fd = -1;
    return disk->close(fd) == 0 || disk_error(err, "close", file->path);
}

void file_append_abandon(struct file_append *file) {
    if (file->fd >= 0)
        (void)disk->close(file->fd);
    file->fd = -1;
}
