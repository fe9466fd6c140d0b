#include "surfaces/commands/http_get.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

static size_t take(const char *bytes, size_t size, size_t count, void *argument) {
    struct http_answer *answer = argument;
    size_t more = size * count;
    if (answer->size + more > HTTP_GET_SIZE_MAX)
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
    must_set(curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, (long)HTTP_GET_MS));
    must_set(curl_easy_setopt(handle, CURLOPT_USERAGENT, "esports-stream/" PROGRAM_VERSION));
    must_set(curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take));
    must_set(curl_easy_setopt(handle, CURLOPT_WRITEDATA, answer));
    if (token == NULL || *token == '\0')
        return;
    must_set(curl_easy_setopt(handle, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER));
    must_set(curl_easy_setopt(handle, CURLOPT_XOAUTH2_BEARER, token));
}

bool http_get(const char *url, const char *token, struct http_answer *answer, struct error *err) {
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
    return error_set(err, ERROR_BROKER, "'%s' does not answer: %s", url,
                     reason[0] != '\0' ? reason : curl_easy_strerror(result));
}

void http_answer_deinit(struct http_answer *answer) {
    free(answer->body);
    *answer = (struct http_answer){0};
}
