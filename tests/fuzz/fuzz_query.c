/* No matter what a file of QUERIES_PATH says, its tables are declared or refused with the file's
 * name and a place, and what is declared can be asked for: its schema, its variables. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "streaming/declare/placeholder.h"
#include "streaming/declare/query_variables.h"
#include "streaming/declare/stream.h"
#include "temporary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *no_value(void *context, struct text name) {
    (void)context, (void)name;
    return "x";
}

static void check_stream(const struct stream *stream) {
    struct schema schema;
    stream_schema(stream, &schema);
    check(stream->name[0] != '\0' && stream->job[0] != '\0' && schema.count > 0);
    check(strchr(stream->job, '/') == NULL && strchr(stream->name, '/') == NULL);
    for (size_t i = 0; i < stream->value_count; i++) {
        struct text missing;
        char *value = placeholders_replace(stream->values[i].value, no_value, NULL, &missing);
        check(value != NULL);
        free(value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static bool loaded;
    static struct query_variable variables[QUERY_VARIABLES_MAX];
    struct pool pool;
    struct error err = {0};
    if (!loaded)
        streams_load();
    loaded = true;
    struct file_path path = temporary_write("f.sql", data, size);
    if (!streams_load_file(path.text, &err))
        check(err.kind == ERROR_CONFIG && strstr(err.message, "f.sql") != NULL);
    for (size_t i = 0; streams[i] != NULL; i++)
        check_stream(streams[i]);
    pool_init(&pool);
    (void)query_variables(variables, &pool);
    pool_deinit(&pool);
    streams_unload_files();
    return 0;
}
