#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sql/syntax/parse.h"
#include "streaming/store/declaration.h"

/* "name TYPE[!], …"; '!' is NOT NULL. */
static void declare(const char *topic, const char *columns, const char *partition_by,
                    const char *position, struct declaration *declaration) {
    static char text[4][256];
    static int turn;
    char *rest = text[turn++ % 4], *column;
    snprintf(rest, 256, "%s", columns);
    struct declared_column *own = calloc(8, sizeof *own);
    assert_non_null(own);
    *declaration = (struct declaration){.topic = topic, .columns = own};
    while ((column = strsep(&rest, ",")) != NULL) {
        column += strspn(column, " ");
        char *type = strchr(column, ' '), *end = strchr(column, '!');
        if (end != NULL)
            *end = '\0';
        *type++ = '\0';
        own[declaration->count++] = (struct declared_column){column, type, end != NULL};
    }
    const char **names = calloc(2, sizeof *names);
    assert_non_null(names);
    names[0] = partition_by;
    names[1] = position;
    declaration->partition_by = (struct name_array){names, partition_by != NULL};
    declaration->positions = (struct name_array){names + 1, position != NULL};
}

static void undeclare(struct declaration *declaration) {
    free(declaration->columns);
    free(declaration->partition_by.names);
}

static const struct {
    const char *now, *refusal; // NULL: accepted
} changes[] = {
    {"id STRING!, a INT, b DATE", NULL},
    {"id STRING!, a INT, b DATE, c INT", NULL},
    {"id STRING!, a INT, b DATE, c INT, d STRING", NULL},
    {"id STRING, a INT, b DATE", NULL},
    {"id STRING!, a INT!, b DATE", NULL},
    {"id STRING!, a INT, b DATE, c INT!",
     "column 'c' is new and NOT NULL, but the table's rows do not have it: leave out NOT NULL"},
    {"id STRING!, a BIGINT, b DATE", "column 'a' was INT and is BIGINT now"},
    {"id STRING!, a INT", "column 'b' was dropped"},
    {"id STRING!, b DATE", "column 'a' was dropped"},
    {"id STRING!, x INT, b DATE", "column 'a' is now called 'x'"},
    {"id STRING!, A INT, b DATE", "column 'a' is now called 'A'"},
    {"id STRING!, b DATE, a INT", "column 'a' has another place now"},
    {"id STRING!, a INT, c INT, b DATE",
     "column 'c' is new and not at the end: write it after the others"},
    {"c INT, id STRING!, a INT, b DATE",
     "column 'c' is new and not at the end: write it after the others"},
};

static void only_a_new_nullable_column_at_the_end_is_accepted(void **state) {
    (void)state;
    bool same = true;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct declaration before, now;
        struct error err = {0};
        declare("t", "id STRING!, a INT, b DATE", "a", NULL, &before);
        declare("t", changes[i].now, "a", NULL, &now);
        bool ok = declaration_judge(&before, &now, &err);
        if (ok != (changes[i].refusal == NULL) ||
            (!ok && strcmp(err.message, changes[i].refusal) != 0)) {
            print_error("%s\n%s\n", changes[i].now, err.message);
            same = false;
        }
        if (!ok)
            assert_int_equal(err.kind, ERROR_STATE);
        undeclare(&before);
        undeclare(&now);
    }
    assert_true(same);
}

static void assert_refused(const char *topic, const char *partition_by, const char *position,
                           const char *refusal) {
    struct declaration before, now;
    struct error err = {0};
    declare("t", "id STRING", "id", "pos", &before);
    declare(topic, "id STRING", partition_by, position, &now);
    assert_false(declaration_judge(&before, &now, &err));
    assert_string_equal(err.message, refusal);
    undeclare(&before);
    undeclare(&now);
}

static void topic_partitions_and_positions_stay(void **state) {
    (void)state;
    assert_refused("u", "id", "pos", "the topic was 't' and is 'u' now");
    assert_refused("t", NULL, "pos", "the partition columns are others: id before, none now");
    assert_refused("t", "x", "pos", "the partition columns are others: id before, x now");
    assert_refused("t", "id", NULL,
                   "the positions of LATERAL VIEW are others: pos before, none now");
}

/* ---- on disk ---- */

static char checkpoint[] = "/tmp/test_declaration.XXXXXX";

static void write_kept(const char *text) {
    char path[128];
    snprintf(path, sizeof path, "%s/declaration", checkpoint);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void what_is_kept_is_read_again(void **state) {
    (void)state;
    struct declaration kept, again;
    struct error err = {0};
    bool found;
    declare("t", "id STRING!, a INT, ä DECIMAL(10+2)", "a", "pos", &kept);
    assert_true(declaration_read(checkpoint, &again, &found, &err));
    assert_false(found);
    assert_true(declaration_write(checkpoint, &kept, &err));
    assert_true(declaration_write(checkpoint, &kept, &err));
    assert_true(declaration_read(checkpoint, &again, &found, &err));
    assert_true(found);
    assert_true(declaration_judge(&kept, &again, &err));
    assert_true(declaration_judge(&again, &kept, &err));
    assert_int_equal(again.count, 3);
    assert_true(again.columns[0].required);
    assert_false(again.columns[1].required);
    assert_string_equal(again.columns[2].type, "DECIMAL(10+2)");
    declaration_deinit(&again);
    undeclare(&kept);
}

static void a_damaged_file_is_named(void **state) {
    (void)state;
    static const char twice[] =
        "v1\n{\"topic\":\"t\",\"columns\":[{\"name\":\"a\",\"type\":\"INT\",\"notNull\":true},"
        "{\"name\":\"a\",\"type\":\"INT\",\"notNull\":true}],\"positions\":[],\"partitionBy\":[]}";
    static const char *const texts[] = {
        "",
        "v1\n",
        "v1\n{}",
        "v9\n{\"topic\":\"t\",\"columns\":[],\"positions\":[],\"partitionBy\":[]}",
        "v1\n{\"topic\":\"t\",\"columns\":[{\"name\":\"a\"}],\"positions\":[],\"partitionBy\":[]}",
        twice,
        "v1\n{\"topic\":\"t\",\"columns\":[],\"positions\":[1],\"partitionBy\":[]}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct declaration declaration;
        struct error err = {0};
        bool found;
        write_kept(texts[i]);
        assert_false(declaration_read(checkpoint, &declaration, &found, &err));
        assert_int_equal(err.kind, ERROR_STATE);
        assert_non_null(strstr(err.message, "/declaration' cannot be used: restore it"));
    }
}

/* ---- made of a query ---- */

static void kafkas_columns_are_left_out(void **state) {
    (void)state;
    struct sql_file file;
    struct query_plan plan;
    struct stream stream;
    struct error err = {0};
    struct declaration declaration;
    static const char *const partition_by[] = {"n"};
    static const char text[] =
        "CREATE TABLE r (id STRING, n INT) USING kafka OPTIONS (subscribe 'x');"
        "CREATE STREAMING TABLE t (offset BIGINT, id STRING NOT NULL, n INT) "
        "AS SELECT offset, id, n FROM STREAM r";
    if (!sql_parse("q.sql", text, strlen(text), &file, &err) || !plan_make(&file, 0, &plan, &err) ||
        !stream_make(&plan, &stream, &err))
        fail_msg("%s", err.message);
    sql_file_deinit(&file);
    declaration_of(
        &(struct store_options){
            .stream = &stream, .topic = "x", .partition_by = partition_by, .partition_by_count = 1},
        &declaration);
    assert_int_equal(declaration.count, 2);
    assert_string_equal(declaration.columns[0].name, "id");
    assert_true(declaration.columns[0].required);
    assert_string_equal(declaration.columns[1].name, "n");
    assert_string_equal(declaration.columns[1].type, "INT");
    assert_int_equal(declaration.positions.count, 0);
    assert_string_equal(declaration.partition_by.names[0], "n");
    declaration_deinit(&declaration);
    stream_deinit(&stream);
}

static int make_directory(void **state) {
    (void)state;
    return mkdtemp(checkpoint) != NULL ? 0 : -1;
}

static int remove_directory(void **state) {
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", checkpoint);
    return system(command);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_new_nullable_column_at_the_end_is_accepted),
        cmocka_unit_test(topic_partitions_and_positions_stay),
        cmocka_unit_test(what_is_kept_is_read_again),
        cmocka_unit_test(a_damaged_file_is_named),
        cmocka_unit_test(kafkas_columns_are_left_out),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
