/* path_list.h: paths of files, as a table's directories are listed. */
#ifndef STREAMING_TABLE_PATH_LIST_H
#define STREAMING_TABLE_PATH_LIST_H

#include <stddef.h>

struct path_list {
    char **paths; // owned, as is each of them
    size_t count, capacity;
};

void path_list_deinit(struct path_list *list); // accepts a zeroed struct
void path_list_add(struct path_list *list, const char *path);
void path_list_sort(struct path_list *list);

/* One of them, if it is there. */
void path_list_remove(struct path_list *list, const char *path);

/* Of a sorted list. */
void path_list_drop_doubles(struct path_list *list);

#endif
