#include "streaming/tasks/kafka_inputs.h"

#include <string.h>

#include "base/check.h"
#include "base/utf8.h"
#include "core/calendar.h"
#include "core/nested.h"

/* False: there is no room. */
static bool put_bytes(struct rows *rows, struct vector *to, size_t row, const char *bytes,
                      size_t size) {
    to->valid[row] = bytes != NULL;
    if (bytes == NULL)
        return true;
    char *copy = arena_alloc_bytes(&rows->strings, size);
    if (copy == NULL)
        return false;
    memcpy(copy, bytes, size);
    to->texts[row] = (struct text){copy, (uint32_t)size};
    return true;
}

/* The same, as Java decodes it: ill-formed UTF-8 is replaced, by at most three bytes for one. */
static bool put_text(struct rows *rows, struct vector *to, size_t row, const char *text) {
    const char *end = text + strlen(text);
    char *copy = arena_alloc_bytes(&rows->strings, 3 * (size_t)(end - text)), *out = copy;
    if (copy == NULL)
        return false;
    while (text < end) {
        size_t size;
        bool valid;
        out += utf8_encode(utf8_decode(text, end, &size, &valid), out);
        text += size;
    }
    to->valid[row] = 1;
    to->texts[row] = (struct text){copy, (uint32_t)(out - copy)};
    return true;
}

static bool put_header(struct rows *rows, struct vector *elements, uint32_t index,
                       const struct record_header *header) {
    elements->valid[index] = 1;
    return put_text(rows, &elements->children[0], index, header->key) &&
           put_bytes(rows, &elements->children[1], index, header->value, header->value_size);
}

/* As in Spark, a record without headers has null. */
static bool put_headers(struct rows *rows, struct vector *to, const struct record *record) {
    struct list *list = &to->lists[rows->count];
    struct record_header header;
    nested_mark(to);
    *list = (struct list){to->elements->used, 0};
    for (size_t i = 0; record->header != NULL && record->header(record, i, &header); i++) {
        uint32_t index;
        if (!nested_take(to->elements, &index) ||
            !put_header(rows, &to->children[0], index, &header))
            return false;
        list->count++;
    }
    to->valid[rows->count] = list->count > 0;
    return true;
}

/* What few queries read. Apart from fill(), which is small enough to become part of the loop. */
__attribute__((noinline)) static bool fill_rare(const struct kafka_inputs *inputs,
                                                const struct record *record, struct rows *rows,
                                                size_t input) {
    struct vector *to = &rows->inputs[input];
    size_t row = rows->count;
    switch (inputs->plan->inputs[input].kind) {
    case INPUT_TIMESTAMP_TYPE:
        to->valid[row] = record->timestamp_type >= 0;
        to->int32s[row] = record->timestamp_type;
        return true;
    case INPUT_TOPIC:
        to->texts[row] = text_borrow(inputs->topic);
        return true;
    case INPUT_KEY:
        return put_bytes(rows, to, row, record->key, record->key_size);
    case INPUT_VALUE:
        return put_bytes(rows, to, row, record->value, record->value_size);
    case INPUT_HEADERS:
        return put_headers(rows, to, record);
    default: // the decoder's, and those of fill()
        break;
    }
    check(false);
    return false;
}

static inline bool fill(const struct kafka_inputs *inputs, const struct record *record,
                        struct rows *rows, size_t input) {
    struct vector *to = &rows->inputs[input];
    size_t row = rows->count;
    to->valid[row] = 1;
    switch (inputs->plan->inputs[input].kind) {
    case INPUT_TIMESTAMP:
        to->int64s[row] = kafka_timestamp_micros(record->timestamp_ms);
        return true;
    case INPUT_PARTITION:
        to->int32s[row] = record->partition;
        return true;
    case INPUT_OFFSET:
        to->int64s[row] = record->offset;
        return true;
    case INPUT_PROCESSING_TIMESTAMP:
        to->int64s[row] = inputs->batch_time_ms * 1000;
        return true;
    default:
        return fill_rare(inputs, record, rows, input);
    }
}

bool kafka_inputs_fill(const struct kafka_inputs *inputs, const struct record *record,
                       struct rows *rows) {
    for (size_t i = rows->schema->record_count; i < rows->schema->input_count; i++)
        if (!fill(inputs, record, rows, i))
            return false;
    return true;
}

void kafka_inputs_take_back(const struct kafka_inputs *inputs, struct rows *rows) {
    for (size_t i = rows->schema->record_count; i < rows->schema->input_count; i++)
        if (inputs->plan->inputs[i].kind == INPUT_HEADERS)
            nested_rewind(&rows->inputs[i]);
}
