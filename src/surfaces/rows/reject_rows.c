/* A rejects table is read in two ways: by its keys, four columns that are enough to choose and
 * count, and whole, with the record's bytes (reject_columns). The filter is made of the command's
 * options once; times are of the batch, since that is what the rows have. */
#include "surfaces/rows/reject_rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/disk/file.h"
#include "base/log/log.h"
#include "base/system/clock.h"
#include "streaming/changes/rewind_watch.h"
#include "surfaces/settings/options.h"
#include "surfaces/terminal/quantity.h"

const struct wanted_column reject_columns[REJECT_COLUMNS] = {
    [REJECT_TOPIC] = {"topic", TYPE_STRING},
    [REJECT_PARTITION] = {"partition", TYPE_INT32},
    [REJECT_OFFSET] = {"offset", TYPE_INT64},
    [REJECT_KAFKA_TIMESTAMP] = {"kafka_timestamp", TYPE_TIMESTAMP},
    [REJECT_KEY] = {"key", TYPE_BINARY},
    [REJECT_VALUE] = {"value", TYPE_BINARY},
    [REJECT_REASON] = {"reason", TYPE_STRING},
    [REJECT_DETAIL] = {"detail", TYPE_STRING},
    [REJECT_POSITION] = {"position", TYPE_INT64},
    [REJECT_PROCESSED] = {"processing_timestamp", TYPE_TIMESTAMP},
};

/* ---- which ---- */

static bool read_time(const struct config *config, const char *option, const char *text,
                      int64_t *micros, struct error *err) {
    return text == NULL ||
           moment_parse(text, config->query.time_zone, clock_wall_ms(), micros, err) ||
           error_wrap(err, "%s", option);
}

bool reject_filter_init(struct reject_filter *filter, const struct config *config,
                        struct error *err) {
    const struct command_arguments *arguments = &config->arguments;
    *filter = (struct reject_filter){
        .partition = -1, .offsets = arguments->offsets, .since = INT64_MIN, .until = INT64_MAX};
    if ((arguments->given & OPTION_BIT(OPTION_REASON)) != 0)
        filter->reason = reject_reason_name(arguments->reason);
    if ((arguments->given & OPTION_BIT(OPTION_PARTITION)) != 0)
        filter->partition = arguments->partition;
    return read_time(config, "--since", arguments->since, &filter->since, err) &&
           read_time(config, "--until", arguments->until, &filter->until, err);
}

bool reject_filter_takes(const struct reject_filter *filter, const struct reject_key *key) {
    struct text wanted = {filter->reason,
                          filter->reason == NULL ? 0 : (uint32_t)strlen(filter->reason)};
    return (filter->reason == NULL || text_equals(key->reason, wanted)) &&
           (filter->partition < 0 || filter->partition == key->partition) &&
           key->offset >= filter->offsets.first && key->offset <= filter->offsets.last &&
           key->processed >= filter->since && key->processed < filter->until;
}

/* ---- reading ---- */

bool reject_rows_list(const struct store_options *store, const char *query,
                      struct reject_files *files, struct error *err) {
    struct table rejects;
    *files = (struct reject_files){0};
    int there = file_exists(store->rejects, NULL, err);
    if (there == 0)
        log_write(LOG_WARNING, query,
                  "'%s' does not exist: nothing was rejected yet, or DATA_LAKE_PATH is wrong",
                  store->rejects);
    if (there <= 0)
        return there == 0;
    bool ok = table_open(&rejects, store->rejects, err) && reject_files_list(&rejects, files, err);
    table_close(&rejects);
    files->rejects = NULL; // its paths are what counts
    return ok;
}

struct visitor {
    void (*visit)(void *context, const struct reject_key *key, const struct newest_row *row);
    void *context;
    const char *path; // of the file
};

static void visit_row(void *context, const struct table_rows *rows, size_t row) {
    const struct visitor *visitor = context;
    const struct vector *columns = rows->cursor.vectors;
    for (size_t i = 0; i < rows->cursor.column_count; i++)
        if (!columns[i].valid[row])
            return; // in no file of ours
    const struct reject_key key = {columns[0].texts[row], columns[1].int32s[row],
                                   columns[2].int64s[row], columns[3].int64s[row]};
    visitor->visit(visitor->context, &key,
                   &(struct newest_row){.micros = key.processed,
                                        .partition = key.partition,
                                        .offset = key.offset,
                                        .path = visitor->path,
                                        .row = rows->first + (int64_t)row});
}

bool reject_source_open(struct reject_source *source, const struct store_options *options,
                        struct error *err) {
    *source = (struct reject_source){.rows = {.root = options->rejects, .of_rejects = true}};
    int there = file_exists(options->checkpoint, NULL, err);
    if (there <= 0)
        return there == 0;
    if (!store_open_to_read(options, &source->store, err))
        return false;
    kept_files_init(&source->kept, source->store);
    source->rows.kept = &source->kept;
    return true;
}

void reject_source_close(struct reject_source *source) {
    if (source->store == NULL)
        return;
    kept_files_deinit(&source->kept);
    store_close(source->store);
    *source = (struct reject_source){0};
}

bool reject_rows_each(const struct reject_source *source, const char *path,
                      void (*visit)(void *context, const struct reject_key *key,
                                    const struct newest_row *row),
                      void *context, struct error *err) {
    static const struct wanted_column columns[] = {
        {"reason", TYPE_STRING},
        {"partition", TYPE_INT32},
        {"offset", TYPE_INT64},
        {"processing_timestamp", TYPE_TIMESTAMP},
    };
    struct visitor visitor = {visit, context, path};
    return table_rows_each(&source->rows, path, columns, sizeof columns / sizeof columns[0],
                           visit_row, &visitor, err) ||
           (err->kind == ERROR_STATE && file_is_gone(file_join(source->rows.root, path).text));
}

struct resolution {
    const struct store_options *options;
    struct resolved_rejects *resolved;
};

static bool read_resolved(void *context, struct error *err) {
    const struct resolution *resolution = context;
    struct store *store;
    if (!store_open_to_read(resolution->options, &store, err))
        return false;
    bool ok = resolved_rejects_read(store, resolution->resolved, err);
    store_close(store);
    return ok;
}

static void forget_resolved(void *context) {
    const struct resolution *resolution = context;
    resolved_rejects_deinit(resolution->resolved);
    *resolution->resolved = (struct resolved_rejects){0};
}

bool reject_rows_resolved(const struct store_options *options, struct resolved_rejects *resolved,
                          struct error *err) {
    struct resolution resolution = {options, resolved};
    *resolved = (struct resolved_rejects){0};
    int there = file_exists(options->checkpoint, NULL, err);
    if (there <= 0)
        return there == 0;
    return rewind_watch_look(options->checkpoint, read_resolved, forget_resolved, &resolution, err);
}

/* ---- showing ---- */

struct json *reject_row_json(const struct table_rows *rows, size_t row, size_t value_max) {
    static const struct {
        const char *name;
        enum reject_column column;
    } members[] = {{"topic", REJECT_TOPIC},       {"partition", REJECT_PARTITION},
                   {"offset", REJECT_OFFSET},     {"kafkaTimestamp", REJECT_KAFKA_TIMESTAMP},
                   {"reason", REJECT_REASON},     {"detail", REJECT_DETAIL},
                   {"position", REJECT_POSITION}, {"processedAt", REJECT_PROCESSED},
                   {"keyBase64", REJECT_KEY}};
    int digits = 0; // there are no doubles
    const struct vector *columns = rows->cursor.vectors, *value = &columns[REJECT_VALUE];
    struct json *object = json_new_object();
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        table_rows_put(object, members[i].name, &columns[members[i].column], row, &digits);
    struct text excerpt = value->valid[row] ? value->texts[row] : (struct text){0};
    json_put_int(object, "valueSize", excerpt.length);
    if (excerpt.length > value_max)
        excerpt.length = (uint32_t)value_max;
    const struct vector shown = {
        .type = TYPE_BINARY, .valid = &value->valid[row], {.texts = &excerpt}};
    table_rows_put(object, "valueBase64", &shown, 0, &digits);
    return object;
}
