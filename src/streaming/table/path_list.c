#include "streaming/table/path_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

void path_list_deinit(struct path_list *list) {
    for (size_t i = 0; i < list->count; i++)
        free(list->paths[i]);
    free(list->paths);
    *list = (struct path_list){0};
}

void path_list_add(struct path_list *list, const char *path) {
    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? 64 : 2 * list->capacity;
        list->paths = reallocarray(list->paths, list->capacity, sizeof *list->paths);
        check(list->paths != NULL);
    }
    list->paths[list->count] = strdup(path);
    check(list->paths[list->count] != NULL);
    list->count++;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void path_list_sort(struct path_list *list) {
    if (list->count > 1)
        qsort(list->paths, list->count, sizeof *list->paths, by_text);
}

void path_list_remove(struct path_list *list, const char *path) {
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->paths[i], path) != 0)
            continue;
        free(list->paths[i]);
        list->count--;
        memmove(&list->paths[i], &list->paths[i + 1], (list->count - i) * sizeof *list->paths);
        return;
    }
}

void path_list_drop_doubles(struct path_list *list) {
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (kept > 0 && strcmp(list->paths[kept - 1], list->paths[i]) == 0)
            free(list->paths[i]);
        else
            list->paths[kept++] = list->paths[i];
    }
    list->count = kept;
}
