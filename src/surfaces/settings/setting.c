/* The types of settings, as a table at the end: how a text is read, what the field owns, and for
 * a text that is kept as it stands, what it must be. A parser writes the field only when the text
 * is good, so what could not be read stays zero. Its message says what was expected, without the
 * setting's name and value: the caller adds these, and leaves out a secret. */
#include "surfaces/settings/setting.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/check.h"
#include "base/text.h"
#include "core/zone.h"
#include "streaming/kafka/starting_offsets.h"
#include "streaming/query/query_definition.h"
#include "surfaces/settings/addresses.h"
#include "surfaces/terminal/quantity.h"

enum {
    TOPIC_MAX = 249,      // Kafka's own limit
    ROOT_PATH_MAX = 1024, // bytes; leaves room in FILE_PATH_MAX for partition directories and files
};

enum { TOKEN_SIZE_MIN = 16 }; // characters: a shorter one could be guessed by trying

void choices_list(const struct choice *choices, bool prose, char *text, size_t size) {
    size_t used = 0, count = 0, listed = 0;
    for (const struct choice *choice = choices; choice->name != NULL; choice++)
        count += choice->alias ? 0 : 1;
    text[0] = '\0';
    for (const struct choice *choice = choices; choice->name != NULL; choice++) {
        if (choice->alias)
            continue;
        const char *between = listed == 0 ? "" : !prose ? "|" : listed + 1 < count ? ", " : " or ";
        used = text_append(text, size, used, "%s%s", between, choice->name);
        listed++;
    }
}

static void release_text(void *field) {
    free(*(char **)field);
    *(char **)field = NULL;
}

static void set_text(void *field, const char *text) {
    *(char **)field = text_copy(text);
}

/* A text that is kept as it stands, once its type accepts it. */
static bool parse_text(const struct setting *setting, const char *text, void *field,
                       struct error *err) {
    if (!setting->type->accepts(text, err))
        return false;
    set_text(field, text);
    return true;
}

static bool find_choice(const struct setting *setting, const char *text, int *value,
                        struct error *err) {
    for (const struct choice *choice = setting->choices; choice->name != NULL; choice++) {
        if (strcasecmp(choice->name, text) == 0) {
            *value = choice->value;
            return true;
        }
    }
    char list[256];
    choices_list(setting->choices, true, list, sizeof list);
    return error_set(err, ERROR_CONFIG, "expected %s", list);
}

static bool parse_choice(const struct setting *setting, const char *text, void *field,
                         struct error *err) {
    int value = 0;
    if (!find_choice(setting, text, &value, err))
        return false;
    memcpy(field, &value, sizeof value); // all our enums are as wide as int
    return true;
}

static bool parse_boolean(const struct setting *setting, const char *text, void *field,
                          struct error *err) {
    int value = 0;
    if (!find_choice(setting, text, &value, err))
        return false;
    *(bool *)field = value != 0;
    return true;
}

static bool parse_int64(const struct setting *setting, const char *text, void *field,
                        struct error *err) {
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    // strtoll() skips blanks in front, which are not part of a number here.
    if (errno != 0 || end == text || *end != '\0' || isspace((unsigned char)*text) ||
        number < setting->least || number > setting->most)
        return setting->most == INT64_MAX
                   ? error_set(err, ERROR_CONFIG, "expected a whole number of at least %lld",
                               (long long)setting->least)
                   : error_set(err, ERROR_CONFIG, "expected a whole number from %lld to %lld",
                               (long long)setting->least, (long long)setting->most);
    *(int64_t *)field = number;
    return true;
}

static bool parse_int(const struct setting *setting, const char *text, void *field,
                      struct error *err) {
    int64_t number = 0;
    if (!parse_int64(setting, text, &number, err))
        return false;
    *(int *)field = (int)number;
    return true;
}

static bool parse_size(const struct setting *setting, const char *text, void *field,
                       struct error *err) {
    int64_t bytes;
    if (!size_parse(text, &bytes))
        return error_set(err, ERROR_CONFIG,
                         "expected a size: a whole number with a unit, such as 512m or 2g");
    if (bytes < setting->least || bytes > setting->most) {
        char least[SIZE_TEXT_MAX], most[SIZE_TEXT_MAX];
        size_format(setting->least, least);
        size_format(setting->most, most);
        return error_set(err, ERROR_CONFIG, "expected a size from %s to %s", least, most);
    }
    *(int64_t *)field = bytes;
    return true;
}

/* A whole number from 0 at *at, which moves behind it. False: there is none. */
static bool read_whole(const char **at, int64_t *number) {
    char *end;
    errno = 0;
    if (!isdigit((unsigned char)**at))
        return false;
    *number = strtoll(*at, &end, 10);
    *at = end;
    return errno == 0;
}

static bool parse_range(const struct setting *setting, const char *text, void *field,
                        struct error *err) {
    struct number_range range = {0, setting->most};
    const char *at = text;
    bool first = read_whole(&at, &range.first);
    bool dots = strncmp(at, "..", 2) == 0;
    at += dots ? 2 : 0;
    bool last = dots && read_whole(&at, &range.last);
    if (first && !dots)
        range.last = range.first;
    bool known = first || last || dots;
    if (!known || *at != '\0' || range.first > range.last)
        return error_set(err, ERROR_CONFIG,
                         "expected FROM..TO, such as 100..200, 100.., ..200 or 100");
    *(struct number_range *)field = range;
    return true;
}

static bool parse_borrowed(const struct setting *setting, const char *text, void *field,
                           struct error *err) {
    (void)setting;
    (void)err;
    *(const char **)field = text;
    return true;
}

static bool check_duration(const struct setting *setting, int64_t milliseconds, struct error *err) {
    if (milliseconds >= setting->least && milliseconds <= setting->most)
        return true;
    return error_set(err, ERROR_CONFIG, "expected a duration from %s to %s",
                     text_count(setting->least / 1000, "second").text,
                     text_count(setting->most / 3600000, "hour").text);
}

static bool parse_duration(const struct setting *setting, const char *text, void *field,
                           struct error *err) {
    int64_t milliseconds;
    if (!duration_parse(text, &milliseconds))
        return error_set(err, ERROR_CONFIG,
                         "expected a duration: a number with a unit, such as "
                         "'30 seconds', '5 minutes' or '500 ms'");
    if (!check_duration(setting, milliseconds, err))
        return false;
    *(int64_t *)field = milliseconds;
    return true;
}

static bool parse_trigger(const struct setting *setting, const char *text, void *field,
                          struct error *err) {
    struct trigger trigger = {.available_now = strcasecmp(text, "availableNow") == 0};
    if (!trigger.available_now && !duration_parse(text, &trigger.interval_ms))
        return error_set(err, ERROR_CONFIG,
                         "expected availableNow or an interval such as '10 seconds', '1 minute', "
                         "'500 milliseconds' or '0 seconds'");
    if (!check_duration(setting, trigger.interval_ms, err))
        return false;
    *(struct trigger *)field = trigger;
    return true;
}

static bool parse_compact(const struct setting *setting, const char *text, void *field,
                          struct error *err) {
    struct compact_setting compact = {.mode = COMPACT_LIVE};
    if (strcasecmp(text, "off") == 0)
        compact.mode = COMPACT_OFF;
    else if (strcasecmp(text, "closed") == 0)
        compact.mode = COMPACT_CLOSED;
    else if (!duration_parse(text, &compact.older_than_ms))
        return error_set(err, ERROR_CONFIG,
                         "expected off, closed or the age of the files to merge, such as '1 hour'");
    if (compact.mode == COMPACT_LIVE && !check_duration(setting, compact.older_than_ms, err))
        return false;
    *(struct compact_setting *)field = compact;
    return true;
}

static bool parse_retention(const struct setting *setting, const char *text, void *field,
                            struct error *err) {
    const int64_t day_ms = 24LL * 60 * 60 * 1000;
    int64_t milliseconds = 0;
    if (*text == '\0' && *setting->fallback == '\0')
        milliseconds = -day_ms;
    else if (strcasecmp(text, "off") != 0 && (!duration_parse(text, &milliseconds) ||
                                              milliseconds < day_ms || milliseconds % day_ms != 0))
        return error_set(err, ERROR_CONFIG, "expected off or whole days, such as '90 days'");
    *(int64_t *)field = milliseconds / day_ms;
    return true;
}

/* Kafka's own rule for the names of topics. */
static bool check_topic(const char *text, struct error *err) {
    size_t size = strlen(text);
    for (size_t i = 0; i < size; i++)
        if (!isalnum((unsigned char)text[i]) && strchr("._-", text[i]) == NULL)
            return error_set(err, ERROR_CONFIG,
                             "expected one topic name: letters, digits, '.', '_' "
                             "and '-'");
    if (size == 0)
        return error_set(err, ERROR_CONFIG, "expected a topic name");
    if (size > TOPIC_MAX || strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
        return error_set(err, ERROR_CONFIG,
                         "expected a topic name of at most %d characters, other than '.' and '..'",
                         TOPIC_MAX);
    return true;
}

static bool parse_servers(const struct setting *setting, const char *text, void *field,
                          struct error *err) {
    (void)setting;
    const char *protocol; // properties.c sees to it
    return servers_parse(text, field, &protocol, err);
}

static bool check_master(const char *text, struct error *err) {
    enum master_kind kind;
    int workers;
    return master_parse(text, &kind, &workers, err);
}

/* Where a URI's path begins in `text`, or NULL: another file system's. A text without a scheme is
 * a path itself. */
static const char *local_part(const char *text) {
    size_t scheme = 0;
    while (isalnum((unsigned char)text[scheme]) ||
           (scheme > 0 && strchr("+.-", text[scheme]) && text[scheme] != '\0'))
        scheme++;
    if (scheme == 0 || text[scheme] != ':')
        return text;
    if (strncasecmp(text, "file:", 5) != 0)
        return text[scheme + 1] == '/' ? NULL : text;
    const char *path = text + 5;
    if (strncmp(path, "//", 2) != 0)
        return *path == '/' ? path : NULL;
    return path[2] == '/' ? path + 2 : NULL; // file://host/path is another machine's
}

/* Appends the path to an absolute one, normalised as Hadoop's Path does it: by the text alone.
 * "a/.." goes even where "a" is a symbolic link, so that we and Spark write to one directory. */
static bool append_path(char absolute[static PATH_MAX], const char *path, struct error *err) {
    size_t used = strlen(absolute);
    for (const char *at = path; *at != '\0'; at += strspn(at, "/")) {
        size_t size = strcspn(at, "/");
        bool parent = size == 2 && strncmp(at, "..", 2) == 0;
        bool skip = size == 0 || parent || (size == 1 && *at == '.');
        if (!skip && used + 1 + size > ROOT_PATH_MAX)
            return error_set(err, ERROR_CONFIG, "expected a path of at most %d bytes",
                             ROOT_PATH_MAX);
        if (!skip)
            used = text_append(absolute, PATH_MAX, used, "/%.*s", (int)size, at);
        while (parent && used > 0 && absolute[--used] != '/')
            ;
        absolute[used] = '\0';
        at += size;
    }
    return true;
}

static bool parse_path(const struct setting *setting, const char *text, void *field,
                       struct error *err) {
    (void)setting;
    if (text[strspn(text, " \t")] == '\0')
        return error_set(err, ERROR_CONFIG, "expected a directory");
    const char *path = local_part(text);
    if (path == NULL)
        return error_set(err, ERROR_CONFIG,
                         "expected a local directory, as a path or as file:///…; other file "
                         "systems are not supported: mount them, or copy the files");
    if (!shell_syntax_check(path, err))
        return false;
    char absolute[PATH_MAX] = ""; // what getcwd() may need
    if (*path != '/' && getcwd(absolute, sizeof absolute) == NULL)
        return error_set(err, ERROR_CONFIG,
                         "expected an absolute path: the current directory is not known: %s",
                         strerror(errno));
    if (strcmp(absolute, "/") == 0)
        absolute[0] = '\0';
    if (!append_path(absolute, path, err))
        return false;
    set_text(field, absolute[0] != '\0' ? absolute : "/");
    return true;
}

static bool parse_home(const struct setting *setting, const char *text, void *field,
                       struct error *err) {
    if (*text != '\0')
        return parse_path(setting, text, field, err);
    set_text(field, text);
    return true;
}

static bool check_paths(const char *text, struct error *err) {
    for (const char *at = text; *at != '\0'; at += strcspn(at, ":") + (strchr(at, ':') != NULL)) {
        char path[ROOT_PATH_MAX + 1];
        size_t size = strcspn(at, ":");
        if (size > ROOT_PATH_MAX)
            return error_set(err, ERROR_CONFIG, "expected paths of at most %d bytes",
                             ROOT_PATH_MAX);
        (void)snprintf(path, sizeof path, "%.*s", (int)size, at);
        if (!shell_syntax_check(path, err))
            return false;
    }
    return true;
}

static bool accept_all(const char *text, struct error *err) {
    (void)text;
    (void)err;
    return true;
}

static bool check_zone(const char *text, struct error *err) {
    struct zone zone;
    bool found = zone_find((struct text){text, (uint32_t)strlen(text)}, &zone);
    if (!found && zone_data_lack().all)
        return error_set(err, ERROR_CONFIG,
                         "there are no time zones in /usr/share/zoneinfo: install the package "
                         "tzdata, or set an offset such as +02:00");
    if (!found)
        return error_set(err, ERROR_CONFIG,
                         "expected a time zone: a name from the system's tzdata, such as "
                         "Europe/Paris, or an offset such as +02:00");
    return true;
}

/* Visible ASCII, without a blank. */
static bool is_one_word(const char *text) {
    for (; *text != '\0'; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

static bool check_host(const char *text, struct error *err) {
    if (*text == '\0' || !is_one_word(text) || strchr(text, '/') != NULL)
        return error_set(err, ERROR_CONFIG,
                         "expected a host name or an IP address, such as 127.0.0.1");
    return true;
}

static bool check_hosts(const char *text, struct error *err) {
    for (const char *at = text; *at != '\0'; at++)
        if (!isalnum((unsigned char)*at) && strchr(".-_,", *at) == NULL)
            return error_set(err, ERROR_CONFIG,
                             "expected host names without ports, separated by commas, such as "
                             "lake.example.org,lake");
    return true;
}

static bool check_group(const char *text, struct error *err) {
    for (const char *at = text; *at != '\0'; at++)
        if ((unsigned char)*at <= ' ' || *at == 127)
            return error_set(err, ERROR_CONFIG, "a consumer group's name has no spaces");
    return true;
}

static bool check_token(const char *text, struct error *err) {
    if (*text != '\0' && (strlen(text) < TOKEN_SIZE_MIN || !is_one_word(text)))
        return error_set(err, ERROR_CONFIG,
                         "expected at least %d printable ASCII characters without spaces",
                         TOKEN_SIZE_MIN);
    return true;
}

static bool check_url(const char *text, struct error *err) {
    return *text == '\0' || http_url_check(text, err);
}

static void release_names(void *field) {
    struct name_list *list = field;
    for (size_t i = 0; i < list->count; i++)
        free(list->names[i]);
    *list = (struct name_list){0};
}

/* Whether the table of the setting's query has this column and it can be a directory. */
static bool check_partition_column(const struct stream *stream, const char *name,
                                   struct error *err) {
    struct schema schema;
    stream_schema(stream, &schema);
    int index = schema_find(&schema, (struct text){name, (uint32_t)strlen(name)});
    if (strcmp(name, PLAN_DATE) == 0 && stream->plan.date == PLAN_NO_DATE)
        return error_set(err, ERROR_CONFIG, PLAN_DATE_TAKEN);
    if (strcmp(name, PLAN_DATE) == 0 && stream->plan.column_count < SCHEMA_COLUMNS_MAX)
        return true;
    if (index < 0)
        return error_set(err, ERROR_CONFIG,
                         "the table has no column '%s'; `esports-stream schema` lists the columns",
                         name);
    bool may = plan_may_partition(&stream->plan, (size_t)index);
    if (may && schema_can_partition(&schema, (size_t)index))
        return true;
    enum type type = schema.columns[index].type;
    if (!may && type == TYPE_STRING)
        return error_set(err, ERROR_CONFIG,
                         "column '%s' cannot partition the table: it is STRING and depends on "
                         "LATERAL VIEW",
                         name);
    if (type_can_partition(type))
        return error_set(err, ERROR_CONFIG,
                         "column '%s' cannot partition the table: it must be in every file", name);
    return error_set(err, ERROR_CONFIG,
                     "column '%s' is %s and cannot partition the table: expected " PARTITION_TYPES,
                     name, type_sql_name(type));
}

static bool add_name(const struct setting *setting, struct name_list *list, const char *name,
                     struct error *err) {
    if (*name == '\0')
        return error_set(err, ERROR_CONFIG,
                         "expected column names separated by commas; one is empty");
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->names[i], name) == 0)
            return error_set(err, ERROR_CONFIG, "column '%s' is listed twice", name);
    if (list->count == PARTITION_BY_MAX)
        return error_set(err, ERROR_CONFIG, "expected at most %d columns", PARTITION_BY_MAX);
    if (!check_partition_column(setting->stream, name, err))
        return false;
    set_text(&list->names[list->count++], name);
    return true;
}

static bool parse_names(const struct setting *setting, const char *text, void *field,
                        struct error *err) {
    struct name_list list = {0};
    char *copy = text_copy(text);
    bool ok = true;
    for (char *rest = copy, *name; ok && (name = strsep(&rest, ",")) != NULL;) {
        name += strspn(name, " \t");
        for (size_t size = strlen(name); size > 0 && isspace((unsigned char)name[size - 1]);)
            name[--size] = '\0';
        bool is_none = list.count == 0 && rest == NULL && strcasecmp(name, "none") == 0;
        ok = is_none || add_name(setting, &list, name, err); // no column is called so
    }
    free(copy);
    if (!ok) {
        release_names(&list);
        return false;
    }
    *(struct name_list *)field = list;
    return true;
}

const struct setting_type type_servers = {"HOST:PORT,…", parse_servers, release_text};
const struct setting_type type_topic = {"TOPIC", parse_text, release_text, check_topic};
const struct setting_type type_offsets = {"earliest|latest|JSON", parse_text, release_text,
                                          starting_offsets_check};
const struct setting_type type_master = {"local|local[N]|yarn|spark://…|k8s://…|sc://…", parse_text,
                                         release_text, check_master};
const struct setting_type type_home = {"DIRECTORY", parse_home, release_text};
const struct setting_type type_path = {"DIRECTORY", parse_path, release_text};
const struct setting_type type_paths = {"PATH:…", parse_text, release_text, check_paths};
const struct setting_type type_value = {"TEXT", parse_text, release_text, accept_all};
const struct setting_type type_zone = {"ZONE", parse_text, release_text, check_zone};
const struct setting_type type_group = {"GROUP", parse_text, release_text, check_group};
const struct setting_type type_host = {"HOST", parse_text, release_text, check_host};
const struct setting_type type_hosts = {"HOST,…", parse_text, release_text, check_hosts};
const struct setting_type type_token = {"TOKEN", parse_text, release_text, check_token};
const struct setting_type type_url = {"URL", parse_text, release_text, check_url};
const struct setting_type type_names = {"COLUMN,…|none", parse_names, release_names};
const struct setting_type type_choice = {NULL, parse_choice, NULL};
const struct setting_type type_boolean = {NULL, parse_boolean, NULL};
const struct setting_type type_int = {"NUMBER", parse_int, NULL};
const struct setting_type type_int64 = {"NUMBER", parse_int64, NULL};
const struct setting_type type_size = {"SIZE", parse_size, NULL};
const struct setting_type type_duration = {"DURATION", parse_duration, NULL};
const struct setting_type type_range = {"FROM..TO", parse_range, NULL};
const struct setting_type type_borrowed = {"TEXT", parse_borrowed, NULL};
const struct setting_type type_trigger = {"DURATION|availableNow", parse_trigger, NULL};
const struct setting_type type_compact = {"off|closed|DURATION", parse_compact, NULL};
const struct setting_type type_retention = {"off|DAYS", parse_retention, NULL};
