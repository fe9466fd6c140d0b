/* http_url.h: URLs that something is posted to, as libcurl reads them. */
#ifndef SURFACES_SETTINGS_HTTP_URL_H
#define SURFACES_SETTINGS_HTTP_URL_H

#include <stddef.h>

#include "base/error.h"

/* Whether it is an http or https URL with a host: ERROR_CONFIG says what was wanted, without the
 * URL, which may hold a token. */
MUST_CHECK bool http_url_check(const char *url, struct error *err);

/* Its scheme and host, "https://host", which may be logged. False: it has none. */
bool http_url_server(const char *url, char *server, size_t size);

#endif
