#include "streaming/care/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/disk/file.h"
#include "base/json.h"
#include "base/scope.h"
#include "base/system/uuid.h"
#include "base/text.h"

enum { FILE_SIZE_MAX = 16 << 20 };

static const char *const kinds[] = {"compact", "expire"};
static const char *const states[] = {"working", "done", "failed"};

/* Errors that one process hands to the other; others become ERROR_STATE. */
static const struct {
    const char *name;
    enum error_kind kind;
} error_kinds[] = {{"retry", ERROR_RETRY},   {"config", ERROR_CONFIG},   {"state", ERROR_STATE},
                   {"limit", ERROR_LIMIT},   {"restart", ERROR_RESTART}, {"stopped", ERROR_STOPPED},
                   {"locked", ERROR_LOCKED}, {NULL, ERROR_STATE}};

/* The index of a text in a list; -1: it is not there. */
static int find(const char *const *names, int count, const char *name) {
    for (int i = 0; i < count && name != NULL; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

/* ---- the request ---- */

static struct json *request_print(const struct care_request *request) {
    struct json *json = json_new_object();
    json_put_text(json, "id", request->id);
    json_put_text(json, "kind", kinds[request->kind]);
    if (request->kind == REQUEST_EXPIRE) {
        json_put_int(json, "before", request->before);
        return json;
    }
    json_put_int(json, "olderThanMs", request->older_than_ms);
    json_put_int(json, "targetFileSize", request->target_size);
    return json;
}

bool request_write(const char *checkpoint, struct care_request *request, struct error *err) {
    uuid_new(request->id);
    struct json *json = request_print(request);
    size_t size;
    scoped(scope_free) char *text = json_print_versioned(json, 1, &size);
    json_free(json);
    if (file_publish(checkpoint, CHECKPOINT_REQUEST, text, size, err) || err->kind == ERROR_RESTART)
        return true; // it need not survive a power failure
    if (err->kind != ERROR_STATE)
        return false;
    struct file_path path = file_join(checkpoint, CHECKPOINT_REQUEST);
    return error_set(err, ERROR_LOCKED,
                     "another `compact` or `expire` is waiting for the query: let it end; if its "
                     "process is gone, remove '%s'",
                     path.text);
}

static bool parse_request(const struct json *json, struct care_request *request) {
    const char *id = json_member_text(json, "id");
    int kind = find(kinds, 2, json_member_text(json, "kind"));
    int64_t before = 0;
    if (id == NULL || strlen(id) != 36 || kind < 0)
        return false;
    (void)snprintf(request->id, sizeof request->id, "%s", id);
    request->kind = (enum request_kind)kind;
    if (kind == REQUEST_COMPACT)
        return json_member_ms(json, "olderThanMs", &request->older_than_ms) &&
               json_member_int(json, "targetFileSize", &request->target_size) &&
               request->older_than_ms >= 0 && request->target_size > 0;
    if (!json_member_int(json, "before", &before) || before < INT32_MIN || before > INT32_MAX)
        return false;
    request->before = (int32_t)before;
    return true;
}

/* The document of a file; NULL and true: there is none. */
static bool read_json(const char *checkpoint, const char *name, struct json **json,
                      struct error *err) {
    struct file_path path = file_join(checkpoint, name);
    scoped(scope_free) char *text = NULL;
    size_t size;
    int version;
    *json = NULL;
    if (!file_read(path.text, FILE_SIZE_MAX, &text, &size, err))
        return false;
    if (text == NULL)
        return true;
    *json = json_parse_versioned(text, size, 1, &version, err);
    return *json != NULL || error_wrap(err, "'%s'", path.text);
}

bool request_read(const char *checkpoint, struct care_request *request, bool *found,
                  struct error *err) {
    struct json *json;
    *request = (struct care_request){0};
    if (!read_json(checkpoint, CHECKPOINT_REQUEST, &json, err))
        return false;
    *found = json != NULL;
    bool ok = json == NULL || parse_request(json, request);
    json_free(json);
    return ok || error_set(err, ERROR_STATE, "'%s' is not a request",
                           file_join(checkpoint, CHECKPOINT_REQUEST).text);
}

bool request_is_there(const char *checkpoint) {
    struct error ignored;
    return file_exists(file_join(checkpoint, CHECKPOINT_REQUEST).text, NULL, &ignored) == 1;
}

void request_remove(const char *checkpoint) {
    file_discard(file_join(checkpoint, CHECKPOINT_REQUEST).text);
}

/* ---- the answer ---- */

void answer_deinit(struct care_answer *answer) {
    for (size_t i = 0; i < answer->line_count; i++)
        free(answer->lines[i]);
    free(answer->lines);
    *answer = (struct care_answer){0};
}

void answer_add(struct care_answer *answer, const char *line) {
    char **grown = reallocarray(answer->lines, answer->line_count + 1, sizeof *grown);
    check(grown != NULL);
    answer->lines = grown;
    answer->lines[answer->line_count++] = text_copy(line);
}

static const char *kind_name(enum error_kind kind) {
    size_t i = 0;
    while (error_kinds[i].name != NULL && error_kinds[i].kind != kind)
        i++;
    return error_kinds[i].name != NULL ? error_kinds[i].name : "state";
}

static enum error_kind kind_of(const char *name) {
    for (size_t i = 0; name != NULL && error_kinds[i].name != NULL; i++)
        if (strcmp(error_kinds[i].name, name) == 0)
            return error_kinds[i].kind;
    return ERROR_STATE;
}

bool answer_write(const char *checkpoint, const struct care_answer *answer, struct error *err) {
    struct json *json = json_new_object(), *lines = json_new_array();
    json_put_text(json, "id", answer->id);
    json_put_text(json, "state", states[answer->state]);
    for (size_t i = 0; i < answer->line_count; i++)
        json_append_shown(lines, answer->lines[i]);
    json_put(json, "lines", lines);
    if (answer->state == ANSWER_FAILED) {
        json_put_shown(json, "error", answer->error.message);
        json_put_text(json, "kind", kind_name(answer->error.kind));
    }
    size_t size;
    scoped(scope_free) char *text = json_print_versioned(json, 1, &size);
    json_free(json);
    return file_replace(checkpoint, CHECKPOINT_ANSWER, text, size, err);
}

static bool parse_answer(const struct json *json, const char *id, struct care_answer *answer,
                         bool *found) {
    const char *of = json_member_text(json, "id"), *error = json_member_text(json, "error");
    const struct json *lines = json_member(json, "lines");
    int state = find(states, 3, json_member_text(json, "state"));
    if (of == NULL || state < 0 || lines == NULL)
        return false;
    *found = strcmp(of, id) == 0;
    (void)snprintf(answer->id, sizeof answer->id, "%s", id);
    answer->state = (enum answer_state)state;
    for (size_t i = 0; i < json_count(lines); i++) {
        const char *line = json_text(json_at(lines, i));
        answer_add(answer, line != NULL ? line : "");
    }
    if (state == ANSWER_FAILED)
        (void)error_set(&answer->error, kind_of(json_member_text(json, "kind")), "%s",
                        error != NULL ? error : "it failed");
    return true;
}

bool answer_read(const char *checkpoint, const char *id, struct care_answer *answer, bool *found,
                 struct error *err) {
    struct json *json;
    *answer = (struct care_answer){0};
    *found = false;
    if (!read_json(checkpoint, CHECKPOINT_ANSWER, &json, err))
        return false;
    bool ok = json == NULL || parse_answer(json, id, answer, found);
    json_free(json);
    if (!*found)
        answer_deinit(answer);
    return ok || error_set(err, ERROR_STATE, "'%s' is not an answer",
                           file_join(checkpoint, CHECKPOINT_ANSWER).text);
}

void answer_remove(const char *checkpoint) {
    file_discard(file_join(checkpoint, CHECKPOINT_ANSWER).text);
}
