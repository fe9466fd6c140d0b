#include "streaming/cluster/spark/spark_defaults.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/disk/file.h"
#include "base/scope.h"

enum { FILE_SIZE_MAX = 1 << 20 };

char *spark_defaults_path(const char *home, const char *name) {
    const char *place = getenv("SPARK_CONF_DIR");
    bool elsewhere = place != NULL && *place != '\0';
    char *path = NULL;
    check(asprintf(&path, "%s%s/%s", elsewhere ? place : home, elsewhere ? "" : "/conf", name) >=
          0);
    return path;
}

/* The value in the file's text: lines of a name, blanks, '=' or ':', and the rest. The last one
 * counts. */
static char *value_in(const char *text, const char *name) {
    char *value = strdup("");
    size_t size = strlen(name);
    for (const char *line = text; *line != '\0';) {
        const char *end = line + strcspn(line, "\r\n");
        const char *at = line + strspn(line, " \t");
        if (strncmp(at, name, size) == 0 && strchr(" \t=:", at[size]) != NULL && at[size] != '\0') {
            const char *from = at + size + strspn(at + size, " \t=:"), *to = end;
            while (to > from && isspace((unsigned char)to[-1]))
                to--;
            free(value);
            value = strndup(from, to > from ? (size_t)(to - from) : 0);
        }
        line = end + strspn(end, "\r\n");
    }
    check(value != NULL);
    return value;
}

char *spark_defaults_property(const struct spark_server_options *options, const char *name) {
    for (size_t i = options->property_count; i > 0; i--) {
        if (strcmp(options->properties[i - 1].name, name) != 0)
            continue;
        char *value = strdup(options->properties[i - 1].value);
        check(value != NULL);
        return value;
    }
    struct error err;
    size_t size;
    char *text = NULL;
    scoped(scope_free) char *path = spark_defaults_path(options->spark_home, "spark-defaults.conf");
    bool read = file_read(path, FILE_SIZE_MAX, &text, &size, &err);
    // One that can't be read is Spark's to complain about.
    char *value = value_in(read && text != NULL ? text : "", name);
    free(text);
    return value;
}
