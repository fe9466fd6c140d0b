#include "streaming/care/care_files.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "core/calendar.h"
#include "core/date_text.h"

enum { SECONDS_OF_DAY = 24 * 60 * 60 };

void care_files_add(struct care_files *files, const char *path, int64_t size, int64_t modified_ms) {
    if (files->count == files->capacity) {
        files->capacity = files->capacity == 0 ? 64 : 2 * files->capacity;
        files->files = reallocarray(files->files, files->capacity, sizeof *files->files);
        check(files->files != NULL);
    }
    files->files[files->count++] =
        (struct care_file){.path = text_copy(path), .size = size, .modified_ms = modified_ms};
}

void care_files_deinit(struct care_files *files) {
    for (size_t i = 0; i < files->count; i++)
        free(files->files[i].path);
    free(files->files);
    *files = (struct care_files){0};
}

size_t care_directory_length(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash == NULL ? 0 : (size_t)(slash - path);
}

static int compare(const void *a, const void *b) {
    const struct care_file *left = a, *right = b;
    size_t left_length = care_directory_length(left->path);
    size_t right_length = care_directory_length(right->path);
    size_t common = left_length < right_length ? left_length : right_length;
    int order = memcmp(left->path, right->path, common);
    if (order != 0)
        return order;
    if (left_length != right_length)
        return left_length < right_length ? -1 : 1;
    if (left->modified_ms != right->modified_ms)
        return left->modified_ms < right->modified_ms ? -1 : 1;
    return strcmp(left->path, right->path);
}

void care_files_sort(struct care_files *files) {
    if (files->count > 0)
        qsort(files->files, files->count, sizeof *files->files, compare);
}

size_t care_directory_end(const struct care_files *files, size_t first, size_t length) {
    const char *path = files->files[first].path;
    size_t end = first + 1;
    for (; end < files->count; end++) {
        const char *other = files->files[end].path;
        bool same = length == 0 ? strchr(other, '/') == NULL
                                : strncmp(path, other, length) == 0 && other[length] == '/';
        if (!same)
            break;
    }
    return end;
}

enum care_date care_date_of(const char *path, int level, int32_t *day, size_t *length) {
    static const char null_name[] = "__HIVE_DEFAULT_PARTITION__";
    const char *at = path, *end;
    *length = 0;
    for (end = strchr(at, '/'); level > 0 && end != NULL; level--) {
        at = end + 1;
        end = strchr(at, '/');
    }
    const char *value = end != NULL && level == 0 ? memchr(at, '=', (size_t)(end - at)) : NULL;
    if (value == NULL)
        return CARE_DATE_NONE;
    value++;
    *length = (size_t)(end - path);
    struct text text = {value, (uint32_t)(end - value)};
    if (text_equals(text, TEXT(null_name)))
        return CARE_DATE_NULL;
    return date_text_parse(text, day) ? CARE_DATE : CARE_DATE_NONE;
}

int32_t care_day_of(const struct zone *zone, int64_t ms) {
    int64_t seconds = calendar_floor_divide(ms, 1000);
    return (int32_t)calendar_floor_divide(seconds + zone_offset_at(zone, seconds), SECONDS_OF_DAY);
}

int64_t care_day_end_ms(const struct zone *zone, int32_t day) {
    int64_t local = ((int64_t)day + 1) * SECONDS_OF_DAY;
    return (local - zone_offset_of_local(zone, local)) * 1000;
}
