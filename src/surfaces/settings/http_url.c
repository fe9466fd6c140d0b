#include "surfaces/settings/http_url.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"

bool http_url_server(const char *url, char *server, size_t size) {
    char *scheme = NULL, *host = NULL;
    CURLU *parts = curl_url();
    check(parts != NULL);
    bool usable = curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
                  curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                  curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK && *host != '\0' &&
                  (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
    if (usable)
        snprintf(server, size, "%s://%s", scheme, host);
    curl_free(scheme);
    curl_free(host);
    curl_url_cleanup(parts);
    return usable;
}

bool http_url_check(const char *url, struct error *err) {
    char server[8]; // not of interest
    return http_url_server(url, server, sizeof server) ||
           error_set(err, ERROR_CONFIG,
                     "want a URL that begins with https:// or http:// and a host");
}
