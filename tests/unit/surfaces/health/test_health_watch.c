#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "health/health_scene.h"
#include "streaming/declare/stream.h"

enum { ASKERS = 3, ROUNDS = 200 };

static void *ask(void *argument) {
    struct health_scene *scene = argument;
    struct health_verdict verdict;
    for (int i = 0; i < ROUNDS; i++)
        health_watch_judge(scene->program.health, 0, &verdict);
    return NULL;
}

static void every_concurrent_caller_gets_a_verdict(void **state) {
    (void)state;
    struct health_scene scene;
    pthread_t askers[ASKERS];
    scene_open(&scene);
    for (int i = 0; i < ASKERS; i++)
        assert_int_equal(pthread_create(&askers[i], NULL, ask, &scene), 0);
    for (int i = 0; i < ROUNDS; i++) {
        scene_say(&scene, i % 2 == 0 ? QUERY_RUNNING : QUERY_RETRYING);
        (void)health_watch_update(scene.program.health);
    }
    scene_say(&scene, QUERY_FAILED);
    for (int i = 0; i < ASKERS; i++)
        assert_int_equal(pthread_join(askers[i], NULL), 0);
    health_watch_judge(scene.program.health, 0, &scene.verdict);
    assert_int_equal(scene.verdict.state, HEALTH_FAILED);
    scene_close(&scene);
}

int main(void) {
    streams_load();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_concurrent_caller_gets_a_verdict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
