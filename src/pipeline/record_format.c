#include "pipeline/record_format.h"

#include "base/check.h"
#include "pipeline/json/decode_json.h"

/* Another format is a decoder in its own room and a line here. */
static decoder_open_fn *const decoders[RECORD_FORMAT_COUNT] = {
    [RECORD_JSON] = decode_json_open,
};

bool record_format_open(enum record_format format, struct decoder **decoder,
                        const struct record_schema *record, enum parse_mode mode,
                        const char *zone_name, struct error *err) {
    check(format < RECORD_FORMAT_COUNT);
    return decoders[format](decoder, record, mode, zone_name, err);
}
