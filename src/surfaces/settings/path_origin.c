/* A path in quotes belongs to a setting if it is the setting's directory, lies below it, or is one
 * of its parents, which had to be made or searched first. Tables and checkpoints may have settings
 * of their own, so these are compared before the root of the lake. */
#include "surfaces/settings/path_origin.h"

#include <stdio.h>
#include <string.h>

#include "surfaces/settings/settings.h"
#include "surfaces/settings/table_settings.h"

static bool is_below(const char *path, const char *root) {
    size_t size = strcmp(root, "/") == 0 ? 0 : strlen(root);
    return strncmp(path, root, size) == 0 && (path[size] == '/' || path[size] == '\0');
}

/* A path of a query's own file. */
static const struct setting_value *find_own(const struct config *config, const char *path,
                                            const char **name) {
    for (size_t i = 0; streams[i] != NULL; i++) {
        for (enum table_property at = TABLE_PATH; at <= TABLE_CHECKPOINT; at++) {
            const struct setting_value *value = config_property(config, streams[i], at);
            const char *root = config->queries[i].paths[at - TABLE_PATH];
            *name = table_property_name(at);
            if (value != NULL && (is_below(path, root) || is_below(root, path)))
                return value;
        }
    }
    return NULL;
}

static const struct setting_value *find_setting(const struct config *config, const char *path,
                                                const char **name) {
    const struct {
        const char *name, *path;
    } roots[] = {{"CHECKPOINT_PATH", config->checkpoint_path},
                 {"PROCESSED_DATA_PATH", config->processed_path},
                 {"DATA_LAKE_PATH", config->data_lake_path}};
    for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++) {
        const struct setting_value *value = settings_value(config, roots[i].name);
        bool last = i + 1 == sizeof roots / sizeof roots[0];
        bool derived = value->origin == ORIGIN_DEFAULT && !last; // from DATA_LAKE_PATH
        *name = roots[i].name;
        if (roots[i].path != NULL && !derived &&
            (is_below(path, roots[i].path) || is_below(roots[i].path, path)))
            return value;
    }
    return NULL;
}

void path_origin_add(const struct config *config, struct error *err) {
    char path[sizeof err->message] = "";
    const char *begin = strstr(err->message, "'/"), *name;
    if (!err->lasting || begin == NULL)
        return;
    (void)snprintf(path, sizeof path, "%.*s", (int)strcspn(begin + 1, "'"), begin + 1);
    const struct setting_value *value = find_own(config, path, &name);
    if (value == NULL)
        value = find_setting(config, path, &name);
    if (value == NULL)
        return;
    size_t used = strlen(err->message), size = sizeof err->message - used;
    if (value->origin == ORIGIN_DEFAULT && config->demo) // it takes no other directory
        (void)snprintf(
            err->message + used, size,
            "; set TMPDIR, or --data-lake-path, to a directory that this user can write");
    else if (value->origin == ORIGIN_DEFAULT)
        (void)snprintf(err->message + used, size,
                       "; %s is not set, so its default is used: set it to a directory that this "
                       "user can write",
                       name);
    else
        (void)snprintf(err->message + used, size, "; or change %s (%s), which this path comes from",
                       name, value->where);
}
