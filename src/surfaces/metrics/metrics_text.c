#include "surfaces/metrics/metrics_text.h"

#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "base/utf8.h"

const char *metric_type_name(enum metric_type type) {
    static const char *const names[] = {
        [METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge", [METRIC_HISTOGRAM] = "histogram"};
    return names[type];
}

/* Help is one line of ours: it needs no escapes. */
void metrics_text_begin(struct metrics_text *text, const char *name, enum metric_type type,
                        const char *help) {
    check(strpbrk(help, "\\\n") == NULL);
    text->family = name;
    (void)fprintf(text->out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
                  metric_type_name(type));
}

/* A label's value. A byte that is not escaped or not UTF-8 would cost Prometheus the whole answer,
 * not this sample alone. */
static void print_value(FILE *out, const char *value) {
    const char *end = value + strlen(value);
    for (size_t size; value < end; value += size) {
        bool valid;
        char bytes[UTF8_CHARACTER_MAX];
        uint32_t character = utf8_decode(value, end, &size, &valid);
        if (character == '\\' || character == '"')
            (void)fputc('\\', out);
        if (character == '\n')
            (void)fputs("\\n", out);
        else
            (void)fwrite(bytes, 1, utf8_encode(character, bytes), out);
    }
}

/* The sample's name with its labels and, for a bucket, its bound. */
static void print_name(const struct metrics_text *text, const char *suffix,
                       const struct metric_label *labels, const char *bound) {
    const char *between = "{";
    (void)fprintf(text->out, "%s%s", text->family, suffix);
    for (; labels != NULL && labels->name != NULL; labels++) {
        (void)fprintf(text->out, "%s%s=\"", between, labels->name);
        print_value(text->out, labels->value);
        (void)fputc('"', text->out);
        between = ",";
    }
    if (bound != NULL)
        (void)fprintf(text->out, "%sle=\"%s\"", between, bound);
    (void)fputs(bound != NULL || *between == ',' ? "} " : " ", text->out);
}

void metrics_text_int(struct metrics_text *text, const struct metric_label *labels, int64_t value) {
    print_name(text, "", labels, NULL);
    (void)fprintf(text->out, "%" PRId64 "\n", value);
}

void metrics_text_real(struct metrics_text *text, const struct metric_label *labels, double value) {
    print_name(text, "", labels, NULL);
    (void)fprintf(text->out, "%.15g\n", value);
}

void metrics_text_histogram(struct metrics_text *text, const struct metric_label *labels,
                            const int64_t *bounds, size_t bound_count, const int64_t *counts,
                            int64_t sum, int64_t units) {
    int64_t count = 0;
    for (size_t i = 0; i <= bound_count; i++) {
        char bound[32] = "+Inf";
        if (i < bound_count)
            snprintf(bound, sizeof bound, "%.15g", (double)bounds[i] / (double)units);
        count += counts[i]; // buckets are cumulative in the format
        print_name(text, "_bucket", labels, bound);
        (void)fprintf(text->out, "%" PRId64 "\n", count);
    }
    print_name(text, "_sum", labels, NULL);
    (void)fprintf(text->out, "%.15g\n", (double)sum / (double)units);
    print_name(text, "_count", labels, NULL);
    (void)fprintf(text->out, "%" PRId64 "\n", count);
}
