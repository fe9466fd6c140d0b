#include "streaming/care/count_files.h"

#include "base/system/clock.h"
#include "streaming/changes/change_steps.h"
#include "streaming/sink_log/sink_entry.h"
#include "streaming/sink_log/sink_log.h"

enum { ASK_EVERY = 256 }; // files

struct walk {
    const struct store *store;
    struct file_counter *counter;
    int64_t seen;
    bool (*goes_on)(void *context);
    void *context;
    bool stopped;
};

static bool take(struct walk *walk, const char *path, int64_t size, int64_t modified_ms) {
    file_counter_add(walk->counter, path, size, modified_ms);
    walk->stopped = ++walk->seen % ASK_EVERY == 0 && !walk->goes_on(walk->context);
    return !walk->stopped;
}

static bool take_path(void *context, const char *path, int64_t size, int64_t modified_ms) {
    return take(context, path, size, modified_ms);
}

static bool take_entry(void *context, struct json *line, struct error *err) {
    struct walk *walk = context;
    const struct store_options *options = &walk->store->options;
    struct sink_entry entry;
    if (!sink_entry_read(&entry, line, options->table, options->partition_by_count, err))
        return false;
    bool ok = !entry.in_table || take(walk, entry.relative, entry.size, entry.modified_ms) ||
              error_set(err, ERROR_STOPPED, "a stop was requested");
    sink_entry_deinit(&entry);
    return ok;
}

bool count_files(const struct store *store, bool of_rejects, int64_t target_size,
                 bool (*goes_on)(void *context), void *context, struct file_counts *counts,
                 struct error *err) {
    struct walk walk = {.store = store,
                        .counter = file_counter_create(target_size, clock_wall_ms()),
                        .goes_on = goes_on,
                        .context = context};
    struct sink_log log = {0};
    bool ok = of_rejects || sink_log_open(&log, store->options.table, err);
    if (ok && log.exists)
        ok = sink_log_each_entry(&log, take_entry, &walk, err);
    else if (ok)
        ok = change_each_eligible(store, of_rejects, take_path, &walk, err);
    if (ok && walk.stopped)
        ok = error_set(err, ERROR_STOPPED, "a stop was requested");
    if (ok)
        file_counter_read(walk.counter, counts);
    file_counter_free(walk.counter);
    return ok;
}
