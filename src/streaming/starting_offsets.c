#include "streaming/starting_offsets.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"

/* The text being read, and how far. */
struct reader {
    const char *text, *at;
    struct error *err;
};

static bool fault(const struct reader *reader, const char *wanted) {
    return error_set(
        reader->err, ERROR_CONFIG,
        "want 'earliest', 'latest' or JSON like {\"topic\": {\"0\": 23, \"1\": -2}}; at "
        "position %zu %s is missing",
        (size_t)(reader->at - reader->text), wanted);
}

static void skip_blanks(struct reader *reader) {
    while (*reader->at != '\0' && strchr(" \t\r\n", *reader->at) != NULL)
        reader->at++;
}

static bool accept(struct reader *reader, char symbol) {
    skip_blanks(reader);
    if (*reader->at != symbol)
        return false;
    reader->at++;
    return true;
}

static bool expect(struct reader *reader, char symbol) {
    char wanted[] = "'?'";
    wanted[1] = symbol;
    return accept(reader, symbol) || fault(reader, wanted);
}

/* A quoted word. Names of topics and numbers of partitions need no escapes. */
static bool read_word(struct reader *reader, char *word, size_t size) {
    if (!expect(reader, '"'))
        return false;
    size_t length = strcspn(reader->at, "\"\\");
    if (length == 0 || length >= size || reader->at[length] != '"')
        return fault(reader, "a name in double quotes");
    memcpy(word, reader->at, length);
    word[length] = '\0';
    reader->at += length + 1;
    return true;
}

static bool read_offset(struct reader *reader, int64_t *offset) {
    skip_blanks(reader);
    bool negative = *reader->at == '-';
    const char *digit = reader->at + (negative ? 1 : 0);
    if (!isdigit((unsigned char)*digit))
        return fault(reader, "an offset");
    int64_t number = 0;
    for (; isdigit((unsigned char)*digit); digit++)
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, *digit - '0', &number))
            return fault(reader, "an offset within 64 bits");
    if (negative && number != 1 && number != 2)
        return fault(reader, "an offset, -2 (earliest) or -1 (latest)");
    *offset = negative ? -number : number;
    reader->at = digit;
    return true;
}

static bool read_partition(struct reader *reader, const char *topic,
                           struct starting_offsets *starts) {
    struct starting_offset start = {0};
    char number[16];
    int64_t known;
    const char *before = reader->at;
    if (!read_word(reader, number, sizeof number))
        return false;
    size_t digits = strspn(number, "0123456789");
    long partition = strtol(number, NULL, 10);
    if (digits == 0 || number[digits] != '\0' || partition > INT32_MAX) {
        reader->at = before;
        return fault(reader, "a partition's number in double quotes");
    }
    if (!expect(reader, ':') || !read_offset(reader, &start.offset))
        return false;
    start.partition = (int32_t)partition;
    if (starting_offsets_find(starts, topic, start.partition, &known))
        return error_set(reader->err, ERROR_CONFIG, "partition %s of '%s' is named twice", number,
                         topic);
    snprintf(start.topic, sizeof start.topic, "%s", topic);
    void *grown = realloc(starts->offsets, (starts->count + 1) * sizeof start);
    check(grown != NULL);
    starts->offsets = grown;
    starts->offsets[starts->count++] = start;
    return true;
}

static bool read_topic(struct reader *reader, struct starting_offsets *starts) {
    char topic[sizeof starts->offsets->topic];
    if (!read_word(reader, topic, sizeof topic) || !expect(reader, ':') || !expect(reader, '{'))
        return false;
    do
        if (!read_partition(reader, topic, starts))
            return false;
    while (accept(reader, ','));
    return expect(reader, '}');
}

bool starting_offsets_parse(const char *text, struct starting_offsets *starts, struct error *err) {
    struct reader reader = {text, text, err};
    *starts = (struct starting_offsets){0};
    skip_blanks(&reader);
    if (strcasecmp(reader.at, "earliest") == 0 || strcasecmp(reader.at, "latest") == 0) {
        starts->everywhere =
            strcasecmp(reader.at, "latest") == 0 ? STARTING_LATEST : STARTING_EARLIEST;
        return true;
    }
    bool ok = expect(&reader, '{');
    do
        ok = ok && read_topic(&reader, starts);
    while (ok && accept(&reader, ','));
    ok = ok && expect(&reader, '}');
    skip_blanks(&reader);
    if (ok && *reader.at != '\0')
        ok = fault(&reader, "the end");
    if (!ok)
        starting_offsets_deinit(starts);
    return ok;
}

void starting_offsets_deinit(struct starting_offsets *starts) {
    free(starts->offsets);
    *starts = (struct starting_offsets){0};
}

bool starting_offsets_name(const struct starting_offsets *starts, const char *topic) {
    for (size_t i = 0; i < starts->count; i++)
        if (strcmp(starts->offsets[i].topic, topic) == 0)
            return true;
    return starts->everywhere != 0;
}

bool starting_offsets_find(const struct starting_offsets *starts, const char *topic,
                           int32_t partition, int64_t *offset) {
    if (starts->everywhere != 0) {
        *offset = starts->everywhere;
        return true;
    }
    for (size_t i = 0; i < starts->count; i++) {
        const struct starting_offset *start = &starts->offsets[i];
        if (start->partition == partition && strcmp(start->topic, topic) == 0) {
            *offset = start->offset;
            return true;
        }
    }
    return false;
}
