#include "streaming/care/care_work.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/system/clock.h"
#include "base/text.h"
#include "pipeline/sink/reject_table.h"
#include "streaming/changes/change_steps.h"
#include "streaming/changes/changes.h"

int care_date_level(const struct query_definition *definition) {
    size_t count = definition->options->store.partition_by_count;
    for (size_t i = 0; i < count; i++)
        if (definition->schema.columns[definition->partition_columns[i]].type == TYPE_DATE)
            return (int)i;
    return -1;
}

static void add_positions(struct care_table *table) {
    const struct query_plan *plan = &table->definition->options->stream->plan;
    if (plan_is_row_per_record(plan))
        return;
    check(plan->view_count <= MERGE_POSITIONS_MAX);
    for (size_t i = 0; i < plan->view_count; i++)
        table->positions[table->position_count++] =
            plan->columns[plan->views[i].position_column].name;
}

void care_table_init(struct care_table *table, const struct query_definition *definition,
                     const struct store *store, bool of_rejects) {
    *table = (struct care_table){.store = store,
                                 .definition = definition,
                                 .of_rejects = of_rejects,
                                 .root = of_rejects ? store->options.rejects : store->options.table,
                                 .schema = of_rejects ? reject_schema() : &definition->schema,
                                 .date_level = -1};
    // A zone that is none was refused with the settings.
    check(zone_find(text_borrow(definition->options->time_zone), &table->zone));
    if (of_rejects)
        return;
    table->partition_column_count = definition->options->store.partition_by_count;
    table->date_level = care_date_level(definition);
    add_positions(table);
}

/* ---- the files ---- */

static bool add_file(void *context, const char *path, int64_t size, int64_t modified_ms) {
    care_files_add(context, path, size, modified_ms);
    return true;
}

bool care_list(const struct care_table *table, struct care_files *files, struct error *err) {
    struct changes changes;
    *files = (struct care_files){0};
    if (!change_each_eligible(table->store, table->of_rejects, add_file, files, err) ||
        !changes_read(table->store, &changes, err)) {
        care_files_deinit(files);
        return false;
    }
    for (size_t i = 0; i < files->count; i++)
        files->files[i].is_output =
            changes_added(&changes, table->of_rejects, files->files[i].path) != NULL;
    changes_deinit(&changes);
    care_files_sort(files);
    return true;
}

/* ---- texts ---- */

enum { DIRECTORIES_SHOWN = 3 };

const char *care_amount(int64_t files, int64_t bytes, char text[static CARE_AMOUNT_MAX]) {
    bool is_small = bytes < 1000000, is_large = bytes >= 1000000000;
    (void)snprintf(text, CARE_AMOUNT_MAX, "%s (%.1f %s)", text_count(files, "file").text,
                   (double)bytes / (is_small   ? 1e3
                                    : is_large ? 1e9
                                               : 1e6),
                   is_small   ? "kB"
                   : is_large ? "GB"
                              : "MB");
    return text;
}

const char *care_directory_name(const char *directory) {
    return *directory != '\0' ? directory : "the table's root";
}

void care_add_directory(char *text, size_t size, const char *directory, size_t count) {
    static const char more[] = " and ";
    if (count == 0)
        text[0] = '\0';
    char *cut = count > DIRECTORIES_SHOWN ? strstr(text, more) : NULL;
    if (cut != NULL)
        *cut = '\0';
    if (count < DIRECTORIES_SHOWN)
        (void)text_append(text, size, strlen(text), "%s%s", count > 0 ? ", " : "",
                          care_directory_name(directory));
    else
        (void)text_append(text, size, strlen(text), "%s%zu more", more,
                          count + 1 - DIRECTORIES_SHOWN);
}

void care_report_line(const struct care_report *report, char line[static CARE_LINE_MAX]) {
    const struct care_gain *gain = &report->gain;
    const char *query = report->table->definition->options->store.query;
    char before[CARE_AMOUNT_MAX], after[CARE_AMOUNT_MAX];
    (void)care_amount(gain->files_before, gain->bytes_before, before);
    (void)care_amount(gain->files_after, gain->bytes_after, after);
    if (report->kind == CHANGE_COMPACTION)
        (void)snprintf(line, CARE_LINE_MAX, "%s: compacted %s into %s, %s, in %.1f s: %s.", query,
                       before, after, text_count(gain->rows, "row").text,
                       (double)report->duration_ms / 1000,
                       report->table->of_rejects ? "rejects" : report->directories);
    else
        (void)snprintf(line, CARE_LINE_MAX, "%s: expired %s, %s, in %.1f s: %s.", query, before,
                       text_count(gain->rows, "row").text, (double)report->duration_ms / 1000,
                       report->directories);
}

/* ---- a change ---- */

bool care_begin(const struct care_table *table, enum change_kind kind, struct change *change,
                struct file_path *staging, struct error *err) {
    *change = (struct change){.kind = kind, .of_rejects = table->of_rejects};
    return checkpoint_newest(&table->store->checkpoint.commits, &change->batch_id, err) &&
           change_begin(table->store, table->of_rejects, &change->number, staging, err);
}

static int compare_paths(const void *a, const void *b) {
    return strcmp(((const struct data_file *)a)->path, ((const struct data_file *)b)->path);
}

static void sort(struct file_list *list) {
    if (list->count > 0)
        qsort(list->files, list->count, sizeof *list->files, compare_paths);
}

static void sum_up(const struct change *change, struct care_gain *gain) {
    gain->files_before = (int64_t)change->left.count;
    gain->files_after = (int64_t)change->added.count;
    for (size_t i = 0; i < change->left.count; i++) {
        gain->bytes_before += change->left.files[i].size;
        gain->rows += change->left.files[i].rows;
    }
    for (size_t i = 0; i < change->added.count; i++)
        gain->bytes_after += change->added.files[i].size;
}

bool care_publish(const struct care_table *table, const struct care_host *host,
                  struct change *change, struct care_report *report, struct error *err) {
    sort(&change->left);
    sort(&change->added);
    sum_up(change, &report->gain);
    report->table = table;
    report->kind = change->kind;
    change->made_ms = clock_wall_ms();
    if (!host->publish(host->context, change, &report->recorded, err)) {
        if (!report->recorded)
            change_discard(table->store, table->of_rejects, change->number);
        return false;
    }
    host->finished(host->context, report);
    return true;
}
