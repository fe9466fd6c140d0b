/* No matter what an env file and a command line say: settings are read, or every problem is printed
 * and the exit code says so. The input is the env file, a NUL, and the words of the command line
 * with a NUL behind each. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log/log.h"
#include "base/scope.h"
#include "base/utf8.h"
#include "streaming/declare/stream.h"
#include "surfaces/program/command_line.h"
#include "surfaces/settings/config_load.h"
#include "surfaces/settings/settings.h"
#include "temporary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WORDS_MAX = 40 };

/* What is printed may be shown on a terminal. */
static void check_shown(const char *text) {
    const char *end = text + strlen(text);
    for (const char *at = text; at < end;) {
        size_t size;
        bool valid;
        uint32_t character = utf8_decode(at, end, &size, &valid);
        check(character == '\n' || !escape_is_control(character));
        at += size;
    }
}

static void check_config(const struct config *config, enum exit_code code, const char *errors) {
    size_t count;
    check(code == EXIT_CODE_OK || code == EXIT_CODE_USAGE);
    check((code == EXIT_CODE_OK) == (errors[0] == '\0'));
    check_shown(errors);
    bool read =
        code == EXIT_CODE_OK && (config->action == ACTION_RUN || config->action == ACTION_EXPLAIN);
    (void)settings_table(&count);
    for (size_t i = 0; read && i < count; i++)
        check(settings_shown(config, i) != NULL || config->values[i].text == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static char *no_environment[] = {NULL};
    static bool loaded;
    char *words[WORDS_MAX + 4] = {(char *)"esports-stream"};
    int count = 1;
    struct config config;
    if (size == 0)
        return 0;
    log_configure(LOG_CRITICAL, false);
    if (!loaded)
        streams_load();
    loaded = true;
    environ = no_environment;
    // Terminated, so that the last word is.
    scoped(scope_free) char *text = must_alloc(size + 1, 1);
    memcpy(text, data, size);
    char *end = text + size, *stop = memchr(text, '\0', size + 1);
    struct file_path env_file = temporary_write("env", text, (size_t)(stop - text));
    for (char *at = stop + 1; at < end && count < WORDS_MAX; at += strlen(at) + 1)
        words[count++] = at;
    words[count++] = (char *)"--env-file";
    words[count++] = env_file.text;

    scoped(scope_free) char *errors = NULL;
    size_t errors_size;
    FILE *out = open_memstream(&errors, &errors_size);
    check(out != NULL);
    enum exit_code code = command_line_load(&config, count, words, out);
    check(fclose(out) == 0);
    check_config(&config, code, errors);
    config_deinit(&config);
    return 0;
}
