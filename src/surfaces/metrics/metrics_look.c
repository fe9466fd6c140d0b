#include "surfaces/metrics/metrics_look.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/disk/filesystem.h"

static void look_at_query(struct query_look *look, const struct program_view *program,
                          size_t index) {
    const struct query_view *view = &program->queries[index];
    look->view = view;
    look->name = view->options->stream->name;
    // The status first: what it says was committed is in the totals, too.
    look->snapshot = query_status_read(view->status);
    look->lag = topic_lag_read(&view->status->lag, &look->partitions);
    look->totals = query_history_totals(view->history);
    struct health_verdict verdict;
    health_watch_judge(program->health, index, &verdict);
    look->health = verdict.state;
    look->causes = verdict.causes;
}

/* A directory that does not exist yet is created on the file system of the one above it, at the
 * latest by the first batch; until then nothing is said of it. */
static void look_at_disks(struct metrics_look *look) {
    const struct config *config = look->program->config;
    const struct {
        const char *place, *path;
    } places[DISKS_MAX] = {{"data_lake", config->data_lake_path},
                           {"processed", config->processed_path},
                           {"checkpoint", config->checkpoint_path}};
    uint64_t seen[DISKS_MAX] = {0};
    for (size_t i = 0; i < DISKS_MAX; i++) {
        struct filesystem_place place;
        struct filesystem_room room;
        if (places[i].path == NULL || !filesystem_place(places[i].path, &place) ||
            !filesystem_room(places[i].path, &room))
            continue;
        bool known = false;
        for (size_t j = 0; j < look->disk_count; j++)
            known = known || seen[j] == place.device;
        if (known)
            continue;
        seen[look->disk_count] = place.device;
        look->disks[look->disk_count++] =
            (struct disk_look){.place = places[i].place, .size = room.size, .free = room.free};
    }
}

struct metrics_look *metrics_look(const struct program_view *program) {
    struct metrics_look *look = must_alloc(1, sizeof *look);
    look->program = program;
    look->query_count = program->query_count;
    for (size_t i = 0; i < program->query_count; i++)
        look_at_query(&look->queries[i], program, i);
    look_at_disks(look);
    look->sources = must_alloc(SOURCES_MAX, sizeof *look->sources);
    look->source_count =
        program->sources(program->streaming, SOURCES_MAX, look->is_told, look->sources);
    if (look->source_count > SOURCES_MAX)
        look->source_count = SOURCES_MAX;
    look->memory = program->memory(program->streaming);
    look->webhook = program->notifications(program->alerts);
    look->process = process_usage_read();
    return look;
}

void metrics_look_free(struct metrics_look *look) {
    for (size_t i = 0; i < look->query_count; i++)
        free(look->queries[i].partitions);
    free(look->sources);
    free(look);
}
