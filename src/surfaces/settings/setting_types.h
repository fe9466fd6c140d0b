/* setting_types.h: how each kind of setting is read and checked. */
#ifndef SURFACES_SETTINGS_SETTING_TYPES_H
#define SURFACES_SETTINGS_SETTING_TYPES_H

#include "surfaces/settings/settings.h"

extern const struct setting_type type_servers;  // char *, the list of surfaces/settings/servers.h
extern const struct setting_type type_topic;    // char *
extern const struct setting_type type_offsets;  // char *, as streaming/kafka/starting_offsets.h
extern const struct setting_type type_master;   // char *, as surfaces/settings/master.h
extern const struct setting_type type_home;     // char *, as type_path, or "": not set
extern const struct setting_type type_path;     // char *, absolute, without a slash at the end
extern const struct setting_type type_zone;     // char *
extern const struct setting_type type_host;     // char *
extern const struct setting_type type_token;    // char *, "" or a bearer token
extern const struct setting_type type_url;      // char *, "" or a URL to post to
extern const struct setting_type type_names;    // struct name_list
extern const struct setting_type type_choice;   // an enum
extern const struct setting_type type_boolean;  // bool, of choices 0 and 1
extern const struct setting_type type_int;      // int
extern const struct setting_type type_int64;    // int64_t
extern const struct setting_type type_size;     // int64_t, bytes
extern const struct setting_type type_duration; // int64_t, milliseconds
extern const struct setting_type type_range;    // struct number_range, "3..9", "..9", "3..", "3"
extern const struct setting_type type_borrowed; // const char *, the text itself: of argv only
extern const struct setting_type type_trigger;  // struct trigger

/* The choices that are no aliases, as "a, b or c" or, for a placeholder, "a|b|c". */
void choices_list(const struct choice *choices, bool prose, char *text, size_t size);

#endif
