#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "streaming/query/query_definition.h"

static void batches_begin_at_multiples_of_the_interval_or_at_once_after_an_overrun(void **state) {
    (void)state;
    static const struct {
        int64_t interval_ms, began_ms, now_ms, next_ms;
        const char *why;
    } cases[] = {
        {10000, 1000003000, 1000003500, 1000010000, "the next multiple"},
        {10000, 1000010000, 1000010001, 1000020000, "began at a multiple"},
        {10000, 1000003000, 1000010000, 1000010000, "ended exactly at the next one"},
        {10000, 1000003000, 1000017000, 1000017000, "an overrun: at once"},
        {0, 1000003000, 1000003500, 1000003500, "no interval: at once"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct trigger trigger = {.interval_ms = cases[i].interval_ms};
        int64_t next = trigger_next_ms(&trigger, cases[i].began_ms, cases[i].now_ms);
        if (next != cases[i].next_ms)
            fail_msg("%s: %lld", cases[i].why, (long long)next);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_begin_at_multiples_of_the_interval_or_at_once_after_an_overrun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
