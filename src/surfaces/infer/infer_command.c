/* Records come from Kafka, the newest of each partition, or from files, the first lines of each.
 * One after the other is merged into the shapes and forgotten. The file is printed into memory
 * first and planned as `check` does it: what is printed must be accepted. */
#include "surfaces/infer/infer_command.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/scope.h"
#include "base/text.h"
#include "core/calendar.h"
#include "sql/plan/plan.h"
#include "sql/syntax/parse.h"
#include "streaming/kafka/newest_records.h"
#include "streaming/start/streaming.h"
#include "surfaces/infer/query_file.h"
#include "surfaces/terminal/quantity.h"

enum {
    ROWS_DEFAULT = 1000,
    ROWS_MAX = 100000,
    OFFSETS_FACTOR = 100, // how far back records are searched for
    READ_MS = 30000,
    BROKER_MS = 10000,
    READ_MEMORY = 16 << 20, // bytes
};

struct inference {
    const struct command_call *call;
    const char *topic;
    int64_t wanted;
    struct shapes shapes;
    int64_t newest_ms; // the latest timestamp; INT64_MIN: none
    char *origin;      // owned; for a comment
};

/* ---- from Kafka ---- */

static bool take_record(void *context, const struct record *record, struct error *err) {
    struct inference *inference = context;
    (void)err;
    shapes_add(&inference->shapes, record->value, record->value_size);
    if (record->timestamp_ms > inference->newest_ms)
        inference->newest_ms = record->timestamp_ms;
    return true;
}

static char *describe_topic(const struct inference *inference, const struct topic_offsets *offsets,
                            const struct newest_records *newest) {
    char moment[MOMENT_TEXT_MAX] = "";
    bool has_moment = kafka_timestamp_fits(inference->newest_ms) && inference->newest_ms >= 0;
    if (has_moment)
        moment_format(kafka_timestamp_micros(inference->newest_ms), moment);
    return text_format("%s of %s%s%s%s", text_count(newest->taken, "record").text,
                       text_count((int64_t)offsets->count, "partition").text,
                       has_moment ? ", the newest of " : "", moment,
                       newest->is_late ? "; the time was over before more came" : "");
}

static bool read_source(struct inference *inference, struct broker *broker,
                        const struct topic_offsets *offsets, struct error *err) {
    const struct config *config = inference->call->config;
    struct source *source;
    struct source_memory memory = streaming_source_memory(config_memory_budget(config), 1);
    memory.fetched = READ_MEMORY;
    if (!broker->ops->open_source(broker, memory, &source, err))
        return false;
    struct newest_records newest = {.topic = inference->topic,
                                    .wanted = inference->wanted,
                                    .offsets_max = inference->wanted * OFFSETS_FACTOR,
                                    .read_ms = READ_MS,
                                    .take = take_record,
                                    .context = inference};
    bool ok = newest_records_read(&newest, source, offsets, err);
    source->ops->close(source);
    if (ok)
        inference->origin = describe_topic(inference, offsets, &newest);
    return ok;
}

static void add_suggestion(struct broker *broker, const char *topic, struct error *err) {
    char similar[KAFKA_TOPIC_NAME_MAX];
    size_t length = strlen(err->message);
    if (err->kind == ERROR_NO_TOPIC && broker->ops->similar_topic != NULL &&
        broker->ops->similar_topic(broker, topic, similar))
        (void)snprintf(err->message + length, sizeof err->message - length, "; did you mean %s?",
                       similar);
}

static bool read_topic(struct inference *inference, struct error *err) {
    const struct config *config = inference->call->config;
    struct broker *broker;
    struct topic_offsets offsets;
    if (config->bootstrap_servers == NULL)
        return error_set(err, ERROR_CONFIG,
                         "KAFKA_BOOTSTRAP_SERVERS is missing: set it, give "
                         "--kafka-bootstrap-servers, or name a FILE of records");
    if (!broker_open(config->bootstrap_servers, config->kafka_properties,
                     config->kafka_property_count, &broker, err))
        return false;
    bool ok = broker->ops->list_offsets(broker, inference->topic, BROKER_MS, &offsets, err);
    if (ok) {
        ok = read_source(inference, broker, &offsets, err);
        topic_offsets_deinit(&offsets);
    } else {
        add_suggestion(broker, inference->topic, err);
    }
    broker->ops->close(broker);
    return ok;
}

/* ---- from files ---- */

static bool read_lines(struct inference *inference, FILE *file, const char *path,
                       struct error *err) {
    scoped(scope_free) char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    errno = 0;
    for (int64_t count = 0;
         count < inference->wanted && (length = getline(&line, &capacity, file)) >= 0; count++) {
        while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r'))
            length--;
        if (length > 0)
            shapes_add(&inference->shapes, line, (size_t)length);
    }
    return !ferror(file) ||
           error_set(err, ERROR_CONFIG, "cannot read '%s': %s", path, strerror(errno));
}

static bool read_file(struct inference *inference, const char *path, struct error *err) {
    if (strcmp(path, "-") == 0)
        return read_lines(inference, stdin, "standard input", err);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return error_set(err, ERROR_CONFIG, "cannot read '%s': %s", path, strerror(errno));
    bool ok = read_lines(inference, file, path, err);
    (void)fclose(file);
    return ok;
}

static bool read_files(struct inference *inference, struct error *err) {
    const struct command_arguments *arguments = &inference->call->config->arguments;
    for (size_t i = 0; i < arguments->operand_count; i++)
        if (!read_file(inference, arguments->operands[i], err))
            return false;
    inference->origin = text_copy("one for each line of the files given");
    return true;
}

/* ---- the file ---- */

/* What `check` would say. */
static bool check_text(const char *text, size_t size, struct error *err) {
    struct sql_file file;
    if (!sql_parse("standard output", text, size, &file, err))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < file.table_count; i++) {
        struct query_plan plan = {0};
        ok = plan_make(&file, i, &plan, err);
        plan_deinit(&plan);
    }
    sql_file_deinit(&file);
    return ok;
}

static void report(const struct inference *inference) {
    const struct shapes *shapes = &inference->shapes;
    int64_t records = shapes->not_json + shapes->not_objects + shapes->nulls + shapes->blanks;
    if (shapes->objects > 0)
        return;
    *inference->call->code = EXIT_CODE_RECORD;
    if (records == 0)
        (void)fprintf(inference->call->errors,
                      "esports-stream: infer: there is no record of %s: the file printed has a "
                      "table of the records' bytes\n",
                      inference->topic);
    else
        (void)fprintf(inference->call->errors,
                      "esports-stream: infer: none of the %s of %s is a JSON object: the file "
                      "printed has a table of the records' bytes\n",
                      text_count(records, "record").text, inference->topic);
}

/* Owned by the caller. */
static char *make_text(const struct inference *inference, bool with_values, size_t *size) {
    const struct infer_source source = {
        .topic = inference->topic, .origin = inference->origin, .with_values = with_values};
    char *text;
    FILE *file = open_memstream(&text, size);
    check(file != NULL);
    query_file_print(file, &inference->shapes, &source);
    must_close_text(file, &text);
    return text;
}

static bool print(struct inference *inference, struct error *err) {
    size_t size;
    bool with_values = !inference->call->config->arguments.no_values;
    scoped(scope_free) char *text = make_text(inference, with_values, &size);
    if (size > SQL_FILE_BYTES_MAX && with_values) { // values are most of it
        free(text);
        text = make_text(inference, false, &size);
    }
    (void)fwrite(text, 1, size, inference->call->out);
    if (!check_text(text, size, err))
        return error_wrap(err, "the file that was printed is not correct yet");
    report(inference);
    return true;
}

bool infer_command(const struct command_call *call, struct error *err) {
    const struct command_arguments *arguments = &call->config->arguments;
    bool is_given = (arguments->given & OPTION_BIT(OPTION_ROWS)) != 0;
    struct inference *inference = must_alloc(1, sizeof *inference); // too large for a stack
    inference->call = call;
    inference->topic = arguments->topic;
    inference->wanted = is_given ? arguments->rows : ROWS_DEFAULT;
    inference->newest_ms = INT64_MIN;
    shapes_init(&inference->shapes);
    bool ok = inference->wanted >= 1 && inference->wanted <= ROWS_MAX;
    if (!ok)
        (void)error_set(err, ERROR_CONFIG, "--rows: %" PRId64 " is not between 1 and %d",
                        inference->wanted, ROWS_MAX);
    ok = ok &&
         (arguments->operand_count > 0 ? read_files(inference, err) : read_topic(inference, err));
    if (ok) {
        shapes_finish(&inference->shapes);
        ok = print(inference, err);
    }
    shapes_deinit(&inference->shapes);
    free(inference->origin);
    free(inference);
    return ok;
}
