#include "surfaces/doctor/doctor.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/json.h"
#include "base/system/thread.h"
#include "surfaces/settings/command.h"
#include "surfaces/terminal/output.h"
#include "surfaces/terminal/paragraph.h"
#include "surfaces/terminal/terminal.h"

/* ---- findings ---- */

char *findings_text(const char *format, ...) {
    char *text = NULL;
    va_list args;
    va_start(args, format);
    check(vasprintf(&text, format, args) >= 0);
    va_end(args);
    return text;
}

static void add(struct findings *findings, const struct finding *finding) {
    findings->items = reallocarray(findings->items, findings->count + 1, sizeof *findings->items);
    check(findings->items != NULL);
    findings->items[findings->count++] = *finding;
}

void findings_ok(struct findings *findings, char *what, char *text) {
    add(findings, &(struct finding){.verdict = VERDICT_OK, .what = what, .text = text});
}

void findings_warn(struct findings *findings, char *what, char *text, char *cure) {
    add(findings, &(struct finding){VERDICT_WARN, what, text, cure, EXIT_CODE_OK});
}

void findings_fail(struct findings *findings, enum exit_code code, char *what, char *text,
                   char *cure) {
    add(findings, &(struct finding){VERDICT_FAIL, what, text, cure, code});
}

void findings_limit(struct findings *findings, char *what, char *text) {
    findings_fail(findings, EXIT_CODE_LIMIT, what, text,
                  findings_text("raise the limit where the program is started (ulimit, the unit, "
                                "the container)"));
}

void findings_fail_error(struct findings *findings, enum exit_code code, char *what,
                         const struct error *err, char *cure) {
    char *text = findings_text("%s", err->message);
    if (err->kind != ERROR_LIMIT) {
        findings_fail(findings, code, what, text, cure);
        return;
    }
    free(cure);
    findings_limit(findings, what, text);
}

void findings_deinit(struct findings *findings) {
    for (size_t i = 0; i < findings->count; i++) {
        free(findings->items[i].what);
        free(findings->items[i].text);
        free(findings->items[i].cure);
    }
    free(findings->items);
    *findings = (struct findings){0};
}

/* ---- checks ---- */

struct check {
    const char *what; // for one that does not end
    void (*run)(const struct config *config, struct findings *findings);
    const char *cure;
};

static const struct check checks[] = {
    {"brokers", doctor_check_brokers,
     "see whether the names in KAFKA_BOOTSTRAP_SERVERS can be resolved"},
    {"topics", doctor_check_topics, "see whether the brokers answer"},
    {"cluster", doctor_check_cluster, "see whether the names in SPARK_MASTER_URL can be resolved"},
    {"disk", doctor_check_disk,
     "a file system that does not answer (a network mount whose server is away?) stops a query, "
     "too: bring it back"},
    {"directories", doctor_check_directories, "see whether the lake's file system answers"},
    {"machine", doctor_check_machine, NULL},
    {"checkpoints", doctor_check_queries, "see whether the checkpoint's file system answers"},
};

enum { CHECKS = sizeof checks / sizeof checks[0] };

/* One check under way. The last of its thread and the one who waits for it frees it. */
struct examination {
    const struct check *check;
    const struct config *config;
    struct findings findings;
    pthread_t thread;
    bool started;
    atomic_bool left; // by one of the two
};

static void leave(struct examination *examination) {
    if (!atomic_exchange(&examination->left, true))
        return;
    findings_deinit(&examination->findings);
    free(examination);
}

static void *examine(void *argument) {
    struct examination *examination = argument;
    examination->check->run(examination->config, &examination->findings);
    leave(examination);
    return NULL;
}

static struct examination *begin(const struct check *check, const struct config *config) {
    struct examination *examination = must_alloc(1, sizeof *examination);
    examination->check = check;
    examination->config = config;
    struct error err;
    examination->started =
        thread_start(&examination->thread, examine, examination, "start a thread", &err);
    if (!examination->started) {
        findings_limit(&examination->findings, findings_text("%s", check->what),
                       findings_text("%s", err.message));
        atomic_store(&examination->left, true); // no thread will
    }
    return examination;
}

/* Moves the findings over. False: it has not ended, and never may. */
static bool end(struct examination *examination, const struct timespec *deadline, int limit_ms,
                struct findings *findings) {
    bool ended =
        !examination->started || pthread_timedjoin_np(examination->thread, NULL, deadline) == 0;
    if (ended) {
        for (size_t i = 0; i < examination->findings.count; i++)
            add(findings, &examination->findings.items[i]);
        examination->findings.count = 0;
    } else {
        const char *cure = examination->check->cure;
        findings_fail(findings, EXIT_CODE_UNEXPECTED, findings_text("%s", examination->check->what),
                      findings_text("no answer within %d ms", limit_ms),
                      cure != NULL ? findings_text("%s", cure) : NULL);
        check(pthread_detach(examination->thread) == 0);
    }
    leave(examination);
    return ended;
}

bool doctor_examine(const struct config *config, int limit_ms, struct findings *findings) {
    struct examination *examinations[CHECKS];
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline); // as pthread_timedjoin_np() wants it
    deadline.tv_sec += limit_ms / 1000;
    deadline.tv_nsec += limit_ms % 1000 * 1000000L;
    deadline.tv_sec += deadline.tv_nsec / 1000000000;
    deadline.tv_nsec %= 1000000000;
    for (size_t i = 0; i < CHECKS; i++)
        examinations[i] = begin(&checks[i], config);
    bool ended = true;
    for (size_t i = 0; i < CHECKS; i++)
        ended = end(examinations[i], &deadline, limit_ms, findings) && ended;
    return ended;
}

/* ---- showing ---- */

static const struct {
    const char *word, *colour;
} verdicts[] = {
    [VERDICT_OK] = {"OK", "\x1b[32m"},
    [VERDICT_WARN] = {"WARN", "\x1b[33m"},
    [VERDICT_FAIL] = {"FAIL", "\x1b[31m"},
};

static void print_json(FILE *out, const struct finding *finding) {
    struct json *object = json_new_object();
    json_put_bytes(object, "check", finding->what, strlen(finding->what));
    json_put_text(object, "verdict", verdicts[finding->verdict].word);
    json_put_bytes(object, "text", finding->text, strlen(finding->text));
    if (finding->cure != NULL)
        json_put_bytes(object, "cure", finding->cure, strlen(finding->cure));
    else
        json_put_null(object, "cure");
    char *text = json_print(object);
    (void)fprintf(out, "%s\n", text);
    free(text);
    json_free(object);
}

static void print_text(FILE *out, const struct finding *finding, int width) {
    bool colour = terminal_has_colour(out);
    (void)fprintf(out, "%s%-4s%s  %s%*s  %s\n", colour ? verdicts[finding->verdict].colour : "",
                  verdicts[finding->verdict].word, colour ? "\x1b[0m" : "", finding->what,
                  width - text_columns(finding->what), "", finding->text);
    if (finding->cure != NULL)
        (void)fprintf(out, "      %*s  cure: %s\n", width, "", finding->cure);
}

static void print_all(FILE *out, const struct findings *findings, bool json) {
    int width = 0;
    for (size_t i = 0; i < findings->count; i++)
        if (text_columns(findings->items[i].what) > width)
            width = text_columns(findings->items[i].what);
    for (size_t i = 0; i < findings->count; i++) {
        if (json)
            print_json(out, &findings->items[i]);
        else
            print_text(out, &findings->items[i], width);
    }
}

/* The first failure's; before all others a limit's, from which they may come. */
static enum exit_code code_of(const struct findings *findings) {
    enum exit_code code = EXIT_CODE_OK;
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        if (finding->verdict == VERDICT_FAIL && finding->code == EXIT_CODE_LIMIT)
            return EXIT_CODE_LIMIT;
        if (finding->verdict == VERDICT_FAIL && code == EXIT_CODE_OK)
            code = finding->code;
    }
    return code;
}

bool doctor_command(const struct command_call *call, struct error *err) {
    const struct config *config = call->config;
    struct findings findings = {0};
    bool ended = doctor_examine(config, DOCTOR_LIMIT_MS, &findings);
    print_all(call->out, &findings, config->arguments.json);
    *call->code = code_of(&findings);
    bool flushed = output_flush(call->out, err);
    if (!ended)
        _exit(*call->code); // a thread that still waits for a disk must not be waited for
    findings_deinit(&findings);
    return flushed;
}
