#include "streaming/start/file_check.h"

#include "base/check.h"
#include "base/log/log.h"
#include "base/system/thread.h"
#include "streaming/recovery/missing_files.h"

static void report(struct file_check *self, const struct missing_files *missing) {
    query_status_set_missing(&self->query->report.status, missing->count,
                             missing->resized + missing->unlisted, missing->names);
}

static bool find(struct file_check *self, struct missing_files *missing, struct error *err) {
    const struct missing_files_search search = {.options = &self->query->definition.options->store,
                                                .names_max = MISSING_FILES_IN_MEMORY,
                                                .stop = self->query->stop,
                                                .end = &self->end};
    return missing_files_find(&search, missing, err);
}

/* The driver and its workers come first. */
static void *check_main(void *argument) {
    struct file_check *self = argument;
    const struct query *query = self->query;
    struct missing_files missing;
    struct error err;
    (void)pthread_setname_np(pthread_self(), "file check"); // only for people
    thread_lower_priority();
    if (find(self, &missing, &err)) {
        report(self, &missing);
        if (missing_files_any(&missing)) {
            missing_files_describe(&missing, query->definition.options->store.table, &err);
            log_write(LOG_ERROR, query->report.name, "%s", err.message);
        }
    } else if (err.kind != ERROR_STOPPED) {
        log_write(LOG_WARNING, query->report.name,
                  "Cannot check for missing files of the table; the next start tries again | "
                  "error=%s",
                  err.message);
    }
    return NULL;
}

static bool find_before_the_first_batch(struct file_check *self, struct error *err) {
    struct query *query = self->query;
    struct missing_files missing;
    struct retry retry = {0};
    query_status_say(&query->report.status, QUERY_STARTING, false,
                     "Looking for missing files of the table");
    while (!find(self, &missing, err))
        if (!retry_again(&query->retrier, &retry, err))
            return false;
    report(self, &missing);
    if (!missing_files_any(&missing))
        return true;
    missing_files_describe(&missing, query->definition.options->store.table, err);
    return error_wrap(err, "MISSING_FILES=stop");
}

bool file_check_begin(struct file_check *self, struct query *query, struct error *err) {
    struct error no_thread;
    *self = (struct file_check){.query = query};
    switch (query->definition.options->missing_files) {
    case MISSING_FILES_IGNORE:
        return true;
    case MISSING_FILES_STOP:
        return find_before_the_first_batch(self, err);
    case MISSING_FILES_REPORT:
        break;
    }
    self->is_running =
        thread_start(&self->thread, check_main, self,
                     "cannot start the thread that looks for missing files", &no_thread);
    if (!self->is_running)
        log_write(LOG_WARNING, query->report.name,
                  "Cannot check for missing files of the table | error=%s", no_thread.message);
    return true;
}

void file_check_end(struct file_check *self, bool finish) {
    if (!self->is_running)
        return;
    if (!finish)
        atomic_store_explicit(&self->end, true, memory_order_relaxed);
    check(pthread_join(self->thread, NULL) == 0);
    self->is_running = false;
}
