#include "surfaces/http/json_fields.h"

#include <string.h>

#include "base/text.h"
#include "core/calendar.h"
#include "surfaces/terminal/quantity.h"

void put_time(struct json *object, const char *name, int64_t wall_ms) {
    char text[MOMENT_TEXT_MAX];
    size_t used = moment_format_seconds(calendar_floor_divide(wall_ms, 1000), 'T', text);
    (void)text_append(text, sizeof text, used, ".%03dZ", (int)calendar_floor_rest(wall_ms, 1000));
    json_put_text(object, name, text);
}

void put_time_or_null(struct json *object, const char *name, int64_t wall_ms, int64_t least) {
    if (wall_ms < least)
        json_put_null(object, name);
    else
        put_time(object, name, wall_ms);
}

void put_text(struct json *object, const char *name, const char *text) {
    json_put_bytes(object, name, text, strlen(text));
}
