/* Logs are lists of entries, and an entry is never forgotten: what a log loses stays in the
 * history.
 *
 * A log's readable end is where its first open transaction begins. It moves forward only, unless
 * the log is cut; what it passes was readable. */
#include "model_cluster.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

struct cluster cluster;

static long counts[BROKER_EVENTS];

const struct broker_chances broker_chances_usual = {
    .of = {[BROKER_PRODUCED] = 600,
           [BROKER_TRANSACTION_BEGUN] = 60,
           [BROKER_TRANSACTION_COMMITTED] = 60,
           [BROKER_TRANSACTION_ABORTED] = 40,
           [BROKER_PARTITION_ADDED] = 6,
           [BROKER_RETENTION] = 20,
           [BROKER_COMPACTED] = 20,
           [BROKER_TOPIC_DELETED] = 3,
           [BROKER_TOPIC_CREATED] = 300,
           [BROKER_LOG_CUT] = 4,
           [BROKER_UNREACHABLE] = 10,
           [BROKER_REACHABLE] = 300,
           [BROKER_LISTING_FAILED] = 20,
           [BROKER_LISTING_SLOW] = 20,
           [BROKER_LISTING_BEHIND] = 5,
           [BROKER_FETCH_FAILED] = 20,
           [BROKER_FETCH_STALLED] = 20,
           [BROKER_DAMAGED] = 5},
    .records_most = 20,
    .malformed = 60,
};

void cluster_pass(int64_t ms) {
    if (cluster.time.pass != NULL)
        cluster.time.pass(ms);
    else
        cluster.clock_ms += ms;
}

static int64_t now_ms(void) {
    return cluster.time.wall_ms != NULL ? cluster.time.wall_ms() : cluster.clock_ms;
}

void cluster_say(const char *format, ...) {
    if (cluster.trace == NULL)
        return;
    char text[256];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    cluster.trace(text);
}

void cluster_note(enum broker_event event) {
    counts[event]++;
}

bool cluster_fault(enum broker_event event) {
    if (!random_chance(&cluster.faults, cluster.chances.of[event]) || cluster.is_quiet)
        return false;
    cluster_note(event);
    return true;
}

/* ---- logs ---- */

static struct log_entry *entry_at(const struct log *log, int64_t offset) {
    check(offset >= 0 && offset < log->end);
    return &cluster.entries[log->entries[offset]];
}

const struct log_entry *cluster_entry(const struct log *log, int64_t offset) {
    return entry_at(log, offset);
}

bool cluster_is_record(const struct log_entry *entry) {
    return !entry->record.is_marker && !entry->is_compacted &&
           (entry->state == ENTRY_COMMITTED || cluster.chances.read_uncommitted);
}

int64_t cluster_readable_end(const struct log *log) {
    int64_t end = log->end;
    for (size_t i = 0; i < OPEN_TRANSACTIONS_MAX && !cluster.chances.read_uncommitted; i++)
        if (log->open[i].id != 0 && log->open[i].first < end)
            end = log->open[i].first;
    return end > log->start ? end : log->start;
}

/* After a change. */
static void note_readable(struct log *log) {
    int64_t end = cluster_readable_end(log);
    for (int64_t at = log->readable_to > log->start ? log->readable_to : log->start; at < end; at++)
        entry_at(log, at)->record.was_readable = cluster_is_record(entry_at(log, at));
    if (log->readable_to < end)
        log->readable_to = end;
}

static struct log_entry *append(struct log *log) {
    if (log->end == (int64_t)log->capacity) {
        log->capacity = log->capacity * 2 + 64;
        log->entries = reallocarray(log->entries, log->capacity, sizeof *log->entries);
        check(log->entries != NULL);
    }
    if (cluster.entry_count == cluster.entry_capacity) {
        cluster.entry_capacity = cluster.entry_capacity * 2 + 256;
        cluster.entries =
            reallocarray(cluster.entries, cluster.entry_capacity, sizeof *cluster.entries);
        check(cluster.entries != NULL);
    }
    log->entries[log->end] = cluster.entry_count;
    struct log_entry *entry = &cluster.entries[cluster.entry_count++];
    *entry = (struct log_entry){.record = {.incarnation = log->incarnation,
                                           .topic = cluster.topic,
                                           .partition = (int32_t)(log - cluster.logs),
                                           .offset = log->end++}};
    return entry;
}

static void produce(struct log *log, int transaction) {
    static struct content content;
    int64_t first = log->end;
    for (uint64_t n = 1 + random_below(&cluster.events, cluster.chances.records_most); n > 0; n--) {
        struct log_entry *entry = append(log);
        struct model_record *record = &entry->record;
        content_make_kind(
            &content, cluster.seed, cluster.chances.malformed,
            (struct content_place){record->incarnation, record->partition, record->offset});
        record->timestamp_ms = content_timestamp_ms(&content, now_ms());
        record->is_reject = content.kind != CONTENT_ROW;
        entry->state = transaction == 0 ? ENTRY_COMMITTED : ENTRY_OPEN;
        entry->transaction = transaction;
    }
    cluster_say("partition %d: offsets %" PRId64 " to %" PRId64 " are produced%s",
                (int)(log - cluster.logs), first, log->end - 1,
                transaction != 0 ? ", in a transaction" : "");
}

/* Drops entries from `from` up to `to`, which stay in the history. */
static void lose(struct log *log, int64_t from, int64_t to, enum offset_fate fate) {
    for (int64_t at = from; at < to; at++)
        entry_at(log, at)->record.fate = fate;
}

/* ---- events ---- */

static struct log *draw_log(void) {
    return &cluster.logs[random_below(&cluster.events, (uint64_t)cluster.log_count)];
}

static bool produced(void) {
    struct log *log = draw_log();
    bool into_open = random_chance(&cluster.events, 300) && log->open[0].id != 0;
    produce(log, into_open ? log->open[0].id : 0);
    return true;
}

static bool begin_transaction(void) {
    struct log *log = draw_log();
    for (size_t i = 0; i < OPEN_TRANSACTIONS_MAX; i++)
        if (log->open[i].id == 0) {
            log->open[i].id = ++cluster.transaction;
            log->open[i].first = log->end;
            produce(log, cluster.transaction);
            return true;
        }
    return false;
}

static void end_transaction(struct log *log, size_t slot, enum entry_state state) {
    int id = log->open[slot].id;
    for (int64_t at = log->open[slot].first; at < log->end; at++)
        if (entry_at(log, at)->transaction == id)
            entry_at(log, at)->state = state;
    log->open[slot].id = 0;
    append(log)->record.is_marker = true;
    cluster_say("partition %d: a transaction is %s, with a marker at %" PRId64,
                (int)(log - cluster.logs), state == ENTRY_ABORTED ? "aborted" : "committed",
                log->end - 1);
}

static bool end_some_transaction(enum entry_state state) {
    struct log *log = draw_log();
    uint64_t first = random_below(&cluster.events, OPEN_TRANSACTIONS_MAX);
    for (uint64_t i = 0; i < OPEN_TRANSACTIONS_MAX; i++) {
        size_t slot = (size_t)((first + i) % OPEN_TRANSACTIONS_MAX);
        if (log->open[slot].id != 0) {
            end_transaction(log, slot, state);
            return true;
        }
    }
    return false;
}

static bool add_partition(void) {
    if (cluster.log_count == MODEL_PARTITIONS_MAX)
        return false;
    cluster.logs[cluster.log_count++] = (struct log){.incarnation = cluster.topic};
    cluster_say("partition %d is added", (int)cluster.log_count - 1);
    return true;
}

/* In most cases no further than what readers could have read. */
static bool retain(void) {
    struct log *log = draw_log();
    int64_t to = random_chance(&cluster.events, 100) ? log->end : cluster_readable_end(log);
    if (to == log->start)
        return false;
    to = log->start + 1 + (int64_t)random_below(&cluster.events, (uint64_t)(to - log->start));
    lose(log, log->start, to, OFFSET_DELETED);
    log->start = to;
    cluster_say("partition %d: its log starts at %" PRId64 " now", (int)(log - cluster.logs), to);
    return true;
}

static bool compact(void) {
    struct log *log = draw_log();
    int64_t end = cluster_readable_end(log), taken = 0;
    for (int64_t at = log->start; at < end && at < log->end - 1; at++)
        if (!entry_at(log, at)->is_compacted && random_chance(&cluster.events, 250)) {
            entry_at(log, at)->is_compacted = true;
            taken++;
        }
    cluster_say("partition %d: %" PRId64 " offsets are compacted", (int)(log - cluster.logs),
                taken);
    return taken > 0;
}

static bool delete_topic(void) {
    for (int32_t i = 0; i < cluster.log_count; i++) {
        lose(&cluster.logs[i], cluster.logs[i].start, cluster.logs[i].end, OFFSET_GONE);
        free(cluster.logs[i].entries);
    }
    cluster.log_count = 0;
    cluster.has_topic = false;
    cluster_say("the topic is deleted");
    return true;
}

static bool create_topic(void) {
    cluster.topic = ++cluster.incarnation;
    cluster.log_count = 1 + (int32_t)random_below(&cluster.events, 4);
    for (int32_t i = 0; i < cluster.log_count; i++)
        cluster.logs[i] = (struct log){.incarnation = cluster.topic};
    cluster.has_topic = true;
    (void)snprintf(cluster.topic_id, sizeof cluster.topic_id, "simulatedTopic%08dA",
                   cluster.topic % 100000000);
    cluster_say("the topic is created, incarnation %d, with %d partitions", cluster.topic,
                (int)cluster.log_count);
    return true;
}

static bool cut_log(void) {
    struct log *log = draw_log();
    int64_t most = log->end - log->start;
    if (most == 0)
        return false;
    int64_t to =
        log->end - 1 - (int64_t)random_below(&cluster.events, most < 8 ? (uint64_t)most : 8);
    lose(log, to, log->end, OFFSET_GONE);
    for (int64_t at = to; at < log->end; at++)
        entry_at(log, at)->record.is_cut = true;
    log->end = to;
    log->incarnation = ++cluster.incarnation;
    if (log->readable_to > to)
        log->readable_to = to;
    for (size_t i = 0; i < OPEN_TRANSACTIONS_MAX; i++)
        if (log->open[i].first >= to)
            log->open[i].id = 0;
    cluster_say("partition %d: its log is cut at %" PRId64 ", incarnation %d follows",
                (int)(log - cluster.logs), to, log->incarnation);
    return true;
}

static bool set_unreachable(bool unreachable) {
    if (cluster.is_unreachable == unreachable)
        return false;
    cluster.is_unreachable = unreachable;
    cluster_say("the cluster is %s", unreachable ? "unreachable" : "reachable again");
    return true;
}

static bool happen(enum broker_event event) {
    switch (event) {
    case BROKER_PRODUCED:
        return produced();
    case BROKER_TRANSACTION_BEGUN:
        return begin_transaction();
    case BROKER_TRANSACTION_COMMITTED:
        return end_some_transaction(ENTRY_COMMITTED);
    case BROKER_TRANSACTION_ABORTED:
        return end_some_transaction(ENTRY_ABORTED);
    case BROKER_PARTITION_ADDED:
        return add_partition();
    case BROKER_RETENTION:
        return retain();
    case BROKER_COMPACTED:
        return compact();
    case BROKER_TOPIC_DELETED:
        return delete_topic();
    case BROKER_TOPIC_CREATED:
        return create_topic();
    case BROKER_LOG_CUT:
        return cut_log();
    case BROKER_UNREACHABLE:
    case BROKER_REACHABLE:
        return set_unreachable(event == BROKER_UNREACHABLE);
    default:
        return false; // by the interface's functions only
    }
}

/* Most events need a topic. */
static bool is_possible(enum broker_event event) {
    if (event == BROKER_UNREACHABLE || event == BROKER_REACHABLE)
        return true;
    return cluster.has_topic == (event != BROKER_TOPIC_CREATED);
}

bool model_broker_do(enum broker_event event) {
    if (!is_possible(event) || !happen(event))
        return false;
    for (int32_t i = 0; i < cluster.log_count; i++)
        note_readable(&cluster.logs[i]);
    cluster_note(event);
    return true;
}

static void end_faults(void) {
    (void)model_broker_do(BROKER_REACHABLE);
    (void)model_broker_do(BROKER_TOPIC_CREATED);
    for (int32_t i = 0; i < cluster.log_count; i++)
        for (size_t slot = 0; slot < OPEN_TRANSACTIONS_MAX; slot++)
            if (cluster.logs[i].open[slot].id != 0) {
                bool aborted = random_chance(&cluster.events, 300);
                end_transaction(&cluster.logs[i], slot, aborted ? ENTRY_ABORTED : ENTRY_COMMITTED);
                note_readable(&cluster.logs[i]);
            }
}

void model_broker_live(bool quiet) {
    cluster.is_quiet = quiet;
    if (quiet)
        end_faults();
    for (int event = 0; !quiet && event < BROKER_LISTING_FAILED; event++)
        if (random_chance(&cluster.events, cluster.chances.of[event]) &&
            (event != BROKER_LOG_CUT || cluster.may_cut))
            (void)model_broker_do((enum broker_event)event);
}

/* ---- beginning, ending, history ---- */

void model_broker_begin(uint64_t seed, const struct broker_chances *chances,
                        struct broker_time time, void (*trace)(const char *text)) {
    check(cluster.entries == NULL && cluster.open_handles == 0);
    cluster = (struct cluster){.seed = seed,
                               .chances = *chances,
                               .time = time,
                               .clock_ms = 1700000000000,
                               .trace = trace,
                               .events = random_fork(seed, 1),
                               .faults = random_fork(seed, 2),
                               .incarnation = -1};
    struct random which = random_fork(seed, 3);
    bool either = chances->of[BROKER_LISTING_BEHIND] > 0 && chances->of[BROKER_LOG_CUT] > 0;
    cluster.may_cut = either ? random_chance(&which, 500) : chances->of[BROKER_LISTING_BEHIND] == 0;
    check(chances->records_most > 0);
    (void)create_topic();
}

void model_broker_set_chances(const struct broker_chances *chances) {
    check(chances->malformed == cluster.chances.malformed &&
          chances->has_no_ids == cluster.chances.has_no_ids &&
          chances->read_uncommitted == cluster.chances.read_uncommitted);
    cluster.chances = *chances;
}

void model_broker_end(void) {
    check(cluster.open_handles == 0);
    for (int32_t i = 0; i < cluster.log_count; i++)
        free(cluster.logs[i].entries);
    free(cluster.entries);
    free(cluster.history);
    cluster = (struct cluster){0};
}

void model_broker_kill(void) {
    cluster.is_dead = true;
}

void model_broker_restart(void) {
    cluster.is_dead = false;
}

static size_t group_of(const struct log_entry *entry) {
    return (size_t)entry->record.incarnation * MODEL_PARTITIONS_MAX +
           (size_t)entry->record.partition;
}

/* Where each incarnation and partition begins in the history: within one, entries are in the order
 * of their offsets. Owned by the caller. */
static size_t *find_groups(void) {
    size_t groups = ((size_t)cluster.incarnation + 1) * MODEL_PARTITIONS_MAX, next = 0;
    size_t *begins = must_alloc(groups, sizeof *begins);
    for (size_t i = 0; i < cluster.entry_count; i++)
        begins[group_of(&cluster.entries[i])]++;
    for (size_t i = 0; i < groups; i++) {
        size_t count = begins[i];
        begins[i] = next;
        next += count;
    }
    return begins;
}

size_t model_broker_history(const struct model_record **records) {
    size_t *next = find_groups();
    free(cluster.history);
    cluster.history = must_alloc(cluster.entry_count + 1, sizeof *cluster.history);
    for (size_t i = 0; i < cluster.entry_count; i++) {
        const struct log_entry *entry = &cluster.entries[i];
        struct model_record *record = &cluster.history[next[group_of(entry)]++];
        *record = entry->record;
        if (!cluster_is_record(entry))
            record->fate = OFFSET_ABSENT;
    }
    free(next);
    *records = cluster.history;
    return cluster.entry_count;
}

const struct content *model_broker_content(int incarnation, int32_t partition, int64_t offset) {
    static struct content content;
    content_make(&content, cluster.seed, cluster.chances.malformed,
                 (struct content_place){incarnation, partition, offset});
    return &content;
}

int model_broker_topic(void) {
    return cluster.topic;
}

const char *model_broker_topic_id(void) {
    return cluster.chances.has_no_ids ? "" : cluster.topic_id;
}

long model_broker_count(enum broker_event event) {
    return counts[event];
}

const char *model_broker_event_name(enum broker_event event) {
    static const char *const names[BROKER_EVENTS] = {
        [BROKER_PRODUCED] = "records produced",
        [BROKER_TRANSACTION_BEGUN] = "transaction begun",
        [BROKER_TRANSACTION_COMMITTED] = "transaction committed",
        [BROKER_TRANSACTION_ABORTED] = "transaction aborted",
        [BROKER_PARTITION_ADDED] = "partition added",
        [BROKER_RETENTION] = "log start moved by retention",
        [BROKER_COMPACTED] = "log compacted",
        [BROKER_TOPIC_DELETED] = "topic deleted",
        [BROKER_TOPIC_CREATED] = "topic created again",
        [BROKER_LOG_CUT] = "log cut",
        [BROKER_UNREACHABLE] = "cluster unreachable",
        [BROKER_REACHABLE] = "cluster reachable again",
        [BROKER_LISTING_FAILED] = "listing failed",
        [BROKER_LISTING_SLOW] = "listing slow",
        [BROKER_LISTING_BEHIND] = "listing behind",
        [BROKER_FETCH_FAILED] = "fetch failed",
        [BROKER_FETCH_STALLED] = "fetch stalled",
        [BROKER_DAMAGED] = "fetch damaged",
        [BROKER_DATA_LOSS] = "range refused, offsets gone",
    };
    return names[event];
}
