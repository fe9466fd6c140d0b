#include "simdjson_decoder.h"

#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <simdjson.h>

extern "C" {
#include "core/timestamp.h"
#include "core/vector.h"
}

using namespace simdjson;

struct simdjson_decoder {
    ondemand::parser parser;
    std::vector<std::string> names;
    std::unordered_map<std::string_view, size_t> columns;
    timestamp_context context{};
};

simdjson_decoder *simdjson_decoder_create(const char *const names[], size_t count) {
    auto *decoder = new simdjson_decoder;
    decoder->names.assign(names, names + count);
    for (size_t i = 0; i < count; i++)
        decoder->columns.emplace(decoder->names[i], i);
    return decoder;
}

void simdjson_decoder_destroy(simdjson_decoder *decoder) {
    delete decoder;
}

/* The column of a key: the one behind the column before, or the next but one (a key left out), or
 * looked up; -1: none. */
static int find_column(simdjson_decoder *decoder, ondemand::field &field, size_t expected) {
    ondemand::raw_json_string key = field.key();
    for (size_t i = expected; i < expected + 2 && i < decoder->names.size(); i++)
        if (key.unsafe_is_equal(std::string_view(decoder->names[i])))
            return static_cast<int>(i);
    std::string_view name;
    if (field.unescaped_key().get(name))
        return -1;
    auto found = decoder->columns.find(name);
    return found == decoder->columns.end() ? -1 : static_cast<int>(found->second);
}

static bool set_text(ondemand::value &value, struct vector &column, size_t row, char **texts) {
    std::string_view text;
    if (value.get_string().get(text))
        return false;
    std::memcpy(*texts, text.data(), text.size());
    column.texts[row] = {*texts, static_cast<uint32_t>(text.size())};
    *texts += text.size();
    return true;
}

static bool set_timestamp(const simdjson_decoder *decoder, ondemand::value &value,
                          struct vector &column, size_t row) {
    std::string_view text;
    return !value.get_string().get(text) &&
           timestamp_parse({text.data(), static_cast<uint32_t>(text.size())}, &decoder->context,
                           &column.int64s[row]);
}

static bool set_value(const simdjson_decoder *decoder, ondemand::value &value,
                      struct vector &column, size_t row, char **texts) {
    int64_t integer;
    switch (column.type) {
    case TYPE_STRING:
        return set_text(value, column, row, texts);
    case TYPE_INT32:
        if (value.get_int64().get(integer) || integer != static_cast<int32_t>(integer))
            return false;
        column.int32s[row] = static_cast<int32_t>(integer);
        return true;
    case TYPE_INT64:
        return !value.get_int64().get(column.int64s[row]);
    case TYPE_DOUBLE:
        return !value.get_double().get(column.doubles[row]);
    case TYPE_TIMESTAMP:
        return set_timestamp(decoder, value, column, row);
    default:
        return false;
    }
}

char *simdjson_decode(simdjson_decoder *decoder, const char *json, size_t size,
                      struct vector *columns, size_t row, char *texts) {
    size_t count = decoder->names.size(), expected = 0;
    for (size_t i = 0; i < count; i++)
        columns[i].valid[row] = 0;
    ondemand::document document;
    ondemand::object object;
    if (decoder->parser.iterate(json, size, size + SIMDJSON_PADDING).get(document) ||
        document.get_object().get(object))
        return nullptr;
    for (auto member : object) {
        ondemand::field field;
        if (std::move(member).get(field))
            return nullptr;
        int column = find_column(decoder, field, expected);
        if (column < 0)
            continue;
        expected = static_cast<size_t>(column) + 1;
        ondemand::value value = field.value();
        bool is_null;
        if (value.is_null().get(is_null))
            return nullptr;
        if (!is_null && !set_value(decoder, value, columns[column], row, &texts))
            return nullptr;
        columns[column].valid[row] = !is_null;
    }
    return texts;
}

const char *simdjson_kernel(void) {
    static const std::string name = get_active_implementation()->name();
    return name.c_str();
}
