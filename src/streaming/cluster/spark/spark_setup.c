/* spark_setup.c: Spark reads its properties from a file of ours (--properties-file), as
 * java.util.Properties reads one, where the last line of a name counts: first our defaults, then
 * the user's own properties, then the few that the program depends on (where the server listens,
 * and how it logs). Properties of spark-defaults.conf that the file does not name stay in force
 * (--load-spark-defaults). */
#include "streaming/cluster/spark/spark_setup.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/disk/file.h"
#include "base/scope.h"
#include "base/text.h"

enum { DEFAULTS_SIZE_MAX = 1 << 20 };

/* ---- What a property comes to ---- */

char *spark_setup_conf_path(const char *home, const char *name) {
    const char *directory = getenv("SPARK_CONF_DIR");
    bool elsewhere = directory != NULL && *directory != '\0';
    char *path = NULL;
    path = text_format("%s%s/%s", elsewhere ? directory : home, elsewhere ? "" : "/conf", name);
    return path;
}

/* The value in the file's text: lines of a name, blanks, '=' or ':', and the rest. The last one
 * wins. */
static char *value_in(const char *text, const char *name) {
    char *value = text_copy("");
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

char *spark_setup_property(const struct spark_server_options *options, const char *name) {
    for (size_t i = options->property_count; i > 0; i--) {
        if (strcmp(options->properties[i - 1].name, name) != 0)
            continue;
        return text_copy(options->properties[i - 1].value);
    }
    struct error err;
    size_t size;
    char *text = NULL;
    scoped(scope_free) char *path =
        spark_setup_conf_path(options->spark_home, "spark-defaults.conf");
    bool read = file_read(path, DEFAULTS_SIZE_MAX, &text, &size, &err);
    // One that can't be read is Spark's to complain about.
    char *value = value_in(read && text != NULL ? text : "", name);
    free(text);
    return value;
}

/* ---- The files ---- */

static const char java_options[] = "spark.driver.extraJavaOptions";

/* As Spark logs by default, no matter what SPARK_HOME/conf says: the lines are read (spark_log.h),
 * and go where our own go. */
static const char log4j[] =
    "rootLogger.level = info\n"
    "rootLogger.appenderRef.console.ref = console\n"
    "appender.console.type = Console\n"
    "appender.console.name = console\n"
    "appender.console.target = SYSTEM_ERR\n"
    "appender.console.layout.type = PatternLayout\n"
    "appender.console.layout.pattern = %d{yy/MM/dd HH:mm:ss} %p %c{1}: %m%n%ex\n"
    "logger.jetty.name = org.sparkproject.jetty\n"
    "logger.jetty.level = warn\n"
    "logger.lifecycle.name = org.sparkproject.jetty.util.component.AbstractLifeCycle\n"
    "logger.lifecycle.level = error\n"
    "logger.parquet.name = org.apache.parquet\n"
    "logger.parquet.level = error\n"
    "logger.hive.name = org.apache.hadoop.hive.metastore.RetryingHMSHandler\n"
    "logger.hive.level = fatal\n"
    "logger.functions.name = org.apache.hadoop.hive.ql.exec.FunctionRegistry\n"
    "logger.functions.level = error\n";

/* One property as java.util.Properties reads it. */
static void write_property(FILE *out, const char *name, const char *value) {
    for (const char *at = name; *at != '\0'; at++) {
        if (strchr(" :=#!\\", *at) != NULL)
            (void)fputc('\\', out);
        (void)fputc(*at, out);
    }
    (void)fputc('=', out);
    for (const char *at = value; *at != '\0'; at++) {
        static const char plain[] = "\n\r\t\f", coded[] = "nrtf";
        const char *control = strchr(plain, *at);
        if (control != NULL || *at == '\\' || (*at == ' ' && at == value))
            (void)fputc('\\', out);
        (void)fputc(control != NULL ? coded[control - plain] : *at, out);
    }
    (void)fputc('\n', out);
}

static void write_number(FILE *out, const char *name, int64_t number, const char *unit) {
    char text[32];
    (void)snprintf(text, sizeof text, "%" PRId64 "%s", number, unit);
    write_property(out, name, text);
}

static void write_properties(FILE *out, const struct spark_server_options *options,
                             const char *logging) {
    write_number(out, "spark.driver.memory", options->driver_memory >> 20, "m");
    write_number(out, "spark.executor.memory", options->executor_memory >> 20, "m");
    write_number(out, "spark.sql.shuffle.partitions", options->shuffle_partitions, "");
    write_property(out, "spark.serializer", "org.apache.spark.serializer.KryoSerializer");
    write_property(out, "spark.ui.enabled", "false");
    write_property(out, "spark.executorEnv.LC_ALL", "C.UTF-8"); // as the driver's locale

    for (size_t i = 0; i < options->property_count; i++) // the last one of a name counts
        write_property(out, options->properties[i].name, options->properties[i].value);
    write_property(out, "spark.connect.grpc.binding.address", "127.0.0.1");
    write_property(out, "spark.connect.grpc.binding.port", "0");
    char *more = spark_setup_property(options, java_options), *all = NULL;
    all = text_format("%s%s\"-Dlog4j2.configurationFile=file:%s\"", more, *more != '\0' ? " " : "",
                      logging);
    write_property(out, java_options, all);
    free(more);
    free(all);
}

/* A file that nobody else may read; NULL and errno: it can't be made. */
static FILE *create(const char *path) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (file == NULL && fd >= 0)
        (void)close(fd);
    return file;
}

static bool close_written(FILE *file) {
    bool ok = ferror(file) == 0;
    return fclose(file) == 0 && ok;
}

static bool fill(const struct spark_server_options *options,
                 const struct spark_setup_files *files) {
    FILE *file = create(files->logging);
    if (file == NULL)
        return false;
    (void)fputs(log4j, file);
    if (!close_written(file))
        return false;
    file = create(files->properties);
    if (file == NULL)
        return false;
    write_properties(file, options, files->logging);
    return close_written(file);
}

bool spark_setup_write(const struct spark_server_options *options, struct spark_setup_files *files,
                       struct error *err) {
    const char *parent = getenv("TMPDIR");
    *files = (struct spark_setup_files){0};
    files->directory = text_format("%s/esports-stream-spark-XXXXXX",
                                   parent != NULL && *parent == '/' ? parent : "/tmp");
    if (mkdtemp(files->directory) == NULL) {
        bool made = error_set(
            err, ERROR_CLUSTER,
            "cannot create '%s' for Spark's properties: %s; set TMPDIR to a writable directory",
            files->directory, strerror(errno));
        free(files->directory);
        files->directory = NULL;
        return made;
    }
    files->properties = text_format("%s/spark.properties", files->directory);
    files->logging = text_format("%s/log4j2.properties", files->directory);
    if (fill(options, files))
        return true;
    (void)error_set(err, ERROR_CLUSTER, "cannot write Spark's properties to '%s': %s",
                    files->directory, strerror(errno));
    spark_setup_remove(files);
    return false;
}

void spark_setup_remove(struct spark_setup_files *files) {
    if (files->directory == NULL)
        return;
    (void)unlink(files->properties); // what can't be removed is nobody's to read
    (void)unlink(files->logging);
    (void)rmdir(files->directory);
    free(files->properties);
    free(files->logging);
    free(files->directory);
    *files = (struct spark_setup_files){0};
}
