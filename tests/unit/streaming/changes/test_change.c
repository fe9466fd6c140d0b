#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/scope.h"
#include "base/text.h"
#include "drop_checksum.h"
#include "streaming/changes/change.h"

static const struct manifest_origin origin = {"q", "t", "/table", "/rejects"};

#define HEADER                                                                                     \
    "{\"path\":\"\",\"change\":12,\"kind\":\"compaction\",\"of\":\"table\",\"batch\":450,"         \
    "\"madeMs\":1700000000000,\"query\":\"q\",\"table\":\"/table\"}"
#define EXPIRY                                                                                     \
    "{\"path\":\"\",\"change\":12,\"kind\":\"expiry\",\"of\":\"table\",\"batch\":450,"             \
    "\"madeMs\":1700000000000,\"query\":\"q\",\"table\":\"/table\","                               \
    "\"gone\":[{\"partition\":0,\"offsets\":\"5,7-9\"}]}"
#define LEFT(name) "{\"path\":\"a=1/" name "\",\"size\":1,\"rows\":1,\"modifiedMs\":1}"
#define ADDED(name)                                                                                \
    "{\"path\":\"a=1/" name "\",\"staged\":\"s\",\"size\":2,\"rows\":2,\"modifiedMs\":1}"

static bool parse(const char *text, struct change *change, struct error *err) {
    return change_parse(text, strlen(text), 12, &origin, change, err);
}

static void assert_refused(const char *text, const char *why) {
    struct change change;
    struct error err;
    if (parse(text, &change, &err))
        fail_msg("accepted: %s", text);
    assert_int_equal(err.kind, ERROR_STATE);
    if (strstr(err.message, why) == NULL)
        fail_msg("'%s' does not contain '%s'", err.message, why);
}

static void assert_same_again(const char *text) {
    struct change change;
    struct error err;
    size_t size;
    if (!parse(text, &change, &err))
        fail_msg("%s", err.message);
    scoped(scope_free) char *again = change_print(&change, &origin, &size);
    assert_int_equal(size, strlen(again));
    change_deinit(&change);
    assert_true(parse(again, &change, &err)); // with its checksum, too
    change_deinit(&change);
    drop_checksum(again);
    assert_string_equal(again, text);
}

static void a_change_is_read_as_it_was_printed(void **state) {
    (void)state;
    assert_same_again("v1\n" HEADER "\n" LEFT("a") "\n" LEFT("b") "\n" ADDED("m"));
    assert_same_again("v1\n" HEADER "\n" LEFT("b") "\n" ADDED("a") "\n" ADDED("c"));
    assert_same_again("v1\n" HEADER "\n" LEFT("only empty files"));
    assert_same_again("v1\n" EXPIRY "\n" LEFT("a"));
    assert_same_again("v1\n{\"path\":\"\",\"change\":12,\"kind\":\"acceptance\",\"of\":\"rejects\","
                      "\"batch\":-1,\"madeMs\":1,\"query\":\"q\",\"table\":\"/rejects\"}");
}

static void its_members_are_what_the_text_says(void **state) {
    (void)state;
    struct change change;
    struct error err;
    assert_true(parse("v1\n" EXPIRY "\n" LEFT("a") "\n" LEFT("b"), &change, &err));
    assert_int_equal(change.number, 12);
    assert_int_equal(change.kind, CHANGE_EXPIRY);
    assert_int_equal(change.batch_id, 450);
    assert_int_equal(change.made_ms, 1700000000000);
    assert_false(change.of_rejects);
    assert_int_equal(change.left.count, 2);
    assert_null(change.left.files[0].staged);
    assert_int_equal(change.gone.count, 4);
    assert_true(resolved_has(&change.gone, 0, 0, 8));
    change_deinit(&change);
}

static void a_text_that_does_not_add_up_is_refused(void **state) {
    (void)state;
    assert_refused("", "'v1'");
    assert_refused("v1", "'v1'");
    assert_refused("v2\n" HEADER "\n" LEFT("a"), "newer version");
    assert_refused("v1\n" LEFT("a"), "does not describe change 12");
    assert_refused("v1\n" HEADER, "no file left");
    assert_refused("v1\n" HEADER "\nnothing", "line 1");
}

static void files_must_be_in_order_and_in_one_list(void **state) {
    (void)state;
    assert_refused("v1\n" HEADER "\n" LEFT("b") "\n" LEFT("a"), "line 2");
    assert_refused("v1\n" HEADER "\n" LEFT("a") "\n" LEFT("a"), "line 2");
    assert_refused("v1\n" HEADER "\n" ADDED("m") "\n" LEFT("a"), "line 2");
    assert_refused("v1\n" HEADER "\n" LEFT("a") "\n" ADDED("n") "\n" ADDED("m"), "line 3");
    assert_refused("v1\n" HEADER "\n" LEFT("a") "\n" ADDED("a"), "both left");
    assert_refused("v1\n" HEADER "\n" LEFT("a") "\n\n" LEFT("b"), "line 2");
    assert_refused("v1\n" HEADER "\n" LEFT("a") "\n{", "line 2");
    assert_refused("v1\n" EXPIRY "\n" LEFT("a") "\n" ADDED("m"), "expiry");
}

static void no_path_leads_out_of_the_table(void **state) {
    (void)state;
    static const char *const paths[] = {"../a", "/a", "a/../../b", "a//b", ""};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        scoped(scope_free) char *text = text_format(
            "v1\n" HEADER "\n{\"path\":\"%s\",\"size\":1,\"rows\":1,\"modifiedMs\":1}", paths[i]);
        assert_refused(text, "line 1");
    }
    assert_refused("v1\n" HEADER "\n" LEFT("a") "\n{\"path\":\"b\",\"staged\":\"../s\",\"size\":1,"
                                                "\"rows\":1,\"modifiedMs\":1}",
                   "line 2");
    assert_refused("v1\n" HEADER "\n{\"path\":\"b\",\"size\":0,\"rows\":1,\"modifiedMs\":1}",
                   "line 1");
}

static void offsets_are_those_of_an_expiry_or_an_acceptance(void **state) {
    (void)state;
    assert_refused("v1\n{\"path\":\"\",\"change\":12,\"kind\":\"compaction\",\"of\":\"table\","
                   "\"batch\":1,\"madeMs\":1,\"query\":\"q\",\"table\":\"/table\","
                   "\"gone\":[{\"partition\":0,\"offsets\":\"5\"}]}\n" LEFT("a"),
                   "does not match its kind");
    assert_refused("v1\n{\"path\":\"\",\"change\":12,\"kind\":\"expiry\",\"of\":\"table\","
                   "\"batch\":1,\"madeMs\":1,\"query\":\"q\",\"table\":\"/table\","
                   "\"gone\":[{\"partition\":0,\"offsets\":\"9-5\"}]}\n" LEFT("a"),
                   "cannot be read");
}

static void a_change_of_another_query_or_table_is_refused(void **state) {
    (void)state;
    const struct manifest_origin other_query = {"q2", "t", "/table", "/rejects"};
    const struct manifest_origin other_table = {"q", "t", "/moved", "/rejects"};
    static const char text[] = "v1\n" HEADER "\n" LEFT("a");
    struct change change;
    struct error err;
    assert_false(change_parse(text, strlen(text), 12, &other_query, &change, &err));
    assert_non_null(strstr(err.message, "two queries"));
    assert_false(change_parse(text, strlen(text), 12, &other_table, &change, &err));
    assert_non_null(strstr(err.message, "relocate"));
    assert_false(change_parse(text, strlen(text), 13, &origin, &change, &err));
    assert_non_null(strstr(err.message, "does not describe change 13"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_is_read_as_it_was_printed),
        cmocka_unit_test(its_members_are_what_the_text_says),
        cmocka_unit_test(a_text_that_does_not_add_up_is_refused),
        cmocka_unit_test(files_must_be_in_order_and_in_one_list),
        cmocka_unit_test(no_path_leads_out_of_the_table),
        cmocka_unit_test(offsets_are_those_of_an_expiry_or_an_acceptance),
        cmocka_unit_test(a_change_of_another_query_or_table_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
