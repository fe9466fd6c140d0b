/* settings.h: the one table of settings. Parsing, range checks, --help, --explain and
 * docs/configuration.md all walk it. */
#ifndef SURFACES_SETTINGS_SETTINGS_H
#define SURFACES_SETTINGS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "streaming/declare/stream.h"

/* A word and what it stands for. */
struct choice {
    const char *name;
    int value;
    bool alias; // accepted, but not listed
};

struct setting;

/* How a kind of setting is read. Texts are read in any case where they are choices or units. */
struct setting_type {
    const char *placeholder; // in --help: "SIZE"
    /* Fills the field; ERROR_CONFIG says what was wanted, without name and value. */
    bool (*parse)(const struct setting *setting, const char *text, void *field, struct error *err);
    void (*release)(void *field); // NULL: the field owns nothing
};

struct setting {
    const char *group;
    const char *name; // the environment variable
    const struct setting_type *type;
    size_t offset;        // of the field in struct config
    const char *fallback; // the default as text; NULL: required
    const char *doc;
    int64_t least, most;          // numbers, sizes (bytes) and durations (milliseconds)
    const struct choice *choices; // ended by a NULL name
    const char *demo_fallback;    // the default under --demo; NULL: as without
    bool secret;                  // never shown, and not taken from an option
    bool place; // says where data or computing is: --demo takes it from an option only
    const struct stream *stream; // the query it belongs to; NULL: all
};

enum { OPTION_NAME_MAX = 64, SETTING_TEXT_MAX = 1024 };

/* All settings, queries' ones included, in the order of the documentation. */
const struct setting *settings_table(size_t *count);

/* Index of the setting of this variable's name, or -1. */
int settings_find(const char *name);

/* The setting's option: TRIGGER is "--trigger". */
void setting_option(const struct setting *setting, char option[static OPTION_NAME_MAX]);

/* What the value may be, for --help: "SIZE", "reject|permissive|failfast". */
void setting_values(const struct setting *setting, char text[static SETTING_TEXT_MAX]);

/* The setting's doc, naming its query where it has one. */
void setting_doc(const struct setting *setting, char text[static SETTING_TEXT_MAX]);

#endif
