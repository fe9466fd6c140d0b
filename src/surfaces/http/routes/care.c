/* `care` of QUERY, and what FILES has of the table (docs/http.md). All of it is a copy of what the
 * caretaker has counted: no directory is listed for a request. */
#include <math.h>

#include "surfaces/health/forecast_now.h"
#include "surfaces/http/routes/routes.h"

static void put_group(struct json *object, const struct file_group *group) {
    json_put_int(object, "files", group->files);
    json_put_int(object, "bytes", group->bytes);
    json_put_int(object, "small", group->small);
}

/* ---- QUERY ---- */

static struct json *print_counts(const struct file_counts *counts) {
    struct json *object = json_new_object();
    put_time(object, "countedAt", counts->counted_ms);
    put_group(object, &counts->all);
    json_put_int(object, "smallBelowBytes", counts->small_below);
    json_put_int(object, "afterCompaction", counts->merged_files);
    json_put_int(object, "directories", counts->directory_count);
    return object;
}

static void put_counts(struct json *object, const char *name, const struct query_view *query,
                       bool of_rejects) {
    struct file_counts counts;
    care_status_read_files(query->care, of_rejects, &counts);
    if (counts.counted_ms == 0)
        json_put_null(object, name);
    else
        json_put(object, name, print_counts(&counts));
}

static void put_forecast(struct json *object, const struct program_view *program,
                         const struct query_view *query) {
    struct forecast forecast;
    double seconds;
    if (!forecast_now(program->config, query, &forecast, &seconds)) {
        json_put_null(object, "forecast");
        return;
    }
    struct json *member = json_new_object();
    json_put_int(member, "ofSeconds", llround(seconds));
    json_put_int(member, "filesPerDay", llround(forecast.files));
    json_put_int(member, "meanBytes", llround(forecast.file_bytes));
    json_put_int(member, "rejectFilesPerDay", llround(forecast.reject_files));
    json_put_int(member, "filesPerDayAfterCompaction", llround(forecast.kept_files));
    json_put(object, "forecast", member);
}

static void put_gain(struct json *object, const struct care_gain *gain) {
    json_put_int(object, "filesBefore", gain->files_before);
    json_put_int(object, "filesAfter", gain->files_after);
    json_put_int(object, "bytesBefore", gain->bytes_before);
    json_put_int(object, "bytesAfter", gain->bytes_after);
    json_put_int(object, "rows", gain->rows);
}

static struct json *print_compactions(const struct care_view *care) {
    struct json *object = json_new_object();
    json_put_int(object, "count", care->compactions);
    put_gain(object, &care->gain);
    if (care->last_ms == 0) {
        json_put_null(object, "newest");
        return object;
    }
    struct json *newest = json_new_object();
    put_time(newest, "at", care->last_ms);
    json_put_int(newest, "durationMs", care->last_duration_ms);
    put_gain(newest, &care->last);
    json_put(object, "newest", newest);
    return object;
}

static struct json *print_expiries(const struct care_view *care) {
    struct json *object = json_new_object();
    json_put_int(object, "count", care->expiries);
    json_put_int(object, "files", care->expired_files);
    json_put_int(object, "rows", care->expired_rows);
    put_time_or_null(object, "newestAt", care->last_expiry_ms, 1);
    if (care->expiry_waits[0] != '\0')
        json_put_shown(object, "waitForClock", care->expiry_waits);
    else
        json_put_null(object, "waitForClock");
    return object;
}

/* Small files that no compaction takes yet, and why; null where nobody has looked. */
static void put_waiting(struct json *object, const struct care_view *care) {
    if (care->looked_ms == 0) {
        json_put_null(object, "waiting");
        return;
    }
    struct json *member = json_new_object();
    json_put_int(member, "files", care->waiting_files);
    put_time(member, "lookedAt", care->looked_ms);
    json_put_shown(member, "why", care->waits);
    json_put(object, "waiting", member);
}

static void put_error(struct json *object, const struct care_view *care) {
    if (care->error[0] == '\0') {
        json_put_null(object, "error");
        return;
    }
    struct json *member = json_new_object();
    json_put_shown(member, "text", care->error);
    put_time(member, "at", care->error_ms);
    put_time_or_null(member, "failingSince", care->failing_ms, 1);
    json_put_int(member, "failedAttempts", care->failing_attempts);
    json_put(object, "error", member);
}

struct json *print_care(const struct program_view *program, const struct query_view *query) {
    struct care_view care = care_status_read(query->care);
    struct json *object = json_new_object();
    json_put_bool(object, "compacts", care.compacts);
    json_put_bool(object, "expires", care.expires);
    json_put_bool(object, "busy", care.is_busy);
    put_counts(object, "files", query, false);
    put_counts(object, "rejectFiles", query, true);
    put_forecast(object, program, query);
    json_put(object, "compactions", print_compactions(&care));
    json_put(object, "expiries", print_expiries(&care));
    put_time_or_null(object, "nextLookAt", care.next_look_ms, 1);
    put_waiting(object, &care);
    json_put_int(object, "unmergeable", care.left_alone);
    json_put_int(object, "errors", care.errors);
    put_error(object, &care);
    return object;
}

/* ---- FILES ---- */

static struct json *print_ages(const struct file_counts *counts) {
    struct json *array = json_new_array();
    for (enum file_age age = FILE_AGE_HOUR; age < FILE_AGES; age++) {
        struct json *object = json_new_object();
        if (file_age_bound_s(age) == INT64_MAX)
            json_put_null(object, "upToSeconds");
        else
            json_put_int(object, "upToSeconds", file_age_bound_s(age));
        put_group(object, &counts->ages[age]);
        json_append(array, object);
    }
    return array;
}

static struct json *print_directories(const struct file_counts *counts) {
    struct json *array = json_new_array();
    for (size_t i = 0; i < counts->shown; i++) {
        struct json *object = json_new_object();
        json_put_shown(object, "name", counts->directories[i].name);
        put_group(object, &counts->directories[i].group);
        json_append(array, object);
    }
    return array;
}

void put_table_files(struct json *object, const char *name, const struct query_view *query,
                     bool of_rejects) {
    struct file_counts counts;
    care_status_read_files(query->care, of_rejects, &counts);
    if (counts.counted_ms == 0) {
        json_put_null(object, name);
        return;
    }
    struct json *member = print_counts(&counts);
    json_put(member, "bySize", print_file_sizes(counts.sizes));
    json_put(member, "byAge", print_ages(&counts));
    json_put(member, "byDirectory", print_directories(&counts));
    json_put(object, name, member);
}
