/* spark_log.c: Spark has no other way to say that it is up, or why it is not, than its log. A line
 * with a time stamp begins an event; a line without one continues it (a stack trace), or comes from
 * bash, the launcher or the JVM.
 *
 * While the server starts, the first error is the reason, because the others follow from it; once
 * it is up, the newest one is. What was said before it came up has not mattered and is forgotten.
 * Of the lines behind an error the last "Caused by:" is the root cause. */
#include "streaming/cluster/spark/spark_log.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 'd' is a digit. */
static const char stamp_form[] = "dd/dd/dd dd:dd:dd ";

static const struct {
    struct text word;
    enum log_level level;
} levels[] = {
    {{"TRACE ", 6}, LOG_DEBUG},  {{"DEBUG ", 6}, LOG_DEBUG}, {{"INFO ", 5}, LOG_DEBUG},
    {{"WARN ", 5}, LOG_WARNING}, {{"ERROR ", 6}, LOG_ERROR}, {{"FATAL ", 6}, LOG_ERROR},
};

static struct text text_from(const char *bytes, const char *end) {
    return (struct text){bytes, (uint32_t)(end - bytes)};
}

static bool begins_with(struct text text, const char *start) {
    size_t size = strlen(start);
    return text.length >= size && memcmp(text.bytes, start, size) == 0;
}

/* Where `part` begins in the text, or NULL. */
static const char *find(struct text text, const char *part) {
    return memmem(text.bytes, text.length, part, strlen(part));
}

static bool has_stamp(const char *bytes, size_t size) {
    if (size < sizeof stamp_form - 1)
        return false;
    for (size_t i = 0; i < sizeof stamp_form - 1; i++)
        if (stamp_form[i] == 'd' ? !isdigit((unsigned char)bytes[i]) : bytes[i] != stamp_form[i])
            return false;
    return true;
}

/* Lines that no logger has formatted, and that say why Spark is stuck: of the JVM, of
 * Spark's launcher, of bash. */
static bool is_plain_trouble(struct text text) {
    static const char *const starts[] = {"Exception in thread ", "Error: ", "Error occurred ",
                                         "java.lang.OutOfMemoryError",
                                         "Could not find or load main class"};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
        if (begins_with(text, starts[i]))
            return true;
    return false;
}

void spark_line_parse(const char *bytes, size_t size, struct spark_line *line) {
    const char *end = bytes + size;
    *line = (struct spark_line){.level = LOG_DEBUG, .message = text_from(bytes, end)};
    if (!has_stamp(bytes, size)) {
        line->begins = is_plain_trouble(line->message);
        line->level = line->begins ? LOG_ERROR : LOG_DEBUG;
        return;
    }
    struct text rest = text_from(bytes + sizeof stamp_form - 1, end);
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        if (!begins_with(rest, levels[i].word.bytes))
            continue;
        const char *logger = rest.bytes + levels[i].word.length;
        const char *colon = find(text_from(logger, end), ": ");
        line->begins = true;
        line->level = levels[i].level;
        line->message = text_from(colon != NULL ? colon + 2 : logger, end);
        if (colon != NULL)
            line->logger = text_from(logger, colon);
        return;
    }
}

/* Copies without what would not be text; a longer one is cut. */
static void keep(struct text text, char *kept, size_t capacity) {
    size_t used = 0;
    for (uint32_t i = 0; i < text.length && used + 1 < capacity; i++)
        if (!iscntrl((unsigned char)text.bytes[i]))
            kept[used++] = text.bytes[i];
    kept[used] = '\0';
}

static void take_address(struct spark_log *log, struct text message, const char *behind) {
    // The host may be an IPv6 address; the port is what follows the last colon.
    const char *at = behind, *end = message.bytes + message.length;
    const char *colon = memrchr(at, ':', (size_t)(end - at));
    char digits[8] = "";
    if (colon != NULL)
        keep(text_from(colon + 1, end), digits, sizeof digits);
    long port = strtol(digits, NULL, 10);
    if (port > 0 && port <= UINT16_MAX)
        log->port = (int)port;
}

static void take_failed_master(struct spark_log *log, struct text name) {
    char kept[sizeof log->failed[0]];
    keep(name, kept, sizeof kept);
    for (int i = 0; i < log->failed_count; i++)
        if (strcmp(log->failed[i], kept) == 0)
            return;
    if (log->failed_count < SPARK_MASTERS_MAX)
        memcpy(log->failed[log->failed_count++], kept, sizeof kept);
}

/* Whether the message says that somebody whom the start needs can't be connected to: *name then is
 * who. The standalone client says so once in 20 seconds, Hadoop's, which YARN's is, once a second.
 */
static bool is_refusal(const struct spark_log *log, struct text message, struct text *name) {
    static const char failed[] = "Failed to connect to master ";
    static const char retrying[] = "Retrying connect to server: ", often[] = ". Already tried 4 ";
    const char *end = message.bytes + message.length;
    if (begins_with(message, failed)) {
        *name = text_from(message.bytes + sizeof failed - 1, end);
        return true;
    }
    const char *tries = find(message, often);
    if (!log->is_yarn || tries == NULL || !begins_with(message, retrying))
        return false;
    *name = text_from(message.bytes + sizeof retrying - 1, tries);
    return true;
}

/* What Spark says of itself that we act on. */
static void take_news(struct spark_log *log, const struct spark_line *line) {
    static const char listens[] = "Spark Connect server started at: ";
    struct text message = line->message, name;
    if (begins_with(message, listens))
        take_address(log, message, message.bytes + sizeof listens - 1);
    else if (begins_with(message, "Connected to Spark cluster with app ID"))
        log->accepted = true;
    else if (is_refusal(log, message, &name))
        take_failed_master(log, name);
    else if (begins_with(message, "Successfully stopped SparkContext") ||
             begins_with(message, "Application has been killed."))
        log->given_up = true;
}

static void take_trouble(struct spark_log *log, const struct spark_line *line) {
    struct text name, message = line->message;
    bool starting = !spark_log_is_up(log);
    log->in_trouble = false;
    if (line->level < LOG_ERROR && !(starting && is_refusal(log, message, &name)))
        return;
    if (starting && *log->trouble != '\0')
        return;
    log->in_trouble = true;
    keep(message, log->trouble, sizeof log->trouble);
    log->cause[0] = '\0';
}

/* A line behind the trouble: "java.lang.X: why", then its stack, then "Caused by: java.lang.Y:
 * why", of which the last one is the root. */
static void take_cause(struct spark_log *log, struct text line) {
    static const char caused[] = "Caused by: ";
    bool root = begins_with(line, caused);
    const char *from = line.bytes + (root ? sizeof caused - 1 : 0);
    if (root || (*log->cause == '\0' && line.length > 0 && !isspace((unsigned char)*line.bytes)))
        keep(text_from(from, line.bytes + line.length), log->cause, sizeof log->cause);
}

void spark_log_take(struct spark_log *log, const struct spark_line *line) {
    bool was_accepted = log->accepted, was_up = spark_log_is_up(log);
    if (line->begins) {
        take_news(log, line);
        take_trouble(log, line);
    } else if (log->in_trouble) {
        take_cause(log, line->message);
    }
    if (was_accepted != log->accepted || was_up != spark_log_is_up(log))
        log->trouble[0] = log->cause[0] = '\0'; // it has not mattered
    // A frame of a stack trace says nothing on its own.
    if (line->message.length > 0 && !isspace((unsigned char)line->message.bytes[0]))
        keep(line->message, log->last, sizeof log->last);
}

bool spark_log_is_up(const struct spark_log *log) {
    return log->port != 0 && (!log->is_standalone || log->accepted);
}

bool spark_log_is_refused(const struct spark_log *log) {
    return log->failed_count > 0 && log->failed_count >= log->master_count && !log->accepted &&
           !spark_log_is_up(log);
}

void spark_log_reason(const struct spark_log *log, char text[static SPARK_REASON_MAX]) {
    const char *trouble = *log->trouble != '\0' ? log->trouble : log->last;
    bool repeats = *log->cause == '\0' || strstr(trouble, log->cause) != NULL;
    (void)snprintf(text, SPARK_REASON_MAX, "%s%s%s", trouble, repeats ? "" : ": ",
                   repeats ? "" : log->cause);
}
