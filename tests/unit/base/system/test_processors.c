#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/disk/filesystem.h"
#include "base/limit.h"
#include "base/system/process.h"

/* A small /sys/fs/cgroup with a /proc/self/cgroup in it. */
static char root[64];

static void put_file(const char *name, const char *text) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    for (char *slash = strchr(path + strlen(root) + 1, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0755); // it may be there
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs(text, file);
    (void)fclose(file);
}

static int limited(int affinity) {
    char membership[128];
    snprintf(membership, sizeof membership, "%s/membership", root);
    return processors_limited(affinity, membership, root);
}

static int setup(void **state) {
    (void)state;
    strcpy(root, "/tmp/test_processors.XXXXXX");
    return mkdtemp(root) == NULL;
}

static int teardown(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", root);
    return system(command); // NOLINT: our own temporary directory
}

static void without_control_groups_affinity_counts(void **state) {
    (void)state;
    assert_int_equal(limited(8), 8);
    assert_int_equal(limited(0), 1);
    assert_true(processors_available() >= 1);
}

static void a_version_2_quota_counts_and_a_part_is_one(void **state) {
    (void)state;
    put_file("membership", "0::/app\n");
    put_file("app/cpu.max", "250000 100000\n");
    assert_int_equal(limited(8), 3);
    assert_int_equal(limited(2), 2);
    put_file("app/cpu.max", "10000 100000\n");
    assert_int_equal(limited(8), 1);
    put_file("app/cpu.max", "max 100000\n");
    assert_int_equal(limited(8), 8);
}

static void the_least_quota_of_all_parents_counts(void **state) {
    (void)state;
    put_file("membership", "0::/kubepods/pod/container\n");
    put_file("kubepods/pod/container/cpu.max", "max 100000\n");
    put_file("kubepods/pod/cpu.max", "200000 100000\n");
    put_file("kubepods/cpu.max", "600000 100000\n");
    assert_int_equal(limited(8), 2);
}

static void a_container_that_sees_its_group_as_the_root_is_limited_too(void **state) {
    (void)state;
    put_file("membership", "0::/\n");
    put_file("cpu.max", "400000 100000\n");
    assert_int_equal(limited(8), 4);
    put_file("membership", "0::/docker/of/the/host\n");
    assert_int_equal(limited(8), 4);
}

static void a_version_1_quota_counts(void **state) {
    (void)state;
    put_file("membership", "5:memory:/app\n4:cpu,cpuacct:/app\n3:cpuset:/app\n");
    put_file("cpu,cpuacct/app/cpu.cfs_quota_us", "150000\n");
    put_file("cpu,cpuacct/app/cpu.cfs_period_us", "100000\n");
    assert_int_equal(limited(8), 2);
    put_file("cpu,cpuacct/app/cpu.cfs_quota_us", "-1\n");
    assert_int_equal(limited(8), 8);
}

static int64_t memory_limit(void) {
    char membership[128];
    snprintf(membership, sizeof membership, "%s/membership", root);
    return control_group_memory(membership, root);
}

static void the_least_memory_limit_of_all_parents_counts(void **state) {
    (void)state;
    assert_int_equal(memory_limit(), INT64_MAX);
    put_file("membership", "0::/pod/container\n");
    put_file("pod/container/memory.max", "max\n");
    assert_int_equal(memory_limit(), INT64_MAX);
    put_file("pod/memory.max", "536870912\n");
    assert_int_equal(memory_limit(), 536870912);
    put_file("pod/container/memory.max", "268435456\n");
    assert_int_equal(memory_limit(), 268435456);
}

static void a_version_1_memory_limit_counts_unless_it_is_none(void **state) {
    (void)state;
    put_file("membership", "4:cpu,cpuacct:/app\n5:memory:/app\n");
    put_file("memory/app/memory.limit_in_bytes", "1073741824\n");
    put_file("memory/memory.limit_in_bytes", "9223372036854771712\n");
    assert_int_equal(memory_limit(), 1073741824);
    put_file("memory/app/memory.limit_in_bytes", "9223372036854771712\n");
    assert_int_equal(memory_limit(), INT64_MAX);
}

static void a_file_system_in_memory_is_not_durable(void **state) {
    (void)state;
    assert_non_null(strstr(filesystem_warning("/dev/shm/not/there/yet"), "tmpfs"));
    assert_null(filesystem_warning("/proc"));
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        FACT(without_control_groups_affinity_counts),
        FACT(a_version_2_quota_counts_and_a_part_is_one),
        FACT(the_least_quota_of_all_parents_counts),
        FACT(a_container_that_sees_its_group_as_the_root_is_limited_too),
        FACT(a_version_1_quota_counts),
        FACT(the_least_memory_limit_of_all_parents_counts),
        FACT(a_version_1_memory_limit_counts_unless_it_is_none),
        FACT(a_file_system_in_memory_is_not_durable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
