/* Names become zones as Spark's getZoneId and Java's ZoneId.of have it: Spark first completes the
 * digits of offsets, then short names are replaced, then the name is an offset, a prefix with an
 * offset, or a region, whose file is read once per process. The name becomes a path, so it is let
 * through only if it can be a region's name. */
#include "core/zone.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/check.h"
#include "base/scope.h"
#include "core/zone_rules.h"

#define ZONEINFO "/usr/share/zoneinfo/"

enum { NAME_MAX_BYTES = 64, OFFSET_MAX = 18 * 3600, FILE_MAX = 1 << 20 };

/* Names that stand for others: Java's ZoneId.SHORT_IDS, and of the names that tzdata 2024b gave to
 * regions those that Java 17 has so, too; Debian's files keep rules of their own for them, which
 * differ before 1977. */
static const struct {
    const char *name, *meaning;
} other_names[] = {
    {"ACT", "Australia/Darwin"},
    {"AET", "Australia/Sydney"},
    {"AGT", "America/Argentina/Buenos_Aires"},
    {"ART", "Africa/Cairo"},
    {"AST", "America/Anchorage"},
    {"BET", "America/Sao_Paulo"},
    {"BST", "Asia/Dhaka"},
    {"CAT", "Africa/Harare"},
    {"CNT", "America/St_Johns"},
    {"CST", "America/Chicago"},
    {"CTT", "Asia/Shanghai"},
    {"EAT", "Africa/Addis_Ababa"},
    {"ECT", "Europe/Paris"},
    {"EST", "-05:00"},
    {"HST", "-10:00"},
    {"IET", "America/Indiana/Indianapolis"},
    {"IST", "Asia/Kolkata"},
    {"JST", "Asia/Tokyo"},
    {"MIT", "Pacific/Apia"},
    {"MST", "-07:00"},
    {"NET", "Asia/Yerevan"},
    {"NST", "Pacific/Auckland"},
    {"PLT", "Asia/Karachi"},
    {"PNT", "America/Phoenix"},
    {"PRT", "America/Puerto_Rico"},
    {"PST", "America/Los_Angeles"},
    {"SST", "Pacific/Guadalcanal"},
    {"VST", "Asia/Ho_Chi_Minh"},
    {"CET", "Europe/Brussels"},
    {"EET", "Europe/Athens"},
    {"MET", "Europe/Brussels"},
    {"WET", "Europe/Lisbon"},
};

/* Files in tzdata's directory that are not regions in Java. */
static const char *const not_regions[] = {"Factory", "ROC", "localtime", "posixrules"};

/* Every region that was asked for. They are as many as tzdata has files, and stay. */
struct known_zone {
    struct known_zone *next;
    char name[NAME_MAX_BYTES + 1];
    struct zone_rules *rules;
};

static pthread_mutex_t known_lock = PTHREAD_MUTEX_INITIALIZER; // guards known
static struct known_zone *known;

static bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

static bool is_letter(char byte) {
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
}

static bool two_digits(const char *at, int max, int32_t *number) {
    if (!is_digit(at[0]) || !is_digit(at[1]))
        return false;
    *number = (at[0] - '0') * 10 + (at[1] - '0');
    return *number <= max;
}

/* Java's ZoneOffset.of: Z, +h, +hh, +hh:mm, +hhmm, +hh:mm:ss, +hhmmss. */
static bool parse_offset(const char *name, size_t length, struct zone *zone) {
    *zone = zone_utc;
    if (length == 1)
        return name[0] == 'Z';
    if (name[0] != '+' && name[0] != '-')
        return false;

    int32_t hours = 0, minutes = 0, seconds = 0;
    bool colons = length == 6 || length == 9;
    bool ok;
    if (length == 2) {
        ok = is_digit(name[1]);
        hours = name[1] - '0';
    } else {
        ok = (length == 3 || length == 5 || length == 7 || colons) &&
             two_digits(name + 1, 18, &hours);
    }
    size_t at = colons ? 4 : 3;
    if (ok && length >= 5)
        ok = (!colons || name[3] == ':') && two_digits(name + at, 59, &minutes);
    at += colons ? 3 : 2;
    if (ok && length >= 7)
        ok = (!colons || name[6] == ':') && two_digits(name + at, 59, &seconds);
    int32_t offset = (hours * 60 + minutes) * 60 + seconds;
    zone->offset = name[0] == '-' ? -offset : offset;
    return ok && offset <= OFFSET_MAX;
}

/* The name becomes a path: only what can be a region's name, and no way out of the directory. */
static bool is_region_name(const char *name, size_t length) {
    if (length < 2 || !is_letter(name[0]) || name[length - 1] == '/')
        return false;
    for (size_t i = 0; i < length; i++) {
        bool plain = is_letter(name[i]) || is_digit(name[i]) || name[i] == '_' || name[i] == '+' ||
                     name[i] == '-';
        bool slash = name[i] == '/' && is_letter(name[i + 1]);
        if (!plain && !slash)
            return false;
    }
    for (size_t i = 0; i < sizeof not_regions / sizeof not_regions[0]; i++) {
        if (strlen(not_regions[i]) == length && memcmp(name, not_regions[i], length) == 0)
            return false;
    }
    return strncmp(name, "posix/", 6) != 0 && strncmp(name, "right/", 6) != 0;
}

static struct zone_rules *read_rules(const char *name) {
    char path[sizeof ZONEINFO + NAME_MAX_BYTES];
    (void)snprintf(path, sizeof path, ZONEINFO "%s", name);
    scoped(scope_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size > FILE_MAX)
        return NULL;
    size_t size = (size_t)status.st_size;
    scoped(scope_free) unsigned char *bytes = must_alloc(size + 1, 1);
    if (read(fd, bytes, size) != (ssize_t)size)
        return NULL;
    return zone_rules_parse(bytes, size);
}

static const struct zone_rules *find_known(const char *name) {
    for (struct known_zone *zone = known; zone != NULL; zone = zone->next) {
        if (strcmp(zone->name, name) == 0)
            return zone->rules;
    }
    return NULL;
}

/* `name` is terminated. */
static bool find_region(const char *name, size_t length, struct zone *zone) {
    if (!is_region_name(name, length))
        return false;
    pthread_mutex_lock(&known_lock);
    const struct zone_rules *rules = find_known(name);
    if (rules == NULL) {
        struct zone_rules *fresh = read_rules(name);
        if (fresh != NULL) {
            struct known_zone *entry = must_alloc(1, sizeof *entry);
            *entry = (struct known_zone){.next = known, .rules = fresh};
            memcpy(entry->name, name, length);
            known = entry;
        }
        rules = fresh;
    }
    pthread_mutex_unlock(&known_lock);
    *zone = (struct zone){.rules = rules};
    return rules != NULL;
}

/* ZoneId.of: an offset, a prefix with an offset, or a region. */
static bool find_named(const char *name, size_t length, struct zone *zone) {
    if (length == 0)
        return false;
    if (length == 1 || name[0] == '+' || name[0] == '-')
        return parse_offset(name, length, zone);

    size_t prefix = 0;
    if (strncmp(name, "UTC", 3) == 0 || strncmp(name, "GMT", 3) == 0)
        prefix = 3;
    else if (strncmp(name, "UT", 2) == 0)
        prefix = 2;
    if (prefix > 0 && length == prefix) {
        *zone = zone_utc;
        return true;
    }
    if (prefix > 0 && (name[prefix] == '+' || name[prefix] == '-'))
        return parse_offset(name + prefix, length - prefix, zone);
    return find_region(name, length, zone);
}

static void insert_zero(char *name, size_t *length, size_t at) {
    memmove(name + at + 1, name + at, *length - at + 1);
    name[at] = '0';
    ++*length;
}

/* Spark's two repairs: the first "+h:" becomes "+0h:", and "+hh:m" at the end becomes "+hh:0m". */
static void complete_digits(char *name, size_t *length) {
    for (size_t i = 0; i + 2 < *length; i++) {
        if ((name[i] == '+' || name[i] == '-') && is_digit(name[i + 1]) && name[i + 2] == ':') {
            insert_zero(name, length, i + 1);
            break;
        }
    }
    if (*length < 5)
        return;
    const char *end = name + *length - 5;
    if ((end[0] == '+' || end[0] == '-') && is_digit(end[1]) && is_digit(end[2]) && end[3] == ':' &&
        is_digit(end[4]))
        insert_zero(name, length, *length - 1);
}

bool zone_find(struct text text, struct zone *zone) {
    if (text.length == 1) // nearly always "Z"
        return parse_offset(text.bytes, 1, zone);
    char name[NAME_MAX_BYTES + 1] = {0};
    size_t length = text.length;
    if (length > NAME_MAX_BYTES - 2 || memchr(text.bytes, '\0', length) != NULL)
        return false; // longer than any zone's name
    memcpy(name, text.bytes, length);
    complete_digits(name, &length);
    for (size_t i = 0; i < sizeof other_names / sizeof other_names[0]; i++) {
        if (strcmp(other_names[i].name, name) == 0)
            return find_named(other_names[i].meaning, strlen(other_names[i].meaning), zone);
    }
    return find_named(name, length, zone);
}

static bool is_known(const char *name) {
    struct zone zone;
    return zone_find(text_borrow(name), &zone);
}

struct zone_lack zone_data_lack(void) {
    if (!is_known("Europe/Paris"))
        return (struct zone_lack){
            "no time zone data in " ZONEINFO
            ": timestamps with a zone name, such as Europe/Paris, become null",
            "install the package tzdata, then start again", .all = true};
    if (!is_known("US/Pacific")) // a package of its own from Debian 13 and Ubuntu 24.04 on
        return (struct zone_lack){"old time zone names are missing in " ZONEINFO
                                  ": timestamps with such a name, such as US/Pacific, become null",
                                  "install the package tzdata-legacy, then start again"};
    return (struct zone_lack){0};
}

int32_t zone_offset_at(const struct zone *zone, int64_t utc_seconds) {
    return zone->rules == NULL ? zone->offset : zone_rules_offset(zone->rules, utc_seconds, false);
}

int32_t zone_offset_of_local(const struct zone *zone, int64_t local_seconds) {
    return zone->rules == NULL ? zone->offset : zone_rules_offset(zone->rules, local_seconds, true);
}
