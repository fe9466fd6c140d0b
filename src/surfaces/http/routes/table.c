/* What a query has written: files by size; what of the records did not fit its columns. */
#include "surfaces/http/routes/fields.h"
#include "surfaces/http/routes/routes.h"

static struct json *print_sizes(const struct query_totals *totals) {
    struct json *array = json_new_array();
    for (size_t i = 0; i < FILE_SIZES; i++) {
        struct json *object = json_new_object();
        int64_t bound = file_size_bound(i);
        if (bound == INT64_MAX)
            json_put_null(object, "upToBytes");
        else
            json_put_int(object, "upToBytes", bound);
        json_put_int(object, "files", totals->file_sizes[i]);
        json_append(array, object);
    }
    return array;
}

void route_files(const struct http_call *call, struct http_response *response) {
    struct query_totals totals = query_history_totals(call->query->history);
    struct json *object = json_new_object(), *small = json_new_object();
    json_put_int(object, "count", totals.files);
    json_put_int(object, "bytes", totals.bytes);
    json_put(object, "buckets", print_sizes(&totals));
    json_put_int(small, "belowBytes", FILE_SMALL);
    json_put_int(small, "files", totals.small_files);
    json_put(object, "small", small);
    http_response_json(response, HTTP_OK, object);
}

void route_schema(const struct http_call *call, struct http_response *response) {
    struct query_totals totals = query_history_totals(call->query->history);
    const struct schema *schema = call->query->schema;
    struct json *object = json_new_object(), *columns = json_new_array();
    for (size_t i = 0; i < schema->count; i++) {
        struct json *column = json_new_object();
        json_put_text(column, "name", schema->columns[i].name);
        json_put_text(column, "type", type_sql_name(schema->columns[i].type));
        json_put_int(column, "faults", totals.field_faults[i]);
        json_put_bool(column, "derived", i >= schema->derived_first);
        json_append(columns, column);
    }
    json_put(object, "columns", columns);
    json_put(
        object, "unknownKeys",
        print_unknown(totals.unknown_names.names, totals.unknown_names.count, totals.unknown_keys));
    http_response_json(response, HTTP_OK, object);
}
