/* care_command.c: `compact` and `expire`. The first SIGINT or SIGTERM cancels what is being
 * prepared and takes a request back, and the command ends with its exit code; a second one ends the
 * process. */
#include <signal.h>
#include <string.h>

#include "base/text.h"
#include "core/date_text.h"
#include "streaming/operations/care.h"
#include "surfaces/commands/each_command.h"

static volatile sig_atomic_t cancel_asked; // the signal's number

static void ask_cancel(int number) {
    cancel_asked = number;
}

static bool is_cancelled(void) {
    return cancel_asked != 0;
}

static void cancel_by_signal(int number) {
    struct sigaction action;
    if (sigaction(number, NULL, &action) != 0 || action.sa_handler == SIG_IGN)
        return; // the parent process set it
    action =
        (struct sigaction){.sa_handler = ask_cancel, .sa_flags = SA_RESTART | (int)SA_RESETHAND};
    (void)sigaction(number, &action, NULL);
}

static bool run(const struct command_scope *scope, struct care_request request, struct error *err) {
    struct query_options query = config_query_options(scope->config, scope->stream);
    struct care_operation operation = {.query = &query,
                                       .request = request,
                                       .dry_run = scope->config->arguments.dry_run,
                                       .is_cancelled = is_cancelled};
    cancel_by_signal(SIGINT);
    cancel_by_signal(SIGTERM);
    bool ok = operation_care(&operation, scope->out, err);
    config_store_options_deinit(&query.store);
    if (ok || err->kind != ERROR_STOPPED || cancel_asked == 0)
        return ok;
    *scope->signal = cancel_asked;
    return error_set(err, ERROR_STOPPED,
                     "ended by SIG%s before it was done: what it had published by then stays; run "
                     "it again for the rest",
                     sigabbrev_np(cancel_asked));
}

bool compact_command(const struct command_scope *scope, struct error *err) {
    const struct command_arguments *arguments = &scope->config->arguments;
    struct care_request request = {.kind = REQUEST_COMPACT,
                                   .older_than_ms = arguments->older_than_ms,
                                   .target_size = scope->config->query.care.target_size};
    if (arguments->target_file_size > 0)
        request.target_size = arguments->target_file_size;
    return run(scope, request, err);
}

bool expire_command(const struct command_scope *scope, struct error *err) {
    const char *before = scope->config->arguments.before;
    struct care_request request = {.kind = REQUEST_EXPIRE};
    if (!date_text_parse(text_borrow(before), &request.before))
        return error_set(err, ERROR_CONFIG,
                         "--before: invalid value '%s' (expected a date, such as 2026-11-28)",
                         before);
    return run(scope, request, err);
}
