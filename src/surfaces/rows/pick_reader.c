#include "surfaces/rows/pick_reader.h"

/* Those of one file, which lie one behind the other. */
static bool read_file(struct pick *picks, size_t count, const struct pick_reader *reader,
                      struct error *err) {
    struct table_rows rows;
    size_t done = 0;
    const char *path = reader->path_of(reader->context, picks[0].file);
    bool ok =
        table_rows_open(&rows, reader->root, path, reader->columns, reader->column_count, err);
    while (ok && done < count && (ok = table_rows_next(&rows, err)) && rows.count > 0)
        for (; done < count && picks[done].row < rows.first + (int64_t)rows.count; done++)
            picks[done].text =
                reader->render(reader->context, &rows, (size_t)(picks[done].row - rows.first));
    table_rows_close(&rows);
    return ok && (done == count ||
                  error_set(err, ERROR_STATE, "'%s/%s' changed while it was read: try again",
                            reader->root, path));
}

bool picks_read(struct picks *picks, const struct pick_reader *reader, struct error *err) {
    picks_sort_by_place(picks);
    for (size_t first = 0, end; first < picks->count; first = end) {
        for (end = first; end < picks->count && picks->items[end].file == picks->items[first].file;)
            end++;
        if (!read_file(picks->items + first, end - first, reader, err))
            return false;
    }
    picks_sort_by_age(picks);
    return true;
}
