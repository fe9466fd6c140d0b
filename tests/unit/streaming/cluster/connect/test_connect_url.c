#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "streaming/cluster/connect/connect_url.h"

static struct connect_url parse(const char *text) {
    struct connect_url url;
    struct error err;
    if (!connect_url_parse(text, &url, &err))
        fail_msg("%s: %s", text, err.message);
    return url;
}

static void a_host_is_enough(void **state) {
    (void)state;
    struct connect_url url = parse("sc://spark.example.org");
    assert_string_equal(url.host, "spark.example.org");
    assert_int_equal(url.port, 15002);
    assert_false(url.use_ssl);
    assert_null(url.token);
    assert_null(url.session_id);
    assert_true(strlen(url.user_id) > 0);
    assert_int_equal(url.header_count, 0);
    connect_url_deinit(&url);
}

static void everything_may_be_said(void **state) {
    (void)state;
    struct connect_url url =
        parse("sc://h-1:443/;use_ssl=true;token=a%3Bb%25=c;user_id=j%C3%BCrgen;"
              "session_id=0f1e2d3c-0000-4000-8000-0123456789ab;X-Team=blue%20one;x-empty-is=not;");
    assert_string_equal(url.host, "h-1");
    assert_int_equal(url.port, 443);
    assert_true(url.use_ssl);
    assert_string_equal(url.token, "a;b%=c");
    assert_string_equal(url.user_id, "jürgen");
    assert_string_equal(url.session_id, "0f1e2d3c-0000-4000-8000-0123456789ab");
    assert_int_equal(url.header_count, 2);
    assert_string_equal(url.headers[0].name, "x-team"); // HTTP/2 knows small letters only
    assert_string_equal(url.headers[0].value, "blue one");
    assert_string_equal(url.headers[1].name, "x-empty-is");
    connect_url_deinit(&url);
}

static void hosts_are_names_and_addresses(void **state) {
    (void)state;
    static const struct {
        const char *text, *host;
        int port;
    } cases[] = {
        {"sc://10.0.0.7:1", "10.0.0.7", 1},
        {"sc://[::1]:65535/", "::1", 65535},
        {"sc://[fe80::1%eth0]", "fe80::1%eth0", 15002},
        {"sc://spark_connect/;use_ssl=FALSE", "spark_connect", 15002},
        {"sc://a;use_ssl=true", NULL, 0}, // no slash in front of the names
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct connect_url url;
        struct error err;
        assert_int_equal(connect_url_parse(cases[i].text, &url, &err), cases[i].host != NULL);
        if (cases[i].host == NULL)
            continue;
        assert_string_equal(url.host, cases[i].host);
        assert_int_equal(url.port, cases[i].port);
        connect_url_deinit(&url);
    }
}

static void a_token_is_sent_in_the_clear_only_within_this_machine(void **state) {
    (void)state;
    static const char *const here[] = {"localhost", "127.0.0.1", "127.3.2.1", "[::1]"};
    static const char *const elsewhere[] = {"10.0.0.1", "127.evil.example", "localhost.example",
                                            "[::2]", "spark"};
    char text[128];
    struct connect_url url;
    struct error err;
    for (size_t i = 0; i < sizeof here / sizeof *here; i++) {
        snprintf(text, sizeof text, "sc://%s/;token=s3cr3t", here[i]);
        url = parse(text);
        connect_url_deinit(&url);
    }
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++) {
        snprintf(text, sizeof text, "sc://%s/;token=s3cr3t", elsewhere[i]);
        assert_false(connect_url_parse(text, &url, &err));
        assert_non_null(strstr(err.message, "use_ssl=true"));
        snprintf(text, sizeof text, "sc://%s/;token=s3cr3t;use_ssl=true", elsewhere[i]);
        url = parse(text);
        connect_url_deinit(&url);
    }
}

static void what_is_wrong_is_named_but_no_secret(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "sc://"},
        {"https://host", "sc://"},
        {"sc://", "the host is missing"},
        {"sc://:15002", "the host is missing"},
        {"sc://[::1", "']'"},
        {"sc://[]:1", "the host is missing"},
        {"sc://me@host", "character"},
        {"sc://ho st", "character"},
        {"sc://host:", "port"},
        {"sc://host:0", "port"},
        {"sc://host:65536", "port"},
        {"sc://host:99999999999999999999", "port"},
        {"sc://host:15 ", "port"},
        {"sc://[::1]15002", "port"},
        {"sc://host/database", "path"},
        {"sc://host/;use_ssl=yes", "use_ssl"},
        {"sc://host/;s3cr3t", "name=value"},
        {"sc://host/;=s3cr3t", "name=value"},
        {"sc://host/;token=", "token"},
        {"sc://host/;token=s3cr3t%", "token"},
        {"sc://host/;token=s3cr3t%zz", "token"},
        {"sc://host/;token=s3cr3t%00", "token"},
        {"sc://localhost/;token=s3cr3t%0aX: y", "token"},
        {"sc://host/;token=s3cr3t", "unencrypted"},
        {"sc://host/;session_id=s3cr3t", "session_id"},
        {"sc://host/;session_id=0f1e2d3c-0000-4000-8000-0123456789abc", "session_id"},
        {"sc://host/;grpc-timeout=1", "grpc-timeout"},
        {"sc://host/;authorization=s3cr3t", "authorization"},
        {"sc://host/;x y=s3cr3t", "x y"},
        {"sc://host/;x=s3cr3t%0d%0a", "x"},
        {"sc://h/;a=1;b=1;c=1;d=1;e=1;f=1;g=1;h=1;i=1;j=1;k=1;l=1;m=1;n=1;o=1;p=1;q=1", "many"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct connect_url url;
        struct error err;
        if (connect_url_parse(cases[i].text, &url, &err))
            fail_msg("%s was taken", cases[i].text);
        assert_int_equal(err.kind, ERROR_CONFIG);
        if (strstr(err.message, cases[i].says) == NULL)
            fail_msg("%s: %s", cases[i].text, err.message);
        assert_null(strstr(err.message, "s3cr3t"));
    }
}

static void a_host_has_a_measure(void **state) {
    (void)state;
    char text[300] = "sc://";
    struct connect_url url;
    struct error err;
    memset(text + 5, 'x', 254);
    assert_false(connect_url_parse(text, &url, &err));
    text[5 + 253] = '\0';
    url = parse(text);
    connect_url_deinit(&url);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_is_enough),
        cmocka_unit_test(everything_may_be_said),
        cmocka_unit_test(hosts_are_names_and_addresses),
        cmocka_unit_test(a_token_is_sent_in_the_clear_only_within_this_machine),
        cmocka_unit_test(a_host_has_a_measure),
        cmocka_unit_test(what_is_wrong_is_named_but_no_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
