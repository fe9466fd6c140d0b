#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../faulty_reads.h"
#include "base/check.h"
#include "base/disk/file.h"
#include "base/disk/file_lock.h"
#include "base/disk/open_file.h"

static char root[64];

static int set_up(void **state) {
    (void)state;
    struct error err;
    (void)snprintf(root, sizeof root, "/tmp/open-file-XXXXXX");
    check(mkdtemp(root) != NULL);
    return file_publish(root, "7", "0123456789", 10, &err) ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    disk = &disk_real;
    file_discard_tree(root);
    return 0;
}

static void open_seven(struct file_reader *reader) {
    struct error err;
    bool found;
    assert_true(file_reader_open(reader, file_join(root, "7").text, &found, &err));
    assert_true(found);
    assert_int_equal(reader->size, 10);
}

static void bytes_are_read_from_anywhere(void **state) {
    (void)state;
    static const struct {
        int64_t at;
        size_t size;
        const char *bytes;
    } cases[] = {{0, 10, "0123456789"}, {3, 2, "34"}, {8, 5, "89"}, {10, 1, ""}, {0, 0, ""}};
    struct file_reader reader;
    struct error err;
    open_seven(&reader);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char bytes[16] = "";
        size_t got;
        assert_true(file_reader_read(&reader, cases[i].at, bytes, cases[i].size, &got, &err));
        assert_int_equal(got, strlen(cases[i].bytes));
        assert_string_equal(bytes, cases[i].bytes);
    }
    file_reader_close(&reader);
}

static char *bytes_with(size_t size, size_t at, char byte) {
    char *bytes = must_alloc(size + 1, 1);
    memset(bytes, 'a', size);
    if (at < size)
        bytes[at] = byte;
    return bytes;
}

static void publish_bytes(const char *name, size_t size, size_t at, char byte) {
    struct error err;
    char *bytes = bytes_with(size, at, byte);
    assert_true(file_replace(root, name, bytes, size, &err));
    free(bytes);
}

static void files_are_compared_by_their_bytes(void **state) {
    (void)state;
    enum { STEP = 16 << 10, TWO_STEPS = 32 << 10, NONE = INT32_MAX };
    static const struct {
        size_t size, at, other_size;
        bool same;
    } cases[] = {
        {0, NONE, 0, true},
        {0, NONE, 1, false},
        {7, NONE, 7, true},
        {7, 6, 7, false},
        {7, NONE, 8, false},
        {STEP, NONE, STEP, true},
        {STEP, STEP - 1, STEP, false},
        {TWO_STEPS + 1, NONE, TWO_STEPS + 1, true},
        {TWO_STEPS + 1, TWO_STEPS, TWO_STEPS + 1, false},
        {TWO_STEPS + 1, STEP, TWO_STEPS + 1, false},
    };
    struct file_path a = file_join(root, "a"), b = file_join(root, "b");
    struct error err;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool same;
        publish_bytes("a", cases[i].size, cases[i].at, 'b');
        publish_bytes("b", cases[i].other_size, NONE, 'a');
        assert_true(file_has_same_bytes(a.text, b.text, &same, &err));
        assert_int_equal(same, cases[i].same);
        assert_true(file_has_same_bytes(b.text, a.text, &same, &err));
        assert_int_equal(same, cases[i].same);
    }
}

static void a_file_that_is_missing_cannot_be_compared(void **state) {
    (void)state;
    struct file_path there = file_join(root, "7"), missing = file_join(root, "8");
    struct error err;
    bool same;
    assert_false(file_has_same_bytes(there.text, missing.text, &same, &err));
    assert_int_equal(err.kind, ERROR_RETRY);
    assert_false(file_has_same_bytes(missing.text, there.text, &same, &err));
    assert_int_equal(err.kind, ERROR_RETRY);
}

static ssize_t read_little(int fd, void *bytes, size_t size, off_t at) {
    static int calls;
    if (++calls % 2 == 0) {
        errno = EINTR;
        return -1;
    }
    return pread(fd, bytes, size < 3 ? size : 3, at);
}

static void short_and_interrupted_reads_are_continued(void **state) {
    (void)state;
    struct disk_ops ops = disk_real;
    struct file_reader reader;
    struct error err;
    char bytes[11] = "";
    size_t got;
    ops.read_at = read_little;
    disk = &ops;
    open_seven(&reader);
    assert_true(file_reader_read(&reader, 0, bytes, 10, &got, &err));
    assert_int_equal(got, 10);
    assert_string_equal(bytes, "0123456789");
    file_reader_close(&reader);
}

static void assert_names(const struct error *err, const char *name) {
    struct file_path path = file_join(root, name);
    assert_int_equal(err->kind, ERROR_RETRY);
    if (strstr(err->message, path.text) == NULL)
        fail_msg("'%s' does not name '%s'", err->message, path.text);
}

static void a_read_that_fails_names_the_file(void **state) {
    (void)state;
    struct file_reader reader;
    struct error err = {0};
    char bytes[10], *content;
    size_t got;
    open_seven(&reader);
    faulty_reads_begin("/7", EIO, 0);
    assert_false(file_reader_read(&reader, 0, bytes, sizeof bytes, &got, &err));
    assert_names(&err, "7");
    err = (struct error){0};
    assert_false(file_read(file_join(root, "7").text, 10, &content, &got, &err));
    assert_names(&err, "7");
    file_reader_close(&reader);
}

static void a_file_that_is_cut_off_ends_there(void **state) {
    (void)state;
    struct file_reader reader;
    struct error err = {0};
    char bytes[10];
    size_t got;
    open_seven(&reader);
    faulty_reads_begin("/7", 0, 4);
    assert_true(file_reader_read(&reader, 2, bytes, 8, &got, &err));
    assert_int_equal(got, 2);
    file_reader_close(&reader);
}

static void a_stream_tells_an_end_from_an_error(void **state) {
    (void)state;
    static const struct {
        int error_number;
        off_t cut;
        int expected;
    } cases[] = {{0, 10, 0}, {EIO, 0, EIO}, {0, 4, ENODATA}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        FILE *stream;
        char *line = NULL;
        size_t capacity = 0;
        struct error err = {0};
        faulty_reads_begin("/7", cases[i].error_number, cases[i].cut);
        assert_true(file_stream_open(file_join(root, "7").text, &stream, &err));
        assert_non_null(stream);
        errno = 0;
        while (getline(&line, &capacity, stream) >= 0)
            assert_int_equal(strncmp(line, "0123456789", strlen(line)), 0);
        assert_int_equal(errno, cases[i].expected);
        assert_int_equal(ferror(stream) != 0, cases[i].expected != 0);
        assert_int_equal(fclose(stream), 0);
        free(line);
        disk = &disk_real;
    }
}

static void a_missing_file_is_not_found(void **state) {
    (void)state;
    struct file_path path = file_join(root, "8");
    struct file_reader reader;
    struct error err;
    FILE *stream;
    bool found = true;
    assert_true(file_reader_open(&reader, path.text, &found, &err));
    assert_false(found);
    assert_true(file_stream_open(path.text, &stream, &err));
    assert_null(stream);
}

static void a_lock_that_can_not_be_had_names_its_file(void **state) {
    (void)state;
    char holder[FILE_LOCK_HOLDER_MAX];
    struct error err = {0};
    int fd;
    bool taken;
    faulty_reads_begin("/lock", EIO, 0);
    assert_false(file_lock_take(file_join(root, "lock").text, &fd, &taken, holder, &err));
    assert_false(taken);
    assert_int_equal(fd, -1);
    assert_names(&err, "lock");
}

static void a_lock_has_one_holder(void **state) {
    (void)state;
    struct file_path path = file_join(root, "lock");
    char holder[FILE_LOCK_HOLDER_MAX], pid[32];
    struct error err = {0};
    int first, second;
    bool taken, held;
    (void)snprintf(pid, sizeof pid, " pid=%ld ", (long)getpid());
    assert_true(file_lock_take(path.text, &first, &taken, holder, &err));
    assert_true(taken);
    assert_true(file_lock_add_words(path.text, "and=more", &err));
    assert_true(file_lock_take(path.text, &second, &taken, holder, &err));
    assert_false(taken);
    assert_non_null(strstr(holder, pid));
    assert_non_null(strstr(holder, " and=more"));
    assert_true(file_lock_look(path.text, &held, holder, &err));
    assert_true(held);
    file_lock_release(&first);
    assert_int_equal(first, -1);
    assert_true(file_lock_look(path.text, &held, holder, &err));
    assert_false(held);
    assert_string_equal(holder, "");
}

static void a_lock_whose_file_was_moved_or_replaced_keeps_nobody_out(void **state) {
    (void)state;
    struct file_path path = file_join(root, "lock"), other = file_join(root, "other");
    char holder[FILE_LOCK_HOLDER_MAX];
    struct error err = {0};
    int fd;
    bool taken, holds;
    assert_true(file_lock_take(path.text, &fd, &taken, holder, &err));
    assert_true(file_lock_holds(path.text, fd, &holds, &err));
    assert_true(holds);
    assert_int_equal(rename(path.text, other.text), 0);
    assert_true(file_lock_holds(path.text, fd, &holds, &err));
    assert_false(holds);
    assert_true(file_replace(root, "lock", "", 0, &err));
    assert_true(file_lock_holds(path.text, fd, &holds, &err));
    assert_false(holds);
    assert_int_equal(rename(other.text, path.text), 0);
    assert_true(file_lock_holds(path.text, fd, &holds, &err));
    assert_true(holds);
    file_lock_release(&fd);
}

#define ON_DISK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_DISK(bytes_are_read_from_anywhere),
        ON_DISK(files_are_compared_by_their_bytes),
        ON_DISK(a_file_that_is_missing_cannot_be_compared),
        ON_DISK(short_and_interrupted_reads_are_continued),
        ON_DISK(a_read_that_fails_names_the_file),
        ON_DISK(a_file_that_is_cut_off_ends_there),
        ON_DISK(a_stream_tells_an_end_from_an_error),
        ON_DISK(a_missing_file_is_not_found),
        ON_DISK(a_lock_that_can_not_be_had_names_its_file),
        ON_DISK(a_lock_has_one_holder),
        ON_DISK(a_lock_whose_file_was_moved_or_replaced_keeps_nobody_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
