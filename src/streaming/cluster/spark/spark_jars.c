#include "streaming/cluster/spark/spark_jars.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/check.h"
#include "base/scope.h"
#include "streaming/cluster/spark/spark_defaults.h"

static void add(struct spark_jars *jars, const char *path) {
    char **paths = realloc(jars->paths, (jars->count + 1) * sizeof *paths);
    check(paths != NULL);
    jars->paths = paths;
    jars->paths[jars->count] = strdup(path);
    check(jars->paths[jars->count] != NULL);
    jars->count++;
}

static bool ends_with(const char *text, const char *end) {
    size_t size = strlen(text), end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

/* All jars of a directory; one that is not there has none. */
static void add_directory(struct spark_jars *jars, const char *directory) {
    DIR *stream = opendir(directory);
    if (stream == NULL)
        return;
    for (const struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        scoped(scope_free) char *path = NULL;
        check(asprintf(&path, "%s/%s", directory, entry->d_name) >= 0);
        if (ends_with(entry->d_name, ".jar"))
            add(jars, path);
    }
    (void)closedir(stream);
}

/* ---- spark.jars ---- */

/* The path of a file of this machine; NULL: it is elsewhere, or has another scheme. */
static const char *local_path(const char *name) {
    static const char *const schemes[] = {"file://", "file:", "local://", "local:"};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (strncmp(name, schemes[i], strlen(schemes[i])) == 0)
            return name + strlen(schemes[i]);
    return strstr(name, ":/") == NULL ? name : NULL;
}

static bool add_named(struct spark_jars *jars, const char *name, struct error *err) {
    const char *path = local_path(name);
    if (path == NULL) {
        add(jars, name);
        return true;
    }
    glob_t found;
    int code = glob(path, GLOB_NOSORT, NULL, &found);
    for (size_t i = 0; code == 0 && i < found.gl_pathc; i++)
        add(jars, found.gl_pathv[i]);
    globfree(&found);
    return code == 0 ||
           error_set(err, ERROR_CLUSTER,
                     "spark.jars names '%s', which is not there, or can't be read; correct "
                     "SPARK_CONF_spark_jars",
                     name);
}

static bool add_list(struct spark_jars *jars, char *list, struct error *err) {
    for (char *rest = list, *name; (name = strsep(&rest, ",")) != NULL;) {
        name += strspn(name, " \t");
        name[strcspn(name, " \t")] = '\0';
        if (*name != '\0' && !add_named(jars, name, err))
            return false;
    }
    return true;
}

/* A class path: jars, and directories with all jars in them; what is not there counts for nothing,
 * as with Java. */
static void add_class_path(struct spark_jars *jars, char *list) {
    for (char *rest = list, *name; (name = strsep(&rest, ":")) != NULL;) {
        if (ends_with(name, "/*")) {
            name[strlen(name) - 2] = '\0';
            add_directory(jars, name);
        } else if (ends_with(name, ".jar")) {
            add(jars, name);
        }
    }
}

bool spark_jars_find(const struct spark_server_options *options, struct spark_jars *jars,
                     struct error *err) {
    char *directory = NULL;
    *jars = (struct spark_jars){0};
    check(asprintf(&directory, "%s/jars", options->spark_home) >= 0);
    add_directory(jars, directory);
    free(directory);

    char *class_path = spark_defaults_property(options, "spark.driver.extraClassPath");
    add_class_path(jars, class_path);
    free(class_path);
    jars->packages = spark_defaults_property(options, "spark.jars.packages");
    char *list = spark_defaults_property(options, "spark.jars");
    bool ok = add_list(jars, list, err);
    free(list);
    if (!ok)
        spark_jars_deinit(jars);
    return ok;
}

void spark_jars_deinit(struct spark_jars *jars) {
    for (size_t i = 0; i < jars->count; i++)
        free(jars->paths[i]);
    free(jars->paths);
    free(jars->packages);
    *jars = (struct spark_jars){0};
}

/* ---- looking ---- */

/* Reads "_2.13", the separator and the version, which `end` follows. */
static bool read_versions(const char *at, char separator, const char *end, struct spark_jar *jar) {
    const char *scala = at + 1;
    const char *between = *at == '_' ? memchr(scala, separator, (size_t)(end - scala)) : NULL;
    if (between == NULL || between - scala >= SPARK_SCALA_MAX ||
        end - between > SPARK_VERSION_MAX || !isdigit((unsigned char)between[1]))
        return false;
    (void)snprintf(jar->scala, sizeof jar->scala, "%.*s", (int)(between - scala), scala);
    (void)snprintf(jar->version, sizeof jar->version, "%.*s", (int)(end - between - 1),
                   between + 1);
    return true;
}

static const char *last_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static bool find_package(const char *packages, const char *artifact, struct spark_jar *jar) {
    size_t size = strlen(artifact);
    for (const char *at = packages; *at != '\0';) {
        const char *end = at + strcspn(at, ",");
        const char *name = memchr(at, ':', (size_t)(end - at));
        if (name != NULL && strncmp(name + 1, artifact, size) == 0 &&
            read_versions(name + 1 + size, ':', end, jar))
            return true;
        at = end + (*end == ',' ? 1 : 0);
    }
    return false;
}

bool spark_jars_has(const struct spark_jars *jars, const char *artifact, struct spark_jar *jar) {
    size_t size = strlen(artifact);
    for (size_t i = 0; i < jars->count; i++) {
        const char *name = last_name(jars->paths[i]);
        const char *end = strstr(name, ".jar");
        if (end != NULL && strncmp(name, artifact, size) == 0 &&
            read_versions(name + size, '-', end, jar))
            return true;
    }
    return find_package(jars->packages, artifact, jar);
}

bool spark_jars_has_plain(const struct spark_jars *jars, const char *artifact) {
    size_t size = strlen(artifact);
    for (size_t i = 0; i < jars->count; i++) {
        const char *name = last_name(jars->paths[i]);
        if (strncmp(name, artifact, size) == 0 && name[size] == '-' &&
            isdigit((unsigned char)name[size + 1]))
            return true;
    }
    return false;
}

/* A jar is a zip file: the names in its directory are plain bytes. */
static bool holds(const char *path, const char *class_file) {
    struct stat status;
    scoped(scope_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0 || status.st_size == 0)
        return false;
    size_t size = (size_t)status.st_size;
    void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        return false;
    bool found = memmem(bytes, size, class_file, strlen(class_file)) != NULL;
    (void)munmap(bytes, size);
    return found;
}

bool spark_jars_hold(const struct spark_jars *jars, const char *home, const char *class_file) {
    size_t size = strlen(home);
    for (size_t i = 0; i < jars->count; i++)
        if ((strncmp(jars->paths[i], home, size) != 0 || jars->paths[i][size] != '/') &&
            holds(jars->paths[i], class_file))
            return true;
    return false;
}
