#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/disk/file.h"
#include "base/disk/filesystem.h"
#include "base/disk/open_file.h"
#include "base/limit.h"
#include "base/scope.h"
#include "base/system/clock.h"
#include "surfaces/doctor/doctor_checks.h"

enum {
    SYNCS = 9,                // of which the median counts
    SYNCS_LIMIT_US = 2000000, // or as many as go into this
    SYNC_SLOW_US = 50000,     // a commit takes some ten of them
    SPACE_LEAST = 256 << 20,  // bytes
    SPACE_FEW_PERCENT = 5,
    FILES_FEW = 10000,
};

/* A directory of the settings, or the nearest of its parents that is there, where it will be made.
 */
struct lake_directory {
    const char *setting, *path;
    char existing[PATH_MAX];
};

static bool find_existing(struct lake_directory *directory) {
    struct file_status status;
    struct error ignored;
    (void)snprintf(directory->existing, sizeof directory->existing, "%s", directory->path);
    while (!file_look(directory->existing, &status, &ignored)) {
        char *slash = strrchr(directory->existing, '/');
        if (errno != ENOENT || slash == NULL)
            return false;
        slash[slash == directory->existing ? 1 : 0] = '\0';
    }
    return true;
}

static void check_room(const struct lake_directory *directory, struct doctor_report *report) {
    struct filesystem_room room;
    if (!filesystem_room(directory->existing, &room)) {
        doctor_fail(report, EXIT_CODE_WRITE, "room", directory->path, NULL, "%s", strerror(errno));
        return;
    }
    int64_t percent = room.size > 0 ? room.free * 100 / room.size : 0;
    static const char cure[] = "make room: when it is full, a query waits for WRITE_RETRY_TIMEOUT "
                               "and ends with exit code 7; nothing is lost";
    scoped(scope_free) char *text =
        doctor_text("%" PRId64 " MiB free, %" PRId64 " %% of it", room.free >> 20, percent);
    if (room.free < SPACE_LEAST)
        doctor_fail(report, EXIT_CODE_WRITE, "room", directory->path, cure, "%s", text);
    else if (percent < SPACE_FEW_PERCENT)
        doctor_warn(report, "room", directory->path, cure, "%s", text);
    else
        doctor_ok(report, "room", directory->path, "%s", text);
    if (room.files > 0 && room.files_free < FILES_FEW)
        doctor_warn(report, "inodes", directory->path,
                    "remove files that nobody needs, or make the file system anew "
                    "with more inodes",
                    "%" PRId64 " left", room.files_free);
}

static int by_size(const void *a, const void *b) {
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* Writes and syncs a small file a few times; the median in microseconds, or -1 and errno. */
static int64_t time_syncs(struct file_append *file) {
    static const char block[4096];
    int64_t times[SYNCS];
    struct error ignored;
    size_t count = 0;
    int64_t began = clock_monotonic_us();
    while (count < SYNCS && clock_monotonic_us() - began < SYNCS_LIMIT_US) {
        int64_t before = clock_monotonic_us();
        if (!file_append_write(file, block, sizeof block, &ignored) ||
            !file_append_sync(file, &ignored))
            return -1;
        times[count++] = clock_monotonic_us() - before;
    }
    qsort(times, count, sizeof times[0], by_size);
    return times[count / 2];
}

static void fail_sync(const struct lake_directory *directory, int error_number,
                      struct doctor_report *report) {
    char limit[LIMIT_TEXT_MAX];
    limit_describe(error_number, limit);
    doctor_fail(report, limit_is_behind(error_number) ? EXIT_CODE_LIMIT : EXIT_CODE_WRITE, "sync",
                directory->path, limit[0] != '\0' ? limit : NULL, "write and sync: %s",
                strerror(error_number));
}

static void check_speed(const struct lake_directory *directory, const char *name,
                        struct doctor_report *report) {
    struct file_path path = file_join(directory->existing, name);
    struct file_append file;
    struct error ignored;
    int64_t median = file_append_open(&file, path.text, false, &ignored) ? time_syncs(&file) : -1;
    int reason = errno;
    file_append_abandon(&file);
    if (median < 0)
        fail_sync(directory, reason, report);
    else if (median > SYNC_SLOW_US)
        doctor_warn(report, "sync", directory->path,
                    "every batch waits for some ten of these: use a faster disk, or "
                    "a longer TRIGGER",
                    "%.1f ms for 4 KiB: slow", (double)median / 1000);
    else
        doctor_ok(report, "sync", directory->path, "%.1f ms for 4 KiB", (double)median / 1000);
}

/* Publishes a file as a commit does, without replacing; how fast that can be is seen with it. */
static void check_writable(const struct lake_directory *directory, struct doctor_report *report) {
    char name[64];
    struct error err = {0};
    scoped(scope_free) char *cure = doctor_text(
        "let user %ld write there, or set %s to a directory on a local file system (ext4, XFS)",
        (long)geteuid(), directory->setting);
    (void)snprintf(name, sizeof name, "_esports_stream_doctor.%ld", (long)getpid());
    bool made = file_publish(directory->existing, name, "", 0, &err);
    bool same = strcmp(directory->existing, directory->path) == 0;
    if (made && same)
        doctor_ok(report, "writable", directory->path,
                  "a file can be made, synced and renamed without replacing");
    else if (made)
        doctor_ok(report, "writable", directory->path, "it is not there yet, and can be made in %s",
                  directory->existing);
    else
        doctor_fail_error(report, EXIT_CODE_USAGE, "writable", directory->path, cure, &err);
    if (made)
        check_speed(directory, name, report);
    if (!file_remove(file_join(directory->existing, name).text, &err))
        doctor_warn(report, "writable", directory->path, NULL, "%s", err.message);
}

static void check_directory(struct lake_directory *directory, bool same_disk,
                            struct doctor_report *report) {
    if (!find_existing(directory)) {
        doctor_fail(report, EXIT_CODE_USAGE, "directory", directory->path, NULL, "%s",
                    strerror(errno));
        return;
    }
    const char *warning = filesystem_warning(directory->existing);
    if (warning != NULL) {
        scoped(scope_free) char *cure =
            doctor_text("set %s to a file system that lasts", directory->setting);
        doctor_warn(report, "lasting", directory->path, cure, "it %s", warning);
    }
    check_writable(directory, report);
    if (!same_disk)
        check_room(directory, report);
}

/* The directories of the settings; one within another is on its disk unless something is mounted
 * there. */
void doctor_check_disk(const struct config *config, struct doctor_report *report) {
    struct lake_directory directories[] = {{"DATA_LAKE_PATH", config->data_lake_path, ""},
                                           {"PROCESSED_DATA_PATH", config->processed_path, ""},
                                           {"CHECKPOINT_PATH", config->checkpoint_path, ""}};
    uint64_t devices[sizeof directories / sizeof directories[0]] = {0};
    for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++) {
        struct filesystem_place on;
        bool same = false;
        if (find_existing(&directories[i]) && filesystem_place(directories[i].existing, &on))
            devices[i] = on.device;
        for (size_t j = 0; j < i; j++)
            same = same || (devices[j] == devices[i] && devices[i] != 0);
        check_directory(&directories[i], same, report);
    }
}
