/* How a notification is delivered. A thread takes them from a mailbox one by one, so that their
 * order is kept: the next one waits until the receiver has taken this one, has refused it for good,
 * or give_up_ms have passed. Between two attempts it sleeps on a stop, which the end of the program
 * wakes; from then on there is a deadline for all that is left, and a pause is short. An attempt
 * under way is cut at that deadline, too. */
#include "surfaces/webhook/webhook.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log/log.h"
#include "base/system/clock.h"
#include "base/system/stop.h"
#include "base/system/thread.h"
#include "base/text.h"
#include "surfaces/settings/addresses.h"

static const char logger[] = "webhook";

enum {
    CONNECT_TIMEOUT_MS = 5000,
    ANSWER_MAX = 64 << 10,  // bytes; only the status counts, and the rest is cut off
    CLOSING_PAUSE_MS = 200, // between attempts while the program ends
    RETRY_AFTER_MAX_MS = 600000,
};

struct webhook_notification {
    struct message message;
    char *label, *body; // owned
    void (*delivered)(void *context);
    void *context;
};

struct webhook {
    struct webhook_options options;
    char receiver[256]; // scheme and host, for the log
    CURL *handle;       // the thread's
    struct curl_slist *headers;
    size_t answered; // bytes of the answer under way
    pthread_t thread;
    struct mailbox mailbox;
    struct stop stop;            // wakes the thread between attempts
    _Atomic int64_t deadline_ms; // monotonic; INT64_MAX until it is closed
    _Atomic int64_t queued;
    _Atomic int64_t delivered, dropped, failed_attempts;
};

/* What came of one attempt. */
enum outcome { DELIVERED, REFUSED, FAILED };

struct webhook_options webhook_defaults(const char *url) {
    return (struct webhook_options){.url = url,
                                    .attempt_timeout_ms = 10000,
                                    .backoff_first_ms = 1000,
                                    .backoff_max_ms = 60000,
                                    .give_up_ms = 600000};
}

static int64_t time_left_ms(struct webhook *webhook) {
    int64_t deadline_ms = atomic_load(&webhook->deadline_ms);
    return deadline_ms == INT64_MAX ? INT64_MAX : deadline_ms - clock_monotonic_ms();
}

static size_t take_answer(const char *bytes, size_t size, size_t count, void *argument) {
    struct webhook *webhook = argument;
    (void)bytes;
    webhook->answered += size * count;
    return webhook->answered <= ANSWER_MAX ? size * count : 0;
}

/* libcurl asks about once a second, and more often while something moves. */
static int is_over(void *argument, curl_off_t to_get, curl_off_t got, curl_off_t to_send,
                   curl_off_t sent) {
    struct webhook *webhook = argument;
    (void)to_get, (void)got, (void)to_send, (void)sent;
    return time_left_ms(webhook) <= 0 ? 1 : 0;
}

static void must_set(CURLcode result) {
    check(result == CURLE_OK); // an option that our libcurl does not have
}

static void set_up(struct webhook *webhook, const char *url) {
    CURL *handle = curl_easy_init();
    check(handle != NULL);
    webhook->handle = handle;
    webhook->headers = curl_slist_append(NULL, "Content-Type: application/json");
    must_set(curl_easy_setopt(handle, CURLOPT_URL, url));
    must_set(curl_easy_setopt(handle, CURLOPT_HTTPHEADER, webhook->headers));
    must_set(curl_easy_setopt(handle, CURLOPT_USERAGENT, "esports-stream/" PROGRAM_VERSION));
    must_set(curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https"));
    must_set(curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L));
    must_set(curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L));
    must_set(curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L));
    must_set(curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L));   // no SIGALRM among our threads
    must_set(curl_easy_setopt(handle, CURLOPT_QUICK_EXIT, 1L)); // a name server that hangs
    must_set(curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_answer));
    must_set(curl_easy_setopt(handle, CURLOPT_WRITEDATA, webhook));
    must_set(curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L));
    must_set(curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, is_over));
    must_set(curl_easy_setopt(handle, CURLOPT_XFERINFODATA, webhook));
    // As OpenSSL and the curl command have it: certificates of one's own, in front of the system's.
    const char *authorities = getenv("SSL_CERT_FILE");
    if (authorities != NULL && *authorities != '\0')
        must_set(curl_easy_setopt(handle, CURLOPT_CAINFO, authorities));
}

/* `why` gets what went wrong, but stays as it is if the program's end cut the attempt short: what
 * the one before met says more. `*wait_ms` gets what the receiver asked for, or 0. */
static enum outcome attempt(struct webhook *webhook,
                            const struct webhook_notification *notification, char *why, size_t size,
                            int64_t *wait_ms) {
    char text[CURL_ERROR_SIZE] = "";
    int64_t limit_ms = webhook->options.attempt_timeout_ms;
    int64_t left_ms = time_left_ms(webhook);
    limit_ms = left_ms < limit_ms ? left_ms : limit_ms;
    webhook->answered = 0;
    must_set(curl_easy_setopt(webhook->handle, CURLOPT_POSTFIELDS, notification->body));
    must_set(curl_easy_setopt(webhook->handle, CURLOPT_ERRORBUFFER, text));
    must_set(curl_easy_setopt(webhook->handle, CURLOPT_TIMEOUT_MS, (long)limit_ms));
    must_set(
        curl_easy_setopt(webhook->handle, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS));
    CURLcode result = curl_easy_perform(webhook->handle);
    must_set(curl_easy_setopt(webhook->handle, CURLOPT_ERRORBUFFER, NULL));

    long status = 0;
    curl_off_t after_s = 0;
    (void)curl_easy_getinfo(webhook->handle, CURLINFO_RESPONSE_CODE, &status); // 0: no answer
    (void)curl_easy_getinfo(webhook->handle, CURLINFO_RETRY_AFTER, &after_s);
    *wait_ms = after_s > RETRY_AFTER_MAX_MS / 1000 ? RETRY_AFTER_MAX_MS : (int64_t)after_s * 1000;
    // A receiver that has said 2xx has the notification, no matter what happens to the rest of its
    // answer.
    if (status >= 200 && status < 300)
        return DELIVERED;
    bool cut = result == CURLE_ABORTED_BY_CALLBACK ||
               (result == CURLE_OPERATION_TIMEDOUT && limit_ms == left_ms);
    if (cut && status == 0)
        return FAILED;
    if (result != CURLE_OK && status == 0)
        snprintf(why, size, "%s", text[0] != '\0' ? text : curl_easy_strerror(result));
    else
        snprintf(why, size, "the receiver answered HTTP %ld%s", status,
                 status >= 300 && status < 400 ? ": redirects are not followed" : "");
    bool final = status >= 300 && status < 500 && status != 408 && status != 429;
    return final ? REFUSED : FAILED;
}

/* Whether there may be another attempt after the pause. */
static bool has_time(struct webhook *webhook, int64_t began_ms, int64_t pause_ms) {
    return time_left_ms(webhook) > 0 &&
           clock_monotonic_ms() + pause_ms - began_ms <= webhook->options.give_up_ms;
}

static void pause_between(struct webhook *webhook, int64_t pause_ms) {
    if (!stop_sleep(&webhook->stop, pause_ms))
        return;
    // The program ends: a few quick attempts more.
    struct timespec pause = {.tv_nsec = CLOSING_PAUSE_MS * 1000000L};
    (void)nanosleep(&pause, NULL);
}

static bool deliver(struct webhook *webhook, const struct webhook_notification *notification) {
    const struct webhook_options *options = &webhook->options;
    int64_t began_ms = clock_monotonic_ms(), backoff_ms = options->backoff_first_ms;
    char why[CURL_ERROR_SIZE] = "the program stopped first";
    int attempts = 0;
    while (time_left_ms(webhook) > 0) {
        int64_t asked_ms = 0;
        enum outcome outcome = attempt(webhook, notification, why, sizeof why, &asked_ms);
        attempts++;
        if (outcome == DELIVERED) {
            log_write(LOG_INFO, logger, "Alert delivered | alert=%s | receiver=%s | attempts=%d",
                      notification->label, webhook->receiver, attempts);
            return true;
        }
        atomic_fetch_add(&webhook->failed_attempts, 1);
        int64_t pause_ms = asked_ms > backoff_ms ? asked_ms : backoff_ms;
        if (outcome == REFUSED || !has_time(webhook, began_ms, pause_ms))
            break;
        log_write(
            LOG_WARNING, logger,
            "Alert not delivered; retrying | alert=%s | receiver=%s | attempt=%d | error=%s | "
            "retry_in_ms=%" PRId64,
            notification->label, webhook->receiver, attempts, why, pause_ms);
        pause_between(webhook, pause_ms);
        backoff_ms =
            2 * backoff_ms < options->backoff_max_ms ? 2 * backoff_ms : options->backoff_max_ms;
    }
    log_write(LOG_ERROR, logger,
              "Alert dropped: delivery failed | alert=%s | receiver=%s | attempts=%d | error=%s",
              notification->label, webhook->receiver, attempts, why);
    return false;
}

static void *webhook_main(void *argument) {
    struct webhook *webhook = argument;
    for (struct message *next; (next = mailbox_receive(&webhook->mailbox, -1)) != NULL;) {
        struct webhook_notification *notification = (struct webhook_notification *)next;
        bool delivered = deliver(webhook, notification);
        atomic_fetch_add(delivered ? &webhook->delivered : &webhook->dropped, 1);
        if (delivered && notification->delivered != NULL)
            notification->delivered(notification->context);
        free(notification->label);
        free(notification->body);
        free(notification);
        atomic_fetch_sub(&webhook->queued, 1);
    }
    return NULL;
}

static void webhook_free(struct webhook *webhook) {
    curl_easy_cleanup(webhook->handle);
    curl_slist_free_all(webhook->headers);
    curl_global_cleanup();
    mailbox_deinit(&webhook->mailbox);
    stop_deinit(&webhook->stop);
    free(webhook);
}

bool webhook_open(struct webhook **out, const struct webhook_options *options, struct error *err) {
    struct webhook *webhook = must_alloc(1, sizeof *webhook);
    check(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    webhook->options = *options;
    check(http_url_server(options->url, webhook->receiver, sizeof webhook->receiver));
    atomic_store(&webhook->deadline_ms, INT64_MAX);
    mailbox_init(&webhook->mailbox);
    stop_init(&webhook->stop);
    set_up(webhook, options->url);
    if (!thread_start(&webhook->thread, webhook_main, webhook, "cannot start the webhook thread",
                      err)) {
        webhook_free(webhook);
        return false;
    }
    *out = webhook;
    return true;
}

bool webhook_post(struct webhook *webhook, const char *label, char *body,
                  void (*delivered)(void *context), void *context) {
    if (atomic_fetch_add(&webhook->queued, 1) >= WEBHOOK_QUEUE_MAX) {
        atomic_fetch_sub(&webhook->queued, 1);
        atomic_fetch_add(&webhook->dropped, 1);
        log_write(LOG_ERROR, logger,
                  "Alert dropped: the queue is full | alert=%s | receiver=%s | queued=%d", label,
                  webhook->receiver, WEBHOOK_QUEUE_MAX);
        free(body);
        return false;
    }
    struct webhook_notification *notification = must_alloc(1, sizeof *notification);
    *notification = (struct webhook_notification){
        .label = text_copy(label), .body = body, .delivered = delivered, .context = context};
    mailbox_send(&webhook->mailbox, &notification->message);
    return true;
}

struct webhook_counts webhook_counts(struct webhook *webhook) {
    return (struct webhook_counts){.delivered = atomic_load(&webhook->delivered),
                                   .dropped = atomic_load(&webhook->dropped),
                                   .failed_attempts = atomic_load(&webhook->failed_attempts)};
}

void webhook_close(struct webhook *webhook, int64_t wait_ms) {
    if (webhook == NULL)
        return;
    atomic_store(&webhook->deadline_ms, clock_monotonic_ms() + wait_ms);
    mailbox_close(&webhook->mailbox);
    stop_request(&webhook->stop, STOP_AFTER_BATCH);
    check(pthread_join(webhook->thread, NULL) == 0);
    webhook_free(webhook);
}
