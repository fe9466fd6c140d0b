/* The status page. It holds no data, so it is open to all: its script asks for the token. */
#include <string.h>

#include "surfaces/http/routes/routes.h"
#include "surfaces/http/ui/page.h"

static bool takes_gzip(const char *accept_encoding) {
    return accept_encoding != NULL && strstr(accept_encoding, "gzip") != NULL &&
           strstr(accept_encoding, "gzip;q=0") == NULL;
}

void route_page(const struct http_call *call, struct http_response *response) {
    *response = (struct http_response){.status = HTTP_OK,
                                       .type = "text/html; charset=utf-8",
                                       .policy = page_document.security_policy,
                                       .constant = page_document.bytes,
                                       .size = page_document.size};
    if (!takes_gzip(call->request->accept_encoding))
        return;
    response->encoding = "gzip";
    response->constant = page_document.gzip_bytes;
    response->size = page_document.gzip_size;
}
