/* kafka_options_dump.c: prints what properties of librdkafka are for Spark's Kafka source, as one
 * JSON object, so that real Spark can be given them.
 *
 *     kafka_options_dump security.protocol=ssl ssl.ca.location=/ca.pem */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/json.h"
#include "streaming/cluster/spark/kafka_options.h"

int main(int argc, char **argv) {
    struct error err;
    struct kafka_options options;
    size_t count = (size_t)argc - 1;
    struct kafka_property *properties = must_alloc(count, sizeof *properties);
    for (size_t i = 0; i < count; i++) {
        char *equals = strchr(argv[i + 1], '=');
        check(equals != NULL);
        *equals = '\0';
        properties[i] = (struct kafka_property){argv[i + 1], equals + 1, false};
    }
    bool ok = kafka_options_make(properties, count, &options, &err);
    free(properties);
    if (!ok) {
        (void)fprintf(stderr, "%s\n", err.message);
        return EXIT_FAILURE;
    }
    struct json *object = json_new_object();
    for (size_t i = 0; i < options.count; i++)
        json_put_text(object, options.options[i].name, options.options[i].value);
    char *text = json_print(object);
    (void)puts(text);
    free(text);
    json_free(object);
    kafka_options_deinit(&options);
    return EXIT_SUCCESS;
}
