/* file_list.h: the data files that a task or a batch has written, still staged or committed. */
#ifndef CORE_FILE_LIST_H
#define CORE_FILE_LIST_H

#include <stddef.h>
#include <stdint.h>

struct data_file {
    char
        *path; // owned; relative to the table, as readers will see it: "status=live/part-….parquet"
    char *staged; // owned; name inside the batch's staging directory; never ends in ".parquet"
    int64_t size; // bytes
    int64_t rows;
    int64_t modified_ms; // milliseconds since 1970
};

struct file_list {
    struct data_file *files; // owned
    size_t count, capacity;
};

/* Takes over the strings in `file`. */
void file_list_add(struct file_list *list, struct data_file file);

/* Moves every file of `from` to the end of `list`; `from` is empty afterwards. */
void file_list_move(struct file_list *list, struct file_list *from);

void file_list_deinit(struct file_list *list);

#endif
