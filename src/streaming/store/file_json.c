#include "streaming/store/file_json.h"

#include <limits.h>
#include <string.h>

#include "base/text.h"
#include "streaming/table/table.h"

/* No file is so large, and none has so many rows; sums of such numbers stay far from an
 * overflow. */
static const int64_t size_max = (int64_t)1 << 48, rows_max = (int64_t)1 << 48;

struct json *data_file_print(const struct data_file *file) {
    struct json *object = json_new_object();
    json_put_text(object, "path", file->path);
    if (file->staged != NULL)
        json_put_text(object, "staged", file->staged);
    json_put_int(object, "size", file->size);
    json_put_int(object, "rows", file->rows);
    json_put_int(object, "modifiedMs", file->modified_ms);
    return object;
}

/* A name from disk that will be used below a directory of ours: never absolute, never upwards. */
static bool stays_below(const char *path, size_t length_max) {
    if (path == NULL || path[0] == '\0' || path[0] == '/' || strlen(path) > length_max)
        return false;
    for (const char *part = path; part != NULL; part = strchr(part, '/')) {
        part += *part == '/' ? 1 : 0;
        if (strcmp(part, "..") == 0 || strncmp(part, "../", 3) == 0 || *part == '\0' ||
            *part == '/')
            return false;
    }
    return true;
}

bool data_file_parse(const struct json *object, struct data_file *file) {
    const char *path = json_member_text(object, "path");
    const char *staged = json_member_text(object, "staged");
    *file = (struct data_file){0};
    // Staged files lie side by side, which is why `staged` has no '/'.
    if (!stays_below(path, TABLE_FILE_PATH_MAX) ||
        (json_member(object, "staged") != NULL &&
         (!stays_below(staged, NAME_MAX) || strchr(staged, '/') != NULL)) ||
        !json_member_int(object, "size", &file->size) ||
        !json_member_int(object, "rows", &file->rows) ||
        !json_member_ms(object, "modifiedMs", &file->modified_ms) || file->size <= 0 ||
        file->size > size_max || file->rows < 0 || file->rows > rows_max)
        return false;
    file->path = text_copy(path);
    file->staged = staged == NULL ? NULL : text_copy(staged);
    return true;
}
