/* The sink log as Spark's CompactibleFileStreamLog reads it, and what the checkpoint says.
 *
 * A file of the log is read again only if its bytes have changed. A file that cannot be read is a
 * finding, because each of these files is published whole. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/json.h"
#include "base/scope.h"
#include "base/text.h"
#include "checker_state.h"
#include "model_disk.h"

/* ---- lists ---- */

void listing_add(struct listing *listing, const char *path, int64_t size) {
    if (listing->count == listing->capacity) {
        listing->capacity = listing->capacity * 2 + 64;
        listing->files = reallocarray(listing->files, listing->capacity, sizeof *listing->files);
        check(listing->files != NULL);
    }
    listing->files[listing->count++] = (struct listed_file){text_copy(path), size};
}

void listing_deinit(struct listing *listing) {
    for (size_t i = 0; i < listing->count; i++)
        free(listing->files[i].path);
    free(listing->files);
    *listing = (struct listing){0};
}

void spans_add(struct spans *spans, int32_t partition, int64_t start, int64_t end) {
    if (spans->count == spans->capacity) {
        spans->capacity = spans->capacity * 2 + 16;
        spans->spans = reallocarray(spans->spans, spans->capacity, sizeof *spans->spans);
        check(spans->spans != NULL);
    }
    spans->spans[spans->count++] = (struct span){partition, start, end};
}

bool spans_have(const struct spans *spans, int32_t partition, int64_t offset) {
    for (size_t i = 0; i < spans->count; i++)
        if (spans->spans[i].partition == partition && spans->spans[i].start <= offset &&
            offset < spans->spans[i].end)
            return true;
    return false;
}

void spans_deinit(struct spans *spans) {
    free(spans->spans);
    *spans = (struct spans){0};
}

/* ---- files of a directory by number ---- */

struct numbered {
    int64_t *numbers; // owned; ascending
    size_t count, capacity;
    const char *directory, *ending;
};

static void take_number(void *context, const char *path, size_t size) {
    (void)size;
    struct numbered *numbered = context;
    const char *name = path + strlen(numbered->directory) + 1;
    char *end;
    if (*name < '0' || *name > '9')
        return;
    int64_t number = strtoll(name, &end, 10);
    if (strcmp(end, numbered->ending) != 0)
        return;
    if (numbered->count == numbered->capacity) {
        numbered->capacity = numbered->capacity * 2 + 32;
        numbered->numbers =
            reallocarray(numbered->numbers, numbered->capacity, sizeof *numbered->numbers);
        check(numbered->numbers != NULL);
    }
    numbered->numbers[numbered->count++] = number;
}

static int by_number(const void *a, const void *b) {
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* The numbers are the caller's. */
static struct numbered list_numbered(const char *directory, const char *ending) {
    struct numbered numbered = {.directory = directory, .ending = ending};
    model_disk_walk(directory, take_number, &numbered);
    if (numbered.count > 1)
        qsort(numbered.numbers, numbered.count, sizeof *numbered.numbers, by_number);
    return numbered;
}

/* ---- documents ---- */

static const char *next_line(const char *at, const char *end) {
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    return newline == NULL ? end : newline;
}

/* The lines of JSON of a file that was read, after its first line. A look reads the same bytes
 * again and again. */
struct document_line {
    struct json *json; // owned
};

struct document {
    uint64_t hash;               // of its bytes; 0: none
    struct document_line *lines; // owned
    size_t count;
};

static struct document *documents; // owned; by hash
static size_t document_count, document_slots;

static struct document *document_slot(uint64_t hash) {
    size_t at = hash & (document_slots - 1);
    while (documents[at].hash != 0 && documents[at].hash != hash)
        at = (at + 1) & (document_slots - 1);
    return &documents[at];
}

static void document_make_room(void) {
    struct document *former = documents;
    size_t slots = document_slots;
    if (2 * (document_count + 1) <= slots)
        return;
    document_slots = slots == 0 ? 256 : slots * 2;
    documents = must_alloc(document_slots, sizeof *documents);
    for (size_t i = 0; i < slots; i++)
        if (former[i].hash != 0)
            *document_slot(former[i].hash) = former[i];
    free(former);
}

static void document_deinit(struct document *document) {
    for (size_t i = 0; i < document->count; i++)
        json_free(document->lines[i].json);
    free(document->lines);
}

static bool document_parse(struct document *document, const char *path, const char *begin,
                           size_t size, struct checker_report *report) {
    const char *end = begin + size, *at = next_line(begin, end);
    while (at < end) {
        const char *line_end = next_line(++at, end);
        struct error err;
        if (line_end == at)
            continue;
        struct json *line = json_parse(at, (size_t)(line_end - at), &err);
        if (line == NULL) {
            checker_find(report, "%s: %s", path, err.message);
            return false;
        }
        document->lines =
            reallocarray(document->lines, document->count + 1, sizeof *document->lines);
        check(document->lines != NULL);
        document->lines[document->count++].json = line;
        at = line_end;
    }
    return true;
}

/* Calls visit() for each line of JSON after the first line. False: *report has a finding. */
static bool each_document(const char *path, const char *begin, size_t size,
                          void (*visit)(void *context, const struct json *line), void *context,
                          struct checker_report *report) {
    if (size < 2 || *begin != 'v') {
        checker_find(report, "%s has no version (%zu bytes)", path, size);
        return false;
    }
    document_make_room();
    uint64_t hash = bytes_hash(begin, size) | 1;
    struct document *document = document_slot(hash);
    if (document->hash == 0) {
        struct document read = {.hash = hash};
        if (!document_parse(&read, path, begin, size, report)) {
            document_deinit(&read);
            return false;
        }
        *document = read;
        document_count++;
    }
    for (size_t i = 0; i < document->count; i++)
        visit(context, document->lines[i].json);
    return true;
}

static bool read_documents(const char *path, void (*visit)(void *context, const struct json *line),
                           void *context, struct checker_report *report) {
    size_t size;
    const char *bytes = model_disk_bytes(path, &size);
    return bytes != NULL && each_document(path, bytes, size, visit, context, report);
}

/* ---- the sink log ---- */

/* The path of "file:///lake/a%20b". Owned by the caller; NULL: not a local file's. */
static char *path_of_uri(const char *uri) {
    const char *at = strncmp(uri, "file://", 7) == 0 ? uri + 7 : uri;
    if (*at != '/')
        return NULL;
    char *path = must_alloc(strlen(at) + 1, 1), *to = path;
    for (; *at != '\0'; at++) {
        char digits[3] = {0};
        if (*at != '%') {
            *to++ = *at;
            continue;
        }
        if (at[1] == '\0' || at[2] == '\0') {
            free(path);
            return NULL;
        }
        memcpy(digits, at + 1, 2);
        *to++ = (char)strtol(digits, NULL, 16);
        at += 2;
    }
    return path;
}

/* Between two and the whole of what the log has of compact files follows how many batches one has.
 */
static int64_t interval_of(const struct numbered *compact) {
    enum { SPARK_INTERVAL = 10 };
    if (compact->count == 0)
        return SPARK_INTERVAL;
    int64_t batches = compact->numbers[compact->count - 1] + 1;
    if (compact->count >= 2)
        return batches - 1 - compact->numbers[compact->count - 2];
    if (batches <= SPARK_INTERVAL)
        return batches;
    // Spark looks for a divisor only if there is room for one below the half.
    for (int64_t interval = SPARK_INTERVAL; batches / 2 > SPARK_INTERVAL && interval <= batches / 2;
         interval++)
        if (batches % interval == 0)
            return interval;
    return batches;
}

/* A file of the log that was read. */
struct kept_log {
    uint64_t hash; // of its bytes
    char *path;    // owned
    struct listing files;
};

static struct kept_log *kept_logs; // owned
static size_t kept_log_count;

struct entry_walk {
    struct kept_log *log;
    struct checker_report *report;
};

static void take_entry(void *context, const struct json *line) {
    struct entry_walk *walk = context;
    int64_t size;
    const char *uri = json_member_text(line, "path"), *action = json_member_text(line, "action");
    char *path = uri == NULL ? NULL : path_of_uri(uri);
    if (path != NULL && action != NULL && strcmp(action, "add") == 0 &&
        json_member_int(line, "size", &size))
        listing_add(&walk->log->files, path, size);
    else
        checker_find(walk->report, "%s has an entry without path, size or action \"add\"",
                     walk->log->path);
    free(path);
}

static struct kept_log *kept_log_of(const char *path) {
    for (size_t i = 0; i < kept_log_count; i++)
        if (strcmp(kept_logs[i].path, path) == 0)
            return &kept_logs[i];
    kept_logs = reallocarray(kept_logs, kept_log_count + 1, sizeof *kept_logs);
    check(kept_logs != NULL);
    kept_logs[kept_log_count] = (struct kept_log){.path = text_copy(path)};
    return &kept_logs[kept_log_count++];
}

/* NULL: there is no such file, or it can't be read, which is a finding then. */
static const struct listing *read_log(const char *path, struct checker_report *report) {
    size_t size;
    const char *bytes = model_disk_bytes(path, &size);
    if (bytes == NULL)
        return NULL;
    struct kept_log *log = kept_log_of(path);
    uint64_t hash = bytes_hash(bytes, size) | 1;
    if (log->hash == hash)
        return &log->files;
    listing_deinit(&log->files);
    struct entry_walk walk = {log, report};
    size_t before = report->findings;
    bool whole = each_document(path, bytes, size, take_entry, &walk, report);
    log->hash = whole && report->findings == before ? hash : 0;
    return &log->files;
}

static void list_batches(struct listing *listing, const char *directory, int64_t first,
                         int64_t interval, struct checker_report *report) {
    for (int64_t batch = first; batch <= listing->newest; batch++) {
        bool compact = (batch + 1) % interval == 0;
        scoped(scope_free) char *path =
            text_format("%s/%" PRId64 "%s", directory, batch, compact ? ".compact" : "");
        const struct listing *files = read_log(path, report);
        if (files == NULL)
            checker_find(report, "the sink log goes to batch %" PRId64 ", but has no %s",
                         listing->newest, path);
        for (size_t i = 0; files != NULL && i < files->count; i++)
            listing_add(listing, files->files[i].path, files->files[i].size);
    }
}

void sink_log_list(struct listing *listing, struct checker_report *report) {
    scoped(scope_free) char *directory = text_format("%s/_spark_metadata", checker_lake()->table);
    struct numbered plain = list_numbered(directory, "");
    struct numbered compact = list_numbered(directory, ".compact");
    *listing = (struct listing){.newest = -1};
    if (plain.count > 0)
        listing->newest = plain.numbers[plain.count - 1];
    if (compact.count > 0 && compact.numbers[compact.count - 1] > listing->newest)
        listing->newest = compact.numbers[compact.count - 1];
    int64_t interval = interval_of(&compact);
    if (interval <= 0)
        checker_find(report, "the sink log has compact files that do not follow one another");
    else if (listing->newest >= 0) {
        int64_t first = (listing->newest + 1) / interval * interval - 1;
        list_batches(listing, directory, first < 0 ? 0 : first, interval, report);
    }
    free(plain.numbers);
    free(compact.numbers);
}

/* ---- directories ---- */

struct directory_walk {
    struct listing *listing;
    size_t root;
};

static void take_file(void *context, const char *path, size_t size) {
    struct directory_walk *walk = context;
    const char *at = path + walk->root + 1;
    for (; at != NULL; at = strchr(at, '/')) {
        at += *at == '/';
        if (*at == '_' || *at == '.')
            return;
    }
    listing_add(walk->listing, path, (int64_t)size);
}

void directory_list(const char *directory, struct listing *listing) {
    struct directory_walk walk = {listing, strlen(directory)};
    *listing = (struct listing){.newest = -1};
    model_disk_walk(directory, take_file, &walk);
}

/* ---- plans ---- */

struct ends_walk {
    int64_t *ends;
    bool is_wrong;
};

static bool take_end(void *context, const char *name, const struct json *value) {
    struct ends_walk *walk = context;
    char *end;
    long partition = strtol(name, &end, 10);
    int64_t offset;
    if (*end != '\0' || partition < 0 || partition >= MODEL_PARTITIONS_MAX ||
        !json_int(value, &offset) || offset < 0)
        walk->is_wrong = true;
    else
        walk->ends[partition] = offset;
    return true;
}

/* {"esports-matches":{"0":3,"1":3}} */
static bool take_topic(void *context, const char *name, const struct json *value) {
    struct ends_walk *walk = context;
    walk->is_wrong = walk->is_wrong || strcmp(name, MODEL_TOPIC) != 0;
    (void)json_each(value, take_end, walk);
    return true;
}

struct plan_walk {
    struct plan_seen *plan;
    int lines;
    bool is_wrong;
};

static void take_plan_line(void *context, const struct json *line) {
    struct plan_walk *walk = context;
    struct ends_walk ends = {.ends = walk->plan->ends};
    if (walk->lines++ == 0)
        walk->is_wrong = !json_member_int(line, "batchTimestampMs", &walk->plan->timestamp_ms);
    else
        (void)json_each(line, take_topic, &ends);
    walk->is_wrong = walk->is_wrong || ends.is_wrong;
}

static void no_ends(int64_t ends[MODEL_PARTITIONS_MAX]) {
    for (size_t i = 0; i < MODEL_PARTITIONS_MAX; i++)
        ends[i] = -1;
}

static struct plan_seen *plans; // owned
static size_t plan_room;

static void read_plan(struct plan_seen *plan, int64_t batch, struct checker_report *report) {
    scoped(scope_free) char *path =
        text_format("%s/offsets/%" PRId64, checker_lake()->checkpoint, batch);
    struct plan_walk walk = {.plan = plan};
    *plan = (struct plan_seen){.batch = batch};
    no_ends(plan->ends);
    if (read_documents(path, take_plan_line, &walk, report) && (walk.is_wrong || walk.lines != 2))
        checker_find(report, "%s is not a plan of the topic", path);
}

size_t plans_read(const struct plan_seen **read, struct checker_report *report) {
    scoped(scope_free) char *directory = text_format("%s/offsets", checker_lake()->checkpoint);
    struct numbered numbered = list_numbered(directory, "");
    if (numbered.count > plan_room) {
        plan_room = numbered.count + 32;
        plans = reallocarray(plans, plan_room, sizeof *plans);
        check(plans != NULL);
    }
    for (size_t i = 0; i < numbered.count; i++)
        read_plan(&plans[i], numbered.numbers[i], report);
    free(numbered.numbers);
    *read = plans;
    return numbered.count;
}

static void take_starts(void *context, const struct json *line) {
    (void)json_each(line, take_topic, context);
}

void starts_read(int64_t starts[MODEL_PARTITIONS_MAX], struct checker_report *report) {
    scoped(scope_free) char *path = text_format("%s/sources/0/0", checker_lake()->checkpoint);
    struct ends_walk walk = {.ends = starts};
    size_t size;
    const char *bytes = model_disk_bytes(path, &size);
    for (size_t i = 0; i < MODEL_PARTITIONS_MAX; i++)
        starts[i] = 0;
    if (bytes == NULL || size < 2)
        return;
    if (each_document(path, bytes + 1, size - 1, take_starts, &walk, report) && walk.is_wrong)
        checker_find(report, "%s does not say where the topic begins", path);
}

/* ---- what the checkpoint counts ---- */

/* "5,7-9,12" */
static void take_offsets(struct spans *spans, int32_t partition, const char *text) {
    while (*text != '\0') {
        char *end;
        int64_t first = strtoll(text, &end, 10), last = first;
        if (*end == '-')
            last = strtoll(end + 1, &end, 10);
        spans_add(spans, partition, first, last + 1);
        text = *end == ',' ? end + 1 : end;
        if (*end != ',' && *end != '\0')
            return;
    }
}

/* [{"partition":0,"offsets":"5,7-9"}] */
static void take_sets(struct spans *spans, const struct json *array) {
    for (size_t i = 0; i < json_count(array); i++) {
        int64_t partition;
        const char *offsets = json_member_text(json_at(array, i), "offsets");
        if (json_member_int(json_at(array, i), "partition", &partition) && offsets != NULL)
            take_offsets(spans, (int32_t)partition, offsets);
    }
}

static void take_lost(struct account *account, const struct json *ranges) {
    for (size_t i = 0; i < json_count(ranges); i++) {
        int64_t partition, start, end, lost;
        const struct json *range = json_at(ranges, i);
        if (json_member_int(range, "partition", &partition) &&
            json_member_int(range, "start", &start) && json_member_int(range, "end", &end) &&
            json_member_int(range, "lost", &lost) && lost > 0)
            // Retention takes the beginning.
            spans_add(&account->lost, (int32_t)partition, start,
                      start + lost < end ? start + lost : end);
    }
}

/* How an incarnation began: what lies between the former position and the end that is known. */
static void take_begun(struct account *account, const struct json *begun) {
    for (size_t i = 0; i < json_count(begun); i++) {
        int64_t former[MODEL_PARTITIONS_MAX] = {0}, known[MODEL_PARTITIONS_MAX] = {0};
        struct ends_walk walks[2] = {{.ends = former}, {.ends = known}};
        (void)json_each(json_member(json_at(begun, i), "former"), take_end, &walks[0]);
        (void)json_each(json_member(json_at(begun, i), "knownEnds"), take_end, &walks[1]);
        for (int32_t p = 0; p < MODEL_PARTITIONS_MAX; p++)
            if (known[p] > former[p])
                spans_add(&account->lost, p, former[p], known[p]);
    }
}

/* A line of a manifest, of coverage, or of a change. */
static void take_account(void *context, const struct json *line) {
    struct account *account = context;
    const char *kind = json_member_text(line, "kind");
    take_lost(account, json_member(line, "ranges"));
    take_sets(&account->replayed, json_member(line, "replayed"));
    take_sets(&account->expired, json_member(line, "expired"));
    take_sets(&account->accepted, json_member(line, "accepted"));
    if (kind != NULL)
        take_sets(strcmp(kind, "expiry") == 0 ? &account->expired : &account->accepted,
                  json_member(line, "gone"));
    const struct json *incarnation = json_member(line, "incarnation");
    take_begun(account, json_member(incarnation, "begun"));
    take_begun(account, json_member(line, "incarnations"));
}

static void read_accounts(const char *name, const char *ending, bool only_newest,
                          struct account *account, struct checker_report *report) {
    scoped(scope_free) char *directory = text_format("%s/%s", checker_lake()->checkpoint, name);
    struct numbered numbered = list_numbered(directory, ending);
    for (size_t i = only_newest && numbered.count > 0 ? numbered.count - 1 : 0; i < numbered.count;
         i++) {
        scoped(scope_free) char *path =
            text_format("%s/%" PRId64 "%s", directory, numbered.numbers[i], ending);
        (void)read_documents(path, take_account, account, report);
    }
    free(numbered.numbers);
}

void account_read(struct account *account, struct checker_report *report) {
    *account = (struct account){0};
    read_accounts("coverage", "", true, account, report);
    read_accounts("manifests", "", false, account, report);
    read_accounts("changes", "", false, account, report);
    read_accounts("changes", ".open", false, account, report);
}

void account_deinit(struct account *account) {
    spans_deinit(&account->lost);
    spans_deinit(&account->replayed);
    spans_deinit(&account->expired);
    spans_deinit(&account->accepted);
}

/* ---- changes ---- */

struct change_walk {
    const char *relative;
    bool brings;
};

static void take_change_line(void *context, const struct json *line) {
    struct change_walk *walk = context;
    const char *path = json_member_text(line, "path");
    walk->brings = walk->brings || (path != NULL && strcmp(path, walk->relative) == 0 &&
                                    json_member(line, "staged") != NULL);
}

bool changes_bring(const char *path, struct checker_report *report) {
    const char *table = checker_lake()->table;
    if (strncmp(path, table, strlen(table)) != 0)
        return false;
    scoped(scope_free) char *directory = text_format("%s/changes", checker_lake()->checkpoint);
    struct change_walk walk = {.relative = path + strlen(table) + 1};
    struct numbered open = list_numbered(directory, ".open");
    for (size_t i = 0; i < open.count; i++) {
        scoped(scope_free) char *name =
            text_format("%s/%" PRId64 ".open", directory, open.numbers[i]);
        (void)read_documents(name, take_change_line, &walk, report);
    }
    free(open.numbers);
    return walk.brings;
}

bool rewind_runs(void) {
    scoped(scope_free) char *path = text_format("%s/rewind", checker_lake()->checkpoint);
    size_t size;
    return model_disk_bytes(path, &size) != NULL;
}

/* ---- manifests that are no longer there ---- */

static int64_t oldest_manifest = -1; // when it was checked last; -1: there was none

/* A rewind removes the newest, so that what is older than all that is left was folded. */
void manifests_check(struct checker_report *report) {
    scoped(scope_free) char *manifests = text_format("%s/manifests", checker_lake()->checkpoint);
    scoped(scope_free) char *coverage = text_format("%s/coverage", checker_lake()->checkpoint);
    struct numbered left = list_numbered(manifests, "");
    int64_t oldest = left.count > 0 ? left.numbers[0] : -1;
    if (oldest_manifest >= 0 && oldest > oldest_manifest) {
        struct numbered sums = list_numbered(coverage, "");
        if (sums.count == 0 || sums.numbers[sums.count - 1] < oldest_manifest)
            checker_find(report,
                         "manifest %" PRId64 " was removed, and no coverage counts its batch",
                         oldest_manifest);
        free(sums.numbers);
    }
    oldest_manifest = oldest;
    free(left.numbers);
}

void logs_end(void) {
    for (size_t i = 0; i < kept_log_count; i++) {
        free(kept_logs[i].path);
        listing_deinit(&kept_logs[i].files);
    }
    for (size_t i = 0; i < document_slots; i++)
        document_deinit(&documents[i]);
    free(kept_logs);
    free(plans);
    free(documents);
    kept_logs = NULL;
    plans = NULL;
    documents = NULL;
    kept_log_count = plan_room = document_count = document_slots = 0;
    oldest_manifest = -1;
}
