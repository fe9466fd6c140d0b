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
#include "base/system/clock.h"
#include "surfaces/doctor/doctor.h"

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
struct place {
    const char *setting, *path;
    char existing[PATH_MAX];
};

static bool find_existing(struct place *place) {
    struct file_status status;
    struct error ignored;
    (void)snprintf(place->existing, sizeof place->existing, "%s", place->path);
    while (!file_look(place->existing, &status, &ignored)) {
        char *slash = strrchr(place->existing, '/');
        if (errno != ENOENT || slash == NULL)
            return false;
        slash[slash == place->existing ? 1 : 0] = '\0';
    }
    return true;
}

static char *label_of(const struct place *place, const char *what) {
    return findings_text("%s %s", what, place->path);
}

static void check_room(const struct place *place, struct findings *findings) {
    struct filesystem_room room;
    if (!filesystem_room(place->existing, &room)) {
        findings_fail(findings, EXIT_CODE_WRITE, label_of(place, "room"),
                      findings_text("%s", strerror(errno)), NULL);
        return;
    }
    int64_t percent = room.size > 0 ? room.free * 100 / room.size : 0;
    char *text =
        findings_text("%" PRId64 " MiB free, %" PRId64 " %% of it", room.free >> 20, percent);
    char *cure = findings_text("make room: when it is full, a query waits for "
                               "WRITE_RETRY_TIMEOUT and ends with exit code 7; nothing is lost");
    if (room.free < SPACE_LEAST) {
        findings_fail(findings, EXIT_CODE_WRITE, label_of(place, "room"), text, cure);
    } else if (percent < SPACE_FEW_PERCENT) {
        findings_warn(findings, label_of(place, "room"), text, cure);
    } else {
        free(cure);
        findings_ok(findings, label_of(place, "room"), text);
    }
    if (room.files > 0 && room.files_free < FILES_FEW)
        findings_warn(findings, label_of(place, "inodes"),
                      findings_text("%" PRId64 " left", room.files_free),
                      findings_text("remove files that nobody needs, or make the file system anew "
                                    "with more inodes"));
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

static void fail_sync(const struct place *place, int error_number, struct findings *findings) {
    char limit[LIMIT_TEXT_MAX];
    limit_describe(error_number, limit);
    findings_fail(findings, limit_is_behind(error_number) ? EXIT_CODE_LIMIT : EXIT_CODE_WRITE,
                  label_of(place, "sync"),
                  findings_text("write and sync: %s", strerror(error_number)),
                  limit[0] != '\0' ? findings_text("%s", limit) : NULL);
}

static void check_speed(const struct place *place, const char *name, struct findings *findings) {
    struct file_path path = file_join(place->existing, name);
    struct file_append file;
    struct error ignored;
    int64_t median = file_append_open(&file, path.text, false, &ignored) ? time_syncs(&file) : -1;
    int reason = errno;
    file_append_abandon(&file);
    if (median < 0)
        fail_sync(place, reason, findings);
    else if (median > SYNC_SLOW_US)
        findings_warn(
            findings, label_of(place, "sync"),
            findings_text("%.1f ms for 4 KiB: slow", (double)median / 1000),
            findings_text("every batch waits for some ten of these: use a faster disk, or "
                          "a longer TRIGGER"));
    else
        findings_ok(findings, label_of(place, "sync"),
                    findings_text("%.1f ms for 4 KiB", (double)median / 1000));
}

/* Publishes a file as a commit does, without replacing; how fast that can be is seen with it. */
static void check_writable(const struct place *place, struct findings *findings) {
    char name[64];
    struct error err = {0};
    (void)snprintf(name, sizeof name, "_esports_stream_doctor.%ld", (long)getpid());
    bool made = file_publish(place->existing, name, "", 0, &err);
    bool same = strcmp(place->existing, place->path) == 0;
    if (made) {
        findings_ok(
            findings, label_of(place, "writable"),
            same ? findings_text("a file can be made, synced and renamed without replacing")
                 : findings_text("it is not there yet, and can be made in %s", place->existing));
        check_speed(place, name, findings);
    } else {
        findings_fail_error(
            findings, EXIT_CODE_USAGE, label_of(place, "writable"), &err,
            findings_text("let user %ld write there, or set %s to a directory on a local "
                          "file system (ext4, XFS)",
                          (long)geteuid(), place->setting));
    }
    if (!file_remove(file_join(place->existing, name).text, &err))
        findings_warn(findings, label_of(place, "writable"), findings_text("%s", err.message),
                      NULL);
}

static void check_place(struct place *place, bool same_disk, struct findings *findings) {
    if (!find_existing(place)) {
        findings_fail(findings, EXIT_CODE_USAGE, label_of(place, "directory"),
                      findings_text("%s", strerror(errno)), NULL);
        return;
    }
    const char *warning = filesystem_warning(place->existing);
    if (warning != NULL)
        findings_warn(findings, label_of(place, "lasting"), findings_text("it %s", warning),
                      findings_text("set %s to a file system that lasts", place->setting));
    check_writable(place, findings);
    if (!same_disk)
        check_room(place, findings);
}

/* The directories of the settings; one within another is on its disk unless something is mounted
 * there. */
void doctor_check_disk(const struct config *config, struct findings *findings) {
    struct place places[] = {{"DATA_LAKE_PATH", config->data_lake_path, ""},
                             {"PROCESSED_DATA_PATH", config->processed_path, ""},
                             {"CHECKPOINT_PATH", config->checkpoint_path, ""}};
    uint64_t devices[sizeof places / sizeof places[0]] = {0};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct filesystem_place on;
        bool same = false;
        if (find_existing(&places[i]) && filesystem_place(places[i].existing, &on))
            devices[i] = on.device;
        for (size_t j = 0; j < i; j++)
            same = same || (devices[j] == devices[i] && devices[i] != 0);
        check_place(&places[i], same, findings);
    }
}
