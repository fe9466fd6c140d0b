/* setting.h: what a setting is, and how each kind of setting is read and checked. Options of
 * commands that have a value are settings, too, without a variable. */
#ifndef SURFACES_SETTINGS_SETTING_H
#define SURFACES_SETTINGS_SETTING_H

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
    /* Fills the field; ERROR_CONFIG says what was expected, without name and value. */
    bool (*parse)(const struct setting *setting, const char *text, void *field, struct error *err);
    void (*release)(void *field);                         // NULL: the field owns nothing
    bool (*accepts)(const char *text, struct error *err); // a text that is kept as it stands
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
    const char *live_fallback;    // the default under --demo --live; NULL: as with --demo
    bool secret;                  // never shown, and not taken from an option
    bool location;    // says where data or computing is: --demo takes it from an option only
    bool is_variable; // a query file names it: needed only where it has no default there
    const struct stream *stream; // the query it belongs to; NULL: all

    /* Filled in by the table of settings. */
    const char *option; // TRIGGER is "--trigger"
    const char *values; // what it may be, for --help: "SIZE", "reject|permissive|failfast"
};

enum { OPTION_NAME_MAX = 64, SETTING_TEXT_MAX = 1024, SETTINGS_MAX = 320 };

/* The choices that are not aliases, as "a, b or c" or, for a placeholder, "a|b|c". */
void choices_list(const struct choice *choices, bool prose, char *text, size_t size);

/* ---- types, and what their fields are ---- */

enum { PARTITION_BY_MAX = 8 };

struct name_list {
    char *names[PARTITION_BY_MAX]; // owned
    size_t count;
};

/* [first, last] of whole numbers from 0. */
struct number_range {
    int64_t first, last;
};

extern const struct setting_type type_servers;   // char *, the list of servers_parse()
extern const struct setting_type type_topic;     // char *
extern const struct setting_type type_group;     // char *, "" or a consumer group's name
extern const struct setting_type type_offsets;   // char *, as streaming/kafka/starting_offsets.h
extern const struct setting_type type_master;    // char *, as master_parse()
extern const struct setting_type type_home;      // char *, as type_path, or "": not set
extern const struct setting_type type_path;      // char *, absolute and normalised
extern const struct setting_type type_paths;     // char *, files and directories, by colons
extern const struct setting_type type_value;     // char *, any text
extern const struct setting_type type_zone;      // char *
extern const struct setting_type type_host;      // char *
extern const struct setting_type type_hosts;     // char *, "" or names by commas
extern const struct setting_type type_token;     // char *, "" or a bearer token
extern const struct setting_type type_url;       // char *, "" or a URL to post to
extern const struct setting_type type_names;     // struct name_list
extern const struct setting_type type_choice;    // an enum
extern const struct setting_type type_boolean;   // bool, of choices 0 and 1
extern const struct setting_type type_int;       // int
extern const struct setting_type type_int64;     // int64_t
extern const struct setting_type type_size;      // int64_t, bytes
extern const struct setting_type type_duration;  // int64_t, milliseconds
extern const struct setting_type type_range;     // struct number_range, "3..9", "..9", "3..", "3"
extern const struct setting_type type_borrowed;  // const char *, the text itself: of argv only
extern const struct setting_type type_trigger;   // struct trigger
extern const struct setting_type type_compact;   // struct compact_setting
extern const struct setting_type type_retention; // int64_t, days; 0: off; -1: "", not given

#endif
