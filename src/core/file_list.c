#include "core/file_list.h"

#include <stdlib.h>

#include "base/check.h"

void file_list_add(struct file_list *list, struct data_file file) {
    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? 16 : list->capacity * 2;
        list->files = realloc(list->files, list->capacity * sizeof *list->files);
        check(list->files != NULL);
    }
    list->files[list->count++] = file;
}

void file_list_move(struct file_list *list, struct file_list *from) {
    for (size_t i = 0; i < from->count; i++)
        file_list_add(list, from->files[i]);
    free(from->files);
    *from = (struct file_list){0};
}

void file_list_deinit(struct file_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        free(list->files[i].path);
        free(list->files[i].staged);
    }
    free(list->files);
    *list = (struct file_list){0};
}
