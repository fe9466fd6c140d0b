/* health_ask.c: one GET of /api/v1/queries, without a proxy or a redirect, answered within
 * ANSWER_MS. A process that does not answer, requires a token, or is somebody else's is trouble,
 * too.
 */
#include "surfaces/health/health_ask.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"

void health_address(const char *holder, char address[static HEALTH_ADDRESS_MAX]) {
    static const char word[] = " http=";
    const char *at = strstr(holder, word);
    address[0] = '\0';
    if (at == NULL)
        return;
    at += sizeof word - 1;
    size_t size = strcspn(at, " ");
    if (size < HEALTH_ADDRESS_MAX)
        (void)snprintf(address, HEALTH_ADDRESS_MAX, "%.*s", (int)size, at);
}

/* ---- one question to a server of ours ---- */

enum { ANSWER_MS = 5000, ANSWER_SIZE_MAX = 16 << 20 };

struct http_answer {
    long status;
    char *body; // owned; terminated
    size_t size;
};

static size_t take_bytes(const char *bytes, size_t size, size_t count, void *argument) {
    struct http_answer *answer = argument;
    size_t more = size * count;
    if (answer->size + more > ANSWER_SIZE_MAX)
        return 0;
    answer->body = realloc(answer->body, answer->size + more + 1);
    check(answer->body != NULL);
    memcpy(answer->body + answer->size, bytes, more);
    answer->size += more;
    answer->body[answer->size] = '\0';
    return more;
}

static void must_set(CURLcode result) {
    check(result == CURLE_OK); // an option that our libcurl does not have
}

static void set_up(CURL *handle, const char *url, const char *token, struct http_answer *answer) {
    must_set(curl_easy_setopt(handle, CURLOPT_URL, url));
    must_set(curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http"));
    must_set(curl_easy_setopt(handle, CURLOPT_NOPROXY, "*"));
    must_set(curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L));
    must_set(curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, (long)ANSWER_MS));
    must_set(curl_easy_setopt(handle, CURLOPT_USERAGENT, "esports-stream/" PROGRAM_VERSION));
    must_set(curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_bytes));
    must_set(curl_easy_setopt(handle, CURLOPT_WRITEDATA, answer));
    if (token == NULL || *token == '\0')
        return;
    must_set(curl_easy_setopt(handle, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER));
    must_set(curl_easy_setopt(handle, CURLOPT_XOAUTH2_BEARER, token));
}

static void http_answer_deinit(struct http_answer *answer) {
    free(answer->body);
    *answer = (struct http_answer){0};
}

/* `token`: sent as a bearer's; "" or NULL: none. No proxy is asked, no redirect followed. */
static bool http_get(const char *url, const char *token, struct http_answer *answer,
                     struct error *err) {
    char reason[CURL_ERROR_SIZE] = "";
    CURL *handle = curl_easy_init();
    check(handle != NULL);
    *answer = (struct http_answer){.body = must_alloc(1, 1)};
    set_up(handle, url, token, answer);
    must_set(curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, reason));
    CURLcode result = curl_easy_perform(handle);
    (void)curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &answer->status);
    curl_easy_cleanup(handle);
    if (result == CURLE_OK)
        return true;
    http_answer_deinit(answer);
    (void)error_set(err, ERROR_BROKER, "'%s' does not respond: %s", url,
                    reason[0] != '\0' ? reason : curl_easy_strerror(result));
    return false;
}

/* ---- its verdict ---- */

static void set_trouble(struct health_answer *answer, const char *text) {
    size_t size = strlen(text);
    while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r'))
        size--;
    free(answer->trouble);
    answer->trouble = text_format("%.*s", (int)size, text);
}

static void find_query(struct health_answer *answer, const char *name) {
    const struct json *queries = json_member(answer->document, "queries");
    for (size_t i = 0; i < json_count(queries); i++) {
        const char *found = json_member_text(json_at(queries, i), "name");
        if (found != NULL && strcmp(found, name) == 0)
            answer->query = json_at(queries, i);
    }
}

static void take_document(struct health_answer *answer, const struct http_answer *http,
                          const char *query) {
    struct error err;
    if (http->status == 401) {
        set_trouble(answer, "the process requires a token: set UI_TOKEN to the same value");
        return;
    }
    answer->document = http->status == 200 ? json_parse(http->body, http->size, &err) : NULL;
    find_query(answer, query);
    if (answer->query == NULL)
        set_trouble(answer, "the process that answered does not run this query; the query may run "
                            "on another machine (see the lock)");
}

/* An older program tells no verdict: its own /readyz went by the state. */
static void take_older_state(struct health_answer *answer) {
    const char *state = json_member_text(answer->query, "state");
    const char *error = json_member_text(json_member(answer->query, "lastError"), "text");
    if (state != NULL && strcmp(state, "failed") != 0 && strcmp(state, "retrying") != 0)
        return;
    set_trouble(answer, error != NULL ? error : "the process does not report the query's health");
}

/* The verdict is the process's own. */
static void take_health(struct health_answer *answer) {
    const struct json *health = json_member(answer->query, "health");
    const char *reason = json_member_text(health, "reason");
    if (health == NULL) {
        take_older_state(answer);
        return;
    }
    answer->state = health_state_find(json_member_text(health, "state"));
    if (!health_state_is_ready(answer->state))
        set_trouble(answer,
                    reason != NULL ? reason : "the process does not report the query's health");
}

void health_ask(const char *address, const char *token, const char *query,
                struct health_answer *answer) {
    struct error err;
    struct http_answer http;
    char url[HEALTH_ADDRESS_MAX + 64];
    *answer = (struct health_answer){0};
    (void)snprintf(url, sizeof url, "%s/api/v1/queries", address);
    if (!http_get(url, token, &http, &err)) {
        set_trouble(answer, err.message);
        return;
    }
    take_document(answer, &http, query);
    http_answer_deinit(&http);
    if (answer->query != NULL)
        take_health(answer);
}

void health_answer_deinit(struct health_answer *answer) {
    json_free(answer->document);
    free(answer->trouble);
    *answer = (struct health_answer){0};
}
