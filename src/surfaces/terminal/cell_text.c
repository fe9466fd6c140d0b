#include "surfaces/terminal/cell_text.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"
#include "core/calendar.h"
#include "surfaces/terminal/moment.h"

static void format_text(struct text value, char text[static CELL_TEXT_MAX]) {
    const char *at = value.bytes, *end = value.bytes + value.length;
    size_t used = 0, characters = 0, size;
    for (; at < end && characters < CELL_CHARACTERS_MAX; at += size, characters++) {
        bool valid;
        uint32_t character = utf8_decode(at, end, &size, &valid);
        bool shown = valid && character >= 0x20 && (character < 0x7f || character >= 0xa0);
        memcpy(text + used, shown ? at : "?", shown ? size : 1);
        used += shown ? size : 1;
    }
    (void)text_append(text, CELL_TEXT_MAX, used, "%s", at < end ? "…" : "");
}

static void format_timestamp(int64_t micros, char text[static CELL_TEXT_MAX]) {
    char moment[MOMENT_TEXT_MAX];
    long long fraction = calendar_floor_rest(micros, 1000000);
    (void)moment_format_seconds(calendar_floor_divide(micros, 1000000), ' ', moment);
    size_t used = text_append(text, CELL_TEXT_MAX, 0, "%s", moment);
    if (fraction != 0)
        (void)text_append(text, CELL_TEXT_MAX, used, ".%06lld", fraction);
}

void cell_text(const struct vector *vector, size_t row, char text[static CELL_TEXT_MAX]) {
    if (!vector->valid[row]) {
        snprintf(text, CELL_TEXT_MAX, "null");
        return;
    }
    switch (vector->type) {
    case TYPE_BOOL:
        snprintf(text, CELL_TEXT_MAX, "%s", vector->booleans[row] ? "true" : "false");
        break;
    case TYPE_INT32:
        snprintf(text, CELL_TEXT_MAX, "%d", vector->int32s[row]);
        break;
    case TYPE_INT64:
        snprintf(text, CELL_TEXT_MAX, "%lld", (long long)vector->int64s[row]);
        break;
    case TYPE_DOUBLE:
        snprintf(text, CELL_TEXT_MAX, "%.10g", vector->doubles[row]);
        break;
    case TYPE_STRING:
    case TYPE_BINARY:
        format_text(vector->texts[row], text);
        break;
    case TYPE_TIMESTAMP:
        format_timestamp(vector->int64s[row], text);
        break;
    case TYPE_COUNT:
        text[0] = '\0';
        break;
    }
}
