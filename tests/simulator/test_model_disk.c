/* test_model_disk.c: what a power cut leaves of the model disk, its faults, its sites. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/disk/disk.h"
#include "base/disk/file.h"
#include "base/disk/file_lock.h"
#include "base/disk/open_file.h"
#include "base/system/clock.h"
#include "model_disk.h"
#include "scheduler.h"

/* A function that the compiler leaves as it is, so that a site has its name. */
#ifdef __clang__
#define APART __attribute__((noinline, optnone))
#else
#define APART __attribute__((noipa))
#endif

/* ---- a world ---- */

static int64_t now_us = 1000000, passed_ms;

static int64_t wall_ms(void) {
    return now_us / 1000;
}

static int64_t monotonic_us(void) {
    return now_us;
}

static const struct clock_ops test_clock = {wall_ms, monotonic_us};

void scheduler_pass(int64_t ms) {
    now_us += ms * 1000;
    passed_ms += ms;
}

static struct error err;
static long calls, changes, end_at; // the call at which end() is called
static void (*end)(void);
static char trace[4096];

static void on_call(enum disk_call call, bool changes_disk, const char *text) {
    (void)call;
    calls++;
    changes += changes_disk;
    (void)snprintf(trace, sizeof trace, "%s", text);
    if (end != NULL && calls == end_at)
        end();
}

static void begin(uint64_t seed) {
    if (disk != &disk_real)
        model_disk_end(); // of a test that has failed
    calls = changes = end_at = 0;
    end = NULL;
    model_disk_begin(random_fork(seed, 1), on_call);
    assert_true(file_make_directory("/lake/a", &err) && file_make_directory("/lake/b", &err));
}

static void cut_and_restart(void) {
    model_disk_cut_power();
    model_disk_restart();
}

static bool has(const char *path, const char *text) {
    size_t size;
    const char *bytes = model_disk_bytes(path, &size);
    return bytes != NULL && size == strlen(text) && memcmp(bytes, text, size) == 0;
}

static bool is_there(const char *path) {
    size_t size;
    return model_disk_bytes(path, &size) != NULL;
}

static int make(const char *path, const char *text) {
    int fd = disk->open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(disk->write(fd, text, strlen(text)), strlen(text));
    return fd;
}

static void make_synced(const char *path, const char *text) {
    int fd = make(path, text);
    assert_int_equal(disk->fsync(fd), 0);
    assert_int_equal(disk->close(fd), 0);
}

static APART bool publish(const char *name, const char *text) {
    return file_publish("/lake/a", name, text, strlen(text), &err);
}

/* ---- power cuts ---- */

static void test_a_published_file_survives_every_power_cut(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 500; seed++) {
        begin(seed);
        assert_true(publish("x", "all of it"));
        (void)make("/lake/a/y", "never synced");
        cut_and_restart();
        assert_true(has("/lake/a/x", "all of it"));
        model_disk_end();
    }
}

static void test_a_name_is_lost_or_kept_if_its_directory_was_not_synced(void **state) {
    (void)state;
    int kept = 0, lost = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        begin(seed);
        make_synced("/lake/a/x", "content");
        cut_and_restart();
        kept += has("/lake/a/x", "content");
        lost += !is_there("/lake/a/x");
        model_disk_end();
    }
    assert_int_equal(kept + lost, 200); // its bytes were synced
    assert_true(kept > 20 && lost > 20);
}

static void test_a_file_renamed_before_its_sync_may_be_short_or_zeros(void **state) {
    (void)state;
    int whole = 0, empty = 0, zeros = 0, old = 0, shorter = 0;
    for (uint64_t seed = 0; seed < 400; seed++) {
        size_t size;
        begin(seed);
        assert_true(publish("x", "old content"));
        assert_int_equal(disk->close(make("/lake/a/t", "new content!")), 0);
        assert_int_equal(disk->rename("/lake/a/t", "/lake/a/x"), 0);
        assert_true(file_sync_directory("/lake/a", &err));
        cut_and_restart();
        const char *bytes = model_disk_bytes("/lake/a/x", &size);
        assert_non_null(bytes);
        assert_false(is_there("/lake/a/t"));
        whole += has("/lake/a/x", "new content!");
        old += has("/lake/a/x", "old content");
        empty += size == 0;
        zeros += size == 12 && memcmp(bytes, "\0\0\0\0\0\0\0\0\0\0\0", 12) == 0;
        shorter += size > 0 && size < 12;
        model_disk_end();
    }
    assert_true(whole > 0 && empty > 0 && zeros > 0 && shorter > 0);
    assert_int_equal(old, 0);
}

/* A file of `size` bytes that are all `fill`, synced or not. */
static void fill_file(const char *path, char fill, size_t size, bool synced) {
    char bytes[2048];
    memset(bytes, fill, size);
    int fd = disk->open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_int_equal(disk->write(fd, bytes, size), size);
    assert_true(!synced || disk->fsync(fd) == 0);
    assert_int_equal(disk->close(fd), 0);
}

static void test_a_file_that_is_cut_and_written_again_may_be_old_new_short_or_zeros(void **state) {
    (void)state;
    int old = 0, new = 0, shorter = 0, zeros = 0;
    for (uint64_t seed = 0; seed < 400; seed++) {
        size_t size;
        begin(seed);
        fill_file("/lake/a/x", 'o', 1500, true);
        assert_true(file_sync_directory("/lake/a", &err));
        fill_file("/lake/a/x", 'n', 1200, false);
        cut_and_restart();
        const char *bytes = model_disk_bytes("/lake/a/x", &size);
        assert_true(size <= 1500);
        old += size == 1500 && memchr(bytes, 'n', size) == NULL && bytes[0] == 'o';
        new += size == 1200 && memchr(bytes, 'o', size) == NULL &&bytes[0] == 'n';
        shorter += size < 1200;
        zeros += size > 0 && bytes[0] == '\0';
        model_disk_end();
    }
    assert_true(old > 0 && new > 0 && shorter > 0 && zeros > 0);
}

static mode_t mode_of(const char *path) {
    struct file_status status;
    assert_true(file_look(path, &status, &err));
    return status.mode;
}

static void test_access_rights_are_safe_once_they_are_synced(void **state) {
    (void)state;
    int lost = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        begin(seed);
        assert_int_equal(disk->chmod("/lake/a", 02770), 0);
        assert_int_equal(disk->chmod("/lake/b", 02770), 0);
        assert_true(file_sync_directory("/lake/a", &err));
        cut_and_restart();
        assert_int_equal(mode_of("/lake/a"), 02770);
        lost += mode_of("/lake/b") == 0755;
        assert_true(mode_of("/lake/b") == 0755 || mode_of("/lake/b") == 02770);
        model_disk_end();
    }
    assert_true(lost > 0 && lost < 100);
}

static void test_a_call_on_two_directories_may_come_through_in_one(void **state) {
    (void)state;
    int before = 0, after = 0, both = 0;
    for (uint64_t seed = 0; seed < 400; seed++) {
        begin(seed);
        assert_true(file_make_directory("/lake/a/x", &err));
        make_synced("/lake/a/x/file", "1");
        assert_true(file_sync_directory("/lake/a/x", &err));
        assert_int_equal(disk->rename("/lake/a/x", "/lake/b/x"), 0);
        cut_and_restart();
        bool old = has("/lake/a/x/file", "1"), new = has("/lake/b/x/file", "1");
        before += old && !new;
        after += !old && new;
        both += old && new;
        assert_true(old || new);
        if (old && new) { // two, not one with two names
            assert_int_equal(disk->unlink("/lake/a/x/file"), 0);
            assert_true(has("/lake/b/x/file", "1"));
        }
        model_disk_end();
    }
    assert_true(before > 0 && after > 0 && both > 0);
}

static void test_directories_are_exchanged_in_both_or_one_after_a_power_cut(void **state) {
    (void)state;
    int counts[2][2] = {{0}};
    for (uint64_t seed = 0; seed < 400; seed++) {
        begin(seed);
        make_synced("/lake/a/file", "1");
        make_synced("/lake/b/file", "2");
        assert_true(file_make_directory("/other/c", &err));
        make_synced("/other/c/file", "3");
        assert_true(file_sync_directory("/lake/a", &err) && file_sync_directory("/other/c", &err));
        assert_int_equal(disk->exchange("/lake/a", "/other/c"), 0);
        assert_true(has("/lake/a/file", "3") && has("/other/c/file", "1"));
        cut_and_restart();
        bool here = has("/lake/a/file", "3"), there = has("/other/c/file", "1");
        assert_true(here || has("/lake/a/file", "1"));
        assert_true(there || has("/other/c/file", "3"));
        counts[here][there]++;
        model_disk_end();
    }
    assert_true(counts[0][0] > 0 && counts[0][1] > 0 && counts[1][0] > 0 && counts[1][1] > 0);
}

static void test_a_directory_is_never_lost_into_itself(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 400; seed++) {
        begin(seed);
        assert_true(file_make_directory("/lake/a/x", &err));
        assert_int_equal(disk->rename("/lake/a/x", "/lake/b/x"), 0);
        assert_int_equal(disk->rename("/lake/b", "/lake/a/b"), 0);
        assert_int_equal(disk->rename("/lake/a/b/x", "/x"), 0);
        assert_int_equal(disk->rename("/lake/a", "/x/a"), 0);
        cut_and_restart();
        (void)model_disk_hash(); // ends
        model_disk_end();
    }
}

static void test_a_file_that_moves_is_never_lost(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 400; seed++) {
        begin(seed);
        assert_true(publish("x", "1"));
        assert_int_equal(disk->rename("/lake/a/x", "/lake/b/x"), 0);
        assert_int_equal(disk->close(make("/lake/a/y", "2")), 0);
        if (seed % 2 == 0)
            assert_true(file_sync_directory("/lake/a", &err));
        cut_and_restart();
        assert_true(has("/lake/a/x", "1") || has("/lake/b/x", "1"));
        model_disk_end();
    }
}

/* A history of three directories and their files, kept next to the model's. */
enum { DIRECTORIES = 3, SLOTS = 5, MOMENTS = 400, INODES = 400, SIZE_MAX_ = 3000 };

struct moment {
    ino_t inodes[SLOTS]; // by name; 0: none
};

static struct {
    struct random chance;
    struct moment moments[DIRECTORIES][MOMENTS];
    int first[DIRECTORIES], last[DIRECTORIES]; // since its sync, and now
    struct known {
        unsigned char now[SIZE_MAX_], synced[SIZE_MAX_];
        size_t size, synced_size, least, most;
    } files[INODES]; // by inode
} known;

static const char *slot_path(int directory, int slot) {
    static char paths[2][64];
    static int next;
    next = 1 - next;
    (void)snprintf(paths[next], sizeof paths[next], "/d%d/f%d", directory, slot);
    return paths[next];
}

static int draw(int count) {
    return (int)random_below(&known.chance, (uint64_t)count);
}

static struct moment *moment_now(int directory) {
    return &known.moments[directory][known.last[directory]];
}

static void known_name(int directory, int slot, ino_t inode) {
    struct moment next = *moment_now(directory);
    next.inodes[slot] = inode;
    known.last[directory]++;
    assert_true(known.last[directory] < MOMENTS);
    *moment_now(directory) = next;
}

static ino_t inode_of(const char *path) {
    struct stat status;
    return disk->stat(path, &status) == 0 ? status.st_ino : 0;
}

static void known_size(struct known *file, size_t size) {
    if (size > file->size)
        memset(file->now + file->size, 0, size - file->size);
    file->size = size;
    file->least = size < file->least ? size : file->least;
    file->most = size > file->most ? size : file->most;
}

static void step_write(int directory, int slot) {
    static const int flags[] = {O_WRONLY, O_WRONLY | O_APPEND, O_WRONLY | O_TRUNC, O_WRONLY};
    const char *path = slot_path(directory, slot);
    bool is_new = moment_now(directory)->inodes[slot] == 0;
    int flag = flags[draw(4)];
    int fd = disk->open(path, flag | O_CREAT, 0644);
    ino_t inode = inode_of(path);
    assert_true(fd >= 0 && inode < INODES);
    struct known *file = &known.files[inode];
    if (is_new)
        known_name(directory, slot, inode);
    if ((flag & O_TRUNC) != 0)
        known_size(file, 0);
    unsigned char bytes[900];
    size_t size = 1 + (size_t)draw(sizeof bytes - 1), at = (flag & O_APPEND) != 0 ? file->size : 0;
    if (at + size <= SIZE_MAX_) {
        memset(bytes, 1 + draw(255), size);
        assert_int_equal(disk->write(fd, bytes, size), size);
        if (at + size > file->size)
            known_size(file, at + size);
        memcpy(file->now + at, bytes, size);
    }
    if (draw(3) == 0) {
        assert_int_equal(disk->fsync(fd), 0);
        memcpy(file->synced, file->now, file->size);
        file->synced_size = file->least = file->most = file->size;
    }
    assert_int_equal(disk->close(fd), 0);
}

static void step_sync(int directory) {
    char path[16];
    (void)snprintf(path, sizeof path, "/d%d", directory);
    assert_true(file_sync_directory(path, &err));
    known.first[directory] = known.last[directory];
}

static void step_unlink(int directory, int slot) {
    if (disk->unlink(slot_path(directory, slot)) == 0)
        known_name(directory, slot, 0);
}

static void step_rename(int directory, int slot) {
    int to_directory = draw(DIRECTORIES), to_slot = draw(SLOTS);
    ino_t moved = moment_now(directory)->inodes[slot];
    if (moved == 0 || (to_directory == directory && to_slot == slot))
        return;
    assert_int_equal(disk->rename(slot_path(directory, slot), slot_path(to_directory, to_slot)), 0);
    struct moment next = *moment_now(directory);
    next.inodes[slot] = 0;
    if (to_directory == directory)
        next.inodes[to_slot] = moved; // in one step
    else
        known_name(to_directory, to_slot, moved);
    known.last[directory]++;
    *moment_now(directory) = next;
}

static void step(void) {
    int directory = draw(DIRECTORIES), slot = draw(SLOTS);
    switch (draw(6)) {
    case 0:
        step_sync(directory);
        return;
    case 1:
        step_unlink(directory, slot);
        return;
    case 2:
        step_rename(directory, slot);
        return;
    default:
        step_write(directory, slot);
        return;
    }
}

static bool is_some_moment(int directory, const struct moment *found) {
    for (int i = known.first[directory]; i <= known.last[directory]; i++)
        if (memcmp(&known.moments[directory][i], found, sizeof *found) == 0)
            return true;
    return false;
}

static unsigned char synced_byte(const struct known *file, size_t at) {
    return at < file->synced_size ? file->synced[at] : 0;
}

/* Each sector as it was written, as it was synced, or zeros where blocks are new. */
static bool may_be_sector(const struct known *file, const unsigned char *bytes, size_t from,
                          size_t to) {
    bool written = true, synced = true, zeros = true;
    for (size_t i = from; i < to; i++) {
        unsigned char old = synced_byte(file, i);
        written = written && bytes[i] == (i < file->size ? file->now[i] : old);
        synced = synced && bytes[i] == old;
        zeros = zeros && bytes[i] == (i < file->least ? old : 0);
    }
    return written || synced || zeros;
}

static void check_file(const char *path, ino_t inode) {
    const struct known *file = &known.files[inode];
    size_t size;
    const unsigned char *bytes = model_disk_bytes(path, &size);
    assert_true(size >= file->least && size <= file->most);
    for (size_t at = 0; at < size; at += 512)
        assert_true(may_be_sector(file, bytes, at, size < at + 512 ? size : at + 512));
}

static void check_known(void) {
    for (int directory = 0; directory < DIRECTORIES; directory++) {
        struct moment found;
        for (int slot = 0; slot < SLOTS; slot++)
            found.inodes[slot] = inode_of(slot_path(directory, slot));
        assert_true(is_some_moment(directory, &found));
        for (int slot = 0; slot < SLOTS; slot++)
            if (found.inodes[slot] != 0)
                check_file(slot_path(directory, slot), found.inodes[slot]);
    }
}

static void test_a_power_cut_leaves_only_states_since_the_last_syncs(void **state) {
    (void)state;
    static const enum disk_event losses[] = {DISK_LOST_NAME, DISK_APART, DISK_LOST_BYTES,
                                             DISK_LOST_SIZE, DISK_ZEROS};
    enum { LOSSES = sizeof losses / sizeof losses[0] };
    long before[LOSSES];
    for (int i = 0; i < LOSSES; i++)
        before[i] = model_disk_count(losses[i]);
    for (uint64_t seed = 0; seed < 1500; seed++) {
        memset(&known, 0, sizeof known);
        known.chance = random_fork(seed, 7);
        begin(seed);
        assert_true(file_make_directory("/d0", &err) && file_make_directory("/d1", &err) &&
                    file_make_directory("/d2", &err));
        int steps = 1 + draw(120);
        for (int i = 0; i < steps; i++)
            step();
        cut_and_restart();
        check_known();
        model_disk_end();
    }
    for (int i = 0; i < LOSSES; i++)
        if (model_disk_count(losses[i]) == before[i])
            fail_msg("never happened: %s", model_disk_event_name(losses[i]));
}

static void test_what_a_power_cut_has_left_survives_the_next(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        memset(&known, 0, sizeof known);
        known.chance = random_fork(seed, 8);
        begin(seed);
        assert_true(file_make_directory("/d0", &err) && file_make_directory("/d1", &err) &&
                    file_make_directory("/d2", &err));
        for (int i = 0; i < 50; i++)
            step();
        cut_and_restart();
        uint64_t hash = model_disk_hash();
        cut_and_restart();
        assert_true(hash == model_disk_hash());
        model_disk_end();
    }
}

/* ---- faults ---- */

static void test_a_failed_sync_may_lose_what_a_later_one_claims_to_write(void **state) {
    (void)state;
    int lost = 0, whole = 0;
    for (uint64_t seed = 0; seed < 300; seed++) {
        begin(seed);
        int fd = make("/lake/a/x", "content");
        assert_true(file_sync_directory("/lake/a", &err));
        model_disk_set_faults(&(struct disk_faults){.io_sync = 1000});
        assert_int_equal(disk->fsync(fd), -1);
        assert_int_equal(errno, EIO);
        model_disk_set_faults(NULL);
        assert_int_equal(disk->fsync(fd), 0);
        cut_and_restart();
        assert_true(is_there("/lake/a/x"));
        lost += !has("/lake/a/x", "content");
        whole += has("/lake/a/x", "content");
        model_disk_end();
    }
    assert_true(lost > 50 && whole > 50);
}

static void test_a_new_file_is_safe_after_a_failed_sync(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        begin(seed);
        model_disk_set_faults(&(struct disk_faults){.io_sync = 1000});
        assert_false(publish("x", "content"));
        model_disk_set_faults(NULL);
        assert_true(publish("x", "content"));
        cut_and_restart();
        assert_true(has("/lake/a/x", "content"));
        model_disk_end();
    }
}

static void test_a_full_disk_stays_full_for_its_time(void **state) {
    (void)state;
    struct statfs room;
    begin(1);
    model_disk_set_faults(&(struct disk_faults){.no_space = 1000, .full_for = 5000});
    assert_int_equal(disk->mkdir("/lake/c", 0755), -1);
    assert_int_equal(errno, ENOSPC);
    model_disk_set_faults(&(struct disk_faults){.full_for = 5000});
    now_us += 4999L * 1000;
    assert_int_equal(disk->mkdir("/lake/c", 0755), -1);
    assert_int_equal(disk->statfs("/lake", &room), 0);
    assert_int_equal(room.f_bavail, 0);
    assert_int_equal(disk->unlink("/lake/none"), -1);
    assert_int_equal(errno, ENOENT);
    now_us += 1000;
    assert_int_equal(disk->mkdir("/lake/c", 0755), 0);
    assert_int_equal(disk->statfs("/lake", &room), 0);
    assert_true(room.f_bavail > 0);
    model_disk_end();
}

static void test_a_late_error_has_done_what_it_says_it_has_not(void **state) {
    (void)state;
    begin(1);
    make_synced("/lake/a/x", "1");
    model_disk_set_faults(&(struct disk_faults){.late = 1000});
    assert_int_equal(disk->rename_new("/lake/a/x", "/lake/a/y"), -1);
    assert_int_equal(errno, EIO);
    assert_int_equal(disk->mkdir("/lake/a/d", 0755), -1);
    assert_int_equal(disk->open("/lake/a/z", O_WRONLY | O_CREAT, 0644), -1);
    assert_true(has("/lake/a/y", "1") && is_there("/lake/a/z"));
    assert_int_equal(disk->rmdir("/lake/a/d"), -1);
    assert_int_equal(disk->unlink("/lake/a/none"), -1);
    assert_int_equal(errno, ENOENT); // an error of its own is not a late one
    model_disk_set_faults(NULL);
    assert_int_equal(disk->rmdir("/lake/a/d"), -1);
    model_disk_end();
}

static void test_short_writes_and_interruptions_lose_nothing_of_a_patient_writer(void **state) {
    (void)state;
    char text[2000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (uint64_t seed = 0; seed < 50; seed++) {
        begin(seed);
        model_disk_set_faults(&(struct disk_faults){.short_write = 500});
        assert_true(publish("x", text));
        assert_true(has("/lake/a/x", text));
        model_disk_end();
    }
}

static void test_slow_calls_take_the_time_of_the_model(void **state) {
    (void)state;
    begin(1);
    model_disk_set_faults(&(struct disk_faults){.slow = 1000});
    passed_ms = 0;
    for (int i = 0; i < 100; i++)
        (void)disk->access("/lake", 0);
    assert_true(passed_ms > 100 && passed_ms <= 100 * 20000L);
    model_disk_end();
}

static APART void try_all_calls(void) {
    struct stat status;
    struct statfs system;
    char buffer[16];
    int64_t *numbers;
    size_t count;
    int fd = disk->open("/lake/a/x", O_RDWR | O_CREAT, 0644);
    (void)disk->write(fd, "text", 4);
    (void)disk->truncate(fd, 2);
    (void)disk->fsync(fd);
    (void)disk->read_at(fd, buffer, sizeof buffer, 0);
    (void)disk->fstat(fd, &status);
    (void)disk->lock(fd, false);
    (void)disk->close(fd);
    (void)disk->rename("/lake/a/x", "/lake/a/y");
    (void)disk->rename_new("/lake/a/y", "/lake/a/x");
    (void)disk->link("/lake/a/x", "/lake/a/z");
    (void)disk->exchange("/lake/a", "/lake/b");
    (void)disk->chmod("/lake/a", 0700);
    (void)disk->setxattr("/lake/a", "user.a", "1", 1, 0);
    (void)disk->statfs("/lake", &system);
    if (file_list_numbers("/lake/a", "", &numbers, &count, &err))
        free(numbers);
    (void)disk->mkdir("/lake/c", 0755);
    (void)disk->rmdir("/lake/c");
    (void)disk->unlink("/lake/b/x");
    (void)disk->unlink("/lake/b/z");
    if (!file_sync_directory("/lake", &err))
        return;
}

static void test_every_event_happens(void **state) {
    (void)state;
    static const struct disk_faults faults = {20, 20, 20, 20, 20, 20, 20, 20, 10, false};
    for (uint64_t seed = 0; seed < 400; seed++) {
        begin(seed);
        model_disk_set_faults(&faults);
        end = seed % 2 == 0 ? model_disk_kill : model_disk_cut_power;
        end_at = calls + 1 + (long)(seed % 90);
        for (int i = 0; i < 5; i++)
            try_all_calls();
        model_disk_set_faults(NULL);
        model_disk_restart();
        model_disk_end();
    }
    for (int i = 0; i < DISK_EVENTS; i++)
        if (model_disk_count((enum disk_event)i) == 0)
            fail_msg("never happened: %s", model_disk_event_name((enum disk_event)i));
}

static void test_a_disk_that_can_not_exchange_says_so(void **state) {
    (void)state;
    begin(1);
    model_disk_set_faults(&(struct disk_faults){.no_exchange = true});
    assert_int_equal(disk->exchange("/lake/a", "/lake/b"), -1);
    assert_int_equal(errno, EINVAL);
    model_disk_end();
}

/* ---- the end of a process ---- */

static void test_a_dead_process_can_only_close(void **state) {
    (void)state;
    begin(1);
    int fd = make("/lake/a/x", "1"), lock;
    bool taken;
    char holder[FILE_LOCK_HOLDER_MAX];
    assert_true(file_lock_take("/lake/lock", &lock, &taken, holder, &err) && taken);
    model_disk_kill();
    assert_true(model_disk_is_dead());
    assert_int_equal(disk->write(fd, "2", 1), -1);
    assert_int_equal(errno, EIO);
    assert_int_equal(disk->unlink("/lake/a/x"), -1);
    assert_int_equal(disk->open("/lake/a/x", O_RDONLY, 0), -1);
    assert_int_equal(disk->close(fd), 0);
    assert_true(has("/lake/a/x", "1")); // what it has written is there, synced or not
    bool looked = model_disk_look(true);
    assert_true(file_exists("/lake/a/x", NULL, &err) == 1);
    (void)model_disk_look(looked);
    model_disk_restart();
    assert_true(file_lock_take("/lake/lock", &lock, &taken, holder, &err) && taken);
    file_lock_release(&lock);
    model_disk_end();
}

static void test_a_write_is_half_done_when_the_process_is_killed_at_it(void **state) {
    (void)state;
    bool seen[9] = {false};
    for (uint64_t seed = 0; seed < 200; seed++) {
        size_t size;
        begin(seed);
        int fd = disk->open("/lake/a/x", O_WRONLY | O_CREAT, 0644);
        end = model_disk_kill;
        end_at = calls + 1;
        assert_int_equal(disk->write(fd, "12345678", 8), -1);
        (void)model_disk_bytes("/lake/a/x", &size);
        seen[size] = true;
        model_disk_end();
    }
    for (size_t i = 0; i < sizeof seen; i++)
        assert_true(seen[i]);
}

static void test_the_call_at_which_a_process_ends_is_not_made(void **state) {
    (void)state;
    begin(1);
    end = model_disk_kill;
    end_at = calls + 1;
    assert_int_equal(disk->mkdir("/lake/c", 0755), -1);
    assert_string_equal(trace, "mkdir /lake/c");
    model_disk_restart();
    assert_int_equal(disk->mkdir("/lake/c", 0755), 0);
    model_disk_end();
}

/* ---- sites ---- */

static APART bool publish_here(const char *name) {
    bool published = publish(name, "content");
    return published;
}

static APART bool publish_there(const char *name) {
    bool published = publish(name, "content");
    return published;
}

static APART bool sync_only(const char *path) {
    bool synced = file_sync_directory(path, &err);
    return synced;
}

/* The number of the site of these functions; its calls must have been seen. */
static size_t site_of(enum disk_call call, const char *within, const char *caller,
                      const char *above) {
    const struct disk_site *sites;
    size_t count = model_disk_sites(&sites), found = 0, number = 0;
    for (size_t i = 0; i < count; i++) {
        if (sites[i].call != call || strcmp(sites[i].caller, caller) != 0 ||
            strcmp(sites[i].within, within) != 0 || strcmp(sites[i].above, above) != 0)
            continue;
        number = i;
        found++;
    }
    if (found != 1)
        fail_msg("%zu sites of call %d within %s from %s", found, (int)call, within, caller);
    return number;
}

static void test_sites_are_named_by_the_functions_around_base_disk(void **state) {
    (void)state;
    const struct disk_site *sites;
    size_t number;
    begin(1);
    assert_true(publish_here("1") && publish_here("2") && publish_there("3"));
    assert_true(sync_only("/lake/a"));
    size_t here = site_of(DISK_FSYNC, "file_draft_sync", "publish", "publish_here");
    size_t there = site_of(DISK_FSYNC, "file_draft_sync", "publish", "publish_there");
    size_t names = site_of(DISK_FSYNC, "file_sync_directory", "publish", "publish_here");
    size_t only = site_of(DISK_FSYNC, "file_sync_directory", "sync_only", __func__);
    (void)model_disk_sites(&sites);
    assert_int_equal(sites[here].calls, 2);
    assert_int_equal(sites[there].calls, 1);
    assert_int_equal(sites[names].calls, 2);
    assert_int_equal(sites[only].calls, 1);
    assert_true(sites[here].changes);
    assert_true(model_disk_find_site(sites[there].text, &number) && number == there);
    assert_false(model_disk_find_site("fsync nowhere", &number));
    model_disk_end();
}

static APART bool sweep(const char *directory) {
    bool swept = file_remove_drafts(directory, &err);
    return swept;
}

static void test_what_a_visitor_removes_is_removed_by_the_one_who_lists(void **state) {
    (void)state;
    const struct disk_site *sites;
    begin(1);
    make_synced("/lake/a/.1.tmp", "1");
    make_synced("/lake/a/.2.tmp", "2");
    assert_true(sweep("/lake/a"));
    size_t site = site_of(DISK_UNLINK, "file_remove", "sweep", __func__);
    (void)model_disk_sites(&sites);
    assert_int_equal(sites[site].calls, 2);
    model_disk_end();
}

static void test_faults_kills_and_cuts_are_counted_by_site(void **state) {
    (void)state;
    const struct disk_site *sites;
    begin(1);
    assert_true(sync_only("/lake/a"));
    size_t site = site_of(DISK_FSYNC, "file_sync_directory", "sync_only", __func__);
    model_disk_set_faults(&(struct disk_faults){.io_sync = 1000});
    assert_false(sync_only("/lake/a"));
    model_disk_set_faults(NULL);
    end = model_disk_kill;
    end_at = calls + 2; // open, fsync
    assert_false(sync_only("/lake/a"));
    model_disk_restart();
    end = model_disk_cut_power;
    end_at = calls + 2;
    assert_false(sync_only("/lake/a"));
    model_disk_restart();
    (void)model_disk_sites(&sites);
    assert_int_equal(sites[site].faults, 1);
    assert_int_equal(sites[site].kills, 1);
    assert_int_equal(sites[site].cuts, 1);
    model_disk_end();
}

static void test_a_site_that_is_left_out_says_it_succeeded_and_does_nothing(void **state) {
    (void)state;
    int lost = 0;
    begin(1);
    assert_true(publish_here("x"));
    size_t site = site_of(DISK_FSYNC, "file_draft_sync", "publish", "publish_here");
    size_t other = site_of(DISK_RENAME_NEW, "file_draft_publish", "publish", "publish_here");
    model_disk_end();
    model_disk_plant(site, SITE_LEFT_OUT);
    for (uint64_t seed = 0; seed < 200; seed++) {
        begin(seed);
        assert_true(publish_here("x"));
        cut_and_restart();
        assert_true(is_there("/lake/a/x"));
        lost += !has("/lake/a/x", "content");
        model_disk_end();
    }
    assert_true(lost > 20);
    model_disk_plant(site, SITE_AS_IT_IS);
    model_disk_plant(other, SITE_LEFT_OUT);
    begin(1);
    assert_true(publish_here("x"));
    assert_false(is_there("/lake/a/x"));
    model_disk_plant(other, SITE_AS_IT_IS);
    model_disk_end();
}

static APART int link_then_unlink(void) {
    int linked = disk->link("/lake/a/x", "/lake/b/x");
    int unlinked = disk->unlink("/lake/a/x");
    return linked + unlinked;
}

static APART int link_then_unlink_once(void) {
    int result = link_then_unlink();
    return result;
}

static void test_a_site_that_is_swapped_is_done_after_the_next_change(void **state) {
    (void)state;
    begin(1);
    make_synced("/lake/a/x", "1");
    assert_int_equal(link_then_unlink_once(), 0);
    size_t site = site_of(DISK_LINK, "link_then_unlink", "link_then_unlink_once", __func__);
    model_disk_end();
    model_disk_plant(site, SITE_SWAPPED);

    begin(1);
    make_synced("/lake/a/x", "1");
    assert_int_equal(link_then_unlink_once(), 0); // says it was linked
    assert_false(is_there("/lake/a/x"));
    assert_false(is_there("/lake/b/x")); // too late
    model_disk_end();
    model_disk_plant(site, SITE_AS_IT_IS);
}

static void test_a_swapped_rename_comes_after_the_sync_of_its_directory(void **state) {
    (void)state;
    int lost = 0;
    begin(1);
    assert_true(publish_here("x"));
    size_t site = site_of(DISK_RENAME_NEW, "file_draft_publish", "publish", "publish_here");
    model_disk_end();
    model_disk_plant(site, SITE_SWAPPED);
    for (uint64_t seed = 0; seed < 100; seed++) {
        begin(seed);
        assert_true(publish_here("x"));
        assert_true(has("/lake/a/x", "content")); // done by now
        cut_and_restart();
        lost += !is_there("/lake/a/x");
        model_disk_end();
    }
    assert_true(lost > 20);
    model_disk_plant(site, SITE_AS_IT_IS);
}

static void test_a_swapped_sync_comes_after_the_rename_that_it_should_come_before(void **state) {
    (void)state;
    int lost = 0;
    begin(1);
    assert_true(publish_here("x"));
    size_t site = site_of(DISK_FSYNC, "file_draft_sync", "publish", "publish_here");
    model_disk_plant(site, SITE_SWAPPED);
    long before = calls;
    assert_true(publish_here("y"));
    long taken = calls - before;
    assert_true(has("/lake/a/y", "content"));
    model_disk_end();
    for (uint64_t seed = 0; seed < 200; seed++) {
        begin(seed);
        end = model_disk_cut_power;
        end_at = calls + taken - 3; // the late sync; then the directory's: open, fsync, close
        (void)publish_here("x");
        assert_true(strncmp(trace, "fsync /lake/a/.x.tmp", 20) == 0);
        model_disk_restart();
        lost += is_there("/lake/a/x") && !has("/lake/a/x", "content");
        model_disk_end();
    }
    assert_true(lost > 20);
    model_disk_plant(site, SITE_AS_IT_IS);
}

static APART void change_all(void) {
    try_all_calls();
}

static void test_every_call_that_changes_the_disk_can_be_left_out_or_swapped(void **state) {
    (void)state;
    const struct disk_site *sites;
    int seen[DISK_CALLS] = {0};
    begin(1);
    change_all();
    model_disk_end();
    size_t count = model_disk_sites(&sites);
    for (size_t i = 0; i < count; i++) {
        bool is_ours =
            strcmp(sites[i].caller, "change_all") == 0 || strcmp(sites[i].above, "change_all") == 0;
        if (!sites[i].changes || !is_ours)
            continue;
        for (enum site_plant plant = SITE_LEFT_OUT; plant <= SITE_SWAPPED; plant++) {
            long before = sites[i].calls;
            model_disk_plant(i, plant);
            begin(1);
            change_all();
            model_disk_restart();
            model_disk_end();
            (void)model_disk_sites(&sites);
            assert_true(sites[i].calls > before);
        }
        seen[sites[i].call]++;
        model_disk_plant(i, SITE_AS_IT_IS);
    }
    static const enum disk_call must[] = {DISK_OPEN,       DISK_WRITE,  DISK_TRUNCATE, DISK_FSYNC,
                                          DISK_RENAME_NEW, DISK_RENAME, DISK_EXCHANGE, DISK_LINK,
                                          DISK_UNLINK,     DISK_MKDIR,  DISK_RMDIR,    DISK_CHMOD,
                                          DISK_SETXATTR};
    for (size_t i = 0; i < sizeof must / sizeof must[0]; i++)
        assert_true(seen[must[i]] > 0);
}

static void test_a_process_may_end_between_two_calls_that_are_swapped(void **state) {
    (void)state;
    begin(1);
    assert_true(publish_here("x"));
    size_t site = site_of(DISK_RENAME_NEW, "file_draft_publish", "publish", "publish_here");
    model_disk_plant(site, SITE_SWAPPED);
    assert_true(publish_here("y"));
    long before = calls;
    assert_true(publish_here("z"));
    end = model_disk_kill;
    end_at = calls + (calls - before) - 1; // the last is a close
    (void)publish_here("w");
    assert_true(model_disk_is_dead());
    assert_string_equal(trace, "rename_new /lake/a/.w.tmp /lake/a/w");
    assert_false(is_there("/lake/a/w"));
    assert_true(is_there("/lake/a/.w.tmp"));
    model_disk_end();
    model_disk_plant(site, SITE_AS_IT_IS);
}

/* ---- looking ---- */

static uint64_t life(uint64_t seed) {
    static const struct disk_faults faults = {20, 20, 20, 20, 20, 20, 20, 20, 10, false};
    begin(seed);
    model_disk_set_faults(&faults);
    for (int i = 0; i < 20; i++)
        try_all_calls();
    cut_and_restart();
    uint64_t hash = model_disk_hash();
    model_disk_end();
    return hash;
}

static void test_the_same_seed_gives_the_same_disk(void **state) {
    (void)state;
    int differ = 0;
    for (uint64_t seed = 0; seed < 50; seed++) {
        now_us = 1000000;
        uint64_t first = life(seed);
        now_us = 1000000;
        assert_true(first == life(seed));
        differ += first != life(seed + 1);
    }
    assert_true(differ > 25);
}

enum { WALKED_MAX = 512 };

static void add_path(void *context, const char *path, size_t size) {
    char line[128];
    (void)snprintf(line, sizeof line, "%s %zu\n", path, size);
    size_t length = strlen(context);
    (void)snprintf((char *)context + length, WALKED_MAX - length, "%s", line);
}

static void test_a_copy_of_a_tree_can_be_put_back(void **state) {
    (void)state;
    char walked[WALKED_MAX] = "";
    begin(1);
    make_synced("/lake/a/x", "one");
    (void)make("/lake/b/y", "two");
    model_disk_copy("/lake", "/backup/first");
    assert_int_equal(disk->unlink("/lake/a/x"), 0);
    (void)make("/lake/b/y", "three");
    cut_and_restart();
    model_disk_walk("/backup", add_path, walked);
    assert_string_equal(walked, "/backup/first/a/x 3\n/backup/first/b/y 3\n");
    model_disk_remove("/lake");
    assert_false(is_there("/lake/b/y"));
    model_disk_copy("/backup/first", "/lake");
    cut_and_restart();
    assert_true(has("/lake/a/x", "one") && has("/lake/b/y", "two"));
    model_disk_end();
}

static bool add_letter(void *context, const char *name) {
    char *letters = context;
    letters[strlen(letters)] = name[0];
    return true;
}

static void test_names_are_listed_in_any_order(void **state) {
    (void)state;
    char first[4] = "", next[4];
    int differ = 0;
    begin(1);
    for (char name[] = "a"; name[0] <= 'c'; name[0]++)
        assert_true(publish(name, ""));
    assert_int_equal(disk->list("/lake/a", add_letter, first), 0);
    for (int i = 0; i < 50; i++) {
        memset(next, 0, sizeof next);
        assert_int_equal(disk->list("/lake/a", add_letter, next), 0);
        assert_true(strchr(next, 'a') != NULL && strchr(next, 'b') != NULL);
        assert_non_null(strchr(next, 'c'));
        differ += strcmp(first, next) != 0;
    }
    assert_true(differ > 20);
    model_disk_end();
}

static int64_t modified_ms(const char *path) {
    struct file_status status;
    assert_true(file_look(path, &status, &err));
    return file_modified_ms(&status);
}

static void test_files_and_directories_have_the_time_of_their_last_change(void **state) {
    (void)state;
    begin(1);
    now_us = 5000000;
    int fd = make("/lake/a/x", "1");
    assert_int_equal(modified_ms("/lake/a/x"), 5000);
    assert_int_equal(modified_ms("/lake/a"), 5000);
    now_us = 6000000;
    assert_int_equal(disk->write(fd, "2", 1), 1);
    assert_int_equal(disk->chmod("/lake/a/x", 0600), 0);
    assert_int_equal(modified_ms("/lake/a/x"), 6000);
    assert_int_equal(modified_ms("/lake/a"), 5000);
    now_us = 4000000; // the clock may go back
    assert_int_equal(disk->rename("/lake/a/x", "/lake/b/x"), 0);
    assert_int_equal(modified_ms("/lake/b/x"), 6000);
    assert_int_equal(modified_ms("/lake/a"), 4000);
    assert_int_equal(modified_ms("/lake/b"), 4000);
    model_disk_end();
}

static void test_printing_shows_what_is_not_durable(void **state) {
    (void)state;
    char *text = NULL;
    size_t size;
    begin(1);
    (void)make("/lake/a/x", "one");
    FILE *out = open_memstream(&text, &size);
    model_disk_print(out);
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(text, "/lake/a/x 3 (synced: 0 bytes)\n"));
    assert_non_null(strstr(text, "not synced: x new"));
    free(text);
    model_disk_end();
}

int main(void) {
    clock_source = &test_clock;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_published_file_survives_every_power_cut),
        cmocka_unit_test(test_a_name_is_lost_or_kept_if_its_directory_was_not_synced),
        cmocka_unit_test(test_a_file_renamed_before_its_sync_may_be_short_or_zeros),
        cmocka_unit_test(test_a_file_that_is_cut_and_written_again_may_be_old_new_short_or_zeros),
        cmocka_unit_test(test_access_rights_are_safe_once_they_are_synced),
        cmocka_unit_test(test_a_call_on_two_directories_may_come_through_in_one),
        cmocka_unit_test(test_a_file_that_moves_is_never_lost),
        cmocka_unit_test(test_directories_are_exchanged_in_both_or_one_after_a_power_cut),
        cmocka_unit_test(test_a_directory_is_never_lost_into_itself),
        cmocka_unit_test(test_a_power_cut_leaves_only_states_since_the_last_syncs),
        cmocka_unit_test(test_what_a_power_cut_has_left_survives_the_next),
        cmocka_unit_test(test_a_failed_sync_may_lose_what_a_later_one_claims_to_write),
        cmocka_unit_test(test_a_new_file_is_safe_after_a_failed_sync),
        cmocka_unit_test(test_a_full_disk_stays_full_for_its_time),
        cmocka_unit_test(test_a_late_error_has_done_what_it_says_it_has_not),
        cmocka_unit_test(test_short_writes_and_interruptions_lose_nothing_of_a_patient_writer),
        cmocka_unit_test(test_slow_calls_take_the_time_of_the_model),
        cmocka_unit_test(test_every_event_happens),
        cmocka_unit_test(test_a_disk_that_can_not_exchange_says_so),
        cmocka_unit_test(test_a_dead_process_can_only_close),
        cmocka_unit_test(test_a_write_is_half_done_when_the_process_is_killed_at_it),
        cmocka_unit_test(test_the_call_at_which_a_process_ends_is_not_made),
        cmocka_unit_test(test_sites_are_named_by_the_functions_around_base_disk),
        cmocka_unit_test(test_what_a_visitor_removes_is_removed_by_the_one_who_lists),
        cmocka_unit_test(test_faults_kills_and_cuts_are_counted_by_site),
        cmocka_unit_test(test_a_site_that_is_left_out_says_it_succeeded_and_does_nothing),
        cmocka_unit_test(test_a_site_that_is_swapped_is_done_after_the_next_change),
        cmocka_unit_test(test_a_swapped_rename_comes_after_the_sync_of_its_directory),
        cmocka_unit_test(test_a_swapped_sync_comes_after_the_rename_that_it_should_come_before),
        cmocka_unit_test(test_every_call_that_changes_the_disk_can_be_left_out_or_swapped),
        cmocka_unit_test(test_a_process_may_end_between_two_calls_that_are_swapped),
        cmocka_unit_test(test_the_same_seed_gives_the_same_disk),
        cmocka_unit_test(test_a_copy_of_a_tree_can_be_put_back),
        cmocka_unit_test(test_names_are_listed_in_any_order),
        cmocka_unit_test(test_files_and_directories_have_the_time_of_their_last_change),
        cmocka_unit_test(test_printing_shows_what_is_not_durable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
