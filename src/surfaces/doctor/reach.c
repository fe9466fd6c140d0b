#include "surfaces/doctor/reach.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/limit.h"
#include "base/scope.h"

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
    if (poll(&ready, 1, REACH_MS) != 1)
        return ETIMEDOUT;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &reason, &size) == 0 ? reason : errno;
}

static enum reach reach_limit(int error_number, char reason[static REACH_REASON_MAX]) {
    char limit[LIMIT_TEXT_MAX];
    limit_describe(error_number, limit);
    (void)snprintf(reason, REACH_REASON_MAX, "%s: %s", strerror(error_number), limit);
    return REACH_LIMIT;
}

enum reach reach_try(const char *host, const char *port, char reason[static REACH_REASON_MAX]) {
    struct addrinfo *addresses = NULL;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    int code = getaddrinfo(host, port, &hints, &addresses);
    if (code != 0) {
        int error_number = errno;
        if (code == EAI_SYSTEM && limit_is_behind(error_number))
            return reach_limit(error_number, reason);
        (void)snprintf(reason, REACH_REASON_MAX, "%s", gai_strerror(code));
        return REACH_NO_NAME;
    }
    int failure = 0;
    for (const struct addrinfo *at = addresses; at != NULL; at = at->ai_next)
        if ((failure = connect_to(at)) == 0)
            break;
    freeaddrinfo(addresses);
    if (limit_is_behind(failure))
        return reach_limit(failure, reason);
    (void)snprintf(reason, REACH_REASON_MAX, "%s", failure != 0 ? strerror(failure) : "");
    return failure == 0 ? REACH_OK : REACH_NO_ANSWER;
}
