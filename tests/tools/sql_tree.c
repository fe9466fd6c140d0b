/* sql_tree expression|type|file: reads texts from stdin, one per line (file: all of it), and prints
 * a line for each: its tree, or "! " and why it is refused. */
#include <stdlib.h>

#include "base/check.h"
#include "print_tree.h"

enum { SEPARATOR = 0x1e };

static void print_one(const char *kind, const char *text, size_t length) {
    struct error err;
    struct pool pool;
    struct sql_file file = {0};
    struct sql_node *node;
    struct data_type type;
    pool_init(&pool);
    if (strcmp(kind, "expression") == 0 && sql_parse_expression(text, length, &pool, &node, &err))
        print_node(stdout, node);
    else if (strcmp(kind, "type") == 0 && sql_parse_type(text, length, &pool, &type, &err))
        print_type(stdout, &type);
    else if (strcmp(kind, "file") == 0 && sql_parse("stdin", text, length, &file, &err))
        print_file(stdout, &file);
    else
        printf("! %s", err.message);
    putchar(SEPARATOR);
    sql_file_deinit(&file);
    pool_deinit(&pool);
}

int main(int argc, char **argv) {
    check(argc == 2);
    char *text = NULL;
    size_t room = 0;
    ssize_t length;
    while ((length = getdelim(&text, &room, SEPARATOR, stdin)) > 0) {
        if (text[length - 1] == SEPARATOR)
            length--;
        print_one(argv[1], text, (size_t)length);
    }
    free(text);
    return 0;
}
