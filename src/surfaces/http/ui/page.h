/* page.h: the status page, one HTML document that needs nothing else. The build makes it from the
 * files in this folder and Chart.js (scripts/embed-page.sh). It holds no data: its script asks
 * /api/v1/. */
#ifndef SURFACES_HTTP_UI_PAGE_H
#define SURFACES_HTTP_UI_PAGE_H

#include <stddef.h>

struct page_document {
    const unsigned char *bytes; // text/html; charset=utf-8
    size_t size;
    const unsigned char *gzip_bytes; // the same, Content-Encoding: gzip
    size_t gzip_size;
    const char *security_policy; // value of Content-Security-Policy: without it, the page is unsafe
};

extern const struct page_document page_document;

#endif
