#include "surfaces/doctor/doctor_checks.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/limit.h"
#include "base/scope.h"
#include "base/system/clock.h"

enum { CONNECT_MS = 3000, REASON_MAX = 640 };

enum reach {
    REACH_OK,
    REACH_NO_NAME,   // the name service does not know the host
    REACH_NO_ANSWER, // nothing takes the connection
    REACH_LIMIT,     // a limit of this machine, which the reason names
};

/* 0, or what keeps us from connecting, as an errno. */
static int connect_to(const struct addrinfo *address) {
    scoped(scope_close) int fd =
        socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return errno;
    if (connect(fd, address->ai_addr, address->ai_addrlen) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return errno;
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    int reason = 0;
    socklen_t size = sizeof reason;
    if (poll(&ready, 1, CONNECT_MS) != 1)
        return ETIMEDOUT;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &reason, &size) == 0 ? reason : errno;
}

static enum reach reach_limit(int error_number, char reason[static REASON_MAX]) {
    char limit[LIMIT_TEXT_MAX];
    limit_describe(error_number, limit);
    (void)snprintf(reason, REASON_MAX, "%s: %s", strerror(error_number), limit);
    return REACH_LIMIT;
}

/* Tries each address of the host, CONNECT_MS for each, and hangs up at once. `reason` says why not.
 */
static enum reach reach_host(const char *host, const char *port, char reason[static REASON_MAX]) {
    struct addrinfo *addresses = NULL;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    int code = getaddrinfo(host, port, &hints, &addresses);
    if (code != 0) {
        int error_number = errno;
        if (code == EAI_SYSTEM && limit_is_behind(error_number))
            return reach_limit(error_number, reason);
        (void)snprintf(reason, REASON_MAX, "%s", gai_strerror(code));
        return REACH_NO_NAME;
    }
    int failure = 0;
    for (const struct addrinfo *at = addresses; at != NULL; at = at->ai_next)
        if ((failure = connect_to(at)) == 0)
            break;
    freeaddrinfo(addresses);
    if (limit_is_behind(failure))
        return reach_limit(failure, reason);
    (void)snprintf(reason, REASON_MAX, "%s", failure != 0 ? strerror(failure) : "");
    return failure == 0 ? REACH_OK : REACH_NO_ANSWER;
}

bool doctor_try_address(const struct doctor_address *address, struct doctor_report *report) {
    char reason[REASON_MAX], took[48] = "", cure[256];
    const char *what = address->what, *name = address->name;
    int64_t began_us = clock_monotonic_us();
    enum reach reach = reach_host(address->host, address->port, reason);
    if (address->is_timed)
        (void)snprintf(took, sizeof took, ", after %.1f ms",
                       (double)(clock_monotonic_us() - began_us) / 1000);
    switch (reach) {
    case REACH_OK:
        doctor_ok(report, what, name, "takes connections%s", took);
        break;
    case REACH_NO_NAME:
        (void)snprintf(cure, sizeof cure,
                       "correct %s, or the name service (in a container: its network)",
                       address->setting);
        doctor_fail(report, address->code, what, name, cure, "the name '%s': %s", address->host,
                    reason);
        break;
    case REACH_NO_ANSWER:
        (void)snprintf(cure, sizeof cure,
                       "see whether %s, and whether a firewall or network policy lets us through",
                       address->look_at);
        doctor_fail(report, address->code, what, name, cure, "connect: %s", reason);
        break;
    case REACH_LIMIT:
        doctor_fail_limit(report, what, name, "connect: %s", reason);
        break;
    }
    return reach == REACH_OK;
}
