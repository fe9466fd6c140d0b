/* Rejects by reason, and the newest of them with the beginning of their bytes. */
#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"
#include "core/kafka_timestamp.h"
#include "surfaces/http/routes/fields.h"
#include "surfaces/http/routes/routes.h"

static struct json *print_sample(const struct reject_sample *sample, const char *topic) {
    struct json *object = json_new_object();
    json_put_int(object, "batchId", sample->batch_id);
    put_text(object, "topic", topic);
    json_put_int(object, "partition", sample->partition);
    json_put_int(object, "offset", sample->offset);
    if (kafka_timestamp_fits(sample->timestamp_ms))
        put_time(object, "kafkaTimestamp", kafka_timestamp_micros(sample->timestamp_ms) / 1000);
    else
        json_put_null(object, "kafkaTimestamp");
    json_put_text(object, "reason", reject_reason_name(sample->reject.reason));
    put_text(object, "detail", sample->reject.detail);
    json_put_int(object, "position", (int64_t)sample->reject.position);
    put_time(object, "processedAt", sample->processed_ms);
    if (sample->value_size == SIZE_MAX) { // a null value is not an empty one
        json_put_null(object, "valueSize");
        json_put_null(object, "valueBase64");
        return object;
    }
    char *value = base64_encode(sample->value, sample->kept);
    json_put_int(object, "valueSize", (int64_t)sample->value_size);
    json_put_text(object, "valueBase64", value);
    free(value);
    return object;
}

void route_rejects(const struct http_call *call, struct http_response *response) {
    struct query_totals totals = query_history_totals(call->query->history);
    struct reject_sample *samples[REJECT_SAMPLES_MAX];
    size_t count = query_history_rejects(call->query->history, samples);
    struct json *reasons = print_rejects(totals.rejects_by);
    char *printed = json_print(reasons), before[512];
    json_free(reasons);
    snprintf(before, sizeof before, "{\"byReason\":%s,\"samples\":", printed);
    free(printed);
    struct http_list *list = http_list_open(before);
    for (size_t i = 0; i < count; i++) {
        http_list_add(list, print_sample(samples[i], call->query->options->store.topic));
        reject_sample_release(samples[i]);
    }
    http_list_close(list, "}", response);
}
