/* A field begins with its type and its distance from the field before, so both directions remember
 * the last field of each open struct. Integers of all widths are zigzag varints, and a boolean
 * field is its type alone.
 *
 * What the reader does not know is skipped with a stack of its own, not by recursion: the bytes
 * may nest as they like. */
#include "pipeline/parquet/thrift.h"

#include "base/check.h"

enum { SHORT_LIST_MAX = 14, SHORT_DELTA_MAX = 15 };

static void put_field(struct thrift_writer *writer, int field, enum thrift_type type) {
    int delta = field - writer->last[writer->depth];
    check(delta > 0);
    if (delta <= SHORT_DELTA_MAX) {
        bytes_append_byte(writer->out, (uint8_t)(delta << 4 | (int)type));
    } else {
        bytes_append_byte(writer->out, (uint8_t)type);
        bytes_append_varint(writer->out, zigzag(field));
    }
    writer->last[writer->depth] = field;
}

void thrift_put_bool(struct thrift_writer *writer, int field, bool value) {
    put_field(writer, field, value ? THRIFT_TRUE : THRIFT_FALSE);
}

void thrift_put_i8(struct thrift_writer *writer, int field, int8_t value) {
    put_field(writer, field, THRIFT_BYTE);
    bytes_append_byte(writer->out, (uint8_t)value);
}

void thrift_put_i32(struct thrift_writer *writer, int field, int32_t value) {
    put_field(writer, field, THRIFT_I32);
    thrift_element_i32(writer, value);
}

void thrift_put_i64(struct thrift_writer *writer, int field, int64_t value) {
    put_field(writer, field, THRIFT_I64);
    thrift_element_i64(writer, value);
}

void thrift_put_binary(struct thrift_writer *writer, int field, const void *bytes, size_t size) {
    put_field(writer, field, THRIFT_BINARY);
    thrift_element_binary(writer, bytes, size);
}

void thrift_put_text(struct thrift_writer *writer, int field, const char *text) {
    thrift_put_binary(writer, field, text, strlen(text));
}

void thrift_begin(struct thrift_writer *writer, int field) {
    put_field(writer, field, THRIFT_STRUCT);
    thrift_begin_element(writer);
}

void thrift_begin_element(struct thrift_writer *writer) {
    check(writer->depth + 1 < THRIFT_DEPTH_MAX);
    writer->last[++writer->depth] = 0;
}

void thrift_end(struct thrift_writer *writer) {
    bytes_append_byte(writer->out, THRIFT_STOP);
    check(writer->depth >= 0);
    writer->depth--;
}

void thrift_put_list(struct thrift_writer *writer, int field, enum thrift_type type, size_t count) {
    put_field(writer, field, THRIFT_LIST);
    if (count <= SHORT_LIST_MAX) {
        bytes_append_byte(writer->out, (uint8_t)(count << 4 | type));
    } else {
        bytes_append_byte(writer->out, (uint8_t)(0xf0 | type));
        bytes_append_varint(writer->out, count);
    }
}

void thrift_element_bool(struct thrift_writer *writer, bool value) {
    bytes_append_byte(writer->out, value ? THRIFT_TRUE : THRIFT_FALSE);
}

void thrift_element_i32(struct thrift_writer *writer, int32_t value) {
    bytes_append_varint(writer->out, zigzag(value));
}

void thrift_element_i64(struct thrift_writer *writer, int64_t value) {
    bytes_append_varint(writer->out, zigzag(value));
}

void thrift_element_binary(struct thrift_writer *writer, const void *bytes, size_t size) {
    bytes_append_varint(writer->out, size);
    bytes_append(writer->out, bytes, size);
}

/* From now on every read gives nothing, and every loop over fields ends. */
static void fail(struct thrift_reader *reader) {
    reader->failed = true;
    reader->at = reader->end;
}

static uint8_t get_byte(struct thrift_reader *reader) {
    if (reader->at == reader->end) {
        fail(reader);
        return 0;
    }
    return *reader->at++;
}

static uint64_t get_varint(struct thrift_reader *reader) {
    uint64_t value;
    if (varint_read(&reader->at, reader->end, 64, &value))
        return value;
    fail(reader);
    return 0;
}

static int64_t get_zigzag(struct thrift_reader *reader) {
    return unzigzag(get_varint(reader));
}

static size_t left(const struct thrift_reader *reader) {
    return (size_t)(reader->end - reader->at);
}

void thrift_enter(struct thrift_reader *reader) {
    if (reader->depth + 1 >= THRIFT_DEPTH_MAX) {
        fail(reader);
        return;
    }
    reader->last[++reader->depth] = 0;
}

/* The head of a field in a struct. False: the struct ends here. */
static bool get_field_head(struct thrift_reader *reader, int *last, enum thrift_type *type) {
    uint8_t head = get_byte(reader);
    if (reader->failed || head == THRIFT_STOP)
        return false;
    // The distance from the field before; 0: the number itself follows.
    int64_t id = head >> 4 != 0 ? *last + (head >> 4) : get_zigzag(reader);
    if (id < INT16_MIN || id > INT16_MAX) {
        fail(reader);
        return false;
    }
    *last = (int)id;
    *type = head & 15;
    return !reader->failed;
}

bool thrift_field_other(struct thrift_reader *reader, int *field, enum thrift_type *type) {
    if (reader->failed)
        return false;
    if (!get_field_head(reader, &reader->last[reader->depth], type)) {
        reader->depth--;
        return false;
    }
    *field = reader->last[reader->depth];
    return true;
}

int64_t thrift_get_int_other(struct thrift_reader *reader, enum thrift_type type) {
    if (type != THRIFT_I16 && type != THRIFT_I32 && type != THRIFT_I64)
        fail(reader);
    int64_t value = reader->failed ? 0 : get_zigzag(reader);
    if (type == THRIFT_I32 && (value < INT32_MIN || value > INT32_MAX))
        fail(reader);
    return reader->failed ? 0 : value;
}

bool thrift_get_bool(struct thrift_reader *reader, enum thrift_type type) {
    if (type != THRIFT_TRUE && type != THRIFT_FALSE)
        fail(reader);
    return type == THRIFT_TRUE && !reader->failed;
}

struct text thrift_get_binary(struct thrift_reader *reader, enum thrift_type type) {
    if (type != THRIFT_BINARY)
        fail(reader);
    uint64_t size = reader->failed ? 0 : get_varint(reader);
    if (size > left(reader) || size > UINT32_MAX)
        fail(reader);
    if (reader->failed)
        return (struct text){0};
    struct text text = {.bytes = (const char *)reader->at, .length = (uint32_t)size};
    reader->at += size;
    return text;
}

bool thrift_get_struct(struct thrift_reader *reader, enum thrift_type type) {
    if (type != THRIFT_STRUCT)
        fail(reader);
    if (!reader->failed)
        thrift_enter(reader);
    return !reader->failed;
}

/* Count and element type of a list; an element takes at least one byte. */
static size_t get_list_head(struct thrift_reader *reader, enum thrift_type *element) {
    uint8_t head = get_byte(reader);
    *element = head & 15;
    uint64_t count = head >> 4;
    if (count == SHORT_LIST_MAX + 1) // more than fit into four bits
        count = get_varint(reader);
    if (count > left(reader))
        fail(reader);
    return reader->failed ? 0 : (size_t)count;
}

size_t thrift_get_list(struct thrift_reader *reader, enum thrift_type type,
                       enum thrift_type element) {
    enum thrift_type found = THRIFT_STOP;
    if (type != THRIFT_LIST)
        fail(reader);
    size_t count = reader->failed ? 0 : get_list_head(reader, &found);
    if (count > 0 && found != element)
        fail(reader);
    return reader->failed ? 0 : count;
}

/* What is being skipped: a struct, or a list with `left` more elements. */
struct skipped {
    bool is_list;
    enum thrift_type element;
    size_t left;
    int last;
};

/* Skips a value that holds no others, or starts skipping one that does. */
static int skip_value(struct thrift_reader *reader, enum thrift_type type, bool in_list,
                      struct skipped *stack, int depth) {
    switch (type) {
    case THRIFT_TRUE:
    case THRIFT_FALSE:
        if (in_list) // in a list a boolean is a byte, as a field it is its type
            (void)get_byte(reader);
        return depth;
    case THRIFT_BYTE:
        (void)get_byte(reader);
        return depth;
    case THRIFT_I16:
    case THRIFT_I32:
    case THRIFT_I64:
        (void)get_varint(reader);
        return depth;
    case THRIFT_DOUBLE:
        if (left(reader) < sizeof(double))
            fail(reader);
        else
            reader->at += sizeof(double);
        return depth;
    case THRIFT_BINARY:
        (void)thrift_get_binary(reader, type);
        return depth;
    case THRIFT_LIST:
    case THRIFT_SET:
    case THRIFT_STRUCT:
        break;
    default: // maps too: Parquet has none
        fail(reader);
        return depth;
    }
    if (depth == THRIFT_DEPTH_MAX) {
        fail(reader);
        return depth;
    }
    stack[depth] = (struct skipped){.is_list = type != THRIFT_STRUCT};
    if (stack[depth].is_list)
        stack[depth].left = get_list_head(reader, &stack[depth].element);
    return depth + 1;
}

/* Skips an integer, a text or a flag in a field. False: it has another type, or is incomplete. */
static bool skip_plain(const uint8_t **at, const uint8_t *end, enum thrift_type type) {
    uint64_t size = 0;
    if (type == THRIFT_TRUE || type == THRIFT_FALSE)
        return true;
    if ((type < THRIFT_I16 || type > THRIFT_I64) && type != THRIFT_BINARY)
        return false;
    if (!varint_read(at, end, 64, &size))
        return false;
    if (type != THRIFT_BINARY)
        return true;
    if (size > (size_t)(end - *at))
        return false;
    *at += size;
    return true;
}

/* A struct of nothing else. */
static bool skip_plain_struct(const uint8_t **at, const uint8_t *end) {
    while (*at != end) {
        uint8_t head = *(*at)++;
        if (head == THRIFT_STOP)
            return true;
        if (head >> 4 == 0 || !skip_plain(at, end, head & 15))
            return false;
    }
    return false;
}

/* What most values are that are skipped: plain, or a struct or a short list of plain ones. False:
 * it is none, and nothing is skipped. */
static bool skip_simple(struct thrift_reader *reader, enum thrift_type type) {
    const uint8_t *at = reader->at, *end = reader->end;
    bool done = false;
    if (type == THRIFT_STRUCT) {
        done = skip_plain_struct(&at, end);
    } else if (type == THRIFT_LIST && at != end && *at >> 4 <= SHORT_LIST_MAX) {
        enum thrift_type element = *at & 15;
        size_t count = *at++ >> 4;
        done = element > THRIFT_BYTE; // flags have other forms in a list
        for (; done && count > 0; count--)
            done = element == THRIFT_STRUCT ? skip_plain_struct(&at, end)
                                            : skip_plain(&at, end, element);
    } else if (type == THRIFT_BINARY) {
        done = skip_plain(&at, end, type);
    }
    if (done)
        reader->at = at;
    return done;
}

void thrift_skip_other(struct thrift_reader *reader, enum thrift_type type) {
    struct skipped stack[THRIFT_DEPTH_MAX];
    if (skip_simple(reader, type))
        return;
    int depth = skip_value(reader, type, false, stack, 0);
    while (depth > 0 && !reader->failed) {
        struct skipped *top = &stack[depth - 1];
        enum thrift_type inner = top->element;
        bool more = top->is_list ? top->left > 0 : get_field_head(reader, &top->last, &inner);
        if (!more) {
            depth--;
            continue;
        }
        if (top->is_list)
            top->left--;
        depth = skip_value(reader, inner, top->is_list, stack, depth);
    }
}
