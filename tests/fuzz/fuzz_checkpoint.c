/* No matter what is in a file of a checkpoint: it is read or refused (ERROR_STATE, with a reason),
 * and what is read is written and read again as the same. The first byte says which file it is:
 *
 *     o offsets/N   i sources/0/0   m manifests/N   v coverage/N   h history/S   c changes/N
 *     n cluster     k kafka         d declaration   r request      a answer      x metadata
 *     t the signature of a table
 *
 * Number, query, topic and tables, which a reader knows beforehand, are those that the file itself
 * names. */
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log/log.h"
#include "base/scope.h"
#include "base/text.h"
#include "streaming/care/request.h"
#include "streaming/changes/change.h"
#include "streaming/history/history.h"
#include "streaming/history/history_text.h"
#include "streaming/history/history_thin.h"
#include "streaming/store/checkpoint_notes.h"
#include "streaming/store/declaration.h"
#include "temporary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- what the reader knows ---- */

static struct {
    char query[64], topic[256], table[1024], rejects[1024];
    int64_t number;
    struct manifest_origin origin;
} known;

static void take(const struct json *object, const char *name, char *to, size_t size) {
    const char *text = json_member_text(object, name);
    (void)snprintf(to, size, "%s", text != NULL ? text : "");
}

static void know(const char *text, size_t size) {
    static const char *const numbers[] = {"batch", "through", "change"};
    struct error err;
    const char *body = memchr(text, '\n', size);
    const char *end =
        body == NULL ? NULL : memchr(body + 1, '\n', (size_t)(text + size - body - 1));
    size_t length = body == NULL ? 0 : (size_t)((end != NULL ? end : text + size) - body);
    struct json *object = length == 0 ? NULL : json_parse(body, length, &err);
    known.number = 0;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        (void)json_member_int(object, numbers[i], &known.number);
    take(object, "query", known.query, sizeof known.query);
    take(object, "topic", known.topic, sizeof known.topic);
    take(object, "table", known.table, sizeof known.table);
    take(object, "rejectsTable", known.rejects, sizeof known.rejects);
    if (json_member_text(object, "rejectsTable") == NULL)
        (void)snprintf(known.rejects, sizeof known.rejects, "%s", known.table);
    known.origin = (struct manifest_origin){known.query, known.topic, known.table, known.rejects};
    json_free(object);
}

static void check_refusal(const struct error *err) {
    check(err->kind == ERROR_STATE && err->message[0] != '\0');
}

static void check_same_text(const char *a, size_t a_size, const char *b, size_t b_size) {
    check(a_size == b_size && memcmp(a, b, a_size) == 0);
}

/* ---- Spark's ---- */

static void read_offsets(const char *text, size_t size) {
    struct offset_entry entry, again;
    struct error err = {0};
    if (!offset_log_parse(text, size, &entry, &err)) {
        check_refusal(&err);
        return;
    }
    size_t first, second;
    scoped(scope_free) char *printed = offset_log_print(&entry, &first);
    check(offset_log_parse(printed, first, &again, &err));
    scoped(scope_free) char *twice = offset_log_print(&again, &second);
    check_same_text(printed, first, twice, second);
    struct offset_range *ranges;
    size_t count;
    offsets_ranges(&entry.known_ends, &entry.ends, &ranges, &count);
    check(!incarnation_begins(&entry.ends, &again.ends));
    free(ranges);
    offset_entry_deinit(&entry);
    offset_entry_deinit(&again);
}

static void read_initial(const char *text, size_t size) {
    struct offset_entry starts, again;
    struct error err = {0};
    if (!offset_log_parse_initial(text, size, &starts, &err)) {
        check_refusal(&err);
        return;
    }
    size_t printed_size;
    scoped(scope_free) char *printed =
        offset_log_print_initial(starts.topic, &starts.ends, &printed_size);
    check(offset_log_parse_initial(printed, printed_size, &again, &err));
    check(again.ends.count == starts.ends.count && strcmp(again.topic, starts.topic) == 0);
    offset_entry_deinit(&starts);
    offset_entry_deinit(&again);
}

static void read_metadata(const char *text, size_t size) {
    struct checkpoint checkpoint;
    struct error err = {0};
    (void)temporary_write("metadata", text, size);
    checkpoint_init(&checkpoint, temporary_directory(), "t");
    if (!checkpoint_open_to_read(&checkpoint, &err))
        check_refusal(&err);
    checkpoint_close(&checkpoint);
}

/* ---- ours ---- */

static void read_manifest(const char *text, size_t size) {
    struct manifest manifest, again;
    struct error err = {0};
    char query_id[37], *table = NULL, *rejects = NULL, *other = NULL;
    size_t first, second;
    if (manifest_parse_tables(text, size, query_id, &table, &rejects))
        check(table != NULL && rejects != NULL);
    free(table);
    free(rejects);
    if (manifest_remove_topic_id(text, size, &other, &first, &err))
        free(other);
    if (!manifest_parse(text, size, known.number, &known.origin, &manifest, &err)) {
        check_refusal(&err);
        return;
    }
    scoped(scope_free) char *printed = manifest_print(&manifest, &known.origin, &first);
    check(manifest_parse(printed, first, known.number, &known.origin, &again, &err));
    scoped(scope_free) char *twice = manifest_print(&again, &known.origin, &second);
    check_same_text(printed, first, twice, second);
    const struct manifest_origin elsewhere = {known.query, known.topic, "/a", "/b"};
    check(manifest_move(printed, first, known.number, &elsewhere, &other, &second, &err));
    free(other);
    (void)manifest_sum(&manifest);
    struct coverage coverage = {.through = -1};
    if (!coverage_add_manifest(&coverage, &manifest, &err))
        check_refusal(&err);
    coverage_deinit(&coverage);
    manifest_deinit(&manifest);
    manifest_deinit(&again);
}

static void read_coverage(const char *text, size_t size) {
    struct coverage coverage, again;
    struct error err = {0};
    if (!coverage_parse(text, size, known.number, &known.origin, &coverage, &err)) {
        check_refusal(&err);
        return;
    }
    size_t first, second;
    scoped(scope_free) char *printed = coverage_print(&coverage, &known.origin, &first);
    check(coverage_parse(printed, first, known.number, &known.origin, &again, &err));
    scoped(scope_free) char *twice = coverage_print(&again, &known.origin, &second);
    check_same_text(printed, first, twice, second);
    coverage_deinit(&coverage);
    coverage_deinit(&again);
}

static void read_history(const char *text, size_t size) {
    struct history history, again;
    struct error err = {0};
    if (!history_parse(text, size, &known.origin, &history, &err)) {
        check_refusal(&err);
        return;
    }
    size_t first, second;
    scoped(scope_free) char *printed = history_print(&history, &known.origin, &first);
    check(history_parse(printed, first, &known.origin, &again, &err));
    scoped(scope_free) char *twice = history_print(&again, &known.origin, &second);
    check_same_text(printed, first, twice, second);
    history_thin(&history);
    history_deinit(&history);
    history_deinit(&again);
}

static void read_change(const char *text, size_t size) {
    struct change change, again;
    struct error err = {0};
    char *moved = NULL;
    size_t first, second;
    const struct manifest_origin elsewhere = {known.query, known.topic, "/a", "/b"};
    if (change_move(text, size, known.number, &elsewhere, &moved, &first, &err))
        free(moved);
    if (!change_parse(text, size, known.number, &known.origin, &change, &err)) {
        check_refusal(&err);
        return;
    }
    scoped(scope_free) char *printed = change_print(&change, &known.origin, &first);
    check(change_parse(printed, first, known.number, &known.origin, &again, &err));
    scoped(scope_free) char *twice = change_print(&again, &known.origin, &second);
    check_same_text(printed, first, twice, second);
    change_deinit(&change);
    change_deinit(&again);
}

/* ---- notes ---- */

static void read_run_note(const char *text, size_t size) {
    struct run_note note, again;
    struct error err = {0};
    bool found;
    (void)temporary_write(CHECKPOINT_CLUSTER, text, size);
    if (!run_note_read(temporary_directory(), &note, &found, &err)) {
        check_refusal(&err);
        return;
    }
    check(found && run_note_write(temporary_directory(), &note, &err));
    check(run_note_read(temporary_directory(), &again, &found, &err));
    check(again.first_batch == note.first_batch && strcmp(again.host, note.host) == 0);
}

static void read_kafka_note(const char *text, size_t size) {
    struct topic_identity note, again;
    struct error err = {0};
    (void)temporary_write(CHECKPOINT_KAFKA, text, size);
    if (!kafka_note_read(temporary_directory(), &note, &err)) {
        check_refusal(&err);
        return;
    }
    check(kafka_note_write(temporary_directory(), &note, &err));
    check(kafka_note_read(temporary_directory(), &again, &err) &&
          strcmp(note.cluster_id, again.cluster_id) == 0 &&
          strcmp(note.topic_id, again.topic_id) == 0);
}

static void read_declaration(const char *text, size_t size) {
    struct declaration declaration = {0}, again = {0};
    struct error err = {0};
    bool found;
    (void)temporary_write(CHECKPOINT_DECLARATION, text, size);
    if (declaration_read(temporary_directory(), &declaration, &found, &err)) {
        check(found && declaration_write(temporary_directory(), &declaration, &err));
        check(declaration_read(temporary_directory(), &again, &found, &err));
        check(again.count == declaration.count && strcmp(again.topic, declaration.topic) == 0);
        check(declaration_judge(&declaration, &again, &err));
    } else {
        check_refusal(&err);
    }
    declaration_deinit(&declaration);
    declaration_deinit(&again);
}

static void read_request(const char *text, size_t size) {
    struct care_request request;
    struct error err = {0};
    bool found;
    (void)temporary_write(CHECKPOINT_REQUEST, text, size);
    if (request_read(temporary_directory(), &request, &found, &err))
        check(found && request.older_than_ms >= 0);
    else
        check_refusal(&err);
}

static void read_answer(const char *text, size_t size) {
    struct care_answer answer = {0};
    struct error err = {0};
    char id[37] = "";
    bool found;
    struct json *object = size > 3 ? json_parse(text + 3, size - 3, &err) : NULL;
    take(object, "id", id, sizeof id);
    json_free(object);
    (void)temporary_write(CHECKPOINT_ANSWER, text, size);
    if (!answer_read(temporary_directory(), id, &answer, &found, &err))
        check_refusal(&err);
    else if (found)
        answer_deinit(&answer);
}

static void read_signature(const char *text, size_t size) {
    struct table table;
    struct error err = {0};
    (void)temporary_write("_esports_stream", text, size);
    if (!table_open(&table, temporary_directory(), &err))
        check_refusal(&err);
    else if (table.has_owner)
        check(strlen(table.owner_query) == 36 && table.owner_checkpoint != NULL);
    table_close(&table);
}

static const struct {
    char letter;
    void (*read)(const char *text, size_t size);
} readers[] = {
    {'o', read_offsets},     {'i', read_initial}, {'m', read_manifest}, {'v', read_coverage},
    {'h', read_history},     {'c', read_change},  {'n', read_run_note}, {'k', read_kafka_note},
    {'d', read_declaration}, {'r', read_request}, {'a', read_answer},   {'x', read_metadata},
    {'t', read_signature},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    log_configure(LOG_CRITICAL, false);
    // Terminated, as file_read() leaves it.
    char *text = must_alloc(size, 1);
    memcpy(text, data + 1, size - 1);
    know(text, size - 1);
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++)
        if ((uint8_t)readers[i].letter == data[0])
            readers[i].read(text, size - 1);
    free(text);
    return 0;
}
