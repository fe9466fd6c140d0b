#include "surfaces/http/routes/fields.h"

#include <string.h>

#include "base/text.h"
#include "core/calendar.h"
#include "core/double_text.h"
#include "surfaces/terminal/moment.h"

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

static void put_ms(struct json *object, const char *name, int64_t us, int64_t batches) {
    double ms = batches > 0 ? (double)us / (double)batches / 1000 : 0;
    json_put_real(object, name, double_round(ms, 3));
}

struct json *print_durations(const int64_t stage_us[static STAGE_COUNT], int64_t total_us,
                             int64_t batches) {
    struct json *object = json_new_object();
    for (int i = 0; i < STAGE_COUNT; i++)
        put_ms(object, stage_name((enum stage)i), stage_us[i], batches);
    put_ms(object, "total", total_us, batches);
    return object;
}

struct json *print_rejects(const int64_t rejects[static REJECT_REASON_COUNT]) {
    struct json *object = json_new_object();
    for (int i = 0; i < REJECT_REASON_COUNT; i++)
        if (rejects[i] > 0)
            json_put_int(object, reject_reason_name((enum reject_reason)i), rejects[i]);
    return object;
}

struct json *print_unknown(const struct unknown_name *names, size_t count, int64_t all) {
    struct json *object = json_new_object();
    for (size_t i = 0; i < count; i++) {
        if (names[i].count == 0)
            continue;
        json_put_int(object, names[i].text, names[i].count);
        all -= names[i].count;
    }
    if (all > 0)
        json_put_int(object, "(others)", all);
    return object;
}
