/* The results of the checks, in the order in which they were added, and how they are shown. Texts
 * are copied, since the check that made them may have gone. The exit code is that of the first
 * failure, but a limit of the machine comes before all others: other failures may only follow from
 * it. */
#include "surfaces/doctor/doctor_report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/json.h"
#include "base/scope.h"
#include "base/text.h"
#include "surfaces/terminal/output.h"

/* ---- telling ---- */

static void add(struct doctor_report *report, const struct doctor_result *result) {
    report->items = reallocarray(report->items, report->count + 1, sizeof *report->items);
    check(report->items != NULL);
    report->items[report->count++] = *result;
}

static void tell(struct doctor_report *report, enum verdict verdict, enum exit_code code,
                 const char *what, const char *name, const char *cure, const char *format,
                 va_list args) {
    add(report,
        &(struct doctor_result){
            .verdict = verdict,
            .what = text_format("%s%s%s", what, name != NULL ? " " : "", name != NULL ? name : ""),
            .text = text_format_list(format, args),
            .cure = cure != NULL ? text_copy(cure) : NULL,
            .code = code,
        });
}

void doctor_ok(struct doctor_report *report, const char *what, const char *name, const char *format,
               ...) {
    va_list args;
    va_start(args, format);
    tell(report, VERDICT_OK, EXIT_CODE_OK, what, name, NULL, format, args);
    va_end(args);
}

void doctor_skip(struct doctor_report *report, const char *what, const char *name,
                 const char *format, ...) {
    va_list args;
    va_start(args, format);
    tell(report, VERDICT_SKIP, EXIT_CODE_OK, what, name, NULL, format, args);
    va_end(args);
}

void doctor_warn(struct doctor_report *report, const char *what, const char *name, const char *cure,
                 const char *format, ...) {
    va_list args;
    va_start(args, format);
    tell(report, VERDICT_WARN, EXIT_CODE_OK, what, name, cure, format, args);
    va_end(args);
}

void doctor_fail(struct doctor_report *report, enum exit_code code, const char *what,
                 const char *name, const char *cure, const char *format, ...) {
    va_list args;
    va_start(args, format);
    tell(report, VERDICT_FAIL, code, what, name, cure, format, args);
    va_end(args);
}

void doctor_fail_limit(struct doctor_report *report, const char *what, const char *name,
                       const char *format, ...) {
    va_list args;
    va_start(args, format);
    tell(report, VERDICT_FAIL, EXIT_CODE_LIMIT, what, name,
         "raise the limit where the program is started (ulimit, the unit, the container)", format,
         args);
    va_end(args);
}

void doctor_fail_error(struct doctor_report *report, enum exit_code code, const char *what,
                       const char *name, const char *cure, const struct error *err) {
    if (err->kind == ERROR_LIMIT)
        doctor_fail_limit(report, what, name, "%s", err->message);
    else
        doctor_fail(report, code, what, name, cure, "%s", err->message);
}

void doctor_report_move(struct doctor_report *report, struct doctor_report *from) {
    for (size_t i = 0; i < from->count; i++)
        add(report, &from->items[i]);
    from->count = 0;
}

void doctor_report_deinit(struct doctor_report *report) {
    for (size_t i = 0; i < report->count; i++) {
        free(report->items[i].what);
        free(report->items[i].text);
        free(report->items[i].cure);
    }
    free(report->items);
    *report = (struct doctor_report){0};
}

/* ---- showing ---- */

static const struct {
    const char *word, *colour;
} verdicts[] = {
    [VERDICT_OK] = {"OK", "\x1b[32m"},
    [VERDICT_SKIP] = {"SKIP", "\x1b[36m"},
    [VERDICT_WARN] = {"WARN", "\x1b[33m"},
    [VERDICT_FAIL] = {"FAIL", "\x1b[31m"},
};

static void print_json(FILE *out, const struct doctor_result *result) {
    struct json *object = json_new_object();
    json_put_shown_or_null(object, "check", result->what);
    json_put_shown(object, "verdict", verdicts[result->verdict].word);
    json_put_shown_or_null(object, "text", result->text);
    json_put_shown_or_null(object, "fix", result->cure);
    output_print_json(out, object);
}

enum { VERDICT_WIDTH = 6, CURE_WIDTH = 5 }; // of "FAIL  ", "fix: "

/* The first column of the texts; a check's name that is longer has a line to itself. */
static int text_indent(const struct doctor_report *report, int columns) {
    enum { NAME_LEAST = 20 };
    int width = 0, most = columns / 3 > NAME_LEAST ? columns / 3 : NAME_LEAST;
    for (size_t i = 0; i < report->count; i++)
        if (text_columns(report->items[i].what) > width)
            width = text_columns(report->items[i].what);
    return VERDICT_WIDTH + (columns > 0 && width > most ? most : width) + 2;
}

static void print_text(FILE *out, const struct doctor_result *result, int indent, int columns) {
    bool colour = output_has_colour(out);
    int left = indent - VERDICT_WIDTH - text_columns(result->what); // of the name's column
    (void)fprintf(out, "%s%-4s%s  %s", colour ? verdicts[result->verdict].colour : "",
                  verdicts[result->verdict].word, colour ? "\x1b[0m" : "", result->what);
    (void)fprintf(out, "%s%*s", left < 2 ? "\n" : "", left < 2 ? indent : left, "");
    wrapped_print(out, indent, columns, result->text);
    if (result->cure == NULL)
        return;
    (void)fprintf(out, "%*sfix: ", indent, "");
    wrapped_print(out, indent + CURE_WIDTH, columns, result->cure);
}

/* ---- the verdict on all of them ---- */

struct summary {
    int64_t counts[VERDICT_FAIL + 1];
    const struct doctor_result *first; // to be fixed; NULL: nothing
    char text[96];
};

/* A limit comes before all other failures, and these before warnings. */
static bool is_worse(const struct doctor_result *result, const struct doctor_result *than) {
    if (result->verdict < VERDICT_WARN || than == NULL)
        return result->verdict >= VERDICT_WARN;
    bool is_limit = result->verdict == VERDICT_FAIL && result->code == EXIT_CODE_LIMIT;
    return result->verdict > than->verdict || (is_limit && than->code != EXIT_CODE_LIMIT);
}

static struct summary summarize(const struct doctor_report *report) {
    struct summary summary = {0};
    for (size_t i = 0; i < report->count; i++) {
        summary.counts[report->items[i].verdict]++;
        if (is_worse(&report->items[i], summary.first))
            summary.first = &report->items[i];
    }
    size_t used = text_append(summary.text, sizeof summary.text, 0, "%" PRId64 " failed, %s",
                              summary.counts[VERDICT_FAIL],
                              text_count(summary.counts[VERDICT_WARN], "warning").text);
    if (summary.counts[VERDICT_SKIP] > 0)
        used = text_append(summary.text, sizeof summary.text, used, ", %" PRId64 " skipped",
                           summary.counts[VERDICT_SKIP]);
    (void)text_append(summary.text, sizeof summary.text, used, ", %" PRId64 " OK",
                      summary.counts[VERDICT_OK]);
    return summary;
}

static void print_summary_text(FILE *out, const struct summary *summary, int columns) {
    (void)fprintf(out, "\n%s", summary->text);
    if (summary->first == NULL) {
        (void)fprintf(out, ": nothing to fix\n");
        return;
    }
    scoped(scope_free) char *text =
        text_format("%s: %s", summary->first->what,
                    summary->first->cure != NULL ? summary->first->cure : summary->first->text);
    (void)fprintf(out, "\nFix first: ");
    wrapped_print(out, (int)strlen("Fix first: "), columns, text);
}

/* Like one more check, with the numbers; without a verdict, so that none is counted twice. */
static void print_summary_json(FILE *out, const struct summary *summary, enum exit_code code) {
    struct json *object = json_new_object();
    json_put_shown_or_null(object, "check", "summary");
    json_put_null(object, "verdict");
    json_put_shown_or_null(object, "text", summary->text);
    json_put_shown_or_null(object, "fix", summary->first != NULL ? summary->first->cure : NULL);
    json_put_shown_or_null(object, "fixFirst",
                           summary->first != NULL ? summary->first->what : NULL);
    json_put_int(object, "failed", summary->counts[VERDICT_FAIL]);
    json_put_int(object, "warnings", summary->counts[VERDICT_WARN]);
    json_put_int(object, "skipped", summary->counts[VERDICT_SKIP]);
    json_put_int(object, "ok", summary->counts[VERDICT_OK]);
    json_put_int(object, "exitCode", code);
    output_print_json(out, object);
}

void doctor_report_print(const struct doctor_report *report, FILE *out, bool json) {
    int columns = output_columns(out), indent = text_indent(report, columns);
    struct summary summary = summarize(report);
    for (size_t i = 0; i < report->count; i++) {
        if (json)
            print_json(out, &report->items[i]);
        else
            print_text(out, &report->items[i], indent, columns);
    }
    if (json)
        print_summary_json(out, &summary, doctor_report_code(report));
    else
        print_summary_text(out, &summary, columns);
}

enum exit_code doctor_report_code(const struct doctor_report *report) {
    enum exit_code code = EXIT_CODE_OK;
    for (size_t i = 0; i < report->count; i++) {
        const struct doctor_result *result = &report->items[i];
        if (result->verdict == VERDICT_FAIL && result->code == EXIT_CODE_LIMIT)
            return EXIT_CODE_LIMIT;
        if (result->verdict == VERDICT_FAIL && code == EXIT_CODE_OK)
            code = result->code;
    }
    return code;
}
