#include "streaming/operations/replay_source.h"

#include <stdlib.h>

#include "base/check.h"

struct replay_source {
    struct source source;
    const struct replay_load *load;
    struct reject_cursor cursor;
    struct resolved given; // a record that is in two files is given once
    int64_t left;          // in the range
};

static struct replay_source *self_of(struct source *source) {
    return (struct replay_source *)source;
}

static void end_range(struct replay_source *self) {
    reject_cursor_close(&self->cursor);
    resolved_deinit(&self->given);
}

static bool open_range(struct source *source, const char *topic, struct offset_range range,
                       struct error *err) {
    (void)topic, (void)err;
    struct replay_source *self = self_of(source);
    check(range.start == 0); // one task reads it all
    reject_cursor_open(&self->cursor, &self->load->files, self->load->first,
                       self->load->page_size_max);
    self->left = range.end;
    return true;
}

static bool is_taken(const struct replay_load *load, const struct record *record) {
    return incarnations_of_reject(load->incarnations, record->planned_ms) == load->incarnation &&
           resolved_has(&load->taken, load->incarnation, record->partition, record->offset);
}

static enum source_status read_record(struct source *source, struct record *record, int timeout_ms,
                                      struct error *err) {
    (void)timeout_ms;
    struct replay_source *self = self_of(source);
    struct reject_row row;
    bool found = self->left > 0;
    while (found) {
        if (!reject_cursor_next(&self->cursor, &row, &found, err)) {
            end_range(self);
            return SOURCE_FAILED;
        }
        if (found && is_taken(self->load, &row.record) &&
            resolved_add(&self->given, self->load->incarnation, row.record.partition,
                         row.record.offset)) {
            *record = row.record;
            self->left--;
            return SOURCE_RECORD;
        }
    }
    end_range(self);
    return SOURCE_END;
}

static void abandon_range(struct source *source) {
    end_range(self_of(source));
}

static void expect_ranges(struct source *source, const char *topic,
                          const struct offset_range *ranges, size_t count) {
    (void)source, (void)topic, (void)ranges, (void)count; // files are there at once
}

static void rest(struct source *source) {
    (void)source; // nothing goes on between ranges
}

static void close_source(struct source *source) {
    end_range(self_of(source));
    free(source);
}

struct source *replay_source_open(const struct replay_load *load) {
    static const struct source_ops ops = {
        .expect_ranges = expect_ranges,
        .open_range = open_range,
        .read = read_record,
        .abandon_range = abandon_range,
        .rest = rest,
        .close = close_source,
    };
    struct replay_source *self = must_alloc(1, sizeof *self);
    self->source.ops = &ops;
    self->load = load;
    return &self->source;
}
